"""`python -m tests.sdk_matrix`: every SDK through every refusal, in one command."""

import argparse
import asyncio
import sys

from rich.console import Console

from tests.sdk_matrix.matrix import observed
from tests.sdk_matrix.table import as_json, markdown, terminal


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sdk_matrix", description=__doc__)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="everything that was seen")
    shape.add_argument("--markdown", action="store_true", help="the tables of gateway/docs/sdks.md")
    given = parser.parse_args()
    matrix = asyncio.run(observed())
    console, aside = Console(), Console(stderr=True)
    for client, reason in matrix.missing.items():
        aside.print(f"not seen: {client}: {reason}", markup=False)
    if given.json:
        sys.stdout.write(as_json(matrix) + "\n")
    elif given.markdown:
        sys.stdout.write(markdown(matrix))
    else:
        for table in terminal(matrix):
            console.print(table)
    aside.print(", ".join(f"{name} {version}" for name, version in matrix.versions.items()))
    return 1 if matrix.missing else 0


if __name__ == "__main__":
    sys.exit(main())
