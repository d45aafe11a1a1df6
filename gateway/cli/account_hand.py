"""Asks the admin port of a running gauger about an account, and shows the answer."""

import http.client
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from gateway.cli.options import environment
from gateway.cli.reporting import console, warn
from gateway.errors import SettingsError
from gateway.policy.quota import SECOND_US
from gateway.policy.rate import USD, NotUnderstood, amount, duration_us, money
from gateway.settings import Address
from gateway.settings.doors import find_admin_token
from gateway.settings.written import ADMIN_TOKEN_FILE

TIMEOUT_S = 10.0
_OK, _UNAUTHORIZED = 200, 401


@dataclass(frozen=True, slots=True)
class AdminPort:
    """Where a running gauger is asked, and what is shown there."""

    url: str
    host: str
    port: int | None
    tls: ssl.SSLContext | None
    """None: plain HTTP."""
    token: bytes | None = field(repr=False)

    def connection(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=TIMEOUT_S, context=self.tls
        )


def admin_port(url: str, token_file: Path | None, ca: Path | None, cert: Path | None) -> AdminPort:
    """Raises `SettingsError`. The token is never in a command's arguments, which others may see."""
    try:
        parts = urlsplit(url)
        host, port, scheme = parts.hostname, parts.port, parts.scheme
    except ValueError:
        host = port = scheme = None
    if not host or scheme not in ("http", "https"):
        raise SettingsError(f"--admin: {url!r} is no address. Write http://127.0.0.1:9090.")
    environ = environment()
    by_variable = token_file is not None and environ.get(ADMIN_TOKEN_FILE.variable) == str(
        token_file
    )
    token = find_admin_token(
        token_file,
        ADMIN_TOKEN_FILE.flag,
        environ,
        by_flag=token_file is not None and not by_variable,
    )
    if token is not None and scheme == "http" and not Address(host, 0).is_loopback:
        warn(f"the token goes to {host} in plain HTTP, where it can be read on the way.")
    tls = _context(ca, cert) if scheme == "https" else None
    return AdminPort(url, host, port, tls, token)


def _context(ca: Path | None, cert: Path | None) -> ssl.SSLContext:
    """Of the names of the port the certificate has to hold the one that was asked for."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError):
        raise SettingsError(f"--admin-ca: {ca} holds no certificates in PEM.") from None
    if cert is not None:
        try:
            context.load_cert_chain(cert)
        except (OSError, ValueError):
            raise SettingsError(
                f"--admin-cert: {cert} is no PEM file of a certificate and its key."
            ) from None
    return context


def ask(
    port: AdminPort, account_id: str, deed: str | None = None, asked: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Raises `SettingsError` with what the gateway says, or that it does not answer."""
    path = f"/accounts/{quote(account_id, safe='')}"
    return ask_path(port, f"{path}/{deed}" if deed else path, (asked or {}) if deed else None)


def ask_path(port: AdminPort, path: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """With `asked` something is done there. Raises `SettingsError`."""
    deed = asked is not None
    body = msgspec.json.encode(asked) if deed else None
    headers = {"content-type": "application/json", "x-gauger-admin": "1"} if deed else {}
    if port.token is not None:
        headers["authorization"] = f"Bearer {port.token.decode()}"
    connection = port.connection()
    try:
        connection.request("POST" if deed else "GET", path, body, headers)
        answer = connection.getresponse()
        told = msgspec.json.decode(answer.read(), type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise SettingsError(
            f"--admin: no gauger answers at {port.url}: {error}. Name the "
            "admin port of any replica, such as http://127.0.0.1:9090."
        ) from None
    finally:
        connection.close()
    if answer.status == _UNAUTHORIZED:
        wrong = "does not take this token" if port.token else "asks for the admin token"
        raise SettingsError(
            f"--admin-token-file: {port.url} {wrong}. Give the file that it was started with."
        )
    if answer.status != _OK:
        raise SettingsError(str(told.get("error", f"The gateway answered {answer.status}.")))
    return told


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
