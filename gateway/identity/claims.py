"""What the claims of a verified token mean: until when it holds, and whose it is.

`now_us` is an argument. Messages name claims, never what stands in them.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.errors import UnknownCredential
from gateway.facts.accounts import LATEST_CREATED_AT_S
from gateway.facts.principal import Account, can_name_account
from gateway.identity.document import IssuerEntry

MAX_TEXT = 256
"""Characters of a plan, an organization or an attribute."""

SECOND_US = 1_000_000

_FOREVER_S = 10**12
"""Seconds beyond which a date is only another way to write: never."""


def valid_until_us(claims: Mapping[str, Any], entry: IssuerEntry, now_us: int) -> int:
    """The moment from which the token is no longer taken. Raises `UnknownCredential`."""
    audiences = claims.get("aud")
    named = audiences if isinstance(audiences, list) else [audiences]
    if not any(audience in entry.audience for audience in named if isinstance(audience, str)):
        raise UnknownCredential("The token is for another audience.")
    leeway_us = entry.leeway_seconds * SECOND_US
    until_us = _moment_us(claims, "exp") + leeway_us
    if now_us >= until_us:
        raise UnknownCredential("The token has expired. Get a new one.")
    if claims.get("nbf") is not None and now_us + leeway_us < _moment_us(claims, "nbf"):
        raise UnknownCredential("The token is not valid yet.")
    return until_us


def account_of(claims: Mapping[str, Any], entry: IssuerEntry) -> Account:
    """Raises `UnknownCredential`, also for a mapped claim that cannot be what it should be.

    A token that was made wrongly is not worth guessing at: its account might get another's limits.
    """
    name = _text(claims, entry.account)
    if name is None:
        raise UnknownCredential(f"The token has no claim {entry.account}, which names the account.")
    account_id = entry.prefix + name
    if not can_name_account(account_id):
        raise UnknownCredential(f"The token's claim {entry.account} cannot be an account's name.")
    attributes = {
        attribute: value
        for attribute, claim in entry.attributes.items()
        if (value := _text(claims, claim)) is not None
    }
    return Account(
        account_id,
        plan=_text(claims, entry.plan),
        organization=_text(claims, entry.organization),
        attributes=MappingProxyType(attributes),
        created_at_s=_created_at_s(claims, entry.created_at),
    )


def _moment_us(claims: Mapping[str, Any], name: str) -> int:
    """A NumericDate (RFC 7519, 2), which may have a fraction."""
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not _is_date(seconds):
        raise UnknownCredential(f"The token's claim {name} is missing or not a date in seconds.")
    return math.floor(min(seconds, _FOREVER_S) * SECOND_US)


def _is_date(seconds: float) -> bool:
    return math.isfinite(seconds) and seconds >= 0


def _created_at_s(claims: Mapping[str, Any], name: str | None) -> int | None:
    if name is None or _value(claims, name) is None:
        return None
    seconds = _value(claims, name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise _unusable(name)
    if not 0 <= seconds <= LATEST_CREATED_AT_S:  # false for what is not a number, too
        raise _unusable(name)
    return int(seconds)


def _text(claims: Mapping[str, Any], name: str | None) -> str | None:
    """An empty text is a missing one."""
    value = None if name is None else _value(claims, name)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int) and abs(value) < 2**63:
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise _unusable(name)
    return value


def _unusable(name: str | None) -> UnknownCredential:
    return UnknownCredential(f"The token's claim {name} is not of the kind that is taken here.")


def _value(claims: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401  # a claim may be anything
    """By its whole name, which may be a URL with dots in it, or by a dotted path.

    Raises `UnknownCredential` where the path leads through what is no object.
    """
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise _unusable(path)
        value = value.get(step)
    return value
