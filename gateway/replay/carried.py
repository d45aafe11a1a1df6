"""The facts of one exchange as they stand in a record, in the place of its body.

Whatever a field of `Facts` or `Ask` is called it is called here, so a fact that is added to them is
carried without a word in this file. What has its default is left out. The account stands beside it,
as in every record; texts that a caller chose to name people are replaced by pseudonyms.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any, get_type_hints

import msgspec

from gateway.facts.catalog import Facts
from gateway.facts.exchange import Route
from gateway.facts.principal import Principal
from gateway.facts.prompt_traits import PromptTraits, Rest

_BESIDE = frozenset({"principal", "route"})
_HINTS = get_type_hints(Facts)
_FIELDS = [one for one in fields(Facts) if one.name not in _BESIDE]


def _default(one: "Field[Any]") -> Any:  # noqa: ANN401  # whatever the field holds
    return one.default if one.default_factory is MISSING else one.default_factory()


_Carried: Any = msgspec.defstruct(
    "Carried",
    [
        ("route", str),
        *((f.name, _HINTS[f.name]) for f in _FIELDS if _default(f) is MISSING),
        *((f.name, _HINTS[f.name], _default(f)) for f in _FIELDS if _default(f) is not MISSING),
        ("attributes", dict[str, str] | None, None),
    ],
    frozen=True,
)


class _Traits(msgspec.Struct, frozen=True, omit_defaults=True):
    """`PromptTraits`, which is no plain value."""

    frames: tuple[str, ...] = ()
    system: str | None = None
    toolset: str | None = None
    single: bool = False
    rest: Rest = Rest()


def _read_traits(kind: type, written: Any) -> PromptTraits:  # noqa: ANN401  # JSON
    if kind is not PromptTraits:
        raise NotImplementedError(kind.__name__)
    return PromptTraits(**msgspec.structs.asdict(msgspec.convert(written, _Traits)))


_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Carried, dec_hook=_read_traits)


class CarriedFacts:
    """Read back."""

    def __init__(self, written: bytes) -> None:
        """Raises `msgspec.DecodeError`, whose text repeats no value."""
        self._carried = _decoder.decode(written)
        self.route: str = self._carried.route
        self.dialect: str = self._carried.dialect
        self.attributes: Mapping[str, str] | None = self._carried.attributes
        """The account's own, where those beside do not tell all of them."""

    def facts(self, principal: Principal, route: Route) -> Facts:
        known = {one.name: getattr(self._carried, one.name) for one in _FIELDS}
        return Facts(principal=principal, route=route, **known)


def carried(facts: Facts, pseudonym: Callable[[str], str] | None) -> dict[str, Any]:
    """As JSON has it. Without `pseudonym` names of people stay as they are."""
    ask = facts.ask
    if pseudonym is not None:
        ask = replace(
            ask,
            end_user=_hidden(ask.end_user, pseudonym),
            session=_hidden(ask.session, pseudonym),
        )
    told = {"route": facts.route.name, **_told(facts, _BESIDE | {"ask"}), "ask": _told(ask)}
    if account_attributes := _unspeakable(facts.principal):
        told["attributes"] = dict(account_attributes)
    return told


OWN_ATTRIBUTES = frozenset({"plan", "organization", "created_at", "address"})
"""In a record these are of the account or the client itself, and no attributes."""


def record_attributes(principal: Principal) -> dict[str, str | int]:
    """Who asked, as every traffic record says it."""
    account = principal.account
    own = {
        "plan": account.plan,
        "organization": account.organization,
        "created_at": account.created_at_s,
        "address": principal.client_address,
    }
    told: dict[str, str | int] = {name: value for name, value in own.items() if value is not None}
    more = {name: value for name, value in account.attributes.items() if name not in OWN_ATTRIBUTES}
    return told | more


def _unspeakable(principal: Principal) -> Mapping[str, str] | None:
    """Attributes that would be mistaken for something else, or be passed over for being empty."""
    attributes = principal.account.attributes
    if any(name in OWN_ATTRIBUTES or not value for name, value in attributes.items()):
        return attributes
    return None


def _hidden(text: str | None, pseudonym: Callable[[str], str]) -> str | None:
    return pseudonym(text) if text else text


def _told(value: Any, without: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401  # any value
    if isinstance(value, PromptTraits):
        return _Traits(value.frames, value.system, value.toolset, value.single, value.rest)
    if not is_dataclass(value):
        return value
    known = ((one, getattr(value, one.name)) for one in fields(value) if one.name not in without)
    return {one.name: _told(held) for one, held in known if held != _default(one)}
