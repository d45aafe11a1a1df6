import random

import pytest

from gateway.simulation import frames


@pytest.mark.parametrize(
    "kind", [frames.INSTRUCTION, frames.PREFIX, frames.RETROSPECTIVE, frames.RUBRIC]
)
@pytest.mark.parametrize("language", frames.LANGUAGES)
def test_every_kind_and_language_stands_around_its_task(kind: str, language: str) -> None:
    made = frames.frame(kind, random.Random(1), language)
    text = made.around("THE TASK", "THE ANSWER")
    assert "THE TASK" in text
    assert ("THE ANSWER" in text) == bool(made.answer_word)
    assert not text.startswith("THE TASK")
    assert not text.endswith("THE TASK")


def test_a_frame_can_stand_at_one_end() -> None:
    first = frames.frame(frames.INSTRUCTION, random.Random(1), edges="first").around("TASK")
    last = frames.frame(frames.INSTRUCTION, random.Random(1), edges="last").around("TASK")
    assert first.endswith("TASK")
    assert last.startswith("TASK")


def test_reworded_frames_share_neither_beginning_nor_end() -> None:
    draw = random.Random(1)
    made = [frames.frame(frames.PREFIX, draw, reworded=True).around("TASK") for _ in range(50)]
    assert len({" ".join(text.split()[:6]) for text in made}) == 50
    assert len({" ".join(text.split()[-6:]) for text in made}) == 50
