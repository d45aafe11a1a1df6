"""Campaigns as an operator asks for them: a family, and what is different from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from gateway.errors import OperatorError
from gateway.simulation.frames import LANGUAGES
from gateway.source.wording import allowed_words, shown


class UnusableOrder(OperatorError):
    """What was asked for, in words that cannot be understood."""


CHOICES: Mapping[str, tuple[str, ...]] = {
    "style": (
        *("plain", "frame", "system", "tools", "prefix", "retrospective", "rubric", "sweep"),
        "agent",
    ),
    "load": ("even", "jitter", "lognormal", "zipf"),
    "edges": ("both", "first", "last"),
    "topics": ("own", "pool"),
    "age": ("fresh", "aged"),
    "house": ("none", "own", "one"),
    "network": ("any", "small", "large"),
    "client": ("any", "rare", "popular"),
    "signup": ("any", "hour"),
    "copy": ("prompts", "address"),
    "language": (*LANGUAGES, "mixed"),
}
"""Fields of a campaign that take one of some words."""


def _set(default: Any, meaning: str) -> Any:  # noqa: ANN401  # what dataclasses.field returns
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """All of its accounts do the same, for one customer."""

    family: str = "fleet"
    name: str = _set("", "its label is campaign/NAME; by default the family's name")
    accounts: int = _set(1_000, "how many accounts")
    rate: float = _set(25.6, "requests a day of one account, cover among them")
    per_second: float = _set(0.0, "requests a second of the whole fleet, instead of rate")
    total: int = _set(0, "it ends after so many requests; 0: with the simulation")
    load: str = _set("jitter", "how requests lie in time and are spread over accounts")
    style: str = _set("frame", "what a request looks like; plain: the task alone")
    edges: str = _set("both", "where the frame stands: at the first words, the last, or both")
    frames: int = _set(1, "wordings in use; 0: each account has its own frame")
    language: str = _set("en", "of the frame")
    source: str = _set("", "the corpus that is harvested; by default one after the other")
    cover: float = _set(0.0, "the share of requests that only look honest")
    topics: str = _set("own", "of the cover: each account's own, or a pool that all share")
    per_card: int = _set(0, "accounts to a payment instrument; 0: nothing is shared")
    network: str = _set("any", "the kind of network that all accounts share; any: none")
    client: str = _set("any", "the kind of client that all accounts share; any: none")
    signup: str = _set("any", "hour: all accounts signed up within one")
    age: str = _set("fresh", "fresh accounts are at most 6 days old when it begins")
    house: str = _set("none", "a system prompt beside the tasks: none, own for each, or one")
    shards: bool = _set(default=False, meaning="each account has topics of its own")
    turns: float = _set(0.0, "the share of requests that carry a history")
    rotate: bool = _set(default=False, meaning="another network with each request")
    begin: float = _set(7.0, "the day on which it begins, from 0; halves are noon")
    days: float = _set(0.0, "how long it goes on; 0: to the end")
    waves: int = _set(1, "so many times there are new accounts; each wave is a label of its own")
    wave_hours: float = _set(24.0, "how long a wave is active")
    new_cards: bool = _set(default=False, meaning="a new wave pays with new instruments")
    closed: bool = _set(
        default=False, meaning="contained accounts are replaced; only whoever judges can tell it"
    )
    pivot: float = _set(0.0, "half the accounts ask the new model after so many days; 0: none")
    victims: int = _set(0, "honest accounts that it copies or sits beside")
    victim: str = _set("chat", "of which population these are")
    copy: str = _set("prompts", "what it takes from them")

    @property
    def label(self) -> str:
        return f"campaign/{self.name or self.family}"

    @property
    def per_day(self) -> float:
        """Requests of one account."""
        return self.per_second * 86_400 / self.accounts if self.per_second else self.rate


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    meaning: str
    campaign: Campaign


def _family(name: str, meaning: str, **different: Any) -> Family:  # noqa: ANN401  any field of a campaign
    return Family(name, meaning, Campaign(family=name, **different))


_ALONE = {"accounts": 1, "style": "plain"}
_PLAIN = {"accounts": 40, "style": "plain"}

FAMILIES = {
    family.name: family
    for family in (
        _family(
            "single",
            "A1: one account, one request every 5 seconds",
            **_ALONE,
            total=1_200,
            per_second=0.2,
        ),
        _family(
            "templates",
            "A2: one account, many templates and topics",
            accounts=1,
            style="sweep",
            rate=1_200.0,
            load="zipf",
        ),
        _family("elicitation", "A3: reasoning asked for before the answer", style="prefix"),
        _family(
            "retrospective",
            "A3: the reasoning behind an answer that is given",
            style="retrospective",
        ),
        _family("paraphrases", "A3: the same in 20 wordings", style="retrospective", frames=20),
        _family(
            "foreign",
            "A3: the same in seven languages",
            style="retrospective",
            language="mixed",
            frames=8,
        ),
        _family("rubric", "A4: grading by criteria", style="rubric"),
        _family("fleet", "A5: 1,000 accounts, 25.6 requests a day each, one frame"),
        _family("system-fleet", "A5: the frame is the system prompt", style="system"),
        _family("tool-fleet", "A5: the frame is a tool list", style="tools"),
        _family(
            "card",
            "A5: no frame; 20 accounts on one payment instrument",
            accounts=20,
            style="plain",
            per_card=20,
        ),
        _family(
            "network",
            "A5: no frame; 40 accounts, only the network is shared",
            **_PLAIN,
            network="small",
        ),
        _family(
            "client",
            "A5: no frame; 40 accounts, only the client is shared",
            **_PLAIN,
            client="rare",
        ),
        _family(
            "signup",
            "A5: no frame; 40 accounts, only the sign-up hour is shared",
            **_PLAIN,
            signup="hour",
        ),
        _family("unshared", "A5: no frame, nothing shared", **_PLAIN),
        _family("cover", "A6: the framed fleet with 90 % cover traffic", cover=0.9),
        _family(
            "card-cover",
            "A6: one instrument, no frame, half cover",
            accounts=20,
            style="plain",
            per_card=20,
            cover=0.5,
        ),
        _family("drip", "A7: two requests a day and account", rate=2.0),
        _family(
            "rotation",
            "A8: no frame; another network with each request, 5 accounts a card",
            accounts=100,
            style="plain",
            per_card=5,
            rotate=True,
        ),
        _family(
            "replacement",
            "A9: contained accounts are replaced within the hour (closed loop)",
            accounts=200,
            closed=True,
        ),
        _family(
            "waves",
            "A9: all accounts replaced every day, on new instruments",
            accounts=100,
            style="plain",
            per_card=50,
            waves=4,
            new_cards=True,
        ),
        _family("pivot", "A10: half the accounts move to the new model within 24 h", pivot=2.0),
        _family(
            "adaptive",
            "A11: topic shards, a frame for each account, a human load",
            accounts=200,
            shards=True,
            frames=0,
            load="zipf",
        ),
        _family("agentic", "A12: tasks in the shape of agents' work", style="agent", accounts=200),
        _family(
            "framing", "accounts that copy honest accounts' prompts", style="plain", victims=20
        ),
        _family(
            "beside",
            "accounts that share honest accounts' addresses",
            style="frame",
            victims=20,
            copy="address",
        ),
    )
}

_FIELDS = {one.name: one for one in fields(Campaign)}
SETTABLE = {name: str(one.metadata["meaning"]) for name, one in _FIELDS.items() if name != "family"}
"""Everything that can be set of a campaign, with its meaning."""
_WORDS = {word: name for name in ("style", "load", "age") for word in CHOICES[name]}
_FLAGS = tuple(name for name, one in _FIELDS.items() if isinstance(one.default, bool))


def campaign(family: str, different: Mapping[str, object]) -> Campaign:
    """A family with some things different. Raises `UnusableOrder`."""
    if family not in FAMILIES:
        raise UnusableOrder(
            f"{shown(family)} is no family of campaigns. {allowed_words(family, FAMILIES)}"
        )
    values = {name: _value(name, value) for name, value in different.items()}
    return replace(FAMILIES[family].campaign, **values)


def read_campaign(text: str) -> Campaign:
    """`fleet:frame,accounts=1000,cover=0.9`. Raises `UnusableOrder`."""
    family, _, rest = text.partition(":")
    different: dict[str, object] = {}
    for part in filter(None, (one.strip() for one in rest.split(","))):
        name, equals, value = part.partition("=")
        if equals:
            different[name.strip()] = value.strip()
        elif part in _WORDS:
            different[_WORDS[part]] = part
        elif part in _FLAGS:
            different[part] = True
        else:
            allowed = allowed_words(part, (*_WORDS, *_FLAGS))
            raise UnusableOrder(
                f"{shown(part)} in {shown(text)} is not understood. Write name=value, or one word. "
                f"{allowed}"
            )
    return campaign(family.strip(), different)


def _value(name: str, value: object) -> Any:  # noqa: ANN401  of the field's own type
    if name not in SETTABLE:
        raise UnusableOrder(
            f"{shown(name)} is nothing that a campaign has. {allowed_words(name, SETTABLE)}"
        )
    written = shown(f"{name}: {value}")
    if name in CHOICES:
        if value not in CHOICES[name]:
            allowed = allowed_words(str(value), CHOICES[name])
            raise UnusableOrder(f"{written} is not allowed. {allowed}")
        return value
    default = _FIELDS[name].default
    if isinstance(default, bool):
        if str(value).lower() not in ("true", "false"):
            raise UnusableOrder(f"{written} is not allowed. Allowed: true, false.")
        return str(value).lower() == "true"
    if isinstance(default, str):
        return str(value)
    return _number(written, value, whole=isinstance(default, int), least=int(name == "accounts"))


def _number(written: str, value: object, *, whole: bool, least: int) -> float:
    try:
        number = int(str(value)) if whole else float(str(value))
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise UnusableOrder(f"{written} is not allowed. Write {kind}.") from None
    if not least <= number < float("inf"):
        raise UnusableOrder(f"{written} is out of bounds. The least is {least}.")
    return number
