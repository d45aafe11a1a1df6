"""Who asks in a record: its account's id and attributes, as a `Principal`.

`plan`, `organization` and `created_at` are the account's own, `address` is where the exchange came
from, and everything else is an attribute as an accounts file has them: a text.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.facts.accounts import LATEST_CREATED_AT_S
from gateway.facts.principal import Account, Principal
from gateway.replay.record import Attribute

_OWN = frozenset({"plan", "organization", "created_at", "address"})


class UnusableRecord(Exception):  # it never leaves this room
    """A record that is well formed and still makes no exchange."""


class Principals:
    """Of each account the last one: attributes seldom change, so they are seldom read."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Mapping[str, Attribute], Principal]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def of(self, account_id: str, attributes: Mapping[str, Attribute]) -> Principal:
        """Raises `UnusableRecord`."""
        last = self._last.get(account_id)
        if last is not None and last[0] == attributes:
            return last[1]
        principal = _principal(account_id, attributes)
        self._last[account_id] = attributes, principal
        return principal


def _principal(account_id: str, attributes: Mapping[str, Attribute]) -> Principal:
    account = Account(
        id=account_id,
        plan=_text(attributes.get("plan")),
        organization=_text(attributes.get("organization")),
        attributes=MappingProxyType(
            {
                name: text
                for name, value in attributes.items()
                if name not in _OWN and (text := _text(value)) is not None
            }
        ),
        created_at_s=_created_at_s(attributes.get("created_at")),
    )
    return Principal(account, _text(attributes.get("address")))


def _text(value: Attribute) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)


def _created_at_s(value: Attribute) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableRecord('"created_at" is no number; write seconds since 1970.')
    if not 0 <= value <= LATEST_CREATED_AT_S:
        raise UnusableRecord(
            f'"created_at" is out of bounds: seconds since 1970, 0 to {LATEST_CREATED_AT_S:,}. '
            "Milliseconds? Divide by 1000."
        )
    return int(value)
