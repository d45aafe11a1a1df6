"""The accounts file as a table."""

from pathlib import Path

from rich.table import Table

from gateway.cli.account_file import entries, read_account_file
from gateway.cli.reporting import console
from gateway.errors import SettingsError


def show_accounts(path: Path) -> None:
    if not path.exists():
        raise SettingsError(f"{path} does not exist. Make it with: gauger account add ID")
    table = Table("account", "plan", "organization", "keys", "attributes", box=None, pad_edge=False)
    for entry in entries(read_account_file(path)):
        notes = ", ".join(key.note for key in entry.keys if key.note)
        table.add_row(
            entry.id,
            entry.plan or "-",
            entry.organization or "-",
            f"{len(entry.keys)} ({notes})" if notes else str(len(entry.keys)),
            " ".join(f"{name}={value}" for name, value in entry.attributes.items()) or "-",
        )
    console(stderr=False).print(table)
