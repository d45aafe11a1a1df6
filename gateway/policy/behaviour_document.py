"""What an operator writes about behaviours, as models: every key with its meaning and default.

The descriptions are for people: they stand in error messages and in the schema for editors. What
the values mean is in `policy.behaviour_values` and `policy.measure_text`.
"""

from typing import Annotated

from pydantic import Field

from gateway.policy.behaviour import Members
from gateway.policy.behaviour_values import (
    Among,
    Applies,
    Group,
    MeasureTexts,
    Phrases,
    Points,
    WhenMeasured,
)
from gateway.policy.quota import Mode
from gateway.policy.written_values import Id, Why
from gateway.source.model import Written


class BehaviourRule(Written):
    """What accounts, or groups of accounts, do: points while it holds, which then fade."""

    id: Annotated[
        Id,
        Field(
            description="A name, unique over all files, quotas included: a-z, 0-9 and hyphens. "
            "Evidence is kept under it."
        ),
    ]
    why: Annotated[
        Why,
        Field(
            description="One sentence that an engineer reads in the trace at night, and may have "
            "to say to a customer."
        ),
    ] = ""
    group: Annotated[
        Group,
        Field(
            description="What the members share: a fact, or a list for their combination. By "
            "default account: each is judged by itself. Whoever has no such value is in no group."
        ),
    ] = ("account.id",)
    among: Annotated[
        Among,
        Field(
            description="A condition in CEL over the facts of one exchange: only those for which "
            "it holds are counted for this rule. By default all."
        ),
    ] = None
    measure: Annotated[
        MeasureTexts,
        Field(
            description="Numbers by name: <function>(<CEL>) over <duration or number of "
            "requests>. accounts: distinct(account.id) over 48h"
        ),
    ]
    when: Annotated[
        WhenMeasured,
        Field(
            description="A condition in CEL over the names of the measures: "
            "accounts >= 25 && young >= 0.7"
        ),
    ]
    points: Annotated[
        Points,
        Field(
            description="How much it adds to the score of every account that it concerns, -100 to "
            "100: once while it holds, fading from then on. Less than 0: it speaks for them."
        ),
    ]
    applies: Annotated[
        Applies,
        Field(
            description="A condition in CEL over the facts of one exchange, for a rule about a "
            "group: the points count only for requests for which it holds. "
            "history.fresh"
        ),
    ] = None
    members: Annotated[
        Members,
        Field(
            description="Whom a rule about a group concerns: all (whoever shows the trait, from "
            "the first request on), alike (of these only accounts whose own prompts are like the "
            "group's: for traits that many honest accounts have, too, such as a network)."
        ),
    ] = Members.ALL
    mode: Annotated[
        Mode,
        Field(
            description="enforce, or shadow: watched and reported, without any consequence. By "
            "default the file's mode."
        ),
    ] = Mode.ENFORCE

    def wrote(self, key: str) -> bool:
        """The key stands in the file; otherwise its value is the default."""
        return key in self.model_fields_set


class PhraseListEntry(Written):
    """Phrases that a prompt may contain, for `prompt.matches`."""

    phrases: Annotated[
        Phrases,
        Field(
            description="The path of a text file beside this one (a phrase in each line, # begins "
            "a comment), or a list of phrases. Each is a pattern of RE2; capitals, width and "
            "look-alike letters make no difference."
        ),
    ]
