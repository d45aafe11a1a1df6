"""What an exchange will probably use, before it is sent on.

The input is estimated from its bytes; no vocabulary of any provider is loaded. The output, where
the caller declares no ceiling, from what this model wrote before.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class _Quantile:
    """A running quantile by stochastic approximation: one number, no history.

    Above the estimate a step up of QUANTILE, below it a step down of 1 - QUANTILE: in balance
    exactly when that share lies below. Steps are a share of the estimate, so the scale does
    not matter, and shrink as answers are seen, to a floor that follows a model's change of habit.
    """

    value: float
    seen: int = 0

    def learn(self, sample: int) -> None:
        self.seen += 1
        step = max(0.05, 1.0 / self.seen) * max(self.value, 16.0)
        if sample > self.value:
            self.value = min(float(sample), self.value + step * QUANTILE)
        else:
            self.value = max(float(sample), self.value - step * (1 - QUANTILE))


@dataclass(slots=True)
class OutputEstimator:
    """Learns from every answer how much a model writes when no ceiling is declared."""

    _by_model: OrderedDict[str, _Quantile] = field(default_factory=OrderedDict)

    def learn(self, model: str, output_tokens: int) -> None:
        """`output_tokens` of one choice that ended by itself."""
        quantile = self._by_model.get(model)
        if quantile is None:
            quantile = self._by_model[model] = _Quantile(float(UNKNOWN_MODEL_OUTPUT_TOKENS))
            if len(self._by_model) > MODELS_REMEMBERED:
                self._by_model.popitem(last=False)
        self._by_model.move_to_end(model)
        quantile.learn(output_tokens)

    def expect(self, model: str) -> int:
        """Tokens to reserve for one choice; at least 1."""
        quantile = self._by_model.get(model)
        return max(1, round(quantile.value)) if quantile else UNKNOWN_MODEL_OUTPUT_TOKENS
