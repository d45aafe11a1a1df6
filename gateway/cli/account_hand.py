"""Asks the admin port of a running gauger about an account, and shows the answer."""

import http.client
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from gateway.cli.reporting import console, warn
from gateway.errors import SettingsError
from gateway.policy.quota import SECOND_US
from gateway.policy.rate import USD, NotUnderstood, amount, duration_us, money

TIMEOUT_S = 10.0
_OK = 200
_KINDS: dict[str, type[http.client.HTTPConnection]] = {
    "http": http.client.HTTPConnection,
    "https": http.client.HTTPSConnection,
}


def ask(
    admin: str, account_id: str, deed: str | None = None, asked: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Raises `SettingsError` with what the gateway says, or that it does not answer."""
    path = f"/accounts/{quote(account_id, safe='')}"
    body = msgspec.json.encode(asked) if deed else None
    headers = {"content-type": "application/json", "x-gauger-admin": "1"} if deed else {}
    connection = _connection(admin)
    try:
        connection.request(
            "POST" if deed else "GET", f"{path}/{deed}" if deed else path, body, headers
        )
        answer = connection.getresponse()
        told = msgspec.json.decode(answer.read(), type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise SettingsError(
            f"--admin: no gauger answers at {admin}: {error}. Name the "
            "admin port of any replica, such as http://127.0.0.1:9090."
        ) from None
    finally:
        connection.close()
    if answer.status != _OK:
        raise SettingsError(str(told.get("error", f"The gateway answered {answer.status}.")))
    return told


def _connection(admin: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(admin)
        host, port, kind = parts.hostname, parts.port, _KINDS.get(parts.scheme)
    except ValueError:
        host = port = kind = None
    if not host or kind is None:
        raise SettingsError(f"--admin: {admin!r} is no address. Write http://127.0.0.1:9090.")
    return kind(host, port, timeout=TIMEOUT_S)


def seconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return max(1, duration_us(text) // SECOND_US)
    except NotUnderstood as error:
        raise SettingsError(f"--for: {error}") from None


def units(text: str) -> int:
    """Money in millionths of a dollar."""
    try:
        return money(text) if text.endswith(USD) else amount(text)
    except NotUnderstood as error:
        raise SettingsError(f"AMOUNT: {error}") from None


def tell_deed(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print(told)
        return
    to = console(stderr=False)
    account = told["account"]
    match told["what"]:
        case "block":
            until = told["blocked"]["until"] or "it is unblocked"
            to.print(Text(f"{account} is blocked until {until}.", style="bold red"))
        case "unblock":
            to.print(Text(f"{account} is not blocked.", style="bold green"))
        case "grant":
            until = told["grants"][-1]["until"]
            to.print(
                f"{account} has {told['units']:,} {told['unit']} more of {told['quota']} "
                f"until {until}."
            )
        case "reset":
            of = told["quota"] or "all quotas"
            to.print(f"What {account} had used of {of} is forgotten.")
    if not told["named"] and not account.startswith("key_"):
        warn(f"No accounts file here names {account}. It holds for whoever is identified so.")


def tell_account(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print(told)
        return
    to = console(stderr=False)
    plan = f", plan {told['plan']}" if told["plan"] else ""
    to.print(Text(told["account"], style="bold"), f"{plan}, ", sep="", end="")
    to.print(f"{told['open_reservations']:,} open")
    if blocked := told["blocked"]:
        until = blocked["until"] or "it is unblocked"
        to.print(Text(f"blocked until {until} ({blocked['code']}): {blocked['why']}", "bold red"))
    for grant in told["grants"]:
        to.print(
            f"granted {grant['units']:,} {grant['unit']} more of {grant['quota']} "
            f"until {grant['until']}"
        )
    table = Table(
        "quota", "unit", "used", "limit", "granted", "left", "free after", box=None, pad_edge=False
    )
    for row in told["quotas"]:
        figures = [f"{row[name]:,}" for name in ("used", "limit", "granted", "remaining")]
        table.add_row(row["quota"], row["unit"], *figures, f"{row['free_after_s']:,} s")
    to.print(table)
    if told["counted_by_more"]:
        to.print(
            f"Counted by more than the account, and not shown: {', '.join(told['counted_by_more'])}"
        )


def _print(told: dict[str, Any]) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
