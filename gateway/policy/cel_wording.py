"""CEL's errors said anew, for people who write YAML and have never compiled anything."""

import re
from collections.abc import Callable, Iterable, Iterator

from gateway.facts.behaviour_facts import ALL_FACTS, ONLY_BEHAVIOURS
from gateway.facts.catalog import CATALOG
from gateway.source.wording import allowed_words, nearest, shown

Fault = tuple[int, str]
"""Where, in characters of the condition's text; what."""

_ERROR = re.compile(
    r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:([0-9]+):([0-9]+): (.*)$", re.MULTILINE
)
_UNDECLARED = re.compile(r"undeclared reference to '(.*)' \(in container")
_OVERLOAD = re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'")
_SYNTAX = re.compile(r"Syntax error: (?:mismatched|extraneous) input '(.*?)' expecting", re.DOTALL)
_UNREADABLE = re.compile(r"Syntax error: token recognition error at: '(.*)'?", re.DOTALL)

_TYPES = {
    "string": "text",
    "int": "a whole number",
    "double": "a number with decimals",
    "bool": "true or false",
    "list(string)": "a list of texts",
    "map(string, string)": "texts by name",
}
_RESULTS = {
    "string": "text",
    "int": "a whole number",
    "double": "a number",
}
_OPERATORS = {"_?_:_": "? :", "_[_]": "[ ]", "@in": "in"}
_WORDS = {"and": "&&", "or": "||", "not": "!"}
MATCHES = "prompt.matches"

FUNCTIONS = (
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "size",
    "exists",
    "all",
    "has",
    "int",
    "double",
    "string",
)
"""Those worth naming; CEL has more."""


def fact_of_a_request(name: str) -> str:
    """What to say of a name that is none in a quota's condition."""
    group = name.partition(".")[0]
    if name == MATCHES or group in ONLY_BEHAVIOURS:
        tells = ONLY_BEHAVIOURS.get(group, "what a prompt contains")
        return f"{shown(name)} tells {tells}: only behaviours can name it."
    return f"{shown(name)} is not a fact. {_known_facts(name, CATALOG)}"


def fact_of_an_exchange(name: str) -> str:
    """The same in an expression of a behaviour."""
    return f"{shown(name)} is not a fact. {_known_facts(name, ALL_FACTS)}"


def compile_faults(
    text: str, error: str, unknown: Callable[[str], str] = fact_of_a_request
) -> Iterator[Fault]:
    """Where nothing can be read, what follows means nothing: only the first is told."""
    found = list(_ERROR.finditer(error))
    if not found:
        deep = "recursion limit" in error
        why = "is nested too deep for anybody to read" if deep else "cannot be read"
        yield 0, f"This condition {why}. Make it simpler, or two rules of it."
    for match in found:
        line, column, message = int(match[1]), int(match[2]), match[3]
        offset = _offset(text, line, column)
        yield _said_anew(text, offset, message, unknown)
        if message.startswith("Syntax error"):
            return


def result(cel_type: str) -> str:
    """What an expression of this type gives."""
    return _RESULTS.get(cel_type.lower(), "something else")


def unhelpful_result(cel_type: str) -> str:
    """For a condition that is neither true nor false."""
    gives = result(cel_type)
    return (
        f"A condition is true or false; this one gives {gives}. Compare it with something, as in "
        'request.model == "small". (Facts always have a value; has() is for what stands in '
        "account.attributes.)"
    )


def _offset(text: str, line: int, column: int) -> int:
    before = text.split("\n")[: line - 1]
    return min(sum(len(one) + 1 for one in before) + column - 1, len(text))


def _said_anew(text: str, offset: int, message: str, unknown: Callable[[str], str]) -> Fault:
    if match := _UNDECLARED.search(message):
        return _unknown(text, offset, match[1], unknown)
    if match := _OVERLOAD.search(message):
        return offset, _mismatch(match[1], match[2])
    if match := _SYNTAX.search(message):
        return offset, _unexpected(text, offset, match[1])
    if match := _UNREADABLE.search(message):
        return offset, _unreadable(text[offset : offset + 1], text[offset + 1 : offset + 2])
    return offset, f"CEL says: {message.removesuffix(' [INVALID_ARGUMENT]')}."


def _unknown(text: str, offset: int, name: str, said: Callable[[str], str]) -> Fault:
    """CEL points at a dot or a bracket inside or behind the name."""
    group, dot, _ = name.partition(".")
    start = text.rfind(group, 0, offset + 1)
    if not dot and start >= 0 and text[start + len(name) :].lstrip().startswith("("):
        return start, f"{shown(name)} is not a function here, or not with these values. " + (
            allowed_words(name, FUNCTIONS)
        )
    place = start if start >= 0 else max(offset, text.find(name, offset))
    if name in _WORDS:
        return place, f"{shown(name)} is written {_WORDS[name]} here."
    return place, said(name)


def _known_facts(name: str, known: Iterable[str]) -> str:
    """Those of one group if that exists; the nearest by its full or its last word."""
    known = list(known)
    group = name.partition(".")[0]
    of_group = [fact for fact in known if fact.startswith(group + ".")]
    if of_group:
        return allowed_words(name, of_group)
    by_short = {fact.rpartition(".")[2]: fact for fact in known}
    near = nearest(name, known) or by_short.get(nearest(name, by_short) or "")
    guess = f' Did you mean "{near}"?' if near else ""
    *groups, last = dict.fromkeys(fact.partition(".")[0] for fact in known)
    return f"Facts begin with {', '.join(groups)} or {last}: request.model.{guess}"


def _mismatch(function: str, types: str) -> str:
    operator = "_" in (function[0], function[-1])
    named = _OPERATORS.get(function) or (function.strip("_") if operator else f"{function}()")
    what = " and ".join(_TYPES.get(one, one) for one in re.split(r", (?![^(]*\))", types))
    hint = ""
    if {"int", "double"} <= set(types.split(", ")):
        hint = " A number with decimals is written 1.0, a whole one 1."
    elif "string" in types:
        hint = ' Text stands in quotes, numbers do not: "5" is text.'
    return f"{shown(named)} cannot be applied to {what}.{hint}"


def _unexpected(text: str, offset: int, found: str) -> str:
    if found == "<EOF>":
        return "The condition ends too early: something is missing here."
    before = text[:offset].split()
    for word in (found, before[-1] if before else ""):
        if word in _WORDS:
            return f"{shown(word)} is written {_WORDS[word]} here."
    return f"{shown(found)} cannot stand here. Join conditions with && or ||."


def _unreadable(character: str, following: str) -> str:
    if character == "=" and following != "=":
        return 'A single "=" means nothing here. Compare with ==.'
    if character in ("'", '"'):
        return (
            "This text is not closed, or holds an escape that does not exist. \\\\ is a backslash."
        )
    if character in ("\u201c", "\u201d", "\u2018", "\u2019"):
        return 'Put text into straight quotes: "...".'
    return f"{shown(character)} cannot stand in a condition."
