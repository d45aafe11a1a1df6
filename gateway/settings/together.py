"""What was given in several places becomes one `Settings`, or every reason why it cannot.

Which place wins (flag, variable, settings file) is decided by `cli`; here the place is an origin to
name in an error.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError
from gateway.settings.doors import door_problems, find_admin_token
from gateway.settings.values import Settings
from gateway.settings.written import ADMIN_TOKEN_FILE, SECRET_FILE, SETTINGS

SECRET_VARIABLE = "GAUGER_SECRET"  # noqa: S105  # a name
BESIDE_ACCOUNTS = "gauger.secret"
MIN_SECRET_BYTES = 16
"""128 bits cannot be guessed."""

MAKE_ONE = (
    """export GAUGER_SECRET="$(python3 -c 'import secrets; print(secrets.token_urlsafe(32))')\""""
)

_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Given:
    """One value as it was written, and where: `--listen`, `GAUGER_LISTEN`, `gauger.yaml:3:9`."""

    text: str
    origin: str
    by_flag: bool = False


def settings_from(given: Mapping[str, Given], environ: Mapping[str, str]) -> Settings:
    """What was not given keeps its default.

    Raises `SettingsError` with one line for each setting that cannot be used.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = SETTINGS[name].read(value.text)
        except SettingsError as error:
            problems.append(f"{value.origin}: {error}")
    problems += [
        f"{SETTINGS[name].flag}: missing. Give it as a flag, as {SETTINGS[name].variable}, or as "
        f"`{name}` in a settings file (--config)."
        for name in ("policies", "upstream")
        if name not in given
    ]
    problems += _contradictions(given, values)
    fields = {
        SETTINGS[name].field: value
        for name, value in values.items()
        if name not in (SECRET_FILE.name, ADMIN_TOKEN_FILE.name)
    }
    for find in (_upstreams, _upstream_keys, _upstream_tls, _doors, _secret):
        try:
            fields |= find(given, values, environ)
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**fields)


def _contradictions(given: Mapping[str, Given], values: Mapping[str, Any]) -> list[str]:
    listen = values.get("listen", SETTINGS["listen"].default)
    admin = values.get("admin", SETTINGS["admin"].default)
    probes = values.get("probes")
    problems: list[str] = []
    if listen == admin and listen.port:
        origin = given["admin" if "admin" in given else "listen"].origin
        problems.append(f"{origin}: {listen} is taken by both ports. Give them different ones.")
    if probes in (listen, admin) and probes is not None and probes.port:
        problems.append(f"{given['probes'].origin}: {probes} is taken. Give another port.")
    if "upstream_key_env" in given and not {"accounts", "identities"} & given.keys():
        problems.append(
            f"{given['upstream_key_env'].origin}: anybody could spend this key, since without an "
            "accounts file every key that a caller makes up is an account of its own, with quotas "
            "of its own. Give --accounts (make the file with: gauger account add ID) or "
            "--identities; if everybody may spend it, an identities file that says: "
            "unknown_keys: admit"
        )
    return problems


def _upstreams(
    given: Mapping[str, Given], values: Mapping[str, Any], _: Mapping[str, str]
) -> dict[str, Any]:
    """Exactly one is for all that the others do not select."""
    written = values.get("upstream", ())
    rest = [text for text in written if not _selector(text)]
    if written and len(rest) != 1:
        raise SettingsError(
            f"{given['upstream'].origin}: {len(rest) or 'none'} of the addresses given "
            "is without a selector. Give exactly one for the requests that no selector takes."
        )
    selected = tuple(text for text in written if _selector(text))
    return {"upstream": rest[0], "selected_upstreams": selected} if written else {}


def _upstream_keys(
    given: Mapping[str, Given], values: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    keys: dict[str, str] = {}
    selectors = {_selector(text) for text in values.get("upstream", ())}
    for written in values.get("upstream_key_env", ()):
        origin, selector = given["upstream_key_env"].origin, _selector(written)
        if selector and selector not in selectors:
            raise SettingsError(
                f"{origin}: no --upstream has the selector {selector}. "
                "Write it as it stands there, or leave it out."
            )
        keys[selector] = _key(origin, written.rpartition("=")[2], environ)
    named = next((n for n in values.get("upstream_key_env", ()) if not _selector(n)), None)
    return {
        "upstream_key_env": named,
        "upstream_key": keys.pop("", None),
        "selected_upstream_keys": keys,
    }


def _upstream_tls(
    given: Mapping[str, Given], values: Mapping[str, Any], _: Mapping[str, str]
) -> dict[str, Any]:
    """Each file is for an upstream that there is, and that speaks TLS."""
    written = {_selector(text): text for text in values.get("upstream", ())}
    shown = {_selector(text) for text in values.get("upstream_tls_cert", ())}
    for name in ("upstream_tls_ca", "upstream_tls_cert", "upstream_tls_key"):
        for selector in map(_selector, values.get(name, ())):
            where = written.get(selector, "")
            called = selector or "without a selector"
            if written and not where.removeprefix(f"{selector}=").startswith("https:"):
                raise SettingsError(
                    f"{given[name].origin}: no --upstream {called} speaks TLS. Its address begins "
                    "with https://, and its selector is written here as it stands there."
                )
            if name == "upstream_tls_key" and selector not in shown:
                raise SettingsError(
                    f"{given[name].origin}: there is no --upstream-tls-cert to go with it."
                )
    return {}


def _doors(
    given: Mapping[str, Given], values: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    def origin(name: str) -> str:
        return given[name].origin if name in given else SETTINGS[name].flag

    name = ADMIN_TOKEN_FILE.name
    by_flag = name in given and given[name].by_flag
    token = find_admin_token(values.get(name), origin(name), environ, by_flag=by_flag)
    problems = door_problems(values, origin, has_token=token is not None or name in given)
    if problems:
        raise SettingsError("\n".join(problems))
    return {"admin_token": token}


def _selector(written: str) -> str:
    """What stands before `=`; empty for what is for all the rest."""
    selector, equals, _ = written.partition("=")
    return selector if equals and ":/" not in selector else ""


def _key(origin: str, name: str, environ: Mapping[str, str]) -> str:
    # Whoever gave the key in the place of the name must not find it in the log.
    called = f"variable {name}" if name.isupper() else "variable of that name"
    key = environ.get(name, "").strip()
    if not key:
        raise SettingsError(
            f"{origin}: the {called} is empty or not set. Set it to the key of the model API, "
            "or leave this setting out to pass on the callers' own keys."
        )
    if not _PRINTABLE.fullmatch(key):
        raise SettingsError(
            f"{origin}: the {called} holds a space or a character that no key has. "
            "Check how it was set."
        )
    return key


def _secret(
    given: Mapping[str, Given], values: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    found = find_secret(
        given.get(SECRET_FILE.name), values.get(SECRET_FILE.name), values.get("accounts"), environ
    )
    if found is not None or SECRET_FILE.name in given:
        return {"secret": found}
    if "accounts" in values:
        raise SettingsError(
            f"{given['accounts'].origin}: no secret is set, and the hashes in this file can only "
            f"be read with the one they were made with. Set {SECRET_VARIABLE} or --secret-file, "
            f"or put {BESIDE_ACCOUNTS} beside the file, where `gauger account add` made it."
        )
    if values.get("store", "memory://") != "memory://":
        raise SettingsError(
            f"{SECRET_VARIABLE}: not set. Processes that share a store must share the secret that "
            f"names their accounts. Make one, and give the same to each:\n    {MAKE_ONE}"
        )
    return {"secret": secrets.token_bytes(32), "secret_is_random": True}


def find_secret(
    file_given: Given | None,
    file: object,
    accounts: Path | None,
    environ: Mapping[str, str],
) -> bytes | None:
    """`--secret-file`, then the environment, then a settings file, then beside the accounts.

    None if there is none, or if the file that was named is already known to be unusable.
    """
    variable = environ.get(SECRET_VARIABLE, "")
    if variable and environ.get(SECRET_FILE.variable):
        raise SettingsError(
            f"{SECRET_VARIABLE}: {SECRET_FILE.variable} is set, too. Unset one of them."
        )
    if variable and not (file_given and file_given.by_flag):
        return _checked(variable.encode(), SECRET_VARIABLE)
    if file_given is not None:
        if not isinstance(file, Path):
            return None
        return _checked(_content(file, file_given.origin), file_given.origin)
    beside = accounts.with_name(BESIDE_ACCOUNTS) if accounts else None
    if beside is not None and beside.is_file():
        return _checked(_content(beside, str(beside)), str(beside))
    return None


def _content(file: Path, origin: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{origin}: cannot be read: {error.strerror}.") from error


def _checked(secret: bytes, origin: str) -> bytes:
    """White space around it is an editor's or a shell's, and no part of it."""
    secret = secret.strip()
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(
            f"{origin}: a secret of {len(secret)} bytes can be guessed; at least "
            f"{MIN_SECRET_BYTES} are needed. Make one:\n    {MAKE_ONE}"
        )
    return secret
