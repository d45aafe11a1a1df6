"""What is wrong with a behaviour is told where it stands, with what is allowed."""

import pytest

from gateway.policy.parse import inspect

RULE = """\
behaviours:
  - id: a
    why: Because.
    group: {group}
    measure:
      {measure}
    when: {when}
    points: {points}
    {rest}
responses: [{{at: 10, do: observe}}]
"""
GIVEN = {
    "group": "frame",
    "measure": "accounts: accounts() over 48h",
    "when": "accounts > 5",
    "points": "40",
    "rest": "",
}


def told(**written: str) -> list[str]:
    inspection = inspect({"a.yaml": RULE.format(**{**GIVEN, **written})})
    assert inspection.policies is None
    return [str(problem) for problem in inspection.problems]


def test_what_the_table_below_begins_with_is_sound() -> None:
    inspection = inspect({"a.yaml": RULE.format(**GIVEN)})
    assert inspection.problems == inspection.warnings == ()


@pytest.mark.parametrize(
    ("measure", "where", "words"),
    [
        ("accounts: acounts() over 48h", "6:17", 'Did you mean "accounts"?'),
        ("accounts: accounts()", "6:27", '"over" is missing'),
        ("accounts: share(request.stream) over", "6:43", '"over" is missing'),
        ("accounts: accounts() over 2 days", "6:33", '"2 days" is not a duration.'),
        ("accounts: accounts() over 200 requests", "6:33", "accounts() is over a time"),
        ("accounts: accounts() during 48h", "6:28", '"during 48h" cannot stand here. Write "over"'),
        ("accounts: accounts( over 48h", "6:25", "This bracket is not closed."),
        (
            'accounts: count(request.model == ")") over 5d 6d',
            "6:50",
            '"5d 6d" is not a duration or',
        ),
        ("accounts: 5", "6:17", '"5" is not a measure. Write a function'),
        (
            "accounts: share(request.model) over 5d",
            "6:23",
            "share() takes a condition; this gives t",
        ),
        ('accounts: share(request.modle == "") over 5d', "6:23", 'Did you mean "request.model"?'),
        ("accounts: share(history.frsh) over 5d", "6:23", 'Did you mean "history.fresh"?'),
        (
            "accounts: distinct(request.stream) over 5d",
            "6:26",
            "takes a text or a number; this give",
        ),
        ("accounts: mean( request.model ) over 5d", "6:23", "mean() takes a number; this gives te"),
        ("accounts: evenness(request.model) over 5d", "6:26", "evenness() takes account.id."),
        ("accounts: kinship(prompt.frame) over 5d", "6:25", "kinship() takes prompt.sketch."),
        ("accounts: cohesion(prompt.sketch) over 5d", "6:17", "a group that shares its prompts"),
        ("accounts: distinct(prompt.sketch) over 5d", "6:26", "has no value of its own"),
        ("accounts: zscore(accounts) over 5d", "6:24", "no measure of accounts with a condition"),
        ("accounts: zscore(acounts) over 5d", "6:24", '"acounts" is not a measure of this rule.'),
        ("accounts: regularity(5) over 5d", "6:28", "regularity() takes nothing"),
        ("accounts: share() over 5d", "6:23", "share() takes a condition."),
        ("accounts: share(request.n) over 5d", "6:23", "gives a whole number"),
        ("accounts: count() over 5s", "6:30", '"5s" is out of bounds. Write 1m to 30d.'),
        ("accounts: count() over 31d", "6:30", '"31d" is out of bounds.'),
        ("accounts: count() over 3 requests", "6:30", "Write 8 to 100,000 requests."),
        (
            "accounts: accounts(usage.cost > 5.0) over 5d",
            "6:26",
            "can be in count, sum, mean, share",
        ),
        (
            "accounts: share(usage.cost > 1) over 5d",
            "6:34",
            "A number with decimals is written 1.0",
        ),
        (
            'accounts: share(prompt.matches("x")) over 5d',
            "6:38",
            '"x" is no list of these policies',
        ),
        (
            "accounts: share(prompt.matches(request.model)) over 5d",
            "6:45",
            "the id of a list in quo",
        ),
        (
            'accounts: share(request.model.matches("(")) over 5d',
            "6:45",
            "is not a pattern: missing )",
        ),
        ("accounts: share(1 == 1) over 5d", "6:23", "This names no fact"),
        ("accounts: [5]", "6:17", "must be text, not a list"),
    ],
)
def test_a_measure_is_wrong_where_it_is_wrong(measure: str, where: str, words: str) -> None:
    (message,) = told(measure=measure)
    assert message.startswith(f"a.yaml:{where}: ")
    assert words in message


def test_two_parts_of_a_measure_are_wrong_at_once() -> None:
    found = told(measure='accounts: share(request.modle == "" && acount.plan == "") over 5 days')
    assert [message.partition(": ")[0] for message in found] == [
        "a.yaml:6:23",
        "a.yaml:6:46",
        "a.yaml:6:70",
    ]


def test_a_name_that_cannot_be_one_is_told_at_the_key() -> None:
    first, second = told(measure="Accounts: accounts() over 48h")
    assert first.startswith('a.yaml:6:7: "Accounts" cannot be the name of a measure.')
    assert second.startswith('a.yaml:7:11: "accounts" is not a measure of this rule. The rule has')


@pytest.mark.parametrize(
    ("when", "where", "words"),
    [
        ("accounts", "7:11", "this gives a number. Compare it with something"),
        ("acounts > 5", "7:11", 'Allowed: accounts. Did you mean "accounts"?'),
        ("accounts > 5 && 12 < young", "7:32", '"young" is not a measure of this rule.'),
        ("accounts > 5 and 5 > 2", "7:24", '"and" is written && here.'),
        ("accounts >", "7:21", "ends too early"),
        ('accounts == "a"', "7:20", "cannot be applied to a number with decimals and text"),
        ("request.n > 5", "7:11", '"request.n" is not a measure of this rule.'),
        ("5", "7:11", '"when" must be a condition, not the number 5.'),
        ("|\n      accounts > 5 &&\n      acconts < 3", "9:7", 'Did you mean "accounts"?'),
        ("accounts > 5" + " " * 9 + "&& 1" * 600, "7:11", "Write at most 2,000."),
    ],
)
def test_a_condition_is_wrong_where_it_is_wrong(when: str, where: str, words: str) -> None:
    (message,) = told(when=when)
    assert message.startswith(f"a.yaml:{where}: ")
    assert words in message


@pytest.mark.parametrize(
    ("key", "written", "where", "words"),
    [
        ("group", "fram", "4:12", 'Did you mean "frame"?'),
        ("group", "request.n", "4:12", '"group: request.n" is nothing that a group can share.'),
        ("group", "[frame, prompt.frame]", "4:20", '"group" says the same thing twice.'),
        ("group", "[frame, sdk, payment, network, plan]", "4:43", "The most is 4."),
        ("group", "[account, model]", "4:13", "Leave account out"),
        ("group", "[]", "4:12", '"group" is an empty list.'),
        ("group", "account", "6:17", 'Write what they share: "group".'),
        ("points", "0", "8:13", "To only watch, write mode: shadow."),
        ("points", "101", "8:13", "Write a whole number from -100 to 100."),
        ("points", "4.5", "8:13", "Write a whole number from -100 to 100."),
        ("rest", "members: alik", "9:14", 'Did you mean "alike"?'),
        ("rest", "members: alike", "9:14", "nothing here measures how alike they are"),
        ("rest", "applies: usage.cost > 1.0", "9:14", "known only after the answer"),
        ("rest", "applies: request.model", "9:14", "A condition is true or false; this one gives"),
        ("rest", "among: request.stream ==", "9:29", "ends too early"),
        ("rest", "among: 5", "9:12", '"among" must be a condition, not the number 5.'),
        ("rest", 'applies: prompt.matches("y")', "9:29", '"y" is no list of these policies.'),
        ("rest", "mod: shadow", "9:5", 'Did you mean "mode"?'),
        ("rest", "among: accounts > 5", "9:12", '"accounts" is not a fact.'),
    ],
)
def test_a_key_is_wrong_where_it_is_wrong(key: str, written: str, where: str, words: str) -> None:
    (message,) = told(**{key: written})
    assert message.startswith(f"a.yaml:{where}: ")
    assert words in message


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("members: alike", '"members" is for a rule about a group'),
        ("applies: history.fresh", '"applies" is for a rule about a group. '),
    ],
)
def test_what_is_for_groups_is_not_for_accounts(rest: str, words: str) -> None:
    (message,) = told(group="account", measure="accounts: count() over 7d", rest=rest)
    assert words in message


@pytest.mark.parametrize("function", ["accounts()", "distinct(account.id)", "evenness(account.id)"])
def test_an_account_has_no_members(function: str) -> None:
    (message,) = told(group="account", measure=f"accounts: {function} over 7d")
    assert message.startswith("a.yaml:6:17: ")


def test_what_is_missing_is_told_and_what_is_there_is_checked_all_the_same() -> None:
    text = "behaviours: [{id: a, measure: {n: count(x) over 5d}, when: m > 5}]"
    found = [str(problem) for problem in inspect({"a.yaml": text}).problems]
    assert found[0].startswith('a.yaml:1:14: "points" is missing here.')
    assert found[1].startswith('a.yaml:1:41: "x" is not a fact.')
    assert found[2].startswith('a.yaml:1:60: "m" is not a measure of this rule.')
    assert len(found) == 3


def test_a_sound_rule_beside_a_wrong_one_is_checked_to_the_end() -> None:
    text = (
        "behaviours:\n  - {id: a}\n"
        "  - {id: b, measure: {n: count() over 5d}, when: n > 5, points: 5, members: alike}\n"
    )
    found = [str(problem) for problem in inspect({"a.yaml": text}).problems]
    assert found[-1].startswith('a.yaml:3:77: "members" is for a rule about a group')


def test_the_nearest_list_is_guessed() -> None:
    text = RULE.format(**{**GIVEN, "rest": 'among: prompt.matches("fshing")'})
    text += "lists: {fishing: {phrases: [rod]}}\n"
    (problem,) = inspect({"a.yaml": text}).problems
    assert str(problem).endswith('Allowed: fishing. Did you mean "fishing"?')
