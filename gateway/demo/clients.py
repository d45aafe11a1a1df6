"""The demo's clients: each one a small loop over real HTTP, each with a habit of its own."""

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

QUESTIONS = (
    "Why is the sea salt?",
    "What makes bread rise?",
    "How does a lock on a canal work?",
    "Why do leaves turn red in autumn?",
    "What is the longest river of Europe?",
)


@dataclass(frozen=True, slots=True)
class Client:
    """`remark` is told what the client itself does: waits, leaves."""

    name: str
    key: str
    http: httpx.AsyncClient
    remark: Callable[[str, str], None]

    async def chat(self, *, question: str, max_tokens: int) -> httpx.Response:
        body = _body(question, max_tokens)
        return await self.http.post("/v1/chat/completions", json=body, headers=self._bearer)

    async def stream(
        self, path: str, *, question: str, max_tokens: int, leave_after: int | None = None
    ) -> None:
        """Reads an answer as it comes, all of it or so many lines of it."""
        body = {**_body(question, max_tokens), "stream": True}
        async with self.http.stream("POST", path, json=body, headers=self._bearer) as response:
            count = 0
            async for line in response.aiter_lines():
                count += bool(line)
                if response.is_success and leave_after is not None and count >= leave_after:
                    self.remark(
                        self.name, f"closes the connection after {count} lines of the answer"
                    )
                    return

    @property
    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


async def ada(client: Client) -> None:
    """An honest user: reads one answer, thinks, asks again."""
    for question in itertools.cycle(QUESTIONS):
        await client.stream("/v1/chat/completions", question=question, max_tokens=60)
        await asyncio.sleep(random.uniform(1.5, 3.0))  # noqa: S311  # a pause, no secret


async def ben(client: Client) -> None:
    """A batch job in a hurry. Refused, it comes back exactly when it was told to."""
    for item in itertools.count(1):
        await _until_served(client, f"Sort item {item}.", max_tokens=8)


async def ivy(client: Client) -> None:
    """An agent that asks five things at once, with slots for three."""
    for round_number in itertools.count(1):
        await asyncio.gather(
            *(
                _until_served(client, f"Read page {page} of book {round_number}.", max_tokens=60)
                for page in range(5)
            )
        )
        await asyncio.sleep(9.0)


async def cleo(client: Client) -> None:
    """Leaves in the middle of every other answer; what she leaves unread is not charged."""
    for question, leave_after in zip(
        itertools.cycle(QUESTIONS), itertools.cycle((12, None)), strict=False
    ):
        await client.stream(
            "/v1/messages", question=question, max_tokens=200, leave_after=leave_after
        )
        await asyncio.sleep(3.0)


async def dan(client: Client) -> None:
    """Still reading the manual: each mistake gets its reason, none reaches the model."""
    json_type = {"content-type": "application/json"}
    chat, bearer = "/v1/chat/completions", {"authorization": f"Bearer {client.key}"}
    hello = json.dumps(_body("Hello?", 10))
    mistakes: tuple[tuple[str, str, dict[str, str]], ...] = (
        (
            "/v1/images/generations",
            json.dumps({"model": "demo-small", "prompt": "A still."}),
            bearer,
        ),
        (chat, '{"model": "demo-small", "messages": [', bearer),
        (chat, hello, {}),
        (chat, json.dumps(_body("Everything, please.", 50_000)), bearer),
        (chat, hello, bearer),
    )
    for path, content, headers in itertools.cycle(mistakes):
        await client.http.post(path, content=content, headers={**json_type, **headers})
        await asyncio.sleep(2.5)


HABITS = (ada, ben, cleo, dan, ivy)


def _body(question: str, max_tokens: int) -> dict[str, Any]:
    return {
        "model": "demo-small",
        "messages": [{"role": "user", "content": question}],
        "max_tokens": max_tokens,
    }


async def _until_served(client: Client, question: str, max_tokens: int) -> None:
    while True:
        response = await client.chat(question=question, max_tokens=max_tokens)
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return
        wait_s = float(response.headers["retry-after"])
        client.remark(client.name, f"waits {wait_s:g} s, as Retry-After says")
        await asyncio.sleep(wait_s)
