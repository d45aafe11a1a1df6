"""Keyed hashes of 64 bits: by which accounts, groups and values are told apart and never known.

The key is the deployment's. Without it nobody can find two values that collide, test a guess
against what is stored, or choose whom a sample keeps.
"""

from collections.abc import Callable
from hashlib import blake2b

from gateway.policy.remembered import Remembered

Hash64 = Callable[[str], int]

LEAST = 2
"""0 is no value, 1 is everybody."""

REMEMBERED = 65_536


def hash64(key: bytes) -> Hash64:
    """Values come again and again, so the last ones are remembered."""
    remembered: Remembered[str, int] = Remembered(lambda text: hashed(key, text), REMEMBERED)
    return remembered


def hashed(key: bytes, text: str) -> int:
    digest = blake2b(text.encode(errors="surrogatepass"), key=key[:64], digest_size=8).digest()
    return max(LEAST, int.from_bytes(digest))


def group_key(hash64: Hash64, names: tuple[str, ...], values: tuple[str, ...]) -> int:
    """Of the group that has these values; lengths stand before values, so none imitates two."""
    return hash64(
        "".join(f"{name}={len(value)}:{value};" for name, value in zip(names, values, strict=True))
    )
