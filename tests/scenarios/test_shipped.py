"""Every policy that we ship has its scenario, and all of them hold."""

from pathlib import Path

import pytest

from gateway.scenarios.files import Story, read_stories
from gateway.scenarios.run import run_scenario

DIRECTORY = Path(__file__).parents[2] / "policies"
STORIES = read_stories([DIRECTORY])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.located.scenario.scenario)
async def test_it_holds(story: Story) -> None:
    assert [one.but for one in (await run_scenario(story.located, story.policies)).unmet] == []


def test_every_file_has_its_scenarios() -> None:
    files = {path for path in DIRECTORY.glob("*.yaml") if ".scenario." not in path.name}
    assert files
    for path in files:
        assert path.with_suffix(".scenario.yaml").exists()


def test_every_quota_is_expected_to_refuse_in_some_scenario() -> None:
    quotas = {quota.id for story in STORIES for quota in story.policies.quotas}
    named = {each.by for story in STORIES for each in story.located.scenario.expect}
    assert quotas <= named
