"""Settles one permit, patiently: once for each reservation, so it may safely be tried again."""

import asyncio
import logging

from gateway.admission import Admission, Permit
from gateway.decision.settlement import Delivered, Settlement
from gateway.errors import StoreUnavailable
from gateway.facts.usage import Usage

_log = logging.getLogger(__name__)

WAITS_S: tuple[float, ...] = (0.25, 2.0)
"""Between the tries. A failover of Redis was seen to take 2.2-2.6 s."""


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
