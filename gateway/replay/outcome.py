"""Everything that one backtest has to tell."""

from dataclasses import dataclass

from gateway.replay.difference import Difference
from gateway.replay.report import Report
from gateway.replay.verification import Verification
from gateway.source.problems import Problem


@dataclass(frozen=True, slots=True)
class Run:
    """How the pass over the traffic went."""

    exchanges: int
    seconds: float
    store: str
    """What kind it is, without its address."""
    partitions_kept: int | None
    """Counters at the end, of both sides; None where the store does not count them."""
    memory_mib: float
    """The most that the process ever held."""
    broken: int
    problems: tuple[Problem, ...]
    """The first of the broken lines."""

    @property
    def per_second(self) -> float:
        return self.exchanges / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Backtest:
    run: Run
    verification: Verification
    """Empty where the traffic does not tell what was decided live."""
    tried: Report
    against: Report | None
    difference: Difference | None
