"""Reserve, decide, settle: the story of one exchange's charges. No HTTP, no Redis.

What was reserved is settled, however the exchange ends: a `Permit` is the duty to do so.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.behaviour.standing import NO_STANDING, Standing
from gateway.decision.extension import further, refused_extension, spread
from gateway.decision.jitter import later_us
from gateway.decision.journal import Journal
from gateway.decision.judge import SUSPENDED, judge, store_unavailable
from gateway.decision.outcome import Decision
from gateway.decision.plan import Charge, Estimate, plan
from gateway.decision.port import (
    Reservation,
    Reserved,
    SettledCharge,
    Store,
    StoreState,
)
from gateway.decision.responses import refusal as refused_by
from gateway.decision.settlement import Delivered, Settlement, settlement
from gateway.errors import StoreUnavailable
from gateway.facts.catalog import Facts
from gateway.facts.dialects.registry import route_table
from gateway.facts.dialects.route_table import RouteTable
from gateway.facts.estimate import OutputEstimator
from gateway.facts.exchange import Ask
from gateway.facts.refusal import Refusal, RefusalKind
from gateway.facts.usage import Usage
from gateway.policy.quota import SECOND_US, Policies, Quota
from gateway.values import made_often

AWAY_IN_MIDSTREAM = Refusal(
    RefusalKind.STORE_UNAVAILABLE,
    "The answer outgrew what was reserved for it, and the gateway cannot check quotas at the "
    "moment. Retry in 1 s.",
    retry_after_us=SECOND_US,
)


Part = tuple[Reservation, tuple[SettledCharge, ...]]
"""A reservation or an extension, with what takes the place of its charges."""


class Rules:
    """The policies in force, swapped in one assignment.

    An exchange takes the reference once and keeps it to its settlement.
    """

    def __init__(self, policies: Policies) -> None:
        self.put_in_force(policies)

    def put_in_force(self, policies: Policies) -> None:
        self.policies = policies
        self.quotas: dict[str, Quota] = {quota.id: quota for quota in policies.quotas}
        self.routes: RouteTable = route_table(policies.routes)


@made_often
@dataclass(frozen=True, slots=True)
class Permit:
    """A decision, and what has to be settled if anything was reserved."""

    decision: Decision
    facts: Facts
    reservation: Reservation | None
    extensions: tuple[Reservation, ...] = ()
    """What was reserved later, for a stream that outgrew its reservation. Settled with it."""
    attempts: int = 0
    """How often more was asked for. Each has an id of its own: one that failed may have been
    carried out, and is taken back by the store under its id."""
    exchange: str = ""
    """Its id, which the reservation has, too."""


@dataclass(frozen=True, slots=True)
class Extended:
    """What became of an attempt to reserve more."""

    permit: Permit
    refusal: Refusal | None = None
    """None if it was granted."""
    store_away: bool = False
    """Nobody decided."""


class Admission:
    """Decides about exchanges with the help of one store."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        estimator: OutputEstimator,
        new_id: Callable[[], str],
        *,
        retry_jitter_us: int = 0,
        journal: Journal | None = None,
    ) -> None:
        """`retry_jitter_us`: who is refused is told to come back up to so much later.

        `journal` hears of everything in the order in which the store did it.
        """
        self._store = store
        self._rules = rules
        self._estimator = estimator
        self._new_id = new_id
        self._retry_jitter_us = retry_jitter_us
        self._journal = journal

    async def admit(
        self, facts: Facts, exchange: str | None = None, standing: Standing = NO_STANDING
    ) -> Permit:
        """One decision, in one round trip at most. Raises nothing of the store's.

        `exchange` is an id that no other exchange has; without it one is made. `standing` is what
        behaviour policies hold against it.
        """
        exchange = exchange or self._new_id()
        permit, reserved = await self._admitted(facts, exchange, standing)
        if self._journal is not None:
            self._journal.decided(exchange, facts, permit.decision, reserved)
        return permit

    async def _admitted(
        self, facts: Facts, exchange: str, standing: Standing
    ) -> tuple[Permit, Reserved | None]:
        policies, quotas = self._rules.policies, self._rules.quotas
        planned = plan(policies, facts, self._estimate(facts), standing)
        if planned.refused_by is not None or refused_by(standing) is not None:
            return Permit(judge(planned, None, quotas), facts, None, exchange=exchange), None
        account = facts.principal.account.id
        try:
            reserved = await self._store.reserve(exchange, planned.charges, account)
        except StoreUnavailable as error:
            if not planned.charges:  # whether it is shut out, nobody can know now
                return Permit(judge(planned, None, quotas), facts, None, exchange=exchange), None
            later = later_us(exchange, self._retry_jitter_us)
            decision = store_unavailable(planned, str(error), later)
            return Permit(decision, facts, None, exchange=exchange), None
        refused = not reserved.admitted
        later = later_us(exchange, self._retry_jitter_us) if refused else 0
        decision = judge(planned, reserved, quotas, later)
        made = None
        if reserved.admitted and planned.charges:
            made = _made(exchange, planned.charges, reserved)
        return Permit(decision, facts, made, exchange=exchange), reserved

    async def extend(self, permit: Permit, tokens: int) -> Extended:
        """Reserve so many more tokens of output, all limits or none; raises nothing of the store's.

        The permit that is returned takes the place of the one that was given.
        """
        reservation = permit.reservation
        charges = further(reservation.charges, tokens) if reservation else ()
        if reservation is None or not charges:
            return Extended(permit)
        permit = replace(permit, attempts=permit.attempts + 1)
        extension_id = f"{reservation.id}.{permit.attempts}"
        reserved = None
        try:
            account = permit.facts.principal.account.id
            reserved = await self._store.reserve(extension_id, charges, account)
        except StoreUnavailable:
            extended = Extended(permit, AWAY_IN_MIDSTREAM, store_away=True)
        else:
            extended = _extended(permit, extension_id, charges, reserved)
        if self._journal is not None:
            self._journal.extended(permit.exchange, tokens, reserved, extended.refusal)
        return extended

    async def settle(self, permit: Permit, usage: Usage, delivered: Delivered) -> Settlement | None:
        """Put the actual in the place of the reserved; None if nothing was allowed.

        Where no quota matched nothing has to be settled, and what was used is told all the same.
        Raises `StoreUnavailable`: the reservation then stands, since nobody knows whether it was
        settled, and its slots lapse with their lease. It may be tried again.
        """
        estimate = permit.decision.estimate
        if not permit.decision.allowed or estimate is None:
            return None
        settled = settlement(estimate, usage, delivered)
        parts, journal = settled_parts(permit, settled), self._journal
        if journal is not None and not parts:
            journal.settled(permit.exchange, usage, delivered, None, 0)
        for n, part in enumerate(parts):
            at_us = await self._store.settle(*part)
            if journal is not None and n:
                journal.settled_further(permit.exchange, at_us)
            elif journal is not None:
                journal.settled(permit.exchange, usage, delivered, at_us, len(parts))
        self._learn(permit.facts, settled.usage)
        return settled

    def answered(self, permit: Permit, settled: Settlement, now_us: int) -> Facts:
        """What is known of an exchange when its answer is: for behaviours."""
        facts = permit.facts
        price = self._rules.policies.prices.of(facts.ask.model or "")
        usage = replace(
            settled.usage,
            input_tokens=settled.input_tokens,
            output_tokens=settled.output_tokens,
        )
        return replace(
            facts,
            at_us=max(facts.at_us, now_us),
            usage=usage,
            cost_usd=None if price is None else price.units(settled.counts) / 1_000_000,
        )

    async def renew(self, permit: Permit) -> None:
        """Keep the slots of a living exchange."""
        if permit.reservation is not None:
            at_us = await self._store.renew(permit.reservation)
            if self._journal is not None:
                self._journal.renewed(permit.exchange, at_us)

    def _estimate(self, facts: Facts) -> Estimate:
        ask = facts.ask
        if not facts.route.generates:
            return Estimate(0, 0, declared=True)
        ceiling = ask.max_output_tokens
        each = self._expected(ask) if ceiling is None else ceiling
        return Estimate(ask.input_tokens, each * ask.choices, declared=ceiling is not None)

    def _expected(self, ask: Ask) -> int:
        return self._estimator.expect(ask.model or "")

    def _learn(self, facts: Facts, usage: Usage) -> None:
        ask = facts.ask
        if usage.output_tokens is not None and ask.max_output_tokens is None:
            self._estimator.learn(ask.model or "", usage.output_tokens // max(1, ask.choices))


def _made(reservation_id: str, charges: tuple[Charge, ...], reserved: Reserved) -> Reservation:
    made = [
        charge
        for charge, reading in zip(charges, reserved.readings, strict=True)
        if reading.charged
    ]
    return Reservation(reservation_id, reserved.at_us, tuple(made))


def settled_parts(permit: Permit, settled: Settlement) -> list[Part]:
    """What is reserved for an exchange, in the order in which it was, as it is settled."""
    reservation = permit.reservation
    if reservation is None:
        return []
    if permit.extensions:
        return spread(settled, (reservation, *permit.extensions))
    return [(reservation, settled.charges(reservation.charges))]


def _extended(
    permit: Permit, extension_id: str, charges: tuple[Charge, ...], reserved: Reserved
) -> Extended:
    if reserved.hand.ban:
        return Extended(permit, SUSPENDED)
    if not reserved.admitted:
        return Extended(permit, refused_extension(charges, reserved.readings))
    decision = permit.decision
    if reserved.state is not StoreState.OK:
        decision = replace(decision, store=reserved.state)
    extension = _made(extension_id, charges, reserved)  # nothing, if all are shadows
    extensions = (*permit.extensions, *([extension] if extension.charges else []))
    return Extended(replace(permit, decision=decision, extensions=extensions))
