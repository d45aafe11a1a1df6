"""What an operator's hand means, without any store."""

from gateway.decision.hand import FOR_EVER_US, UNTOUCHED, Ban, Grant, Hand, LastSeen
from gateway.policy.quota import Unit, WindowKind
from tests.parts.values import charge, limit

BAN = Ban(until_us=2000)
MORE = Grant("quota", Unit.REQUESTS, 5, until_us=1000)


def test_what_has_lapsed_is_gone_and_the_rest_stays() -> None:
    hand = Hand(BAN, (MORE,))
    assert (hand.until_us, hand.unchanged_until_us) == (2000, 1000)
    assert hand.at(999) is hand
    assert hand.at(1000) == Hand(BAN)
    assert hand.at(2000) == UNTOUCHED


def test_no_hand_never_changes_by_itself() -> None:
    assert (UNTOUCHED.until_us, UNTOUCHED.unchanged_until_us) == (0, FOR_EVER_US)


def test_grants_add_up_and_leave_the_meter_as_it_is() -> None:
    one = charge(limit(10))
    (raised,) = Hand(grants=(MORE, MORE)).on((one,))
    assert (raised.limit.amount, raised.limit.ceiling) == (20, 20)
    assert raised.limit.meter == one.limit.meter


def test_a_bucket_is_filled_higher_and_not_faster() -> None:
    (raised,) = Hand(grants=(MORE,)).on((charge(limit(10, kind=WindowKind.BUCKET, burst=3)),))
    assert (raised.limit.amount, raised.limit.burst) == (10, 8)


def test_grants_are_taken_back_quota_by_quota() -> None:
    other = Grant("other", Unit.REQUESTS, 5, until_us=1000)
    hand = Hand(grants=(MORE, other))
    assert hand.without_grants("quota").grants == (other,)
    assert hand.without_grants(None) == UNTOUCHED


def test_a_ban_that_was_seen_is_known_while_nobody_can_be_asked() -> None:
    seen = LastSeen()
    seen.told("acme", b"stored", Hand(BAN))
    assert seen.ban("acme", 1999) == BAN
    assert seen.ban("acme", 2000) is None
    assert seen.ban("other", 0) is None
    seen.told("acme", b"", UNTOUCHED)
    assert seen.of("acme") == (b"", UNTOUCHED)


def test_what_was_seen_is_bounded() -> None:
    seen = LastSeen()
    for i in range(16_400):
        seen.told(f"a{i}", b"stored", Hand(BAN))
    assert seen.ban("a0", 0) is None
    assert seen.ban("a16399", 0) == BAN
