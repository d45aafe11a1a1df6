from pathlib import Path

import pytest

from tests.scenarios.staging import HASTY, ran

CALM = "{name: calm, accounts: 3, each: 10 requests/minute, for: 2 minutes, max_tokens: 5}"
BOTH = f"{HASTY}, {CALM}"
"""240 requests of which some half is refused, and 60 of which none is."""


@pytest.mark.parametrize(
    "expect",
    [
        "{refused: {at least: 1}}",
        "{refused: {at least: 30%, at most: 50%}, by: per-minute}",
        "{refused: {at most: 60%, at least: 40%}, of: hasty}",
        "{refused: 0, of: calm, each: account}",
        "{allowed: {at most: 121}, of: hasty}",
        "{allowed: 60, of: calm}",
        "{allowed: 20, of: calm, each: account}",
        "{allowed: 100%, of: calm}",
        "{never_refused: true, of: calm}",
        "{first_refusal: {after: 60 requests}, of: hasty}",
        "{first_refusal: {at least: 29s, at most: 31s}, of: hasty, by: per-minute}",
        "{first_refusal: {at least: 60, at most: 80}}",
        "{would_refuse: 0}",
    ],
)
async def test_what_comes_as_expected_passes(expect: str, tmp_path: Path) -> None:
    assert (await ran(tmp_path, BOTH, expect)).unmet == ()


@pytest.mark.parametrize(
    ("expect", "but"),
    [
        ("{never_refused: true, of: hasty}", "of 240 requests were refused (per-minute "),
        ("{refused: 3, of: calm}", "0 of 60 requests were refused"),
        ("{refused: {at least: 90%}}", "of 300 requests were refused"),
        ("{refused: {at most: 1}, by: per-minute}", "requests were refused by per-minute"),
        ("{allowed: {at least: 200}, of: hasty}", "of 240 requests were allowed"),
        ("{would_refuse: {at least: 1}}", "0 of 300 requests would have been refused"),
        ("{first_refusal: {after: 59 requests}, of: hasty}", "came after 60 requests, 00:00:30"),
        ("{first_refusal: {at least: 61}, of: hasty}", "came after 60 requests"),
        ("{first_refusal: {at most: 20 seconds}, of: hasty}", "00:00:30 after the first one"),
        ("{first_refusal: {at least: 1 minute}, of: hasty}", "00:00:30 after the first one"),
        ("{first_refusal: 5, of: calm}", "none of 60 requests was refused"),
        ("{allowed: 21, of: calm, each: account}", "calm-1: 20 of 20 requests were allowed; calm-"),
    ],
)
async def test_what_comes_otherwise_is_told(expect: str, but: str, tmp_path: Path) -> None:
    (one,) = (await ran(tmp_path, BOTH, expect)).unmet
    assert one.at == 0
    assert but in one.but


async def test_of_many_accounts_the_first_are_told(tmp_path: Path) -> None:
    many = "{accounts: 9, each: 1 request/minute, for: 1 minute, max_tokens: 5}"
    (one,) = (await ran(tmp_path, many, "{refused: 1, each: account}")).unmet
    assert one.but.count("traffic-1-") == 3
    assert one.but.endswith("and 6 accounts more")
