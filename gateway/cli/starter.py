"""Writes the directory that one begins with: the policies that we ship, and what goes with them."""

import sys
from pathlib import Path

from gateway.errors import OperatorError
from gateway.policy.schema import (
    POLICY_SCHEMA_FILE,
    SCENARIO_SCHEMA_FILE,
    as_text,
    policy_schema,
    scenario_schema,
)

SETTINGS_FILE = "gauger.settings.example"
"""Its name is no policy's, so nobody reads it as one."""

_SHIPPED = (
    Path(__file__).parents[1] / "shipped_policies",  # in an installation
    Path(__file__).parents[2] / "policies",  # in a checkout
)

_SETTINGS = """\
# Settings of the gateway. Copy this to gauger.yaml, outside of the policies, and change it:
#
#   gauger serve --config gauger.yaml
#
# Every key is also a flag (--policies) and a variable (GAUGER_POLICIES). A flag wins over a
# variable, a variable over this file. Paths are relative to the file. A secret belongs into a file
# of its own (secret_file) or into GAUGER_SECRET, never in here.

policies: policies
upstream: http://127.0.0.1:8000          # the model API, without /v1

# One process counts in its memory. Several share a Redis:
store: memory://
# store: redis://redis:6379/0

listen: 127.0.0.1:8080                   # for callers
admin: 127.0.0.1:9090                    # status page, /healthz, /metrics

# Who may call, by the keyed hashes of their keys (`gauger account add ID`). Without it any key is
# taken, and every key is an account.
# accounts: accounts.yaml
# secret_file: gauger.secret
"""


class InTheWay(OperatorError):
    """Something stands where a file was to be written."""


def write_starter(directory: Path) -> None:
    """Raises `InTheWay`."""
    files = starter_files()
    taken = [name for name in files if (directory / name).exists()]
    if taken:
        raise InTheWay(
            f"{directory} holds {', '.join(taken)} already, and nothing is overwritten. Name "
            "another directory, or move these away."
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            with (directory / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InTheWay(f"{error.filename or directory}: {error.strerror}.") from error
    sys.stdout.write(_next_steps(directory, list(files)))


def starter_files() -> dict[str, str]:
    """Texts by name. Raises `InTheWay` where the package is not whole."""
    shipped = next((path for path in _SHIPPED if path.is_dir()), None)
    if shipped is None:
        raise InTheWay("The policies that gauger ships are not there. Install the package anew.")
    files = {
        path.relative_to(shipped).as_posix(): path.read_text("utf-8")
        for path in (*sorted(shipped.glob("*.yaml")), *sorted(shipped.glob("lists/*.txt")))
    }
    return files | {
        SETTINGS_FILE: _SETTINGS,
        POLICY_SCHEMA_FILE: as_text(policy_schema()),
        SCENARIO_SCHEMA_FILE: as_text(scenario_schema()),
    }


def _next_steps(directory: Path, names: list[str]) -> str:
    listed = "".join(f"  {name}\n" for name in names)
    return (
        f"Wrote into {directory}:\n{listed}\n"
        "Next:\n"
        f"  gauger check {directory}    what is wrong with them, once you have changed them\n"
        f"  gauger test {directory}     what they do to made-up traffic\n"
        f"  gauger serve --policies {directory} --upstream http://127.0.0.1:8000\n"
    )
