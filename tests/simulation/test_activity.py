import random
from itertools import pairwise

from gateway.simulation import activity, pace
from gateway.simulation.bodies import CHAT
from gateway.simulation.draft import DAY_S, Sender, Span
from tests.simulation.making import texts

SPAN = Span(1_780_272_000.0, 1_780_272_000.0 + 5 * DAY_S)
WHO = Sender("acct_1", "benign/chat", CHAT, "small", {}, {})


def test_a_conversation_grows_and_a_new_one_begins_after_it() -> None:
    draw = random.Random(1)
    topic = texts().topics.any(draw)
    talk = activity.talking(draw, texts(), topic, pace.by_day(draw, 4.0))
    drafts = list(talk(WHO, SPAN))
    lengths = [len(draft.turns) for draft in drafts]
    assert lengths[0] == 1
    for before, after in pairwise(drafts):
        assert before.at_s <= after.at_s
        if len(after.turns) > 1:
            assert after.turns[: len(before.turns)] == before.turns
    assert max(lengths) > 4


def test_retrieval_puts_long_passages_before_a_question() -> None:
    draw = random.Random(1)
    look = activity.looking_up(draw, texts(), texts().topics.any(draw), pace.by_day(draw, 9.0))
    drafts = list(look(WHO, SPAN))
    assert all(len(draft.turns) == 1 for draft in drafts)
    assert min(len(draft.turns[0].text) for draft in drafts) > 400


def test_an_agent_sends_everything_that_came_before() -> None:
    draw = random.Random(1)
    session = texts().sessions[0]
    work = activity.working(draw, texts(), lambda: session, pace.by_day(draw, 2.0))
    drafts = list(work(WHO, SPAN))
    steps = sum(turn.role == "assistant" for turn in session.turns)
    assert len(drafts) >= steps
    assert drafts[0].system == session.system
    assert [len(draft.turns) for draft in drafts[:steps]] == sorted(
        len(draft.turns) for draft in drafts[:steps]
    )
