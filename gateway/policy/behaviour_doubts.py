"""What is legal in behaviours but surely not meant. `gauger check` warns of it."""

from collections.abc import Iterable, Iterator, Sequence

from gateway.policy.behaviour import Rung, Score
from gateway.policy.behaviour_compile import measures
from gateway.policy.behaviour_document import BehaviourRule
from gateway.policy.behaviour_expression import MeasureText, measure_condition
from gateway.policy.behaviour_faults import ALONE
from gateway.policy.faults import Fault
from gateway.policy.ladder_document import ExemptionEntry, ResponseEntry
from gateway.policy.measure_ranges import can_be, ranges
from gateway.source.wording import shown


def behaviour_doubts(rule: BehaviourRule) -> Iterator[Fault]:
    """Of one rule without faults."""
    if not rule.why:
        yield Fault(
            (), f'{shown(rule.id)} has no "why". Add one sentence for whoever reads the trace.'
        )
    condition = measure_condition(rule.when, rule.measure)
    for name in rule.measure:
        if name not in condition.named and not _is_referred_to(name, rule):
            message = f'{shown(name)} is measured, and "when" does not name it. Delete it.'
            yield Fault(("measure", name), message, at_key=True)
    yield from _range_doubts(rule, condition)


def _is_referred_to(name: str, rule: BehaviourRule) -> bool:
    """By a z-score."""
    return any(f"zscore({name})" in "".join(text.split()) for text in rule.measure.values())


def _range_doubts(rule: BehaviourRule, condition: MeasureText) -> Iterator[Fault]:
    if not condition.named:
        message = (
            'This names no measure, so it always or never holds. Compare one: "accounts >= 5".'
        )
        yield Fault(("when",), message, 0)
        return
    known = ranges(measures(rule))
    if not can_be(condition.root, known, holds=True):
        bounds = ", ".join(
            f"{name} is {_spoken(known[name].least, known[name].most)}" for name in condition.named
        )
        yield Fault(("when",), f"This never holds: {bounds}.", 0)
    elif not can_be(condition.root, known, holds=False):
        yield Fault(("when",), "This always holds. Compare with more, or delete the rule.", 0)


def _spoken(least: float, most: float) -> str:
    if most == float("inf"):
        return "any number" if least == -most else f"{least:g} or more"
    return f"{least:g} to {most:g}"


def reach_doubts(
    rules: Sequence[BehaviourRule], ladder: Sequence[ResponseEntry], score: Score
) -> Iterator[tuple[int, Fault]]:
    """Rules, by their place, that would block alone if shared evidence could."""
    block = next((step for step in ladder if step.do is Rung.BLOCK), None)
    if block is None or score.shared_evidence_cap >= Rung.BLOCK:
        return
    for at, rule in enumerate(rules):
        if rule.group != ALONE and rule.points >= block.at:
            message = (
                f"{rule.points} points reach block, but what a group does together goes no further "
                f"than {score.shared_evidence_cap.word} by itself (score.shared_evidence_cap)."
            )
            yield at, Fault(("points",), message)


def rung_doubts(
    rules: Iterable[BehaviourRule], ladder: Sequence[ResponseEntry], score: Score
) -> Iterator[Fault]:
    """Rungs that no score reaches, by paths from the section on."""
    most = min(score.most, sum(max(0, rule.points) for rule in rules))
    for at, step in enumerate(ladder):
        if step.at > most:
            message = (
                f"Nothing reaches {step.at} points: all rules together and the clamp of the score "
                f"allow {most}."
            )
            yield Fault((at, "at"), message)


def exemption_doubts(entries: Sequence[ExemptionEntry], now_us: int | None) -> Iterator[Fault]:
    """By paths from the section on. `now_us` None: nobody knows what time it is."""
    for at, entry in enumerate(entries):
        if now_us is not None and entry.until <= now_us:
            yield Fault((at, "until"), "This exemption has ended and does nothing. Delete it.")
        if not entry.why:
            yield Fault((at,), 'This exemption has no "why". Add one sentence.')
