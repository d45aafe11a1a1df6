"""What conditions cost one request: `python -m tests.benchmarks.conditions [--json]`.

The shipped policies are held to 5 microseconds. The other two rows are a directory in which nothing
can be remembered, and one of ten times as many conditions.
"""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter_ns

from gateway.facts.catalog import Facts
from gateway.facts.exchange import Ask, Route, RouteName
from gateway.facts.principal import Account, Principal
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_texts

SHIPPED = Path(__file__).parents[2] / "policies"
REQUESTS = 20_000
ROUNDS = 7
DAY_US = 86_400_000_000

PLANS = ("free", "pro", "enterprise", None)
MODELS = ("frontier-1", "frontier-2", "standard-1", "embedding-1")

EACH_TIME = (
    "request.max_tokens > 4096",
    "request.n > 2 && !request.stream",
    '"beta" in account.tags',
    '"region" in account.attributes && account.attributes["region"] == "eu"',
    "request.input_tokens > 100000 || request.images > 4",
    "request.temperature > 1.5",
    "request.tool_results == 0 && request.turns > 20",
    'client.user_agent.matches("^curl/")',
)


def requests() -> list[Facts]:
    """A thousand requests of two hundred accounts, each somewhat different."""
    chat = Route(RouteName.CHAT, "POST", "/v1/chat/completions", generates=True)
    made = []
    for number in range(1_000):
        of = number % 200
        attributes = {
            "payment": f"pm_{of // 5}",
            "region": "eu" if of % 2 else "us",
            "tags": "beta",
        }
        account = Account(
            f"acct_{of}",
            plan=PLANS[of % len(PLANS)],
            organization=f"org_{of // 10}",
            attributes=attributes,
            created_at_s=86_400 * (of % 90),
        )
        ask = Ask(
            MODELS[number % len(MODELS)],
            input_tokens=number,
            max_output_tokens=number * 7,
            temperature=0.7,
            turns=number % 30,
        )
        made.append(
            Facts(Principal(account, "192.0.2.1"), chat, "openai", ask, 100 * DAY_US, "curl/8.14")
        )
    return made


def written(conditions: Sequence[str]) -> Policies:
    rules = [
        {"id": f"q{at}", "why": "To measure.", "limit": "5/minute", "when": condition}
        for at, condition in enumerate(conditions)
    ]
    return load({"measured.yaml": json.dumps({"quotas": rules})})


def directories() -> dict[str, Policies]:
    shipped = read_texts(SHIPPED)
    tenfold = [f"({one}) && request.n < {n}" for n in range(10, 20) for one in EACH_TIME]
    return {
        "shipped policies": load(shipped),
        f"{len(EACH_TIME)} conditions, none remembered": written(EACH_TIME),
        f"{len(tenfold)} conditions, none remembered": written(tenfold),
    }


def us_per_request(policies: Policies, asked: Sequence[Facts]) -> float:
    """The best of some rounds: the others were disturbed by something else."""
    best = float("inf")
    for _ in range(ROUNDS):
        again = list(islice(cycle(asked), REQUESTS))
        began = perf_counter_ns()
        for facts in again:
            policies.applying(facts)
        best = min(best, (perf_counter_ns() - began) / 1_000 / REQUESTS)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    as_json = parser.parse_args().json
    asked = requests()
    found = {name: us_per_request(of, asked) for name, of in directories().items()}
    if as_json:
        rounded = {name: round(us, 2) for name, us in found.items()}
        machine = {"python": platform.python_version(), "machine": platform.machine()}
        sys.stdout.write(json.dumps({"us_per_request": rounded, **machine}) + "\n")
        return
    for name, us in found.items():
        sys.stdout.write(f"{us:8.2f} us  {name}\n")


if __name__ == "__main__":
    main()
