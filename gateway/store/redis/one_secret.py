"""All who share a store name their accounts with the same secret, or each limit counts twice.

The first one leaves a fingerprint of its secret, from which nothing can be told of the secret. It
lapses, so that a store that was given up can be used under another one; whoever runs keeps it.
"""

import logging
import time

from gateway.errors import SettingsError
from gateway.store.redis.link import Admin

_log = logging.getLogger(__name__)

LASTS_SECONDS = 30 * 24 * 3600
LOOK_AGAIN_SECONDS = 3600.0
"""So often it is kept from lapsing, and put back where the store has lost it."""


class OneSecret:
    """What this process shows of its secret, and where."""

    def __init__(self, admin: Admin, key: str, fingerprint: str) -> None:
        self._admin = admin
        self._key = key
        self._fingerprint = fingerprint
        self._due_s = 0.0
        """On this process's own clock."""

    async def demand(self) -> None:
        """Raises `SettingsError` if others share the store with another secret."""
        found = await self._admin.first_of(self._key, self._fingerprint, LASTS_SECONDS)
        self._due_s = time.monotonic() + LOOK_AGAIN_SECONDS
        if found != self._fingerprint:
            raise SettingsError(
                "GAUGER_SECRET: the gaugers that share this store have another secret. With two, "
                "each account has two names there, and twice its limits. Give this one theirs. If "
                "the secret was changed on purpose, stop all of them, delete the key "
                f"{self._key} from the store, and start them with the new one."
            )

    async def look_again(self) -> None:
        """If it is time. A process that serves goes on serving, and says what is wrong."""
        if time.monotonic() < self._due_s:
            return
        try:
            await self.demand()
        except SettingsError as error:
            _log.error("%s", error)
