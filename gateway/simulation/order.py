"""Everything that one simulation is asked for, from the command line or from a YAML file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from gateway.simulation.campaign import Campaign, UnusableOrder, campaign
from gateway.simulation.populations import KINDS
from gateway.simulation.world import ATTRIBUTES
from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems
from gateway.source.wording import allowed_words, shown
from gateway.source.yaml_text import Document, read
from gateway.source.yaml_text import Path as PathInside

BEGIN_S = 1_780_272_000
"""2026-06-01T00:00:00Z, a Monday."""
DAYS = 14
LAUNCH_DAY = 9.0
MOST_DAYS = 366

ALL = "all"
"""Every population of the evaluation protocol, those that are twins of fleets left out."""
TWINS = ("laboratory",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    kind: str
    accounts: int
    rate: float = 1.0
    """Times what its accounts send by default."""
    begin: float | None = None
    """The day on which it begins, if it is one that begins on some day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    populations: Sequence[Population] = ()
    campaigns: Sequence[Campaign] = ()
    days: float = DAYS
    seed: int = 0
    begin_s: float = BEGIN_S
    without: Mapping[str, float] = field(default_factory=dict)
    """The share of accounts, on both sides, of which an attribute is not known."""
    launch_day: float | None = None
    """From then on, 30 % of the honest accounts ask a new model. None: no model comes out."""


def standard(scale: float = 1.0) -> tuple[Population, ...]:
    """All populations of the protocol, each with `scale` of its accounts."""
    return tuple(
        Population(kind=kind.name, accounts=max(1, round(kind.accounts * scale)))
        for kind in KINDS.values()
        if kind.name not in TWINS
    )


def read_populations(text: str) -> tuple[Population, ...]:
    """`chat:2000`, `chat:2000,rate=2`, `all`, `all:0.1`. Raises `UnusableOrder`."""
    name, _, rest = text.partition(":")
    if name.strip() == ALL:
        return standard(_number("accounts", rest) if rest.strip() else 1.0)
    different: dict[str, object] = {}
    for part in filter(None, (one.strip() for one in rest.split(","))):
        key, equals, value = part.partition("=")
        different[key.strip() if equals else "accounts"] = value.strip() if equals else part
    return (population(name.strip(), different),)


def population(name: str, different: Mapping[str, object]) -> Population:
    """Raises `UnusableOrder`."""
    if name not in KINDS:
        raise UnusableOrder(f"{shown(name)} is no population. {allowed_words(name, (ALL, *KINDS))}")
    known = ("accounts", "rate", "begin")
    for key in different:
        if key not in known:
            raise UnusableOrder(
                f"{shown(key)} is nothing that a population has. {allowed_words(key, known)}"
            )
    accounts = _number("accounts", different.get("accounts", KINDS[name].accounts))
    if accounts != int(accounts) or accounts < 1:
        raise UnusableOrder(f"{shown(f'accounts: {accounts:g}')}: write a whole number from 1.")
    begin = different.get("begin")
    return Population(
        kind=name,
        accounts=int(accounts),
        rate=_number("rate", different.get("rate", 1.0)),
        begin=None if begin is None else _number("begin", begin),
    )


def read_without(text: str) -> dict[str, float]:
    """`payment:0.5`, or `payment` for all accounts, or `all`. Raises `UnusableOrder`."""
    name, _, share = text.partition(":")
    return without({name.strip(): share.strip() or 1.0})


def without(written: Mapping[str, object]) -> dict[str, float]:
    """Raises `UnusableOrder`."""
    shares: dict[str, float] = {}
    for name, value in written.items():
        if name not in (ALL, *ATTRIBUTES):
            raise UnusableOrder(
                f"{shown(name)} is no attribute. {allowed_words(name, (ALL, *ATTRIBUTES))}"
            )
        share = _number(name, value)
        if share > 1:
            raise UnusableOrder(f"{shown(f'{name}: {share:g}')}: a share is from 0 to 1.")
        shares.update(dict.fromkeys(ATTRIBUTES if name == ALL else (name,), share))
    return shares


class _Written(Written):
    """The file."""

    days: Annotated[float, Field(gt=0, le=MOST_DAYS, description="How long: 14.")] = DAYS
    seed: Annotated[int, Field(description="Another number, other traffic: 3.")] = 0
    populations: Annotated[
        dict[str, float | dict[str, float]],
        Field(
            default_factory=dict,
            description="Honest accounts by population: {chat: 2000, batch: {rate: 2}}.",
        ),
    ]
    campaigns: Annotated[
        list[dict[str, str | int | float | bool]],
        Field(
            default_factory=list,
            description="What is against them: [{family: fleet, accounts: 1000, cover: 0.9}].",
        ),
    ]
    without: Annotated[
        dict[str, float],
        Field(
            default_factory=dict,
            description="Attributes that are unknown of a share of accounts: {payment: 0.5}.",
        ),
    ]
    launch_day: Annotated[
        float | None, Field(description="When a new model comes out; by default never.")
    ] = None


def read_order(file: str, text: str) -> Order:
    """Raises `Problems`, each with its line."""
    document = read(file, text)
    written = validate(_Written, document)
    problems: list[Problem] = []
    populations = tuple(_populations(written, document, problems))
    campaigns = tuple(_campaigns(written, document, problems))
    shares: dict[str, float] = {}
    try:
        shares = without(written.without)
    except UnusableOrder as error:
        problems.append(_problem(document, ("without",), error))
    if problems:
        raise Problems(problems)
    return Order(
        populations=populations,
        campaigns=campaigns,
        days=written.days,
        seed=written.seed,
        without=shares,
        launch_day=written.launch_day,
    )


def _populations(
    written: _Written, document: Document, problems: list[Problem]
) -> Iterator[Population]:
    for name, value in written.populations.items():
        try:
            if name == ALL and isinstance(value, int | float):
                yield from standard(float(value))
            else:
                different = value if isinstance(value, dict) else {"accounts": value}
                yield population(name, different)
        except UnusableOrder as error:
            problems.append(_problem(document, ("populations", name), error))


def _campaigns(
    written: _Written, document: Document, problems: list[Problem]
) -> Iterator[Campaign]:
    for at, entry in enumerate(written.campaigns):
        different = {key: value for key, value in entry.items() if key != "family"}
        try:
            yield campaign(str(entry.get("family", "fleet")), different)
        except UnusableOrder as error:
            problems.append(_problem(document, ("campaigns", at), error))


def _problem(document: Document, path: PathInside, error: UnusableOrder) -> Problem:
    return document.source.problem(document.key_place(path), str(error))


def _number(name: str, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise UnusableOrder(f"{shown(f'{name}: {value}')} is not allowed. Write a number from 0.")
    return number
