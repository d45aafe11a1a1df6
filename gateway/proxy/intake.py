"""What is read of a request before it is judged, and what of it is forwarded after."""

from dataclasses import dataclass, field

from gateway.facts.catalog import Facts
from gateway.facts.dialects.port import Dialect, Headers
from gateway.facts.exchange import Route
from gateway.facts.json_text import dump, parse_object
from gateway.facts.principal import Principal
from gateway.proxy.asgi import Receive, Scope
from gateway.proxy.body import read_body, read_no_body
from gateway.proxy.request_headers import IDENTITY, WITH_CREDENTIAL, RequestHeaders

BODILESS = frozenset(("GET", "HEAD", "DELETE", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class UpstreamKey:
    """The operator's own key for the model API, in the place of the callers'. Its repr is safe."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Intake:
    """A request that can be judged, and what to forward if it is allowed."""

    facts: Facts
    body: bytes = field(repr=False)
    """The very bytes that were read, or the dialect's amended object."""


async def receive_body(
    receive: Receive, headers: RequestHeaders, route: Route, *, cap_bytes: int
) -> bytes:
    """All of it; empty where the method takes none. Raises a `CallerError`, or `ClientLeft`."""
    if route.method in BODILESS:
        await read_no_body(receive, declared_bytes=headers.declared_bytes)
        return b""
    headers.demand_json()
    return await read_body(receive, cap_bytes=cap_bytes, declared_bytes=headers.declared_bytes)


def take_in(body: bytes, dialect: Dialect, route: Route, principal: Principal) -> Intake:
    """Raises `MalformedRequest`."""
    if route.method in BODILESS:
        return Intake(Facts(principal, route, dialect.name, dialect.read_ask(route, {}, 0)), b"")
    fields = parse_object(body)
    ask = dialect.read_ask(route, fields, len(body))
    amended = dialect.amend(route, fields, ask)
    facts = Facts(principal, route, dialect.name, ask)
    return Intake(facts, body if amended is None else dump(amended))


def upstream_scope(
    scope: Scope,
    route: Route,
    query_string: bytes,
    headers: Headers,
) -> Scope:
    """The matched request and nothing else: no extension by which an app could send past us."""
    forwarded: Scope = {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": scope.get("http_version", "1.1"),
        "method": route.method,
        "scheme": scope.get("scheme", "http"),
        "path": route.path,
        "raw_path": route.path.encode(),
        "query_string": query_string,
        "root_path": scope.get("root_path", ""),
        "headers": headers,
        "client": scope.get("client"),
        "server": scope.get("server"),
    }
    if "state" in scope:
        forwarded["state"] = scope["state"]
    return forwarded


def upstream_headers(
    headers: RequestHeaders,
    dialect: Dialect,
    upstream_key: UpstreamKey | None,
    request_id: str,
    trace_headers: Headers,
) -> Headers:
    """Ours are written last, so that nothing of the caller's stands beside them."""
    if upstream_key is None:
        credentials = headers.credentials
        forwarded = headers.forwarded
    else:
        credentials = dialect.credential_headers(upstream_key.key)
        forwarded = [pair for pair in headers.forwarded if pair[0] not in WITH_CREDENTIAL]
    own = [IDENTITY, (b"x-request-id", request_id.encode()), *trace_headers]
    return [*forwarded, *credentials, *own]
