"""What honest populations are made from, and the things that several of them do alike."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.simulation import activity, pace
from gateway.simulation.corpora import Corpora, Template
from gateway.simulation.draft import DAY_S, Behaviour, Span
from gateway.simulation.world import Given, World, any_network

_SHARE_NEW_GROUPS = 0.25
_SHARE_PUBLIC = 0.1
_ZONES_H = (-8.0, -5.0, 0.0, 1.0, 1.0, 2.0, 5.5, 8.0, 9.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a population is made from. `draw` is its own, so no population changes another."""

    corpora: Corpora
    world: World
    draw: random.Random
    span: Span
    rate: float
    """Times what its accounts send by default."""
    begin_day: float | None = None

    def load(self, median: float, sigma: float, most: float) -> float:
        """Requests or conversations a day of one account."""
        return self.rate * min(most, median * self.draw.lognormvariate(0, sigma))

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def template(self) -> Template:
        """Of one customer. A few took it from a public collection as it stands."""
        found = self.draw.choice(self.corpora.templates)
        return found if self.chance(_SHARE_PUBLIC) else found.reworded(self.draw)

    def by_day(self, per_day: float) -> pace.Pace:
        return pace.by_day(self.draw, per_day, self.zone_h())

    def day(self, default: float) -> float:
        """A moment, in seconds since the epoch."""
        day = default if self.begin_day is None else self.begin_day
        return self.span.begin_s + day * DAY_S

    def talking(self, per_day: float, system: str | None = None) -> Behaviour:
        topic = self.corpora.topics.any(self.draw)
        return activity.talking(self.draw, self.corpora, topic, self.by_day(per_day), system=system)

    def group_begins(self) -> float | None:
        """When a new customer came; None if it has long been there."""
        if self.draw.random() >= _SHARE_NEW_GROUPS:
            return None
        return self.span.begin_s + self.draw.uniform(0.3, 0.85) * self.span.days * DAY_S

    def zone_h(self) -> float:
        """Of a time zone, in hours from Greenwich."""
        return self.draw.choice(_ZONES_H)

    def groups(self, accounts: int, sizes: tuple[int, int]) -> Iterator[tuple[int, Given]]:
        """Customers with several accounts each, which share card, organization and network."""
        draw = self.draw
        left = accounts
        while left > 0:
            number = min(left, draw.randint(*sizes))
            left -= number
            yield (
                number,
                Given(
                    payment=self.world.payment(draw),
                    organization=self.world.organization(draw),
                    network=any_network(draw),
                    plan=draw.choice(("team", "team", "enterprise")),
                    created_at_s=self.group_begins(),
                    firm=True,
                ),
            )
