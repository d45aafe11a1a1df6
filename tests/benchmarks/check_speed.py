"""How long `gauger check` takes for a thousand rules: `python -m tests.benchmarks.check_speed`.

The process is started anew each time, as an operator would; the best of some runs counts, since the
others measure the machine's other work. The bound is a second.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

RULES = 1_000
FILES = 10
ROUNDS = 5
BOUND_SECONDS = 1.0

UNITS = ("requests", "tokens", "output_tokens", "input_tokens")
WINDOWS = ("minute", "hour", "day")
CONDITIONS = (
    'account.plan == "plan-{n}"',
    'request.model.startsWith("model-{n}-") && account.age_days < 30',
    'request.n > {n} || (request.stream && account.origin != "sales-{n}")',
    None,
)


def rules(first: int, last: int) -> str:
    return "quotas:\n" + "".join(map(rule, range(first, last)))


def rule(n: int) -> str:
    """Each of its own kind, so that nothing is read once for many."""
    condition = CONDITIONS[n % len(CONDITIONS)]
    when = "" if condition is None else f"    when: '{condition.format(n=n)}'\n"
    return (
        f"  - id: rule-{n}\n    why: Rule {n} has a reason of its own.\n"
        f"    limit: {1000 + n} {UNITS[n % len(UNITS)]}/{WINDOWS[n % len(WINDOWS)]}\n"
        f"    per: [account, model]\n    scale: {{free: 1, pro: {2 + n}}}\n{when}"
    )


def seconds(directory: Path) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "gateway", "check", str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own command
    return time.perf_counter() - begun


def main() -> None:
    each = RULES // FILES
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for at in range(FILES):
            (directory / f"{at}.yaml").write_text(rules(at * each, (at + 1) * each))
        best = min(seconds(directory) for _ in range(ROUNDS))
    verdict = "within" if best <= BOUND_SECONDS else "beyond"
    sys.stdout.write(f"{RULES:,} rules in {best:.2f} s, {verdict} {BOUND_SECONDS:g} s\n")


if __name__ == "__main__":
    main()
