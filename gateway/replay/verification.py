"""Whether a replay decides what was decided live, decision by decision; and where not, how."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.decision.outcome import Decision
from gateway.replay.as_recorded import ALONE
from gateway.replay.events import MoreReserved
from gateway.replay.record import Record
from gateway.replay.recorded_decision import (
    RecordedDecision,
    RecordedReading,
    recorded_decision,
)

SHOWN = 10
"""Differences; the others are counted. Whatever follows the first is often its consequence."""


@dataclass(frozen=True, slots=True)
class Differs:
    """One decision that is not what was recorded."""

    at_us: int
    account: str
    id: str
    how: tuple[str, ...]
    """`what: as recorded, then as replayed`."""


@dataclass(slots=True)
class Verification:
    compared: int = 0
    different: int = 0
    differences: list[Differs] = field(default_factory=list)
    """The first `SHOWN`."""
    alone: int = 0
    """Decided while the store was away: taken over as they were."""
    by_others: int = 0
    """Recorded under other policies than those that are tried, and so not compared."""
    outages: int = 0
    dropped: int = 0
    """Lines that the recording lacks."""
    begun_in_use: int = 0
    """Runs over a store in which something may have been counted before."""

    @property
    def same(self) -> int:
        return self.compared - self.different

    @property
    def exact(self) -> bool:
        """Everything that could be compared is the same, and that is not nothing."""
        return bool(self.compared) and not self.different

    @property
    def complete(self) -> bool:
        """The recording holds all that decisions depend on."""
        return not (self.outages or self.dropped or self.begun_in_use)

    def note(self, record: Record, decision: Decision, *, comparable: bool) -> None:
        """`comparable`: by the same policies."""
        live = record.decision
        if live is None:
            return
        if not comparable:
            self.by_others += 1
        elif live.store in ALONE:
            self.alone += 1
        else:
            again = recorded_decision(decision)
            self._compared(record, () if again == live else tuple(_differences(live, again)))

    def note_extension(self, record: Record, live: MoreReserved, again: MoreReserved) -> None:
        if live.store in ALONE:
            self.alone += 1
            return
        how = []
        if (live.refusal, live.retry_after_us) != (again.refusal, again.retry_after_us):
            how.append(f"{live.tokens:,} tokens more: {_more(live)}, then {_more(again)}")
        self._compared(record, tuple(how))

    def _compared(self, record: Record, how: tuple[str, ...]) -> None:
        self.compared += 1
        if how:
            self.different += 1
            if len(self.differences) < SHOWN:
                self.differences.append(Differs(record.at_us, record.account, record.id or "", how))


def _differences(live: RecordedDecision, again: RecordedDecision) -> Iterator[str]:
    if _verdict(live) != _verdict(again):
        yield f"verdict: {_verdict(live)}, then {_verdict(again)}"
    if live.retry_after_us != again.retry_after_us:
        yield f"retry after: {_seconds(live.retry_after_us)}, then {_seconds(again.retry_after_us)}"
    if _estimate(live) != _estimate(again):
        yield f"estimate: {_estimate(live)}, then {_estimate(again)}"
    if live.reasons != again.reasons:
        yield f"reasons: {_reasons(live)}, then {_reasons(again)}"
    if [one.meter for one in live.readings] != [one.meter for one in again.readings]:
        yield f"limits: {_meters(live)}, then {_meters(again)}"
    else:
        for before, after in zip(live.readings, again.readings, strict=True):
            if before != after:
                yield f"{before.meter}: {', '.join(_changes(before, after))}"
    if live.store != again.store:
        yield f"store: {live.store}, then {again.store}"
    if live.binding != again.binding:
        yield f"the limit that bound: {_bound(live)}, then {_bound(again)}"


def _changes(before: RecordedReading, after: RecordedReading) -> Iterator[str]:
    for name in RecordedReading.__struct_fields__:
        was, is_ = getattr(before, name), getattr(after, name)
        if was != is_:
            yield f"{name} {was}, then {is_}"


def _verdict(of: RecordedDecision) -> str:
    return f"{of.verdict} ({of.refusal})" if of.refusal else of.verdict


def _estimate(of: RecordedDecision) -> str:
    ceiling = "declared" if of.declared else "learned"
    return f"{of.input_tokens} in and {of.output_tokens} out ({ceiling})"


def _reasons(of: RecordedDecision) -> str:
    return ", ".join(f"{one.policy_id} {one.code}" for one in of.reasons) or "none"


def _meters(of: RecordedDecision) -> str:
    return ", ".join(one.meter for one in of.readings) or "none"


def _bound(of: RecordedDecision) -> str:
    return "none" if of.binding is None else of.readings[of.binding].meter


def _seconds(us: int | None) -> str:
    return "never" if us is None else f"{us / 1e6:g} s"


def _more(of: MoreReserved) -> str:
    return f"refused ({of.refusal}, {_seconds(of.retry_after_us)})" if of.refusal else "granted"
