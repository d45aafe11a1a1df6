from pathlib import Path

import pytest

from gateway.errors import OperatorError
from gateway.scenarios.files import NoScenarios, read_stories
from gateway.source.problems import Problems
from tests.scenarios.staging import PER_MINUTE, written


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "quotas.yaml").write_text(PER_MINUTE)
    (tmp_path / "a.scenario.yaml").write_text(f"{written()}---\n{written()}")
    return tmp_path


def test_all_scenarios_of_a_directory_are_read_in_order_and_once(directory: Path) -> None:
    inside = directory / "inside"
    inside.mkdir()
    (inside / "b.scenario.yml").write_text(written(rest="policies: [../quotas.yaml]\n"))
    (inside / ".c.scenario.yaml").write_text("[")
    stories = read_stories([directory, directory / "a.scenario.yaml"])
    assert [one.located.where() for one in stories] == [
        f"{directory}/a.scenario.yaml:1",
        f"{directory}/a.scenario.yaml:5",
        f"{inside}/b.scenario.yml:1",
    ]
    assert stories[0].policies is stories[1].policies


def test_the_problems_of_all_files_come_at_once_and_each_once(directory: Path) -> None:
    (directory / "quotas.yaml").write_text("quotas: [{id: A, limit: 5/day}]")
    (directory / "b.scenario.yaml").write_text("[")
    with pytest.raises(Problems) as raised:
        read_stories([directory])
    assert [Path(one.file).name for one in raised.value.problems] == [
        "b.scenario.yaml",
        "quotas.yaml",
    ]


def test_policies_that_are_not_there_are_told_where_they_are_named(directory: Path) -> None:
    text = written(rest="policies: [quotas.yaml, qoutas.yaml]\n")
    (directory / "a.scenario.yaml").write_text(text)
    with pytest.raises(Problems) as raised:
        read_stories([directory])
    (problem,) = raised.value.problems
    assert (problem.line, problem.column) == (2, 25)
    assert "does not exist" in problem.message


@pytest.mark.parametrize("name", ["nothing", "empty", "quotas.yaml"])
def test_a_path_without_a_scenario_is_the_command_lines_fault(directory: Path, name: str) -> None:
    (directory / "empty").mkdir()
    with pytest.raises(NoScenarios):
        read_stories([directory / name])


def test_scenarios_without_policies_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.scenario.yaml").write_text(written())
    with pytest.raises(OperatorError, match="holds no policy file"):
        read_stories([tmp_path])
