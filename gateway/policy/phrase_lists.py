"""Lists of phrases: in a policy file, or in a text file beside it with a phrase in each line.

    # what asks for the reasoning behind an answer
    step by step
    (show|explain) your reasoning

A phrase is a pattern of RE2, so it may be plain words. How a prompt is searched is in
`facts.phrases`.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import re2

from gateway.policy.rate import NotUnderstood
from gateway.source.problems import Place, Problem, Source
from gateway.source.wording import shown
from gateway.source.yaml_text import Document, read

SUFFIX = ".txt"
MOST_PHRASES = 5_000
PHRASE_CHARACTERS = 300


class Phrase(NamedTuple):
    text: str
    line: int
    """From 0."""


def beside(file: str, path: str) -> str:
    """The name of a list's file among the texts of a policy directory. Raises `NotUnderstood`."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or pure.suffix != SUFFIX:
        raise NotUnderstood(
            f"{shown(path)} is no list beside this file. Write the path of a {SUFFIX} file from "
            "here on, without ..: lists/elicitation.txt."
        )
    return (PurePosixPath(file).parent / pure).as_posix()


def named_in(file: str, text: str) -> Iterator[str]:
    """Names of the lists' files that a policy file names, as far as it can be read."""
    if "phrases" in text:
        for path in _paths(read(file, text)):
            try:
                yield beside(file, path)
            except NotUnderstood:
                continue  # it is told when the file is checked


def _paths(document: Document) -> Iterator[str]:
    whole = document.value
    lists = whole.get("lists") if isinstance(whole, dict) else None
    for entry in lists.values() if isinstance(lists, dict) else ():
        path = entry.get("phrases") if isinstance(entry, dict) else None
        if isinstance(path, str):
            yield path


def phrases_of(text: str) -> list[Phrase]:
    """Of a list's file: every line that is not empty and does not begin with #."""
    lines = [Phrase(line.strip(), at) for at, line in enumerate(text.splitlines())]
    return [one for one in lines if one.text and not one.text.startswith("#")]


def file_problems(name: str, text: str) -> Iterator[Problem]:
    source = Source(name, text)
    phrases = phrases_of(text)
    if not phrases or len(phrases) > MOST_PHRASES:
        yield source.problem(
            Place(0, 0),
            f"This list has {len(phrases):,} phrases. Write 1 to {MOST_PHRASES:,}, each in a line.",
        )
        return
    for one in phrases:
        fault = phrase_fault(one.text)
        if fault is not None:
            line = source.lines[one.line] if one.line < len(source.lines) else ""
            yield source.problem(Place(one.line, len(line) - len(line.lstrip())), fault)


def phrase_fault(text: str) -> str | None:
    if not text.strip() or len(text) > PHRASE_CHARACTERS:
        return f"A phrase has 1 to {PHRASE_CHARACTERS} characters; this one has {len(text)}."
    try:
        pattern = re2.compile(unicodedata.normalize("NFKC", text), _QUIET)  # as it is searched
    except (re2.error, UnicodeError) as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return (
            f"{shown(text)} is not a pattern: {why}. Patterns are those of RE2 "
            "(github.com/google/re2/wiki/Syntax); a backslash makes a sign a plain one: \\(."
        )
    if pattern.search("") is not None:
        return f"{shown(text)} matches every prompt. Write what must stand there."
    return None


_QUIET = re2.Options()
_QUIET.log_errors = False
