"""The accounts of a campaign and what they send."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.simulation import frames, pace
from gateway.simulation import world as pools
from gateway.simulation.activity import answer_tokens
from gateway.simulation.campaign import Campaign
from gateway.simulation.corpora import Corpora
from gateway.simulation.draft import (
    DAY_S,
    HOUR_S,
    Behaviour,
    Draft,
    Member,
    Sender,
    Span,
    Turn,
    user,
)
from gateway.simulation.frames import Frame
from gateway.simulation.shards import shards
from gateway.simulation.texts import Deck, Texts, Topic
from gateway.simulation.world import Given, World

_FRESH_DAYS = 6.0
_AGED_DAYS = (60.0, 700.0)
_SHARE_OF_COVER_TALKING = 0.4
_SWEPT_TEMPLATES = 200
_MOST_OVERHEARD = 200
_MOST_SHARDS = 40
_SIGNUP_HOURS_BEFORE = 5.0
_KINDS = {
    "frame": frames.INSTRUCTION,
    "system": frames.INSTRUCTION,
    "prefix": frames.PREFIX,
    "retrospective": frames.RETROSPECTIVE,
    "rubric": frames.RUBRIC,
}
_HARVESTED_TOKENS = 700.0
_SHARE_LONG_ANSWERS = 0.5


@dataclass(slots=True)
class _Own:
    """What one account has for itself."""

    frame: Frame | None
    deck: Deck
    topic: Topic
    system: str | None


@dataclass(slots=True)
class Overheard:
    """What honest accounts sent lately, for whoever copies it."""

    members: list[Sender] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)

    def copied(self, at_s: float, draw: random.Random) -> Draft:
        """Nothing, as long as nothing was heard."""
        if not self.drafts:
            return Draft(at_s, (), 0)
        return draw.choice(self.drafts)._replace(at_s=at_s, end_user=None)

    def listening(self, behave: Behaviour) -> Behaviour:
        def overheard(sender: Sender, span: Span) -> Iterator[Draft]:
            for draft in behave(sender, span):
                yield draft
                if len(self.drafts) < _MOST_OVERHEARD:  # by now it has been sent
                    self.drafts.append(draft)

        return overheard


class Fleet:
    """One campaign while it runs."""

    def __init__(
        self,
        campaign: Campaign,
        *,
        source: Texts,
        corpora: Corpora,
        world: World,
        draw: random.Random,
        span: Span,
        overheard: Overheard | None = None,
    ) -> None:
        self.campaign = campaign
        self._corpora = corpora
        self._world = world
        self._draw = draw
        begin_s = span.begin_s + campaign.begin * DAY_S
        end_s = min(span.end_s, begin_s + campaign.days * DAY_S) if campaign.days else span.end_s
        self.span = Span(begin_s, end_s)
        self._overheard = overheard
        self._source = source
        self._deck = Deck(source, draw)
        self._shards = (
            shards(source, min(campaign.accounts, _MOST_SHARDS), draw) if campaign.shards else []
        )
        self._frames = self._made_frames(max(1, campaign.frames))
        self._tools = frames.toolset(draw)
        self._house = frames.house_prompt(draw)
        self._pool = [corpora.topics.any(draw) for _ in range(5)]
        self._sweep = self._made_frames(_SWEPT_TEMPLATES) if campaign.style == "sweep" else []
        self._network = self._shared_network()
        self._cards: dict[tuple[int, int], str] = {}
        self._begun = 0
        self._sent = 0
        self._generations: dict[str, int] = {}

    def members(self) -> Iterator[tuple[Member, Span]]:
        """Each with when it is active: wave after wave."""
        campaign = self.campaign
        rates = self._rates()
        for wave in range(campaign.waves):
            begin_s = self.span.begin_s + wave * campaign.wave_hours * HOUR_S
            last = wave == campaign.waves - 1
            end_s = self.span.end_s if last else begin_s + campaign.wave_hours * HOUR_S
            span = Span(begin_s, min(end_s, self.span.end_s))
            if span.begin_s < span.end_s:
                for at, rate in enumerate(rates):
                    yield self._member(at, wave, rate, span), span

    def replaced(self, sender: Sender, at_s: float) -> tuple[Member, Span] | None:
        """Of a closed loop: a new account for one that is contained, within the hour."""
        sender.retired = True
        at, generation = self._begun, self._generations.get(sender.id, 0) + 1
        begin_s = at_s + self._draw.uniform(0.1, 1.0) * HOUR_S
        if begin_s >= self.span.end_s or self._begun > 10 * self.campaign.accounts:
            return None
        span = Span(begin_s, self.span.end_s)
        member = self._member(at, generation, self.campaign.per_day, span, alone=True)
        return member, span

    def _member(
        self, at: int, wave: int, rate: float, span: Span, *, alone: bool = False
    ) -> Member:
        draw = self._draw
        victim = self._victim() if self.campaign.copy == "address" else None
        label = self.campaign.label + (f"/wave-{wave + 1}" if wave else "")
        sender = self._world.sender(label, self._given(at, wave, span, victim), draw)
        self._generations[sender.id] = wave
        self._begun += 1
        if self.campaign.pivot and at % 2 == 0:
            sender.pivots_at_s = self.span.begin_s + (self.campaign.pivot + draw.random()) * DAY_S
        when = self._pace(at, rate, alone=alone)
        return Member(sender, self._behaviour(self._own(at), when))

    def _behaviour(self, own: _Own, when: pace.Pace) -> Behaviour:
        def behave(sender: Sender, span: Span) -> Iterator[Draft]:
            total = self.campaign.total
            for at_s in when(span):
                if sender.retired or (total and self._sent >= total):
                    return
                draft = self._draft(at_s, own)
                self._sent += bool(draft.turns)
                yield draft

        return behave

    def _draft(self, at_s: float, own: _Own) -> Draft:
        campaign, draw = self.campaign, self._draw
        if self._overheard is not None and campaign.copy == "prompts":
            return self._overheard.copied(at_s, draw)
        if campaign.cover and draw.random() < campaign.cover:
            return self._cover(at_s, own)
        task = own.deck.next()
        made = answer_tokens(draw, _HARVESTED_TOKENS)
        draft = self._asked(at_s, task, own, made)
        if campaign.turns and draw.random() < campaign.turns:
            reply = self._corpora.passages.any(draw)[:400]
            before = (Turn("user", own.deck.next()), Turn("assistant", reply))
            draft = draft._replace(turns=(*before, *draft.turns))
        if campaign.rotate:
            network = pools.any_network(draw)
            draft = draft._replace(network=network, address=pools.address_in(network, draw))
        return draft

    def _asked(self, at_s: float, task: str, own: _Own, made: int) -> Draft:
        draw = self._draw
        match self.campaign.style:
            case "plain":
                return Draft(at_s, user(task), made, own.system)
            case "tools":
                return Draft(at_s, user(task), made, own.system, self._tools)
            case "agent":
                return self._as_agent(at_s, task, own, made)
            case "sweep":
                return Draft(at_s, user(draw.choice(self._sweep).around(task)), made, own.system)
            case "system":
                frame = own.frame or draw.choice(self._frames)
                return Draft(at_s, user(task), made, frame.as_system)
            case _:
                frame = own.frame or draw.choice(self._frames)
                answer = self._answer() if frame.answer_word else ""
                return Draft(at_s, user(frame.around(task, answer)), made, own.system)

    def _as_agent(self, at_s: float, task: str, own: _Own, made: int) -> Draft:
        """Calls and results before it that no tool ever gave."""
        draw = self._draw
        turns: list[Turn] = [Turn("user", task)]
        for _ in range(draw.randint(1, 4)):
            tool = draw.choice(self._tools)
            turns.append(Turn("assistant", "", tool))
            turns.append(Turn("tool", self._corpora.passages.any(draw)[:500], tool))
        system = own.system or self._house
        return Draft(at_s, tuple(turns), made, system, self._tools, 4_096)

    def _cover(self, at_s: float, own: _Own) -> Draft:
        draw = self._draw
        topic = own.topic if self.campaign.topics == "own" else draw.choice(self._pool)
        turns: tuple[Turn, ...] = user(topic.opening(draw))
        if draw.random() < _SHARE_OF_COVER_TALKING:
            reply = self._corpora.passages.any(draw)[:400]
            turns = (*turns, Turn("assistant", reply), *user(topic.opening(draw)))
        return Draft(at_s, turns, answer_tokens(draw), own.system, cover=True)

    def _answer(self) -> str:
        """That is given with a task: a short one, or a passage to be graded."""
        draw = self._draw
        if self.campaign.style == "rubric" or draw.random() < _SHARE_LONG_ANSWERS:
            return self._corpora.passages.any(draw)[: draw.randint(80, 600)]
        return str(draw.randint(2, 9_999))

    def _own(self, at: int) -> _Own:
        campaign, draw = self.campaign, self._draw
        frame = None
        if campaign.style in _KINDS and campaign.frames == 0:
            frame = self._made_frames(1)[0]
        deck = self._deck
        if self._shards:
            deck = Deck(self._source, draw, self._shards[at % len(self._shards)])
        house = {"none": None, "own": frames.house_prompt(draw), "one": self._house}
        return _Own(frame, deck, self._corpora.topics.any(draw), house[campaign.house])

    def _made_frames(self, number: int) -> list[Frame]:
        campaign, draw = self.campaign, self._draw
        kind = _KINDS.get(campaign.style)
        kinds = tuple(_KINDS.values()) if kind is None else (kind,)
        abroad = frames.LANGUAGES[1:]
        return [
            frames.frame(
                draw.choice(kinds),
                draw,
                abroad[at % len(abroad)] if campaign.language == "mixed" else campaign.language,
                edges=campaign.edges,
                reworded=number > 1 or campaign.frames == 0,
            )
            for at in range(number)
        ]

    def _rates(self) -> Sequence[float]:
        campaign, mean = self.campaign, self.campaign.per_day
        if campaign.load == "zipf":
            return pace.zipf(campaign.accounts, mean)
        if campaign.load == "lognormal":
            scale = mean / 2.718281828**0.5  # the mean of exp(N(0, 1))
            return [scale * self._draw.lognormvariate(0, 1) for _ in range(campaign.accounts)]
        return [mean] * campaign.accounts

    def _pace(self, at: int, rate: float, *, alone: bool) -> pace.Pace:
        campaign, draw = self.campaign, self._draw
        phase = draw.random() if alone else (at + 0.5) / campaign.accounts
        makers: dict[str, Callable[[], pace.Pace]] = {
            "even": lambda: pace.even(rate, phase),
            "jitter": lambda: pace.jittered(draw, rate, phase * 0.6),
            "lognormal": lambda: pace.by_day(draw, rate, flat=True),
            "zipf": lambda: pace.by_day(draw, rate, 0.0),
        }
        return makers[campaign.load]()

    def _given(self, at: int, wave: int, span: Span, victim: Sender | None) -> Given:
        campaign, draw = self.campaign, self._draw
        dialect = "chat" if campaign.client != "any" else None
        client = {
            "any": None,
            "rare": pools.rare_client("chat"),
            "popular": pools.popular_client("chat"),
        }
        network = str(victim.attributes.get("network", "")) if victim else self._network
        address = str(victim.attributes.get("address", "")) if victim else None
        created_s = span.begin_s - draw.uniform(0.02, _FRESH_DAYS) * DAY_S
        if campaign.signup == "hour":
            created_s = span.begin_s - (_SIGNUP_HOURS_BEFORE - draw.random()) * HOUR_S
        elif campaign.age == "aged":
            created_s = span.begin_s - draw.uniform(*_AGED_DAYS) * DAY_S
        return Given(
            dialect=dialect,
            client=client[campaign.client],
            network=network or None,
            address=address or None,
            payment=self._card(at, wave) if campaign.per_card else None,
            created_at_s=created_s,
        )

    def _card(self, at: int, wave: int) -> str:
        key = (wave if self.campaign.new_cards else 0, at // self.campaign.per_card)
        if key not in self._cards:
            self._cards[key] = self._world.payment(self._draw)
        return self._cards[key]

    def _shared_network(self) -> str | None:
        match self.campaign.network:
            case "small":
                return pools.small_network(self._draw)
            case "large":
                return pools.large_network()
            case _:
                return None

    def _victim(self) -> Sender | None:
        heard = self._overheard
        return self._draw.choice(heard.members) if heard and heard.members else None
