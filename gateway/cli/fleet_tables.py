"""What is told of groups in force, for people."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from gateway.cli.reporting import console


def tell_fleets(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="bold")
    for name in ("fleet", "response", "shares", "members", "exchanges", "since", "rules"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            row["fleet"],
            row["by_hand"] or row["response"],
            ", ".join(row["shares"]),
            f"{row['members']:,}",
            f"{row['exchanges']:,}",
            row["since"],
            ", ".join(rule["rule"] for rule in row["rules"]),
        )
    console(stderr=False).print(table)


def tell_fleet(row: dict[str, Any]) -> None:
    held = f"by hand: {row['by_hand']}" if row["by_hand"] else row["response"]
    out = console(stderr=False)
    out.print(Text(f"{row['fleet']}  {held}", style="bold"))
    out.print(
        f"{row['members']:,} accounts share {', '.join(row['shares'])}; {row['exchanges']:,} "
        f"exchanges since {row['since']}"
    )
    for rule in row["rules"]:
        measured = ", ".join(f"{name} {value:g}" for name, value in rule["measured"].items())
        out.print(f"\n{rule['rule']} ({rule['points']:g} points): {rule['why']}")
        out.print(f"  measured: {measured}")
        out.print(f"  held last {rule['held_last']}, gone {rule['gone']} if it does not hold again")
