"""Who is asking: the account, and what is known of it.

Identity comes from the verified credential alone. A credential is kept only as a keyed hash
(HMAC-SHA256 under the deployment's secret), so that neither a dump of the store nor a log tells a
key, and two deployments cannot be joined by their hashes.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})

ANONYMOUS = "key_"
"""Begins the names of accounts that are nothing but an unknown key."""

_NAMED_ELSEWHERE = re.compile(rf"(?!{ANONYMOUS})[!-~](?:[ -~]{{0,253}}[!-~])?")

IPV6_HOST_PREFIX = 64
"""One host has all the addresses of a /64, so they count as one (RFC 4291, 2.5.1)."""


def can_name_account(text: str) -> bool:
    """Whether a token's issuer or a front proxy may call an account this.

    It is printed in traces: 1 to 255 printable ASCII characters (OpenID Connect Core, 2: `sub`),
    and never a name that we make ourselves.
    """
    return _NAMED_ELSEWHERE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays. `id` is safe to print; it is never a credential."""

    id: str
    plan: str | None = None
    organization: str | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_ATTRIBUTES)
    created_at_s: int | None = None
    """Seconds since the epoch, if the operator told us."""


@dataclass(frozen=True, slots=True)
class Principal:
    """An account together with where this exchange comes from."""

    account: Account
    client_address: str | None = None
    """An IP address. That of the peer, or what trusted front proxies say of the one before them."""
    by_token: bool = False
    """It was named by a signed token. That is meant for us alone, and goes no further."""

    @property
    def client_network(self) -> str | None:
        return network_of(self.client_address)


def network_of(address: str | None) -> str | None:
    """What addresses are counted by: an IPv4 address, or the /64 of an IPv6 address."""
    if address is None or ":" not in address:
        return address
    return str(ipaddress.IPv6Network((address, IPV6_HOST_PREFIX), strict=False))


@dataclass(frozen=True, slots=True)
class Secret:
    """The deployment's secret. Its repr is safe."""

    key: bytes = field(repr=False)

    def credential_hash(self, credential: str) -> str:
        """64 hexadecimal digits by which the accounts file knows a credential."""
        return self._digest(b"gauger/credential", credential.encode()).hex()

    def anonymous_account_id(self, credential: str) -> str:
        """The name of the account that an unknown credential is, where such are admitted."""
        return ANONYMOUS + self._digest(b"gauger/account", credential.encode()).hex()[:20]

    @property
    def prompt_key(self) -> bytes:
        """By which prompts, accounts and groups are hashed for behaviour policies."""
        return self._digest(b"gauger/prompt", b"")

    def fingerprint(self) -> str:
        """16 hexadecimal digits, which tell one secret from another and nothing of either."""
        return self._digest(b"gauger/secret", b"").hex()[:16]

    def pseudonym(self, value: str) -> str:
        """A stable name for a value that must not leave the process (`enduser.pseudo.id`)."""
        return self._digest(b"gauger/pseudonym", value.encode()).hex()[:20]

    def _digest(self, purpose: bytes, value: bytes) -> bytes:
        return hmac.digest(self.key, purpose + b"\x00" + value, hashlib.sha256)
