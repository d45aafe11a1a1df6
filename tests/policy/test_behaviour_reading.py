"""Many files make one set of behaviours; what may stand once is told with both places."""

import pytest

from gateway.policy.behaviour import Behaviours
from gateway.policy.parse import inspect, load
from gateway.policy.quota import Mode

RULE = "behaviours: [{id: %s, why: B., measure: {n: count() over 7d}, when: n > 5, points: 5}]\n"
LADDER = "responses: [{at: 5, do: observe}]\n"
LISTED = (
    "lists: {fishing: {phrases: %s}}\n"
    "behaviours: [{id: a, why: B., measure: "
    "{n: 'share(prompt.matches(\"fishing\")) over 7d'}, when: n > 0.5, points: 5}]\n" + LADDER
)


def told(**texts: str) -> list[str]:
    files = {f"{name}.yaml": text for name, text in texts.items()}
    return [str(problem) for problem in inspect(files).problems]


def test_the_sections_of_all_files_are_one_set() -> None:
    behaviours = load(
        {
            "a.yaml": RULE % "a" + "mode: shadow\n",
            "b.yaml": RULE % "b" + LADDER,
            "c.yaml": "score: {half_life: 1h}\nguardrails: {blocked_accounts: 2% per day}\n",
            "d.yaml": "exemptions: [{plan: x, until: 2030-01-01, owner: o, why: w}]\n",
            "e.yaml": "exemptions: [{plan: y, until: 2030-01-01, owner: o, why: w}]\n",
        }
    ).behaviours
    assert [(rule.id, rule.mode) for rule in behaviours.rules] == [
        ("a", Mode.SHADOW),
        ("b", Mode.ENFORCE),
    ]
    assert behaviours.score.half_life_us == 3_600_000_000
    assert behaviours.guardrails.blocked_share == 0.02
    assert [one.value for one in behaviours.exemptions] == ["x", "y"]


def test_without_any_there_is_nothing_to_watch() -> None:
    behaviours = load({"a.yaml": "quotas: [{id: a, why: b, limit: 5/day}]"}).behaviours
    assert behaviours == Behaviours()
    assert not behaviours


@pytest.mark.parametrize(
    "section",
    ["score: {half_life: 1h}", "responses: [{at: 5, do: observe}]", "guardrails: {}"],
)
def test_what_is_one_for_all_files_is_told_with_both_places(section: str) -> None:
    (message,) = told(a=RULE % "a" + section, b=section)
    name = section.partition(":")[0]
    assert message == (
        f'b.yaml:1:1: "{name}" stands in a.yaml:2 already. There is one for all files: delete this.'
    )


def test_an_id_is_unique_over_quotas_and_behaviours() -> None:
    (message,) = told(a=RULE % "a", b="quotas: [{id: a, why: b, limit: 5/day}]")
    assert message.startswith('b.yaml:1:15: "id: a" is taken; first in a.yaml:1.')


def test_the_id_of_a_list_is_unique_over_all_files() -> None:
    listed = LISTED % "[rod]"
    (message,) = told(a=listed, b="lists: {fishing: {phrases: [reel]}}")
    assert message.startswith('b.yaml:1:9: "list: fishing" stands in a.yaml:1 already.')


def test_a_list_may_stand_in_another_file_than_the_rule_that_names_it() -> None:
    listed, _, rules = (LISTED % "[rod]").partition("\n")
    assert told(a=rules, b=listed) == []


def test_a_list_is_a_file_beside_the_policy() -> None:
    files = {
        "policies/a.yaml": LISTED % "lists/fishing.txt",
        "policies/lists/fishing.txt": "# tackle\n\n  rod \nreel\nrod\n",
    }
    (listed,) = load(files).behaviours.lists.values()
    assert (listed.id, listed.phrases) == ("fishing", ("rod", "reel"))


def test_what_is_wrong_in_the_file_of_a_list_is_told_there() -> None:
    inspection = inspect({"a.yaml": LISTED % "b.txt", "b.txt": "rod\n  (reel\n"})
    (problem,) = inspection.problems
    assert str(problem).startswith('b.txt:2:3: "(reel" is not a pattern')


def test_a_list_of_nothing_is_told() -> None:
    (problem,) = inspect({"a.yaml": LISTED % "b.txt", "b.txt": "# nothing\n"}).problems
    assert str(problem).startswith("b.txt:1:1: This list has 0 phrases.")


def test_a_file_of_lists_alone_is_a_file_of_policies() -> None:
    assert told(a="lists: {fishing: {phrases: [rod]}}") == []


def test_in_a_file_with_a_problem_the_rest_is_checked_all_the_same() -> None:
    found = told(a=RULE % "a" + "mode: shadw\nlists: {x: {phrases: ['(']}}\n", b=RULE % "a")
    assert [message.partition(": ")[0] for message in found] == [
        "a.yaml:2:7",
        "a.yaml:3:23",
        "b.yaml:1:19",
    ]


def test_the_warnings_of_sound_rules_are_told_beside_problems() -> None:
    inspection = inspect({"a.yaml": (RULE % "a").replace("n > 5", "n > -1"), "b.yaml": "mode: x"})
    assert inspection.policies is None
    (warning,) = inspection.warnings
    assert "This always holds" in warning.message


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ((RULE % "a").replace("B.", "Another reason."), True),
        ("# a comment\n" + RULE % "a", True),
        ((RULE % "a").replace("n > 5", "n > 6"), False),
        ((RULE % "a").replace("points: 5", "points: 6"), False),
        (RULE % "b", False),
    ],
)
def test_the_digest_changes_with_what_has_a_meaning(changed: str, same: bool) -> None:
    before = load({"a.yaml": RULE % "a"}).behaviours.digest
    assert len(before) == 12
    assert (load({"b.yaml": changed}).behaviours.digest == before) is same
