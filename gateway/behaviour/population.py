"""What is usual among all accounts: the yardstick of a group's members.

Shares are counted once per account and day and fade by a fifth a day. What is usual of prompts is
learned from accounts that are under no suspicion, and bounded, so that a fleet that trains it moves
it little.
"""

from collections.abc import Iterable, Sequence

from gateway.behaviour.pool import USUAL, Baseline, Cohort

PRIOR_ACCOUNTS = 50
PRIOR_SHARE = 0.1
FADING = 0.8
ENOUGH_PROMPTS = 2_000
ENOUGH_POOLS = 200
_ACROSS = (0.01, 0.05)
_WITHIN = (0.03, 0.12)

POPULATION = 1
"""The key of the cohort of everybody among the cohorts that an account is in."""


class Population:
    def __init__(self, expressions: Iterable[tuple[str, int]]) -> None:
        """Text and index of those whose share is asked for."""
        self._expressions = tuple(expressions)
        self._day = 0
        self.accounts = 0.0
        """Seen in the last days, the older ones counting less."""
        self.active_today = 0
        self.active_yesterday = 0
        self._with: dict[str, float] = {text: 0.0 for text, _ in self._expressions}
        self.cohort = Cohort()
        self._usual = USUAL
        self._usual_at = 0

    def see(self, day: int, values: Sequence[object]) -> None:
        """An account's first exchange of a day."""
        if day > self._day:
            fading = FADING ** min(365, day - self._day)
            self.accounts *= fading
            self._with = {text: count * fading for text, count in self._with.items()}
            self.active_yesterday = self.active_today if day == self._day + 1 else 0
            self.active_today = 0
            self._day = day
        self.accounts += 1
        self.active_today += 1
        for text, at in self._expressions:
            self._with[text] += values[at] is True

    def ask_for(self, expressions: Iterable[tuple[str, int]]) -> None:
        """From now on. What is known of those that were asked for before stays."""
        self._expressions = tuple(expressions)
        self._with = {text: self._with.get(text, 0.0) for text, _ in self._expressions}

    def share(self, expression: str) -> float:
        """Of all accounts, those whose exchange fulfilled it; never 0 and never 1."""
        with_it = self._with.get(expression, 0.0) + PRIOR_SHARE * PRIOR_ACCOUNTS
        return min(0.9, max(0.01, with_it / (self.accounts + PRIOR_ACCOUNTS)))

    @property
    def active(self) -> int:
        """Accounts that were active within a day."""
        return max(self.active_today, self.active_yesterday)

    @property
    def usual(self) -> Baseline:
        cohort = self.cohort
        if cohort.pools < ENOUGH_POOLS or cohort.prompts < ENOUGH_PROMPTS:
            return USUAL
        if not 0.8 < self._usual_at / cohort.prompts < 1.25:  # noqa: PLR2004  it moves slowly
            self._usual_at = cohort.prompts
            self._usual = Baseline(
                _between(cohort.across(), *_ACROSS), _between(cohort.inside(), *_WITHIN)
            )
        return self._usual


def _between(value: float, least: float, most: float) -> float:
    return min(most, max(least, value))
