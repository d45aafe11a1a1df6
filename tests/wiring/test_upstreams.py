"""Several model APIs behind one gauger: each gets its own requests, with its own key."""

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.proxy.intake import UpstreamKey
from gateway.proxy.selection import THE_ONE, Selection
from gateway.proxy.upstream.written import parse_upstreams
from gateway.settings import Address, Settings
from gateway.wiring.upstreams import demand_others, open_upstreams, upstreams_of
from tests.parts.serving import serving
from tests.proxy.stage import QUESTION, Caller, Model, answering, stage

SETTINGS = Settings(policies=Path("policies"), upstream="http://127.0.0.1:1", secret=b"s")
ENVIRON = {"ONE": "sk-one", "TWO": "sk-two"}


def heard(model: Model) -> list[tuple[str, bytes | None]]:
    """The path of each request, and the credential that came with it."""
    return [
        (
            scope["path"],
            next((v for n, v in scope["headers"] if n in (b"authorization", b"x-api-key")), None),
        )
        for scope in model.scopes
    ]


async def test_each_request_goes_to_its_own_api_with_its_own_key_or_none() -> None:
    rest, anthropic, local = answering(), answering(), answering()
    async with serving(rest) as one, serving(anthropic) as two, serving(local) as three:
        upstreams = parse_upstreams(
            [one, f"anthropic={two}", f"local-*={three}"], ["ONE", "anthropic=TWO"], ENVIRON
        )
        forwarding, _ = open_upstreams(upstreams, SETTINGS)
        on = stage(forwarding, select=upstreams.select)  # type: ignore[arg-type]  # any app will do
        for path, model in (
            ("/v1/chat/completions", "gpt"),
            ("/v1/messages", "local-1"),
            ("/v1/chat/completions", "local-1"),
        ):
            caller = await Caller(on.gateway, path=path, body={**QUESTION, "model": model}).run()
            assert caller.status == 200
        await on.rest()
        await forwarding.aclose()
    assert heard(rest) == [("/v1/chat/completions", b"Bearer sk-one")]
    assert heard(anthropic) == [("/v1/messages", b"sk-two")]
    assert heard(local) == [("/v1/chat/completions", None)]


def test_the_settings_name_one_upstream_that_takes_everything() -> None:
    assert upstreams_of(SETTINGS).select("openai", "m") == Selection(THE_ONE, None)
    with_key = Settings(
        policies=Path("policies"), upstream="http://h", secret=b"s", upstream_key="sk-1"
    )
    assert upstreams_of(with_key).select("openai", "m") == Selection(THE_ONE, UpstreamKey("sk-1"))


@pytest.mark.parametrize(
    ("upstream", "listening"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://localhost:8080", "127.0.0.1"),
        ("http://127.0.0.1:8080", "localhost"),
        ("http://0.0.0.0:8080", "127.0.0.1"),
        ("http://127.0.0.9:8080", "0.0.0.0"),  # noqa: S104  # nothing listens
        ("http://[::ffff:127.0.0.1]:8080", "127.0.0.1"),
        ("http://[::1]:8080", "::"),
    ],
)
async def test_gauger_cannot_be_its_own_upstream_by_any_name(upstream: str, listening: str) -> None:
    settings = Settings(policies=Path("policies"), upstream=upstream, secret=b"s")
    with pytest.raises(SettingsError, match="is gauger itself"):
        await demand_others(upstreams_of(settings), [Address(listening, 8080)])


async def test_a_selected_upstream_and_the_admin_port_are_no_exceptions() -> None:
    upstreams = parse_upstreams(["http://127.0.0.1:1", "local-*=http://localhost:9090"])
    with pytest.raises(SettingsError, match="is gauger itself"):
        await demand_others(upstreams, [Address("127.0.0.1", 8080), Address("127.0.0.1", 9090)])


@pytest.mark.parametrize(
    ("upstream", "listening"),
    [
        ("http://127.0.0.1:8081", "127.0.0.1"),
        ("http://127.0.0.2:8080", "127.0.0.1"),
        ("http://192.0.2.1:8080", "0.0.0.0"),  # noqa: S104  # nothing listens
        ("http://127.0.0.1:8080", "::"),
        ("http://nobody.invalid:8080", "127.0.0.1"),
    ],
)
async def test_another_server_is_no_ring(upstream: str, listening: str) -> None:
    settings = Settings(policies=Path("policies"), upstream=upstream, secret=b"s")
    await demand_others(upstreams_of(settings), [Address(listening, 8080)])
