"""A record becomes what admission judges, by the same routes and dialects as a live request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import Struct

from gateway.errors import CallerError, MalformedRequest
from gateway.facts import client_session
from gateway.facts.caller_fault import by_caller
from gateway.facts.catalog import Facts
from gateway.facts.dialects.port import Dialect, Headers
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.dialects.route_table import Match, RouteTable
from gateway.facts.exchange import in_session
from gateway.facts.fingerprint import Fingerprints
from gateway.facts.phrases import PhraseLists
from gateway.facts.principal import Principal
from gateway.facts.prompt_traits import NO_TRAITS
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.behaviour import Behaviours
from gateway.replay.carried import CarriedFacts
from gateway.replay.principals import Principals, UnusableRecord
from gateway.replay.record import Record

REMEMBERED = 8_192
"""Combinations of path and headers. They repeat, and a caller can make up endlessly many."""

FINGERPRINT_KEY = b"a replay shares its fingerprints with nobody"

_USER_AGENT_BYTES = 256
_NO_BODY: Mapping[str, Any] = {}
_KINDS = frozenset(RefusalKind)
_NO_ROUTE = Refusal(RefusalKind.UNKNOWN_ROUTE, "These policies serve no such route.")
_decode_body = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class Addressed:
    """What method, path and headers tell."""

    dialect: Dialect
    match: Match | Refusal
    """A refusal: there is no such route."""
    user_agent: str | None
    session: str | None = None


class Taken(Struct, frozen=True):
    """A record as it comes before the policies."""

    dialect: Dialect
    """In which an answer is worded."""
    asked: Facts | Refusal
    """A refusal: live, too, no policy would have seen this request."""


class Intake:
    """For one replay: it remembers what repeats."""

    def __init__(self, routes: RouteTable = BUILT_IN) -> None:
        self._routes = routes
        self.versions: dict[str, RouteTable] = {}
        """By the digest of policies: those that were in force when a recording was made."""
        self._addressed: dict[tuple[object, ...], Addressed] = {}
        self.principals = Principals()
        self._lists: dict[str, tuple[str, ...]] = {}
        self._fingerprints: Fingerprints | None = None

    def read_prompts(self, behaviours: Behaviours) -> None:
        """From now on, since somebody's behaviour policies look at them."""
        if behaviours:
            self._lists |= {one.id: one.phrases for one in behaviours.lists.values()}
            self._fingerprints = Fingerprints(FINGERPRINT_KEY, PhraseLists(self._lists))

    def take(self, record: Record, at_us: int) -> Taken:
        """Raises `UnusableRecord`."""
        principal = self.principals.of(record.account, record.attributes)
        if record.rejected in _KINDS:
            dialect = self._routes.dialect_for(record.path, [])
            return Taken(dialect, Refusal(RefusalKind(record.rejected), ""))
        if record.facts:
            return self._as_carried(record, principal)
        addressed = self._address(record)
        dialect, match = addressed.dialect, addressed.match
        if isinstance(match, Refusal):
            return Taken(dialect, match)
        try:
            body = _NO_BODY if match.route.opaque_body else _body(record)
            ask = dialect.read_ask(match.route, body, len(record.body), match.path_model)
        except CallerError as error:
            return Taken(dialect, by_caller(error))
        ask = in_session(ask, addressed.session)
        prompt = NO_TRAITS
        if self._fingerprints is not None and match.route.generates:
            prompt = self._fingerprints.of(body)
        facts = Facts(
            principal, match.route, dialect.name, ask, at_us, addressed.user_agent, prompt
        )
        return Taken(dialect, facts)

    def _as_carried(self, record: Record, principal: Principal) -> Taken:
        """What was read of a body that was not kept."""
        try:
            carried = CarriedFacts(record.facts)
        except msgspec.DecodeError as error:
            raise UnusableRecord(f'"facts" is not what gauger writes: {error}.') from None
        routes = self._routes
        if record.decision is not None:
            routes = self.versions.get(record.decision.policies, routes)
        match = routes.named(carried.dialect, carried.route)
        if match is None:
            return Taken(routes.dialect_for("", []), _NO_ROUTE)
        if carried.attributes is not None:
            account = replace(principal.account, attributes=carried.attributes)
            principal = replace(principal, account=account)
        return Taken(match.dialect, carried.facts(principal, match.route))

    def _address(self, record: Record) -> Addressed:
        key = (record.method, record.path, *record.headers.items())
        found = self._addressed.get(key)
        if found is None:
            if len(self._addressed) >= REMEMBERED:
                self._addressed.clear()
            found = self._addressed[key] = self._look_up(record)
        return found

    def _look_up(self, record: Record) -> Addressed:
        headers: Headers = [
            (name.lower().encode(errors="replace"), value.encode(errors="replace"))
            for name, value in record.headers.items()
        ]
        user_agent = _user_agent(headers)
        path = record.path.partition("?")[0]
        try:
            match = self._routes.find(record.method, path, headers)
            session = client_session.in_headers(dict(reversed(headers)))
        except CallerError as error:
            dialect = self._routes.dialect_for(path, headers)
            return Addressed(dialect, by_caller(error), user_agent)
        return Addressed(match.dialect, match, user_agent, session)


def _user_agent(headers: Headers) -> str | None:
    """Cut and checked as live."""
    value = next((value for name, value in headers if name == b"user-agent"), b"")
    text = value[:_USER_AGENT_BYTES].decode(errors="replace")
    return text if text and text.isascii() and text.isprintable() else None


def _body(record: Record) -> Mapping[str, Any]:
    """Raises `MalformedRequest`."""
    if not record.body:
        return _NO_BODY
    try:
        return _decode_body(record.body)
    except msgspec.DecodeError:
        raise MalformedRequest("The body must be a JSON object.") from None
