"""Keeps the slots of a living exchange: a lease that nobody renews is free again.

One timer for each exchange that holds slots; the first tick comes after a third of the lease, so
most exchanges end before it and cost nothing.
"""

import asyncio
import logging

from gateway.admission import Admission, Permit
from gateway.decision.renewing import renew_every_us
from gateway.errors import StoreUnavailable
from gateway.policy.quota import SECOND_US
from gateway.proxy.background import Background

_log = logging.getLogger(__name__)


class Renewal:
    """Renews from `start` to `stop`. A failure never harms the exchange."""

    def __init__(self, admission: Admission, permit: Permit, background: Background) -> None:
        self._admission = admission
        self._permit = permit
        self._background = background
        self._timer: asyncio.TimerHandle | None = None
        self._renewing: asyncio.Task[None] | None = None

    def start(self) -> None:
        reservation = self._permit.reservation
        every_us = renew_every_us(reservation.charges) if reservation else None
        if every_us is not None:
            self._every_s = every_us / SECOND_US
            self._arm()

    async def stop(self) -> None:
        """After this no renewal is under way.

        One that overtook the settlement could take the slot again.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._renewing is not None:
            await asyncio.wait({self._renewing})

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._tick)

    def _tick(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = self._background.start(self._renew())
        self._arm()

    async def _renew(self) -> None:
        try:
            await self._admission.renew(self._permit)
        except StoreUnavailable as error:
            _log.warning("a lease could not be renewed: store %s", error.kind)
