import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.exchange import Route
from gateway.proxy.route_path import canonical_path, canonical_query, demand_query, raw_path


@pytest.mark.parametrize("path", [b"/", b"/v1/models", b"/v1/", b"/v1/models/a%20b", b"/a.b/..c"])
def test_a_plain_path_is_what_it_is(path: bytes) -> None:
    assert canonical_path(path) == path.decode()


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"*",
        b"v1/models",
        b"http://host/v1/models",
        b"host:443",
        b"/v1/%00",
        b"/v1/%0a",
        b"/v1/%7f",
        b"/v1/\n",
        b"/v1/\x00",
        b"/v1\\models",
        b"/v1%5cmodels",
        b"/v1%5Cmodels",
        b"/v1/%2e%2e/admin",
        b"/v1/%2E%2E/admin",
        b"/v1/../admin",
        b"/v1/./models",
        b"/v1/..",
        b"/v1/.",
        b"/v1%2fmodels",
        b"/v1%2Fmodels",
        b"//v1/models",
        b"/v1//models",
        b"/v1/models;a=b",
        b"/v1/models%3ba",
        b"/v1/models%3Fa",
        b"/v1/models#a",
        b"/v1/models%23a",
        b"/v1/%252e%252e/admin",
        b"/v1/m%c3%b6dels",
        b"/v1/m\xc3\xb6dels",
        b"/v1/%zz",
        b"/v1/%2",
        b"/v1/a b",
        b'/v1/"',
    ],
)
def test_a_path_with_two_meanings_is_refused(path: bytes) -> None:
    with pytest.raises(MalformedRequest) as refused:
        canonical_path(path)
    assert "admin" not in refused.value.message


@given(st.binary(max_size=30))
def test_what_is_accepted_is_forwarded_byte_by_byte(path: bytes) -> None:
    try:
        accepted = canonical_path(b"/" + path)
    except MalformedRequest:
        return
    assert accepted.encode() == b"/" + path


def test_a_plain_query_goes_on() -> None:
    assert canonical_query(b"beta=true&after=x%20y") == b"beta=true&after=x%20y"


@pytest.mark.parametrize("query", [b"a b", b"a=\xc3", b"a=\n", b"a#b"])
def test_a_query_that_is_not_plain_is_refused(query: bytes) -> None:
    with pytest.raises(MalformedRequest):
        canonical_query(query)


@pytest.mark.parametrize(
    "query",
    [
        b"key=sk-1",
        b"alt=sse&key=sk-1",
        b"KEY=sk-1",
        b"$key=sk-1",
        b"%6bey=sk-1",
        b"%24key=sk-1",
        b"key",
        b"api_key=sk-1",
        b"api-key=sk-1",
        b"access_token=sk-1",
    ],
)
def test_a_key_in_the_query_is_refused_and_its_header_is_named(query: bytes) -> None:
    with pytest.raises(MalformedRequest, match="x-goog-api-key") as refused:
        canonical_query(query)
    assert refused.value.field
    assert "sk-1" not in refused.value.message


def test_a_key_may_stand_in_a_value() -> None:
    assert canonical_query(b"order=key&pageToken=key%3D") == b"order=key&pageToken=key%3D"


OPEN = Route("open", "GET", "/open", generates=False)
CLOSED = Route("closed", "GET", "/closed", generates=False, query=())
SOME = Route("some", "GET", "/some", generates=False, query=("alt=json", "pageSize"))
EVENTS = Route("events", "POST", "/e", generates=True, query=("v",), demanded_query="alt=sse")


@pytest.mark.parametrize(
    ("route", "query"),
    [
        (OPEN, b""),
        (OPEN, b"anything=1&at&all"),
        (CLOSED, b""),
        (CLOSED, b"&&"),
        (SOME, b""),
        (SOME, b"alt=json&pageSize=7"),
        (EVENTS, b"alt=sse"),
        (EVENTS, b"v=1&alt=sse"),
    ],
)
def test_what_a_route_takes_goes_on(route: Route, query: bytes) -> None:
    demand_query(route, query)


@pytest.mark.parametrize(
    ("route", "query", "named"),
    [
        (CLOSED, b"secret=1", "allowed: none"),
        (SOME, b"secret=1", "allowed: alt=json, pageSize"),
        (SOME, b"alt=secret", "allowed: alt=json, pageSize"),
        (SOME, b"alt=json&secret", "allowed: alt=json, pageSize"),
        (SOME, b"page%53ize=7", "allowed: alt=json, pageSize"),
        (EVENTS, b"", r"served with \?alt=sse"),
        (EVENTS, b"v=1", r"served with \?alt=sse"),
        (EVENTS, b"alt=secret", r"served with \?alt=sse"),
        (EVENTS, b"alt=sse&alt=secret", "allowed: v, alt=sse"),
    ],
)
def test_what_a_route_does_not_take_is_refused_and_not_repeated(
    route: Route, query: bytes, named: str
) -> None:
    with pytest.raises(MalformedRequest, match=named) as refused:
        demand_query(route, query)
    assert "secret" not in refused.value.message


def test_a_server_that_tells_only_the_decoded_path_is_believed_as_far_as_it_is_plain() -> None:
    assert raw_path({"path": "/x", "raw_path": b"/v1/%6d"}) == b"/v1/%6d"
    assert raw_path({"path": "/v1/models"}) == b"/v1/models"
    for decoded in ("/v1/\ud800", "/v1/\u00e9", "/v1/../admin", "/v1/a\nb"):
        with pytest.raises(MalformedRequest):
            canonical_path(raw_path({"path": decoded}))
