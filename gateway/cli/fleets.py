"""`gauger fleets`: groups of accounts that behaviour policies hold, and what is done by hand."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.account import HERE, Admin, Authorities, Certificate, Json, Token, Why

if TYPE_CHECKING:
    from gateway.cli.account_hand import AdminPort

fleets = typer.Typer(
    help="See fleets that are held, contain or release them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Key = Annotated[
    str, typer.Argument(metavar="FLEET", help="Its key, as `gauger fleets list` says.")
]


@fleets.command("list")
def list_fleets(
    *,
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """List the groups that rules speak about."""
    told = _ask(_port(admin, admin_token_file, admin_ca, admin_cert), "/fleets")
    if json:
        _print(told)
        return
    rows = told["fleets"]
    if not rows:
        sys.stdout.write("No group is held.\n")
        return
    from gateway.cli.fleet_tables import tell_fleets  # noqa: PLC0415  # not for --help

    tell_fleets(rows)


@fleets.command()
def show(
    fleet: _Key,
    *,
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Show one, with what its rules have measured."""
    _tell(
        _ask(_port(admin, admin_token_file, admin_ca, admin_cert), f"/fleets/{fleet}"), as_json=json
    )


@fleets.command()
def contain(
    fleet: _Key,
    *,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Hold one to its budget until it is let go."""
    _do(fleet, "contain", why, _port(admin, admin_token_file, admin_ca, admin_cert), as_json=json)


@fleets.command()
def release(
    fleet: _Key,
    *,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Leave one alone until it is let go."""
    _do(fleet, "release", why, _port(admin, admin_token_file, admin_ca, admin_cert), as_json=json)


@fleets.command("let-go")
def let_go(
    fleet: _Key,
    *,
    why: Why = "",
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
    json: Json = False,
) -> None:
    """Let the rules decide again."""
    _do(fleet, "let-go", why, _port(admin, admin_token_file, admin_ca, admin_cert), as_json=json)


@fleets.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to, as JSON Lines.")],
    *,
    admin: Admin = HERE,
    admin_token_file: Token = None,
    admin_ca: Authorities = None,
    admin_cert: Certificate = None,
) -> None:
    """Write indicators to share: hashes and counts."""
    told = _ask(_port(admin, admin_token_file, admin_ca, admin_cert), "/fleets")
    import msgspec  # noqa: PLC0415  # not for --help

    file.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in told["fleets"]))
    sys.stdout.write(f"{len(told['fleets'])} groups written to {file}.\n")


def _port(admin: str, token: Path | None, ca: Path | None, cert: Path | None) -> "AdminPort":
    from gateway.cli.account_hand import admin_port  # noqa: PLC0415  # not for --help

    return admin_port(admin, token, ca, cert)


def _ask(port: "AdminPort", path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    from gateway.cli.account_hand import ask_path  # noqa: PLC0415  # not for --help

    return ask_path(port, path, asked)


def _do(fleet: str, deed: str, why: str, port: "AdminPort", *, as_json: bool) -> None:
    _tell(_ask(port, f"/fleets/{fleet}/{deed}", {"why": why}), as_json=as_json)


def _tell(row: dict[str, Any], *, as_json: bool) -> None:
    from gateway.cli.fleet_tables import tell_fleet  # noqa: PLC0415  # not for --help

    if as_json:
        _print(row)
    else:
        tell_fleet(row)


def _print(told: dict[str, Any]) -> None:
    import msgspec  # noqa: PLC0415  # not for --help

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
