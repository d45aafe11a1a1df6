"""The outcomes of all trials as tables."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.detection.bootstrap import bound, ratio_interval
from tests.benchmarks.detection.targets import (
    FALSE_BLOCKS,
    FALSE_THROTTLES,
    LEAK_SHARE,
)
from tests.benchmarks.detection.trial import Outcome
from tests.benchmarks.detection.verdicts import BLOCK, THROTTLE
from tests.benchmarks.figures import table

Number = int | float | None

LARGEST = "fleet-3000"
_MOST = {"block": FALSE_BLOCKS, "throttle": FALSE_THROTTLES}


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    explained: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def __str__(self) -> str:
        return f"## {self.title}\n\n{self.explained}\n\n{table(self.head, self.rows)}\n"


def tables(outcomes: Sequence[Outcome], targets: dict[str, int | None]) -> list[Table]:
    found = []
    for engine in dict.fromkeys(one.engine for one in outcomes):
        mine = [one for one in outcomes if one.engine == engine]
        found += [_campaigns(engine, mine, targets), *_waves(engine, mine), *_honest(engine, mine)]
    return [one for one in (_headlines(outcomes), *found) if one.rows]


def _headlines(outcomes: Sequence[Outcome]) -> Table:
    """Of each engine: the worst population, and the largest fleet."""
    rows = []
    for engine in dict.fromkeys(one.engine for one in outcomes):
        mine = [one for one in outcomes if one.engine == engine]
        rates = _rates([one for one in mine if one.campaign is None])
        largest = [one.campaign for one in mine if one.trial.name == LARGEST and one.campaign]
        leaked, sent = (sum(one[key] for one in largest) for key in ("leaked", "exchanges"))
        rows.append(
            (
                engine,
                *(_worst(rates, rung, most) for rung, most in _MOST.items()),
                _against(leaked / sent, LEAK_SHARE) if sent else "-",
                _victims(mine),
            )
        )
    return Table(
        "Headlines",
        "The worst population's share of account-days without any campaign, against its target; "
        f"the share of exchanges of {LARGEST} that got a full answer; accounts that a campaign "
        "imitates, and how many of them were blocked.",
        ("engine", *(f"at {rung}" for rung in _MOST), "leaked", "victims blocked"),
        rows,
    )


def _worst(rates: dict[str, dict[str, float]], rung: str, most: float) -> str:
    if not rates:
        return "-"
    name = max(rates, key=lambda one: rates[one][rung])
    rate = rates[name][rung]
    return f"{_against(rate, most)} ({name})" if rate else "none (see 3/n)"


def _rates(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    days: dict[str, int] = defaultdict(int)
    hits: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in outcomes:
        for name, population in one.populations.items():
            days[name] += population["account_days"]
            for rung in _MOST:
                hits[name][rung] += population["hits"][rung]
    return {name: {rung: hits[name][rung] / days[name] for rung in _MOST} for name in days}


def _victims(outcomes: Sequence[Outcome]) -> str:
    victims = [
        hits
        for one in outcomes
        for name, population in one.populations.items()
        if name.endswith("/victim")
        for _, hits in population["accounts"]
    ]
    return f"{sum(hits[BLOCK] > 0 for hits in victims)} of {len(victims)}" if victims else "-"


def _against(value: float, most: float) -> str:
    return f"{value:.3%}, {'met' if value <= most else 'MISSED'} (<= {most:.2%})"


def by_campaign(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        if one.campaign is not None:
            found[one.trial.campaign].append(one)
    return found


def _campaigns(engine: str, outcomes: Sequence[Outcome], targets: dict[str, int | None]) -> Table:
    rows = []
    found = by_campaign(outcomes)
    names = Counter(mine[0].trial.name for mine in found.values())
    for campaign, mine in found.items():
        told = [one.campaign for one in mine if one.campaign is not None]
        target = targets.get(campaign)
        contained = [one["contained_harvested"] for one in told]
        met = all(value is not None and value <= (target or 0) for value in contained)
        leaked = sum(one["leaked_tokens"] for one in told)
        tokens = sum(one["tokens"] for one in told)
        low, high = ratio_interval([pair for one in told for pair in one["pairs"]])
        rows.append(
            (
                campaign if names[mine[0].trial.name] > 1 else mine[0].trial.name,
                span([one["detected"] for one in told]),
                span([one["contained"] for one in told]),
                span(contained),
                "" if target is None else f"{target} {'met' if met else 'MISSED'}",
                span([one["exchanges"] for one in told]),
                span([one["leaked"] for one in told]),
                span([one["leaked_harvested"] for one in told]),
                f"{_share(leaked, tokens)} ({low:.2%}-{high:.2%})",
                _share(
                    sum(one["after_stopped_tokens"] for one in told),
                    sum(one["after_tokens"] for one in told),
                ),
                _cost(tokens, leaked),
                span([one.precision for one in mine], percent, "-"),
                span([one.recall for one in mine], percent, "-"),
                span([one.collateral for one in mine], percent),
            )
        )
    return Table(
        f"Campaigns under {engine}",
        "Requests count up to and including the one named; ranges are over seeds. The target is "
        "for requests that harvest, without those that are only cover. Leaked: full answers, as "
        "a share of answer tokens with its interval over accounts.",
        (
            *("campaign", "seen after", "contained after", "without cover", "target", "requests"),
            *(
                "leaked",
                "of these harvest",
                "leaked tokens",
                "contained since",
                "attacker cost",
                "precision",
            ),
            *("recall", "collateral"),
        ),
        rows,
    )


def _waves(engine: str, outcomes: Sequence[Outcome]) -> list[Table]:
    rows = []
    for mine in by_campaign(outcomes).values():
        for one in mine[:1]:
            rows += [
                (
                    str(wave["key"]),
                    f"{wave['accounts']:,}",
                    f"{wave['exchanges']:,}",
                    span([wave["detected"]]),
                    span([wave["contained"]]),
                    f"{wave['leaked']:,}",
                    f"{wave['leaked'] / max(1, wave['accounts']):.1f}",
                )
                for wave in one.waves
            ]
    head = (
        *("wave", "accounts", "requests", "seen after", "contained after", "leaked"),
        "leaked an account",
    )
    explained = "Of the first seed. Accounts that take the place of others are the next wave."
    return [Table(f"Waves under {engine}", explained, head, rows)] if rows else []


def _honest(engine: str, outcomes: Sequence[Outcome]) -> list[Table]:
    quiet = _false_positives([one for one in outcomes if one.campaign is None])
    loud = _false_positives([one for one in outcomes if one.campaign is not None], hit_only=True)
    head = ("population", "accounts", "account-days", *_SHOWN, "95 %", "requests refused")
    return [
        Table(
            f"Honest accounts under {engine}, without a campaign",
            "Account-days with a decision at a rung or above, of all account-days. 95 %: the "
            "interval of the rate at throttle over accounts; where no day was hit, all that so "
            "many days prove (3/n).",
            head,
            quiet,
        ),
        Table(
            f"Honest accounts under {engine}, beside campaigns",
            "Populations that were hit, all campaigns together. The same accounts come once for "
            "each campaign, so these days are not independent.",
            head,
            loud,
        ),
    ]


_SHOWN = ("tag", "throttle", "degrade", "block")


def _false_positives(
    outcomes: Sequence[Outcome], *, hit_only: bool = False
) -> list[tuple[str, ...]]:
    pooled: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in outcomes:
        for name, population in one.populations.items():
            pooled[name].append(population)
    rows = []
    for name, all_ in sorted(pooled.items()):
        days = sum(one["account_days"] for one in all_)
        hits = {rung: sum(one["hits"][rung] for one in all_) for rung in _SHOWN}
        if hit_only and not any(hits.values()):
            continue
        rows.append(
            (
                name,
                f"{sum(len(one['accounts']) for one in all_):,}",
                f"{days:,}",
                *(_hit(hits[rung], days) for rung in _SHOWN),
                _interval(all_) if hits["throttle"] else f"< {bound(days):.3%}",
                _share(sum(one["refused"] for one in all_), sum(one["exchanges"] for one in all_)),
            )
        )
    return rows


def _hit(hits: int, days: int) -> str:
    return f"{hits:,} ({hits / days:.3%})" if hits else "0"


def _interval(populations: Sequence[dict[str, Any]]) -> str:
    """Of the rate at throttle, over accounts."""
    pairs = [(hits[THROTTLE], days) for one in populations for days, hits in one["accounts"]]
    low, high = ratio_interval(pairs)
    return f"{low:.3%}-{high:.3%}"


def percent(value: float) -> str:
    return f"{value:.2%}"


def span(
    values: Sequence[Number], form: Callable[[float], str] = "{:,.0f}".format, none: str = "never"
) -> str:
    """`120-131`, `never`, or `120-never`."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return none
    first, last = form(known[0]), form(known[-1])
    if len(known) < len(values):
        return f"{first}-{none}"
    return first if first == last else f"{first}-{last}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def _cost(tokens: int, leaked: int) -> str:
    """How many times the accounts and instruments the same tokens take."""
    if not tokens:
        return "-"
    return f"x {tokens / leaked:,.1f}" if leaked else "x infinite"
