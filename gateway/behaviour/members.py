"""The accounts of a group: a sample of bounded size that is as good as all of them.

Of all accounts those with the smallest keyed hashes are kept. As long as there are no more than
`KEPT`, these are all; beyond, they are a uniform sample of accounts (a bottom-k sketch; Cohen and
Kaplan, PODC 2007), from which their number and every share among them is estimated. An attacker
cannot choose who is in it without the deployment's secret.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

KEPT = 96

_ALL = 1 << 64


@dataclass(slots=True)
class Member:
    first_us: int
    last_us: int
    requests: int
    flags: int
    """One bit for each condition that is asked of members: how it was at the last exchange."""
    columns: tuple[int, ...]
    """Keyed hashes of the facts by which members are compared; 0: no value."""


class Members:
    __slots__ = ("bound", "kept")

    def __init__(self) -> None:
        self.kept: dict[int, Member] = {}
        self.bound = _ALL
        """Accounts with a hash from here on are not kept."""

    def see(self, account: int, at_us: int, flags: int, columns: tuple[int, ...]) -> bool:
        """True if it is a new one."""
        member = self.kept.get(account)
        if member is not None:
            member.last_us = at_us
            member.requests += 1
            member.flags = flags
            member.columns = columns
            return False
        if account >= self.bound:
            return False
        self.kept[account] = Member(at_us, at_us, 1, flags, columns)
        if len(self.kept) > KEPT:
            self.bound = max(self.kept)
            del self.kept[self.bound]
        return True

    def forget_before(self, moment_us: int) -> None:
        """Of those that came no more since then."""
        kept = {a: member for a, member in self.kept.items() if member.last_us >= moment_us}
        if len(kept) * 2 < KEPT:
            self.bound = _ALL  # those beyond the bound are missing until they come again
        self.kept = kept

    def since(self, moment_us: int) -> list[Member]:
        """Of the sample, those that came since then."""
        return [member for member in self.kept.values() if member.last_us >= moment_us]

    def number(self, of_sample: float) -> float:
        """How many accounts so many of the sample stand for."""
        return of_sample if self.bound == _ALL else of_sample * (_ALL / self.bound)

    def __len__(self) -> int:
        return len(self.kept)

    def __iter__(self) -> Iterator[int]:
        return iter(self.kept)


def independent(members: Iterable[Member], column: int, most_each: int) -> int:
    """Members, of which so many at most count for one value. Without a value each is its own."""
    alone = 0
    by_value: Counter[int] = Counter()
    for member in members:
        value = member.columns[column]
        if value:
            by_value[value] += 1
        else:
            alone += 1
    return alone + sum(min(most_each, count) for count in by_value.values())


def top_share(members: list[Member], column: int) -> float:
    """Of the members, those with the most common value; nobody shares a value that is missing."""
    by_value = Counter(member.columns[column] for member in members if member.columns[column])
    return max(by_value.values(), default=0) / len(members) if members else 0.0


def evenness(members: list[Member]) -> float:
    """1 / (1 + CV2) of their requests; 0 of fewer than two."""
    if len(members) < 2:  # noqa: PLR2004  one load is not spread
        return 0.0
    loads = [member.requests for member in members]
    mean = sum(loads) / len(loads)
    variance = sum((load - mean) ** 2 for load in loads) / len(loads)
    excess = max(0.0, (variance - mean) / (mean * mean))
    return 1.0 / (1.0 + excess)
