"""One run: one campaign or none, among honest accounts, with one seed, under several engines."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import quantiles
from typing import Any

from gateway.simulation.campaign import Campaign, read_campaign
from gateway.simulation.corpora import Corpora, built_in, from_directory
from gateway.simulation.order import Order, Population, read_without, standard
from gateway.simulation.stream import Simulation
from tests.benchmarks.detection.engines import Engine, engines
from tests.benchmarks.detection.measures import DAY_S, CampaignMeasure, Measures
from tests.benchmarks.detection.verdicts import RUNGS

CALIBRATION_DAYS = 7
LAUNCH_DAY = 9.0
HONEST_ONLY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is the same in all runs."""

    policies: dict[str, Path]
    corpora: Path | None = None
    scale: float = 0.25
    """Of the protocol's honest populations."""
    days: float = 14
    without: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    peers: bool = True
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    campaign: str
    """As on the command line of `gauger simulate`; empty: honest accounts only."""
    seed: int

    @property
    def name(self) -> str:
        return read_campaign(self.campaign).label.partition("/")[2] if self.campaign else ""


@dataclass(slots=True)
class Outcome:
    """Of one trial under one engine; plain values, so that it passes between processes."""

    trial: Trial
    engine: str
    campaign: dict[str, Any] | None
    waves: list[dict[str, Any]]
    populations: dict[str, dict[str, Any]]
    precision: float | None
    recall: float | None
    collateral: float
    cpu_us: tuple[float, float] | None
    """Median and 99th percentile of one exchange in a replay."""
    by_hour: dict[int, list[int]] = field(default_factory=dict)


def run_trial(setting: Setting, trial: Trial) -> list[Outcome]:
    """Closed loops answer to one engine each, so those have a pass for each engine."""
    corpora = _corpora(setting)
    if trial.campaign and read_campaign(trial.campaign).closed:
        names = list(_engines(setting))
        return [one for name in names for one in _passed(setting, trial, corpora, only=name)]
    return _passed(setting, trial, corpora)


def _passed(
    setting: Setting, trial: Trial, corpora: Corpora, only: str | None = None
) -> list[Outcome]:
    under = _engines(setting)
    if only is not None:
        under = {only: under[only]}
    measures = asyncio.run(judge_all(Simulation(_order(setting, trial), corpora), under))
    return [outcome(trial, name, measures[name], trial.name, under[name]) for name in under]


async def judge_all(
    simulation: Simulation, under: Mapping[str, Engine], calibration_days: float = CALIBRATION_DAYS
) -> dict[str, Measures]:
    test_from_s = simulation.span.begin_s + calibration_days * DAY_S
    measures = {name: Measures(test_from_s) for name in under}
    pairs = [(engine, measures[name]) for name, engine in under.items()]
    for record in simulation:
        for engine, measure in pairs:
            verdict = await engine.judge(record)
            measure.note(record, verdict)
            simulation.told(record, contained=verdict.contained)
    for engine, _ in pairs:
        await engine.finish()
    return measures


def _order(setting: Setting, trial: Trial) -> Order:
    without: dict[str, float] = {}
    for text in setting.without:
        without |= read_without(text)
    campaigns: tuple[Campaign, ...] = ()
    days = setting.days
    if trial.campaign:
        campaign = read_campaign(trial.campaign)
        begin = campaign.begin if campaign.begin < setting.days else setting.days / 2
        campaigns = (replace(campaign, begin=begin),)
        if campaign.days:  # behind its end there is nothing to see
            days = min(days, begin + campaign.days)
    populations: tuple[Population, ...] = standard(setting.scale) if setting.scale else ()
    return Order(
        populations=populations,
        campaigns=campaigns,
        days=days,
        seed=trial.seed,
        without=without,
        launch_day=LAUNCH_DAY if setting.days > LAUNCH_DAY else None,
    )


def _engines(setting: Setting) -> dict[str, Engine]:
    return engines(setting.policies, peers=setting.peers, alone=setting.alone)


def _corpora(setting: Setting) -> Corpora:
    if setting.corpora is None:
        return built_in()
    return from_directory(setting.corpora, without=setting.hold_out)


def outcome(
    trial: Trial, name: str, measures: Measures, campaign: str, engine: Engine | None = None
) -> Outcome:
    """`campaign`: its name among the measures; empty if there is none."""
    precision, recall = measures.attribution
    waves = [item for item in measures.campaigns.items() if f"{campaign}/wave-" in item[0]]
    whole = measures.campaigns.get(campaign)
    return Outcome(
        trial=trial,
        engine=name,
        campaign=_told(campaign, whole) if whole is not None else None,
        waves=[_told(*one) for one in waves] if len(waves) > 1 else [],
        populations={
            key: {
                "exchanges": one.exchanges,
                "refused": one.refused,
                "account_days": one.account_days,
                "hits": {rung: one.hits(at) for at, rung in enumerate(RUNGS) if at},
                "accounts": [(account.days, account.hits) for account in one.accounts.values()],
            }
            for key, one in sorted(measures.populations.items())
        },
        precision=precision,
        recall=recall,
        collateral=measures.collateral,
        cpu_us=_quantiles(getattr(engine, "cpu_s", [])),
        by_hour=whole.by_hour if whole is not None else {},
    )


_COUNTED = (
    *("exchanges", "harvested", "tokens", "detected", "detected_harvested", "detected_after_s"),
    *("contained", "contained_harvested", "leaked", "leaked_harvested", "leaked_tokens"),
    *("after_tokens", "after_stopped_tokens"),
)


def _told(key: str, measure: CampaignMeasure) -> dict[str, Any]:
    shares = measure.accounts.values()
    return {name: getattr(measure, name) for name in _COUNTED} | {
        "key": key,
        "accounts": len(shares),
        "instruments": len(measure.instruments),
        "pairs": [(one.leaked_tokens, one.tokens) for one in shares],
    }


def _quantiles(seconds: Sequence[float]) -> tuple[float, float] | None:
    if len(seconds) < 2:
        return None
    cut = quantiles(seconds, n=100)
    return cut[49] * 1e6, cut[98] * 1e6
