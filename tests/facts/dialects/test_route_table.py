"""What is listed is served; everything else is refused in the dialect of the caller."""

import pytest

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.exchange import RouteName

NONE: Headers = []
BEARER: Headers = [(b"authorization", b"Bearer sk")]
VERSION: Headers = [(b"host", b"h"), (b"anthropic-version", b"2023-06-01")]
API_KEY: Headers = [(b"x-api-key", b"sk")]


@pytest.mark.parametrize(
    ("method", "path", "headers", "dialect", "route"),
    [
        ("POST", "/v1/chat/completions", BEARER, "openai", RouteName.CHAT),
        ("POST", "/v1/chat/completions", API_KEY, "openai", RouteName.CHAT),
        ("POST", "/v1/messages", API_KEY, "anthropic", RouteName.MESSAGES),
        ("POST", "/v1/messages", BEARER, "anthropic", RouteName.MESSAGES),
        ("POST", "/v1/messages/count_tokens", NONE, "anthropic", RouteName.COUNT_TOKENS),
        ("GET", "/v1/models", BEARER, "openai", RouteName.MODELS),
        ("GET", "/v1/models", NONE, "openai", RouteName.MODELS),
        ("GET", "/v1/models", VERSION, "anthropic", RouteName.MODELS),
        ("GET", "/v1/models", API_KEY, "anthropic", RouteName.MODELS),
    ],
)
def test_a_listed_route_is_found(
    method: str, path: str, headers: Headers, dialect: str, route: RouteName
) -> None:
    match = BUILT_IN.find(method, path, headers)
    assert match.dialect.name == dialect
    assert (match.route.name, match.route.method, match.route.path) == (route, method, path)
    assert match.path_model is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/Chat/Completions",
        "/v1/chat/%63ompletions",
        "/v1/models/%67pt",
        "/v1/batchesx",
        "/completion",
        "/admin",
        "/" * 100_000,
    ],
)
def test_any_other_path_is_unknown_and_not_repeated(path: str) -> None:
    with pytest.raises(UnknownRoute) as refused:
        BUILT_IN.find("POST", path, NONE)
    assert refused.value.message.startswith(
        "This path is not served. Served are: POST /v1/chat/completions, "
    )


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("post", "/v1/chat/completions", "POST"),
        ("OPTIONS", "/v1/messages", "POST"),
        ("HEAD", "/v1/models", "GET"),
        ("DELETE", "/v1/models", "GET"),
        ("SECRET", "/v1/messages/count_tokens", "POST"),
    ],
)
def test_another_method_is_told_which_is_allowed(method: str, path: str, allowed: str) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        BUILT_IN.find(method, path, NONE)
    assert refused.value.allowed == allowed
    assert refused.value.message == f"{path} does not take this method; allowed is {allowed}."


@pytest.mark.parametrize(
    ("headers", "dialect"), [(BEARER, "openai"), (VERSION, "anthropic"), (API_KEY, "anthropic")]
)
def test_a_model_in_the_path_is_told(headers: Headers, dialect: str) -> None:
    match = BUILT_IN.find("GET", "/v1/models/ft:gpt-4:org", headers)
    assert match.dialect.name == dialect
    assert (match.route.name, match.path_model) == (RouteName.MODELS, "ft:gpt-4:org")
    assert match.dialect.read_ask(match.route, {}, 0, match.path_model).model == "ft:gpt-4:org"


def test_a_method_that_a_varying_path_does_not_take_repeats_no_word_of_it() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        BUILT_IN.find("DELETE", "/v1/models/secret", NONE)
    assert refused.value.message == (
        "/v1/models/{model} does not take this method; allowed is GET."
    )


@pytest.mark.parametrize(
    ("path", "headers", "dialect"),
    [
        ("/v1/messages", NONE, "anthropic"),
        ("/v1/messages/batches", NONE, "anthropic"),
        ("/v1/messages/count_tokens", BEARER, "anthropic"),
        ("/v1/messagesabc", NONE, "openai"),
        ("/v1/unknown", NONE, "openai"),
        ("/v1/unknown", BEARER, "openai"),
        ("/v1/unknown", VERSION, "anthropic"),
        ("/v1/unknown", API_KEY, "anthropic"),
        ("/v1/chat/completions", VERSION, "openai"),
        ("/v1/files", VERSION, "anthropic"),
        ("/v1/files", BEARER, "openai"),
        ("/v1/batches", VERSION, "openai"),
    ],
)
def test_an_error_is_worded_in_the_callers_dialect(
    path: str, headers: Headers, dialect: str
) -> None:
    assert BUILT_IN.dialect_for(path, headers).name == dialect


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/v1/messages/", "/v1/messages"),
        ("/v1/models/m/", "/v1/models/{model}"),
    ],
)
def test_a_slash_too_many_is_named(path: str, served: str) -> None:
    with pytest.raises(UnknownRoute, match="slash too many") as refused:
        BUILT_IN.find("POST", path, NONE)
    assert str(refused.value).endswith(f"served is {served}.")
