"""What one honest account does: talks, runs a job, lets an agent work, asks about documents."""

import random
from collections.abc import Callable, Iterator

from gateway.simulation.corpora import Corpora, Session, Template
from gateway.simulation.draft import Behaviour, Draft, Sender, Span, Turn, user
from gateway.simulation.pace import Pace
from gateway.simulation.texts import Topic

_SHORT = (
    "thanks, can you make it shorter?",
    "continue",
    "That did not work, same error as before.",
    "Why?",
    "Are you sure?",
    "ok and what are the downsides",
    "can you give an example?",
    "go on",
    "继续",
    "weiter bitte",
    "más corto por favor",
)
_SHARE_SHORT = 0.4
_MORE_TURNS, _MOST_TURNS = 2.2, 9
_REPLY_CHARACTERS = 450
_THINKING_S = (4.4, 0.8)
"""Between an answer and the next question: of a log-normal distribution."""
_AGENT_GAP_S = (2.2, 0.7)
_SHARE_STREAMED = 0.6

Ask = Callable[[random.Random], str]


def answer_tokens(draw: random.Random, median: float = 260.0) -> int:
    return max(1, int(median * draw.lognormvariate(0, 0.9)))


def talking(
    draw: random.Random,
    corpora: Corpora,
    topic: Topic,
    pace: Pace,
    *,
    system: str | None = None,
    tools: tuple[str, ...] = (),
    ceiling: int | None = None,
    end_user: str | None = None,
) -> Behaviour:
    """Conversations about one topic. A new one begins only when the last is over."""

    def behave(_sender: Sender, span: Span) -> Iterator[Draft]:
        free_from_s = 0.0
        for begins_s in pace(span):
            at_s = max(begins_s, free_from_s)
            stream = draw.random() < _SHARE_STREAMED
            turns: tuple[Turn, ...] = user(topic.opening(draw))
            for _ in range(min(_MOST_TURNS, 1 + int(draw.expovariate(1 / _MORE_TURNS)))):
                if at_s >= span.end_s:
                    return
                made = answer_tokens(draw)
                yield Draft(at_s, turns, made, system, tools, ceiling, stream, end_user)
                reply = corpora.passages.any(draw)[: draw.randint(120, _REPLY_CHARACTERS)]
                turns = (*turns, Turn("assistant", reply), Turn("user", _follow_up(draw, topic)))
                at_s += draw.lognormvariate(*_THINKING_S)
            free_from_s = at_s

    return behave


def asking(
    draw: random.Random,
    ask: Ask,
    pace: Pace,
    *,
    system: str | None = None,
    tools: tuple[str, ...] = (),
    ceiling: int | None = None,
    median: float = 260.0,
    end_user: str | None = None,
) -> Behaviour:
    """One request after the other, without a history."""

    def behave(_sender: Sender, span: Span) -> Iterator[Draft]:
        stream = draw.random() < _SHARE_STREAMED / 2
        for at_s in pace(span):
            made = answer_tokens(draw, median)
            yield Draft(at_s, user(ask(draw)), made, system, tools, ceiling, stream, end_user)

    return behave


def running(draw: random.Random, template: Template, pace: Pace) -> Behaviour:
    """A job: rows of one template."""
    ceiling = draw.choice((None, None, 16, 64, 128, 256, 512))
    return asking(draw, template.fill, pace, ceiling=ceiling, median=60.0)


def looking_up(draw: random.Random, corpora: Corpora, topic: Topic, pace: Pace) -> Behaviour:
    """Passages that were found, then a question about them."""
    system = draw.choice(
        (
            "Answer from the context only.",
            "Use the documents. If they do not say, tell so.",
            "Summarise what was found for the reader's question.",
            None,
        )
    )
    word = draw.choice(("Context", "Documents", "Sources", "Found"))

    def ask(draw: random.Random) -> str:
        found = "\n\n".join(corpora.passages.any(draw) for _ in range(draw.randint(2, 5)))
        return f"{word}:\n{found}\n\n{topic.opening(draw)}"

    return asking(draw, ask, pace, system=system, ceiling=512, median=120.0)


def working(
    draw: random.Random, corpora: Corpora, session: Callable[[], Session], pace: Pace
) -> Behaviour:
    """An agent: each step sends the whole history so far, tool results and all."""

    def behave(_sender: Sender, span: Span) -> Iterator[Draft]:
        free_from_s = 0.0
        for begins_s in pace(span):
            at_s = max(begins_s, free_from_s)
            done = session()
            turns = [_anew(turn, corpora, draw) for turn in done.turns]
            for at, turn in enumerate(turns):
                if turn.role == "assistant" and at:
                    if at_s >= span.end_s:
                        return
                    made = answer_tokens(draw, 140.0)
                    yield Draft(at_s, turns[:at], made, done.system, done.tools, 4_096)
                    at_s += draw.lognormvariate(*_AGENT_GAP_S)
            free_from_s = at_s

    return behave


def together(
    draw: random.Random, questions: Callable[[], str], pace: Pace, system: str | None
) -> Behaviour:
    """A share of a list that several accounts work through: each question once."""
    return asking(draw, lambda _draw: questions(), pace, system=system, ceiling=1_024, median=420.0)


def _anew(turn: Turn, corpora: Corpora, draw: random.Random) -> Turn:
    """What a user or a tool says differs each time, even where an agent does the same again."""
    if turn.role == "assistant":
        return turn
    return turn._replace(text=corpora.chat.vary(turn.text, draw))


def _follow_up(draw: random.Random, topic: Topic) -> str:
    if draw.random() < _SHARE_SHORT:
        return draw.choice(_SHORT)
    return topic.opening(draw)[:240]
