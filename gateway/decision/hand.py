"""An operator's hand on one account: shut out until a moment, or granted more of a quota.

It is kept beside the account's counters and looked at in the same step that charges them, so that
it holds on every replica with the next request.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.decision.plan import Charge, Partition
from gateway.policy.quota import Limit, Unit, WindowKind

ACCOUNT = "account.id"

FOR_EVER_US = 2**52
"""A moment that nobody waits for: in the year 2112."""

_REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Ban:
    """Nothing of the account's is served until then."""

    until_us: int
    code: str = "account_suspended"
    why: str = ""
    """The operator's own sentence; for the trace, never for the caller."""


@dataclass(frozen=True, slots=True)
class Grant:
    """More of a quota, for this account, until then."""

    quota_id: str
    unit: Unit
    """Of the quota's limits only those in this unit are raised."""
    units: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Hand:
    ban: Ban | None = None
    grants: tuple[Grant, ...] = ()

    @property
    def until_us(self) -> int:
        """When nothing of it is left; 0 if nothing is there."""
        return max(self._moments(), default=0)

    @property
    def unchanged_until_us(self) -> int:
        """When the first of it lapses."""
        return min(self._moments(), default=FOR_EVER_US)

    def at(self, now_us: int) -> "Hand":
        """Without what has lapsed."""
        if now_us < self.unchanged_until_us:
            return self
        ban = self.ban if self.ban and now_us < self.ban.until_us else None
        return Hand(ban, tuple(grant for grant in self.grants if now_us < grant.until_us))

    def with_ban(self, ban: Ban | None) -> "Hand":
        """None lifts it."""
        return replace(self, ban=ban)

    def with_grant(self, grant: Grant) -> "Hand":
        """What was granted before stays, until its own end."""
        return replace(self, grants=(*self.grants, grant))

    def without_grants(self, quota_id: str | None) -> "Hand":
        """None: of all quotas."""
        kept = [g for g in self.grants if quota_id is not None and g.quota_id != quota_id]
        return replace(self, grants=tuple(kept))

    def on(self, charges: tuple[Charge, ...]) -> tuple[Charge, ...]:
        """The same charges under the limits that the account has with what it was granted.

        Only what is counted by the account: a limit that others share is not one account's.
        """
        return tuple([self._on(charge) for charge in charges]) if self.grants else charges

    def _on(self, charge: Charge) -> Charge:
        limit = charge.limit
        more = sum(g.units for g in self.grants if (g.quota_id, g.unit) == _granted_by(limit))
        if not more or all(name != ACCOUNT for name, _ in charge.partition.parts):
            return charge
        return replace(charge, limit=_raised(limit, more))

    def _moments(self) -> Iterable[int]:
        if self.ban:
            yield self.ban.until_us
        for grant in self.grants:
            yield grant.until_us


UNTOUCHED = Hand()


class LastSeen:
    """What the store said last of those accounts that a hand is on; for asking it, and for outages.

    Bounded: what was not looked at for longest is forgotten, and the store will tell it again.
    """

    def __init__(self) -> None:
        self._hands: OrderedDict[str, tuple[bytes, Hand]] = OrderedDict()

    def of(self, account: str) -> tuple[bytes, Hand]:
        """As the store keeps it, and what it means."""
        return self._hands.get(account, (b"", UNTOUCHED))

    def told(self, account: str, stored: bytes, hand: Hand) -> None:
        self._hands.pop(account, None)
        if stored:
            self._hands[account] = (stored, hand)
            while len(self._hands) > _REMEMBERED:
                self._hands.popitem(last=False)

    def ban(self, account: str, now_us: int) -> Ban | None:
        """While the store is away this is all that is known."""
        return self.of(account)[1].at(now_us).ban


def own_partition(account: str) -> Partition:
    """That of the account alone, where its hand is kept."""
    return Partition(((ACCOUNT, account),))


def _granted_by(limit: Limit) -> tuple[str, Unit]:
    return limit.quota_id, limit.unit


def _raised(limit: Limit, more: int) -> Limit:
    """A bucket is filled higher, not faster: its pace gives its state its meaning."""
    if limit.kind is WindowKind.BUCKET:
        return replace(limit, burst=limit.burst + more)
    return replace(limit, amount=limit.amount + more, burst=limit.burst + more)
