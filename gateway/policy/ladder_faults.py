"""What is wrong with a ladder and with exemptions although each value may stand alone."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from gateway.policy.behaviour import Rung
from gateway.policy.faults import Fault
from gateway.policy.ladder_document import EXEMPT_FACTS, ExemptionEntry, ResponseEntry
from gateway.source.wording import shown

_KEYS_OF: Mapping[Rung, tuple[str, ...]] = MappingProxyType(
    {
        Rung.OBSERVE: (),
        Rung.TAG: ("header",),
        Rung.THROTTLE: ("scale", "fleet"),
        Rung.DEGRADE: ("max_tokens", "n", "strip"),
        Rung.CHALLENGE: ("url",),
        Rung.BLOCK: ("for", "then"),
    }
)
"""What a response takes, beside `at`, `do` and `mode`."""

_NEEDED: Mapping[Rung, tuple[str, str]] = MappingProxyType(
    {
        Rung.TAG: ("header", "header: x-abuse-tier"),
        Rung.THROTTLE: ("", "scale: 0.25, fleet: 200 requests/day, or both"),
        Rung.DEGRADE: ("", "max_tokens: 1024, n: 1, strip: [logprobs, reasoning], or some of it"),
        Rung.CHALLENGE: ("url", "url: https://example.com/verify"),
        Rung.BLOCK: ("for", "for: 24h"),
    }
)
"""The key without which it does nothing (empty: one of its keys), and what to write."""

_FIELDS = {"for": "lasts_us"}


def response_faults(ladder: Sequence[ResponseEntry]) -> Iterator[Fault]:
    """By paths from the section on."""
    for at, step in enumerate(ladder):
        for fault in _step_faults(step):
            yield fault._replace(path=(at, *fault.path))
    for at, (lower, higher) in enumerate(pairwise(ladder), start=1):
        if higher.at <= lower.at:
            message = (
                f"A ladder rises: {higher.at} is not more than the {lower.at} of "
                f"{lower.do.word} before it."
            )
            yield Fault((at, "at"), message)
        if higher.do <= lower.do:
            message = (
                f"A ladder rises: {higher.do.word} is not stricter than {lower.do.word} before it. "
                f"The order is {', '.join(rung.word for rung in Rung if rung)}."
            )
            yield Fault((at, "do"), message)


def _step_faults(step: ResponseEntry) -> Iterator[Fault]:
    own = _KEYS_OF[step.do]
    for rung, keys in _KEYS_OF.items():
        for key in keys:
            if key not in own and step.wrote(_FIELDS.get(key, key)):
                message = f'"{key}" is for {rung.word}, and this is {step.do.word}. Delete it.'
                yield Fault((key,), message)
    if step.do in _NEEDED:
        key, example = _NEEDED[step.do]
        needed = [key] if key else own
        if not any(getattr(step, _FIELDS.get(one, one)) for one in needed):
            yield Fault(("do",), f"{step.do.word} does nothing by itself. Add {example}.")
    times = [*([step.lasts_us] if step.lasts_us else []), *step.then]
    for at, (before, after) in enumerate(pairwise(times)):
        if after <= before:
            message = 'Each block in "then" is longer than the one before it. Write it longer.'
            yield Fault(("then", at), message)


def exempt_key(entry: ExemptionEntry) -> str | None:
    """The key that says whom it is about, if exactly one does."""
    written = [key for key in EXEMPT_FACTS if getattr(entry, key) is not None]
    return written[0] if len(written) == 1 else None


def exemption_faults(entries: Sequence[ExemptionEntry]) -> Iterator[Fault]:
    """By paths from the section on."""
    for at, entry in enumerate(entries):
        if exempt_key(entry) is None:
            message = (
                f"An exemption is about one thing. Write exactly one of {', '.join(EXEMPT_FACTS)}."
            )
            yield Fault((at,), message)


def cap_fault(cap: Rung, ladder: Sequence[ResponseEntry]) -> str | None:
    """`cap`: how far shared evidence reaches, as an operator wrote it."""
    rungs = [step.do for step in ladder]
    if not rungs or cap in rungs:
        return None
    words = ", ".join(rung.word for rung in rungs)
    return f"{shown(cap.word)} is no response of the ladder. Allowed: {words}."
