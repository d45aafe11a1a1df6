"""Which upstream and which key: one decision, for both."""

from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.exchange import Route
from gateway.proxy.intake import NO_KEY, UpstreamKey
from gateway.proxy.selection import EXTENSION, THE_ONE, Selection, the_only_one
from tests.proxy.stage import QUESTION, Caller, answering, stage

OPENAI, ANTHROPIC = UpstreamKey("sk-openai"), UpstreamKey("sk-anthropic")


def select(dialect: str, model: str | None) -> Selection:
    if model == "local":
        return Selection("local", NO_KEY)
    return Selection(dialect, ANTHROPIC if dialect == "anthropic" else OPENAI)


def test_the_only_one_takes_everything() -> None:
    assert the_only_one()("openai", None) == Selection(THE_ONE, None)
    assert the_only_one(OPENAI)("gemini", "m") == Selection(THE_ONE, OPENAI)


async def test_the_key_is_that_of_the_upstream_which_the_scope_names() -> None:
    for path, name, credential in (
        ("/v1/chat/completions", "openai", (b"authorization", b"Bearer sk-openai")),
        ("/v1/messages", "anthropic", (b"x-api-key", b"sk-anthropic")),
    ):
        on = stage(answering(), select=select)
        await Caller(on.gateway, path=path).run()
        (scope,) = on.model.scopes
        assert scope["extensions"] == {EXTENSION: name}
        assert credential in scope["headers"]
        assert b"sk-caller" not in repr(scope["headers"]).encode()
        await on.rest()
        assert on.finished.upstream == name


async def test_an_upstream_without_a_key_among_others_is_shown_none() -> None:
    on = stage(answering(), select=select)
    await Caller(on.gateway, body={**QUESTION, "model": "local"}).run()
    (scope,) = on.model.scopes
    assert scope["extensions"] == {EXTENSION: "local"}
    assert {b"authorization", b"x-api-key"}.isdisjoint(name for name, _ in scope["headers"])
    await on.rest()


async def test_what_a_caller_writes_beside_the_model_selects_nothing() -> None:
    on = stage(answering(), select=select)
    await Caller(
        on.gateway,
        body={**QUESTION, "upstream": "anthropic"},
        more_headers=[(b"x-gauger-upstream", b"anthropic"), (b"anthropic-version", b"1")],
    ).run()
    assert on.model.scopes[0]["extensions"] == {EXTENSION: "openai"}
    await on.rest()


async def test_a_model_in_the_path_selects_as_one_in_the_body() -> None:
    route = Route("embed", "POST", "/v1/models/{model}:embed", generates=False)
    on = stage(answering(), select=select, routes=(DeclaredRoute("openai", route),))
    caller = await Caller(on.gateway, path="/v1/models/local:embed", body={}).run()
    assert caller.status == 200
    assert on.model.scopes[0]["extensions"] == {EXTENSION: "local"}
    await on.rest()
