"""What expressions of behaviours cost: `python -m tests.benchmarks.expressions [--json]`.

Sixteen expressions are held to 4 microseconds; beside it the same ones as one list in CEL.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from time import perf_counter_ns

from cel_expr_python import cel

from gateway.facts.history import UNSEEN
from gateway.policy.behaviour_expression import VARIABLES
from gateway.policy.expressions import Expressions, MeasureCondition
from tests.benchmarks.conditions import requests

ROUNDS = 7
REPEATED = 5_000

TEXTS = (
    "account.age_days < 7",
    "request.turns",
    "request.tool_results > 0",
    "history.fresh && !history.one_shot",
    "account.payment",
    "request.turns == 1 && request.tools == 0",
    '"region" in account.attributes && account.attributes["region"] == "eu"',
    "request.input_tokens + request.max_tokens > 4000",
    'request.model.startsWith("frontier-")',
    "request.logprobs || request.reasoning",
    'account.plan in ["free", "trial"]',
    'client.user_agent.matches("(?i)bot")',
    "request.max_tokens > 4000",
    "history.requests > 100 ? request.n : 0",
    "size(account.tags) > 0",
    "request.temperature > 1.5",
)
WHEN = "accounts >= 25 && young >= 0.7 && turns < 1.5"
MEASURED = {"accounts": 30.0, "young": 0.75, "turns": 1.0}


def figures() -> dict[str, float]:
    """Microseconds."""
    facts = requests()[0]
    expressions = Expressions(TEXTS)
    named = expressions.read(facts)
    env = cel.NewEnv(variables=VARIABLES)
    listed = env.compile(f"[{', '.join(f'dyn({text})' for text in TEXTS)}]")
    data = {fact.name: value for fact, value in zip(expressions.facts, named, strict=True)}
    past = {f"history.{name}": getattr(UNSEEN, name) for name in ("fresh", "one_shot", "requests")}
    condition = MeasureCondition(WHEN, MEASURED)
    return {
        "16 expressions": _median(lambda: expressions.evaluate(named, UNSEEN)),
        "reading their facts": _median(lambda: expressions.read(facts)),
        "as one list in CEL": _median(lambda: listed.eval(data={**data, **past}).plain_value()),
        "a condition over 3 measures": _median(lambda: condition.holds(MEASURED)),
    }


def _median(call: Callable[[], object]) -> float:
    """Of seven rounds."""
    rounds = []
    for _ in range(ROUNDS):
        begun = perf_counter_ns()
        for _ in range(REPEATED):
            call()
        rounds.append((perf_counter_ns() - begun) / REPEATED / 1_000)
    return sorted(rounds)[ROUNDS // 2]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    found = figures()
    if parser.parse_args(arguments).json:
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        sys.stdout.write(json.dumps({**machine, "microseconds": found}) + "\n")
        return
    for name, microseconds in found.items():
        sys.stdout.write(f"{name:30} {microseconds:6.2f} us\n")


if __name__ == "__main__":
    main()
