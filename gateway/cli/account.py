"""`gauger account`: who may call, with which keys, and an operator's hand on one of them."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import config, environment, given, setting

account = typer.Typer(
    help="Who may call; what one has used; block and grant.",
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
    add the new one, hand it out, then revoke the old one.

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


@account.command()
def remove(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="As the accounts file has it.")],
    *,
    accounts: AccountsFile = DEFAULT_FILE,
    config_file: Annotated[str | None, config()] = None,  # noqa: ARG001  # read by its own callback
) -> None:
    """Take an account out of the file, with all its keys.

    Example: gauger account remove acme --accounts accounts.yaml
    """
    from gateway.cli.account_removal import remove_account  # noqa: PLC0415  # not for --help

    remove_account(accounts, account_id)


@account.command()
def revoke(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="As the accounts file has it.")],
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its note, or how its hash begins; never the key.")
    ],
    *,
    accounts: AccountsFile = DEFAULT_FILE,
    config_file: Annotated[str | None, config()] = None,  # noqa: ARG001  # read by its own callback
) -> None:
    """Take one key of an account out of the file.

    Example: gauger account revoke acme production --accounts accounts.yaml
    """
    from gateway.cli.account_removal import revoke_key  # noqa: PLC0415  # not for --help

    revoke_key(accounts, account_id, key)


Id = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Its id, such as acme or key_3f09...; see traces.")
]
Admin = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="GAUGER_ADMIN_URL",
        show_envvar=False,
        help="The admin port of any replica.",
        show_default=True,
    ),
]
Token = Annotated[
    Path | None,
    typer.Option(
        "--admin-token-file",
        metavar="FILE",
        envvar="GAUGER_ADMIN_TOKEN_FILE",
        show_envvar=False,
        help="The token that the port asks for; or set GAUGER_ADMIN_TOKEN.",
    ),
]
Authorities = Annotated[
    Path | None,
    typer.Option(
        "--admin-ca",
        metavar="FILE",
        envvar="GAUGER_ADMIN_CA",
        show_envvar=False,
        help="Whom to believe over https; else the system's.",
    ),
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        "--admin-cert",
        metavar="FILE",
        envvar="GAUGER_ADMIN_CERT",
        show_envvar=False,
        help="To show: a certificate with its key.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="What was answered, for tools.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="For the audit log.")]
For = Annotated[str, typer.Option("--for", metavar="TIME", help="Such as 15m, 12h or 30d.")]
HERE = "http://127.0.0.1:9090"


@account.command()
def show(
    account_id: Id,
    *,
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Show what an account has used, what it was granted, and whether it is blocked.

    Example: gauger account show acme
    """
    from gateway.cli.account_hand import admin_port, ask, tell_account  # noqa: PLC0415  # not for --help

    port = admin_port(admin, admin_token_file, admin_ca, admin_cert)
    tell_account(ask(port, account_id), as_json=json)


@account.command()
def block(
    account_id: Id,
    *,
    why: Annotated[str, typer.Option(metavar="TEXT", help="For the audit log and the trace.")],
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Such as 12h; else until unblock.")
    ] = None,
    code: Annotated[
        str, typer.Option(metavar="WORD", help="The reason's code in traces and metrics.")
    ] = "account_suspended",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Refuse everything of an account, on all replicas, from its next request on.

    Example: gauger account block acme --why "Stolen key" --for 12h
    """
    from gateway.cli.account_hand import admin_port, ask, seconds, tell_deed  # noqa: PLC0415  # not for --help

    port = admin_port(admin, admin_token_file, admin_ca, admin_cert)
    asked = {"why": why, "code": code, "for_s": seconds(lasting)}
    tell_deed(ask(port, account_id, "block", asked), as_json=json)


@account.command()
def unblock(
    account_id: Id,
    *,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Serve an account again.

    Example: gauger account unblock acme --why "New key"
    """
    from gateway.cli.account_hand import admin_port, ask, tell_deed  # noqa: PLC0415  # not for --help

    port = admin_port(admin, admin_token_file, admin_ca, admin_cert)
    tell_deed(ask(port, account_id, "unblock", {"why": why}), as_json=json)


@account.command()
def grant(
    account_id: Id,
    quota: Annotated[str, typer.Argument(metavar="QUOTA", help="Its id, as `show` has it.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 500, 2M or 5.50 USD.")],
    *,
    lasting: For,
    unit: Annotated[
        str | None, typer.Option(metavar="UNIT", help="If the quota limits more than one.")
    ] = None,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Give an account more of a quota, for a time.

    Example: gauger account grant acme tokens-per-day 2M --for 12h --why "Launch day"
    """
    from gateway.cli.account_hand import admin_port, ask, seconds, tell_deed, units  # noqa: PLC0415  # not for --help

    port = admin_port(admin, admin_token_file, admin_ca, admin_cert)
    asked = {
        "quota": quota,
        "units": units(amount),
        "for_s": seconds(lasting),
        "unit": unit,
        "why": why,
    }
    tell_deed(ask(port, account_id, "grant", asked), as_json=json)


@account.command()
def reset(
    account_id: Id,
    quota: Annotated[
        str | None, typer.Argument(metavar="QUOTA", help="Its id; without it: all.")
    ] = None,
    *,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Forget what an account has used. What is in flight stays so.

    Example: gauger account reset acme tokens-per-day --why "Our bug"
    """
    from gateway.cli.account_hand import admin_port, ask, tell_deed  # noqa: PLC0415  # not for --help

    port = admin_port(admin, admin_token_file, admin_ca, admin_cert)
    tell_deed(ask(port, account_id, "reset", {"quota": quota, "why": why}), as_json=json)
