from fractions import Fraction

import pytest

from gateway.policy.scenario import BEGINS_US, MAX_REQUESTS, Located, read_scenarios
from gateway.policy.scenario_values import OnePer, Part, Reach
from gateway.source.problems import Problem, Problems

ENTRY = "each: 10 requests/minute, for: 1 hour"
EXPECT = "[{never_refused: true}]"


def scenario(entry: str = ENTRY, expect: str = EXPECT, rest: str = "") -> str:
    return f"scenario: It holds.\n{rest}traffic: [{{{entry}}}]\nexpect: {expect}\n"


def read_one(text: str) -> Located:
    (located,) = read_scenarios("f.scenario.yaml", text)
    return located


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        read_scenarios("f.scenario.yaml", text)
    return raised.value.problems


def test_what_is_not_written_has_its_default() -> None:
    found = read_one(scenario()).scenario
    (entry,) = found.traffic
    assert (found.mode, found.seed, found.begins_us, found.policies) == (
        "as_written",
        1,
        BEGINS_US,
        (),
    )
    assert (entry.accounts, entry.arrivals, entry.route) == (1, "even", "chat")
    assert entry.requests_each == 600
    assert found.name_of(0) == "traffic-1"


def test_everything_that_can_be_written() -> None:
    entry = (
        f"{ENTRY}, name: a, accounts: 1k, after: 2 days, arrivals: random, route: responses, "
        "model: m, prompt: 'A {word}', max_tokens: 2k, stream: true, output_tokens: 5, "
        "input_tokens: 7, duration: 90s, user_agent: curl/8, body: {n: 2}, "
        "attributes: {plan: free, age_days: 3, tags: [x, y], payment: one per 5 accounts}"
    )
    found = read_one(
        scenario(entry, rest="mode: enforce\nseed: 5\nbegins: 2026-01-01T01:00:00+01:00\n")
    ).scenario
    (made,) = found.traffic
    assert found.begins_us == 1_767_225_600_000_000
    assert (made.accounts, made.after_us, made.duration_us) == (1_000, 172_800 * 10**6, 90 * 10**6)
    assert made.attributes == {
        "plan": "free",
        "age_days": 3,
        "tags": ("x", "y"),
        "payment": OnePer(5),
    }
    assert made.body == {"n": 2}


def test_an_expectation_is_a_number_a_share_or_bounds() -> None:
    written = (
        "[{refused: 35}, {refused: 5%}, {allowed: {at least: 1k, at most: 99.5%}}, "
        "{first_refusal: 60 requests}, {first_refusal: {at least: 2 hours}, by: x, each: account}]"
    )
    number, share, both, after, reach = read_one(scenario(expect=written)).scenario.expect
    assert number.refused is not None
    assert number.refused.exactly == Part(35)
    assert share.refused is not None
    assert share.refused.exactly == Part(share=Fraction(1, 20))
    assert both.allowed is not None
    assert both.allowed.at_least == Part(1_000)
    assert after.first_refusal is not None
    assert after.first_refusal.after == Reach(requests=60)
    assert reach.first_refusal is not None
    assert reach.first_refusal.at_least == Reach(span_us=7_200 * 10**6)
    assert [each.kind for each in (number, both, reach)] == ["refused", "allowed", "first_refusal"]


def test_a_file_holds_several_and_each_knows_its_place() -> None:
    first, second = read_scenarios("f", f"{scenario()}---\n{scenario()}")
    assert first.where() == "f:1"
    assert second.where(("expect", 0)) == "f:7"
    assert second.written(("expect", 0)) == "expect: [{never_refused: true}]"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (scenario("for: 1 hour"), 2, '"each" is missing here'),
        (scenario("each: 5/day, forx: 1 day"), 2, 'Did you mean "for"?'),
        (scenario("each: 5 tokens/day, for: 1 day"), 2, "not how often an account asks"),
        (scenario("each: 5/day, for: 1 fortnight"), 2, "not a span of time"),
        (scenario("each: 5/day, for: 1 minute"), 2, "too short for a single request"),
        (scenario(f"{ENTRY}, accounts: 0"), 2, "0"),
        (scenario(f"{ENTRY}, accounts: 1G"), 2, "too many"),
        (scenario(f"{ENTRY}, prompt: 'A {{wordd}}'"), 2, 'Did you mean "word"?'),
        (scenario(f"{ENTRY}, name: A B"), 2, "is not a name"),
        (scenario(f"{ENTRY}, arrivals: uneven"), 2, 'Did you mean "even"?'),
        (scenario(f"{ENTRY}, route: messages"), 2, 'Add "max_tokens"'),
        (scenario(f"{ENTRY}, stream: yes"), 2, "stream"),
        (scenario(f"{ENTRY}, attributes: {{age_days: old}}"), 2, "whole number of days"),
        (scenario(f"{ENTRY}, attributes: {{created_at: 5}}"), 2, 'Write "age_days"'),
        (scenario(f"{ENTRY}, attributes: {{a: one per x}}"), 2, "one per 5 accounts"),
        (scenario(f"{ENTRY}, attributes: {{a: {{b: c}}}}"), 2, "not a mapping"),
        (scenario(f"{ENTRY}, body: {{model: x}}"), 2, "made by the scenario"),
        (scenario("each: 900 requests/second, for: 30 days"), 2, f"at most {MAX_REQUESTS:,}"),
        (scenario(rest="begins: tomorrow\n"), 2, "not a moment"),
        (scenario(rest="seed: x\n"), 2, "x"),
        (scenario(rest="mode: on\n"), 2, "as_written, enforce"),
        (scenario(expect="[]"), 3, "empty list"),
        (scenario(expect="[{}]"), 3, "expects nothing. Allowed: refused"),
        (scenario(expect="[{by: x}]"), 3, "expects nothing"),
        (scenario(expect="[{refused: 1, allowed: 2}]"), 3, "expects refused and allowed"),
        (scenario(expect="[{refused: {}}]"), 3, "This expects nothing"),
        (scenario(expect="[{refused: 120%}]"), 3, "neither a number of requests nor a share"),
        (scenario(expect="[{refused: {at leest: 1}}]"), 3, 'Did you mean "at least"?'),
        (scenario(expect="[{refused: {at least: 9, at most: 5}}]"), 3, "can never hold"),
        (scenario(expect="[{refused: {exactly: 9, at most: 5}}]"), 3, "leaves no room"),
        (scenario(expect="[{first_refusal: {after: 2 hours}}]"), 3, '"after" counts requests'),
        (scenario(expect="[{first_refusal: {at least: soon}}]"), 3, "nor a span of time"),
        (scenario(expect="[{never_refused: false}]"), 3, "refused: {at least: 1}"),
        (scenario(expect="[{never_refused: true, of: x}]"), 3, "no entry of traffic"),
        (scenario(expect="[{allowed: 1, by: x}]"), 3, "Delete it"),
        (scenario(expect="[{response: none}]"), 3, "version 0.2"),
        (scenario(expect="[{score: 5}]"), 3, "would not enforce it"),
        ("scenario: x\n", 1, '"traffic" is missing'),
        ('scenario: " "\ntraffic: []\nexpect: []\n', 1, "is empty"),
        ("quotas: []\n", 1, '"quotas" is not a key here'),
        ("scenario: &a x\n", 1, "Anchors"),
        ("[", 1, "A value is missing"),
    ],
)
def test_what_cannot_be_meant_is_told_where_it_stands(text: str, line: int, words: str) -> None:
    found = problems(text)
    assert any(words in problem.message for problem in found), found
    assert any(problem.line == line for problem in found)


def test_two_entries_may_not_have_one_name() -> None:
    text = scenario().replace("]\nexpect", f", {{{ENTRY}, name: traffic-1}}]\nexpect")
    (problem,) = problems(text)
    assert "name of another entry" in problem.message


def test_the_problems_of_all_scenarios_of_a_file_come_at_once() -> None:
    text = f"{scenario(expect='[]')}---\n{scenario()}---\n{scenario(rest='mode: x' + chr(10))}"
    assert [problem.line for problem in problems(text)] == [3, 10]
