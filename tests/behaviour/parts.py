"""Rules, sightings and a small world for the tests of this room."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.behaviour.board import Board
from gateway.behaviour.hashing import hash64
from gateway.behaviour.judgement import Judgement
from gateway.behaviour.layout import layout
from gateway.behaviour.population import Population
from gateway.behaviour.record import Beginning, Recorder
from gateway.behaviour.shelf import Caps, Shelf
from gateway.behaviour.sighting import Asked, Sighting
from gateway.behaviour.standing import Standing
from gateway.behaviour.verdicts import Verdicts
from gateway.facts.catalog import FactValue
from gateway.facts.fingerprint import DIMENSIONS
from gateway.facts.history import History
from gateway.facts.prompt_traits import NO_SKETCH, Sketch
from gateway.policy.behaviour import (
    DAY_US,
    HOUR_US,
    Behaviour,
    Behaviours,
    Function,
    Measure,
    Members,
    Over,
    Response,
    Rung,
    WindowUnit,
)

HASHED = hash64(b"k" * 32)
START_US = 1_780_000_000_000_000
NO_TRAITS: Mapping[str, str] = {}
WEEK = Over(WindowUnit.TIME, 7 * DAY_US)

LADDER = (
    Response(15, Rung.OBSERVE),
    Response(40, Rung.THROTTLE, scale=0.25),
    Response(55, Rung.DEGRADE, max_tokens=256, choices=1, strip=("logprobs",)),
    Response(85, Rung.BLOCK, block_us=(DAY_US, 7 * DAY_US)),
)


def measure(name: str, function: Function, expression: str | None = None) -> Measure:
    return Measure(name, function, WEEK, expression)


FRAME = Behaviour(
    "shared-frame",
    "Young accounts share a frame.",
    ("prompt.frame",),
    (
        measure("members", Function.ACCOUNTS),
        measure("fresh", Function.SHARE_OF_ACCOUNTS, "history.fresh"),
        measure("texts", Function.DISTINCT, "prompt.text"),
    ),
    when="members >= 5 && fresh >= 0.5 && texts >= 4",
    points=45,
    applies="history.fresh",
)
CARD = Behaviour(
    "one-card",
    "One card pays for accounts that draw from one pool.",
    ("account.payment",),
    (
        measure("members", Function.ACCOUNTS, "history.one_shot"),
        measure("pooled", Function.POOLED, "prompt.sketch"),
        measure("alike", Function.EXCHANGEABILITY, "prompt.sketch"),
    ),
    when="members >= 5 && pooled >= 30 && alike >= 0.5",
    points=45,
)
NETWORK = Behaviour(
    "one-network",
    "One network, one pool.",
    ("account.network",),
    CARD.measures,
    when=CARD.when,
    points=45,
    members=Members.ALIKE,
)
HEAVY = Behaviour(
    "heavy",
    "One account asks a lot.",
    ("account.id",),
    (measure("requests", Function.COUNT),),
    when="requests >= 50",
    points=60,
)

VALUES: Mapping[str, Callable[[FactValue | None, History], FactValue | None]] = {
    "history.fresh": lambda _, history: history.fresh,
    "history.one_shot": lambda _, history: history.one_shot,
    "prompt.text": lambda text, _: text,
    "usage.output_tokens": lambda written, _: written,
}
CONDITIONS: Mapping[str, Callable[[Mapping[str, float]], bool]] = {
    FRAME.when: lambda r: r["members"] >= 5 and r["fresh"] >= 0.5 and r["texts"] >= 4,
    CARD.when: lambda r: r["members"] >= 5 and r["pooled"] >= 30 and r["alike"] >= 0.5,
    "written >= 300": lambda r: r["written"] >= 300,
    HEAVY.when: lambda r: r["requests"] >= 50,
}


def topic(theme: int, number: int) -> Sketch:
    """A prompt on a theme."""
    common = np.random.default_rng(theme).normal(size=DIMENSIONS)
    own = np.random.default_rng(1_000 + number).normal(size=DIMENSIONS)
    mixed = common + own
    return Sketch(tuple(range(DIMENSIONS)), tuple((mixed / np.linalg.norm(mixed)).tolist()))


@dataclass
class World:
    """Everything, in one process."""

    behaviours: Behaviours
    caps: Caps = field(default_factory=Caps)

    def __post_init__(self) -> None:
        self.layout = layout(self.behaviours)
        self.board = Board()
        self.shelf = Shelf(self.caps)
        self.population = Population(self.layout.population)
        self.recorder = Recorder(
            self.layout,
            self._values,
            {rule.id: CONDITIONS[rule.when] for rule in self.behaviours.rules},
            self.shelf,
            self.population,
            hash64=HASHED,
            began=Beginning(START_US),
        )
        self.verdicts = Verdicts(self.behaviours, self.recorder, self.board)
        self.judgement = Judgement(self.behaviours, self.board)

    def _values(
        self, named: Sequence[FactValue | None], history: History
    ) -> list[FactValue | None]:
        (text,) = named
        return [VALUES[one](text, history) for one in self.layout.expressions]

    def standing(self, seen: Sighting) -> Standing:
        return self.judgement.standing(
            seen.account,
            seen.groups,
            seen.at_us,
            lambda: self.recorder.history(seen),
            lambda _, history: history.fresh,
        )

    def pass_one(self, seen: Sighting) -> Standing:
        """What holds for an exchange, which is then recorded."""
        standing = self.standing(seen)
        self.verdicts.take(seen)
        return standing

    def seen(
        self,
        account: str,
        hours: float,
        *,
        number: int = 0,
        theme: int | None = None,
        opened_days: float | None = 1,
        traits: Mapping[str, str] = NO_TRAITS,
    ) -> Sighting:
        """`traits`: what a group is made of, `{"frame": "f"}` or `{"payment": "pm"}`."""
        at_us = START_US + int(hours * HOUR_US)
        groups = []
        for names in self.layout.groups:
            values = [traits.get(name.rpartition(".")[2]) for name in names]
            groups.append((HASHED("|".join(map(str, (*names, *values)))),) if all(values) else ())
        return Sighting(
            at_us,
            HASHED(account),
            None if opened_days is None else START_US - int(opened_days * DAY_US),
            tuple(groups),
            [f"{account} {number} {hours}"],
            Asked(
                HASHED(f"b{account}{number}"),
                HASHED(f"e{account}{number}"),
                12,
                single=True,
                sketch=NO_SKETCH
                if theme is None
                else topic(theme, hash((account, number)) % 10**6),
            ),
        )
