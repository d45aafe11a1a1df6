"""What is read of a request before it is judged, and what of it is forwarded after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.decision.responses import Obligations
from gateway.facts.catalog import Facts
from gateway.facts.dialects.degraded import degraded
from gateway.facts.dialects.port import Dialect, Headers
from gateway.facts.dialects.request_fields import demand_known_case
from gateway.facts.dialects.route_table import Match
from gateway.facts.exchange import Ask, Route, in_session
from gateway.facts.json_text import dump, parse_object
from gateway.facts.principal import Principal
from gateway.facts.prompt_traits import NO_TRAITS, PromptTraits
from gateway.proxy.asgi import Receive, Scope
from gateway.proxy.body import read_body, read_no_body
from gateway.proxy.request_headers import IDENTITY, WITH_CREDENTIAL, RequestHeaders

BODILESS = frozenset(("GET", "HEAD", "DELETE", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class UpstreamKey:
    """The operator's own key for the model API, in the place of the callers'. Its repr is safe."""

    key: str = field(repr=False)


NO_KEY = UpstreamKey("")
"""In the callers' place, too: this upstream is shown no credential at all."""


@dataclass(frozen=True, slots=True)
class Intake:
    """A request that can be judged, and what to forward if it is allowed."""

    facts: Facts
    body: bytes = field(repr=False)
    """The very bytes that were read, or the dialect's amended object."""
    fields: Mapping[str, Any] | None = field(default=None, repr=False)
    """The object that is forwarded; None where the body is none."""

    def under(self, obligations: Obligations) -> "Intake":
        """With so much less in it as a response of the ladder leaves."""
        if self.fields is None or not obligations.changes_request:
            return self
        facts = self.facts
        if not facts.route.generates:
            return self
        fields, ask = degraded(
            facts.route.name,
            self.fields,
            facts.ask,
            max_tokens=obligations.max_tokens,
            choices=obligations.choices,
            strip=obligations.strip,
        )
        return Intake(replace(facts, ask=ask), dump(fields), fields)


async def receive_body(
    receive: Receive, headers: RequestHeaders, route: Route, *, cap_bytes: int
) -> bytes:
    """All of it; empty where the method takes none. Raises a `CallerError`, or `ClientLeft`."""
    if route.method in BODILESS:
        await read_no_body(receive, declared_bytes=headers.declared_bytes)
        return b""
    if not route.opaque_body:
        headers.demand_json()
    return await read_body(receive, cap_bytes=cap_bytes, declared_bytes=headers.declared_bytes)


ReadPrompt = Callable[[Mapping[str, object]], PromptTraits]


def take_in(  # noqa: PLR0917  all that is known when a body is complete
    body: bytes,
    match: Match,
    principal: Principal,
    headers: RequestHeaders,
    at_us: int,
    read_prompt: ReadPrompt = lambda _: NO_TRAITS,
) -> Intake:
    """Raises `MalformedRequest`."""
    dialect, route, session = match.dialect, match.route, headers.session()

    def facts(ask: Ask, prompt: PromptTraits = NO_TRAITS) -> Facts:
        asked = in_session(ask, session)
        return Facts(principal, route, dialect.name, asked, at_us, headers.user_agent, prompt)

    if route.method in BODILESS:
        return Intake(facts(dialect.read_ask(route, {}, 0, match.path_model)), b"")
    if route.opaque_body:
        return Intake(facts(dialect.read_ask(route, {}, len(body), match.path_model)), body)
    fields = parse_object(body)
    demand_known_case(fields)
    ask = dialect.read_ask(route, fields, len(body), match.path_model)
    amended = dialect.amend(route, fields, ask)
    prompt = read_prompt(fields) if route.generates else NO_TRAITS
    if amended is None:
        return Intake(facts(ask, prompt), body, fields)
    return Intake(facts(ask, prompt), dump(amended), amended)


def upstream_scope(
    scope: Scope,
    path: str,
    query_string: bytes,
    headers: Headers,
    extensions: Mapping[str, str],
) -> Scope:
    """The matched request and nothing else.

    No extension of the server's is among it: by some of them an app could send past us.
    """
    forwarded: Scope = {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": scope.get("http_version", "1.1"),
        "method": scope["method"],
        "scheme": scope.get("scheme", "http"),
        "path": path,
        "raw_path": path.encode(),
        "query_string": query_string,
        "root_path": scope.get("root_path", ""),
        "headers": headers,
        "extensions": dict(extensions),
        "client": scope.get("client"),
        "server": scope.get("server"),
    }
    if "state" in scope:
        forwarded["state"] = scope["state"]
    return forwarded


def tagged(headers: Headers, obligations: Obligations, ours: frozenset[str]) -> Headers:
    """`ours` are headers that only policies may set: what a caller sent under such a name goes."""
    if not ours:
        return headers
    names = {name.encode() for name in ours}
    kept = [pair for pair in headers if pair[0] not in names]
    if obligations.header is not None:
        kept.append((obligations.header.lower().encode(), obligations.rung.encode()))
    return kept


def upstream_headers(
    headers: RequestHeaders,
    dialect: Dialect,
    upstream_key: UpstreamKey | None,
    request_id: str,
    trace_headers: Headers,
    *,
    own_name: bytes,
) -> Headers:
    """Ours are written last, so that nothing of the caller's stands beside them."""
    if upstream_key is None:
        credentials = headers.credentials
        forwarded = headers.forwarded
    else:
        credentials = [] if upstream_key is NO_KEY else dialect.credential_headers(upstream_key.key)
        forwarded = [pair for pair in headers.forwarded if pair[0] not in WITH_CREDENTIAL]
    via = b", ".join((*headers.via, own_name))
    own = [IDENTITY, (b"via", via), (b"x-request-id", request_id.encode()), *trace_headers]
    return [*forwarded, *credentials, *own]
