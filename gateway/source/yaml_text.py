"""A strict reader of YAML: documents of plain values, and where each of those stands.

It listens to the events of libyaml's parser (PyYAML's C reader) and builds the values itself, since
every trap lies in the building: an alias bomb has expanded, a duplicate key has vanished and
`no` has become false before anybody who asks for the finished value can see it.

Refused: anchors, aliases, tags, merge keys, directives, duplicate keys, tabs in the indentation,
control characters, depth over 16, more than 1 MiB; and, unless it is asked for, a second document.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

import yaml

from gateway.source.problems import PROBLEMS_SHOWN, START, Place, Problem, Source
from gateway.source.scalars import Scalar, scalar
from gateway.source.wording import kind, shown

MAX_BYTES = 1 << 20
"""A thousand rules take a quarter of it. A ConfigMap in Kubernetes ends here, too."""

MAX_DEPTH = 16
"""The deepest thing that the language has is six deep."""

Value = Scalar | list["Value"] | dict[str, "Value"]
Path = tuple[str | int, ...]

_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids, byte order marks, and what ends a line in YAML 1.1 but not in 1.2."""
_TAB_INDENT = re.compile(r" *\t")

_EXPLAINED = {
    "mapping values are not allowed": 'A second ": " in one line. Put the text in quotes, or begin '
    "a new line.",
    "did not find expected key": "This line does not belong to the mapping before it. Check its "
    "indentation, and that every line is `key: value`.",
    "did not find expected '-' indicator": 'An entry of this list must begin with "- ". Check the '
    "indentation.",
    "could not find expected ':'": 'A key without ": " and a value. Check the line and the one '
    "before it.",
    "cannot start any token": "A value cannot begin with this character. Put it in quotes.",
    "unexpected end of stream": "The file ends inside a quoted text. Close the quotes.",
    "did not find expected ',' or ']'": "This list in brackets is not closed. Add ] or a comma.",
    "did not find expected ',' or '}'": "This mapping in braces is not closed. Add } or a comma.",
    "did not find expected node content": "A value is missing here.",
    "escape character": "An unknown escape in a double-quoted text. Write \\\\ for a backslash, or "
    "use single quotes.",
    "maximum nesting depth": f"Nested more than {MAX_DEPTH} deep. Nothing here needs that.",
    "block sequence entries are not allowed": 'A list cannot begin here. Put "- " on a new line.',
}


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a file, the places of all keys and values, and what is wrong as YAML."""

    source: Source
    value: Value
    keys: Mapping[Path, Place]
    values: Mapping[Path, Place]
    refused: frozenset[Path]
    """Values that are already the subject of a problem; what they hold means nothing."""
    problems: tuple[Problem, ...]
    complete: bool
    """Read to the end. Otherwise `value` is None and only `problems` mean anything."""

    def value_place(self, path: Path) -> Place:
        """Of the value, or of the nearest mapping or list around it that was written."""
        return _nearest(self.values, path)

    def key_place(self, path: Path) -> Place:
        """Of the key; of the entry, in a list."""
        return self.keys.get(path) or self.value_place(path)


def read(file: str, text: str, *, secret: bool = False) -> Document:
    """Never raises: what is wrong is in the document's `problems`.

    `secret`: see `Source`.
    """
    source = Source(file, text, secret)
    return _unread(source) or _Reader(source, _events(source)).only_document()


def read_each(file: str, text: str) -> tuple[Document, ...]:
    """Of a file in which `---` parts several documents. Never raises, and there is at least one.

    Places are those of the whole file. Behind what cannot be understood nothing is read.
    """
    source = Source(file, text)
    if unread := _unread(source):
        return (unread,)
    events = _events(source)
    documents = [_Reader(source, events).next_document()]
    with suppress(_End):
        while documents[-1].complete:
            documents.append(_Reader(source, events, first=False).next_document())
    return tuple(documents)


def _events(source: Source) -> Iterator[yaml.Event]:
    return iter(yaml.parse(source.text, Loader=yaml.CSafeLoader))


def _unread(source: Source) -> Document | None:
    """What must not reach the parser at all, as a document that holds only problems."""
    problems = _unreadable(source)
    if not problems:
        return None
    return Document(source, None, {}, {}, frozenset(), tuple(problems), complete=False)


def _nearest(places: Mapping[Path, Place], path: Path) -> Place:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, START)


def _unreadable(source: Source) -> list[Problem]:
    size = len(source.text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        return [source.problem(START, too_large(size))]
    return list(islice(_unreadable_characters(source), PROBLEMS_SHOWN + 1))


def _unreadable_characters(source: Source) -> Iterator[Problem]:
    for number, line in enumerate(source.lines):
        for match in _FORBIDDEN.finditer(line):
            place = Place(number, match.start())
            yield source.problem(place, _forbidden_character(match.group()))
        if indent := _TAB_INDENT.match(line):
            place = Place(number, indent.end() - 1)
            yield source.problem(place, "A tab in the indentation. Indent with spaces.")


def too_large(size_bytes: int) -> str:
    return (
        f"The file has {size_bytes:,} bytes; at most {MAX_BYTES:,} are read. "
        "Split it into several files."
    )


def _forbidden_character(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == "\ufeff":
        return f"A byte order mark ({code}). Save the file as UTF-8 without one."
    return f"The character {code} is not allowed. Delete it, or write an escape in double quotes."


class _Stop(Exception):
    """What follows in the file cannot be understood."""


class _End(Exception):
    """There is no further document."""


@dataclass(slots=True)
class _Reader:
    """Of one document."""

    source: Source
    events: Iterator[yaml.Event]
    first: bool = True
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    refused: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def only_document(self) -> Document:
        return self._read(self._only)

    def next_document(self) -> Document:
        """Raises `_End` at the end of the file, unless it is the first."""
        return self._read(self._next)

    def _read(self, read: Callable[[], Value]) -> Document:
        try:
            value = read()
        except _Stop:
            return self._document(None, complete=False)
        except yaml.MarkedYAMLError as error:  # the others are about characters: none came so far
            mark = error.problem_mark
            place = Place(mark.line, mark.column) if mark else START
            message = _explained(error.problem or "not YAML")
            self.problems.append(self.source.problem(place, message))
            return self._document(None, complete=False)
        return self._document(value, complete=True)

    def _document(self, value: Value, *, complete: bool) -> Document:
        return Document(
            self.source,
            value,
            self.keys,
            self.values,
            frozenset(self.refused),
            tuple(self.problems),
            complete,
        )

    def _only(self) -> Value:
        value = self._next()
        event = next(self.events)
        if isinstance(event, yaml.DocumentStartEvent):
            self._add(
                _place(event), "A second document begins here. Put it into a file of its own."
            )
        return value

    def _next(self) -> Value:
        if self.first:
            next(self.events)  # the stream's own start
        event = next(self.events)
        if not isinstance(event, yaml.DocumentStartEvent):
            if not self.first:
                raise _End
            self._add(START, "The file holds nothing. Write something into it, or delete it.")
            raise _Stop
        if event.version or event.tags:
            self._add(START, "A % directive is not allowed. Delete the line.")
        value = self._value(next(self.events), self.events, ())
        next(self.events)  # the document's end
        return value

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Value:
        place = _place(event)
        self.values[path] = place
        self._properties(event, path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.AliasEvent):
            return None
        if len(path) >= MAX_DEPTH:
            self._add(place, f"Nested more than {MAX_DEPTH} deep. Nothing here needs that.")
            raise _Stop
        if isinstance(event, yaml.SequenceStartEvent):
            entries: list[Value] = []
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                entries.append(self._value(event, events, (*path, len(entries))))
            return entries
        return self._mapping(events, path)

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> Value:
        mapping: dict[str, Value] = {}
        unusable = 0
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, path)
            if key is not None and key not in mapping:
                at = (*path, key)
                self.keys[at] = _place(event)
                mapping[key] = self._value(next(events), events, at)
                if mapping[key] is None:
                    self.values[at] = self.keys[at]  # nothing is written there: the key is
                continue
            if key is not None:
                first = self.keys[(*path, key)].line + 1
                self._add(
                    _place(event),
                    f"{self._shown(key)} is written twice; first in line {first}. Keep one.",
                )
            unusable += 1
            self._value(next(events), events, (*path, -unusable))
        return mapping

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> str | None:
        """None if it cannot be one, which is then a problem."""
        aside = (*path, 0)
        self._properties(event, aside)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, aside)
            if event.value == "<<" and event.implicit[0]:
                self._add(_place(event), "Merge keys (<<) are not allowed. Write the keys out.")
            elif isinstance(value, str):
                return value
            elif aside not in self.refused:
                self._add(
                    _place(event),
                    f"A key must be text; this is {self._kind(value)}. Put it in quotes.",
                )
        elif not isinstance(event, yaml.AliasEvent):
            self._add(_place(event), "A key must be text; this is a list or a mapping.")
            self._value(event, events, aside)
        self.refused.discard(aside)
        return None

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Scalar:
        if not event.implicit[0]:
            return str(event.value)
        try:
            return scalar(event.value)
        except ValueError as error:
            self._add(_place(event), f"Too long: {error}. Put it in quotes if it is text.")
            self.refused.add(path)
            return None

    def _properties(self, event: yaml.Event, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._add(_place(event), "Aliases (*name) are not allowed. Write the value out.")
            self.refused.add(path)
            return
        if getattr(event, "anchor", None) is not None:
            self._add(_place(event), "Anchors (&name) are not allowed. Delete it.")
        if getattr(event, "tag", None) is not None:
            self._add(_place(event), "Tags (!name) are not allowed. Delete it.")
            self.refused.add(path)

    def _add(self, place: Place, message: str) -> None:
        self.problems.append(self.source.problem(place, message))
        if len(self.problems) > PROBLEMS_SHOWN:
            raise _Stop

    def _shown(self, text: str) -> str:
        return "This key" if self.source.secret else shown(text)

    def _kind(self, value: Scalar) -> str:
        return "something else" if self.source.secret else kind(value)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line, mark.column) if mark else START  # it always has one, but for its type


def _explained(problem: str) -> str:
    """The parser's own words where we have none; they repeat nothing of the text."""
    for words, explanation in _EXPLAINED.items():
        if words in problem:
            return explanation
    return f"This is not YAML: {problem}."
