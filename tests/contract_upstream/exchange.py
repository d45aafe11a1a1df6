"""One exchange with an Upstream, driven as the Gateway would drive it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from gateway.proxy.asgi import Message, Scope
from gateway.proxy.upstream.port import Upstream

PATIENCE_S = 10.0
"""For a test that would otherwise hang: generous, since the machine may be busy."""

Header = tuple[bytes, bytes]
OnSend = Callable[[Message], Awaitable[None]]

JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)


class Exchange:
    """A call of the app in a task of its own, and everything that it sent."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        method: str = "POST",
        raw_path: bytes = b"/v1/chat/completions",
        query_string: bytes = b"",
        headers: Iterable[Header] = JSON,
        body: bytes = b"{}",
        body_messages: Sequence[Message] | None = None,
        on_send: OnSend | None = None,
    ) -> None:
        self.sent: list[Message] = []
        self.came: asyncio.Queue[Message] = asyncio.Queue()
        self._on_send = on_send
        self._to_receive = list(
            body_messages or [{"type": "http.request", "body": body, "more_body": False}]
        )
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw_path.decode(),
            "raw_path": raw_path,
            "query_string": query_string,
            "headers": list(headers),
        }
        self.task: asyncio.Task[None] = asyncio.create_task(self._call(upstream, scope))

    async def _call(self, upstream: Upstream, scope: Scope) -> None:
        await upstream(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return self._to_receive.pop(0)  # an Upstream that asks after the end gets an IndexError

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self.came.put_nowait(message)
        if self._on_send is not None:
            await self._on_send(message)

    async def next_message(self) -> Message:
        """What was sent next; fails if the call ends or too much time passes first."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.came.get()

    async def end(self) -> "Exchange":
        """Wait for the call's end; raises what it raised."""
        async with asyncio.timeout(PATIENCE_S):
            await self.task
        return self

    async def cancel(self, *, times: int = 1) -> None:
        """Cancel the task, again at each turn of the loop if `times` says so; wait for its end."""
        for _ in range(times):
            self.task.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(self.task, return_exceptions=True)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> list[Header]:
        return list(self.sent[0]["headers"])

    @property
    def pieces(self) -> list[bytes]:
        """The bodies of all messages but the empty last one."""
        return [message["body"] for message in self.sent[1:] if message["more_body"]]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def ended_well(self) -> bool:
        """The last message, and only it, is empty and says that nothing more comes."""
        *others, last = self.sent
        return (
            last == {"type": "http.response.body", "body": b"", "more_body": False}
            and others[0]["type"] == "http.response.start"
            and all(message["body"] and message["more_body"] for message in others[1:])
        )
