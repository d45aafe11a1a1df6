"""Routes that an operator declares, beside those that gauger knows by itself.

Without a declaration an endpoint that gauger cannot meter is refused. Declaring one says how it is
counted; nothing that gauger meters by itself can be declared anew.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from gateway.errors import MethodNotAllowed, UnknownRoute
from gateway.facts.dialects.declared import DeclaredRoute
from gateway.facts.dialects.registry import BUILT_IN
from gateway.facts.exchange import Route, RouteName
from gateway.policy.rate import NotUnderstood
from gateway.source.model import Written
from gateway.source.wording import kind, shown
from gateway.source.yaml_text import Path

PATH_CHARACTERS = 200
NAME_CHARACTERS = 64

_WORD = r"[A-Za-z0-9][A-Za-z0-9._~-]*"
_PLACE = r"\{[a-z][a-z0-9_]{0,31}\}"
_PATH = re.compile(rf"(?:/(?:{_WORD}|{_PLACE})(?::{_WORD})?)+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _path(value: object) -> str:
    if not isinstance(value, str):
        raise NotUnderstood(f'"path" must be text, not {kind(value)}.')
    if len(value) > PATH_CHARACTERS or _PATH.fullmatch(value) is None:
        raise NotUnderstood(
            f"{shown(f'path: {value}')} is not a path of a route. Write plain segments, and for "
            "what varies a word in braces: /v1/audio/transcriptions, /v1/files/{file}/content. A "
            "model in the path is {model}."
        )
    places = re.findall(_PLACE, value)
    if len(set(places)) < len(places):
        raise NotUnderstood(f"{shown(f'path: {value}')} has one word in braces twice. Name both.")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > NAME_CHARACTERS or not _NAME.fullmatch(value):
        raise NotUnderstood(
            f'"name" must be a-z, 0-9, hyphens and underscores, beginning with a letter or digit, '
            f"at most {NAME_CHARACTERS} characters."
        )
    if value in set(RouteName):
        raise NotUnderstood(
            f"{shown(f'name: {value}')} is the name of a route of gauger's own, and rules about "
            "that would mean this one, too. Choose another."
        )
    return value


class RouteRule(Written):
    """A path that is forwarded, and how it is counted."""

    path: Annotated[
        str,
        PlainValidator(_path),
        WithJsonSchema({"type": "string", "pattern": f"^{_PATH.pattern}$"}),
        Field(
            description="As it comes and is forwarded: /v1/audio/transcriptions. What varies is a "
            "word in braces for one segment: /v1/files/{file}/content; {model} is the model."
        ),
    ]
    method: Annotated[
        Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        Field(description="The one method of it: GET, POST, PUT, PATCH, DELETE."),
    ] = "POST"
    name: Annotated[
        str,
        PlainValidator(_name),
        WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"}),
        Field(
            description="What rules and metrics call it (request.route): transcriptions. Several "
            "routes may share one."
        ),
    ]
    dialect: Annotated[
        Literal["openai", "anthropic", "gemini"],
        Field(description="In whose form errors are written, and usage is read."),
    ] = "openai"
    meter: Annotated[
        Literal["requests", "usage"],
        Field(
            description="requests: only requests and what is in flight count. usage: tokens too, "
            "as the answer reports them where the dialect has them, JSON or events."
        ),
    ]
    body: Annotated[
        Literal["json", "opaque"],
        Field(
            description="json: an object, of which the model is read. opaque: anything (multipart "
            "forms, audio), passed on unread; the size is bounded all the same."
        ),
    ] = "json"

    @property
    def declared(self) -> DeclaredRoute:
        route = Route(
            self.name,
            self.method,
            self.path,
            generates=self.meter == "usage",
            opaque_body=self.body == "opaque",
        )
        return DeclaredRoute(self.dialect, route)


def route_faults(
    rules: Sequence[RouteRule], earlier: Sequence[DeclaredRoute]
) -> Iterator[tuple[Path, str]]:
    """What no rule shows alone: the same route twice, or one that gauger serves by itself.

    `earlier` are those of other files.
    """
    taken = {_identity(each.route.method, each.route.path) for each in earlier}
    for at, rule in enumerate(rules):
        identity = _identity(rule.method, rule.path)
        if identity in taken:
            yield (at, "path"), f"{rule.method} {rule.path} is declared twice. Keep one."
        elif _built_in(rule):
            yield (
                (at, "path"),
                f"gauger serves and meters {rule.method} {rule.path} by itself. Delete this route.",
            )
        taken.add(identity)


def _identity(method: str, path: str) -> tuple[str, str]:
    """How the words in braces are called makes no difference."""
    return method, re.sub(_PLACE, "{}", path)


def _built_in(rule: RouteRule) -> bool:
    """Whatever stands in braces, the built-in route would come first."""
    try:
        BUILT_IN.find(rule.method, re.sub(_PLACE, "x", rule.path), [])
    except (UnknownRoute, MethodNotAllowed):
        return False
    return True
