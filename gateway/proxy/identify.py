"""The headers and the peer, to the account that pays.

The account of a request comes from what was verified: by a front proxy that is known by its
address, by an issuer's signature, or by a key's hash. In this order, and by nothing else: nothing
in a body names one.
"""

import re

from gateway.errors import GuessedTooOften, MalformedRequest, UnknownCredential
from gateway.facts.principal import Principal, Secret
from gateway.guessing import Guesses
from gateway.identity.front_proxy import FORWARDED_FOR, FrontProxy, readable_address
from gateway.identity.identities import Identities
from gateway.proxy.request_headers import NO_CLAIMS, RequestHeaders

MAX_CREDENTIAL = 8 * 1024
"""Characters. Signed tokens of identity providers reach 4 KiB; nothing honest is twice as long."""

_CREDENTIAL = re.compile(r"[!-~]+")


class Identifier:
    """Names the account of each exchange by the identities in force."""

    def __init__(
        self, secret: Secret, identities: Identities, guesses: Guesses | None = None
    ) -> None:
        """`guesses` limits what fails; None: nothing does."""
        self._secret = secret
        self._identities = identities
        self._guesses = guesses

    def put_in_force(self, identities: Identities) -> None:
        """From the next exchange on."""
        self._identities = identities

    @property
    def claims(self) -> frozenset[bytes]:
        """Headers in which a front proxy may say who asks: never forwarded, whoever sent them."""
        proxy = self._identities.front_proxy
        return NO_CLAIMS if proxy is None else proxy.headers

    async def principal(
        self, headers: RequestHeaders, peer_host: str | None, now_us: int
    ) -> Principal:
        """`headers` as they were read with `claims`, without waiting between.

        Raises `Unidentified`, `UnknownCredential`, `MalformedRequest` and `IdentityUnavailable`.
        None of them tells anything of a credential. Who has the right one is never kept out for
        the guesses of a neighbour behind the same address: only what failed is counted.
        """
        identities = self._identities
        address = None if peer_host is None else readable_address(peer_host)
        proxy = identities.front_proxy
        told: dict[bytes, bytes] | None = None
        if proxy is not None and address is not None and proxy.trusts(address):
            told = _told(headers, proxy)
            address = proxy.client_address(address, told)
        try:
            account = identities.by_front_proxy(proxy, told) if proxy and told is not None else None
            if account is not None:
                return Principal(account, address)
            credential = _readable(headers.credential())
            account = await identities.by_credential(credential, self._secret, now_us)
        except UnknownCredential:
            self._count_guess(address)
            raise
        return Principal(account, address, by_token=identities.takes_as_token(credential))

    def _count_guess(self, address: str | None) -> None:
        """Raises `GuessedTooOften`."""
        wait_us = None if self._guesses is None else self._guesses.failed(address)
        if wait_us is not None:
            raise GuessedTooOften(
                "Too many unknown API keys came from this address. Check the key, and wait.",
                retry_after_us=wait_us,
            ) from None


def _readable(credential: str) -> str:
    if len(credential) > MAX_CREDENTIAL or not _CREDENTIAL.fullmatch(credential):
        raise UnknownCredential("This is not an API key.")
    return credential


def _told(headers: RequestHeaders, proxy: FrontProxy) -> dict[bytes, bytes]:
    told: dict[bytes, bytes] = {}
    for name, value in headers.claimed:
        if name not in told:
            told[name] = value
        elif name == FORWARDED_FOR:
            told[name] += b"," + value
        elif name in proxy.headers:
            raise MalformedRequest(
                f"The header {name.decode()} appears twice.", field=name.decode()
            )
    return told
