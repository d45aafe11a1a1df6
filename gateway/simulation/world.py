"""Who there is: plans, models, clients, networks, cards, out of one pool for honest and dishonest.

Networks are from the ranges for documentation and private use, addresses from those for
documentation and benchmarks (RFC 5737, 2544, 3849), so none is anybody's.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from gateway.replay.record import Attribute
from gateway.simulation.bodies import CHAT, GEMINI, MESSAGES, RESPONSES
from gateway.simulation.draft import DAY_S, Sender

ATTRIBUTES = ("plan", "created_at", "organization", "payment", "network", "address")

_DIALECTS = {CHAT: 52, MESSAGES: 36, RESPONSES: 8, GEMINI: 4}
_MODELS = {
    CHAT: {"standard-4": 45, "standard-4-mini": 30, "frontier-5": 25},
    MESSAGES: {"sonata-4": 55, "haikai-4": 30, "opera-4": 15},
    RESPONSES: {"frontier-5": 60, "standard-4": 40},
    GEMINI: {"twin-pro": 50, "twin-flash": 50},
}
NEW_MODELS = {
    CHAT: "frontier-6",
    MESSAGES: "opera-5",
    RESPONSES: "frontier-6",
    GEMINI: "twin-ultra",
}
_CLIENTS = {
    CHAT: {
        "OpenAI/Python 2.6.1": 26,
        "AsyncOpenAI/Python 2.6.1": 14,
        "OpenAI/Python 1.109.1": 12,
        "OpenAI/JS 6.8.1": 18,
        "python-requests/2.32.5": 9,
        "axios/1.12.2": 8,
        "python-httpx/0.28.1": 6,
        "Go-http-client/2.0": 6,
        "curl/8.5.0": 3,
        "okhttp/4.12.0": 2,
    },
    MESSAGES: {
        "Anthropic/Python 0.72.0": 30,
        "AsyncAnthropic/Python 0.72.0": 13,
        "Anthropic/JS 0.68.0": 22,
        "claude-cli/2.0.46 (external, cli)": 16,
        "python-httpx/0.28.1": 8,
        "Go-http-client/2.0": 5,
        "aiohttp/3.13.2": 3,
        "Ruby/3.3 faraday": 2,
    },
    RESPONSES: {"OpenAI/Python 2.6.1": 60, "OpenAI/JS 6.8.1": 30, "Go-http-client/2.0": 10},
    GEMINI: {"google-genai-sdk/1.50.1 gl-python/3.12": 70, "node-fetch/3.3.2": 30},
}
_NETWORKS = tuple(
    [*(f"AS{number}" for number in range(64496, 64512)), *(f"AS{65536 + n}" for n in range(16))]
    + [f"AS{64512 + n}" for n in range(88)]
)
_NETWORK_EXPONENT = 1.05
_PLANS = {"free": 50, "pro": 40, "team": 10}
_FIRM_PLANS = {"team": 65, "enterprise": 25, "pro": 10}
_SHARE_NEW, _NEW_DAYS, _OLD_DAYS = 0.3, 30.0, 900.0
_SHARE_PAYING = 0.55
_SHARE_IPV6 = 0.4


class Choice:
    """Weighted, drawn by one number."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.names = list(weights)
        self.bounds = list(accumulate(weights.values()))

    def of(self, draw: random.Random) -> str:
        return draw.choices(self.names, cum_weights=self.bounds)[0]


_DIALECT, _PLAN, _FIRM_PLAN = Choice(_DIALECTS), Choice(_PLANS), Choice(_FIRM_PLANS)
_MODEL = {dialect: Choice(weights) for dialect, weights in _MODELS.items()}
_CLIENT = {dialect: Choice(weights) for dialect, weights in _CLIENTS.items()}
_NETWORK = Choice(
    {name: 1 / (rank + 1) ** _NETWORK_EXPONENT for rank, name in enumerate(_NETWORKS)}
)


@dataclass(frozen=True, slots=True)
class Given:
    """What is settled of an account beforehand; the rest is drawn. None: drawn, too."""

    dialect: str | None = None
    client: str | None = None
    network: str | None = None
    address: str | None = None
    payment: str | None = None
    paying: bool | None = None
    organization: str | None = None
    plan: str | None = None
    created_at_s: float | None = None
    firm: bool = False


@dataclass(slots=True)
class World:
    """Hands out accounts. Ids tell nothing of the side they are on."""

    draw: random.Random
    begin_s: float
    without: Mapping[str, float]
    """The share of accounts of which an attribute is not known."""
    _given_out: set[str] = field(default_factory=set)

    def sender(self, label: str, given: Given, draw: random.Random) -> Sender:
        dialect = given.dialect or _DIALECT.of(draw)
        network = given.network or any_network(draw)
        created_at_s = self._created_at_s(given, draw)
        paying = given.paying if given.paying is not None else draw.random() < _SHARE_PAYING
        payment = given.payment or (self.payment(draw) if paying or given.firm else None)
        plan = given.plan or (_FIRM_PLAN if given.firm else _PLAN).of(draw)
        organization = given.organization
        if organization is None and given.firm:
            organization = self.organization(draw)
        attributes: dict[str, Attribute] = {
            "plan": plan,
            "created_at": int(created_at_s),
            "organization": organization,
            "payment": payment,
            "network": network,
            "address": given.address or address_in(network, draw),
        }
        known: dict[str, Attribute] = {
            name: value
            for name, value in attributes.items()
            if value is not None and not self._unknown(name, draw)
        }
        headers = {"user-agent": given.client or any_client(dialect, draw)}
        if dialect == MESSAGES:
            headers["anthropic-version"] = "2023-06-01"
        return Sender(
            id=self._fresh("acct_", draw),
            label=label,
            dialect=dialect,
            model=_MODEL[dialect].of(draw),
            headers=headers,
            attributes=known,
            new_model=NEW_MODELS[dialect],
            active_from_s=created_at_s,
        )

    def payment(self, draw: random.Random) -> str:
        return self._fresh("pm_", draw)

    def organization(self, draw: random.Random) -> str:
        return self._fresh("org_", draw)

    def _created_at_s(self, given: Given, draw: random.Random) -> float:
        if given.created_at_s is not None:
            return given.created_at_s
        if draw.random() < _SHARE_NEW:
            days = draw.uniform(0, _NEW_DAYS)
        else:
            days = _NEW_DAYS * (_OLD_DAYS / _NEW_DAYS) ** draw.random()
        return self.begin_s - days * DAY_S

    def _unknown(self, name: str, draw: random.Random) -> bool:
        share = self.without.get(name, 0.0)
        return share > 0 and draw.random() < share

    def _fresh(self, prefix: str, draw: random.Random) -> str:
        while True:
            made = f"{prefix}{draw.getrandbits(40):010x}"
            if made not in self._given_out:
                self._given_out.add(made)
                return made


def any_network(draw: random.Random) -> str:
    """A few large ones have most of the accounts."""
    return _NETWORK.of(draw)


def small_network(draw: random.Random) -> str:
    return draw.choice(_NETWORKS[len(_NETWORKS) // 2 :])


def large_network() -> str:
    return _NETWORKS[0]


def any_client(dialect: str, draw: random.Random) -> str:
    return _CLIENT[dialect].of(draw)


def rare_client(dialect: str) -> str:
    return _CLIENT[dialect].names[-1]


def popular_client(dialect: str) -> str:
    return _CLIENT[dialect].names[0]


def address_in(network: str, draw: random.Random) -> str:
    number = int(network.removeprefix("AS"))
    if draw.random() < _SHARE_IPV6:
        return f"2001:db8:{number & 0xFFFF:x}:{draw.getrandbits(16):x}::{draw.randint(1, 0xFFFF):x}"
    second = 18 + number % 2
    return f"198.{second}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
