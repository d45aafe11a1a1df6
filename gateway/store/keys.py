"""Keys that nobody can forge: whose counter it is, hashed.

Callers choose part of a partition (the model's name, the end user). Names and values are hashed
with their lengths, so that `a/b` + `c` never meets `a` + `b/c`, and none stands in a key as it was
sent.

Partitions of one account share a hash tag, so that a cluster keeps them in one slot and one script
can charge them. The tag only places a key; what tells two partitions apart is the digest behind it.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from gateway.decision.plan import Partition

ACCOUNT = "account.id"

_TAG_BYTES = 9
_PARTITION_BYTES = 18  # a second preimage takes 2^144 tries
_METER_BYTES = 6  # told apart only from the few other meters of one partition
_HOLDER_BYTES = 8  # told apart only from what is open in one partition
_REMEMBERED = 16_384


@lru_cache(_REMEMBERED)
def partition_key(prefix: str, partition: Partition) -> str:
    """`prefix:{tag}:digest`."""
    account = [part for part in partition.parts if part[0] == ACCOUNT]
    tag = _digest(account or partition.parts, _TAG_BYTES)
    return f"{prefix}:{{{tag}}}:{_digest(partition.parts, _PARTITION_BYTES)}"


def account_pattern(prefix: str, account: str) -> str:
    """Matches every partition that an account's counters are in."""
    return f"{prefix}:{{{_digest([(ACCOUNT, account)], _TAG_BYTES)}}}:*"


@lru_cache(_REMEMBERED)
def meter_field(meter: str) -> str:
    """The meter's field in its partition's hash: short, since every account stores it."""
    return urlsafe_b64encode(blake2b(meter.encode(), digest_size=_METER_BYTES).digest()).decode()


def holder_digest(reservation_id: str) -> bytes:
    return blake2b(reservation_id.encode(), digest_size=_HOLDER_BYTES).digest()


def _digest(parts: Iterable[tuple[str, str]], size: int) -> str:
    hashed = blake2b(digest_size=size)
    for part in parts:
        for text in part:
            encoded = text.encode("utf-8", "surrogatepass")  # JSON can hold half a character
            hashed.update(len(encoded).to_bytes(8, "big"))
            hashed.update(encoded)
    return urlsafe_b64encode(hashed.digest()).decode()
