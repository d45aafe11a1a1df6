import json

from gateway.policy.schema import policy_schema, scenario_schema
from tests.cli.conftest import Run


def test_the_schema_of_policies_is_printed(run: Run) -> None:
    assert json.loads(run("schema").out) == policy_schema()


def test_that_of_scenarios_too(run: Run) -> None:
    assert json.loads(run("schema", "scenarios").out) == scenario_schema()


def test_of_anything_else_there_is_none(run: Run) -> None:
    assert run("schema", "settings").code == 2
