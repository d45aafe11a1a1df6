"""The accounts file: who may call, by the keyed hashes of their keys.

    accounts:
      - id: acme
        plan: pro
        organization: acme-corp
        created_at: 1760000000
        keys:
          - hash: 3f8a...            # 64 digits, printed by `gauger account add`
            note: production
        attributes: {payment: pm_71}

Somebody will write a key where its hash belongs. So no message about this file repeats what
stands in it.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt

from gateway.facts.principal import Account
from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems, first_of
from gateway.source.yaml_text import Document, Path, Value, read

LATEST_CREATED_AT_S = 10**11
"""The year 5138. More means milliseconds."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")
_HASH = re.compile(r"[0-9a-f]{64}")


def _id(text: str) -> str:
    if _ID.fullmatch(text) is None:
        raise ValueError(
            "This is not an account's id. Write letters, digits and . _ : @ / -, beginning with a "
            "letter or digit, at most 128 characters. It is printed in traces: never a key."
        )
    return text


def _hash(text: str) -> str:
    if _HASH.fullmatch(text) is None:
        raise ValueError(
            "This is not the hash of a key. Write the 64 characters 0-9 and a-f that `gauger "
            "account add` prints. If it is the key itself, take it out and issue another one."
        )
    return text


def _created_at(seconds: int) -> int:
    if not 0 <= seconds <= LATEST_CREATED_AT_S:
        raise ValueError(
            f'"created_at" is out of bounds: seconds since 1970, 0 to {LATEST_CREATED_AT_S:,}. '
            "Milliseconds? Divide by 1000."
        )
    return seconds


class KeyEntry(Written):
    hash: Annotated[
        str,
        AfterValidator(_hash),
        Field(description="the keyed hash of a key, as `gauger account add` prints it."),
    ]
    note: Annotated[str, Field(description="what this key is for.")] = ""


class AccountEntry(Written):
    id: Annotated[str, AfterValidator(_id), Field(description="the name of who pays.")]
    plan: Annotated[str | None, Field(description="the account's plan.")] = None
    organization: Annotated[str | None, Field(description="who owns the account.")] = None
    created_at: Annotated[
        Annotated[StrictInt, AfterValidator(_created_at)] | None,
        Field(description="when it was opened, in seconds since 1970."),
    ] = None
    keys: Annotated[
        tuple[KeyEntry, ...],
        Field(description="the keys that it may present; [] shuts it out."),
    ]
    attributes: Annotated[
        dict[str, str],
        Field(default_factory=dict, description="anything else that is known of the account."),
    ]


class AccountsFile(Written):
    accounts: Annotated[
        tuple[AccountEntry, ...], Field(description="a list of those who may call.")
    ]


class Accounts:
    """Accounts by credential hash. Immutable.

    A lookup leaks nothing by its time: what is looked up is an HMAC under the deployment's secret,
    which a caller can neither compute nor steer, so a hash that shares a beginning with a stored
    one says nothing about any key.
    """

    __slots__ = ("_by_hash", "_count")

    def __init__(self, accounts: Mapping[str, Account], count: int) -> None:
        """`accounts` by hash; `count` with those that have no key."""
        self._by_hash = dict(accounts)
        self._count = count

    def find(self, credential_hash: str) -> Account | None:
        """`credential_hash` as `Secret.credential_hash` makes it."""
        return self._by_hash.get(credential_hash)

    def __len__(self) -> int:
        return self._count


def parse_accounts(text: str, name: str) -> Accounts:
    """Raises `Problems`: all of the file. `name` is the file's, for messages."""
    document = read(name, text, secret=True)
    problems = list(_duplicates(document))
    try:
        file = validate(AccountsFile, document)
    except Problems as raised:
        problems += raised.problems
    else:
        if not problems:
            by_hash: dict[str, Account] = {}
            for entry in file.accounts:
                by_hash.update(dict.fromkeys((key.hash for key in entry.keys), _account(entry)))
            return Accounts(by_hash, len(file.accounts))
    raise Problems(first_of(problems))


def _account(entry: AccountEntry) -> Account:
    return Account(
        id=entry.id,
        plan=entry.plan,
        organization=entry.organization,
        attributes=MappingProxyType(dict(entry.attributes)),
        created_at_s=entry.created_at,
    )


def _duplicates(document: Document) -> Iterator[Problem]:
    """Also among entries that are wrong otherwise."""
    first_line: dict[tuple[str, str], int] = {}
    for what, name, path in _names(document):
        place = document.value_place(path)
        if (what, name) in first_line:
            yield document.source.problem(
                place, f"This {what} is taken; first in line {first_line[what, name]}. Keep one."
            )
        else:
            first_line[what, name] = place.line + 1


def _names(document: Document) -> Iterator[tuple[str, str, Path]]:
    """Whatever stands where an id or a hash belongs."""
    for at, entry in _mappings(document.value, "accounts"):
        if isinstance(entry.get("id"), str):
            yield "id", str(entry["id"]), ("accounts", at, "id")
        for key_at, key in _mappings(entry, "keys"):
            if isinstance(key.get("hash"), str):
                yield "hash", str(key["hash"]), ("accounts", at, "keys", key_at, "hash")


def _mappings(value: Value, key: str) -> Iterator[tuple[int, dict[str, Value]]]:
    entries = value.get(key) if isinstance(value, dict) else None
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield at, entry
