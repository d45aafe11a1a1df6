"""Behaviours as they were written become those that are watched."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.policy.behaviour import (
    Behaviour,
    Behaviours,
    Exemption,
    Guardrails,
    Measure,
    Response,
    Score,
)
from gateway.policy.behaviour_document import BehaviourRule
from gateway.policy.ladder_document import (
    EXEMPT_FACTS,
    ExemptionEntry,
    GuardrailsEntry,
    ResponseEntry,
    ScoreEntry,
)
from gateway.policy.ladder_faults import exempt_key
from gateway.policy.measure_text import measure
from gateway.policy.quota import Limit, Mode, WindowKind
from gateway.policy.rate import Rate

FLEET = "fleet"
"""The id of the budget that a fleet shares. It is counted by the group, as no quota is."""


def measures(rule: BehaviourRule) -> tuple[Measure, ...]:
    """Of a rule without faults."""
    return tuple(measure(name, text, rule.measure).measure for name, text in rule.measure.items())


def behaviour(rule: BehaviourRule, file_mode: Mode, where: str) -> Behaviour:
    """`where` is the rule's `file:line`. The rule has no `policy.behaviour_faults`."""
    return Behaviour(
        id=rule.id,
        why=rule.why,
        group=rule.group,
        measures=measures(rule),
        when=rule.when.strip(),
        points=rule.points,
        among=None if rule.among is None else rule.among.strip(),
        applies=None if rule.applies is None else rule.applies.strip(),
        members=rule.members,
        mode=rule.mode if rule.wrote("mode") else file_mode,
        where=where,
    )


def response(step: ResponseEntry, file_mode: Mode) -> Response:
    return Response(
        at=step.at,
        do=step.do,
        mode=step.mode if step.wrote("mode") else file_mode,
        header=step.header,
        scale=1.0 if step.scale is None else float(step.scale),
        fleet=None if step.fleet is None else fleet_limit(step.fleet),
        max_tokens=step.max_tokens,
        choices=step.n,
        strip=step.strip,
        url=step.url,
        block_us=(*([step.lasts_us] if step.lasts_us else []), *step.then),
    )


def fleet_limit(written: Rate) -> Limit:
    return Limit(
        FLEET,
        written.unit,
        WindowKind.SLIDING,
        written.amount,
        written.window_us,
        burst=written.amount,
    )


def score(entry: ScoreEntry) -> Score:
    least, most = entry.clamp
    return Score(
        half_life_us=entry.half_life,
        least=least,
        most=most,
        shared_evidence_cap=entry.shared_evidence_cap,
        independent_for_block=entry.independent_for_block,
        hysteresis=entry.hysteresis,
    )


def exemption(entry: ExemptionEntry) -> Exemption:
    key = exempt_key(entry) or "account"
    return Exemption(
        EXEMPT_FACTS[key], str(getattr(entry, key)), entry.until, entry.owner, entry.why
    )


def guardrails(entry: GuardrailsEntry) -> Guardrails:
    return Guardrails(entry.blocked_accounts)


def with_digest(of: Behaviours) -> Behaviours:
    """The digest changes with all that has a meaning: not with places, nor with reasons."""
    rules = tuple(replace(rule, where="", why="") for rule in of.rules)
    lists = _sorted(of.lists)
    parts = (rules, of.score, of.ladder, of.exemptions, of.guardrails, lists)
    if not any((of.rules, of.ladder, of.exemptions, of.lists)):
        return of
    return replace(of, digest=hashlib.sha256(repr(parts).encode()).hexdigest()[:12])


def _sorted(lists: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    return sorted(lists.items())
