"""A reservation that grows with its stream, over the memory store."""

from itertools import count

from gateway.admission import Admission, Rules
from gateway.decision.plan import Charge
from gateway.decision.port import Reserved
from gateway.decision.settlement import Delivered
from gateway.errors import StoreUnavailable
from gateway.facts.estimate import OutputEstimator
from gateway.facts.refusal import RefusalKind
from gateway.facts.usage import UNREPORTED, Usage
from gateway.policy.quota import SECOND_US, Mode, Unit
from gateway.store.memory import MemoryStore
from tests.parts.values import facts, limit, policies, quota

NOW_US = 1_800_000_000 * SECOND_US
TOKENS = limit(1_000, Unit.TOKENS, quota_id="tokens")
OUTPUT = limit(900, Unit.OUTPUT_TOKENS, quota_id="output")
REQUESTS = limit(9, quota_id="requests")
SLOTS = limit(3, Unit.CONCURRENT, quota_id="slots")
RULES = Rules(policies(*(quota(one) for one in (REQUESTS, TOKENS, OUTPUT, SLOTS))))


class Muffled(MemoryStore):
    """Does what it is asked, and does not say so as long as it is muffled."""

    kind: str | None = None

    async def reserve(
        self, reservation_id: str, charges: tuple[Charge, ...], account: str = ""
    ) -> Reserved:
        reserved = await super().reserve(reservation_id, charges, account)
        if self.kind:
            raise StoreUnavailable("did not answer", kind=self.kind)
        return reserved


def admission(rules: Rules = RULES) -> tuple[Admission, Muffled]:
    store, numbers = Muffled(lambda: NOW_US), count()
    return Admission(store, rules, OutputEstimator(), lambda: f"r{next(numbers)}"), store


async def used(by: Admission) -> list[int]:
    """Without what the question itself reserves."""
    asked = await by.admit(facts(input_tokens=1, max_output_tokens=1))
    decision = asked.decision
    assert decision.allowed
    await by.settle(asked, Usage(0, 0), Delivered(began=True))
    return [
        reading.used - charge.amount
        for charge, reading in zip(decision.charges, decision.readings, strict=True)
    ]


async def test_all_that_grows_is_reserved_in_one_step_and_settled_as_one() -> None:
    subject, store = admission()
    permit = await subject.admit(facts(input_tokens=10, max_output_tokens=100))
    for _ in range(2):
        extended = await subject.extend(permit, 50)
        assert extended.refusal is None
        permit = extended.permit
    assert await used(subject) == [1, 210, 200, 1]
    for _ in range(2):
        await subject.settle(permit, Usage(10, 170), Delivered(began=True))
    assert await used(subject) == [2, 180, 170, 0]
    assert await store.open_reservations() == 0


async def test_what_was_written_beyond_all_extensions_is_debt() -> None:
    subject, _ = admission()
    permit = await subject.admit(facts(input_tokens=10, max_output_tokens=100))
    permit = (await subject.extend(permit, 50)).permit
    await subject.settle(permit, Usage(10, 800), Delivered(began=True))
    assert await used(subject) == [1, 810, 800, 0]


async def test_a_refused_extension_charges_no_limit() -> None:
    subject, _ = admission()
    permit = await subject.admit(facts(input_tokens=200, max_output_tokens=700))
    extended = await subject.extend(permit, 150)
    assert extended.permit.extensions == ()
    assert extended.refusal is not None
    assert extended.refusal.kind is RefusalKind.RATE
    assert extended.refusal.retry_after_us
    assert await used(subject) == [1, 900, 700, 1]


async def test_a_quota_in_shadow_mode_ends_no_stream() -> None:
    rules = Rules(policies(quota(OUTPUT), quota(TOKENS, mode=Mode.SHADOW)))
    subject, store = admission(rules)
    permit = await subject.admit(facts(input_tokens=200, max_output_tokens=700))
    extended = await subject.extend(permit, 150)
    assert extended.refusal is None
    assert [c.limit for e in extended.permit.extensions for c in e.charges] == [OUTPUT]
    await subject.settle(extended.permit, UNREPORTED, Delivered(began=False))
    assert await store.open_reservations() == 0


async def test_a_policy_that_was_reloaded_meanwhile_changes_nothing_for_a_stream() -> None:
    rules = Rules(RULES.policies)
    subject, _ = admission(rules)
    permit = await subject.admit(facts(input_tokens=200, max_output_tokens=700))
    rules.put_in_force(policies())
    assert (await subject.extend(permit, 150)).refusal is not None
    assert (await subject.extend(permit, 50)).refusal is None


async def test_each_attempt_has_an_id_of_its_own() -> None:
    """The store takes back what it may have charged under the id that had no answer."""
    subject, store = admission()
    permit = await subject.admit(facts(input_tokens=10, max_output_tokens=100))
    store.kind = "timeout"
    away = await subject.extend(permit, 50)
    assert away.store_away
    assert away.refusal is not None
    assert away.refusal.kind is RefusalKind.STORE_UNAVAILABLE
    store.kind = None
    permit = (await subject.extend(away.permit, 50)).permit
    assert [one.id for one in permit.extensions] == ["r0.2"]
    await subject.settle(permit, Usage(10, 120), Delivered(began=True))
    assert await store.open_reservations() == 1
