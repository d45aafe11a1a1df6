"""The store that a URL names, and how it is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import SettingsError, StoreUnavailable
from gateway.policy.quota import Mode, OnStoreFailure, Policies
from gateway.store.memory import MemoryStore
from gateway.store.outage import OutageStore
from gateway.store.redis import RedisStore
from gateway.wiring.clock import wall_clock_us

_log = logging.getLogger(__name__)

AnyStore = MemoryStore | OutageStore


@dataclass(frozen=True, slots=True)
class Standing:
    """How the store is, and what that means for this process."""

    fault: str | None = None
    """Why it does not answer."""
    unready: str | None = None
    """Why no traffic should be sent here."""

    @property
    def state(self) -> str:
        """`ok`, `degraded` or `unavailable`; a metric's label."""
        if self.unready:
            return "unavailable"
        return "degraded" if self.fault else "ok"


def open_store(
    url: str,
    *,
    timeout_s: float = 0.05,
    replicas: int | None = None,
    on_fault: Callable[[str], None] = lambda _: None,
    secret_fingerprint: str | None = None,
) -> AnyStore:
    """`memory://`, or the URL of a Redis. Nothing is connected yet. Raises `SettingsError`."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryStore(wall_clock_us)
    if scheme.partition("+")[0] in ("redis", "rediss", "unix"):
        shared = RedisStore(url, timeout_seconds=timeout_s, secret_fingerprint=secret_fingerprint)
        return OutageStore(shared, clock=wall_clock_us, replicas=replicas, on_fault=on_fault)
    raise SettingsError(
        f'store: "{scheme}" is not known. Allowed: memory://, redis://HOST:PORT/DB, '
        "rediss:// (TLS), unix://PATH."
    )


async def greet(store: AnyStore) -> None:
    """Say at once what is wrong with the store.

    Raises `SettingsError` if others count in it under another secret.
    """
    if isinstance(store, MemoryStore):
        return
    try:
        await store.start()
    except StoreUnavailable as error:
        told = "" if store.replicas else " This replica has no share: see --replicas."
        _log.error(
            "The store does not answer (%s): until it does, each quota's on_store_failure holds.%s",
            error.kind,
            told,
        )
        return
    for warning in store.warnings:
        _log.warning("store: %s", warning)


async def standing(store: AnyStore, policies: Policies) -> Standing:
    """It asks the store, unless that is known to be away."""
    try:
        await store.ping()
    except StoreUnavailable as error:
        fault = error.kind
    else:
        return Standing()
    modes = {
        limit.on_store_failure
        for quota in policies.quotas
        if quota.mode is Mode.ENFORCE
        for limit in quota.limits
    }
    why = None
    if OnStoreFailure.CLOSED in modes:
        why = f"the store does not answer: {fault}; a quota is closed meanwhile"
    elif (
        OnStoreFailure.SHARE in modes and isinstance(store, OutageStore) and store.replicas is None
    ):
        why = f"the store does not answer: {fault}; this replica has no share"
    return Standing(fault, why)


def kind(url: str) -> str:
    """Without user, password, host or database."""
    return url.partition("://")[0]
