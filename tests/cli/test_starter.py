"""`gauger init`: what it writes passes everything that there is to pass."""

import json
from pathlib import Path

import jsonschema
import pytest

from gateway.cli.settings_file import read_settings_file
from gateway.cli.starter import SETTINGS_FILE, starter_files
from gateway.policy.schema import POLICY_SCHEMA_FILE, SCENARIO_SCHEMA_FILE
from gateway.source.yaml_text import read_each
from tests.cli.conftest import Run


@pytest.fixture
def begun(run: Run, tmp_path: Path) -> Path:
    directory = tmp_path / "new" / "policies"
    assert run("init", directory).code == 0
    return directory


def test_what_is_written_passes_check_and_test_without_a_warning(run: Run, begun: Path) -> None:
    checked = run("check", begun)
    assert checked.code == 0
    assert "warning" not in checked.out
    tested = run("test", begun)
    assert tested.code == 0, tested
    assert "In no scenario" not in tested.out


def test_it_holds_policies_scenarios_schemas_and_settings(begun: Path) -> None:
    files = [path for path in begun.rglob("*") if path.is_file()]
    names = {path.relative_to(begun).as_posix() for path in files}
    assert names == set(starter_files())
    assert {POLICY_SCHEMA_FILE, SCENARIO_SCHEMA_FILE, SETTINGS_FILE, "plans.yaml"} <= names


def test_each_file_validates_by_the_schema_that_it_names(begun: Path) -> None:
    for path in begun.glob("*.yaml"):
        text = path.read_text("utf-8")
        schema = json.loads((begun / text.splitlines()[0].partition("$schema=")[2]).read_text())
        for document in read_each(path.name, text):
            jsonschema.validate(document.value, schema)


def test_the_example_settings_can_be_read_where_they_belong(begun: Path) -> None:
    settings = begun.parent / "gauger.yaml"
    settings.write_text((begun / SETTINGS_FILE).read_text())
    assert read_settings_file(str(settings))["policies"].text == str(begun)


def test_nothing_is_overwritten_and_then_nothing_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "spend.yaml").write_text("mine")
    ran = run("init", tmp_path)
    assert ran.code == 2
    assert "holds spend.yaml already" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["spend.yaml"]
    assert (tmp_path / "spend.yaml").read_text() == "mine"


def test_a_file_in_the_place_of_the_directory_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "policies").write_text("")
    ran = run("init", tmp_path / "policies")
    assert ran.code == 2
    assert "policies" in ran.err


def test_what_comes_next_is_said(run: Run, tmp_path: Path) -> None:
    out = run("init", tmp_path / "p").out
    for command in ("check", "test", "serve --policies"):
        assert f"gauger {command} {tmp_path}/p" in out
