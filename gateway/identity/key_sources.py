"""Where the keys of issuers come from: a file, or a URL that is asked again and again.

A URL is asked in the background, and at once when a token names a key that is not known, though not
more often than every few seconds, whoever sends such tokens. What was fetched last stays in force
while the URL fails.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.facts.accounts import Accounts
from gateway.identity.front_proxy import FrontProxy
from gateway.identity.identities import NO_ACCOUNTS, Identities
from gateway.identity.key_fetch import fetch_keys
from gateway.identity.key_set import KeySet, UnusableKeys
from gateway.identity.rules import IdentityRules, KeyUrl
from gateway.identity.tokens import Issuer, KeySource, Tokens

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    refresh_s: float = 300.0
    """A key that is taken back is believed this much longer."""
    retry_s: float = 15.0
    """After a failure."""
    between_s: float = 5.0
    """At least, between two requests for the sake of an unknown key."""


USUAL = Pace()


class FixedKeys:
    """The keys of a file; those of another version are another source."""

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys

    async def renew(self) -> None:
        return


class UrlKeys:
    """The keys that a URL last told; none before it has."""

    def __init__(self, where: KeyUrl, pace: Pace = USUAL) -> None:
        """Begins to ask at once. `close` ends it, and leaves the keys as they are."""
        self.keys = KeySet()
        self._where = where
        self._pace = pace
        self._fails = False
        self.fault: str | None = None
        """Why no keys come now, in words that are safe to show."""
        self._closed = False
        self._asked_at_s = float("-inf")
        self._asking: asyncio.Task[None] | None = self._ask_now()
        self._refreshing = asyncio.get_running_loop().create_task(self._refresh())

    async def renew(self) -> None:
        if self._asking is None:
            now_s = asyncio.get_running_loop().time()
            if self._closed or now_s < self._asked_at_s + self._pace.between_s:
                return
            self._asking = self._ask_now()
        await asyncio.wait({self._asking})  # it is everybody's: whoever waits may leave

    def close(self) -> list[asyncio.Task[None]]:
        """What is still on its way out."""
        self._closed = True
        left = [task for task in (self._refreshing, self._asking) if task is not None]
        for task in left:
            task.cancel()
        return left

    async def _refresh(self) -> None:
        while True:
            if self._asking is not None:
                await asyncio.wait({self._asking})
            await asyncio.sleep(self._pace.retry_s if self._fails else self._pace.refresh_s)
            await self.renew()

    def _ask_now(self) -> "asyncio.Task[None]":
        return asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        try:
            fetched = await fetch_keys(self._where.url, self._where.context)
        except UnusableKeys as error:
            self._failed(error)
        else:
            self._told(fetched)
        finally:
            self._asked_at_s = asyncio.get_running_loop().time()
            self._asking = None

    def _told(self, fetched: KeySet) -> None:
        if self._fails:
            _log.warning("identities: keys come again from %s", self._where.url)
        self._fails, self.fault = False, None
        if fetched != self.keys:  # the same ones leave in force what they verified
            self.keys = fetched

    def _failed(self, error: UnusableKeys) -> None:
        if not self._fails:
            _log.error(
                "identities: no keys come from %s: %s. Those known before stay in force: %d.",
                self._where.url,
                error,
                len(self.keys),
            )
        self._fails = True
        self.fault = f"{urlsplit(self._where.url).hostname}: {error}"  # probes show it to anybody


class KeySources:
    """The sources in use, kept over reloads: a URL that stays keeps what it told."""

    def __init__(self, pace: Pace = USUAL) -> None:
        self._pace = pace
        self._by_url: dict[KeyUrl, UrlKeys] = {}

    def use(self, keys: Sequence[KeySet | KeyUrl]) -> list[KeySource]:
        """A source for each, in their order. What is not among them any more is closed."""
        for unused in self._by_url.keys() - {key for key in keys if isinstance(key, KeyUrl)}:
            self._by_url.pop(unused).close()
        return [self._source(key) for key in keys]

    @property
    def faults(self) -> tuple[str, ...]:
        """Of the URLs in use that fail now, each with why."""
        return tuple(source.fault for source in self._by_url.values() if source.fault is not None)

    async def aclose(self) -> None:
        left = [task for source in self._by_url.values() for task in source.close()]
        self._by_url.clear()
        await asyncio.gather(*left, return_exceptions=True)

    def _source(self, keys: KeySet | KeyUrl) -> KeySource:
        if isinstance(keys, KeySet):
            return FixedKeys(keys)
        if keys not in self._by_url:
            self._by_url[keys] = UrlKeys(keys, self._pace)
        return self._by_url[keys]


def make_identities(
    rules: IdentityRules | None, accounts: Accounts | None, sources: KeySources
) -> Identities:
    """What can be put in force. Does not wait: tokens wait for keys that are being asked for.

    With neither file any key is admitted; with an accounts file alone only those in it.
    """
    if rules is None:
        return Identities(accounts or NO_ACCOUNTS, admits_unknown_keys=accounts is None)
    opened = sources.use([issuer.keys for issuer in rules.issuers])
    issuers = [
        Issuer(issuer.entry, source) for issuer, source in zip(rules.issuers, opened, strict=True)
    ]
    return Identities(
        accounts or NO_ACCOUNTS,
        tokens=Tokens(issuers) if issuers else None,
        front_proxy=FrontProxy(rules.front_proxy) if rules.front_proxy is not None else None,
        admits_unknown_keys=rules.admits_unknown_keys,
    )
