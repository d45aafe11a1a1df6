"""Paths of routes, of which a part may vary: `/v1beta/models/{model}:generateContent`.

What varies is one whole word of a segment and never a way to another path: no slash, no escape, and
it begins with a letter or digit, so no dot segment. Before a verb it has no colon, since a server
that cuts at the first colon and one that cuts at the last would call two different methods.
"""

import re
from functools import cached_property

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")

_WORD = "[A-Za-z0-9][A-Za-z0-9._:@-]{0,255}"
_WORD_BEFORE_VERB = _WORD.replace(":", "")

MODEL = "model"
"""The place that names a model; the others only vary."""


class RoutePattern:
    """The path of a route, ready to be compared."""

    def __init__(self, written: str) -> None:
        self.written = written

    @cached_property
    def varies(self) -> bool:
        return _PLACE.search(self.written) is not None

    def match(self, path: str) -> re.Match[str] | None:
        return self._pattern.fullmatch(path)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pattern = ""
        at = 0
        for place in _PLACE.finditer(self.written):
            pattern += re.escape(self.written[at : place.start()])
            at = place.end()
            word = _WORD_BEFORE_VERB if self.written[at:].startswith(":") else _WORD
            pattern += f"(?P<{place[1]}>{word})"
        return re.compile(pattern + re.escape(self.written[at:]))


def named_model(match: re.Match[str]) -> str | None:
    """What stands in the place of the model, where the route has one."""
    return match.groupdict().get(MODEL)
