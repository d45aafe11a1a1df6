"""What an operator writes about consequences, as models: score, ladder, exemptions, guardrails.

The descriptions are for people: they stand in error messages and in the schema for editors.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from gateway.policy.behaviour import HOUR_US, Rung
from gateway.policy.ladder_values import (
    At,
    BlockTime,
    BlockTimes,
    Ceiling,
    Choices,
    Clamp,
    Do,
    Exempt,
    FleetBudget,
    HalfLife,
    Header,
    Hysteresis,
    Independent,
    Left,
    Owner,
    SharedCap,
    SharePerDay,
    Stripped,
    Until,
    Url,
)
from gateway.policy.quota import Mode
from gateway.policy.written_values import Why
from gateway.source.model import Written


class ScoreEntry(Written):
    """How points add up and fade. There is one score for all files."""

    half_life: Annotated[
        HalfLife,
        Field(
            description="In what time points fade to half, once their rule holds no more: 1h to "
            "30d. 36h by default."
        ),
    ] = 36 * HOUR_US
    clamp: Annotated[
        Clamp, Field(description="The least and the most that a score can be: [0, 100].")
    ] = (0, 100)
    shared_evidence_cap: Annotated[
        SharedCap,
        Field(
            description="How far what a group does together may raise an account: the name of a "
            "response, throttle by default. Beyond it the account itself must show something, and "
            "independent_for_block rules must agree."
        ),
    ] = Rung.THROTTLE
    independent_for_block: Annotated[
        Independent,
        Field(
            description="How many rules must speak against an account before shared evidence "
            "counts beyond shared_evidence_cap: 2 by default."
        ),
    ] = 2
    hysteresis: Annotated[
        Hysteresis,
        Field(
            description="A response is left so many points below the one where it was entered: 10 "
            "by default."
        ),
    ] = 10


class ResponseEntry(Written):
    """One rung of the ladder: what is done from so many points on. Those below it act, too."""

    at: Annotated[At, Field(description="From how many points on: 40. Rising.")]
    do: Annotated[
        Do,
        Field(
            description="observe (full traces), tag (a header for the model API), throttle (less "
            "of the quotas, one budget for a fleet), degrade (shorter answers, nothing to learn "
            "from beside them), challenge (refused until a person has shown up), block. Rising."
        ),
    ]
    mode: Annotated[
        Mode,
        Field(
            description="enforce, or shadow: reported as if it were in force. By default the "
            "file's mode."
        ),
    ] = Mode.ENFORCE
    header: Annotated[
        Header | None,
        Field(description="With tag: the header that the model API sees, and the client does not."),
    ] = None
    scale: Annotated[
        Left | None,
        Field(description="With throttle: what is left of the account's own quotas: 0.25."),
    ] = None
    fleet: Annotated[
        FleetBudget | None,
        Field(
            description="With throttle: what all members of a flagged group may do together: "
            "200 requests/day, 5 requests/hour."
        ),
    ] = None
    max_tokens: Annotated[
        Ceiling | None, Field(description="With degrade: the most tokens of one answer: 1024.")
    ] = None
    n: Annotated[
        Choices | None,
        Field(description="With degrade: the most answers to one request: 1."),
    ] = None
    strip: Annotated[
        Stripped,
        Field(
            description="With degrade: what is taken out of the request and of the answer: "
            "logprobs, reasoning."
        ),
    ] = ()
    url: Annotated[
        Url | None,
        Field(description="With challenge: where a person shows that he is one: https://..."),
    ] = None
    lasts_us: Annotated[
        BlockTime | None,
        Field(alias="for", description="With block: how long the first time: 24h."),
    ] = None
    then: Annotated[
        BlockTimes,
        Field(description="With block: how long the second time, the third, ...: [7d, 30d]."),
    ] = ()

    def wrote(self, key: str) -> bool:
        """The key stands in the file; otherwise its value is the default."""
        return key in self.model_fields_set


EXEMPT_FACTS: Mapping[str, str] = MappingProxyType(
    {
        name: f"account.{'id' if name == 'account' else name}"
        for name in ("account", "organization", "plan", "payment", "network", "origin")
    }
)
"""By which keys an exemption says whom it is about, to the fact that it means."""


class ExemptionEntry(Written):
    """Whom no behaviour concerns, until when, and who answers for it."""

    account: Annotated[Exempt | None, Field(description="The account's id.")] = None
    organization: Annotated[
        Exempt | None, Field(description="All accounts of this organization.")
    ] = None
    plan: Annotated[Exempt | None, Field(description="All accounts of this plan.")] = None
    payment: Annotated[
        Exempt | None, Field(description="All accounts that pay by this instrument.")
    ] = None
    network: Annotated[
        Exempt | None, Field(description="All accounts of this network: AS64500.")
    ] = None
    origin: Annotated[
        Exempt | None, Field(description="All accounts that came to be this way.")
    ] = None
    until: Annotated[
        Until,
        Field(description="when it ends: a date (at its beginning, in UTC) or a moment."),
    ]
    owner: Annotated[Owner, Field(description="who answers for it: sre@example.com.")]
    why: Annotated[Why, Field(description="One sentence that says why.")] = ""


class GuardrailsEntry(Written):
    """What no mistake in a policy may exceed. There is one for all files."""

    blocked_accounts: Annotated[
        SharePerDay,
        Field(
            description="Of the accounts that were active in a day, at most so many are blocked "
            "in it: 0.5% per day. Past this, block becomes throttle and an alert fires."
        ),
    ] = 0.005
