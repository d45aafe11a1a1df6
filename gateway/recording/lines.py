"""Everything that is recorded, as lines of JSON: made in the writer's thread.

No credential is among it. Of a request there is what was read of it; itself only where the operator
said so, in one line whatever its own lines were.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.decision.hand import UNTOUCHED, Hand
from gateway.decision.outcome import Decision
from gateway.facts.catalog import Facts
from gateway.facts.principal import Principal
from gateway.replay.carried import carried, record_attributes
from gateway.replay.events import Event
from gateway.replay.recorded_decision import recorded_decision
from gateway.replay.recorded_standing import recorded_standing

LONGEST_LINE_BYTES = 1 << 26
"""As much as may be written of one exchange. Longer than that only the longest bodies are."""

_SECOND_US = 1_000_000
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Decided:
    """One exchange that the policies have judged."""

    id: str
    at_us: int
    facts: Facts
    decision: Decision
    hand: Hand = UNTOUCHED
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One that they never saw."""

    id: str
    at_us: int
    principal: Principal
    method: str
    path: str
    kind: str


Line = Decided | Rejected | Event


def moment(at_us: int) -> float:
    """As records say it; exact to the microsecond for another century."""
    return at_us / _SECOND_US


def encode(line: Line, pseudonym: Callable[[str], str] | None) -> bytes:
    """With its end. Without `pseudonym` end users and sessions stay as their callers named them."""
    match line:
        case Decided():
            return _encode(_decided(line, pseudonym)) + b"\n"
        case Rejected():
            return _encode(_rejected(line)) + b"\n"
        case _:
            return _encode(line) + b"\n"


def _decided(line: Decided, pseudonym: Callable[[str], str] | None) -> dict[str, object]:
    facts = line.facts
    written: dict[str, object] = {
        "at": moment(line.at_us),
        "id": line.id,
        "account": facts.principal.account.id,
        "attributes": record_attributes(facts.principal),
        "method": facts.route.method,
        "path": facts.route.path,
        "facts": carried(facts, pseudonym),
        "decision": recorded_decision(line.decision),
    }
    if line.hand != UNTOUCHED:
        written["hand"] = line.hand
    if (standing := recorded_standing(line.decision.standing)) is not None:
        written["standing"] = standing
    if line.body:
        written["body"] = msgspec.Raw(msgspec.json.format(line.body, indent=-1))
    return written


def _rejected(line: Rejected) -> dict[str, object]:
    return {
        "at": moment(line.at_us),
        "id": line.id,
        "account": line.principal.account.id,
        "attributes": record_attributes(line.principal),
        "method": line.method,
        "path": line.path,
        "rejected": line.kind,
    }
