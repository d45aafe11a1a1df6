"""What is listed is served; everything else is refused in the dialect of the caller."""

import pytest

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.port import Headers
from gateway.facts.dialects.registry import dialect_for, find_route
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
    found, known = find_route(method, path, headers)
    assert found.name == dialect
    assert (known.name, known.method, known.path) == (route, method, path)
    assert known.generates is (route in {RouteName.CHAT, RouteName.MESSAGES})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/chat/completions/",
        "/v1/Chat/Completions",
        "/v1/chat/completions?x=1",
        "//v1/chat/completions",
        "/v1/chat/%63ompletions",
        "/v1/./models",
        "/v1/models/gpt",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/files",
        "/v1/batches",
        "/v1/images/generations",
        "/v1/messages/batches",
        "/v1/messages/",
        "/completion",
        "/admin",
    ],
)
def test_any_other_path_is_unknown_and_not_repeated(path: str) -> None:
    with pytest.raises(UnknownRoute) as refused:
        find_route("POST", path, NONE)
    assert refused.value.message == (
        "This path is not served. Served are: POST /v1/chat/completions, GET /v1/models, "
        "POST /v1/messages, POST /v1/messages/count_tokens."
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
        find_route(method, path, NONE)
    assert refused.value.allowed == allowed
    assert refused.value.message == f"{path} does not take this method; allowed is {allowed}."


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
    ],
)
def test_an_error_is_worded_in_the_callers_dialect(
    path: str, headers: Headers, dialect: str
) -> None:
    assert dialect_for(path, headers).name == dialect
