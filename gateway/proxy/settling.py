"""Settles one permit, patiently: once for each reservation, so it may safely be tried again."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from gateway.admission import Admission, Permit
from gateway.decision.port import Reservation
from gateway.decision.settlement import Delivered, Settlement
from gateway.errors import StoreUnavailable
from gateway.facts.usage import Usage

_log = logging.getLogger(__name__)

WAITS_S: tuple[float, ...] = (0.25, 2.0)
"""Between the tries. A failover of Redis was seen to take 2.2-2.6 s."""


TAKE_BACK_WAITS_S: tuple[float, ...] = (0.5, 2.0, 5.0)
"""Before each try to take back what a silent store may have reserved."""


async def settle(
    admission: Admission, permit: Permit, usage: Usage, delivered: Delivered, request_id: str
) -> Settlement | None:
    """None if nothing was allowed.

    Raises `StoreUnavailable` if the store stayed away: then the reservation stands, and its slots
    lapse with their lease.
    """
    for wait_s in WAITS_S:
        try:
            return await admission.settle(permit, usage, delivered)
        except StoreUnavailable as error:
            _log.info("%s: settlement will be tried again: store %s", request_id, error.kind)
        await asyncio.sleep(wait_s)
    return await admission.settle(permit, usage, delivered)


async def take_back(admission: Admission, doubtful: Sequence[Reservation], request_id: str) -> None:
    """Release what was asked of a store that did not answer, in case it was carried out after all.

    The store may still come to it, so that a release finds nothing does not mean that there is
    nothing: each is tried until one is found, or the tries are used up.
    """
    left = list(doubtful)
    for wait_s in TAKE_BACK_WAITS_S:
        await asyncio.sleep(wait_s)
        for reservation in tuple(left):
            with contextlib.suppress(StoreUnavailable):
                if await admission.take_back(reservation):
                    left.remove(reservation)
        if not left:
            return
    _log.info("%s: nothing was found to take back from the store", request_id)
