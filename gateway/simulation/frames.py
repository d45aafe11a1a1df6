"""What a campaign writes around each of its tasks: put together anew for every campaign.

The sentences are ours. They show the forms that were reported (reasoning asked for afterwards,
rubric grading, system prompts as frames), in several languages; a policy that knows them by heart
has learned nothing.
"""

import random
from dataclasses import dataclass

from gateway.simulation.grammar import passage
from gateway.simulation.vocabulary import FRAMES, NOUNS, WORDS

INSTRUCTION, PREFIX, RETROSPECTIVE, RUBRIC = "instruction", "prefix", "retrospective", "rubric"

LANGUAGES = ("en", *FRAMES.abroad)

_TASK_WORDS = ("Task", "Item", "Question", "Input", "Problem", "###", "---")
_ANSWER_WORDS = ("Answer", "Solution", "Result", "Final answer", "Given answer")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a task."""

    opening: str
    closing: str
    task_word: str
    answer_word: str = ""
    """Of frames that give an answer with the task."""

    def around(self, task: str, answer: str = "") -> str:
        parts = [self.opening, f"{self.task_word}: {task}" if self.task_word else task]
        if self.answer_word:
            parts.append(f"{self.answer_word}: {answer}")
        return "\n\n".join(part for part in (*parts, self.closing) if part)

    @property
    def as_system(self) -> str:
        return " ".join(part for part in (self.opening, self.closing) if part)


def frame(
    kind: str,
    draw: random.Random,
    language: str = "en",
    *,
    edges: str = "both",
    reworded: bool = False,
) -> Frame:
    """`edges`: the frame stands at the `first` words, at the `last`, or at `both`.

    `reworded`: no other frame begins or ends with the same words.
    """
    retrospective = kind == RETROSPECTIVE
    if language == "en":
        parts = FRAMES.english[kind]
    else:
        parts, retrospective = FRAMES.abroad[language], True
    opening, middle, closing = (
        _chosen(part, draw) for part in (parts.openings, parts.middles, parts.closings)
    )
    if reworded:
        opening, closing = f"{_own_words(draw)}{opening}", f"{closing}{_own_words(draw, last=True)}"
    ends = "" if opening.endswith("。") else "."
    space = "" if language == "zh" else " "
    if edges == "first":
        opening, closing = f"{opening}{space}{middle}{ends}{space}{closing}", ""
    elif edges == "last":
        opening, closing = "", f"{opening}{space}{middle}{ends}{space}{closing}"
    else:
        opening = f"{opening}{space}{middle}{ends}"
    task_word = draw.choice(_TASK_WORDS) if edges != "last" else ""
    answers = retrospective or kind == RUBRIC
    return Frame(opening, closing, task_word, draw.choice(_ANSWER_WORDS) if answers else "")


def toolset(draw: random.Random) -> tuple[str, ...]:
    """As a harness of its own would name its tools."""
    number = draw.randint(3, 6)
    return tuple(f"{name}_v{draw.randint(1, 9)}" for name in draw.sample(WORDS.tools, number))


def house_prompt(draw: random.Random) -> str:
    """A system prompt as a firm or an application has one."""
    name = "".join(draw.choice(("ba", "lo", "ri", "ne", "tu", "qua", "vel")) for _ in range(3))
    topic = draw.choice(tuple(WORDS.topics))
    return (
        f"You are {name.capitalize()}, the assistant for {topic} at {name.capitalize()} "
        f"{draw.choice(('Labs', 'GmbH', 'Ltd', 'SA', 'Studio'))}. {passage(draw, 3)} Answer in the "
        "language of the question."
    )


def _own_words(draw: random.Random, *, last: bool = False) -> str:
    """A clause that says little, in words that hardly come twice."""
    first, second, third = draw.sample(NOUNS, 3)
    name = draw.choice(WORDS.names)
    if last:
        return f" {name} files it under {first}, {second} and {third}."
    return f"{first.capitalize()} and {second}, says {name}, need {third}. "


def _chosen(parts: list[str], draw: random.Random) -> str:
    return draw.choice(parts).replace("{n}", str(draw.randint(2, 40)))
