"""What an operator asks of one account and does to it; each deed leaves a line in the audit log."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.console.audit import AuditLog, Operator
from gateway.decision.hand import ACCOUNT, FOR_EVER_US, Ban, Grant, Hand
from gateway.decision.plan import Charge, Partition
from gateway.decision.port import OperatorStore, Reading
from gateway.facts.principal import Account
from gateway.policy.quota import SECOND_US, Limit, Missing, Policies, Quota, Unit
from gateway.source.wording import allowed_words


class Mistake(Exception):
    """What was asked for cannot be done; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class AccountDesk:
    """Acts through the store, so that all replicas know with their next request."""

    store: OperatorStore
    policies: Callable[[], Policies]
    find: Callable[[str], Account | None]
    """A named account, by its id."""
    audit: AuditLog
    on_reset: Callable[[str, Collection[str]], None] = lambda _account, _meters: None
    """Hears of the account and of the meters that were reset."""

    async def show(self, account_id: str) -> dict[str, Any]:
        account = self.find(account_id)
        charges, elsewhere = self._charges(account or Account(account_id))
        found = await self.store.inspect(account_id, charges)
        judged = zip(charges, found.hand.on(charges), found.readings, strict=True)
        return {
            "account": account_id,
            "named": account is not None,
            "plan": account.plan if account else None,
            "organization": account.organization if account else None,
            **_told(found.hand),
            "open_reservations": await self.store.open_reservations_of(account_id),
            "quotas": [_row(one, raised.limit, reading) for one, raised, reading in judged],
            "counted_by_more": elsewhere,
        }

    async def block(
        self, account_id: str, who: Operator, *, why: str, code: str, for_s: int | None
    ) -> dict[str, Any]:
        until_us = await self._until_us(for_s)
        ban = Ban(until_us, code, why)
        hand = await self.store.change_hand(account_id, lambda hand: hand.with_ban(ban))
        return self._done("block", account_id, who, hand, why=why, code=code)

    async def unblock(self, account_id: str, who: Operator, *, why: str) -> dict[str, Any]:
        hand = await self.store.change_hand(account_id, lambda hand: hand.with_ban(None))
        return self._done("unblock", account_id, who, hand, why=why)

    async def grant(
        self,
        account_id: str,
        who: Operator,
        *,
        why: str,
        quota: str,
        unit: str | None,
        units: int,
        for_s: int,
    ) -> dict[str, Any]:
        """Raises `Mistake`."""
        granted = _unit(self._quota(quota), unit)
        grant = Grant(quota, granted, units, await self._until_us(for_s))
        hand = await self.store.change_hand(account_id, lambda hand: hand.with_grant(grant))
        return self._done(
            "grant", account_id, who, hand, why=why, quota=quota, unit=granted, units=units
        )

    async def reset(
        self, account_id: str, who: Operator, *, why: str, quota: str | None
    ) -> dict[str, Any]:
        """What is in flight stays so. Raises `Mistake`."""
        quotas = self.policies().quotas if quota is None else (self._quota(quota),)
        meters = {
            limit.meter for one in quotas for limit in one.limits if limit.unit != Unit.CONCURRENT
        }
        await self.store.reset(account_id, meters)
        self.on_reset(account_id, meters)
        return self._done("reset", account_id, who, None, why=why, quota=quota)

    def _charges(self, account: Account) -> tuple[tuple[Charge, ...], list[str]]:
        """One for each limit that is counted by what is known here, and the other quotas' ids."""
        charges, elsewhere = [], []
        for quota in self.policies().quotas:
            partition = _partition(quota, account)
            if partition is None:
                elsewhere.append(quota.id)
            else:
                charges += [Charge(limit, partition, 1) for limit in quota.limits_of(account.plan)]
        return tuple(charges), elsewhere

    def _quota(self, quota_id: str) -> Quota:
        quotas = {quota.id: quota for quota in self.policies().quotas}
        if quota_id not in quotas:
            raise Mistake(f"There is no quota {quota_id}. {allowed_words(quota_id, quotas)}")
        return quotas[quota_id]

    async def _until_us(self, for_s: int | None) -> int:
        """By the store's clock, by which it ends."""
        if for_s is None:
            return FOR_EVER_US
        return min(FOR_EVER_US, await self.store.clock_us() + for_s * SECOND_US)

    def _done(
        self, what: str, account_id: str, who: Operator, hand: Hand | None, **how: object
    ) -> dict[str, Any]:
        came_to = _told(hand) if hand else {}
        told = self.audit.write(who, what, {"account": account_id, **how, **came_to})
        return {**told, "named": self.find(account_id) is not None}


def _partition(quota: Quota, account: Account) -> Partition | None:
    """None if it is counted by more than what an account is."""
    values = {
        ACCOUNT: account.id,
        "account.plan": account.plan,
        "account.organization": account.organization,
    }
    parts: list[tuple[str, str]] = []
    for name in quota.per:
        if name not in values:
            return None
        value = values[name]
        if value is None and quota.missing is not Missing.ACCOUNT:
            return None
        part = (ACCOUNT, account.id) if value is None else (name, value)
        if part not in parts:
            parts.append(part)
    return Partition(tuple(parts))


def _unit(quota: Quota, asked: str | None) -> Unit:
    units = {limit.unit.value: limit.unit for limit in quota.limits}
    if asked is None and len(units) == 1:
        return next(iter(units.values()))
    if asked is None:
        raise Mistake(f"{quota.id} limits {', '.join(units)}. Say which: --unit.")
    if asked not in units:
        raise Mistake(f"{quota.id} does not limit {asked}. {allowed_words(asked, units)}")
    return units[asked]


def _told(hand: Hand) -> dict[str, Any]:
    ban = hand.ban
    return {
        "blocked": {"until": _moment(ban.until_us), "code": ban.code, "why": ban.why}
        if ban
        else None,
        "grants": [
            {"quota": g.quota_id, "unit": g.unit, "units": g.units, "until": _moment(g.until_us)}
            for g in hand.grants
        ],
    }


def _row(charge: Charge, raised: Limit, reading: Reading) -> dict[str, Any]:
    limit = charge.limit
    return {
        "quota": limit.quota_id,
        "unit": limit.unit,
        "counted_by": [name for name, _ in charge.partition.parts],
        "limit": limit.ceiling,
        "granted": raised.ceiling - limit.ceiling,
        "window_s": limit.window_us // SECOND_US or None,
        "used": reading.used,
        "remaining": max(0, raised.ceiling - reading.used),
        "free_after_s": -(-reading.full_after_us // SECOND_US),
    }


def _moment(at_us: int) -> str | None:
    """None: without an end."""
    if at_us >= FOR_EVER_US:
        return None
    return datetime.fromtimestamp(at_us / SECOND_US, UTC).isoformat(timespec="seconds")
