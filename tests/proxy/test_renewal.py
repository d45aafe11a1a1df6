import asyncio

import pytest

from gateway.admission import Admission, Rules
from gateway.facts.estimate import OutputEstimator
from gateway.policy.quota import Unit
from gateway.proxy.background import Background
from gateway.proxy.renewal import Renewal
from tests.parts.values import facts, limit, policies, quota
from tests.proxy.stage import Ledger


class Slow(Ledger):
    """Renews when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.renewing = asyncio.Event()
        self.may_renew = asyncio.Event()
        self.story: list[str] = []

    async def renew(self, reservation: object) -> None:
        del reservation
        self.renewing.set()
        await self.may_renew.wait()
        self.story.append("renewed")


async def renewal(store: Ledger, unit: Unit, lease_us: int) -> Renewal:
    rules = Rules(policies(quota(limit(5, unit, lease_us=lease_us))))
    admission = Admission(store, rules, OutputEstimator(), lambda: "r1")
    return Renewal(admission, await admission.admit(facts()), Background())


async def test_a_slot_is_renewed_again_and_again() -> None:
    store = Ledger()
    subject = await renewal(store, Unit.CONCURRENT, 3_000)
    subject.start()
    assert [await store.renewals.get() for _ in range(3)] == ["r1"] * 3
    await subject.stop()


async def test_a_renewal_under_way_ends_before_the_settlement_may_begin() -> None:
    store = Slow()
    subject = await renewal(store, Unit.CONCURRENT, 3_000)
    subject.start()
    await store.renewing.wait()
    stopping = asyncio.create_task(subject.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    store.may_renew.set()
    await stopping
    assert store.story == ["renewed"]


async def test_an_exchange_that_holds_no_slot_sets_no_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = await renewal(Ledger(), Unit.REQUESTS, 3_000)

    def armed(*_: object) -> None:
        pytest.fail("a timer was set")

    monkeypatch.setattr(subject, "_arm", armed)
    subject.start()
    await subject.stop()
