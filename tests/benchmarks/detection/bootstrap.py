"""What so few accounts can prove: bounds, and intervals that resample whole accounts."""

import random
from collections.abc import Sequence

ROUNDS = 400
LEVEL = 0.95


def bound(number: int) -> float:
    """The rate that so many trials without a hit exclude, with 95 % confidence."""
    return min(1.0, 3 / number) if number else 1.0


def ratio_interval(pairs: Sequence[tuple[int, int]], seed: int = 0) -> tuple[float, float]:
    """Of sum(hits) / sum(trials) over accounts, each (hits, trials)."""
    hit = [pair for pair in pairs if pair[0]]
    if not hit or not pairs:
        return 0.0, 0.0
    draw = random.Random(seed)
    ratios = []
    for _ in range(ROUNDS):
        sample = draw.choices(pairs, k=len(pairs))
        trials = sum(trials for _, trials in sample)
        ratios.append(sum(hits for hits, _ in sample) / trials if trials else 0.0)
    ratios.sort()
    edge = int(ROUNDS * (1 - LEVEL) / 2)
    return ratios[edge], ratios[-1 - edge]
