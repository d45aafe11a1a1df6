"""What is wrong with a behaviour although each of its values may stand alone."""

from collections.abc import Callable, Iterator
from functools import partial

from gateway.facts.behaviour_facts import PROMPT
from gateway.policy.behaviour import Function, Members
from gateway.policy.behaviour_document import BehaviourRule
from gateway.policy.behaviour_expression import (
    ListNamed,
    exchange_condition,
    measure_condition,
)
from gateway.policy.behaviour_values import MOST_GROUP_FACTS, measure_name_fault
from gateway.policy.faults import Fault
from gateway.policy.measure_functions import ACCOUNTS_ID, LIKENESS, TAKES
from gateway.policy.measure_text import MeasureFaults, ReadMeasure, measure
from gateway.policy.predicate import ConditionFaults
from gateway.source.wording import shown

ALONE = (ACCOUNTS_ID,)


def behaviour_faults(rule: BehaviourRule) -> Iterator[Fault]:
    """Of a rule whose values are sound."""
    yield from _group_faults(rule)
    yield from text_faults(rule)
    for read in _readable(rule):
        yield from _function_faults(rule, read)
    if rule.members is Members.ALIKE:
        yield from _alike_faults(rule)


def text_faults(rule: BehaviourRule) -> Iterator[Fault]:
    """Of the texts in CEL alone, so that they are told whatever else is wrong with the rule."""
    for name in rule.measure:
        fault = measure_name_fault(name)
        if fault is None:
            yield from _told(("measure", name), partial(_measured, name, rule))
        else:
            yield Fault(("measure", name), fault, at_key=True)
    names = [name for name in rule.measure if measure_name_fault(name) is None]
    if rule.when is not None:
        yield from _told(("when",), partial(measure_condition, rule.when, names))
    for key, condition in (("among", rule.among), ("applies", rule.applies)):
        if condition is not None:
            yield from _told((key,), partial(exchange_condition, condition))


def _measured(name: str, rule: BehaviourRule) -> ReadMeasure:
    return measure(name, rule.measure[name], rule.measure)


def _told(path: tuple[str, ...], check: Callable[[], object]) -> Iterator[Fault]:
    try:
        check()
    except (ConditionFaults, MeasureFaults) as wrong:
        for offset, message in wrong.faults:
            yield Fault(path, message, offset)


def lists_named(rule: BehaviourRule) -> Iterator[tuple[Fault, str]]:
    """Where a sound rule names a list: what to say if there is none of that id, and the id."""
    named: list[tuple[tuple[str, ...], ListNamed]] = []
    for read in _readable(rule):
        named += [(("measure", read.measure.name), one) for one in read.lists]
    for key, condition in (("among", rule.among), ("applies", rule.applies)):
        if condition is not None:
            named += [((key,), one) for one in exchange_condition(condition).lists]
    for path, one in named:
        yield Fault(path, f"{shown(one.id)} is no list of these policies.", one.offset), one.id


def _readable(rule: BehaviourRule) -> Iterator[ReadMeasure]:
    for name, text in rule.measure.items():
        try:
            yield measure(name, text, rule.measure)
        except MeasureFaults:
            continue


def _group_faults(rule: BehaviourRule) -> Iterator[Fault]:
    for at, name in enumerate(rule.group):
        if name in rule.group[:at]:
            message = '"group" says the same thing twice. Keep one of the two.'
            yield Fault(("group", at), message)
    if len(rule.group) > MOST_GROUP_FACTS:
        message = f"{len(rule.group)} facts are too many to share. The most is {MOST_GROUP_FACTS}."
        yield Fault(("group", MOST_GROUP_FACTS), message)
    if rule.group == ALONE:
        if rule.applies is not None:
            message = (
                '"applies" is for a rule about a group. To judge only some requests of an account, '
                'write "among".'
            )
            yield Fault(("applies",), message)
        if rule.members is not Members.ALL:
            message = '"members" is for a rule about a group, and this one is about each account.'
            yield Fault(("members",), message)
    elif ACCOUNTS_ID in rule.group:
        message = (
            "A group of what one account has in common with itself has one member. Leave account "
            "out, or write group: account alone."
        )
        yield Fault(("group", rule.group.index(ACCOUNTS_ID)), message)


def _function_faults(rule: BehaviourRule, read: ReadMeasure) -> Iterator[Fault]:
    one = read.measure
    path = ("measure", one.name)
    counts_accounts = one.function is Function.DISTINCT and one.expression == ACCOUNTS_ID
    if rule.group == ALONE and (TAKES[one.function].members or counts_accounts):
        message = (
            f"{one.function}() is about the accounts of a group, and this rule judges each account "
            'by itself. Write what they share: "group".'
        )
        yield Fault(path, message)
    if one.function in LIKENESS and any(name.startswith(f"{PROMPT}.") for name in rule.group):
        message = (
            f"{one.function}() says nothing of a group that shares its prompts. Use it with what "
            "prompts do not decide: payment, network, sdk."
        )
        yield Fault(path, message)


def _alike_faults(rule: BehaviourRule) -> Iterator[Fault]:
    functions = [read.measure.function for read in _readable(rule)]
    if rule.group != ALONE and not any(function in LIKENESS for function in functions):
        message = (
            '"members: alike" compares prompts, and nothing here measures how alike they are. Add '
            "for example cohesion(prompt.sketch) over 7d."
        )
        yield Fault(("members",), message)
