"""Who is asking: the account, and what is known of it.

Identity comes from the verified credential alone. A credential is kept only as a keyed hash
(HMAC-SHA256 under the deployment's secret), so that neither a dump of the store nor a log tells a
key, and two deployments cannot be joined by their hashes.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


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


@dataclass(frozen=True, slots=True)
class Secret:
    """The deployment's secret. Its repr is safe."""

    key: bytes = field(repr=False)

    def credential_hash(self, credential: str) -> str:
        """64 hexadecimal digits by which the accounts file knows a credential."""
        return self._digest(b"gauger/credential", credential.encode()).hex()

    def anonymous_account_id(self, credential: str) -> str:
        """The name of the account that a credential is when no accounts file is configured."""
        return "key_" + self._digest(b"gauger/account", credential.encode()).hex()[:20]

    def pseudonym(self, value: str) -> str:
        """A stable name for a value that must not leave the process (`enduser.pseudo.id`)."""
        return self._digest(b"gauger/pseudonym", value.encode()).hex()[:20]

    def _digest(self, purpose: bytes, value: bytes) -> bytes:
        return hmac.digest(self.key, purpose + b"\x00" + value, hashlib.sha256)
