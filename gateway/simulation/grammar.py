"""Sentences out of our own words, for whoever has no corpora: questions, tasks, passages, sessions.

They mean little and repeat seldom. That is enough to see counters, frames and shares at work; how
well a policy tells real people from real campaigns, only real texts can show.
"""

import random
from collections.abc import Callable, Sequence

from gateway.simulation.draft import Turn
from gateway.simulation.vocabulary import NOUNS, WORDS

SHARE_ABROAD = 0.25
"""Of questions that are not in English."""

_TOPICS = tuple(WORDS.topics)
_LANGUAGES = tuple(WORDS.abroad)
_PASSAGE_SENTENCES = (6, 30)


def question(draw: random.Random, language: str | None = None) -> str:
    """As people ask. `language`: a key of `WORDS.abroad`; by default mostly English."""
    if language is None and draw.random() < SHARE_ABROAD:
        language = draw.choice(_LANGUAGES)
    if language is not None:
        abroad = WORDS.abroad[language]
        openers, followers, nouns = abroad.openers, abroad.followers, abroad.nouns
        ends = "？" if language == "zh" else "?"  # noqa: RUF001  as Chinese is written
        first = _filled(draw.choice(openers), nouns, draw) + ends
    else:
        openers, followers = WORDS.openers, WORDS.followers
        nouns = _nouns(draw)
        first = _filled(draw.choice(openers), nouns, draw) + draw.choice("??.")
    more = [_filled(draw.choice(followers), nouns, draw) for _ in range(draw.randint(0, 3))]
    return " ".join([first, *more])


def passage(draw: random.Random, sentences: int | None = None) -> str:
    nouns = _nouns(draw)
    number = draw.randint(*_PASSAGE_SENTENCES) if sentences is None else sentences
    return " ".join(_statement(nouns, draw) for _ in range(number))


def pipeline(draw: random.Random) -> tuple[str, str]:
    """What a pipeline writes before its rows, and after them."""
    nouns = _nouns(draw)
    head = _filled(draw.choice(WORDS.pipeline_heads), nouns, draw)
    tail = _filled(draw.choice(WORDS.pipeline_tails), nouns, draw)
    return f"{head}\n\n", f"\n\n{tail}" if tail else ""


def riddle(draw: random.Random) -> str:
    """A sum in words."""
    name, other = draw.sample(WORDS.names, 2)
    return draw.choice(WORDS.riddles).format(
        name=name,
        other=other,
        goods=draw.choice(WORDS.goods),
        many=draw.randint(12, 90),
        few=draw.randint(2, 11),
        day=_day(draw),
        night=_day(draw),
    )


def code_task(draw: random.Random) -> str:
    thing, job = draw.choice(WORDS.code_things), draw.choice(WORDS.code_jobs)
    language, other = draw.sample(WORDS.languages, 2)
    return draw.choice(
        (
            f"Write a {language} function that takes a {thing} and {job}.",
            f"Given a {thing} in {language}, show code that {job} without extra memory.",
            f"Create a {language} class for a {thing}; one method {job}.",
            f"Port this idea from {other} to {language}: a {thing} that {job}.",
            f"Using only the standard library of {language}, build a {thing}. It {job}.",
            f"Implement a command line program in {language} that reads a {thing} and {job}.",
        )
    )


def instruction(draw: random.Random) -> str:
    return _filled(draw.choice(WORDS.tasks), NOUNS, draw)


def session(draw: random.Random) -> tuple[str, tuple[str, ...], tuple[Turn, ...]]:
    """System prompt, tools and turns of an agent's work."""
    tools = tuple(draw.sample(WORDS.tools, draw.randint(2, 5)))
    topic = draw.choice(_TOPICS)
    system = (
        f"You are the {topic} assistant of our team. Use the tools {', '.join(tools)} when they "
        f"help. {passage(draw, 8)}"
    )
    turns = [Turn("user", question(draw, None))]
    for _ in range(draw.randint(3, 9)):
        tool = draw.choice(tools)
        turns.append(Turn("assistant", draw.choice(("", f"I will use {tool} first.")), tool))
        turns.append(Turn("tool", passage(draw, draw.randint(1, 12)), tool))
    turns.append(Turn("assistant", passage(draw, 3)))
    turns.append(Turn("user", question(draw, None)))
    turns.append(Turn("assistant", passage(draw, 2)))
    return system, tools, tuple(turns)


HARVESTS: dict[str, Callable[[random.Random], str]] = {
    "code": code_task,
    "maths": riddle,
    "instructions": instruction,
}
"""What campaigns ask, by the name of the source."""


def _filled(pattern: str, nouns: Sequence[str], draw: random.Random) -> str:
    first, second, third = draw.sample(nouns, 3)
    return pattern.format(
        a=first,
        b=second,
        c=third,
        n=draw.randint(2, 99),
        p=draw.choice(WORDS.people),
        d=_day(draw),
        o=draw.choice(WORDS.sides),
    )


def _nouns(draw: random.Random) -> list[str]:
    """About one topic."""
    return WORDS.topics[draw.choice(_TOPICS)]


def _statement(nouns: Sequence[str], draw: random.Random) -> str:
    first, second = draw.sample(nouns, 2)
    name, year = draw.choice(WORDS.names), draw.randint(1820, 2024)
    return draw.choice(
        (
            f"In {year} {name} described the {first} as cheaper than any {second}.",
            f"Most of the {first} came from a {second} near the {draw.choice(WORDS.sides)} gate.",
            f"{name} kept {draw.randint(2, 400)} of them, although the {second} was older.",
            f"Without a {first} there would have been no {second} at all.",
            f"The {draw.choice(WORDS.people)} wrote that every {first} needs a {second} by {year}.",
            f"A {second} lasts {draw.randint(2, 60)} years, the {first} hardly one.",
            f"Nobody asked {name} about the {first} until the {second} had failed.",
            f"By {_day(draw)} the {first} was full and the {second} sold.",
        )
    )


def _day(draw: random.Random) -> str:
    return draw.choice(WORDS.days)
