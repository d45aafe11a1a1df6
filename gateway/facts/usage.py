"""Tokens of one exchange, in one meaning for all dialects.

Dialects disagree on what stands inside what (Anthropic counts cached tokens beside the input,
OpenAI inside). Here `input_tokens` is everything the model read, cached or not; `output_tokens` is
everything it wrote, reasoning included; the others are parts of these two. A count that was not
reported is None, never zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from gateway.values import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Usage:
    """What the model API reported. Counts are whole tokens, never negative."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """Read from a cache; part of the input."""
    cache_write_tokens: int | None = None
    """Written to a cache; part of the input."""
    reasoning_tokens: int | None = None
    """Thought, not shown; part of the output."""
    absurd: bool = field(default=False, compare=False)
    """A count was told that cannot be one, and was passed over."""

    @property
    def complete(self) -> bool:
        """Both directions are known, so nothing has to be estimated."""
        return self.input_tokens is not None and self.output_tokens is not None

    def updated_by(self, later: "Usage") -> "Usage":
        """A later report wins, count by count; what it does not tell stays as it was."""
        return Usage(
            _latest(self.input_tokens, later.input_tokens),
            _latest(self.output_tokens, later.output_tokens),
            _latest(self.cached_tokens, later.cached_tokens),
            _latest(self.cache_write_tokens, later.cache_write_tokens),
            _latest(self.reasoning_tokens, later.reasoning_tokens),
            self.absurd or later.absurd,
        )


def _latest(known: int | None, later: int | None) -> int | None:
    return known if later is None else later


UNREPORTED = Usage()


MAX_TOKENS = 2**40
"""No honest count is larger: 10^12 tokens is a thousand years of one stream."""


def token_count(value: object) -> int | None:
    """A count as it stands in JSON, or None where it is absent or absurd.

    Negative, fractional, boolean, textual and astronomical values are treated as not reported:
    a hostile or broken upstream must neither refund what was never charged nor overflow a counter.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_TOKENS else None


NEVER_ABSURD_TOKENS = 10_000_000
"""Ten times the longest context there is: a count up to this is believed whatever passed."""

_MOST_FOR_ONE_DELIVERED = 16
"""Tokens of output for each that was seen; the others were thought, or come to less than four bytes
each."""


def most_output_tokens(delivered: int) -> int:
    """What a model may at most have written of which so much was delivered."""
    return max(_MOST_FOR_ONE_DELIVERED * delivered, NEVER_ABSURD_TOKENS)


_COUNTS = ("tokens", "Tokens", "TokenCount")
"""How the names of counts end, in all dialects. Costs and rates stand beside them."""


def has_absurd_count(usage: Mapping[str, Any]) -> bool:
    """Something in this report, or in the details within it, is named a count and cannot be one."""
    details = (value.items() for value in usage.values() if isinstance(value, dict))
    return any(
        value is not None and name.endswith(_COUNTS) and token_count(value) is None
        for name, value in chain(usage.items(), *details)
    )
