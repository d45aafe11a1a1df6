"""What the demo came to: each client's requests, and gauger's books beside the model API's."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from gateway.decision.finished import Finished
from gateway.decision.settlement import Basis
from gateway.demo.ledger import Ending, Ledger
from gateway.demo.narration import STYLES, line


class Tally:
    """Counts finished exchanges."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._tokens: Counter[str] = Counter()
        self.reported_tokens = 0
        """Charged by what the model API reported."""
        self.exchanges = 0

    def add(self, finished: Finished) -> None:
        told = line(finished, self._names)
        self.exchanges += 1
        self._verdicts[told.who][told.verdict] += 1
        settled = finished.settlement
        if settled is not None:
            tokens = settled.input_tokens + settled.output_tokens
            self._tokens[told.who] += tokens
            self.reported_tokens += tokens if settled.basis is Basis.REPORTED else 0

    def show(self, to: Console, ledger: Ledger) -> None:
        table = Table("client", *STYLES, "tokens charged", box=None, pad_edge=False)
        for who in sorted(self._verdicts):
            counts = [str(self._verdicts[who][verdict]) for verdict in STYLES]
            table.add_row(who, *counts, f"{self._tokens[who]:,}")
        to.print()
        to.print(table)
        to.print(
            f"Answers that came to their end: {self.reported_tokens:,} tokens charged, "
            f"{counted_tokens(ledger):,} in the model API's own books."
        )


def counted_tokens(ledger: Ledger) -> int:
    """Of answers that the model API sent to their end."""
    return sum(
        entry.input_tokens + entry.output_tokens
        for entry in ledger.served
        if entry.ending is Ending.COMPLETED
    )
