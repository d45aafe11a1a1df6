"""How alike prompts are: within one account, and across the accounts of a group.

A prompt is a vector of length 1 (`facts.fingerprint`: keyed hashes of its words, each once). Sums
of such vectors tell the mean cosine over all pairs without keeping any of them:

    c = (P - A + K b) / (N^2 - B + K)      pairs of prompts of different accounts
    w = (A - N + K w0) / (B - N + K)       pairs of different prompts of one account

with S the sum over all members, N prompts, P = |S|^2, A the sum of every member's own |S_a|^2 and B
that of the squares of its number of prompts. K prior pairs keep small groups near what is usual (b,
w0). Source: the cohort rule measured for this project; its formulas are in
`gateway/docs/behaviours.md`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.facts.fingerprint import DIMENSIONS
from gateway.facts.prompt_traits import Sketch

POOL_PROMPTS = 32
"""Of one account so many are looked at; more would not change the mean, and he could drown it."""

PRIOR_PAIRS = 50

Vector = NDArray[np.float32]


@dataclass(slots=True)
class Baseline:
    """What is usual: of pairs across accounts (b) and within one (w0)."""

    across: float = 0.02
    within: float = 0.05


USUAL = Baseline()


def vector_of(sketch: Sketch) -> Vector:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[list(sketch.places)] = sketch.values
    return vector


class Pool:
    """The prompts of one account, as a sum."""

    __slots__ = ("prompts", "square", "vector")

    def __init__(self) -> None:
        self.vector: Vector = np.zeros(DIMENSIONS, np.float32)
        self.prompts = 0
        self.square = 0.0
        """|vector|^2."""

    @property
    def full(self) -> bool:
        return self.prompts >= POOL_PROMPTS

    def gain(self, prompt: Vector) -> float:
        """By how much `square` grows with this prompt."""
        return 2.0 * float(self.vector.dot(prompt)) + 1.0

    def add(self, prompt: Vector, gain: float) -> None:
        self.vector += prompt
        self.prompts += 1
        self.square += gain


class Cohort:
    """The prompts of a group's members, as a sum. Every pool is in it once or not at all."""

    __slots__ = ("pools", "prompts", "squares", "vector", "within")

    def __init__(self) -> None:
        self.vector: Vector = np.zeros(DIMENSIONS, np.float32)
        self.pools = 0
        self.prompts = 0
        self.within = 0.0
        """The sum of every pool's `square`."""
        self.squares = 0
        """The sum of the squares of every pool's number of prompts."""

    def join(self, pool: Pool) -> None:
        self._count(pool, 1)

    def leave(self, pool: Pool) -> None:
        self._count(pool, -1)

    def _count(self, pool: Pool, sign: int) -> None:
        self.vector += sign * pool.vector
        self.pools += sign
        self.prompts += sign * pool.prompts
        self.within += sign * pool.square
        self.squares += sign * pool.prompts * pool.prompts

    def add(self, prompt: Vector, pool: Pool, gain: float) -> None:
        """A further prompt of a pool that is in here. Before `Pool.add`."""
        self.vector += prompt
        self.prompts += 1
        self.within += gain
        self.squares += 2 * pool.prompts + 1

    def across(self, usual: Baseline = USUAL) -> float:
        """c: the mean cosine of prompts of different accounts."""
        square = float(self.vector.dot(self.vector))
        pairs = self.prompts * self.prompts - self.squares
        return (square - self.within + PRIOR_PAIRS * usual.across) / (pairs + PRIOR_PAIRS)

    def inside(self, usual: Baseline = USUAL) -> float:
        """w: the mean cosine of different prompts of one account."""
        pairs = self.squares - self.prompts
        return (self.within - self.prompts + PRIOR_PAIRS * usual.within) / (pairs + PRIOR_PAIRS)

    def exchangeability(self, usual: Baseline = USUAL) -> float:
        """C / w: near 1 where all members draw from one pool. 0 if nothing can be said."""
        inside = self.inside(usual)
        return self.across(usual) / inside if inside > 0 else 0.0

    def cohesion(self, usual: Baseline = USUAL) -> float:
        """C - b."""
        return self.across(usual) - usual.across

    def alike(self, pool: Pool, usual: Baseline = USUAL, *, member: bool) -> float:
        """How like the others' prompts this account's are, over the group's own cohesion.

        `member`: the pool is among the sum, and is taken out of it first. 0 if nothing can be said.
        """
        others = self.prompts - (pool.prompts if member else 0)
        cohesion = self.cohesion(usual)
        if others <= 0 or not pool.prompts or cohesion <= 0:
            return 0.0
        shared = float(self.vector.dot(pool.vector)) - (pool.square if member else 0.0)
        return (shared / (others * pool.prompts) - usual.across) / cohesion


class Questions:
    """Novel questions of a group, whoever asked them: a successor is known by its first ones."""

    __slots__ = ("prompts", "vector")

    def __init__(self) -> None:
        self.vector: Vector = np.zeros(DIMENSIONS, np.float32)
        self.prompts = 0

    def add(self, prompt: Vector) -> None:
        self.vector += prompt
        self.prompts += 1


@dataclass(frozen=True, slots=True)
class Likeness:
    """What is kept of a contained fleet to know its successors by."""

    mean: Vector
    cohesion: float

    def kinship(self, asked: Questions, usual: Baseline = USUAL) -> float:
        """How near questions are to this fleet's, over the fleet's own cohesion."""
        if not asked.prompts or self.cohesion < LEAST_COHESION:
            return 0.0
        shared = float(self.mean.dot(asked.vector)) / asked.prompts
        return (shared - usual.across) / self.cohesion


LEAST_COHESION = 0.01
"""Below it a fleet's prompts are too varied to know another by."""


def likeness(cohort: Cohort, usual: Baseline = USUAL) -> Likeness | None:
    """None if there is nothing to remember."""
    if not cohort.prompts:
        return None
    return Likeness(cohort.vector / np.float32(cohort.prompts), cohort.cohesion(usual))
