"""Honest populations: those that policies have to leave alone, the look-alikes among them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import merge

from gateway.simulation import activity, pace, world
from gateway.simulation.draft import DAY_S, HOUR_S, Behaviour, Member
from gateway.simulation.frames import house_prompt, toolset
from gateway.simulation.scene import Scene
from gateway.simulation.texts import Deck
from gateway.simulation.world import Given

_SHARE_NEWCOMERS = 0.12
"""Of the people who sign up while the simulation runs."""


Make = Callable[[Scene, str, int], Iterator[Member]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One population that can be asked for by name."""

    name: str
    meaning: str
    accounts: int
    """By default: those of the evaluation protocol."""
    make: Make


def _chat(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    draw = scene.draw
    for _ in range(accounts):
        given = Given()
        if scene.chance(_SHARE_NEWCOMERS):
            joined_s = scene.span.begin_s + draw.random() * scene.span.days * DAY_S
            given = Given(created_at_s=joined_s)
        system = draw.choice((None, None, None, None, "You are a helpful assistant."))
        behave = scene.talking(scene.load(0.22, 1.0, 6.0), system)
        yield Member(scene.world.sender(label, given, draw), behave)


def _batch(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    for _ in range(accounts):
        yield _pipeline(scene, label, Given(firm=scene.chance(0.5)))


def _pipeline(scene: Scene, label: str, given: Given) -> Member:
    draw = scene.draw
    per_day = scene.load(10.0, 0.9, 150.0)
    when = pace.bursts(draw, per_day) if scene.chance(0.7) else scene.by_day(per_day)
    behave = activity.running(draw, scene.template(), when)
    return Member(scene.world.sender(label, given, draw), behave)


def _company(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    draw = scene.draw
    for number, given in scene.groups(accounts, (4, 25)):
        template = scene.template()
        per_day = scene.load(8.0, 0.5, 40.0)
        for _ in range(number):
            behave = activity.running(draw, template, pace.by_day(draw, per_day, flat=True))
            yield Member(scene.world.sender(label, given, draw), behave)


def _agent(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    draw = scene.draw
    for _ in range(accounts):
        own = draw.sample(list(scene.corpora.sessions), min(8, len(scene.corpora.sessions)))
        behave = activity.working(
            draw,
            scene.corpora,
            partial(draw.choice, own),
            scene.by_day(scene.load(0.6, 0.6, 6)),
        )
        yield Member(scene.world.sender(label, Given(firm=scene.chance(0.4)), draw), behave)


def _rag(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    draw = scene.draw
    for _ in range(accounts):
        topic = scene.corpora.topics.any(draw)
        when = scene.by_day(scene.load(9.0, 0.8, 80.0))
        behave = activity.looking_up(draw, scene.corpora, topic, when)
        yield Member(scene.world.sender(label, Given(firm=scene.chance(0.6)), draw), behave)


def _evaluation(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    for _ in range(accounts):
        yield from _run_of_benchmark(scene, label, 1, Given(firm=True), weekly=True)


def _sharded(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    for number, given in scene.groups(accounts, (6, 20)):
        yield from _run_of_benchmark(scene, label, number, given, weekly=True)


def _laboratory(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    draw = scene.draw
    begins_s = scene.day(8.0)
    given = Given(
        payment=scene.world.payment(draw),
        organization=scene.world.organization(draw),
        network=world.any_network(draw),
        created_at_s=begins_s,
        firm=True,
    )
    yield from _run_of_benchmark(scene, label, accounts, given, weekly=False)


def _run_of_benchmark(
    scene: Scene, label: str, accounts: int, given: Given, *, weekly: bool
) -> Iterator[Member]:
    """Once a week on one day, or every day."""
    draw = scene.draw
    deck = Deck(scene.corpora.benchmark, draw)
    system = draw.choice(
        (
            "Solve the problem. The last line is the answer alone.",
            "Answer the question. Think first, then write ANSWER and the letter or number.",
            None,
        )
    )
    zone, weekday = scene.zone_h(), draw.randrange(7)
    per_day = scene.load(40.0 if accounts == 1 else 25.0, 0.4, 150.0)
    for _ in range(accounts):
        when = pace.by_day(draw, per_day, zone)
        if weekly:
            when = _on_weekday(when, weekday)
        yield Member(
            scene.world.sender(label, given, draw),
            activity.together(draw, deck.next, when, system),
        )


def _on_weekday(when: pace.Pace, weekday: int) -> pace.Pace:
    return lambda span: (at_s for at_s in when(span) if int(at_s // DAY_S) % 7 == weekday)


def _reseller(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """One key for many end users, who are told apart by an id in the body."""
    draw = scene.draw
    for _ in range(accounts):
        users = [f"u-{draw.getrandbits(32):08x}" for _ in range(300)]
        topics = [scene.corpora.topics.any(draw) for _ in users]
        streams = [
            activity.talking(
                draw,
                scene.corpora,
                topic,
                scene.by_day(scene.load(0.1, 0.8, 3.0)),
                end_user=who,
            )
            for who, topic in zip(users, topics, strict=True)
        ]
        yield Member(scene.world.sender(label, Given(firm=True), draw), _merged(streams))


def _merged(behaviours: list[Behaviour]) -> Behaviour:
    return lambda sender, span: merge(
        *(behave(sender, span) for behave in behaviours), key=lambda draft: draft.at_s
    )


def _tenants(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """A reseller's customers, each with an account of its own on the reseller's card."""
    draw = scene.draw
    for number, given in scene.groups(accounts, (300, 300)):
        client = world.any_client(given.dialect or "chat", draw)
        for _ in range(number):
            mine = Given(
                dialect="chat",
                client=client,
                network=given.network,
                payment=given.payment,
                organization=given.organization,
                plan=given.plan,
            )
            behave = scene.talking(scene.load(0.15, 1.0, 4.0))
            if scene.chance(0.15):
                template = scene.template()
                behave = activity.running(draw, template, scene.by_day(scene.load(3.0, 0.8, 30.0)))
            yield Member(scene.world.sender(label, mine, draw), behave)


def _campus(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """Students behind one address each campus: all of them new, their load very uneven."""
    draw = scene.draw
    campuses = max(1, accounts // 60)
    for campus in range(campuses):
        size = accounts // campuses + (campus < accounts % campuses)
        network = world.any_network(draw)
        address, organization = world.address_in(network, draw), scene.world.organization(draw)
        for mean in pace.zipf(size, 0.55 * scene.rate):
            given = Given(
                network=network,
                address=address,
                organization=organization,
                plan="free",
                paying=False,
                created_at_s=scene.span.begin_s - draw.uniform(1, 25) * DAY_S,
            )
            yield Member(scene.world.sender(label, given, draw), scene.talking(min(mean, 12.0)))


def _exercise(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """A class that signs up in one lesson and asks what stands on its sheet."""
    draw = scene.draw
    begins_s = scene.day(9.0) + 9 * HOUR_S
    network = world.any_network(draw)
    address = world.address_in(network, draw)
    sheet = [scene.corpora.benchmark.any(draw) for _ in range(20)]
    for _ in range(accounts):
        created_s = begins_s + draw.uniform(0, 2 * HOUR_S)
        given = Given(network=network, address=address, paying=False, created_at_s=created_s)
        when = scene.by_day(scene.load(3.5, 0.6, 15.0))
        behave = activity.asking(draw, lambda draw: draw.choice(sheet), when)
        yield Member(scene.world.sender(label, given, draw), behave)


def _ci(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """Jobs of unrelated payers that all run at one hosting company."""
    network = world.small_network(scene.draw)
    for at in range(accounts):
        address = world.address_in(network, scene.draw)
        given = Given(network=network, address=address, firm=at % 2 == 0)
        yield _pipeline(scene, label, given)


def _app(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """Independent customers of one application: one system prompt, one tool list, one client."""
    draw = scene.draw
    system, tools = house_prompt(draw), toolset(draw)
    client = world.any_client("chat", draw)
    for _ in range(accounts):
        given = Given(dialect="chat", client=client, paying=True)
        end_user = f"u-{draw.getrandbits(32):08x}"
        behave = activity.talking(
            draw,
            scene.corpora,
            scene.corpora.topics.any(draw),
            scene.by_day(scene.load(0.25, 0.8, 5.0)),
            system=system,
            tools=tools,
            end_user=end_user,
        )
        yield Member(scene.world.sender(label, given, draw), behave)


def _one_shot_app(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """The same without conversations: paste a text, take the answer, gone."""
    draw = scene.draw
    system, client = house_prompt(draw), world.any_client("chat", draw)
    for _ in range(accounts):
        given = Given(dialect="chat", client=client)
        if scene.chance(_SHARE_NEWCOMERS):
            joined_s = scene.span.begin_s + draw.random() * scene.span.days * DAY_S
            given = Given(dialect="chat", client=client, created_at_s=joined_s)
        topic = scene.corpora.topics.any(draw)
        when = scene.by_day(scene.load(0.4, 0.8, 5.0))
        behave = activity.asking(draw, topic.opening, when, system=system, ceiling=800)
        yield Member(scene.world.sender(label, given, draw), behave)


def _launch(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """Sign-ups within three hours of the day on which a new model comes."""
    draw = scene.draw
    begins_s = scene.day(9.0) + 15 * HOUR_S
    for _ in range(accounts):
        created_s = begins_s + draw.betavariate(1.5, 3) * 3 * HOUR_S
        sender = scene.world.sender(label, Given(created_at_s=created_s), draw)
        if scene.chance(0.7):
            sender.pivots_at_s = created_s
        topic = scene.corpora.topics.any(draw)
        when = scene.by_day(scene.load(0.8, 0.8, 8.0))
        if scene.chance(0.4):
            behave = activity.asking(draw, topic.opening, when)
        else:
            behave = activity.talking(draw, scene.corpora, topic, when)
        yield Member(sender, behave)


def _firms(scene: Scene, label: str, accounts: int, *, house: bool = True) -> Iterator[Member]:
    """The staff of one firm on one card: everybody asks about his own work."""
    draw = scene.draw
    for number, given in scene.groups(accounts, (5, 25)):
        system = house_prompt(draw) if house else None
        for _ in range(number):
            topic = scene.corpora.topics.any(draw)
            when = scene.by_day(scene.load(1.6, 0.8, 15.0))
            ask = activity.asking(draw, topic.opening, when, system=system)
            yield Member(scene.world.sender(label, given, draw), ask)


def _plain_firms(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    return _firms(scene, label, accounts, house=False)


def _same_work(scene: Scene, label: str, accounts: int) -> Iterator[Member]:
    """Firms whose staff do the same work: one topic, one house prompt, no conversations."""
    draw = scene.draw
    for number, given in scene.groups(accounts, (5, 25)):
        system, topic = house_prompt(draw), scene.corpora.topics.any(draw)
        for _ in range(number):
            when = scene.by_day(scene.load(1.6, 0.8, 15.0))
            ask = activity.asking(draw, topic.opening, when, system=system)
            yield Member(scene.world.sender(label, given, draw), ask)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("chat", "people who talk about one topic each", 2_000, _chat),
        Kind("batch", "pipelines: one template for each account", 283, _batch),
        Kind("company", "one firm's pipeline on 4 to 25 accounts", 150, _company),
        Kind("agent", "coding and tool agents: growing histories, tool results", 200, _agent),
        Kind("rag", "questions about long passages that were found", 60, _rag),
        Kind("evaluation", "benchmark runs once a week", 30, _evaluation),
        Kind("sharded-evaluation", "a benchmark spread over 6 to 20 accounts", 80, _sharded),
        Kind("reseller", "keys with 300 end users each, told apart in bodies", 10, _reseller),
        Kind("tenants", "customers of resellers: 300 accounts on one card", 3_000, _tenants),
        Kind("campus", "new accounts behind one address per 60", 300, _campus),
        Kind("class", "a class on one exercise sheet, signed up in one lesson", 30, _exercise),
        Kind("ci", "jobs of many payers in one network", 40, _ci),
        Kind("app", "one popular application: one system prompt, one tool list", 200, _app),
        Kind("one-shot-app", "an application without conversations", 400, _one_shot_app),
        Kind("launch", "300 sign-ups in three hours, for a new model", 300, _launch),
        Kind("firms", "5 to 25 accounts on one card, with a house prompt", 300, _firms),
        Kind("plain-firms", "the same without a house prompt", 150, _plain_firms),
        Kind("same-work", "firms whose staff all do the same work", 150, _same_work),
        Kind("laboratory", "12 new accounts that share one benchmark, from day 8", 12, _laboratory),
    )
}
