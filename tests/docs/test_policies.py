"""What the page on policies tells a reader to write is what can be written."""

import re
from pathlib import Path

import pytest

from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.parse import inspect
from gateway.policy.rate import UNITS

PAGE = (Path(__file__).parents[2] / "gateway/docs/policies.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_every_example_is_sound_and_draws_no_warning(text: str) -> None:
    inspection = inspect({"page.yaml": text})
    assert inspection.problems == inspection.warnings == ()


def test_all_examples_together_are_one_sound_directory() -> None:
    inspection = inspect({f"{at}.yaml": text for at, text in enumerate(BLOCKS)})
    assert inspection.problems == ()


@pytest.mark.parametrize("key", QuotaRule.model_fields)
def test_every_key_of_a_quota_stands_in_an_example_and_is_explained(key: str) -> None:
    assert any(re.search(rf"^  (- |  ){key}:", text, re.MULTILINE) for text in BLOCKS)
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("section", PolicyFile.model_fields)
def test_every_section_is_named(section: str) -> None:
    assert f"`{section}`" in PAGE


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_in_the_table(unit: str) -> None:
    assert re.search(rf"^\| `{unit}` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", PAGE))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (Path(__file__).parents[2] / "gateway/docs" / link).exists()
