"""CEL inside a behaviour: over the facts of one exchange, and over the measures of a rule.

Both are type-checked when they are read. In a condition over measures all numbers are numbers with
decimals, whatever they count: `accounts >= 25` needs no `25.0`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cel_expr_python import cel

from gateway.facts.behaviour_facts import ALL_FACTS, USAGE
from gateway.facts.catalog import Fact
from gateway.policy.cel_tree import Node, NodeKind, tree
from gateway.policy.cel_wording import (
    MATCHES,
    Fault,
    compile_faults,
    fact_of_an_exchange,
    result,
    unhelpful_result,
)
from gateway.policy.predicate import CHARACTERS, ConditionFaults, cel_type, pattern_faults
from gateway.source.wording import allowed_words, shown

REMEMBERED = 1_024

MATCHES_DECLARED = cel.FunctionDecl(
    MATCHES, [cel.Overload("prompt_matches", cel.Type.BOOL, [cel.Type.STRING], is_member=False)]
)
VARIABLES = {fact.name: cel_type(fact.type) for fact in ALL_FACTS.values()}
_EXCHANGES = cel.NewEnv(variables=VARIABLES, functions=[MATCHES_DECLARED])

BOOL, TEXT, INT, DOUBLE = cel.Type.BOOL, cel.Type.STRING, cel.Type.INT, cel.Type.DOUBLE


@dataclass(frozen=True, slots=True)
class ListNamed:
    """A list that `prompt.matches` names, and where."""

    id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Expression:
    """Sound CEL over the facts of one exchange."""

    text: str
    type: cel.Type = field(compare=False, repr=False)
    facts: tuple[Fact, ...] = field(compare=False, repr=False)
    """Those that it names, each once."""
    lists: tuple[ListNamed, ...] = field(compare=False, repr=False)
    root: Node = field(compare=False, repr=False)

    @property
    def after_answer(self) -> bool:
        return any(fact.name.startswith(f"{USAGE}.") for fact in self.facts)


@lru_cache(REMEMBERED)
def expression(text: str) -> Expression:
    """Of any type. Raises `ConditionFaults`."""
    _demand_legible(text)
    root, gives = _checked(text, _EXCHANGES)
    faults = [*pattern_faults(root), *_list_faults(root)]
    facts = {
        node.name: ALL_FACTS[node.name]
        for node in root.walk()
        if node.kind is NodeKind.NAME and node.name in ALL_FACTS
    }
    lists = tuple(
        ListNamed(str(call.children[0].constant), call.children[0].offset)
        for call in _matches(root)
    )
    if not facts and not lists:
        faults.append((0, "This names no fact, so it is the same for every exchange."))
    if faults:
        raise ConditionFaults(faults)
    return Expression(text, gives, tuple(facts.values()), lists, root)


def exchange_condition(text: str) -> Expression:
    """One that is true or false, and known when a request comes. Raises `ConditionFaults`."""
    found = expression(text)
    if found.type != BOOL:
        raise ConditionFaults([(0, unhelpful_result(found.type.name()))])
    if found.after_answer:
        raise ConditionFaults(_late(found))
    return found


def _late(found: Expression) -> Iterator[Fault]:
    for node in found.root.walk():
        if node.kind is NodeKind.NAME and node.name.startswith(f"{USAGE}."):
            message = (
                f"{shown(node.name)} is known only after the answer, and this is asked when a "
                "request comes. Use it in a measure."
            )
            yield found.text.rfind(USAGE, 0, node.offset), message  # CEL points at the dot


@dataclass(frozen=True, slots=True)
class MeasureText:
    """A sound condition over measures."""

    text: str
    decimal: str
    """The same with all numbers as CEL wants them: `accounts >= 25.0`."""
    root: Node = field(compare=False, repr=False)
    """Of `decimal`."""
    named: tuple[str, ...] = ()
    """Measures that it names, each once."""


def measure_condition(text: str, names: Iterable[str]) -> MeasureText:
    """`names` are those of the rule's measures. Raises `ConditionFaults`, located in `text`."""
    _demand_legible(text)
    names = list(names)
    decimal, added = _decimal(text)

    def unknown(name: str) -> str:
        known = allowed_words(name, names) if names else "The rule has none."
        return f"{shown(name)} is not a measure of this rule. {known}"

    try:
        root = _truth(decimal, names, unknown)
    except ConditionFaults as wrong:
        raise ConditionFaults(
            [(_back(offset, added, text), message) for offset, message in wrong.faults]
        ) from None
    named = dict.fromkeys(node.name for node in root.walk() if node.kind is NodeKind.NAME)
    return MeasureText(text, decimal, root, tuple(name for name in named if name in names))


def _truth(decimal: str, names: Iterable[str], unknown: Callable[[str], str]) -> Node:
    root, gives = _checked(decimal, measures_environment(names), unknown)
    if gives != BOOL:
        message = (
            f'"when" is true or false; this gives {result(gives.name())}. Compare it with '
            "something: accounts >= 25."
        )
        raise ConditionFaults([(0, message)])
    return root


def measures_environment(names: Iterable[str]) -> cel.Env:
    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DOUBLE))


def _demand_legible(text: str) -> None:
    if len(text) > CHARACTERS:
        raise ConditionFaults(
            [(0, f"This has {len(text):,} characters. Write at most {CHARACTERS:,}.")]
        )


def _checked(
    text: str, env: cel.Env, unknown: Callable[[str], str] = fact_of_an_exchange
) -> tuple[Node, cel.Type]:
    try:
        compiled = env.compile(text)
    except (RuntimeError, TypeError) as error:  # TypeError: half a character
        raise ConditionFaults(compile_faults(text, str(error), unknown)) from None
    return tree(compiled.serialize()), compiled.return_type()


def _matches(root: Node) -> Iterator[Node]:
    return (node for node in root.walk() if node.kind is NodeKind.CALL and node.name == MATCHES)


def _list_faults(root: Node) -> Iterator[Fault]:
    for call in _matches(root):
        named = call.children[0]
        if not isinstance(named.constant, str):
            yield named.offset, "prompt.matches() takes the id of a list in quotes."


_NUMBERS = re.compile(
    r"""
    "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | //[^\n]* |
    (?<![\w.]) (?P<whole>\d+) (?![\w.])
    """,
    re.VERBOSE,
)


def _decimal(text: str) -> tuple[str, list[int]]:
    """With `.0` behind every whole number, and where in the result that was added."""
    parts: list[str] = []
    added: list[int] = []
    at = length = 0
    for match in _NUMBERS.finditer(text):
        if match["whole"] is not None:
            parts += [text[at : match.end()], ".0"]
            length += match.end() - at
            added.append(length)
            length += 2
            at = match.end()
    return "".join([*parts, text[at:]]), added


def _back(offset: int, added: list[int], text: str) -> int:
    """Where in the text as it was written."""
    before = sum(min(2, offset - at) for at in added if at < offset)
    return min(offset - before, len(text))
