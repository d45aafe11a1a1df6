"""Makes a key for an account: the key goes to its holder, its keyed hash to the file."""

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.account_file import (
    HEADER,
    NewKey,
    alone_with,
    by_hand,
    entries,
    read_account_file,
    replace_file,
    with_fingerprint,
    with_key,
)
from gateway.cli.reporting import tell
from gateway.errors import SettingsError
from gateway.facts.accounts import parse_accounts
from gateway.facts.principal import Secret
from gateway.settings.together import BESIDE_ACCOUNTS, SECRET_VARIABLE, Given, find_secret
from gateway.settings.written import SECRET_FILE
from gateway.source.problems import Problems

KEY_PREFIX = "gk_"
KEY_BYTES = 32
"""43 characters of base64url."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """As it was asked for on the command line."""

    id: str
    plan: str | None
    organization: str | None
    attributes: tuple[str, ...]
    """`NAME=VALUE`."""
    note: str | None


def issue(
    asked: NewAccount, path: Path, secret_file: Given | None, environ: Mapping[str, str]
) -> str:
    """Returns the new key, of which nothing else is kept, once the file is safely written."""
    if not path.parent.is_dir():
        raise SettingsError(f"{path.parent} is not a directory. Make it first.")
    if not asked.id:
        raise SettingsError("ID is empty. Name the account that the key is for, such as acme.")
    with alone_with(path):
        text = read_account_file(path) if path.exists() else HEADER
        secret, is_new = _secret(path, text, secret_file, environ)
        fingerprint = Secret(secret).fingerprint()
        parse_accounts(text, str(path), fingerprint)  # its hashes are of this secret
        key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        credential_hash = Secret(secret).credential_hash(key)
        text = with_fingerprint(text, fingerprint)
        changed = _with_key(text, _new_key(asked, credential_hash), path)
        if is_new:
            _keep(secret, path.with_name(BESIDE_ACCOUNTS))
        replace_file(path, changed)
    tell(f"Added a key for {asked.id} to {path}. It is shown this once and kept nowhere:")
    return key


def _with_key(text: str, new: NewKey, path: Path) -> str:
    """The changed text is read as `serve` will read it before it takes the old one's place."""
    changed = with_key(text, new)
    try:
        found = parse_accounts(changed, str(path)).find(new.hash)
    except Problems as raised:
        told = "; ".join(dict.fromkeys(problem.message for problem in raised.problems))
        raise SettingsError(f"{new.account_id} cannot be added: {told}") from None
    if found is None or found.id != new.account_id:
        raise by_hand(new)
    return changed


def _new_key(asked: NewAccount, credential_hash: str) -> NewKey:
    described = {"plan": asked.plan, "organization": asked.organization}
    return NewKey(
        account_id=asked.id,
        hash=credential_hash,
        note=asked.note,
        described={name: value for name, value in described.items() if value},
        attributes=dict(_pairs(asked.attributes)),
    )


def _pairs(written: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in written:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise SettingsError(f"--attribute: {text!r} is not NAME=VALUE, such as payment=pm_71.")
        yield name, value


def _secret(
    accounts: Path, text: str, file: Given | None, environ: Mapping[str, str]
) -> tuple[bytes, bool]:
    """The deployment's own, or a new one that is still to be kept."""
    named = None if file is None else SECRET_FILE.read(file.text)
    found = find_secret(file, named, accounts, environ)
    if found is not None:
        return found, False
    if any(entry.keys for entry in entries(text)):
        raise SettingsError(
            f"{accounts}: its keys were made with a secret that is not here, and with another one "
            f"they would cease to be known. Set {SECRET_VARIABLE} or {SECRET_FILE.flag}, or put "
            f"{BESIDE_ACCOUNTS} back beside the file."
        )
    return secrets.token_urlsafe(KEY_BYTES).encode(), True


def _keep(secret: bytes, file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(secret + b"\n")
    tell(f"Made {file}, without which no key in the accounts file is known. Keep it secret.")
