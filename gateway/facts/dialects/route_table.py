"""Which dialect and route a request belongs to. What is not in the table is not forwarded.

Paths match byte for byte: another case, a trailing slash or an encoded letter is another path, and
there is none. Routes that an operator declared come after those that gauger knows by itself, so
that no declaration can take a metered path away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.port import Dialect, Headers
from gateway.facts.dialects.route_pattern import RoutePattern, named_model
from gateway.facts.dialects.unmetered import unmetered
from gateway.facts.exchange import Route

_BY_HEADER: Mapping[bytes, str] = {
    b"anthropic-version": "anthropic",
    b"x-api-key": "anthropic",
    b"x-goog-api-key": "gemini",
    b"x-goog-api-client": "gemini",
}
_OTHERWISE = "openai"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a request goes."""

    dialect: Dialect
    route: Route
    path_model: str | None = None
    """The model that the path names, where it is the path's to name it."""


class RouteTable:
    """Immutable: a reload makes another one."""

    def __init__(self, built_in: Sequence[Dialect], declared: Sequence[Dialect] = ()) -> None:
        self._spoken: dict[str, Dialect] = {}
        for dialect in built_in:
            self._spoken.setdefault(dialect.name, dialect)
        self._tiers = (_Tier(built_in), _Tier(declared))
        self._by_name = {
            (dialect.name, route.name): Match(dialect, route)
            for dialect in (*declared, *built_in)
            for route in reversed(dialect.routes)
        }
        self._served = ", ".join(
            dict.fromkeys(
                f"{route.method} {route.path}"
                for dialect in (*built_in, *declared)
                for route in dialect.routes
            )
        )

    def find(self, method: str, path: str, headers: Headers) -> Match:
        """Raises `UnknownRoute` and `MethodNotAllowed`, whose messages repeat nothing of the path.

        Where two dialects share a path, the headers tell which one the caller speaks.
        """
        others: list[Match] = []
        for tier in self._tiers:
            found = [match for match in tier.at(path) if match.route.method == method]
            if found:
                spoken = self._named_by(headers)
                return next((match for match in found if match.dialect.name == spoken), found[0])
            others += tier.at(path)
        # after a colon may stand a verb that no route has, and no part of a model's name
        others = [match for match in others if ":" in match.route.path or ":" not in path]
        if others:
            methods = ", ".join(dict.fromkeys(match.route.method for match in others))
            raise MethodNotAllowed(
                f"{others[0].route.path} does not take this method; allowed is {methods}.",
                allowed=methods,
            )
        if path.endswith("/") and ":" not in path:
            for served in (match for tier in self._tiers for match in tier.at(path[:-1])):
                raise UnknownRoute(
                    f"This path has a slash too many at its end; served is {served.route.path}."
                )
        known = unmetered(path)
        if known is not None:
            raise UnknownRoute(known.message)
        raise UnknownRoute(f"This path is not served. Served are: {self._served}.")

    def named(self, dialect: str, route: str) -> Match | None:
        """By their names, for whoever has no path: a recording."""
        return self._by_name.get((dialect, route))

    def dialect_for(self, path: str, headers: Headers) -> Dialect:
        """In which dialect to answer, also where there is no route.

        A path of one dialect alone is answered in that one, whatever the headers say; the headers
        decide where the path does not.
        """
        owners = {match.dialect.name for tier in self._tiers for match in tier.at(path)}
        if not owners and (known := unmetered(path)):
            owners.update(known.dialects)
        owners &= self._spoken.keys()
        return self._spoken[owners.pop() if len(owners) == 1 else self._named_by(headers)]

    def _named_by(self, headers: Headers) -> str:
        named = next((_BY_HEADER[name] for name, _ in headers if name in _BY_HEADER), _OTHERWISE)
        return named if named in self._spoken else _OTHERWISE


class _Tier:
    """Routes of one precedence: whole paths first, then those that vary, each in their order."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._whole: dict[str, list[Match]] = {}
        self._varying: list[tuple[RoutePattern, Match]] = []
        for dialect in dialects:
            for route in dialect.routes:
                path, match = RoutePattern(route.path), Match(dialect, route)
                if path.varies:
                    self._varying.append((path, match))
                else:
                    self._whole.setdefault(route.path, []).append(match)

    def at(self, path: str) -> Sequence[Match]:
        return self._whole.get(path) or list(self._match(path))

    def _match(self, path: str) -> Iterator[Match]:
        for pattern, match in self._varying:
            if found := pattern.match(path):
                yield Match(match.dialect, match.route, named_model(found))
