"""One line of `measure:`, read: `share(request.stream) over 200 requests`.

What is inside the brackets is CEL over the facts of one exchange; for some functions it is fixed,
and for `zscore` it may be the name of another measure of the rule.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.facts.behaviour_facts import SKETCH
from gateway.policy.behaviour import DAY_US, Function, Measure, Over, WindowUnit
from gateway.policy.behaviour_expression import BOOL, ListNamed, expression
from gateway.policy.cel_wording import Fault, result
from gateway.policy.measure_functions import TAKES, Takes
from gateway.policy.predicate import ConditionFaults
from gateway.policy.quota import SECOND_US
from gateway.policy.rate import NotUnderstood, duration_us
from gateway.source.wording import allowed_words, shown

MIN_WINDOW_US = 60 * SECOND_US
MAX_WINDOW_US = 30 * DAY_US
MIN_REQUESTS, MAX_REQUESTS = 8, 100_000
"""A window is kept in eight slices."""

WITHOUT_WINDOW = Over(WindowUnit.TIME, 7 * DAY_US)

_FLAGGED = (Function.ACCOUNTS, Function.SHARE_OF_ACCOUNTS)
_CALL = re.compile(r"\s*([A-Za-z_][\w-]*)\s*\(")
_TOKEN = re.compile(r"""(?xs) "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | //[^\n]* | [()]""")
_OVER = re.compile(r"\s*over\b\s*")
_REQUESTS = re.compile(r"([0-9]{1,9}) requests?")


class MeasureFaults(ValueError):
    """All that is wrong with a measure, by places in its text."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(message for _, message in self.faults))


@dataclass(frozen=True, slots=True)
class ReadMeasure:
    measure: Measure
    lists: tuple[ListNamed, ...] = ()


def measure(name: str, text: str, others: Mapping[str, str]) -> ReadMeasure:
    """`others`: the texts of all measures of the rule. Raises `MeasureFaults`."""
    parts = _parts(text)
    takes = TAKES[parts.function]
    faults: list[Fault] = []
    over = WITHOUT_WINDOW
    written: str | None = None
    lists: tuple[ListNamed, ...] = ()
    late = False
    try:
        over = _over(parts, takes)
    except MeasureFaults as wrong:
        faults += wrong.faults
    try:
        written, lists, late = _argument(name, parts, takes, others)
    except (MeasureFaults, ConditionFaults) as wrong:
        at = parts.argument_at if isinstance(wrong, ConditionFaults) else 0
        faults += [(offset + at, message) for offset, message in wrong.faults]
    if faults:
        raise MeasureFaults(sorted(faults))
    return ReadMeasure(Measure(name, parts.function, over, written, late), lists)


@dataclass(frozen=True, slots=True)
class _Parts:
    function: Function
    function_at: int
    argument: str
    argument_at: int
    over: str | None
    over_at: int
    """Where the window stands; where it is missing if `over` is None."""


def _parts(text: str) -> _Parts:
    call = _CALL.match(text)
    if call is None:
        raise _wrong(
            text,
            0,
            f"{shown(text.strip())} is not a measure. Write a function, what it is of, and over "
            "how long: share(request.tools > 0) over 200 requests.",
        )
    word = call[1]
    if word not in tuple(Function):
        raise MeasureFaults(
            [
                (
                    call.start(1),
                    f"{shown(word)} is not a function of measures. {allowed_words(word, Function)}",
                )
            ]
        )
    function = Function(word)
    end = _closing(text, call.end())
    if end is None:
        message = "This bracket is not closed. " + _example(function)
        raise MeasureFaults([(call.end() - 1, message)])
    rest = text[end + 1 :]
    over = _OVER.match(rest)
    if over is None and rest.strip():
        at = end + 1 + len(rest) - len(rest.lstrip())
        message = (
            f'{shown(rest.strip())} cannot stand here. Write "over": {TAKES[function].example}.'
        )
        raise MeasureFaults([(at, message)])
    window = rest[over.end() :].strip() if over else None
    return _Parts(
        function,
        call.start(1),
        text[call.end() : end],
        call.end(),
        window,
        end + 1 + (over.end() if over else 0),
    )


def _closing(text: str, start: int) -> int | None:
    """Where the bracket closes that was opened before `start`."""
    depth = 1
    for match in _TOKEN.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if not depth:
            return match.start()
    return None


def _over(parts: _Parts, takes: Takes) -> Over:
    if not parts.over:
        if parts.over is None and takes.windowless:
            return WITHOUT_WINDOW
        raise MeasureFaults(
            [(parts.over_at, f'"over" is missing: over how long? {_example(parts.function)}')]
        )
    if match := _REQUESTS.fullmatch(" ".join(parts.over.split())):
        requests = int(match[1])
        if not takes.requests:
            message = f"{parts.function}() is over a time: 48h, 7d. {_example(parts.function)}"
            raise MeasureFaults([(parts.over_at, message)])
        if not MIN_REQUESTS <= requests <= MAX_REQUESTS:
            message = (
                f"{shown(parts.over)} is out of bounds. Write {MIN_REQUESTS} to {MAX_REQUESTS:,} "
                "requests."
            )
            raise MeasureFaults([(parts.over_at, message)])
        return Over(WindowUnit.REQUESTS, requests)
    try:
        window_us = duration_us(parts.over)
    except NotUnderstood:
        either = "a duration or a number of requests" if takes.requests else "a duration"
        message = f"{shown(parts.over)} is not {either}. {_example(parts.function)}"
        raise MeasureFaults([(parts.over_at, message)]) from None
    if not MIN_WINDOW_US <= window_us <= MAX_WINDOW_US:
        message = f"{shown(parts.over)} is out of bounds. Write 1m to 30d."
        raise MeasureFaults([(parts.over_at, message)])
    return Over(WindowUnit.TIME, window_us)


_Argument = tuple[str | None, tuple[ListNamed, ...], bool]
"""The text, the lists that it names, and whether it is known after the answer."""


def _argument(name: str, parts: _Parts, takes: Takes, others: Mapping[str, str]) -> _Argument:
    text = " ".join(parts.argument.split()) if takes.fixed else parts.argument.strip()
    if takes.nothing or (takes.optional and not text):
        if text:
            raise _misplaced(parts, f"{parts.function}() takes nothing: leave the brackets empty.")
        return None, (), False
    if not text:
        message = f"{parts.function}() takes {takes.what}. {_example(parts.function)}"
        raise MeasureFaults([(parts.argument_at, message)])
    if takes.fixed:
        if text != takes.fixed:
            raise _misplaced(
                parts, f"{parts.function}() takes {takes.fixed}. {_example(parts.function)}"
            )
        return text, (), False
    if parts.function is Function.ZSCORE and text in others:
        return _of_another(name, text, parts, others), (), False
    if text == SKETCH:
        raise _misplaced(
            parts,
            f"{shown(SKETCH)} has no value of its own: only exchangeability, cohesion, pooled and "
            "kinship are of it.",
        )
    if parts.function is Function.ZSCORE and text.isidentifier():
        names = allowed_words(text, [one for one in others if one != name])
        raise _misplaced(parts, f"{shown(text)} is not a measure of this rule. {names}")
    return _in_cel(text, parts, takes)


def _in_cel(text: str, parts: _Parts, takes: Takes) -> _Argument:
    found = expression(parts.argument)
    if found.type not in takes.types:
        gives = "true or false" if found.type == BOOL else result(found.type.name())
        message = (
            f"{parts.function}() takes {takes.what}; this gives {gives}. {_example(parts.function)}"
        )
        raise _misplaced(parts, message)
    if found.after_answer and not takes.late:
        late = [one.value for one in Function if TAKES[one].late]
        message = (
            f"usage.* is known after the answer, and {parts.function}() is recorded before. Such "
            f"facts can be in {', '.join(late)}."
        )
        raise _misplaced(parts, message)
    lists = tuple(ListNamed(one.id, one.offset + parts.argument_at) for one in found.lists)
    return text, lists, found.after_answer


def _of_another(name: str, other: str, parts: _Parts, others: Mapping[str, str]) -> str:
    """The condition of the measure that is named."""
    try:
        found = measure(other, others[other], {}) if other != name else None
    except MeasureFaults:
        found = None  # it is told where it stands
        return other
    named = None if found is None else found.measure
    if named is None or named.function not in _FLAGGED or named.expression is None:
        raise _misplaced(
            parts,
            f"{shown(other)} is no measure of accounts with a condition. Name one, or write the "
            "condition: zscore(account.age_days < 7) over 48h.",
        )
    return named.expression


def _misplaced(parts: _Parts, message: str) -> MeasureFaults:
    at = parts.argument_at + len(parts.argument) - len(parts.argument.lstrip())
    return MeasureFaults([(at, message)])


def _wrong(text: str, at: int, message: str) -> MeasureFaults:
    return MeasureFaults([(at + len(text) - len(text.lstrip()), message)])


def _example(function: Function) -> str:
    return f"Write for example {TAKES[function].example}."
