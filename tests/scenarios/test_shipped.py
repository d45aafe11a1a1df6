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


def test_every_way_to_find_a_fleet_is_expected_to_find_one() -> None:
    behaviours = {rule.id for story in STORIES for rule in story.policies.behaviours.rules}
    shared = {one for one in behaviours if one not in {"agent-at-work", "reasoning-harvest"}}
    # A client or two traits at once find nothing that one network does not find in the same way.
    alike = {one for one in shared if one.startswith("one-") and one.endswith("-one-pool")}
    named = {each.by for story in STORIES for each in story.located.scenario.expect}
    assert shared - alike <= named
    assert {"one-instrument-one-pool", "one-network-one-pool"} <= named
