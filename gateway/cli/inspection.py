"""What `gauger check` found, for people and for tools."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from gateway.cli.reporting import console, counted, show_problems
from gateway.policy.parse import Inspection, inspect
from gateway.policy_directory import SCENARIO, NoPolicies, read_texts
from gateway.source.problems import Problem, Problems
from gateway.wiring.clock import wall_clock_us

if TYPE_CHECKING:
    from gateway.scenarios.cost import Cost


def inspect_paths(paths: Iterable[Path]) -> Inspection:
    """All paths as one set of policies. Raises `NoPolicies` for a path that holds none."""
    texts: dict[str, str] = {}
    unreadable: list[Problem] = []
    for path in paths:
        if path.name.endswith(SCENARIO):
            raise NoPolicies(f"{path} is a scenario and no policy. Run it: gauger test {path}")
        try:
            texts |= read_texts(path)
        except Problems as raised:
            unreadable += raised.problems
    inspection = inspect(texts, wall_clock_us())
    if not unreadable:
        return inspection
    problems = tuple(sorted([*inspection.problems, *unreadable]))
    return replace(inspection, policies=None, problems=problems)


def measured_cost(inspection: Inspection) -> "Cost | None":
    """None for policies with problems."""
    from gateway.scenarios.cost import cost  # noqa: PLC0415  # the engine: not for every check

    return None if inspection.policies is None else asyncio.run(cost(inspection.policies))


def show(inspection: Inspection, costs: "Cost | None" = None) -> None:
    to = console(stderr=False)
    show_problems(inspection.problems, to)
    show_problems(inspection.warnings, to, warning=True)
    warned = f", {counted(len(inspection.warnings), 'warning')}" if inspection.warnings else ""
    if inspection.policies is None:
        to.print(
            Text(counted(len(inspection.problems), "problem"), style="bold red"), warned, sep=""
        )
        return
    policies = inspection.policies
    quotas = counted(len(policies.quotas), "quota")
    limits = counted(len(list(policies.limits)), "limit")
    rules = policies.behaviours.rules
    behaviours = f", {counted(len(rules), 'behaviour')}" if rules else ""
    to.print(
        Text("ok", style="bold green"),
        f": {quotas}, {limits}{behaviours}, version {policies.digest}{warned}",
        sep="",
    )
    if costs is not None:
        from gateway.cli.cost_table import cost_lines  # noqa: PLC0415  # as above

        for line in cost_lines(costs):
            to.print(line)


def as_json(inspection: Inspection, costs: "Cost | None" = None) -> str:
    policies = inspection.policies
    result: dict[str, Any] = {
        "ok": policies is not None,
        "version": policies.digest if policies else None,
        "problems": inspection.problems,
        "warnings": inspection.warnings,
    }
    if costs is not None:
        result["cost"] = costs
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode()
