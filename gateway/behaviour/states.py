"""What is kept of one account, and of one group. Changed in place, by `behaviour.record` alone."""

from gateway.behaviour.distinct_values import DistinctValues
from gateway.behaviour.layout import Kind
from gateway.behaviour.members import Members
from gateway.behaviour.pool import Cohort, Pool, Questions
from gateway.behaviour.sums import Gaps, Sums

ENDS = 64
"""Beginnings and ends of prompts that an account is remembered by."""

JOINED = 24
"""Cohorts that an account may be in at once."""


class Tally:
    """Sums, values and gaps of a group or an account, as its kind wants them."""

    __slots__ = ("distinct", "gaps", "sums", "total")

    def __init__(self) -> None:
        self.total = 0
        self.sums: dict[str, Sums] = {}
        self.distinct: dict[str, DistinctValues] = {}
        """By the text of the expression."""
        self.gaps: Gaps | None = None


class AccountState:
    """One account, over the seven days since `window_us`."""

    __slots__ = (
        "asked_again",
        "candidates",
        "day",
        "ends",
        "first_us",
        "joined",
        "last_us",
        "one_shot",
        "pool",
        "requests",
        "tallies",
        "window_us",
    )

    def __init__(self, at_us: int) -> None:
        self.first_us = at_us
        self.window_us = at_us
        self.last_us = at_us
        self.day = -1
        """The last one in which the population counted it."""
        self.requests = 0
        self.candidates = 0
        """Novel single questions among them."""
        self.ends: set[int] = set()
        self.pool: Pool | None = None
        self.one_shot = False
        self.joined: list[int] = []
        """Keys of the groups whose cohort holds its pool."""
        self.tallies: dict[int, Tally] = {}
        """By the salt of a kind that judges accounts."""
        self.asked_again: dict[int, int] = {}
        """By the salt of a kind: beyond how many requests its rules are asked again."""

    def begin_window(self, at_us: int) -> None:
        """What rests on the last seven days begins anew; the tallies have windows of their own."""
        self.window_us = at_us
        self.requests = self.candidates = 0
        self.ends = set()
        self.pool = None
        self.one_shot = False
        self.joined = []


class Lone:
    """A group of which one account only is known: most are no more than that."""

    __slots__ = ("account", "first_us", "last_us", "requests")

    def __init__(self, account: int, at_us: int) -> None:
        self.account = account
        self.first_us = self.last_us = at_us
        self.requests = 0


class GroupState(Tally):
    """A group of two accounts or more."""

    __slots__ = (
        "asked_pooled",
        "asked_total",
        "asked_us",
        "cohort",
        "first_us",
        "forgot_us",
        "last_us",
        "members",
        "questions",
    )

    def __init__(self, kind: Kind, at_us: int) -> None:
        super().__init__()
        self.first_us = self.last_us = self.forgot_us = at_us
        self.members = Members()
        self.cohort = Cohort() if kind.pooling else None
        self.questions = Questions() if kind.kin else None
        self.asked_us = 0
        self.asked_total = 0
        self.asked_pooled = 0
        """When its rules were asked last, and how large it was then."""
