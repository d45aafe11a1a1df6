"""Every kind of quota as an operator writes it, through admission to the memory store."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest

from gateway.admission import Admission, Permit, Rules
from gateway.decision.settlement import Delivered
from gateway.facts.catalog import Facts
from gateway.facts.estimate import OutputEstimator
from gateway.facts.principal import Account, Principal
from gateway.facts.refusal import RefusalKind
from gateway.facts.usage import Usage
from gateway.policy.parse import load
from gateway.policy.quota import SECOND_US
from gateway.store.memory import MemoryStore
from tests.parts.clock import Clock
from tests.parts.values import facts

PRICES = "prices:\n  small: {input: 1 USD, cached: 0.10 USD, output: 10 USD, reasoning: 20 USD}\n"


class Deployment:
    def __init__(self, clock: Clock, *rules: str, prices: str = PRICES) -> None:
        ids: Iterator[int] = count()
        lines = "".join(
            f"  - {{id: q{at}, why: Because., {rule}}}\n" for at, rule in enumerate(rules)
        )
        self.clock = clock
        self.admission = Admission(
            MemoryStore(clock),
            Rules(load({"policies.yaml": f"{prices}quotas:\n{lines}"})),
            OutputEstimator(),
            lambda: f"r{next(ids)}",
        )

    async def ask(self, of: Facts | None = None) -> Permit:
        return await self.admission.admit(of or facts(input_tokens=1_000, max_output_tokens=100))

    async def answered(self, usage: Usage, of: Facts | None = None) -> Permit:
        permit = await self.ask(of)
        assert permit.decision.allowed
        await self.admission.settle(permit, usage, Delivered(began=True))
        return permit

    async def used(self, at: int = 0) -> int:
        """What a limit had counted before one more request, which is given back."""
        permit = await self.ask()
        await self.admission.settle(permit, Usage(0, 0), Delivered(began=False))
        state = permit.decision.quota_states[at]
        return state.limit - state.remaining - permit.decision.charges[at].amount


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("rule", "counted"),
    [
        ("limit: 9k tokens/day", 1_050),
        ("limit: 9k input_tokens/day", 1_000),
        ("limit: 9k output_tokens/day", 50),
        ("limit: 9k reasoning_tokens/day", 20),
        ("limit: 9k cached_tokens/day", 900),
        ("limit: 9k tokens/day, weights: {cached: 0.1, output: 4}", 100 + 90 + 200),
        ("limit: 1 USD/day, unpriced: refuse", 100 + 90 + 300 + 400),
    ],
)
async def test_each_unit_settles_on_what_was_reported(
    clock: Clock, rule: str, counted: int
) -> None:
    deployment = Deployment(clock, rule)
    await deployment.answered(Usage(1_000, 50, cached_tokens=900, reasoning_tokens=20))
    assert await deployment.used() == counted


async def test_a_budget_in_money_refuses_what_may_exceed_it_and_says_so_in_dollars(
    clock: Clock,
) -> None:
    deployment = Deployment(clock, "limit: 0.004 USD/day, unpriced: refuse")
    await deployment.answered(Usage(1_000, 100))
    refused = await deployment.ask()
    assert refused.decision.refusal is not None
    assert refused.decision.refusal.kind is RefusalKind.RATE
    assert "Limit of 0.004 USD a day reached" in refused.decision.refusal.message


async def test_a_model_without_a_price_is_refused_before_anything_is_charged(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 5/day", "limit: 1 USD/day, unpriced: refuse")
    refused = await deployment.ask(facts(model="unheard-of"))
    assert refused.decision.refusal is not None
    assert refused.decision.refusal.field == "model"
    assert await deployment.used() == 0


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
async def test_a_calendar_window_begins_anew_at_the_operators_midnight(
    clock: Clock, timezone: str
) -> None:
    zone = ZoneInfo(timezone)
    evening = datetime(2026, 10, 24, 20, tzinfo=zone)
    midnight = datetime(2026, 10, 25, tzinfo=zone)
    clock.now_us = int(evening.timestamp()) * SECOND_US
    deployment = Deployment(clock, f"limit: 1/day, window: calendar, timezone: {timezone}")
    await deployment.answered(Usage(1, 1))
    refused = (await deployment.ask()).decision.refusal
    assert refused is not None
    wait_us = int((midnight - evening).total_seconds()) * SECOND_US
    assert refused.retry_after_us == wait_us
    clock.now_us += wait_us - 1
    assert not (await deployment.ask()).decision.allowed
    clock.now_us += 1
    assert (await deployment.ask()).decision.allowed


async def test_what_is_settled_after_midnight_does_not_touch_the_new_day(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 5k tokens/day, window: calendar")
    late = await deployment.ask()
    clock.now_us += 86_400 * SECOND_US
    await deployment.answered(Usage(300, 0))
    await deployment.admission.settle(late, Usage(1, 1), Delivered(began=True))
    assert await deployment.used() == 300


async def test_a_long_stream_is_settled_however_many_windows_later(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 5k tokens/minute, window: calendar")
    long = await deployment.ask()
    clock.now_us += 3_000 * SECOND_US
    await deployment.admission.settle(long, Usage(1_000, 400), Delivered(began=True))
    assert await deployment.used() == 300, "what exceeds the reservation is charged now"


async def test_each_plan_is_shown_and_held_to_its_own_limit(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 1/day, scale: {pro: 3}")
    pro = replace(facts(), principal=Principal(Account("a", plan="pro")))
    free = replace(facts(), principal=Principal(Account("b", plan="free")))
    shown = [(await deployment.ask(pro)).decision.quota_states[0] for _ in range(3)]
    assert [(state.limit, state.remaining) for state in shown] == [(3, 2), (3, 1), (3, 0)]
    refused = (await deployment.ask(pro)).decision.refusal
    assert refused is not None
    assert refused.message.startswith("Limit of 3 requests a day reached.")
    assert (await deployment.ask(free)).decision.allowed
    assert not (await deployment.ask(free)).decision.allowed


async def test_an_account_that_changes_its_plan_keeps_what_it_used(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 2/day, scale: {pro: 2}")
    for plan, allowed in [("free", True), ("free", True), ("free", False), ("pro", True)]:
        of = replace(facts(), principal=Principal(Account("a", plan=plan)))
        assert (await deployment.ask(of)).decision.allowed == allowed


async def test_a_quota_holds_only_those_whom_its_condition_means(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 1/day, when: 'request.model == \"small\"'")
    assert (await deployment.ask(facts(model="small"))).decision.allowed
    assert not (await deployment.ask(facts(model="small"))).decision.allowed
    assert (await deployment.ask(facts(model="large"))).decision.allowed


@pytest.mark.parametrize(
    ("fact", "name"),
    [("payment", "pm_1"), ("network", "AS64500"), ("origin", "reseller")],
)
async def test_accounts_that_share_something_share_its_quota(
    clock: Clock, fact: str, name: str
) -> None:
    deployment = Deployment(clock, f"limit: 1/day, per: {fact}, missing: skip")
    first, second = (
        replace(facts(), principal=Principal(Account(account, attributes={fact: name})))
        for account in ("a", "b")
    )
    assert (await deployment.ask(first)).decision.allowed
    assert not (await deployment.ask(second)).decision.allowed
    assert (await deployment.ask(facts("c"))).decision.allowed, (
        "without it the quota is passed over"
    )


async def test_a_shadow_quota_counts_as_if_it_had_enforced(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 2/day, mode: shadow, warn_at: 50%")
    codes = []
    for _ in range(4):
        decision = (await deployment.ask()).decision
        assert decision.allowed
        codes += [reason.code for reason in decision.reasons]
    assert codes == ["near_limit", "near_limit", "would_refuse", "would_refuse"]


def asking(session: str | None, account: str = "acct_1", **rest: int) -> Facts:
    asked = facts(account, **rest)  # type: ignore[arg-type]
    return replace(asked, ask=replace(asked.ask, session=session))


CAP = "limit: 2 requests/day, per: [account, session], missing: {}"


async def test_a_session_has_its_iteration_cap_and_another_begins_anew(clock: Clock) -> None:
    deployment = Deployment(clock, CAP.format("skip"))
    allowed = [
        (await deployment.ask(asking(*who))).decision.allowed
        for who in (("a",), ("a",), ("a",), ("b",), ("a", "acct_2"), (None,), (None,), (None,))
    ]
    assert allowed == [True, True, False, True, True, True, True, True]


async def test_who_names_no_session_is_counted_or_refused_as_the_quota_says(clock: Clock) -> None:
    deployment = Deployment(clock, CAP.format("account"))
    allowed = [(await deployment.ask(asking(None))).decision.allowed for _ in range(3)]
    assert allowed == [True, True, False]
    refusal = (await Deployment(clock, CAP.format("refuse")).ask(asking(None))).decision.refusal
    assert refusal is not None
    assert refusal.kind is RefusalKind.MALFORMED
    assert "request.session" in refusal.message


async def test_a_session_has_its_budget_in_money(clock: Clock) -> None:
    rule = "limit: 0.003 USD/day, per: [account, session], missing: skip, unpriced: refuse"
    deployment = Deployment(clock, rule)
    dear, another = (
        asking(session, input_tokens=500, max_output_tokens=100) for session in ("a", "b")
    )
    assert (await deployment.ask(dear)).decision.allowed
    refusal = (await deployment.ask(dear)).decision.refusal
    assert refusal is not None
    assert refusal.message.startswith("Limit of 0.003 USD a day reached.")
    assert (await deployment.ask(another)).decision.allowed


async def test_a_condition_can_ask_for_a_session(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 1/day, when: 'request.session != \"\"'")
    allowed = [
        (await deployment.ask(asking(session))).decision.allowed
        for session in ("a", "b", None, None)
    ]
    assert allowed == [True, False, True, True]


LARGE = "when: 'request.model == \"large\"'"


async def test_an_exception_takes_the_place_of_what_it_overrides(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 1/day", f"limit: 2/day, overrides: q0, {LARGE}")
    allowed = [
        (await deployment.ask(facts(model=model))).decision.allowed
        for model in ("small", "small", "large", "large", "large")
    ]
    assert allowed == [True, False, True, True, False]
    decision = (await deployment.ask(facts(model="large"))).decision
    assert [charge.limit.quota_id for charge in decision.charges] == ["q1"]
    assert [tuple(one) for one in decision.overridden] == [("q0", "q1")]
    assert [reason.policy_id for reason in decision.reasons] == ["q1"]


async def test_what_is_always_holds_beside_every_exception(clock: Clock) -> None:
    rules = ("limit: 3/day, always: true", "limit: 1/day", f"limit: 9/day, overrides: q1, {LARGE}")
    deployment = Deployment(clock, *rules)
    allowed = [(await deployment.ask(facts(model="large"))).decision.allowed for _ in range(4)]
    assert allowed == [True, True, True, False]


async def test_what_was_overridden_has_counted_nothing(clock: Clock) -> None:
    deployment = Deployment(clock, "limit: 1/day", f"limit: 9/day, overrides: q0, {LARGE}")
    for _ in range(5):
        await deployment.ask(facts(model="large"))
    assert (await deployment.ask(facts(model="small"))).decision.allowed
