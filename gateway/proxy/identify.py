"""The credential, to the account that pays.

The account of a request comes from a verified credential and from nothing else: no header, no
address names one. Further kinds of credential (signed tokens) will be further directories.
"""

import re
from typing import Protocol

from gateway.errors import UnknownCredential
from gateway.facts.principal import Account, Principal, Secret

MAX_CREDENTIAL = 8 * 1024
"""Characters. Signed tokens of identity providers reach 4 KiB; nothing honest is twice as long."""

_CREDENTIAL = re.compile(r"[!-~]+")


class Directory(Protocol):
    """Who holds which credential: `facts.accounts.Accounts`."""

    def find(self, credential_hash: str, /) -> Account | None: ...


class Identifier:
    """With no accounts every credential is an account of its own, named by a keyed hash."""

    def __init__(self, secret: Secret, accounts: Directory | None) -> None:
        self._secret = secret
        self._accounts = accounts

    def principal(self, credential: str, client_address: str | None) -> Principal:
        """Raises `UnknownCredential`; its text says nothing of the credential."""
        if len(credential) > MAX_CREDENTIAL or not _CREDENTIAL.fullmatch(credential):
            raise UnknownCredential("This is not an API key.")
        if self._accounts is None:
            account: Account | None = Account(self._secret.anonymous_account_id(credential))
        else:
            account = self._accounts.find(self._secret.credential_hash(credential))
        if account is None:
            raise UnknownCredential("The API key is not known here. Check it, or ask for one.")
        return Principal(account, client_address)
