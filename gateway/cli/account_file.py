"""Adds to an accounts file as a careful person would: every other line stays as it was."""

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import SettingsError
from gateway.facts.accounts import AccountEntry, AccountsFile, parse_accounts
from gateway.source.model import validate
from gateway.source.yaml_text import Document, read

HEADER = """\
# Who may call, by the keyed hashes of their keys. Add with: gauger account add ID
accounts: []
"""
_NO_ACCOUNTS = re.compile(r"^accounts:\s*\[\s*\](?=\s*(#.*)?$)", re.MULTILINE)
_ENTRY = re.compile(r"( *)- ")


@dataclass(frozen=True, slots=True)
class NewKey:
    """One key's hash for an account, and what is to be written of the account if it is new."""

    account_id: str
    hash: str
    note: str | None = None
    described: Mapping[str, str] = field(default_factory=dict)
    """`plan` and `organization`."""
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_account_file(path: Path) -> str:
    """Raises `SettingsError` if it cannot be read, `Problems` if it is not sound."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 text.") from error
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}.") from error
    parse_accounts(text, str(path))
    return text


def entries(text: str) -> tuple[AccountEntry, ...]:
    """Of a text that is sound."""
    return validate(AccountsFile, read("", text, secret=True)).accounts


def with_fingerprint(text: str, fingerprint: str) -> str:
    """The text says with which secret its hashes are made, if it holds none yet."""
    document = read("", text, secret=True)
    file = validate(AccountsFile, document)
    if file.secret is not None or any(entry.keys for entry in file.accounts):
        return text
    lines = text.splitlines(keepends=True)
    at = document.key_place(("accounts",)).line
    if not lines[at].startswith("accounts:"):
        return text
    return "".join([*lines[:at], f'secret: "{fingerprint}"\n', *lines[at:]])


def with_key(text: str, new: NewKey) -> str:
    """The text with one more key. Raises `SettingsError` where a person must do it."""
    document = read("", text, secret=True)
    known = [entry.id for entry in entries(text)]
    if new.account_id not in known:
        return _with_account(document, text, len(known), new)
    if new.described or new.attributes:
        raise SettingsError(
            f"{new.account_id} is there already; this would only add a key. Leave out --plan, "
            "--organization and --attribute, or change them in the file."
        )
    return _with_further_key(document, text, known.index(new.account_id), new)


def _with_account(document: Document, text: str, count: int, new: NewKey) -> str:
    indent = "  "
    if count:
        first = text.splitlines()[document.value_place(("accounts", 0)).line]
        written = _ENTRY.match(first)
        if written is None:
            raise by_hand(new)
        indent = written[1]
    else:
        text = _NO_ACCOUNTS.sub("accounts:", text)
    lines = [f"- id: {_quoted(new.account_id)}"]
    lines += [f"  {name}: {_quoted(value)}" for name, value in new.described.items()]
    lines += ["  keys:", *(f"    {line}" for line in _key_lines(new))]
    if new.attributes:
        lines.append("  attributes:")
        lines += [f"    {_quoted(name)}: {_quoted(v)}" for name, v in new.attributes.items()]
    separator = "" if not text or text.endswith("\n") else "\n"
    return text + separator + "".join(f"{indent}{line}\n" for line in lines)


def _with_further_key(document: Document, text: str, at: int, new: NewKey) -> str:
    lines = text.splitlines(keepends=True)
    first_key = document.value_place(("accounts", at, "keys", 0)).line
    written = _ENTRY.match(lines[first_key])
    if written is None or ("accounts", at, "keys", 0) not in document.values:
        raise by_hand(new)
    added = [f"{written[1]}{line}\n" for line in _key_lines(new)]
    return "".join([*lines[:first_key], *added, *lines[first_key:]])


def _key_lines(new: NewKey) -> list[str]:
    note = [f"  note: {_quoted(new.note)}"] if new.note else []
    return [f'- hash: "{new.hash}"', *note]


def by_hand(new: NewKey) -> SettingsError:
    return SettingsError(
        f"the accounts file is written in brackets, where {new.account_id} cannot be added "
        'without rewriting it. Write its lists as lines that begin with "- ", then try again.'
    )


def _quoted(text: str) -> str:
    """A JSON string is a YAML string, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Two `account add` at once take turns: neither loses the other's key. Leaves no file."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def replace_file(path: Path, text: str) -> None:
    """All of the new text or all of the old, whatever happens, with the mode that it had.

    A new file is for its owner's eyes. A link keeps pointing where it did.
    """
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
