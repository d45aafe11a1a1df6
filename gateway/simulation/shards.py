"""One source in parts by topic: what accounts of an adaptive campaign share out among them.

Two rounds of assigning each text to the part whose words it shares most, rare words counting more.
"""

import math
import random
import re
from collections import Counter

from gateway.simulation.texts import Texts

_ROUNDS = 2
_CENTRE_WORDS = 60
_LETTERS = 3
_READ_CHARACTERS = 600
_LEAST = 20
"""Texts in a part, if there are enough."""
_WORD = re.compile(r"[^\W\d_]+")


def shards(texts: Texts, number: int, draw: random.Random) -> list[list[str]]:
    """So many parts, if there are so many texts; every text is in one of them."""
    words = [_words(text) for text in texts.items]
    seen_in = Counter(word for found in words for word in found)
    weight = {word: math.log(len(words) / times) for word, times in seen_in.items()}
    centres = [dict.fromkeys(words[at], 1.0) for at in _beginnings(len(words), number, draw)]
    parts: list[list[int]] = []
    for _ in range(_ROUNDS):
        parts = [[] for _ in centres]
        for at, found in enumerate(words):
            parts[_nearest(found, centres, weight)].append(at)
        centres = [_centre([words[at] for at in part]) for part in parts]
    return _large_enough([[texts.items[at] for at in part] for part in parts])


def _beginnings(texts: int, number: int, draw: random.Random) -> list[int]:
    return draw.sample(range(texts), min(number, texts))


def _nearest(found: set[str], centres: list[dict[str, float]], weight: dict[str, float]) -> int:
    near = [
        sum([centre[word] * weight[word] for word in found if word in centre]) for centre in centres
    ]
    return near.index(max(near))


def _centre(part: list[set[str]]) -> dict[str, float]:
    counts = Counter(word for found in part for word in found)
    return {word: times / len(part) for word, times in counts.most_common(_CENTRE_WORDS)}


def _large_enough(parts: list[list[str]]) -> list[list[str]]:
    """What is too small is filled up from the largest."""
    least = min(_LEAST, sum(map(len, parts)) // len(parts))
    for part in parts:
        while len(part) < least:
            part.append(max(parts, key=len).pop())
    return parts


def _words(text: str) -> set[str]:
    found = _WORD.findall(text[:_READ_CHARACTERS].lower())
    return {word for word in found if len(word) >= _LETTERS}
