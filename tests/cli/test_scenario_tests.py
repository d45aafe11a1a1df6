"""`gauger test`, as a newcomer meets it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.scenarios.staging import HASTY, PER_MINUTE, written


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "quotas.yaml").write_text(PER_MINUTE)
    return tmp_path


def write(policies: Path, *texts: str) -> Path:
    file = policies / "quotas.scenario.yaml"
    file.write_text("---\n".join(texts))
    return file


REFUSED = "{refused: {at least: 1}, by: per-minute}"


def test_what_is_as_expected_is_one_line(run: Run, policies: Path) -> None:
    write(policies, written(expect=REFUSED))
    ran = run("test", policies)
    assert ran.code == 0
    assert ran.out.startswith("ok   It holds.  240 requests in 2 minutes, by the clock ")
    assert ": 1 scenario, 240 requests, 0.0 simulated days in " in ran.out


def test_a_failure_reads_like_a_story(run: Run, policies: Path) -> None:
    file = write(policies, written())
    ran = run("test", policies)
    assert ran.code == 1
    assert ran.out.startswith("FAIL It holds.\n")
    assert f"{file}:3: expected expect: [{{never_refused: true}}]" in ran.out
    assert "but 120 of 240 requests were refused (per-minute 120)" in ran.out
    assert "00:00:30  request 61 of hasty-1 is the first of hasty to be refused," in ran.out
    assert f"by per-minute ({policies}/quotas.yaml:2)" in ran.out
    assert "1 scenario failed: 1 scenario" in ran.out


def test_the_story_of_what_passes_is_told_if_asked_for(run: Run, policies: Path) -> None:
    write(policies, written(expect=REFUSED))
    assert "is the first of hasty" not in run("test", policies).out
    assert "is the first of hasty" in run("test", policies, "--story").out


def test_quotas_that_no_scenario_makes_speak_are_named(run: Run, policies: Path) -> None:
    calm = HASTY.replace("2 requests/second", "2 requests/minute")
    write(policies, written(calm))
    assert "In no scenario these refuse anything: per-minute\n" in run("test", policies).out


def test_all_scenarios_are_run_though_one_fails(run: Run, policies: Path) -> None:
    write(policies, written(), written(expect=REFUSED))
    ran = run("test", policies)
    assert ran.code == 1
    assert "FAIL It holds." in ran.out
    assert "ok   It holds." in ran.out


def test_tools_get_the_same_as_json(run: Run, policies: Path) -> None:
    file = write(policies, written(), written(expect=REFUSED))
    ran = run("test", "--json", policies)
    found = json.loads(ran.out)
    assert (ran.code, found["ok"]) == (1, False)
    assert found["never_refusing"] == []
    failed, passed = found["scenarios"]
    assert (failed["passed"], passed["passed"]) == (False, True)
    assert (failed["requests"], failed["allowed"], failed["refused"]) == (240, 120, 120)
    assert failed["unmet"][0]["where"] == f"{file}:3"
    assert passed["unmet"] == []


def test_ci_systems_get_a_report(run: Run, policies: Path) -> None:
    file = write(policies, written(), written(expect=REFUSED))
    report = policies / "report.xml"
    assert run("test", "--junit", report, policies).code == 1
    root = ET.parse(report).getroot()  # noqa: S314  our own
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    (suite,) = root
    assert suite.get("name") == str(file)
    failed, passed = suite
    assert [one.get("line") for one in (failed, passed)] == ["1", "5"]
    assert failed[0].tag == "failure"
    assert "never_refused" in str(failed[0].get("message"))
    assert "request 61 of hasty-1" in str(failed[0].text)
    assert list(passed) == []


def test_a_report_that_cannot_be_written_is_told(run: Run, policies: Path) -> None:
    write(policies, written(expect=REFUSED))
    ran = run("test", "--junit", policies / "no" / "report.xml", policies)
    assert ran.code == 2
    assert "--junit" in ran.err


def test_problems_of_scenarios_and_of_policies_are_located(run: Run, policies: Path) -> None:
    file = write(policies, written(expect="{response: none}"))
    ran = run("test", policies)
    assert ran.code == 1
    assert f"{file}:3:11: " in ran.err
    assert "version 0.2" in ran.err


@pytest.mark.parametrize("name", ["nothing", "quotas.yaml", ""])
def test_a_path_without_scenarios_is_the_command_lines_fault(
    run: Run, policies: Path, name: str
) -> None:
    ran = run("test", policies / name)
    assert ran.code == 2
    assert "error: " in ran.err
