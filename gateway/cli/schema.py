"""`gauger schema`: JSON Schema for editors."""

import sys
from enum import StrEnum
from typing import Annotated

import typer


class Of(StrEnum):
    """What the schema is of."""

    POLICIES = "policies"
    SCENARIOS = "scenarios"


def schema(
    of: Annotated[
        Of, typer.Argument(help="What it is of: policies, or scenarios.", metavar="[WHAT]")
    ] = Of.POLICIES,
) -> None:
    """Print the JSON Schema of policies, for editors.

    Policies name it in their first line: # yaml-language-server: $schema=.gauger-schema.json

    Example: gauger schema > policies/.gauger-schema.json
    """
    # pydantic takes its time, and --help does not need it.
    from gateway.policy.schema import as_text, policy_schema, scenario_schema  # noqa: PLC0415

    made = scenario_schema() if of is Of.SCENARIOS else policy_schema()
    sys.stdout.write(as_text(made))
