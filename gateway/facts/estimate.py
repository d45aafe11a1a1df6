"""What an exchange will probably use, before it is sent on.

The input is estimated from its bytes; no vocabulary of any provider is loaded. The output, where
the caller declares no ceiling, from what this model wrote before.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from math import ceil

BYTES_PER_TOKEN = 4
"""The rule of thumb for English. Code and other scripts take more tokens per byte: 10-35 % off."""

IMAGE_TOKENS = 1_600
"""Flat, for one image: about the most that Anthropic counts (width x height / 750, after scaling).
OpenAI counts 765 for 1024 x 1024. The pixels are not looked at."""

FILE_TOKENS = 3_000
"""Flat, for one attached file or sound: the upper end of what Anthropic gives for a page of PDF."""

UNKNOWN_MODEL_OUTPUT_TOKENS = 1024
"""Before a model has answered once. The median answer is a quarter of it in public traces."""

QUANTILE = 0.95
"""The learned ceiling covers this share of the answers; the rest is settled as debt."""

ANSWERS_REMEMBERED = 64
"""Of each model: enough for a quantile, few enough to follow a change of habit."""

MODELS_REMEMBERED = 512
"""The caller chooses the name of the model, so the memory for names is bounded."""


def input_tokens(text_bytes: int, messages: int = 1) -> int:
    """The estimate for this much text, never 0 for something.

    `messages` counts the parts that the template of the model wraps, about four tokens each.
    """
    return -(-text_bytes // BYTES_PER_TOKEN) + 4 * messages


def output_tokens(text_bytes: int) -> int:
    """The estimate for so much text that a model has written."""
    return -(-text_bytes // BYTES_PER_TOKEN)


class _Recent:
    """The last answers of one model, and the ceiling that covers most of them.

    It begins with the guess for an unknown model, which the quantile leaves out once nineteen
    answers have been seen: a few short answers prove little.
    """

    __slots__ = ("_written", "ceiling")

    def __init__(self) -> None:
        self._written = deque([UNKNOWN_MODEL_OUTPUT_TOKENS], maxlen=ANSWERS_REMEMBERED)
        self.ceiling = UNKNOWN_MODEL_OUTPUT_TOKENS

    def learn(self, output_tokens: int) -> None:
        self._written.append(output_tokens)
        rank = ceil(QUANTILE * len(self._written))
        self.ceiling = max(1, sorted(self._written)[rank - 1])


@dataclass(slots=True)
class OutputEstimator:
    """Learns from every answer how much a model writes when no ceiling is declared."""

    _by_model: OrderedDict[str, _Recent] = field(default_factory=OrderedDict)

    def learn(self, model: str, output_tokens: int) -> None:
        """`output_tokens` of one choice that ended by itself."""
        recent = self._by_model.get(model)
        if recent is None:
            recent = self._by_model[model] = _Recent()
            if len(self._by_model) > MODELS_REMEMBERED:
                self._by_model.popitem(last=False)
        self._by_model.move_to_end(model)
        recent.learn(output_tokens)

    def expect(self, model: str) -> int:
        """Tokens to reserve for one choice; at least 1."""
        recent = self._by_model.get(model)
        return recent.ceiling if recent else UNKNOWN_MODEL_OUTPUT_TOKENS
