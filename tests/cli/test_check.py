import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SOUND = """\
quotas:
  - id: requests
    why: Keep one account from crowding out the others.
    limit: 600 requests/minute
"""
BROKEN = """\
quotas:
  - id: requests
    why: Keep one account from crowding out the others.
    limit: 600 requests/minute
    per: acc0unt
  - id: tokens
    why: The allowance of one account.
    limit: 2M tokns/day
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    directory = tmp_path / "policies"
    directory.mkdir()
    return directory


def test_sound_policies_are_counted(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(SOUND)
    ran = run("check", policies)
    assert ran.code == 0
    assert ran.out.startswith("ok: 1 quota, 1 limit, version ")


def test_behaviours_are_counted_and_what_has_ended_is_told(run: Run, policies: Path) -> None:
    rule = "{id: a, why: B., measure: {n: count() over 7d}, when: n > 5, points: 5}"
    (policies / "behaviours.yaml").write_text(
        f"behaviours: [{rule}]\nresponses: [{{at: 5, do: observe}}]\n"
        "exemptions: [{plan: a, until: 2020-01-01, owner: o, why: w}]\n"
    )
    ran = run("check", policies)
    assert ran.code == 0
    assert "ok: 0 quotas, 0 limits, 1 behaviour, version " in ran.out
    assert "1 warning" in ran.out
    assert "This exemption has ended" in ran.out


def test_all_problems_of_all_files_are_shown_at_once(run: Run, policies: Path) -> None:
    (policies / "a.yaml").write_text(BROKEN)
    (policies / "b.yaml").write_text("quotas: [")
    ran = run("check", policies)
    assert ran.code == 1
    assert f"{policies}/a.yaml:5:10: " in ran.out
    assert f"{policies}/a.yaml:8:12: " in ran.out
    assert f"{policies}/b.yaml:1:" in ran.out
    assert ran.out.endswith("3 problems\n")


def test_the_caret_stands_under_the_mistake(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(BROKEN)
    lines = run("check", policies).out.splitlines()
    at = next(i for i, line in enumerate(lines) if "|     per: acc0unt" in line)
    assert lines[at + 1].index("^") == lines[at].index("acc0unt")


def test_a_guess_is_made(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(BROKEN)
    assert 'Did you mean "account"?' in run("check", policies).out


def test_a_warning_is_no_failure(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text("quotas: [{id: requests, limit: 5 requests/second}]")
    ran = run("check", policies)
    assert ran.code == 0
    assert ":1:10: warning: " in ran.out
    assert ran.out.endswith(", 1 warning\n")


def test_one_file_may_be_checked(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(SOUND)
    assert run("check", policies / "quotas.yaml").code == 0


def test_an_id_is_unique_over_all_paths(run: Run, policies: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (policies / name).write_text(SOUND)
    ran = run("check", policies / "a.yaml", policies / "b.yaml")
    assert ran.code == 1
    assert "is taken" in ran.out


def test_an_unreadable_file_hides_no_other_problem(run: Run, policies: Path) -> None:
    (policies / "a.yaml").write_bytes(b"quotas: \xff")
    (policies / "b.yaml").write_text(BROKEN)
    ran = run("check", policies / "a.yaml", policies / "b.yaml")
    assert ran.code == 1
    assert ran.out.endswith("3 problems\n")


def test_a_path_that_is_not_there_is_the_command_lines_fault(run: Run, policies: Path) -> None:
    ran = run("check", policies / "nothing")
    assert ran.code == 2
    assert "does not exist" in ran.err


def test_tools_get_the_same_as_json(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(BROKEN)
    ran = run("check", "--json", policies)
    found = json.loads(ran.out)
    assert ran.code == 1
    assert found["ok"] is False
    places = [(problem["line"], problem["column"]) for problem in found["problems"]]
    assert places == [(5, 10), (8, 12)]
    assert found["problems"][0]["excerpt"] == "    per: acc0unt"


def test_json_of_sound_policies_has_their_version(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(SOUND)
    found = json.loads(run("check", "--json", policies).out)
    assert found["ok"] is True
    assert len(found["version"]) == 12


def test_nothing_but_text_goes_into_a_pipe(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(BROKEN)
    assert "\x1b" not in run("check", policies).out


def test_the_cost_is_told_if_asked_for(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(SOUND)
    assert "microseconds" not in run("check", policies).out
    told = run("check", "--cost", policies).out
    assert "for each account" in told
    assert "1 script of 1 key" in told
    assert "time of this machine" in told


def test_tools_get_the_cost_as_numbers(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(SOUND)
    cost = json.loads(run("check", "--cost", "--json", policies).out)["cost"]
    (kept,) = cost["kept"]
    assert kept["per"] == ["account"]
    assert kept["redis_bytes"] > 0
    assert cost["partitions"] == 1
    assert cost["microseconds"] > 0


def test_what_is_wrong_has_no_cost(run: Run, policies: Path) -> None:
    (policies / "quotas.yaml").write_text(BROKEN)
    ran = run("check", "--cost", policies)
    assert ran.code == 1
    assert "bytes" not in ran.out


def test_a_scenario_is_no_policy(run: Run, policies: Path) -> None:
    (policies / "a.scenario.yaml").write_text("scenario: x")
    ran = run("check", policies / "a.scenario.yaml")
    assert ran.code == 2
    assert "gauger test" in ran.err
