"""What is wrong with scores, ladders, exemptions and lists is told where it stands."""

import pytest

from gateway.policy.parse import inspect

RULES = """\
behaviours:
  - {id: a, why: Because., group: frame, measure: {n: accounts() over 48h}, when: n > 5, points: 45}
  - {id: b, why: Because., measure: {n: count() over 48h}, when: n > 5, points: 45}
responses:
  - {at: 15, do: observe}
"""


def told(text: str) -> list[str]:
    return [str(problem) for problem in inspect({"a.yaml": RULES + text}).problems]


@pytest.mark.parametrize(
    ("step", "column", "words"),
    [
        ("{at: 15, do: tag, header: x-a}", 10, "A ladder rises: 15 is not more than the 15 of ob"),
        (
            "{at: 20, do: observe}",
            18,
            "observe is not stricter than observe before it. The order is",
        ),
        ("{at: 20, do: tag}", 18, "tag does nothing by itself. Add header: x-abuse-tier."),
        ("{at: 20, do: tag, header: host}", 31, '"host" has a meaning already.'),
        ("{at: 20, do: tag, header: x y}", 31, "is not the name of a header."),
        ("{at: 20, do: throttle}", 18, "Add scale: 0.25, fleet: 200 requests/day, or both."),
        ("{at: 20, do: throttle, scale: 2}", 35, "more than 0, at most 1"),
        ("{at: 20, do: throttle, fleet: 200 requests}", 35, '"200 requests" has no window.'),
        ("{at: 20, do: throttle, fleet: 5 concurrent}", 35, "is not what a fleet can share."),
        ("{at: 20, do: degrade}", 18, "degrade does nothing by itself."),
        ("{at: 20, do: degrade, strip: [logprob]}", 35, 'Did you mean "logprobs"?'),
        ("{at: 20, do: degrade, n: 0}", 30, "Write a whole number from 1 to 1,000."),
        ("{at: 20, do: degrade, max_tokens: 20M}", 39, "The most is 10,000,000."),
        ("{at: 20, do: challenge}", 18, "Add url: https://"),
        ("{at: 20, do: challenge, url: foo}", 34, '"foo" is not an address.'),
        ("{at: 20, do: block}", 18, "block does nothing by itself. Add for: 24h."),
        ("{at: 20, do: block, then: [7d]}", 18, "Add for: 24h."),
        ("{at: 20, do: block, for: 24h, then: [12h]}", 42, "is longer than the one before it."),
        ("{at: 20, do: block, for: 24h, then: [7d, 1h]}", 46, "is longer than the one before it."),
        ("{at: 20, do: block, for: 1 day}", 30, '"1 day" is not a duration.'),
        ("{at: 20, do: block, for: 900d}", 30, "Allowed: 1m to 365d."),
        ("{at: 20, do: block, for: 24h, header: x}", 43, '"header" is for tag, and this is block.'),
        ("{at: 20, do: blok, for: 1h}", 18, 'Did you mean "block"?'),
        ("{do: block, for: 1h}", 5, '"at" is missing here.'),
        ("{at: 0, do: block, for: 1h}", 10, '"at: 0" is not allowed.'),
        ("{at: 20, do: block, for: 1h, modes: shadow}", 34, 'Did you mean "mode"?'),
    ],
)
def test_a_step_is_wrong_where_it_is_wrong(step: str, column: int, words: str) -> None:
    (message,) = told(f"  - {step}\n")
    assert message.startswith(f"a.yaml:6:{column}: ")
    assert words in message


@pytest.mark.parametrize(
    ("section", "column", "words"),
    [
        (
            "score: {shared_evidence_cap: throttle}",
            30,
            "no response of the ladder. Allowed: observe.",
        ),
        ("score: {shared_evidence_cap: throtle}", 30, 'Did you mean "throttle"?'),
        ("score: {half_life: 36}", 20, '"36" is not a duration.'),
        ("score: {half_life: 1m}", 20, "Allowed: 1h to 30d."),
        ("score: {clamp: [100, 0]}", 16, "the smaller one first"),
        ("score: {clamp: 5}", 16, '"clamp" is the least and the most'),
        ("score: {independent_for_block: 0}", 32, "Write a whole number from 1 to 10."),
        ("score: {hysteresis: 90}", 21, "Write a whole number from 0 to 50."),
        ("guardrails: {blocked_accounts: 0.5%}", 32, "Write for example 0.5% per day"),
        ("guardrails: {blocked_accounts: 101% per day}", 32, "at most 100%"),
        ("exemptions: [{plan: a, owner: x}]", 14, '"until" is missing here.'),
        ("exemptions: [{plan: a, until: 2027-03-01}]", 14, '"owner" is missing here.'),
        ("exemptions: [{until: 2027-03-01, owner: x}]", 14, "An exemption is about one thing."),
        (
            "exemptions: [{plan: a, account: b, until: 2027-03-01, owner: x}]",
            14,
            "exactly one of ac",
        ),
        ("exemptions: [{plan: a, until: soon, owner: x}]", 31, '"soon" is not a moment.'),
        ("exemptions: [{plan: '', until: 2027-03-01, owner: x}]", 21, "This is empty."),
        (
            "exemptions: [{organisation: a, until: 2027-03-01, owner: x}]",
            15,
            'mean "organization"?',
        ),
        ("lists: {a: {phrases: ['(']}}", 23, '"(" is not a pattern: missing )'),
        ("lists: {a: {phrases: ['x*']}}", 23, '"x*" matches every prompt.'),
        ("lists: {a: {phrases: ['']}}", 23, "A phrase has 1 to 300 characters"),
        ("lists: {a: {phrases: []}}", 22, "not an empty list."),
        ("lists: {a: {phrases: x.txt}}", 22, '"x.txt" does not exist beside this file.'),
        ("lists: {a: {phrases: ../x.txt}}", 22, "Write the path of a .txt file from here on"),
        ("lists: {a: {phrases: /x.txt}}", 22, "Write the path of a .txt file from here on"),
        ("lists: {a: {phrases: x.yaml}}", 22, "Write the path of a .txt file from here on"),
        ("lists: {A b: {phrases: [x]}}", 14, '"id: A b" is not an id.'),
        ("lists: {}", 8, '"lists" holds nothing.'),
        ("lists: {a: {}}", 12, '"phrases" is missing here.'),
    ],
)
def test_a_section_is_wrong_where_it_is_wrong(section: str, column: int, words: str) -> None:
    (message,) = told(f"{section}\n")
    assert message.startswith(f"a.yaml:6:{column}: ")
    assert words in message


def test_shared_evidence_may_be_capped_at_any_response_of_the_ladder() -> None:
    assert told("score: {shared_evidence_cap: observe}\n") == []


def test_without_a_ladder_no_cap_is_wrong() -> None:
    rules = RULES.partition("responses")[0]
    assert inspect({"a.yaml": rules + "score: {shared_evidence_cap: degrade}\n"}).problems == ()
