"""The accounts file: who may call, by the keyed hashes of their keys or by their certificates.

    secret: "9f2c41d07be8a356"       # tells whether the hashes were made with the secret in use
    accounts:
      - id: acme
        plan: pro
        organization: acme-corp
        created_at: 1760000000
        keys:
          - hash: 3f8a...            # 64 digits, printed by `gauger account add`
            note: production
        certificates: [spiffe://corp/acme]
        attributes: {payment: pm_71}

Somebody will write a key where its hash belongs. So no message about this file repeats what
stands in it.
"""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, StrictInt

from gateway.facts.principal import Account
from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems, first_of
from gateway.source.yaml_text import Document, Path, Value, read

LATEST_CREATED_AT_S = 10**11
"""The year 5138. More means milliseconds."""

MADE_ELSEWHERE = (
    "The hashes in this file were made with another secret than the one in use, with which none of "
    "their keys would be known. Set the secret they were made with: GAUGER_SECRET, --secret-file, "
    "or gauger.secret beside this file."
)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")
_HASH = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_CERTIFICATE = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?")


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


def _fingerprint(text: str) -> str:
    if _FINGERPRINT.fullmatch(text) is None:
        raise ValueError(
            "This is not the fingerprint of a secret: 16 characters 0-9 and a-f in quotation "
            "marks, as `gauger account add` writes it. If it is the secret itself, take it out."
        )
    return text


def _certificate(text: str) -> str:
    if _CERTIFICATE.fullmatch(text) is None:
        raise ValueError(
            "This is not the name of a certificate. Write its subject, URI or SHA-256 hash exactly "
            "as the front proxy sends it: printable ASCII, at most 1,024 characters."
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
        Field(description="the keys that it may present; [] for none."),
    ]
    certificates: Annotated[
        tuple[Annotated[str, AfterValidator(_certificate)], ...],
        Field(description="client certificates, as a trusted front proxy names them."),
    ] = ()
    attributes: Annotated[
        dict[str, str],
        Field(default_factory=dict, description="anything else that is known of the account."),
    ]


class AccountsFile(Written):
    secret: Annotated[
        Annotated[str, AfterValidator(_fingerprint)] | None,
        Field(description="the fingerprint of the secret that the hashes were made with."),
    ] = None
    accounts: Annotated[
        tuple[AccountEntry, ...], Field(description="a list of those who may call.")
    ]


class Accounts:
    """Accounts by credential hash, by certificate and by name. Immutable.

    A lookup leaks nothing by its time: what is looked up is an HMAC under the deployment's secret,
    which a caller can neither compute nor steer, so a hash that shares a beginning with a stored
    one says nothing about any key. Certificates and names are no secrets.
    """

    __slots__ = ("_by_certificate", "_by_hash", "_by_id")

    def __init__(self, entries: Iterable[AccountEntry] = ()) -> None:
        self._by_id: dict[str, Account] = {}
        self._by_hash: dict[str, Account] = {}
        self._by_certificate: dict[str, Account] = {}
        for entry in entries:
            account = self._by_id[entry.id] = _account(entry)
            self._by_hash.update((key.hash, account) for key in entry.keys)
            self._by_certificate.update((name, account) for name in entry.certificates)

    def find(self, credential_hash: str) -> Account | None:
        """`credential_hash` as `Secret.credential_hash` makes it."""
        return self._by_hash.get(credential_hash)

    def with_certificate(self, name: str) -> Account | None:
        """By exactly what is listed."""
        return self._by_certificate.get(name)

    def named(self, account_id: str) -> Account | None:
        """What is known of an account that was identified elsewhere."""
        return self._by_id.get(account_id)

    def __len__(self) -> int:
        """With those that have no key."""
        return len(self._by_id)


def parse_accounts(text: str, name: str, secret_fingerprint: str | None = None) -> Accounts:
    """Raises `Problems`: all of the file. `name` is the file's, for messages.

    With `secret_fingerprint` also if the file says that its hashes were made with another secret.
    """
    document = read(name, text, secret=True)
    problems = list(_duplicates(document))
    try:
        file = validate(AccountsFile, document)
    except Problems as raised:
        problems += raised.problems
    else:
        if file.secret is not None and secret_fingerprint not in (None, file.secret):
            problems.append(
                document.source.problem(document.value_place(("secret",)), MADE_ELSEWHERE)
            )
        if not problems:
            return Accounts(file.accounts)
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
    """Whatever stands where an id, a hash or a certificate belongs."""
    for at, entry in _mappings(document.value, "accounts"):
        if isinstance(entry.get("id"), str):
            yield "id", str(entry["id"]), ("accounts", at, "id")
        for key_at, key in _mappings(entry, "keys"):
            if isinstance(key.get("hash"), str):
                yield "hash", str(key["hash"]), ("accounts", at, "keys", key_at, "hash")
        certificates = entry.get("certificates")
        for name_at, name in enumerate(certificates if isinstance(certificates, list) else []):
            if isinstance(name, str):
                yield "certificate", name, ("accounts", at, "certificates", name_at)


def _mappings(value: Value, key: str) -> Iterator[tuple[int, dict[str, Value]]]:
    entries = value.get(key) if isinstance(value, dict) else None
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield at, entry
