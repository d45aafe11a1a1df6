"""A clock that a test moves."""

from dataclasses import dataclass

START_US = 1_800_000_000_123_457


@dataclass
class Clock:
    now_us: int = START_US

    def __call__(self) -> int:
        return self.now_us
