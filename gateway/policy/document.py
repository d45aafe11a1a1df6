"""What an operator writes, as models: every key with its meaning, its form and its default.

The descriptions are for people: they stand in error messages and in the schema for editors. What
one value may be is in `policy.written_values`; what concerns several together, in `policy.compile`.
"""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from gateway.policy.behaviour_document import BehaviourRule, PhraseListEntry
from gateway.policy.ladder_document import (
    ExemptionEntry,
    GuardrailsEntry,
    ResponseEntry,
    ScoreEntry,
)
from gateway.policy.quota import SECOND_US, Missing, Mode, OnAbort, OnStoreFailure, Unpriced
from gateway.policy.routes import RouteRule
from gateway.policy.timezone import UTC
from gateway.policy.written_values import (
    BurstText,
    Factor,
    Id,
    Ids,
    Lease,
    Limits,
    Partitions,
    Price,
    Scale,
    Share,
    Timezone,
    When,
    Why,
    filled,
)
from gateway.source.model import Written


class TokenWeights(Written):
    """How much a token of each kind counts."""

    input: Annotated[Factor, Field(description="What is read: 1 by default.")] = Fraction(1)
    cached: Annotated[
        Factor | None, Field(description="Read from a cache; by default as much as input.")
    ] = None
    cache_write: Annotated[
        Factor | None, Field(description="Read and written to a cache; by default as input.")
    ] = None
    output: Annotated[Factor, Field(description="What is written: 1 by default.")] = Fraction(1)
    reasoning: Annotated[
        Factor | None, Field(description="Written and not shown; by default as much as output.")
    ] = None


class ModelPrice(Written):
    """What a million tokens of each kind cost."""

    input: Annotated[Price, Field(description="What a million tokens that are read cost: 3 USD.")]
    cached: Annotated[
        Price | None, Field(description="The same, read from a cache; by default input's price.")
    ] = None
    cache_write: Annotated[
        Price | None, Field(description="The same, written to a cache; by default input's price.")
    ] = None
    output: Annotated[
        Price, Field(description="What a million tokens that are written cost: 15 USD.")
    ]
    reasoning: Annotated[
        Price | None, Field(description="The same for reasoning; by default output's price.")
    ] = None


class QuotaRule(Written):
    """At most so much, for each partition apart. All quotas that match a request must fit."""

    id: Annotated[
        Id,
        Field(
            description="A name, unique over all files: a-z, 0-9 and hyphens. Counters are kept "
            "under it, so a changed limit keeps what was used."
        ),
    ]
    why: Annotated[
        Why,
        Field(description="One sentence that an engineer reads in the trace at night."),
    ] = ""
    limit: Annotated[
        Limits,
        Field(
            description="An amount (k, M, G allowed), a unit (requests, tokens, input_tokens, "
            "output_tokens, reasoning_tokens, cached_tokens, USD, concurrent) and a window (second "
            "to month, or 15 minutes): 600 requests/minute, 2M tokens/day, 40 USD/day, "
            "8 concurrent. One, or a list."
        ),
    ]
    when: Annotated[
        When,
        Field(
            description="A condition in CEL over the facts of the request; where it does not hold "
            'the quota does not apply. account.plan == "free" && request.n > 1'
        ),
    ] = None
    per: Annotated[
        Partitions,
        Field(description="By which facts to count: one, or a list for their combination."),
    ] = ("account.id",)
    scale: Annotated[
        Scale,
        Field(
            default_factory=dict,
            description="By account.plan, by how much the limits (and the burst) are larger: "
            "{free: 1, pro: 5, default: 1}. A plan that is not listed has the default's, or 1.",
        ),
    ]
    window: Annotated[
        Literal["sliding", "calendar", "bucket"],
        Field(
            description="sliding: at most the limit in any true window. calendar: begins anew with "
            "every day, week (on Monday), month, hour or minute. bucket: `burst` at once, refilled "
            "evenly; up to burst + limit in some true window."
        ),
    ] = "sliding"
    timezone: Annotated[
        Timezone,
        Field(description="With window: calendar, whose midnight it is: Europe/Berlin."),
    ] = UTC
    burst: Annotated[
        BurstText,
        Field(description="With window: bucket, how much at once: 50k. By default the limit."),
    ] = None
    weights: Annotated[
        TokenWeights | None,
        Field(
            description="With a limit of tokens, how much a token of each kind counts: "
            "{input: 1, cached: 0.1, cache_write: 1.25, output: 4, reasoning: 4}."
        ),
    ] = None
    unpriced: Annotated[
        Unpriced,
        Field(
            description="With a limit in USD, what holds for a model without a price: dearest (it "
            "costs the highest prices that there are), refuse, free."
        ),
    ] = Unpriced.DEAREST
    on_abort: Annotated[
        OnAbort,
        Field(
            description="What tokens or money an answer costs that its client called off: "
            "delivered (its input and what had passed), reservation (all that was reserved, for "
            "models that go on thinking)."
        ),
    ] = OnAbort.DELIVERED
    on_store_failure: Annotated[
        OnStoreFailure,
        Field(
            description="What holds while the store is away: share (each replica admits its part "
            "of the limit), open (everything, counted afterwards), closed (nothing)."
        ),
    ] = OnStoreFailure.SHARE
    warn_at: Annotated[
        Share,
        Field(
            description="From this share of a limit on, the traces of what is allowed say "
            "near_limit: 80%."
        ),
    ] = None
    lease: Annotated[
        Lease,
        Field(
            description="With a concurrent limit, how long a slot outlives the last sign of life "
            "of its holder: 5s to 1h."
        ),
    ] = 30 * SECOND_US
    missing: Annotated[
        Missing,
        Field(
            description="If a request has no value for a fact of `per`: account (which stands in), "
            "skip (the quota does not apply), refuse."
        ),
    ] = Missing.ACCOUNT
    mode: Annotated[
        Mode,
        Field(
            description="enforce, or shadow: counted and reported as if it had enforced, "
            "refusing nothing. By default the file's mode."
        ),
    ] = Mode.ENFORCE

    overrides: Annotated[
        Ids,
        Field(
            description="Ids of quotas that do not apply where this one does: one, or a list. An "
            "overridden quota overrides nothing."
        ),
    ] = ()
    always: Annotated[
        bool,
        Field(strict=True, description="true: no quota may override this one."),
    ] = False

    def wrote(self, key: str) -> bool:
        """The key stands in the file; otherwise its value is the default."""
        return key in self.model_fields_set


class PolicyFile(Written):
    """One file of a policy directory."""

    mode: Annotated[
        Mode,
        Field(description="The mode of all rules of this file that name none: enforce or shadow."),
    ] = Mode.ENFORCE
    quotas: Annotated[
        tuple[QuotaRule, ...],
        Field(description="Limits on requests, tokens, money and what is in flight."),
    ] = ()
    routes: Annotated[
        tuple[RouteRule, ...],
        Field(
            description="Endpoints to forward beside those that gauger knows by itself, and how "
            "each is counted."
        ),
    ] = ()
    prices: Annotated[
        dict[str, ModelPrice],
        filled("prices"),
        Field(
            default_factory=dict,
            description="What a million tokens cost, by the model's name; * stands for any "
            "letters. frontier-*: {input: 3 USD, output: 15 USD, cached: 0.30 USD}. The pattern "
            "with the most letters counts.",
        ),
    ]
    behaviours: Annotated[
        tuple[BehaviourRule, ...],
        Field(description="What accounts, or groups of accounts, do, and what it is worth."),
    ] = ()
    lists: Annotated[
        dict[Id, PhraseListEntry],
        filled("lists"),
        Field(
            default_factory=dict,
            description='Phrases that a prompt may contain, by the id that prompt.matches("...") '
            "names.",
        ),
    ]
    score: Annotated[
        ScoreEntry | None,
        Field(description="How points add up and fade. There is one for all files."),
    ] = None
    responses: Annotated[
        tuple[ResponseEntry, ...],
        Field(
            description="The ladder: what is done from how many points on. Both rise. There is "
            "one for all files."
        ),
    ] = ()
    exemptions: Annotated[
        tuple[ExemptionEntry, ...],
        Field(description="Whom no behaviour concerns, until when, and who answers for it."),
    ] = ()
    guardrails: Annotated[
        GuardrailsEntry | None,
        Field(description="What no mistake may exceed. There is one for all files."),
    ] = None
