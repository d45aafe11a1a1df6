"""Simulated time: what a store, an admission and a meter are told that it is."""

from dataclasses import dataclass


@dataclass(slots=True)
class SimulatedClock:
    """Microseconds since the epoch. Whoever drives the engine moves it, and never back."""

    now_us: int = 0

    def __call__(self) -> int:
        return self.now_us
