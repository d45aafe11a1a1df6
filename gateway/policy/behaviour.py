"""What behaviour policies are once they are compiled: measures, rules, the score and its ladder.

`policy.behaviour_document` is what an operator writes; `behaviour.*` is what gives these values
their meaning. Times are whole microseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from gateway.policy.limit import Limit, Mode

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000


class Function(StrEnum):
    """What a measure computes of the exchanges or the members of a group."""

    COUNT = "count"
    """Exchanges; with a condition, those for which it holds."""
    SUM = "sum"
    MEAN = "mean"
    SHARE = "share"
    """Of exchanges, between 0 and 1."""
    ACCOUNTS = "accounts"
    """Distinct accounts; with a condition, those whose last exchange here fulfilled it."""
    SHARE_OF_ACCOUNTS = "share_of_accounts"
    INDEPENDENT_ACCOUNTS = "independent_accounts"
    """Distinct accounts, of which at most three count for each value of the fact (a payment
    instrument), so that one owner of many accounts is not many."""
    DISTINCT = "distinct"
    """Distinct values; of `account.id` the same as `accounts()`."""
    TOP_SHARE = "top_share"
    """The share of the accounts that have the most common value."""
    EVENNESS = "evenness"
    """1 / (1 + CV2) of the load among accounts, CV2 = (variance - mean) / mean^2: 1 where a
    dispatcher deals out requests, near 0 where people behave like people."""
    EXCHANGEABILITY = "exchangeability"
    """How alike prompts of different accounts are, over how alike those of one account are: 1
    where all are drawn from one pool."""
    COHESION = "cohesion"
    """How alike prompts of different accounts are, above what is usual in the population."""
    POOLED = "pooled"
    """Prompts that exchangeability rests on."""
    KINSHIP = "kinship"
    """How alike the group's prompts are to those of a contained fleet, over that fleet's own
    cohesion; 0 where there is none to compare with."""
    ZSCORE = "zscore"
    """Of the number of accounts that fulfil a condition, against its share in the population."""
    REGULARITY = "regularity"
    """1 / (1 + CV2) of the gaps between exchanges: 1 for a clock."""
    AGE_HOURS = "age_hours"
    """Since the group was first seen."""
    SURGE = "surge"
    """The pace in the last eighth of the window, over the mean pace in all of it."""


class WindowUnit(StrEnum):
    TIME = "time"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Over:
    """Over how long, or over how many exchanges."""

    unit: WindowUnit
    amount: int
    """Microseconds or requests."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number about a group."""

    name: str
    function: Function
    over: Over
    expression: str | None = None
    """The text of a condition or a fact in CEL, on facts of one exchange; None for all of it."""
    after_answer: bool = False
    """It names `usage.*`, so it is recorded when the answer is known."""

    @property
    def signature(self) -> str:
        """Under which its running state is kept: a changed threshold keeps it."""
        return f"{self.function}({self.expression or ''}) over {self.over.amount}{self.over.unit}"


class Members(StrEnum):
    """Whom a rule about a group concerns."""

    ALL = "all"
    """Whoever shows the trait, from the first request on."""
    ALIKE = "alike"
    """Of these only accounts whose own prompts are like the group's: for traits that many
    honest accounts have too, such as a network."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One rule: what is measured about whom, when it holds, and what it is worth."""

    id: str
    why: str
    group: tuple[str, ...]
    """Names of facts; `("account.id",)` judges each account by itself."""
    measures: tuple[Measure, ...]
    when: str
    """CEL over the names of the measures."""
    points: int
    among: str | None = None
    """CEL on facts of one exchange: only these are recorded for this rule. None: all."""
    applies: str | None = None
    """CEL on facts of one exchange: whose requests the points count for, beside `members`."""
    members: Members = Members.ALL
    mode: Mode = Mode.ENFORCE
    where: str = ""
    """`file:line`."""

    @property
    def shared(self) -> bool:
        """It judges what several accounts do together."""
        return self.group != ("account.id",)


class Rung(IntEnum):
    """How strict a response is. A ladder has some of them, rising."""

    NONE = 0
    OBSERVE = 1
    TAG = 2
    THROTTLE = 3
    DEGRADE = 4
    CHALLENGE = 5
    BLOCK = 6

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Response:
    """What is done from so many points on."""

    at: int
    do: Rung
    mode: Mode = Mode.ENFORCE
    header: str | None = None
    """Of `tag`: set on the request to the upstream."""
    scale: float = 1.0
    """Of `throttle`: what is left of the account's own quotas."""
    fleet: Limit | None = None
    """Of `throttle`: what all members of a flagged group may do together."""
    max_tokens: int | None = None
    """Of `degrade`: the highest ceiling of one answer."""
    choices: int | None = None
    """Of `degrade`: the most answers at once."""
    strip: tuple[str, ...] = ()
    """Of `degrade`: `logprobs`, `reasoning`; out of the request and of the answer."""
    url: str | None = None
    """Of `challenge`: where a person shows that he is one."""
    block_us: tuple[int, ...] = ()
    """Of `block`: how long, the first time, the second, ..."""


@dataclass(frozen=True, slots=True)
class Score:
    half_life_us: int = 36 * HOUR_US
    least: int = 0
    most: int = 100
    shared_evidence_cap: Rung = Rung.THROTTLE
    independent_for_block: int = 2
    hysteresis: int = 10
    """So many points below the one where it was entered a rung is left."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Whom no behaviour concerns, until when, and who answers for that."""

    fact: str
    """`account.id`, `account.organization`, ...: a fact that a credential tells."""
    value: str
    until_us: int
    owner: str
    why: str


@dataclass(frozen=True, slots=True)
class Guardrails:
    blocked_share: float = 0.005
    """Of the accounts active in a day; beyond it `block` acts as `throttle`."""


@dataclass(frozen=True, slots=True)
class PhraseList:
    """Phrases that a prompt may contain, for `prompt.matches("id")`."""

    id: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Behaviours:
    """All of a policy directory's."""

    rules: tuple[Behaviour, ...] = ()
    score: Score = field(default_factory=Score)
    ladder: tuple[Response, ...] = ()
    """Rising by `at` and by `do`."""
    exemptions: tuple[Exemption, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    lists: Mapping[str, PhraseList] = field(default_factory=dict)
    digest: str = "none"

    def __bool__(self) -> bool:
        """There is anything to watch."""
        return bool(self.rules)
