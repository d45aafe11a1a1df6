"""Which dialect and route a request belongs to. What is not listed here is not forwarded.

Paths match byte for byte: another case, a trailing slash or an encoded letter is another path, and
there is none.
"""

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.anthropic import MESSAGES, Anthropic
from gateway.facts.dialects.openai import OpenAI
from gateway.facts.dialects.port import Dialect, Headers
from gateway.facts.exchange import Route

OPENAI: Dialect = OpenAI()
ANTHROPIC: Dialect = Anthropic()
DIALECTS = (OPENAI, ANTHROPIC)

_ANTHROPIC_HEADERS = frozenset({b"anthropic-version", b"x-api-key"})

_OWNERS = {
    path: [dialect for dialect in DIALECTS if any(route.path == path for route in dialect.routes)]
    for path in {route.path for dialect in DIALECTS for route in dialect.routes}
}

_SERVED = ", ".join(
    dict.fromkeys(f"{route.method} {route.path}" for d in DIALECTS for route in d.routes)
)


def find_route(method: str, path: str, headers: Headers) -> tuple[Dialect, Route]:
    """Raises `UnknownRoute` and `MethodNotAllowed`, whose messages repeat nothing of the path."""
    if path not in _OWNERS:
        raise UnknownRoute(f"This path is not served. Served are: {_SERVED}.")
    dialect = dialect_for(path, headers)
    allowed = {route.method: route for route in dialect.routes if route.path == path}
    if method not in allowed:
        methods = ", ".join(allowed)
        raise MethodNotAllowed(
            f"{path} does not take this method; allowed is {methods}.", allowed=methods
        )
    return dialect, allowed[method]


def dialect_for(path: str, headers: Headers) -> Dialect:
    """In which dialect to answer, also where there is no route.

    A path of one dialect alone is answered in that one, whatever the headers say; the headers
    decide where the path does not.
    """
    owners = _OWNERS.get(path, ())
    if len(owners) == 1:
        return owners[0]
    if path.startswith(MESSAGES.path + "/"):
        return ANTHROPIC
    named = any(name in _ANTHROPIC_HEADERS for name, _ in headers)
    return ANTHROPIC if named else OPENAI
