"""Simulations of these tests: small, and of our own texts, which are made once."""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from gateway.replay.record import Record
from gateway.simulation.campaign import read_campaign
from gateway.simulation.corpora import Corpora, built_in
from gateway.simulation.order import Order, read_populations
from gateway.simulation.stream import Simulation

texts: Callable[[], Corpora] = cache(built_in)


def order(*populations: str, campaigns: tuple[str, ...] = (), **different: Any) -> Order:
    return Order(
        populations=tuple(one for text in populations for one in read_populations(text)),
        campaigns=tuple(read_campaign(text) for text in campaigns),
        **{"days": 3.0, "seed": 1, **different},
    )


def simulation(*populations: str, campaigns: tuple[str, ...] = (), **different: Any) -> Simulation:
    return Simulation(order(*populations, campaigns=campaigns, **different), texts())


def records(*populations: str, campaigns: tuple[str, ...] = (), **different: Any) -> list[Record]:
    return list(simulation(*populations, campaigns=campaigns, **different))


def campaign(text: str, **different: Any) -> list[Record]:
    """Of one campaign alone, from its first day."""
    separator = "," if ":" in text else ":"
    return records(campaigns=(f"{text}{separator}begin=0",), **different)


def body(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record.body)
    return found


def model(record: Record) -> str:
    return str(body(record).get("model", record.path))


def said(record: Record) -> str:
    """What is asked last, in the two dialects that most senders speak."""
    asked = body(record)
    if "messages" not in asked:
        return str(asked)
    content = asked["messages"][-1]["content"]
    return content if isinstance(content, str) else str(content)
