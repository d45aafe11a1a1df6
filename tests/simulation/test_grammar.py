import random
from itertools import pairwise

import pytest

from gateway.simulation import grammar
from gateway.simulation.vocabulary import WORDS


@pytest.mark.parametrize("language", [None, *WORDS.abroad])
def test_questions_hold_no_placeholder(language: str | None) -> None:
    draw = random.Random(1)
    for _ in range(200):
        text = grammar.question(draw, language)
        assert text
        assert "{" not in text


@pytest.mark.parametrize("name", grammar.HARVESTS)
def test_what_is_harvested_varies(name: str) -> None:
    draw = random.Random(1)
    made = {grammar.HARVESTS[name](draw) for _ in range(300)}
    assert len(made) > 290
    assert not [text for text in made if "{" in text]


def test_a_session_alternates_calls_and_results() -> None:
    _, tools, turns = grammar.session(random.Random(1))
    assert turns[0].role == "user"
    for before, after in pairwise(turns):
        if before.tool is not None and before.role == "assistant":
            assert (after.role, after.tool) == ("tool", before.tool)
            assert before.tool in tools
