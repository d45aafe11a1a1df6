"""A scenario and its policies, written into a directory of the test's."""

from pathlib import Path

from gateway.scenarios.files import read_stories
from gateway.scenarios.run import Ran, run_scenario

PER_MINUTE = """\
quotas:
  - id: per-minute
    why: Keep one account from crowding out the others.
    limit: 60 requests/minute
"""
HASTY = "{name: hasty, each: 2 requests/second, for: 2 minutes, output_tokens: 5, max_tokens: 5}"


def written(traffic: str = HASTY, expect: str = "{never_refused: true}", rest: str = "") -> str:
    return f"scenario: It holds.\n{rest}traffic: [{traffic}]\nexpect: [{expect}]\n"


async def ran(
    directory: Path,
    traffic: str = HASTY,
    expect: str = "{never_refused: true}",
    rest: str = "",
    policies: str = PER_MINUTE,
) -> Ran:
    (directory / "quotas.yaml").write_text(policies)
    (directory / "a.scenario.yaml").write_text(written(traffic, expect, rest))
    (story,) = read_stories([directory])
    return await run_scenario(story.located, story.policies)
