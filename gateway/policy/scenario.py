"""The test language of policies: traffic that is made up, and what must come of it.

A file holds any number of scenarios, parted by `---`. What is written here is models and checks;
`gateway.scenarios` runs it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from gateway.policy.quota import SECOND_US
from gateway.policy.scenario_values import (
    Accounts,
    AttributeText,
    Bound,
    Distance,
    Each,
    Moment,
    Name,
    Prompt,
    Reach,
    Requests,
    Seed,
    SessionText,
    Span,
    Title,
    TokenCount,
    Truth,
    bounds,
    distances,
)
from gateway.source.model import Written, validate
from gateway.source.problems import Problem, Problems, first_of
from gateway.source.wording import allowed_words, shown
from gateway.source.yaml_text import Document, Path, read_each

MAX_REQUESTS = 2_000_000
"""Of one scenario: half a minute's work."""

BEGINS_US = 1_780_272_000 * SECOND_US
"""2026-06-01T00:00:00Z: a Monday and the first of a month, so every calendar window begins."""

KINDS = ("refused", "would_refuse", "allowed", "first_refusal", "never_refused")
"""What can be expected; one of these in each expectation."""

_LADDER = "rungs of the ladder, which come with behaviour policies in version 0.2"


class TrafficEntry(Written):
    """Accounts that all do the same."""

    name: Annotated[
        Name | None,
        Field(description='What expectations call it ("of"), and the beginning of account ids.'),
    ] = None
    accounts: Annotated[Accounts, Field(description="How many accounts: 40.")] = 1
    each: Annotated[Each, Field(description="How often each of them asks: 25 requests/day.")]
    lasts_us: Annotated[
        Span, Field(alias="for", description="How long they go on asking: 2 days, 90 minutes, 48h.")
    ]
    after_us: Annotated[
        Span | None,
        Field(alias="after", description="How long after the scenario's beginning they begin."),
    ] = None
    arrivals: Annotated[
        Literal["even", "random"],
        Field(
            description="even: at equal distances. random: whenever, and the same with every run."
        ),
    ] = "even"
    route: Annotated[
        Literal["chat", "completions", "responses", "messages", "embeddings"],
        Field(description="Which kind of call this is, as `request.route` in conditions."),
    ] = "chat"
    model: Annotated[str, Field(description="The model that is asked for.")] = "standard-1"
    prompt: Annotated[
        Prompt,
        Field(description="The prompt; {word}, {number} and {sentence} differ in each request."),
    ] = "{sentence}"
    max_tokens: Annotated[
        TokenCount | None,
        Field(description="The ceiling of an answer that they declare; by default none."),
    ] = None
    stream: Annotated[bool, Field(strict=True, description="They ask for a stream.")] = False
    output_tokens: Annotated[
        TokenCount, Field(description="What an answer really has; cut at max_tokens.")
    ] = 200
    input_tokens: Annotated[
        TokenCount | None,
        Field(description="What is really read; by default as many as are estimated."),
    ] = None
    duration_us: Annotated[
        Span, Field(alias="duration", description="How long an answer takes: 2s.")
    ] = 2 * SECOND_US
    attributes: Annotated[
        dict[str, AttributeText],
        Field(
            default_factory=dict,
            description="Of the accounts: plan, organization, age_days, address, payment, network "
            "and any other. `one per 5 accounts` gives every five accounts a value of their own.",
        ),
    ]
    session: Annotated[
        SessionText | None,
        Field(
            description="The session that each request says it belongs to, in x-session-id: one "
            "per account, one per 50 requests (of an account), or an id that all of them say."
        ),
    ] = None
    user_agent: Annotated[str | None, Field(description="The header User-Agent.")] = None
    body: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            description="Whatever else stands in each request's body: {n: 2, temperature: 0.5}.",
        ),
    ]

    @property
    def requests_each(self) -> int:
        """Of one account, over the whole time."""
        return self.each.amount * self.lasts_us // self.each.window_us


class Bounds(Written):
    """How many requests, or which share of what was sent."""

    exactly: Annotated[Bound | None, Field(description="Just so many: 35.")] = None
    at_least: Annotated[
        Bound | None, Field(alias="at least", description="So many or more: 1, or 5%.")
    ] = None
    at_most: Annotated[
        Bound | None, Field(alias="at most", description="So many or fewer: 10, or 5%.")
    ] = None


class Distances(Written):
    """How far they come until something is refused for the first time."""

    after: Annotated[
        Requests | None, Field(description="Exactly so many are allowed before: 600 requests.")
    ] = None
    at_least: Annotated[
        Distance | None, Field(alias="at least", description="Not earlier: 590 requests, 2 hours.")
    ] = None
    at_most: Annotated[
        Distance | None, Field(alias="at most", description="Not later: 610 requests, 1 day.")
    ] = None


_EXACTLY = BeforeValidator(bounds, json_schema_input_type=Bound | Bounds | None)
_AFTER = BeforeValidator(distances, json_schema_input_type=Requests | Distances | None)


class Expectation(Written):
    """What must come of the traffic."""

    later_keys: ClassVar = {"response": _LADDER, "score": _LADDER}

    refused: Annotated[
        Bounds | None,
        _EXACTLY,
        Field(description="How many requests are refused: {at least: 1}, {at most: 5%}, or 35."),
    ] = None
    would_refuse: Annotated[
        Bounds | None,
        _EXACTLY,
        Field(description="How many requests quotas in shadow mode would have refused."),
    ] = None
    allowed: Annotated[
        Bounds | None,
        _EXACTLY,
        Field(description="How many requests are allowed: {at most: 600}."),
    ] = None
    first_refusal: Annotated[
        Distances | None,
        _AFTER,
        Field(description="When the first refusal comes: {after: 600 requests}."),
    ] = None
    never_refused: Annotated[
        Truth | None, Field(description="true: nothing is refused. Not written otherwise.")
    ] = None
    by: Annotated[
        str | None, Field(description="The id of the quota that must refuse; by default any.")
    ] = None
    of: Annotated[
        str | None, Field(description="The name of one entry of traffic; by default all together.")
    ] = None
    each: Annotated[
        Literal["account"] | None,
        Field(description="account: it must hold for every account by itself."),
    ] = None

    @property
    def kind(self) -> str:
        """One of `KINDS`, once it is checked."""
        return next(name for name in KINDS if getattr(self, name) is not None)


class Scenario(Written):
    """One story: who sends what, and what must come of it."""

    scenario: Annotated[Title, Field(description="One sentence that says what holds.")]
    policies: Annotated[
        tuple[str, ...],
        Field(
            description="Policy files or directories, from this file's place: [plans.yaml]. By "
            "default all that lie beside this file."
        ),
    ] = ()
    mode: Annotated[
        Literal["as_written", "enforce"],
        Field(
            description="enforce: quotas in shadow mode refuse, too, so the scenario stays true "
            "when shadow mode is lifted."
        ),
    ] = "as_written"
    seed: Annotated[Seed, Field(description="Another number makes other random traffic.")] = 1
    begins_us: Annotated[
        Moment,
        Field(alias="begins", description="When it begins; by default on a Monday the first, UTC."),
    ] = BEGINS_US
    traffic: Annotated[
        tuple[TrafficEntry, ...],
        Field(description='who sends what: "- {accounts: 1, each: 25 requests/day, for: 2 days}".'),
    ]
    expect: Annotated[
        tuple[Expectation, ...],
        Field(description='what must come of it: "- never_refused: true".'),
    ]

    def name_of(self, at: int) -> str:
        """Of an entry of traffic; those without one are numbered."""
        return self.traffic[at].name or f"traffic-{at + 1}"


@dataclass(frozen=True, slots=True)
class Located:
    """A scenario without faults of its own, and where it stands."""

    scenario: Scenario
    document: Document

    def problem(self, path: Path, message: str) -> Problem:
        return self.document.source.problem(self.document.value_place(path), message)

    def where(self, path: Path = ()) -> str:
        """`file:line`."""
        return f"{self.document.source.file}:{self.document.value_place(path).line + 1}"

    def written(self, path: Path) -> str:
        """The line that holds a value, as it was written."""
        line = self.document.source.lines[self.document.value_place(path).line]
        return line.strip().removeprefix("- ")


def read_scenarios(file: str, text: str) -> tuple[Located, ...]:
    """Raises `Problems`: all of the file."""
    problems: list[Problem] = []
    scenarios: list[Located] = []
    for document in read_each(file, text):
        try:
            found = Located(validate(Scenario, document), document)
        except Problems as raised:
            problems += raised.problems
        else:
            scenarios.append(found)
            problems += [found.problem(path, message) for path, message in _faults(found.scenario)]
    if problems:
        raise Problems(first_of(problems))
    return tuple(scenarios)


Fault = tuple[Path, str]


def _faults(scenario: Scenario) -> Iterator[Fault]:
    """What no value shows alone."""
    for key in ("traffic", "expect"):
        if not getattr(scenario, key):
            yield (key,), f'"{key}" is an empty list. Write at least one entry.'
    names = [scenario.name_of(at) for at in range(len(scenario.traffic))]
    for at, entry in enumerate(scenario.traffic):
        if names[at] in names[:at]:
            yield (
                ("traffic", at, "name"),
                f"{shown(names[at])} is the name of another entry. Choose another.",
            )
        yield from ((("traffic", at, *path), message) for path, message in _entry_faults(entry))
    total = sum(entry.requests_each * entry.accounts for entry in scenario.traffic)
    if total > MAX_REQUESTS:
        message = (
            f"This makes {total:,} requests; at most {MAX_REQUESTS:,} are simulated. Write fewer "
            "accounts, or a shorter time."
        )
        yield ("traffic",), message
    for at, expectation in enumerate(scenario.expect):
        for path, message in _expectation_faults(expectation, names):
            yield ("expect", at, *path), message


def _entry_faults(entry: TrafficEntry) -> Iterator[Fault]:
    if not entry.requests_each:
        yield ("for",), "This is too short for a single request. Write a longer time."
    if entry.route == "messages" and entry.max_tokens is None:
        yield (), 'On this route callers must declare a ceiling. Add "max_tokens".'
    age_days = entry.attributes.get("age_days")
    if age_days is not None and (
        isinstance(age_days, bool) or not isinstance(age_days, int) or age_days < 0
    ):
        yield ("attributes", "age_days"), '"age_days" is a whole number of days: 0, 30.'
    if "created_at" in entry.attributes:
        yield (
            ("attributes", "created_at"),
            'Write "age_days": it counts from the beginning of the scenario.',
        )
    for key in sorted(entry.body.keys() & {"model", "stream", "messages", "prompt", "input"}):
        yield ("body", key), f'"{key}" is made by the scenario. Delete it here.'


def _expectation_faults(expectation: Expectation, names: list[str]) -> Iterator[Fault]:
    kinds = [name for name in KINDS if getattr(expectation, name) is not None]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "nothing"
        yield (), f"An entry expects one thing; this one expects {found}. {_allowed_kinds()}"
    if expectation.of is not None and expectation.of not in names:
        words = allowed_words(expectation.of, names)
        yield ("of",), f"{shown(f'of: {expectation.of}')} is no entry of traffic. {words}"
    if expectation.allowed is not None and expectation.by is not None:
        yield ("by",), '"by" tells who refuses, and this is about what is allowed. Delete it.'
    for name in kinds:
        written = getattr(expectation, name)
        if isinstance(written, Written):
            yield from (((name, *path), message) for path, message in _bounds_faults(written))


def _allowed_kinds() -> str:
    return f"Allowed: {', '.join(KINDS)}."


def _bounds_faults(written: Written) -> Iterator[Fault]:
    if not written.model_fields_set:
        yield (), "This expects nothing. Write {at least: 1}, {at most: 5%}, or a number."
    exact, *both = (getattr(written, name) for name in type(written).model_fields)
    if exact is not None and any(bound is not None for bound in both):
        yield (), 'An exact number leaves no room for "at least" and "at most". Delete one of them.'
    if all(bound is not None for bound in both) and _contradict(*both):
        yield ("at most",), '"at most" is less than "at least", so this can never hold.'


def _contradict(least: Any, most: Any) -> bool:  # noqa: ANN401  a part or a reach, both alike
    if isinstance(least, Reach):
        if (least.requests is None) != (most.requests is None):
            return False
        return bool((most.requests or most.span_us) < (least.requests or least.span_us))
    same_kind = (least.share is None) == (most.share is None)
    return bool(same_kind and most.of(1) < least.of(1))
