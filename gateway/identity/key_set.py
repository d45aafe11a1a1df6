"""The public keys of one issuer (a JWK set, RFC 7517), each good for the algorithms of its kind.

The algorithm is never the token's choice: a key verifies only what its own type, curve and `alg`
allow. There is no HMAC here, so no public key can be taken for a shared secret, and no `none`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jwt
import msgspec

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What may be allowed, with the type and curve of its keys (RFC 7518, 3.1; RFC 8037, 3.1)."""

MIN_RSA_BITS = 2048
"""RFC 7518, 3.3."""

MAX_KEYS = 256
"""Large issuers publish about ten."""


class UnusableKeys(Exception):
    """What was read is no set of public keys. The words are safe to log."""


class KeySet:
    """Keys by id and algorithm. Immutable."""

    __slots__ = ("_keys", "_material")

    def __init__(self, keys: Iterable[Mapping[str, Any]] = ()) -> None:
        """`keys` as JWKs. Those for other purposes or of unknown kinds are passed over.

        Raises `UnusableKeys`.
        """
        self._keys: dict[tuple[str | None, str], jwt.PyJWK] = {}
        self._material: dict[tuple[str | None, str], Mapping[str, Any]] = {}
        for key in keys:
            if "d" in key or "k" in key:
                raise UnusableKeys("it holds a private or shared key; only public ones belong here")
            for algorithm in _algorithms(key):
                self._add(algorithm, key)

    def _add(self, algorithm: str, key: Mapping[str, Any]) -> None:
        name = _key_id(key)
        if (name, algorithm) in self._keys:
            raise UnusableKeys("two of its keys have one key id")
        try:
            usable = jwt.PyJWK(dict(key), algorithm)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            raise UnusableKeys(f"one of its {key.get('kty')} keys cannot be read") from None
        if getattr(usable.key, "key_size", MIN_RSA_BITS) >= _min_bits(algorithm):
            self._keys[name, algorithm] = usable
            self._material[name, algorithm] = key

    def find(self, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
        """A token need not name its key where only one can be meant (RFC 7515, 4.1.4)."""
        if key_id is not None:
            return self._keys.get((key_id, algorithm))
        fitting = [key for (_, kind), key in self._keys.items() if kind == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def __len__(self) -> int:
        return len({name for name, _ in self._keys})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySet) and self._material == other._material

    __hash__ = None  # type: ignore[assignment]  # compared, never looked up


def parse_key_set(data: bytes) -> KeySet:
    """`{"keys": [...]}`, with at least one key that can verify. Raises `UnusableKeys`."""
    try:
        read = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise UnusableKeys("it is not JSON") from None
    keys = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise UnusableKeys('it is not a JWK set: {"keys": [...]}')
    if len(keys) > MAX_KEYS:
        raise UnusableKeys(f"it has more than {MAX_KEYS} keys")
    found = KeySet(keys)
    if not len(found):
        raise UnusableKeys(
            f"it has no key for signatures of a known kind: {', '.join(ALGORITHMS)}; RSA with at "
            f"least {MIN_RSA_BITS} bits"
        )
    return found


def _algorithms(key: Mapping[str, Any]) -> Iterator[str]:
    operations = key.get("key_ops")
    if key.get("use", "sig") != "sig" or (
        isinstance(operations, list) and "verify" not in operations
    ):
        return
    for name, (kind, curve) in ALGORITHMS.items():
        fits = kind == key.get("kty") and curve in (None, key.get("crv"))
        if fits and key.get("alg", name) == name:
            yield name


def _min_bits(algorithm: str) -> int:
    return MIN_RSA_BITS if ALGORITHMS[algorithm][0] == "RSA" else 0


def _key_id(key: Mapping[str, Any]) -> str | None:
    key_id = key.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise UnusableKeys("a key id is not text")
    return key_id
