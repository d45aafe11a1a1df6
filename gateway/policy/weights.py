"""How much each kind of token counts against a limit: the one idea behind all units but requests.

`tokens` counts every kind once, `output_tokens` only what was written, weighted tokens as the
operator says, and money by its price. A model API reports some kinds inside others (cached tokens
are input, reasoning is output); here they are apart, so that none counts twice.
"""

from dataclasses import dataclass, field

from gateway.facts.usage import Usage
from gateway.values import made_often

ONE = 1_000_000
"""Weights are in millionths, so that a weight of 0.1 and a price of 0.075 USD are whole numbers."""


@made_often
@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens by kind, none inside another."""

    input: int = 0
    """Read, and neither from a cache nor into one."""
    cached: int = 0
    """Read from a cache."""
    cache_write: int = 0
    """Read, and written to a cache."""
    output: int = 0
    """Written, and no reasoning."""
    reasoning: int = 0


def counts(input_tokens: int, output_tokens: int, parts: Usage) -> TokenCounts:
    """`parts` tells what of both is special. What it does not tell is plain input and output.

    A report that contradicts itself (more cached than read) never makes an exchange cheaper or
    dearer than all of its tokens: parts are cut to the whole.
    """
    cached = min(parts.cached_tokens or 0, input_tokens)
    cache_write = min(parts.cache_write_tokens or 0, input_tokens - cached)
    reasoning = min(parts.reasoning_tokens or 0, output_tokens)
    return TokenCounts(
        input_tokens - cached - cache_write,
        cached,
        cache_write,
        output_tokens - reasoning,
        reasoning,
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """What one token of each kind counts, in millionths. Never negative."""

    input: int
    cached: int
    cache_write: int
    output: int
    reasoning: int
    dearest_input: int = field(init=False, repr=False, compare=False)
    """The most that a token of the input can count, whatever kind it turns out to be."""
    dearest_output: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dearest_input", max(self.input, self.cached, self.cache_write))
        object.__setattr__(self, "dearest_output", max(self.output, self.reasoning))

    def units(self, of: TokenCounts) -> int:
        """Whole units, rounded up: whatever counts at all counts at least one."""
        return _rounded_up(
            self.input * of.input
            + self.cached * of.cached
            + self.cache_write * of.cache_write
            + self.output * of.output
            + self.reasoning * of.reasoning
        )

    def most(self, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens can count, whatever kinds they turn out to be."""
        return _rounded_up(self.dearest_input * input_tokens + self.dearest_output * output_tokens)

    def declared(self, input_tokens: int, output_tokens: int) -> int:
        """What so much plain input counts, and so much output at the most."""
        return _rounded_up(self.input * input_tokens + self.dearest_output * output_tokens)


def dearest(of: tuple[Weights, ...]) -> Weights:
    """Of each kind the highest; `of` is not empty."""
    return Weights(
        input=max(weights.input for weights in of),
        cached=max(weights.cached for weights in of),
        cache_write=max(weights.cache_write for weights in of),
        output=max(weights.output for weights in of),
        reasoning=max(weights.reasoning for weights in of),
    )


def _rounded_up(millionths: int) -> int:
    return -(-millionths // ONE)
