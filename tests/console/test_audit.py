import json
import logging
import stat
from pathlib import Path

import pytest

from gateway.console.audit import AUDIT, AuditLog, Operator
from gateway.errors import SettingsError
from gateway.reload import Outcome, Reloaded
from tests.parts.clock import Clock

WHO = Operator("192.0.2.9", "0123abcd")


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_in_the_file_and_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, AUDIT)
    file = tmp_path / "audit.jsonl"
    told = AuditLog(Clock(), file).write(WHO, "block", {"account": "a\nb"}, result="done")
    assert lines(file) == [told] == [json.loads(caplog.records[0].getMessage())]
    assert told == {
        "at": "2027-01-15T08:00:00+00:00",
        "who": "192.0.2.9",
        "token": "0123abcd",
        "what": "block",
        "result": "done",
        "account": "a\nb",
    }


def test_a_file_is_lengthened_and_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    for _ in range(2):
        AuditLog(Clock(), file).write(WHO, "block", {})
    assert len(lines(file)) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    audit = AuditLog(Clock(), file)
    audit.write(WHO, "first", {})
    file.rename(tmp_path / "audit.jsonl.1")
    audit.write(WHO, "second", {})
    assert [one["what"] for one in lines(file)] == ["second"]


def test_a_file_that_cannot_be_written_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--audit-log"):
        AuditLog(Clock(), tmp_path / "none" / "audit").demand_file()
    AuditLog(Clock()).demand_file()


def test_a_line_that_cannot_be_written_later_is_told_and_stays_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    AuditLog(Clock(), tmp_path).write(WHO, "block", {"account": "acme"})
    assert "acme" in caplog.records[0].getMessage()
    assert "cannot be written" in caplog.records[1].getMessage()
    assert caplog.records[1].levelno == logging.ERROR


@pytest.mark.parametrize(
    ("outcome", "result"), [(Outcome.REFUSED, "refused"), (Outcome.REPLACED, "done")]
)
def test_a_reload_says_what_became_of_each_thing(
    tmp_path: Path, outcome: Outcome, result: str
) -> None:
    file = tmp_path / "audit.jsonl"
    AuditLog(Clock(), file).reloaded(
        Operator("SIGHUP"),
        [Reloaded("policies", outcome, "0123"), Reloaded("tls", Outcome.UNCHANGED, "4567")],
    )
    (told,) = lines(file)
    assert (told["who"], told["what"], told["result"]) == ("SIGHUP", "reload", result)
    assert (told["policies"], told["tls"]) == (outcome, "unchanged")
