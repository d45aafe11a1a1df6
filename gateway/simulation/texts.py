"""Texts to ask with: drawn without repetition while they last, then varied.

A variation has other words and other numbers near its beginning and its end, and sometimes another
middle. Both sides of a simulation are varied alike, so the varying itself tells them not apart.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

_EDGE_CHARACTERS = 90
"""At either end, within which words change."""
_SWAPS = 2
_LEAST_LETTERS = 4
_SHARE_OF_OTHER_MIDDLES = 0.25
_WORD = re.compile(r"\w+")
_SWAPPED = re.compile(rf"[^\W\d_]{{{_LEAST_LETTERS},}}")
_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"[^.!?\n。！？]+(?:[.!?。！？]+|\n+|$)")  # noqa: RUF001  full-width marks are meant
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

_TOPIC_LEAST, _TOPIC_MOST_SHARE = 4, 0.03
"""A topic is a word that so many texts have: at least four, at most three in a hundred."""
_TOPIC_LETTERS = 5
_SENTENCES = (1, 4)


class Texts:
    """One source. What is drawn from it depends on `draw` alone."""

    def __init__(self, name: str, items: Sequence[str]) -> None:
        self.name = name
        self.items = items

    @cached_property
    def words(self) -> dict[bool, list[str]]:
        """The vocabulary, by whether a word begins with a capital."""
        found: dict[bool, set[str]] = {False: set(), True: set()}
        for text in self.items[:3_000]:
            for word in _WORD.findall(text[:400]):
                if len(word) >= _LEAST_LETTERS and word.isalpha() and not _UNSPACED.search(word):
                    found[word[0].isupper()].add(word)
        return {capital: sorted(words) or ["thing"] for capital, words in found.items()}

    def any(self, draw: random.Random) -> str:
        return self.items[int(draw.random() * len(self.items))]

    def vary(self, text: str, draw: random.Random) -> str:
        if len(text) <= 2 * _EDGE_CHARACTERS:
            return self._swap(text, draw)
        head, tail = text[:_EDGE_CHARACTERS], text[-_EDGE_CHARACTERS:]
        middle = text[_EDGE_CHARACTERS:-_EDGE_CHARACTERS]
        if draw.random() < _SHARE_OF_OTHER_MIDDLES:
            middle = self.any(draw)[_EDGE_CHARACTERS:-_EDGE_CHARACTERS] or middle
        return self._swap(head, draw) + middle + self._swap(tail, draw)

    def _swap(self, piece: str, draw: random.Random) -> str:
        """Other numbers, and other words in the places of some; sizes and capitals stay."""
        if _UNSPACED.search(piece):
            return self._swap_unspaced(piece, draw)
        spans = [match.span() for match in _SWAPPED.finditer(piece)]
        for at in sorted({int(draw.random() * len(spans)) for _ in range(_SWAPS)}, reverse=True):
            if not spans:
                break
            begin, end = spans[at]
            same = self.words[piece[begin].isupper()]
            piece = piece[:begin] + same[int(draw.random() * len(same))] + piece[end:]
        return _NUMBER.sub(lambda m: _other_number(m.group(), draw), piece)

    def _swap_unspaced(self, piece: str, draw: random.Random) -> str:
        """Chinese or Japanese: two characters near the beginning, two near the end."""
        other = self.any(draw)
        for at in (int(draw.random() * 5), max(0, len(piece) - 3 - int(draw.random() * 5))):
            begin = int(draw.random() * max(1, len(other) - 2))
            piece = piece[:at] + other[begin : begin + 2] + piece[at + 2 :]
        return piece


class Deck:
    """All texts of a source in a shuffled order, each once; then variations for ever."""

    def __init__(
        self, texts: Texts, draw: random.Random, items: Sequence[str] | None = None
    ) -> None:
        """`items`: a part of the source's; by default all."""
        self._texts = texts
        self._draw = draw
        self._left = list(texts.items if items is None else items)
        self._all = tuple(self._left)
        draw.shuffle(self._left)

    def next(self) -> str:
        if self._left:
            return self._left.pop()
        draw = self._draw
        return self._texts.vary(self._all[int(draw.random() * len(self._all))], draw)


class Topic:
    """Texts that have a word in common; openings are put together from their sentences."""

    def __init__(self, texts: Texts, items: Sequence[str]) -> None:
        self._texts = texts
        self._items = items
        self._sentences: dict[int, list[str]] = {}

    def opening(self, draw: random.Random) -> str:
        at = int(draw.random() * len(self._items))
        sentences = self._of(at)
        begin = int(draw.random() * len(sentences))
        number = draw.randint(*_SENTENCES)
        taken = sentences[begin : begin + number]
        if len(taken) < number:
            other = self._of(int(draw.random() * len(self._items)))
            taken.append(other[int(draw.random() * len(other))])
        return self._texts.vary("".join(taken).strip(), draw)

    def _of(self, at: int) -> list[str]:
        found = self._sentences.get(at)
        if found is None:
            text = self._items[at][:4_000]
            found = [one for one in _SENTENCE.findall(text) if one.strip()] or [text]
            self._sentences[at] = found
        return found


class Topics:
    """Of all texts that people really ask with."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        by_word: dict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(texts.items):
            for word in _topic_words(text):
                by_word[word].append(at)
        most = max(_TOPIC_LEAST, len(texts.items) * _TOPIC_MOST_SHARE)
        self._topics = [
            found for _, found in sorted(by_word.items()) if _TOPIC_LEAST <= len(found) <= most
        ] or [list(range(len(texts.items)))]
        self._made: dict[int, Topic] = {}

    def any(self, draw: random.Random) -> Topic:
        at = int(draw.random() * len(self._topics))
        if at not in self._made:
            items = [self._texts.items[one] for one in self._topics[at]]
            self._made[at] = Topic(self._texts, items)
        return self._made[at]


def distinct(texts: Iterable[str]) -> list[str]:
    """Without blanks and repetitions, in their order."""
    return list(dict.fromkeys(one for text in texts if (one := text.strip())))


def _topic_words(text: str) -> set[str]:
    if _UNSPACED.search(text):
        return {text[at : at + 2] for at in range(min(200, len(text) - 1))}
    return {
        word
        for word in _WORD.findall(text[:1_500].lower())
        if len(word) >= _TOPIC_LETTERS and word.isalpha()
    }


def _other_number(digits: str, draw: random.Random) -> str:
    if len(digits) == 1:
        return str(draw.randint(1, 9))
    low = 10 ** (min(len(digits), 9) - 1)
    return str(draw.randint(low, 10 * low - 1))
