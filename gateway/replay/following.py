"""Exchanges that a live gauger recorded: each is decided again, and what came of it is in events.

What a decision depended on and no policy knows is taken from the record: the order and the moments
of the store, the estimate of an answer without a ceiling, the operator's hand, and which policies
were in force, where the recording's own are followed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from gateway.admission import Admission, Part, Permit, Rules, settled_parts
from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.decision.hand import UNTOUCHED, Hand
from gateway.decision.outcome import Verdict
from gateway.decision.settlement import Delivered, settlement
from gateway.facts.catalog import Facts
from gateway.facts.estimate import OutputEstimator
from gateway.facts.refusal import Refusal
from gateway.facts.usage import UNREPORTED
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.replay.as_recorded import ALONE, AsRecorded
from gateway.replay.clock import SimulatedClock
from gateway.replay.events import (
    AnyEvent,
    Begin,
    Dropped,
    Ended,
    FurtherSettled,
    InForce,
    MoreReserved,
    Renewed,
    StoreAway,
    WasReset,
)
from gateway.replay.judged import Judged
from gateway.replay.record import UNTOLD, Record, RecordedAnswer
from gateway.replay.recorded_decision import RecordedDecision, waits_us
from gateway.replay.verification import Verification

NO_ANSWER = 502
"""The status of an exchange that was allowed and got no answer."""

MEMORY = "memory"


class Estimator(OutputEstimator):
    """Expects what was expected live, where that is known."""

    told: int | None = None

    def expect(self, model: str) -> int:
        return super().expect(model) if self.told is None else self.told


@dataclass(slots=True)
class _Open:
    """Allowed live, and not over."""

    judged: Judged
    permit: Permit
    comparable: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one side."""

    admission: Admission
    rules: Rules
    store: AsRecorded
    clock: SimulatedClock
    estimator: Estimator
    tell: Callable[[Judged], None]
    """The observers, once all is known of an exchange."""
    standing: Callable[[Facts], Standing]
    """By what was seen here."""
    see: Callable[[Facts], object]


class Following:
    def __init__(
        self, parts: Parts, *, recorded_policies: bool, in_force: Callable[[Policies], None]
    ) -> None:
        """`recorded_policies`: those of the recording, each as long as it was in force.

        `in_force` hears of each such version.
        """
        self._of = parts
        self._in_force = in_force if recorded_policies else None
        self._versions: dict[str, Policies] = {}
        self._open: dict[str, _Open] = {}
        self._settling: dict[str, list[Part]] = {}
        self._hands: dict[str, Hand] = {}
        self.verification = Verification()

    async def arrive(
        self,
        record: Record,
        at_us: int,
        asked: Facts,
        *,
        status: Callable[[Refusal], int],
        end_at_once: Callable[[Permit], None],
    ) -> Judged:
        """`end_at_once`: of what was refused live, so that nobody knows how it would have ended."""
        live, of = record.decision, self._of
        of.clock.now_us = at_us
        await self._lay(record.account, record.hand)
        comparable = live is not None and self._turn_to(live.policies)
        of.estimator.told = _expected(live, asked)
        of.store.said = live if live and comparable and live.store in ALONE else None
        standing = self._standing(record, asked, comparable=comparable)
        permit = await of.admission.admit(asked, record.id, standing)
        of.see(asked)
        of.store.said = of.estimator.told = None
        decision, refusal = permit.decision, permit.decision.refusal
        self.verification.note(record, decision, comparable=comparable)
        answered = UNTOLD.status if refusal is None else status(refusal)
        judged = Judged(record, at_us, decision, refusal, answered)
        if live is not None and live.verdict == Verdict.ALLOW:
            self._open[record.id or ""] = _Open(judged, permit, comparable)
            return judged
        if refusal is None:
            end_at_once(permit)
        of.tell(judged)
        return judged

    async def follow(self, event: AnyEvent) -> None:
        self._of.clock.now_us = event.at_us
        match event:
            case Ended():
                await self._end(event)
            case Renewed():
                await self._renew(event)
            case MoreReserved():
                await self._extend(event)
            case FurtherSettled():
                await self._settle_next(event.id)
            case InForce():
                self._put_in_force(event)
            case Begin():
                await self._begin(event)
            case WasReset():
                await self._of.store.reset(event.account, event.meters)
            case StoreAway():
                self.verification.outages += 1
            case Dropped():
                self.verification.dropped += event.count

    async def finish(self) -> None:
        """What had not ended when the recording did is told of as it stands."""
        for parts in self._settling.values():
            for part in parts:
                await self._of.store.settle(*part)
        self._settling.clear()
        for one in self._open.values():
            self._of.tell(one.judged)
        self._open.clear()

    async def _begin(self, event: Begin) -> None:
        if event.part:
            return
        if event.store != MEMORY:
            self.verification.begun_in_use += 1
            return
        await self.finish()
        await self._of.store.forget()
        self._hands.clear()

    def _put_in_force(self, event: InForce) -> None:
        if self._in_force is not None and event.digest not in self._versions:
            policies = self._versions[event.digest] = load(event.texts)
            self._in_force(policies)

    def _turn_to(self, digest: str) -> bool:
        """Whether it is judged by the policies that judged it live.

        By the digest and not by the last that came into force: whoever waited for the store's
        answer meanwhile was judged by those before.
        """
        rules = self._of.rules
        if self._in_force is not None and digest in self._versions:
            if rules.policies.digest != digest:
                rules.put_in_force(self._versions[digest])
            return True
        return rules.policies.digest == digest

    def _standing(self, record: Record, asked: Facts, *, comparable: bool) -> Standing:
        if not comparable:
            return self._of.standing(asked)
        if record.standing is None:
            return NO_STANDING
        return record.standing.standing(self._of.rules.policies.behaviours)

    async def _lay(self, account: str, hand: Hand) -> None:
        if self._hands.get(account, UNTOUCHED) != hand:
            self._hands[account] = hand
            await self._of.store.change_hand(account, lambda _: hand)

    async def _renew(self, event: Renewed) -> None:
        one = self._open.get(event.id)
        if one is not None:
            await self._of.admission.renew(one.permit)

    async def _extend(self, event: MoreReserved) -> None:
        one = self._open.get(event.id)
        if one is None or one.permit.reservation is None:
            return
        await self._lay(one.judged.record.account, event.hand)
        extended = await self._of.admission.extend(one.permit, event.tokens)
        one.permit = extended.permit
        if one.comparable:
            refusal = extended.refusal
            again = replace(
                event,
                refusal=refusal.kind.value if refusal else None,
                retry_after_us=waits_us(refusal),
            )
            self.verification.note_extension(one.judged.record, event, again)

    async def _end(self, event: Ended) -> None:
        one = self._open.pop(event.id, None)
        if one is None:
            return
        judged, decision = one.judged, one.permit.decision
        if decision.allowed and decision.estimate is not None:
            usage = UNREPORTED if event.usage is None else event.usage.reported()
            delivered = Delivered(event.began, event.failed, event.delivered, event.aborted)
            settled = settlement(decision.estimate, usage, delivered)
            self._settling[event.id] = settled_parts(one.permit, settled)
            for _ in range(max(1, 1 + len(self._settling[event.id]) - event.parts)):
                await self._settle_next(event.id)
        status = event.status or NO_ANSWER
        answer = RecordedAnswer(status, event.usage, max(0.0, event.at - judged.record.at))
        record = replace(judged.record, response=answer)
        told = replace(judged, record=record)
        self._of.tell(told if judged.refusal is not None else replace(told, status=status))

    async def _settle_next(self, exchange: str) -> None:
        parts = self._settling.get(exchange)
        if parts:
            await self._of.store.settle(*parts.pop(0))
        if not parts:
            self._settling.pop(exchange, None)


def _expected(live: RecordedDecision | None, asked: Facts) -> int | None:
    """For one choice."""
    if live is None or live.declared:
        return None
    return live.output_tokens // max(1, asked.ask.choices)
