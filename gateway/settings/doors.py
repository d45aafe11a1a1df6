"""What must hold for each port before it is opened: the admin port's token, and whole TLS files."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError
from gateway.settings.values import Address
from gateway.settings.written import ADMIN_TOKEN_FILE, SETTINGS

ADMIN_TOKEN_VARIABLE = "GAUGER_ADMIN_TOKEN"  # noqa: S105  # a name
MIN_TOKEN_CHARACTERS = 32
"""As long as 192 bits in base64; who shortens it hardly made it at random."""

MAKE_TOKEN = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' > admin.token"  # noqa: S105  # a command

_PRINTABLE = re.compile(rb"[\x21-\x7e]+")

Origin = Callable[[str], str]
"""Of a setting's name: where it was given, or its flag."""


def find_admin_token(
    file: Path | None, origin: str, environ: Mapping[str, str], *, by_flag: bool = False
) -> bytes | None:
    """`--admin-token-file`, then the environment, then a settings file; None if there is none.

    Raises `SettingsError`, which repeats nothing of the token.
    """
    variable = environ.get(ADMIN_TOKEN_VARIABLE, "")
    if variable and environ.get(ADMIN_TOKEN_FILE.variable):
        raise SettingsError(
            f"{ADMIN_TOKEN_VARIABLE}: {ADMIN_TOKEN_FILE.variable} is set, too. Unset one of them."
        )
    if variable and not by_flag:
        return _checked(variable.encode(), ADMIN_TOKEN_VARIABLE)
    if file is None:
        return None
    try:
        return _checked(file.read_bytes(), origin)
    except OSError as error:
        raise SettingsError(f"{origin}: cannot be read: {error.strerror}.") from error


def door_problems(values: Mapping[str, Any], origin: Origin, *, has_token: bool) -> list[str]:
    """Why the ports cannot be opened as they are described."""
    return [
        *_admin_problems(values, origin, has_token=has_token),
        *_tls_problems(values, origin),
    ]


def exposed_files(paths: Mapping[str, Path]) -> list[str]:
    """A warning for each file with a secret that everybody on this machine may read.

    `paths` by the names of settings, among which may be others.
    """
    secret = ("secret_file", "admin_token_file", "tls_key", "admin_tls_key")
    return [
        f"{SETTINGS[name].flag}: {paths[name]} can be read by everybody on this machine. "
        f"Run: chmod o-rwx {paths[name]}"
        for name in secret
        if name in paths and _is_exposed(paths[name].expanduser())
    ]


def _is_exposed(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o007)
    except OSError:
        return False


def _checked(token: bytes, origin: str) -> bytes:
    """White space around it is an editor's or a shell's, and no part of it."""
    token = token.strip()
    if len(token) < MIN_TOKEN_CHARACTERS:
        raise SettingsError(
            f"{origin}: a token of {len(token)} characters can be guessed; at least "
            f"{MIN_TOKEN_CHARACTERS} are needed. Make one:\n    {MAKE_TOKEN}"
        )
    if not _PRINTABLE.fullmatch(token):
        raise SettingsError(
            f"{origin}: the token holds a space or a character that no header takes. Make one:\n"
            f"    {MAKE_TOKEN}"
        )
    return token


def _admin_problems(values: Mapping[str, Any], origin: Origin, *, has_token: bool) -> list[str]:
    admin = values.get("admin")
    if not isinstance(admin, Address) or admin.is_loopback:
        return []
    problems: list[str] = []
    if not has_token:
        problems.append(
            f"{origin('admin')}: {admin} can be reached from other machines, and nobody is asked "
            "who he is. Give --admin-token-file (and TLS: --admin-tls-cert, --admin-tls-key), or "
            f"stay on 127.0.0.1:{admin.port} and use a tunnel: "
            f"ssh -L {admin.port}:127.0.0.1:{admin.port} HOST. For probes alone there is --probes."
        )
    if "admin_tls_cert" not in values and not values.get("admin_plain_http", False):
        problems.append(
            f"{origin('admin')}: {admin} can be reached from other machines, and without TLS the "
            "token can be read on the way. Give --admin-tls-cert and --admin-tls-key, or "
            "--admin-plain-http if something else encrypts."
        )
    return problems


def _tls_problems(values: Mapping[str, Any], origin: Origin) -> list[str]:
    return [
        f"{origin(name)}: there is no {SETTINGS[f'{door}tls_cert'].flag} to go with it."
        for door in ("", "admin_")
        for name in (f"{door}tls_key", f"{door}tls_client_ca")
        if name in values and f"{door}tls_cert" not in values
    ]
