"""What is wrong with something an operator wrote, and exactly where.

A problem says what was found, what is allowed, the nearest word, and what to do. All problems of
all files are collected and raised together, so that nobody mends a file one error at a time.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from gateway.errors import OperatorError

EXCERPT_CHARACTERS = 200
"""A longer line is cut: an excerpt is for eyes. Past it nothing is excerpted."""

PROBLEMS_SHOWN = 100
"""Of one file. Whoever has more has one mistake a hundred times, or the wrong file."""

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One located fault. `line` and `column` count from 1, in characters."""

    file: str
    line: int
    column: int
    message: str
    excerpt: str = ""
    """The line itself, printable, for a caret under `column`; empty if it may hold a secret."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Problems(OperatorError):
    """Everything that is wrong, sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def first_of(problems: Iterable[Problem]) -> list[Problem]:
    """Of one file's problems the first, and whether there are more."""
    ordered = sorted(problems)
    if len(ordered) <= PROBLEMS_SHOWN:
        return ordered
    more = replace(ordered[PROBLEMS_SHOWN], message="More problems follow. Mend those above first.")
    return [*ordered[:PROBLEMS_SHOWN], more]


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text, counted from 0."""

    line: int
    column: int


START = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """A text with its name: makes problems whose position lies inside it.

    `secret` is for files in which somebody may put a key by mistake: nothing of such a text is
    repeated, neither as an excerpt nor in a message.
    """

    file: str
    text: str
    secret: bool = False
    lines: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lines = _LINE_BREAK.split(self.text)
        if len(lines) > 1 and not lines[-1]:
            lines.pop()  # what follows the last line break is no line
        object.__setattr__(self, "lines", tuple(lines))

    def problem(self, place: Place, message: str) -> Problem:
        """A parser points behind the end of a file when something is missing there."""
        line = min(place.line, len(self.lines) - 1)
        text = self.lines[line]
        column = min(place.column, len(text)) if line == place.line else len(text)
        return Problem(self.file, line + 1, column + 1, message, self._excerpt(text, column))

    def _excerpt(self, line: str, column: int) -> str:
        if self.secret or column >= EXCERPT_CHARACTERS:
            return ""
        return printable(line[:EXCERPT_CHARACTERS]).rstrip()


def printable(text: str) -> str:
    """One column for each character, and none that a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\ufffd" for c in text)
