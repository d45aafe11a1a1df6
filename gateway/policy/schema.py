"""The JSON Schema of what operators write, for editors: made from the models themselves.

What `gauger check` accepts the schema accepts. The reverse does not hold: a schema cannot compile
a condition or know the ids of other files.
"""

from typing import Any

import msgspec

from gateway.policy.document import PolicyFile
from gateway.policy.scenario import Scenario
from gateway.source.model import Written

POLICY_SCHEMA_FILE = ".gauger-schema.json"
SCENARIO_SCHEMA_FILE = ".gauger-scenario-schema.json"
"""As the first line of a policy (`# yaml-language-server: $schema=...`) names them."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    return _schema(PolicyFile, "A gauger policy file")


def scenario_schema() -> dict[str, Any]:
    """Of each document of a scenario file."""
    return _schema(Scenario, "A scenario of gauger policies")


def as_text(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _schema(model: type[Written], title: str) -> dict[str, Any]:
    made: dict[str, Any] = _plain(model.model_json_schema())
    return {"$schema": DRAFT, **made, "title": title}


def _plain(made: Any) -> Any:  # noqa: ANN401  JSON is anything
    """Without what says nothing to people: titles made of names, defaults in inner units."""
    if isinstance(made, list):
        return [_plain(each) for each in made]
    if not isinstance(made, dict):
        return made
    kept = {key: value for key, value in made.items() if not _idle(key, value)}
    return {
        key: {name: _plain(each) for name, each in value.items()}
        if key in ("properties", "$defs")
        else _plain(value)
        for key, value in kept.items()
    }


def _idle(key: str, value: object) -> bool:
    if key == "title":
        return isinstance(value, str)
    return key == "default" and not isinstance(value, str)
