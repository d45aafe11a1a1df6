"""What the page on backtests says of recordings is what there is."""

import re
from pathlib import Path

import pytest

from gateway.recording.writer import MOST_LINES
from gateway.replay.events import Event
from gateway.replay.record import Record
from gateway.settings.written import SETTINGS, default_text

PAGE = (Path(__file__).parents[2] / "gateway/docs/backtest.md").read_text("utf-8")
EVENTS = [str(one.__struct_config__.tag) for one in Event.__subclasses__()]


@pytest.mark.parametrize("name", EVENTS)
def test_every_line_of_a_recording_is_explained(name: str) -> None:
    assert re.search(rf"^\| [^|]*`{name}`", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.startswith("record")])
def test_every_setting_of_it_is_named(name: str) -> None:
    assert re.search(rf"^\| `{SETTINGS[name].flag}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", Record.__struct_fields__)
def test_every_field_of_a_record_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_figures_are_those_of_the_code() -> None:
    assert f"up to {MOST_LINES:,} of them wait" in PAGE
    assert f"({default_text('record_size')})" in PAGE
