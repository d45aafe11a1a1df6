"""The page on scenarios shows what runs, and names everything that there is."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway.policy.scenario import KINDS, Expectation, Scenario, TrafficEntry
from gateway.scenarios.files import read_stories
from gateway.scenarios.run import run_scenario
from gateway.source.model import Written

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "gateway/docs/testing-policies.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_every_example_passes_with_the_shipped_policies(text: str, tmp_path: Path) -> None:
    for name in ("plans.yaml", "young-accounts.yaml"):
        (tmp_path / name).write_text((ROOT / "policies" / name).read_text())
    (tmp_path / "page.scenario.yaml").write_text(text)
    (story,) = read_stories([tmp_path])
    ran = asyncio.run(run_scenario(story.located, story.policies))
    assert [one.but for one in ran.unmet] == []


@pytest.mark.parametrize("model", [Scenario, TrafficEntry, Expectation])
def test_every_key_is_explained(model: type[Written]) -> None:
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}" in PAGE


def test_every_kind_of_expectation_is_explained() -> None:
    assert all(f"| `{kind}:" in PAGE for kind in KINDS)


@pytest.mark.parametrize("page", ["testing-policies.md", "schema.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / "gateway/docs" / page).read_text("utf-8")
    for link in re.findall(r"\]\(([^):]+)\)", text):
        assert (ROOT / "gateway/docs" / link).exists()
