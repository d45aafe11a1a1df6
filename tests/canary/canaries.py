"""Secrets made for one run, and the search for them, whole, in pieces and in disguise."""

import base64
import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

ALPHABET = string.ascii_letters + string.digits
LENGTH = 48
PIECE = 8
"""Of 62 letters: that one is somewhere by chance has 14 zeros behind the point."""


@dataclass(frozen=True, slots=True)
class Leak:
    place: str
    what: str
    """Which secret; never the secret itself, for a failing test is in a log, too."""
    how: str


class Canaries:
    """`canaries["prompt"]` is always the same text, made when it is first asked for."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        return self._texts[name]

    def __len__(self) -> int:
        return len(self._texts)

    def adopt(self, name: str, text: str) -> str:
        """A secret that had to be made in another way, such as a signed token."""
        self._texts[name] = text
        return text

    def leaks(self, places: Mapping[str, str]) -> list[Leak]:
        """Case is ignored: header names and hosts are written small."""
        folded = {place: text.lower() for place, text in places.items()}
        return [
            Leak(place, what, how)
            for what, text in self._texts.items()
            for how, looked_for in _forms(text)
            for place, said in folded.items()
            if looked_for.lower() in said
        ]


def _forms(text: str) -> Iterable[tuple[str, str]]:
    yield "whole", text
    for at in range(len(text) - PIECE + 1):
        piece = text[at : at + PIECE]
        if re.search(r"[a-z]", piece) and re.search(r"[0-9A-Z]", piece):
            yield "a piece", piece
    yield "in hexadecimal", text.encode().hex()
    yield "reversed", text[::-1]
    yield "percent-encoded", "".join(f"%{byte:02X}" for byte in text.encode())
    if quote(text) != text:
        yield "percent-encoded", quote(text)
    for shift in range(3):  # where it stands in a longer text, base64 has three forms of it
        encoded = base64.b64encode(b" " * shift + text.encode()).decode()
        yield "in base64", encoded[4 if shift else 0 : -4]
