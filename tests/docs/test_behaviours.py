"""What the page on behaviours tells a reader to write is what can be written."""

import re
from pathlib import Path

import pytest

from gateway.policy.behaviour import Function, Rung
from gateway.policy.behaviour_document import BehaviourRule
from gateway.policy.ladder_document import ExemptionEntry, ResponseEntry, ScoreEntry
from gateway.policy.measure_functions import TAKES
from gateway.policy.parse import inspect
from gateway.policy.quota import Policies

PAGE = (Path(__file__).parents[2] / "gateway/docs/behaviours.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ROWS = {
    cells[1].split("(")[0].strip("` "): cells
    for cells in (row.split("|") for row in PAGE.splitlines() if row.startswith("| `"))
}


def together() -> Policies:
    inspection = inspect({f"{at}.yaml": text for at, text in enumerate(BLOCKS)})
    assert inspection.problems == inspection.warnings == ()
    assert inspection.policies is not None
    return inspection.policies


@pytest.mark.parametrize("text", BLOCKS)
def test_every_example_is_sound(text: str) -> None:
    assert inspect({"page.yaml": text}).problems == ()


def test_all_examples_together_are_one_directory_without_a_warning() -> None:
    behaviours = together().behaviours
    assert behaviours.rules
    assert behaviours.lists


@pytest.mark.parametrize("function", Function)
def test_every_function_is_explained_with_its_bounds(function: Function) -> None:
    takes = TAKES[function]
    cells = ROWS[function]
    bounds = (takes.least, takes.most)
    words: dict[tuple[float, float], str] = {
        (0, 1): "0 to 1",
        (0, 8): "0 to 8",
        (0, float("inf")): "0 or more",
    }
    assert cells[3].strip() == words.get(bounds, "any number")
    assert cells[4].strip() == ("yes" if takes.requests else "")


@pytest.mark.parametrize("rung", [rung for rung in Rung if rung])
def test_every_response_is_explained_and_shown(rung: Rung) -> None:
    assert ROWS[rung.word]
    assert rung in [step.do for step in together().behaviours.ladder]


MODELS = (BehaviourRule, ResponseEntry, ScoreEntry, ExemptionEntry)
KEYS = sorted({f.alias or name for model in MODELS for name, f in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_named(key: str) -> None:
    assert re.search(rf"`{key}[`:]|\b{key}: ", PAGE)


def test_every_function_that_takes_something_says_what_it_takes_by_an_example() -> None:
    for function, takes in TAKES.items():
        assert takes.example.startswith(f"{function}(")
        rule = f"id: a, group: network, measure: {{m: '{takes.example}'}}, when: m > 0.5, points: 5"
        text = f"behaviours: [{{{rule}}}]"
        assert inspect({"a.yaml": text}).problems == ()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", PAGE))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (Path(__file__).parents[2] / "gateway/docs" / link).exists()
