"""Drives the engine: arrivals, renewals and ends in one order, each at its own moment.

What a record tells of the answer counts only if the policies allow the request. Then it is settled
when the answer ended, with the usage that was reported. Nothing here waits for time to pass, and
over the memory store nothing waits at all.
"""

from collections.abc import Callable, Iterable
from itertools import count

from gateway.admission import Admission, Permit, Rules
from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.behaviour.watch import Watch
from gateway.decision.port import StoreState
from gateway.decision.renewing import renew_every_us
from gateway.decision.settlement import Delivered
from gateway.errors import StoreUnavailable
from gateway.facts.catalog import Facts
from gateway.facts.dialects.port import Dialect
from gateway.facts.dialects.registry import route_table
from gateway.facts.estimate import OutputEstimator
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.policy.quota import Policies
from gateway.replay.as_recorded import AsRecorded, ReplayStore
from gateway.replay.clock import SimulatedClock
from gateway.replay.events import AnyEvent
from gateway.replay.following import Estimator, Following, Parts
from gateway.replay.intake import FINGERPRINT_KEY, Intake, Taken
from gateway.replay.judged import Judged
from gateway.replay.record import UNTOLD, Record, RecordedAnswer
from gateway.replay.timeline import Timeline, Underway
from gateway.replay.verification import Verification

Observer = Callable[[Judged], None]

_REPORTED = Delivered(began=True)
_FAILED = Delivered(began=True, failed=True)


class Side:
    """One set of policies with counters of its own, while the traffic passes."""

    def __init__(
        self,
        policies: Policies,
        store: ReplayStore,
        clock: SimulatedClock,
        observers: Iterable[Observer] = (),
        intake: Intake | None = None,
        *,
        recorded_policies: bool = False,
    ) -> None:
        """`clock` is the store's, too. Sides that serve the same routes may share an `intake`.

        `recorded_policies`: of a recording its own take the place of `policies`.
        """
        numbers = count(1)
        self.intake = intake or Intake(route_table(policies.routes))
        self.clock = clock
        self.store = store
        rules = Rules(policies)

        def new_id() -> str:
            return f"replay-{next(numbers)}"

        self._admission = Admission(store, rules, OutputEstimator(), new_id)
        self._watch: Watch | None = None
        self._watch_over(policies)
        self._timeline = Timeline()
        self._observers = tuple(observers)
        self._statuses: dict[tuple[str, RefusalKind], int] = {}
        self._rules = rules
        as_recorded, estimator = AsRecorded(store), Estimator()
        self._following = Following(
            Parts(
                Admission(as_recorded, rules, estimator, new_id),
                rules,
                as_recorded,
                clock,
                estimator,
                self._tell,
                self._standing,
                self._see,
            ),
            recorded_policies=recorded_policies,
            in_force=self._in_force,
        )

    @property
    def policies(self) -> Policies:
        """In force at the moment."""
        return self._rules.policies

    @property
    def verification(self) -> Verification:
        """How what was decided here compares with what was decided live, in recordings."""
        return self._following.verification

    async def arrive(self, record: Record, at_us: int, taken: Taken) -> Judged:
        """What ended before is settled first. Raises `StoreUnavailable`."""
        if self._timeline.next_us <= at_us:
            await self.proceed(at_us)
        self.clock.now_us = at_us
        asked = taken.asked
        if record.id is not None and not isinstance(asked, Refusal):
            return await self._following.arrive(
                record,
                at_us,
                asked,
                status=lambda refusal: self._status(taken.dialect, refusal),
                end_at_once=lambda permit: self._begin(permit, at_us, UNTOLD),
            )
        judged = await self._judge(record, at_us, taken)
        self._tell(judged)
        return judged

    async def follow(self, event: AnyEvent) -> None:
        """What came next in a recording. Raises `StoreUnavailable`, and `Problems` of policies."""
        if self._timeline.next_us <= event.at_us:
            await self.proceed(event.at_us)
        await self._following.follow(event)

    async def proceed(self, until_us: int) -> None:
        """Everything that was planned up to this moment, and at it."""
        timeline, clock = self._timeline, self.clock
        while timeline.next_us <= until_us:
            clock.now_us, underway = timeline.pop()
            if underway.end_us > clock.now_us:
                await self._admission.renew(underway.permit)
                timeline.plan(clock.now_us, underway)
            else:
                await self._settle(underway)
        clock.now_us = max(clock.now_us, until_us)

    async def _settle(self, underway: Underway) -> None:
        permit, watch = underway.permit, self._watch
        settled = await self._admission.settle(permit, underway.usage, underway.delivered)
        if watch is not None and watch.layout.after_answer and settled is not None:
            seen = watch.answered(self._admission.answered(permit, settled, self.clock.now_us))
            if seen is not None:
                watch.take(seen)

    async def finish(self) -> None:
        """Everything that is still under way comes to its end."""
        while self._timeline:
            await self.proceed(self._timeline.next_us)
        await self._following.finish()

    @property
    def watch(self) -> Watch | None:
        """None if the policies have no behaviours."""
        return self._watch

    def _watch_over(self, policies: Policies) -> None:
        self.intake.read_prompts(policies.behaviours)
        if self._watch is not None:
            self._watch.put_in_force(policies.behaviours)
        elif policies.behaviours:
            self._watch = Watch(policies.behaviours, FINGERPRINT_KEY)

    def _in_force(self, policies: Policies) -> None:
        self._rules.put_in_force(policies)
        self._watch_over(policies)
        self.intake.versions[policies.digest] = self._rules.routes

    def _tell(self, judged: Judged) -> None:
        for observe in self._observers:
            observe(judged)

    async def _judge(self, record: Record, at_us: int, taken: Taken) -> Judged:
        asked = taken.asked
        if isinstance(asked, Refusal):
            return Judged(record, at_us, None, asked, self._status(taken.dialect, asked))
        permit = await self._admission.admit(asked, None, self._standing(asked))
        self._see(asked)
        decision = permit.decision
        refusal = decision.refusal
        if refusal is None:
            self._begin(permit, at_us, record.response)
            return Judged(record, at_us, decision, None, record.response.status)
        if decision.store is StoreState.UNAVAILABLE:
            # A backtest that goes on without its counters would tell untruths.
            raise StoreUnavailable(refusal.message, kind="unavailable")
        return Judged(record, at_us, decision, refusal, self._status(taken.dialect, refusal))

    def _standing(self, asked: Facts) -> Standing:
        return NO_STANDING if self._watch is None else self._watch.standing(asked)

    def _see(self, asked: Facts) -> None:
        if self._watch is not None:
            self._watch.see(asked)

    def _begin(self, permit: Permit, at_us: int, answer: RecordedAnswer) -> None:
        reservation = permit.reservation
        underway = Underway(
            permit,
            at_us + round(answer.duration * 1_000_000),
            answer.reported(),
            _delivered(permit, answer),
            renew_every_us(reservation.charges) if reservation is not None else None,
        )
        self._timeline.plan(at_us, underway)

    def _status(self, dialect: Dialect, refusal: Refusal) -> int:
        """The dialect's word on it. A kind has one status, so it is asked once."""
        key = dialect.name, refusal.kind
        if key not in self._statuses:
            self._statuses[key] = dialect.refuse(refusal, (), "", self.clock.now_us).status
        return self._statuses[key]


def _delivered(permit: Permit, answer: RecordedAnswer) -> Delivered:
    """What live would have been seen passing, where the record has no usage.

    Nobody recorded it, so all that was reserved counts, as live where an answer cannot be read.
    """
    if answer.failed:
        return _FAILED
    if answer.usage is not None and answer.usage.output_tokens is not None:
        return _REPORTED
    estimate = permit.decision.estimate
    return Delivered(began=True, output_tokens=estimate.output_tokens if estimate else 0)
