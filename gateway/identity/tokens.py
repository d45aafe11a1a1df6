"""Signed tokens (JWT, RFC 7519 and 8725): verified once, remembered until they expire.

Verifying takes some 100 microseconds, finding a remembered token 3. A token is
remembered by its digest, together with the very key set that verified it: when the issuer's keys
change, it is verified anew.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn, Protocol

import jwt

from gateway.errors import IdentityUnavailable, UnknownCredential
from gateway.facts.principal import Account
from gateway.identity.claims import account_of, valid_until_us
from gateway.identity.document import IssuerEntry
from gateway.identity.key_set import KeySet

REMEMBERED = 8192
"""Tokens; about 1 KB each."""

_FORM = re.compile(r"e[wy][A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
"""A brace and a quote or white space in base64url, then two more parts, the last maybe empty."""

_JWS = jwt.PyJWS()


class KeySource(Protocol):
    """The keys of one issuer, as far as they are known now."""

    @property
    def keys(self) -> KeySet: ...

    async def renew(self) -> None:
        """Ask again, unless that was done a moment ago. Never raises; the keys may be the same."""


@dataclass(frozen=True, slots=True)
class Issuer:
    entry: IssuerEntry
    source: KeySource


@dataclass(frozen=True, slots=True)
class _Known:
    account: Account
    until_us: int
    keys: KeySet
    source: KeySource


def has_form(credential: str) -> bool:
    return _FORM.fullmatch(credential) is not None


class Tokens:
    """The accounts of tokens, for one set of issuers."""

    def __init__(self, issuers: Iterable[Issuer], remembered: int = REMEMBERED) -> None:
        self._issuers = {issuer.entry.issuer: issuer for issuer in issuers}
        self._remembered = remembered
        self._known: dict[bytes, _Known] = {}
        """The least recently used first."""

    def known(self, token: str, now_us: int) -> Account | None:
        """The account of a token that was verified before and still holds."""
        digest = _digest(token)
        known = self._known.pop(digest, None)
        if known is None or now_us >= known.until_us or known.keys is not known.source.keys:
            return None
        self._known[digest] = known
        return known.account

    async def account(self, token: str, now_us: int) -> Account:
        """Raises `IdentityUnavailable`, and `UnknownCredential`, whose text tells nothing of it."""
        header, claims = _unverified(token)
        issuer = self._issuers.get(claims["iss"]) if isinstance(claims.get("iss"), str) else None
        if issuer is None:
            raise UnknownCredential("The token's issuer is not known here.")
        keys = await _verify(token, header, issuer)
        until_us = valid_until_us(claims, issuer.entry, now_us)
        account = account_of(claims, issuer.entry)
        if len(self._known) >= self._remembered:
            del self._known[next(iter(self._known))]
        self._known[_digest(token)] = _Known(account, until_us, keys, issuer.source)
        return account


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        parts = _JWS.decode_complete(token, options={"verify_signature": False})
        header = parts["header"]
        claims = json.loads(parts["payload"], object_pairs_hook=_without_repeats)
    except (jwt.PyJWTError, ValueError, RecursionError):
        header = claims = None
    if header is None or not isinstance(claims, dict):
        raise UnknownCredential("The token cannot be read.")
    return header, claims


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two claims of one name (RFC 7519, 4) others may believe the other one."""
    claims = dict(members)
    if len(claims) < len(members):
        raise ValueError("a name appears twice")
    return claims


async def _verify(token: str, header: dict[str, Any], issuer: Issuer) -> KeySet:
    """The keys by which the signature holds."""
    algorithm = header.get("alg")
    if algorithm not in issuer.entry.algorithms:
        _refuse_algorithm(algorithm, issuer.entry)
    key_id = header.get("kid")
    keys = issuer.source.keys
    key = keys.find(key_id, algorithm)
    if key is None:
        await issuer.source.renew()
        keys = issuer.source.keys
        key = keys.find(key_id, algorithm)
    if key is None:
        if not len(keys):
            raise IdentityUnavailable("The keys of the token's issuer are not known yet.")
        raise UnknownCredential(
            "The token is signed with a key that its issuer does not publish."
            if key_id is not None
            else "The token does not say with which key it is signed."
        )
    try:
        _JWS.decode_complete(token, key, [algorithm])
    except (jwt.PyJWTError, ValueError):
        raise UnknownCredential("The token's signature is wrong.") from None
    return keys


def _refuse_algorithm(algorithm: object, entry: IssuerEntry) -> NoReturn:
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        raise UnknownCredential("The token is not signed.")
    raise UnknownCredential(
        f"The token is signed in a way that is not taken. Taken: {', '.join(entry.algorithms)}."
    )
