"""`gauger account`: who may call, and with which keys."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import config, environment, given, setting

account = typer.Typer(
    help="Who may call, and with which keys.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AccountsFile = Annotated[
    Path, setting("accounts", "The accounts file; made if there is none.", "FILE")
]
DEFAULT_FILE = Path("accounts.yaml")


@account.command()
def add(
    ctx: typer.Context,
    account_id: Annotated[str, typer.Argument(metavar="ID", help="Who pays, such as acme.")],
    *,
    plan: Annotated[str | None, typer.Option(help="As policies may name it: pro.")] = None,
    organization: Annotated[str | None, typer.Option(help="Who owns the account.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Anything else; repeatable.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="What this key is for.")] = None,
    accounts: AccountsFile = DEFAULT_FILE,
    secret_file: Annotated[  # noqa: ARG001  # read from the context, with its origin
        str | None,
        setting("secret_file", "The secret; or set GAUGER_SECRET. Made if there is none.", "FILE"),
    ] = None,
    config_file: Annotated[str | None, config()] = None,  # noqa: ARG001  # read by its own callback
) -> None:
    """Make a new key and print it, once. The file gets only its keyed hash.

    An account that exists gets one more key, so that keys can be changed without a gap:
    add the new one, hand it out, then delete the old one's line.

    Example: gauger account add acme --plan pro --accounts accounts.yaml

    Example: KEY=$(gauger account add acme)
    """
    from gateway.cli.issuing import NewAccount, issue  # noqa: PLC0415  # pydantic: not for --help

    new = NewAccount(account_id, plan, organization, tuple(attribute or ()), note)
    key = issue(new, accounts, given(ctx).get("secret_file"), environment())
    typer.echo(key)


@account.command("list")
def list_accounts(
    accounts: AccountsFile = DEFAULT_FILE,
    *,
    config_file: Annotated[str | None, config()] = None,  # noqa: ARG001  # read by its own callback
) -> None:
    """Show all accounts, their plans and how many keys each has.

    Example: gauger account list --accounts accounts.yaml
    """
    from gateway.cli.listing import show_accounts  # noqa: PLC0415  # pydantic: not for --help

    show_accounts(accounts)
