"""Who may look at the admin port and who may change something, where there is a token."""

import json
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.console import AdminToken
from gateway.console.audit import AUDIT
from gateway.console.token import Form
from gateway.guessing import Guesses
from tests.console.admin import BEARER, CHANGE, FINGERPRINT, SECRET, TOKEN, basic, guarded

LOOKED_AT = ("/", "/decisions", "/metrics", "/accounts/acme", "/no/such/path")
CHANGING: tuple[tuple[str, object], ...] = (
    ("/reload", None),
    ("/accounts/acme/block", {"why": "x"}),
    ("/accounts/acme/unblock", {}),
    ("/accounts/acme/reset", {}),
    ("/accounts/acme/grant", {"quota": "requests", "units": 1, "for_s": 9}),
)
WRONG = (
    {"authorization": "Bearer " + TOKEN[:-1]},
    {"authorization": "Bearer " + TOKEN + "x"},
    {"authorization": "Bearer"},
    {"authorization": TOKEN},
    {"authorization": "Digest " + TOKEN},
    {"authorization": "Basic " + TOKEN},
    {"authorization": "Basic ////"},
    basic(TOKEN[:-1]),
    basic("", name=TOKEN),
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with guarded() as made:
        yield made


@pytest.mark.parametrize("path", LOOKED_AT)
async def test_nothing_is_told_without_the_token(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}
    assert "Bearer" in answer.headers["www-authenticate"]
    assert "Basic" in answer.headers["www-authenticate"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_needs_no_token(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("headers", WRONG)
async def test_what_is_not_the_token_opens_nothing(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get("/", headers=headers)).status_code == 401
    changed = await client.post("/reload", headers={**headers, **CHANGE})
    assert changed.status_code == 401


async def test_the_token_beside_another_credential_opens_nothing(client: httpx.AsyncClient) -> None:
    both = [("authorization", f"Bearer {TOKEN}"), ("authorization", "Bearer other")]
    assert (await client.get("/", headers=both)).status_code == 401


@pytest.mark.parametrize("headers", [BEARER, basic(TOKEN), {"authorization": f"bearer {TOKEN}"}])
async def test_the_token_opens_the_page_as_a_bearers_and_as_a_browsers_password(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/", headers=headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/metrics"])
async def test_with_the_token_any_name_may_lead_here(client: httpx.AsyncClient, path: str) -> None:
    named = {**BEARER, "host": "gauger.internal:9090"}
    assert (await client.get(path, headers=named)).status_code == 200


@pytest.mark.parametrize(("path", "asked"), CHANGING)
async def test_the_token_with_the_header_changes_something(
    client: httpx.AsyncClient, path: str, asked: object
) -> None:
    answer = await client.post(path, json=asked, headers={**BEARER, **CHANGE})
    assert answer.status_code == 200


@pytest.mark.parametrize(("path", "asked"), CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {**basic(TOKEN), **CHANGE},
        {**BEARER, **CHANGE, "origin": "https://evil.example"},
        {**BEARER, **CHANGE, "sec-fetch-site": "same-origin"},
        {**BEARER, **CHANGE, "cookie": "session=1"},
    ],
)
async def test_what_a_page_could_make_a_browser_send_changes_nothing(
    client: httpx.AsyncClient, path: str, asked: object, headers: dict[str, str]
) -> None:
    assert (await client.post(path, json=asked, headers=headers)).status_code == 403
    told = (await client.get("/accounts/acme", headers=BEARER)).json()
    assert (told["blocked"], told["grants"]) == (None, [])


async def test_guesses_of_an_address_are_limited_and_the_token_still_opens() -> None:
    async with guarded(per_minute=3) as client:
        wrong = [await client.get("/", headers=WRONG[0]) for _ in range(5)]
        assert [answer.status_code for answer in wrong] == [401, 401, 401, 429, 429]
        assert 1 <= int(wrong[-1].headers["retry-after"]) <= 60
        assert (await client.get("/", headers=BEARER)).status_code == 200
        assert (await client.get("/")).status_code == 401  # a browser that has yet to ask


async def test_each_refused_token_is_a_line_until_the_budget_is_spent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    async with guarded(per_minute=2) as client:
        for path in ("/accounts/" + TOKEN, "/" + TOKEN, "/decisions"):
            await client.get(path, headers=WRONG[0])
    told = [json.loads(r.getMessage()) for r in caplog.records if r.name == AUDIT]
    assert [(one["what"], one["result"], one["asked"]) for one in told] == [
        ("token", "refused", "GET /accounts"),
        ("token", "refused", "GET /?"),
    ]
    assert told[0]["who"] == "127.0.0.1"
    assert told[0]["token"] is None
    assert TOKEN[:-1] not in caplog.text


async def test_a_deed_says_whose_token_was_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    async with guarded() as client:
        await client.post("/reload", headers={**BEARER, **CHANGE})
        await client.post("/accounts/a/block", json={"why": "x"}, headers={**BEARER, **CHANGE})
        await client.post("/accounts/a/reset", json={"quota": "q"}, headers={**BEARER, **CHANGE})
    told = [json.loads(r.getMessage()) for r in caplog.records if r.name == AUDIT]
    assert [(one["what"], one["result"], one["token"]) for one in told] == [
        ("reload", "done", FINGERPRINT),
        ("block", "done", FINGERPRINT),
        ("reset", "refused", FINGERPRINT),
    ]
    assert told[0]["policies"] == "unchanged"
    assert "There is no quota q" in told[2]["problem"]


def test_the_token_is_not_kept_and_not_shown() -> None:
    token = AdminToken.of(SECRET, TOKEN.encode(), Guesses(1))
    assert TOKEN not in repr(token)
    assert token.digest not in repr(token)
    assert not any(TOKEN in str(getattr(token, name)) for name in ("digest", "fingerprint"))
    assert token.shown_in(f"Bearer {TOKEN}") is Form.BEARER
