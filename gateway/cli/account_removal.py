"""Takes an account or one of its keys out of an accounts file; every other line stays as it was."""

import re
from collections.abc import Iterable
from pathlib import Path

from gateway.cli.account_file import alone_with, entries, read_account_file, replace_file
from gateway.cli.reporting import tell
from gateway.errors import SettingsError
from gateway.facts.accounts import AccountEntry, KeyEntry, parse_accounts
from gateway.source.problems import Problems
from gateway.source.yaml_text import Path as At
from gateway.source.yaml_text import read

_ITEM = re.compile(r"( *)- ")
_EMPTY_LIST = re.compile(r"^([^#]*:)(?=\s*(?:#.*)?$)")

SHORTEST_BEGINNING = 6
"""Of a hash: fewer digits may be another key's, too."""
SHOWN_DIGITS = 8


def remove_account(path: Path, account_id: str) -> None:
    with alone_with(path):
        text = _existing(path)
        found = entries(text)
        at = _position(found, account_id, path)
        kept = (*found[:at], *found[at + 1 :])
        replace_file(path, _without(text, ("accounts", at), kept))
    tell(f"Removed {account_id} from {path}. A running gauger knows it when it reads the file.")


def revoke_key(path: Path, account_id: str, which: str) -> None:
    """`which`: the key's note, or how its hash begins."""
    with alone_with(path):
        text = _existing(path)
        found = entries(text)
        at = _position(found, account_id, path)
        keys = found[at].keys
        key_at = _key_position(keys, which, account_id)
        entry = found[at].model_copy(update={"keys": (*keys[:key_at], *keys[key_at + 1 :])})
        kept = (*found[:at], entry, *found[at + 1 :])
        replace_file(path, _without(text, ("accounts", at, "keys", key_at), kept))
    tell(
        f"Revoked a key of {account_id}, which has {len(keys) - 1} left. A running gauger knows "
        "it when it reads the file."
    )


def _existing(path: Path) -> str:
    if not path.is_file():
        raise SettingsError(f"{path} does not exist. Name the accounts file with --accounts.")
    return read_account_file(path)


def _position(found: Iterable[AccountEntry], account_id: str, path: Path) -> int:
    names = [entry.id for entry in found]
    if account_id not in names:
        raise SettingsError(
            f"{path} has no account {account_id!r}. See them all with: gauger account list"
        )
    return names.index(account_id)


def _key_position(keys: tuple[KeyEntry, ...], which: str, account_id: str) -> int:
    fitting = [
        at
        for at, key in enumerate(keys)
        if which and (key.note == which or _begins(key.hash, which))
    ]
    if len(fitting) != 1:
        each = [f"{key.hash[:SHOWN_DIGITS]}{f' ({key.note})' if key.note else ''}" for key in keys]
        raise SettingsError(
            f"{len(fitting) or 'none'} of the keys of {account_id} fits. Give a key's note, or the "
            f"first {SHORTEST_BEGINNING} or more digits of its hash. It has: "
            f"{', '.join(each) or 'no key'}."
        )
    return fitting[0]


def _begins(full: str, which: str) -> bool:
    return len(which) >= SHORTEST_BEGINNING and full.startswith(which)


def _without(text: str, item: At, kept: tuple[AccountEntry, ...]) -> str:
    """Raises `SettingsError` where a person must do it: what is left is read before it is used."""
    document = read("", text, secret=True)
    lines = text.splitlines(keepends=True)
    start = document.value_place(item).line
    written = _ITEM.match(lines[start])
    if written is not None:
        del lines[start : _end(lines, start, len(written[1]))]
        if _is_last(item, kept):
            of_list = document.key_place(item[:-1]).line
            lines[of_list] = _EMPTY_LIST.sub(r"\1 []", lines[of_list], count=1)
        changed = "".join(lines)
        try:
            parse_accounts(changed, "")
            if entries(changed) == kept:
                return changed
        except Problems:
            pass
    raise SettingsError(
        'the accounts file is not written as lists of lines that begin with "- ". Take the lines '
        "out by hand; `gauger account list` then shows whether the file is sound."
    )


def _end(lines: list[str], start: int, indent: int) -> int:
    """Behind the item; comments and blank lines after it are whoever's comes next."""
    end = start + 1
    for at in range(start + 1, len(lines)):
        line = lines[at]
        depth = len(line) - len(line.lstrip(" "))
        if not line.strip() or (line.lstrip().startswith("#") and depth <= indent):
            continue
        if depth <= indent:
            break
        end = at + 1
    return end


def _is_last(item: At, kept: tuple[AccountEntry, ...]) -> bool:
    if len(item) == len(("accounts", 0)):
        return not kept
    return not kept[int(item[1])].keys
