from pathlib import Path

from gateway.scenarios.story import story
from tests.scenarios.staging import HASTY, PER_MINUTE, ran


async def test_a_story_tells_what_was_sent_what_happened_and_by_which_rule(tmp_path: Path) -> None:
    lines = list(story(await ran(tmp_path)))
    assert lines[0] == (
        "sent      hasty: 1 account, each 240 requests over 2 minutes (even), standard-1, "
        "max_tokens 5"
    )
    assert lines[1] == "00:00:30  request 61 of hasty-1 is the first of hasty to be refused,"
    where = f"{tmp_path}/quotas.yaml:2"
    assert f"by per-minute ({where}): asks for 1 request; 60 requests of 60" in lines[2]
    assert any("in all 120 allowed, 120 refused (per-minute 120)" in line for line in lines)
    assert "every 1 minute" in lines
    assert "  from 00:01:00: 60 allowed, 60 refused" in lines


async def test_where_nothing_is_refused_the_nearest_limits_are_told(tmp_path: Path) -> None:
    calm = "{name: calm, each: 30 requests/minute, for: 2 minutes, attributes: {plan: free}}"
    lines = list(story(await ran(tmp_path, calm)))
    assert lines[0].endswith("; plan free")
    assert "calm begins; 60 of 60 requests allowed" in lines[1]
    assert lines[-1].startswith("nearest   per-minute: 31 requests of 60 requests a minute (52%)")
    assert not any("refused" in line for line in lines[2:])


async def test_what_shadow_mode_would_have_refused_is_told(tmp_path: Path) -> None:
    lines = list(story(await ran(tmp_path, policies=f"mode: shadow\n{PER_MINUTE}")))
    assert any("would have been refused first, in shadow mode" in line for line in lines)
    assert any("120 in all" in line for line in lines)
    assert any("240 of 240 requests allowed" in line for line in lines)


async def test_every_entry_has_its_own_part_and_attributes_are_readable(tmp_path: Path) -> None:
    other = (
        "{name: other, each: 1/minute, for: 1 minute, "
        "attributes: {payment: one per 5 accounts, tags: [a, b], trial: true}}"
    )
    lines = list(story(await ran(tmp_path, f"{HASTY}, {other}")))
    assert lines[1].endswith("payment one per 5 accounts, tags a b, trial true")
    assert any("other begins; 1 of 1 request allowed" in line for line in lines)
