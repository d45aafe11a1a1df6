"""Keyed fingerprints of a prompt: what it is cut from, and what it is about.

All are keyed with a secret of the deployment: without it nobody can look for collisions, or test a
guess against what is stored. None can be turned back into text.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from math import sqrt

from gateway.facts.phrases import PhraseLists
from gateway.facts.plain_words import plain, words
from gateway.facts.prompt_text import PromptText, prompt_text
from gateway.facts.prompt_traits import NO_SKETCH, NO_TRAITS, PromptTraits, Rest, Sketch
from gateway.facts.stop_words import STOP_WORDS

DIMENSIONS = 128

END_WORDS = 6
LONG_END_WORDS = 12
FRAMED_WORDS = 8
"""A shorter prompt is cut from no frame: `continue` and `thank you` are everybody's."""

LONG_FRAMED_WORDS = 20

_SHORT = 400
"""Characters: a text up to here is read as a whole."""

_HEAD = 160
_TAIL = 160
"""Of a longer one, where the first and the last words are looked for."""

_TEXT_HEAD = 1_000
_TEXT_TAIL = 500
"""By what two long texts are told apart, beside their length."""

_REMEMBERED_WORDS = 50_000
_REMEMBERED_TEXTS = 10_000


class Fingerprints:
    """Of one deployment."""

    def __init__(self, key: bytes, lists: PhraseLists | None = None) -> None:
        self._key = key[:64]
        self._lists = lists
        self._places: dict[str, tuple[int, float]] = {}
        """Of words: where in a vector, and with which sign."""
        self._known: dict[int, tuple[str, int]] = {}

    def of(self, body: Mapping[str, object]) -> PromptTraits:
        """Never raises, whatever the body is."""
        text = prompt_text(body)
        return NO_TRAITS if text is None else self.of_text(text)

    def of_text(self, text: PromptText) -> PromptTraits:
        """What is needed at once; the rest is worked out when it is asked for."""
        system, system_words = self._repeated("system", text.system)
        toolset, _ = self._repeated("toolset", text.tools)
        asked = text.asked
        if len(asked) <= _SHORT:
            first = last = words(plain(asked))
            count = len(first)
        else:
            first, last = words(plain(asked[:_HEAD])), words(plain(asked[-_TAIL:]))
            count = LONG_FRAMED_WORDS
        frames = self._frames(first, last, count, system)
        return PromptTraits(
            frames=frames,
            system=system,
            system_words=system_words,
            toolset=toolset,
            single=text.single,
            later=lambda: self._rest(text),
        )

    def _frames(
        self, first: Sequence[str], last: Sequence[str], count: int, system: str | None
    ) -> tuple[str, ...]:
        if count < FRAMED_WORDS:
            return ()
        ends = " ".join([*first[:END_WORDS], "|", *last[-END_WORDS:], "|", system or ""])
        frames = [self._hash("ends", ends)]
        if count >= LONG_FRAMED_WORDS:
            frames.append(self._hash("head", " ".join(first[:LONG_END_WORDS])))
            frames.append(self._hash("tail", " ".join(last[-LONG_END_WORDS:])))
        return tuple(frames)

    def _rest(self, text: PromptText) -> Rest:
        asked = plain(text.asked)
        said = words(asked)
        matched = self._lists.matched(asked, plain(text.system)) if self._lists else ()
        return Rest(
            text=self._hash("text", _told_apart(asked)) if said else "",
            beginning=self._hash("beginning", " ".join(said[:END_WORDS])) if said else "",
            end=self._hash("end", " ".join(said[-END_WORDS:])) if said else "",
            words=len(said),
            sketch=self._sketch(said),
            lists=matched,
        )

    def _sketch(self, said: Sequence[str]) -> Sketch:
        """The distinct words that say something, each once, in a vector of length 1."""
        found: dict[int, float] = {}
        places = self._places
        for word in _telling(said):
            place = places.get(word)
            if place is None:
                if len(places) >= _REMEMBERED_WORDS:
                    places.clear()
                place = places[word] = self._place(word)
            at, sign = place
            found[at] = found.get(at, 0.0) + sign
        square = sum([one * one for one in found.values()])
        if not square:
            return NO_SKETCH
        scale = 1.0 / sqrt(square)
        return Sketch(tuple(found), tuple([one * scale for one in found.values()]))

    def _place(self, word: str) -> tuple[int, float]:
        digest = blake2b(word.encode(errors="surrogatepass"), key=self._key, digest_size=2).digest()
        return digest[0] % DIMENSIONS, 1.0 if digest[1] & 1 else -1.0

    def _repeated(self, purpose: str, text: str) -> tuple[str | None, int]:
        """Of what comes again and again: remembered by a hash of this process, not as text.

        The fingerprint, and the number of words.
        """
        if not text:
            return None, 0
        known = hash((purpose, text))
        found = self._known.get(known)
        if found is None:
            if len(self._known) >= _REMEMBERED_TEXTS:
                self._known.clear()
            said = plain(text)
            found = self._known[known] = self._hash(purpose, said), len(words(said))
        return found

    def _hash(self, purpose: str, text: str) -> str:
        """16 hexadecimal digits."""
        return blake2b(
            f"{purpose}\x00{text}".encode(errors="surrogatepass"), key=self._key, digest_size=8
        ).hexdigest()


def _told_apart(asked: str) -> str:
    if len(asked) <= _TEXT_HEAD + _TEXT_TAIL:
        return asked
    return f"{len(asked)} {asked[:_TEXT_HEAD]} {asked[-_TEXT_TAIL:]}"


def _telling(said: Sequence[str]) -> set[str]:
    """Signs of scripts without spaces count in pairs."""
    distinct = set(said)
    telling = distinct - STOP_WORDS
    if "".join(telling).isascii():
        return telling
    pairs = {a + b for a, b in pairwise(said) if _sign(a) and _sign(b)}
    return telling | pairs


def _sign(word: str) -> bool:
    return len(word) == 1 and not word.isascii()
