"""The async story of one exchange's charges, over the memory store."""

from collections.abc import Iterator
from itertools import count

import pytest

from gateway.admission import Admission, Rules
from gateway.decision.hand import Ban, Grant
from gateway.decision.outcome import Reason
from gateway.decision.plan import Charge
from gateway.decision.port import Reserved, StoreState
from gateway.decision.settlement import Basis, Delivered
from gateway.errors import StoreUnavailable
from gateway.facts.estimate import OutputEstimator
from gateway.facts.refusal import RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.quota import SECOND_US, Policies, Unit
from gateway.store.memory import MemoryStore
from tests.parts.values import MODELS, facts, limit, policies, quota


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_800_000_000_000_000

    def __call__(self) -> int:
        return self.now_us


class AbsentStore(MemoryStore):
    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        del reservation_id, charges, account
        raise StoreUnavailable("refused", kind="refused")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ids() -> Iterator[int]:
    return count()


def make(clock: Clock, ids: Iterator[int], rules: Policies) -> Admission:
    return Admission(
        MemoryStore(clock), Rules(rules), OutputEstimator(), lambda: f"reservation-{next(ids)}"
    )


async def test_unused_tokens_come_back(clock: Clock, ids: Iterator[int]) -> None:
    admission = make(clock, ids, policies(quota(limit(150, Unit.TOKENS))))
    first = await admission.admit(facts(input_tokens=10, max_output_tokens=100))
    assert first.decision.allowed
    assert not (await admission.admit(facts())).decision.allowed
    settled = await admission.settle(first, Usage(10, 20), Delivered(began=True))
    assert settled is not None
    assert settled.basis is Basis.REPORTED
    again = await admission.admit(facts())
    assert again.decision.allowed
    assert again.decision.readings[0].used == 30 + 110


async def test_a_refused_request_leaves_every_counter_untouched(
    clock: Clock, ids: Iterator[int]
) -> None:
    """LiteLLM charges a request's RPM although another limit refused it (litellm#39309)."""
    rules = policies(
        quota(limit(5, quota_id="requests")),
        quota(limit(120, Unit.TOKENS, quota_id="tokens")),
    )
    admission = make(clock, ids, rules)
    assert (await admission.admit(facts())).decision.allowed
    for _ in range(10):
        refused = await admission.admit(facts())
        assert not refused.decision.allowed
        assert refused.reservation is None
        assert [reading.used for reading in refused.decision.readings] == [1, 110]


async def test_choices_multiply_the_ceiling(clock: Clock, ids: Iterator[int]) -> None:
    admission = make(clock, ids, policies(quota(limit(1000, Unit.OUTPUT_TOKENS))))
    permit = await admission.admit(facts(max_output_tokens=100, choices=4))
    assert permit.decision.readings[0].used == 400


async def test_listing_models_costs_a_request_and_no_tokens(
    clock: Clock, ids: Iterator[int]
) -> None:
    rules = policies(
        quota(limit(5, quota_id="requests")), quota(limit(9, Unit.TOKENS, quota_id="tokens"))
    )
    permit = await make(clock, ids, rules).admit(facts(route=MODELS, model=None, input_tokens=0))
    assert [charge.limit.quota_id for charge in permit.decision.charges] == ["requests"]


async def test_an_answer_teaches_the_estimate_for_its_model(
    clock: Clock, ids: Iterator[int]
) -> None:
    admission = make(clock, ids, policies(quota(limit(10**6, Unit.OUTPUT_TOKENS))))
    for _ in range(20):
        permit = await admission.admit(facts(max_output_tokens=None))
        await admission.settle(permit, Usage(10, 40), Delivered(began=True))
    permit = await admission.admit(facts(max_output_tokens=None))
    assert permit.decision.charges[0].amount == 40


async def test_a_released_exchange_gives_back_all_but_the_request(
    clock: Clock, ids: Iterator[int]
) -> None:
    rules = policies(
        quota(limit(5, quota_id="requests")),
        quota(limit(500, Unit.TOKENS, quota_id="tokens")),
        quota(limit(1, Unit.CONCURRENT, quota_id="slots")),
    )
    admission = make(clock, ids, rules)
    permit = await admission.admit(facts())
    await admission.settle(permit, UNREPORTED, Delivered(began=False))
    after = await admission.admit(facts())
    assert [reading.used for reading in after.decision.readings] == [2, 110, 1]


async def test_without_quotas_the_store_is_not_asked(clock: Clock) -> None:
    admission = Admission(AbsentStore(clock), Rules(policies()), OutputEstimator(), lambda: "id")
    permit = await admission.admit(facts())
    assert permit.decision.allowed
    assert permit.decision.store is StoreState.UNUSED
    settled = await admission.settle(permit, Usage(1, 2), Delivered(began=True))
    assert settled is not None
    assert (settled.input_tokens, settled.output_tokens) == (1, 2)


async def test_an_absent_store_is_a_decision_and_no_exception(clock: Clock) -> None:
    rules = Rules(policies(quota(limit(5))))
    permit = await Admission(AbsentStore(clock), rules, OutputEstimator(), lambda: "id").admit(
        facts()
    )
    assert permit.decision.refusal is not None
    assert permit.decision.refusal.kind is RefusalKind.STORE_UNAVAILABLE
    assert permit.decision.store is StoreState.UNAVAILABLE


async def test_a_changed_limit_keeps_what_was_used(clock: Clock, ids: Iterator[int]) -> None:
    rules = Rules(policies(quota(limit(3))))
    store = MemoryStore(clock)
    admission = Admission(store, rules, OutputEstimator(), lambda: f"r{next(ids)}")
    for _ in range(3):
        assert (await admission.admit(facts())).decision.allowed
    rules.put_in_force(policies(quota(limit(5))))
    verdicts = [(await admission.admit(facts())).decision.allowed for _ in range(4)]
    assert verdicts == [True, True, False, False]


async def test_a_blocked_account_is_refused_for_good_and_nothing_is_charged(
    clock: Clock, ids: Iterator[int]
) -> None:
    store = MemoryStore(clock)
    rules = Rules(policies(quota(limit(5))))
    admission = Admission(store, rules, OutputEstimator(), lambda: f"r{next(ids)}")
    ban = Ban(clock.now_us + 1, "stolen_key", "Reported by its owner.")
    await store.change_hand("acct_1", lambda hand: hand.with_ban(ban))
    permit = await admission.admit(facts())
    assert permit.decision.refusal is not None
    assert permit.decision.refusal.kind is RefusalKind.BLOCKED
    assert permit.decision.reasons == (Reason("operator", "stolen_key", "Reported by its owner."),)
    assert "stolen" not in permit.decision.refusal.message
    assert permit.reservation is None
    assert await store.open_reservations() == 0
    assert (await admission.admit(facts("acct_2"))).decision.allowed
    clock.now_us += 1
    assert (await admission.admit(facts())).decision.allowed


async def test_a_block_holds_where_no_quota_matches(clock: Clock) -> None:
    store = MemoryStore(clock)
    admission = Admission(store, Rules(policies()), OutputEstimator(), lambda: "id")
    ban = Ban(clock.now_us + 1)
    await store.change_hand("acct_1", lambda hand: hand.with_ban(ban))
    assert not (await admission.admit(facts())).decision.allowed
    assert (await admission.admit(facts("acct_2"))).decision.store is StoreState.UNUSED


async def test_what_was_granted_is_shown_as_the_limit(clock: Clock, ids: Iterator[int]) -> None:
    store = MemoryStore(clock)
    rules = Rules(policies(quota(limit(2))))
    admission = Admission(store, rules, OutputEstimator(), lambda: f"r{next(ids)}")
    more = Grant("quota", Unit.REQUESTS, 3, clock.now_us + SECOND_US)
    await store.change_hand("acct_1", lambda hand: hand.with_grant(more))
    verdicts = [await admission.admit(facts()) for _ in range(6)]
    assert [permit.decision.allowed for permit in verdicts] == [True] * 5 + [False]
    (state,) = verdicts[2].decision.quota_states
    assert (state.limit, state.remaining) == (5, 2)


async def test_a_block_ends_the_growth_of_a_stream(clock: Clock, ids: Iterator[int]) -> None:
    store = MemoryStore(clock)
    rules = Rules(policies(quota(limit(10**6, Unit.TOKENS))))
    admission = Admission(store, rules, OutputEstimator(), lambda: f"r{next(ids)}")
    permit = await admission.admit(facts(max_output_tokens=None))
    ban = Ban(clock.now_us + SECOND_US)
    await store.change_hand("acct_1", lambda hand: hand.with_ban(ban))
    extended = await admission.extend(permit, 100)
    assert extended.refusal is not None
    assert extended.refusal.kind is RefusalKind.BLOCKED


async def test_a_crowd_that_was_refused_at_one_moment_is_told_to_come_at_many(
    clock: Clock, ids: Iterator[int]
) -> None:
    rules = policies(quota(limit(1)))
    store = MemoryStore(clock)
    admission = Admission(
        store, Rules(rules), OutputEstimator(), lambda: f"r{next(ids)}", retry_jitter_us=SECOND_US
    )
    exact = Admission(store, Rules(rules), OutputEstimator(), lambda: f"r{next(ids)}")
    await admission.admit(facts())
    needed = (await exact.admit(facts())).decision.refusal
    told = [(await admission.admit(facts())).decision.refusal for _ in range(50)]
    assert needed is not None
    assert needed.retry_after_us is not None
    added = [each.retry_after_us - needed.retry_after_us for each in told]  # type: ignore[operator,union-attr]
    assert all(0 <= us <= SECOND_US for us in added)
    assert len(set(added)) > 40


async def test_whoever_waits_as_told_with_jitter_is_admitted(
    clock: Clock, ids: Iterator[int]
) -> None:
    admission = Admission(
        MemoryStore(clock),
        Rules(policies(quota(limit(1)))),
        OutputEstimator(),
        lambda: f"r{next(ids)}",
        retry_jitter_us=SECOND_US,
    )
    await admission.admit(facts())
    refusal = (await admission.admit(facts())).decision.refusal
    assert refusal is not None
    assert refusal.retry_after_us is not None
    clock.now_us += refusal.retry_after_us
    assert (await admission.admit(facts())).decision.allowed
