"""Prompts out of a template: every request has other words, and every run has the same."""

import random
import re

_WORDS: tuple[str, ...] = (
    *("river", "lantern", "copper", "harbour", "meadow", "signal", "winter"),
    *("orchard", "granite", "feather", "compass", "thunder", "velvet", "market"),
    *("engine", "island", "marble", "canyon", "pepper", "ribbon", "saddle"),
    *("timber", "anchor", "bottle", "candle", "desert", "ember", "forest"),
    *("garden", "hollow", "ivory", "jungle", "kettle", "ladder", "mirror"),
    *("needle", "oyster", "pillow", "quartz", "rocket", "silver", "tunnel"),
    *("umbrella", "valley", "window", "yellow", "zephyr", "barley", "cotton"),
    *("dragon"),
)
_SENTENCE_WORDS = (6, 12)
_MOST_NUMBER = 9_999

_PLACEHOLDER = re.compile(r"\{(word|number|sentence)\}")


class Prompts:
    """Of one entry of traffic."""

    def __init__(self, template: str, seed: str) -> None:
        self._template = template
        self._fixed = _PLACEHOLDER.search(template) is None
        self._random = random.Random(seed)  # noqa: S311  variety, not a secret

    def next(self) -> str:
        if self._fixed:
            return self._template
        return _PLACEHOLDER.sub(self._fill, self._template)

    def _fill(self, match: re.Match[str]) -> str:
        if match.group(1) == "number":
            return str(self._random.randint(1, _MOST_NUMBER))
        if match.group(1) == "word":
            return self._random.choice(_WORDS)
        words: list[str] = self._random.choices(_WORDS, k=self._random.randint(*_SENTENCE_WORDS))
        return " ".join(words).capitalize() + "."
