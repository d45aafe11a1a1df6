"""What the console is told each time somebody looks."""

from dataclasses import dataclass

from gateway.policy.quota import SECOND_US, Policies
from gateway.reload import Refused
from gateway.telemetry.metrics import Totals


@dataclass(frozen=True, slots=True)
class ConsoleStatus:
    version: str
    started_at_us: int
    now_us: int
    policies: Policies
    store: str
    """Its address, for people: without a password."""
    store_fault: str | None
    """Why the store does not answer; None if it did just now."""
    upstream: str
    """Its address, without a credential."""
    totals: Totals
    store_unready: str | None = None
    """Why that leaves nothing to do here; None if quotas hold without the store meanwhile."""
    accounts: int | None = None
    """How many the accounts file names; None if every key is an account of its own."""
    open_reservations: int | None = None
    """None if nobody has counted."""
    refused: tuple[Refused, ...] = ()
    """What operators wrote and what is not in force, since it cannot be used. The process goes on
    by what was in force, and is ready."""
    key_faults: tuple[str, ...] = ()
    """Of issuers whose keys do not come: from where, and why. Those known before stay in force."""
    stopping: bool = False
    """The process finishes what it has begun and takes nothing new."""

    @property
    def uptime_s(self) -> float:
        return (self.now_us - self.started_at_us) / SECOND_US

    @property
    def unready(self) -> str | None:
        """Why no traffic should be sent here; None if it may."""
        if self.stopping:
            return "stopping: what has begun is finished, and nothing new is taken"
        return self.store_unready

    @property
    def degraded(self) -> str | None:
        """What is not as it should be, though traffic may come."""
        if self.unready:
            return None
        lacking = [f"no keys come from {fault}" for fault in self.key_faults]
        if self.store_fault:
            lacking.append(
                f"the store does not answer: {self.store_fault}; each quota holds by its "
                "on_store_failure"
            )
        return "; ".join(lacking) or None
