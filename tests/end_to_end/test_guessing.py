"""Guessing of keys on a whole gauger, by address and in each dialect."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.parts.gauger_inside import SECRET, GaugerInside, gauger_inside
from tests.parts.redis_servers import RedisServer, running
from tests.parts.serving import serving
from tests.reload.files import policy
from tests.reload.traffic import KEY, Model, ask

BUDGET = 3
CHAT = {"model": "small", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
GEMINI = {"contents": [{"parts": [{"text": "Hi"}]}]}


@asynccontextmanager
async def guarded(tmp_path: Path, *identities: str, **settings: Any) -> AsyncIterator[GaugerInside]:
    """Knows one key."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "quotas.yaml").write_text(policy("requests", "100 requests/minute"))
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(
        f"secret: {SECRET.fingerprint()}\n"
        f"accounts:\n  - id: acme\n    keys: [{{hash: {SECRET.credential_hash(KEY)}}}]\n"
    )
    if identities:
        (tmp_path / "identities.yaml").write_text("\n".join(identities))
        settings["identities"] = tmp_path / "identities.yaml"
    async with (
        serving(Model()) as upstream,
        gauger_inside(
            tmp_path / "policies",
            upstream,
            accounts=accounts,
            guesses_per_minute=BUDGET,
            **settings,
        ) as inside,
    ):
        yield inside


async def wrong(
    client: httpx.AsyncClient, url: str, count: int, **headers: str
) -> list[httpx.Response]:
    said = {"authorization": "Bearer sk-guessed", **headers}
    return [
        await client.post(f"{url}/v1/chat/completions", headers=said, json=CHAT)
        for _ in range(count)
    ]


async def test_over_the_budget_a_wrong_key_is_told_to_wait_and_a_right_one_is_served(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path) as inside, httpx.AsyncClient(trust_env=False) as client:
        answers = await wrong(client, inside.url, BUDGET + 2)
        assert [answer.status_code for answer in answers] == [401] * BUDGET + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert (await ask(client, inside.url)).status_code == 200


@pytest.mark.parametrize(
    ("path", "headers", "body", "kind"),
    [
        (
            "/v1/chat/completions",
            {"authorization": "Bearer sk-guessed"},
            CHAT,
            lambda told: told["error"]["code"] == "rate_limit_exceeded",
        ),
        (
            "/v1/messages",
            {"x-api-key": "sk-guessed", "anthropic-version": "2023-06-01"},
            CHAT,
            lambda told: told["error"]["type"] == "rate_limit_error",
        ),
        (
            "/v1beta/models/small:generateContent",
            {"x-goog-api-key": "sk-guessed"},
            GEMINI,
            lambda told: told["error"]["status"] == "RESOURCE_EXHAUSTED",
        ),
    ],
)
async def test_each_dialect_words_it_in_its_own_way(
    tmp_path: Path, path: str, headers: dict[str, str], body: object, kind: Any
) -> None:
    async with guarded(tmp_path) as inside, httpx.AsyncClient(trust_env=False) as client:
        await wrong(client, inside.url, BUDGET)
        answer = await client.post(inside.url + path, headers=headers, json=body)
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    assert kind(answer.json())
    assert "sk-guessed" not in answer.text


async def test_nobody_shares_a_budget_with_another_client_of_a_trusted_front_proxy(
    tmp_path: Path,
) -> None:
    async with (
        guarded(tmp_path, "front_proxy:", "  addresses: [127.0.0.1]") as inside,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        await wrong(client, inside.url, BUDGET, **{"x-forwarded-for": "192.0.2.1"})
        for address, status in (("192.0.2.1", 429), ("192.0.2.2", 401)):
            (answer,) = await wrong(client, inside.url, 1, **{"x-forwarded-for": address})
            assert answer.status_code == status


async def test_no_credential_is_no_guess(tmp_path: Path) -> None:
    async with guarded(tmp_path) as inside, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(BUDGET + 1):
            answer = await client.post(f"{inside.url}/v1/chat/completions", json=CHAT)
            assert answer.status_code == 401


async def test_guesses_make_no_key_in_redis_and_no_label(tmp_path: Path) -> None:
    with running("valkey") as server:
        async with (
            guarded(tmp_path, store=server.url) as inside,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            await ask(client, inside.url)
            before = keys(server), await labels(client, inside)
            for one in range(50):
                await wrong(client, inside.url, 1, authorization=f"Bearer sk-guessed-{one}")
            first = keys(server), await labels(client, inside)
            for one in range(50, 100):
                await wrong(client, inside.url, 1, authorization=f"Bearer sk-guessed-{one}")
            assert (keys(server), await labels(client, inside)) == first
    assert first[0] == before[0]
    assert "sk-guessed" not in str(first)


def keys(server: RedisServer) -> set[bytes]:
    with server.client() as client:
        return set(client.scan_iter("*"))


async def labels(client: httpx.AsyncClient, inside: GaugerInside) -> set[str]:
    text = (await client.get(f"{inside.admin_url}/metrics")).text
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
