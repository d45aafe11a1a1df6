"""The traffic itself: every account's requests merged in the order of time.

Only one request of each account is held at once. The same order, corpora and seed give the same
records; a population or a campaign that is added changes nothing about the others.
"""

import heapq
import random
from collections.abc import Iterator
from typing import NamedTuple

from gateway.replay.record import Record
from gateway.simulation.bodies import Recorder
from gateway.simulation.campaign import Campaign
from gateway.simulation.corpora import Corpora
from gateway.simulation.draft import DAY_S, Draft, Member, Sender, Span
from gateway.simulation.fleet import Fleet, Overheard
from gateway.simulation.order import Order, Population
from gateway.simulation.populations import KINDS
from gateway.simulation.scene import Scene
from gateway.simulation.texts import Texts
from gateway.simulation.world import World

SHARE_ON_NEW_MODEL = 0.3
"""Of the honest accounts, once it is there."""

_AMPLE = 1_000
"""Texts. Who harvests for weeks has more than a few hundred tasks."""


class _Waiting(NamedTuple):
    """The next request of one account. Compared by time, then by who came first."""

    at_s: float
    number: int
    draft: Draft
    sender: Sender
    more: Iterator[Draft]


class Simulation:
    """One run. It can be iterated once; `told` answers what closed loops want to know."""

    def __init__(self, order: Order, corpora: Corpora) -> None:
        """Raises `UnusableCorpora` where a campaign harvests a source that is not there."""
        self.order = order
        self.span = Span(order.begin_s, order.begin_s + order.days * DAY_S)
        sources = _sources(order, corpora)
        self._corpora = _with_benchmark(corpora, set(sources))
        self._world = World(self._draw("world"), order.begin_s, order.without)
        self._recorder = Recorder(self._draw("answers"))
        self._waiting: list[_Waiting] = []
        self._number = 0
        self._loops: dict[str, Fleet] = {}
        self._senders: dict[str, Sender] = {}
        self.accounts = 0
        honest = {
            f"{population.kind}/{at}": list(self._members(population, at))
            for at, population in enumerate(order.populations)
        }
        fleets = [
            self._fleet(campaign, at, corpora.harvested(source), honest)
            for at, (campaign, source) in enumerate(zip(order.campaigns, sources, strict=True))
        ]
        self._launch(honest)
        for members in honest.values():
            for member in members:
                self._add(member, self.span)
        for fleet in fleets:
            for member, span in fleet.members():
                self._add(member, span)
                if fleet.campaign.closed:
                    self._watch(member.sender, fleet)

    def __iter__(self) -> Iterator[Record]:
        waiting, recorder = self._waiting, self._recorder
        while waiting:
            _, number, draft, sender, more = waiting[0]
            if sender.retired:
                heapq.heappop(waiting)
                continue
            if draft.turns:
                yield recorder.record(sender, draft)
            # While the record was with whoever judges it, a closed loop may have added accounts.
            if waiting[0].number == number:
                following = next(more, None)
                if following is None:
                    heapq.heappop(waiting)
                else:
                    after = _Waiting(following.at_s, number, following, sender, more)
                    heapq.heapreplace(waiting, after)

    def told(self, record: Record, *, contained: bool) -> None:
        """What became of the record that was given last."""
        fleet = self._loops.get(record.account)
        if fleet is None or not contained:
            return
        del self._loops[record.account]
        replaced = fleet.replaced(self._senders.pop(record.account), record.at)
        if replaced is not None:
            self._add(*replaced)
            self._watch(replaced[0].sender, fleet)

    def _watch(self, sender: Sender, fleet: Fleet) -> None:
        self._loops[sender.id] = fleet
        self._senders[sender.id] = sender

    def _add(self, member: Member, span: Span) -> None:
        self.accounts += 1
        more = member.behave(member.sender, span.after(member.sender.active_from_s))
        first = next(more, None)
        if first is not None:
            waiting = _Waiting(first.at_s, self._number, first, member.sender, more)
            self._number += 1
            heapq.heappush(self._waiting, waiting)

    def _members(self, population: Population, at: int) -> Iterator[Member]:
        draw = self._draw(f"population/{at}/{population.kind}")
        scene = Scene(
            corpora=self._corpora,
            world=self._world,
            draw=draw,
            span=self.span,
            rate=population.rate,
            begin_day=population.begin,
        )
        kind = KINDS[population.kind]
        return kind.make(scene, f"benign/{kind.name}", population.accounts)

    def _fleet(
        self, campaign: Campaign, at: int, source: Texts, honest: dict[str, list[Member]]
    ) -> Fleet:
        draw = self._draw(f"campaign/{at}/{campaign.family}")
        overheard = _overheard(campaign, honest, draw) if campaign.victims else None
        return Fleet(
            campaign,
            source=source,
            corpora=self._corpora,
            world=self._world,
            draw=draw,
            span=self.span,
            overheard=overheard,
        )

    def _launch(self, honest: dict[str, list[Member]]) -> None:
        if self.order.launch_day is None:
            return
        draw = self._draw("launch")
        begins_s = self.span.begin_s + self.order.launch_day * DAY_S
        for members in honest.values():
            for member in members:
                moves, after = draw.random() < SHARE_ON_NEW_MODEL, draw.expovariate(2.0)
                if moves and member.sender.pivots_at_s is None:
                    member.sender.pivots_at_s = begins_s + after * DAY_S

    def _draw(self, name: str) -> random.Random:
        return random.Random(f"{self.order.seed}/{name}")  # noqa: S311  variety, not a secret


def _sources(order: Order, corpora: Corpora) -> list[str]:
    """What each campaign harvests: the source it names, else the large ones in turn."""
    names = [n for n in sorted(corpora.harvest) if len(corpora.harvest[n].items) >= _AMPLE]
    names = names or sorted(corpora.harvest)
    return [
        campaign.source or names[(order.seed + at) % len(names)]
        for at, campaign in enumerate(order.campaigns)
    ]


def _with_benchmark(corpora: Corpora, harvested: set[str]) -> Corpora:
    """Evaluations ask what no campaign of this run harvests."""
    free = [name for name in sorted(corpora.harvest) if name not in harvested]
    if not free:
        return corpora
    largest = max(free, key=lambda name: len(corpora.harvest[name].items))
    return Corpora(
        chat=corpora.chat,
        templates=corpora.templates,
        passages=corpora.passages,
        sessions=corpora.sessions,
        harvest=corpora.harvest,
        benchmark=corpora.harvest[largest],
        passed_over=corpora.passed_over,
    )


def _overheard(
    campaign: Campaign, honest: dict[str, list[Member]], draw: random.Random
) -> Overheard:
    """The victims are marked in their labels, so that a report can tell how they fared."""
    overheard = Overheard()
    for name, members in honest.items():
        if name.partition("/")[0] == campaign.victim:
            chosen = draw.sample(range(len(members)), min(campaign.victims, len(members)))
            for at in chosen:
                member = members[at]
                member.sender.label += "/victim"
                overheard.members.append(member.sender)
                members[at] = Member(member.sender, overheard.listening(member.behave))
    return overheard
