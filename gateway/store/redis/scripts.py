"""The Lua scripts, as they are loaded: the meters in front of each."""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    text: str
    sha: str
    """What the server knows it by."""


def _load(name: str) -> Script:
    folder = files("gateway.store") / "scripts"
    text = (folder / "meters.lua").read_text() + (folder / f"{name}.lua").read_text()
    return Script(name, text, sha1(text.encode(), usedforsecurity=False).hexdigest())


RESERVE = _load("reserve")
SETTLE = _load("settle")
RENEW = _load("renew")
ALL = (RESERVE, SETTLE, RENEW)
