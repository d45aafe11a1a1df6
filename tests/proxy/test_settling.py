import pytest

from gateway.admission import Admission, Permit, Rules
from gateway.decision.settlement import Delivered
from gateway.errors import StoreUnavailable
from gateway.facts.estimate import OutputEstimator
from gateway.facts.usage import UNREPORTED
from gateway.policy.quota import Unit
from gateway.proxy import settling
from gateway.proxy.settling import settle
from tests.parts.values import facts, limit, policies, quota
from tests.proxy.stage import Ledger


async def admitted(store: Ledger) -> tuple[Admission, Permit]:
    rules = Rules(policies(quota(limit(5, Unit.REQUESTS))))
    admission = Admission(store, rules, OutputEstimator(), lambda: "r1")
    return admission, await admission.admit(facts())


@pytest.mark.parametrize("away", [0, 1, 2])
async def test_a_store_that_comes_back_takes_the_settlement(
    away: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "WAITS_S", (0.0, 0.0))
    store = Ledger()
    admission, permit = await admitted(store)
    store.away_for_settlements = away
    assert await settle(admission, permit, UNREPORTED, Delivered(began=False), "req_1")
    assert len(store.settled) == 1


async def test_a_store_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "WAITS_S", (0.0, 0.0))
    store = Ledger()
    admission, permit = await admitted(store)
    store.away_for_settlements = 99
    with pytest.raises(StoreUnavailable):
        await settle(admission, permit, UNREPORTED, Delivered(began=False), "req_1")
    assert store.away_for_settlements == 96
