"""The functions of measures: what each takes, over what, and between which bounds it lies.

What they mean stands at `policy.behaviour.Function`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.facts.behaviour_facts import SKETCH
from gateway.policy.behaviour import Function
from gateway.policy.behaviour_expression import BOOL, DOUBLE, INT, TEXT

ACCOUNTS_ID = "account.id"


@dataclass(frozen=True, slots=True)
class Takes:
    """What a function is applied to."""

    what: str
    """For messages: `a condition`."""
    example: str
    types: tuple[object, ...] = ()
    """Of CEL. None: the text is fixed, or there is none."""
    fixed: str | None = None
    optional: bool = False
    nothing: bool = False
    requests: bool = False
    """Its window may be a number of requests."""
    members: bool = False
    """It is about the accounts of a group, so it says nothing of one account."""
    late: bool = False
    """It may be of what is known after the answer."""
    windowless: bool = False
    least: float = float("-inf")
    most: float = float("inf")
    whole: bool = False


_CONDITION, _NUMBER = "a condition", "a number"

TAKES: Mapping[Function, Takes] = MappingProxyType(
    {
        Function.COUNT: Takes(
            _CONDITION, "count(request.stream) over 7d", (BOOL,), optional=True, requests=True,
            late=True, least=0, whole=True,
        ),
        Function.SUM: Takes(
            _NUMBER, "sum(request.n) over 24h", (INT, DOUBLE), requests=True, late=True
        ),
        Function.MEAN: Takes(
            _NUMBER, "mean(request.turns) over 200 requests", (INT, DOUBLE), requests=True,
            late=True,
        ),
        Function.SHARE: Takes(
            _CONDITION, "share(request.tools > 0) over 200 requests", (BOOL,), requests=True,
            late=True, least=0, most=1,
        ),
        Function.ACCOUNTS: Takes(
            _CONDITION, "accounts(account.age_days < 7) over 48h", (BOOL,), optional=True,
            members=True, least=0, whole=True,
        ),
        Function.SHARE_OF_ACCOUNTS: Takes(
            _CONDITION, "share_of_accounts(account.age_days < 7) over 48h", (BOOL,), members=True,
            least=0, most=1,
        ),
        Function.INDEPENDENT_ACCOUNTS: Takes(
            "a text", "independent_accounts(account.payment) over 48h", (TEXT,), members=True,
            least=0, whole=True,
        ),
        Function.DISTINCT: Takes(
            "a text or a number", "distinct(request.model) over 48h", (TEXT, INT, DOUBLE), least=0,
            whole=True,
        ),
        Function.TOP_SHARE: Takes(
            "a text", "top_share(prompt.system) over 7d", (TEXT,), members=True, least=0, most=1
        ),
        Function.EVENNESS: Takes(
            ACCOUNTS_ID, "evenness(account.id) over 7d", fixed=ACCOUNTS_ID, members=True, least=0,
            most=1,
        ),
        Function.EXCHANGEABILITY: Takes(
            SKETCH, "exchangeability(prompt.sketch) over 7d", fixed=SKETCH, members=True
        ),
        Function.COHESION: Takes(
            SKETCH, "cohesion(prompt.sketch) over 7d", fixed=SKETCH, members=True
        ),
        Function.POOLED: Takes(
            SKETCH, "pooled(prompt.sketch) over 7d", fixed=SKETCH, members=True, least=0, whole=True
        ),
        Function.KINSHIP: Takes(
            SKETCH, "kinship(prompt.sketch) over 7d", fixed=SKETCH, members=True
        ),
        Function.ZSCORE: Takes(
            "a condition, or the name of a measure of accounts with one",
            "zscore(account.age_days < 7) over 48h", (BOOL,), members=True,
        ),
        Function.REGULARITY: Takes(
            "nothing", "regularity() over 24h", nothing=True, least=0, most=1
        ),
        Function.AGE_HOURS: Takes(
            "nothing", "age_hours()", nothing=True, windowless=True, least=0
        ),
        Function.SURGE: Takes("nothing", "surge() over 48h", nothing=True, least=0, most=8),
    }
)  # fmt: skip  # a table: one function after the other
"""Every function: what it takes, over what, and between which bounds its values lie."""

LIKENESS = (
    Function.EXCHANGEABILITY,
    Function.COHESION,
    Function.POOLED,
    Function.KINSHIP,
)
"""Those that compare prompts."""
