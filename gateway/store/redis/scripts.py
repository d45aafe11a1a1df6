"""The Lua scripts, as they are loaded: what they share in front of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files

_SHARED = ("slices", "sliding", "paced", "bucket", "calendar", "leases", "partitions")
"""In this order: each uses what stands before it."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    text: str
    sha: str
    """What the server knows it by."""


def _load(name: str, shared: Sequence[str] = _SHARED) -> Script:
    folder = files("gateway.store") / "scripts"
    text = "\n".join((folder / f"{part}.lua").read_text() for part in (*shared, name))
    return Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


RESERVE = _load("reserve")
SETTLE = _load("settle")
RENEW = _load("renew")
REPLAY = _load("replay")
HAND = _load("hand")
PRESENT = _load("present", ())
ALL = (RESERVE, SETTLE, RENEW, REPLAY, HAND, PRESENT)
