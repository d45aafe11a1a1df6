import pytest

from gateway.policy.parse import inspect

RULE = """\
behaviours:
  - id: a
    why: Because.
    group: sdk
    measure:
      accounts: accounts() over 48h
      young: share_of_accounts(account.age_days < 7) over 48h
    when: {when}
    points: 45
"""
LADDER = "responses: [{at: 10, do: observe}]\n"
SOUND = RULE.format(when="accounts > 5 && young > 0.5")
NOW_US = 1_800_000_000_000_000


def warned(*texts: str) -> list[str]:
    inspection = inspect({f"{'ab'[at]}.yaml": text for at, text in enumerate(texts)}, NOW_US)
    assert inspection.problems == ()
    return [str(warning) for warning in inspection.warnings]


def test_a_sound_rule_with_a_ladder_draws_no_warning() -> None:
    assert warned(SOUND, LADDER) == []


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("accounts > 5 && young > 1", "This never holds: accounts is 0 or more, young is 0 to 1."),
        ("accounts < young && accounts < 0", "This never holds: accounts is 0 or more, young is 0"),
        ("accounts > 5 && young >= 0 && accounts <= 5", "This never holds"),
        ("accounts >= 0 || young > 0.5", "This always holds."),
    ],
)
def test_what_never_or_always_holds_is_told(when: str, words: str) -> None:
    (message,) = warned(RULE.format(when=when), LADDER)
    assert message.startswith("a.yaml:8:11: ")
    assert words in message


def test_a_measure_that_nobody_names_is_told_at_its_key() -> None:
    (message,) = warned(RULE.format(when="accounts > 5"), LADDER)
    assert message.startswith('a.yaml:7:7: "young" is measured, and "when" does not name it.')


def test_a_measure_that_a_z_score_names_is_named() -> None:
    text = RULE.format(when="accounts > 5 && odd > 6")
    text = text.replace("    when:", "      odd: zscore( young ) over 48h\n    when:")
    assert warned(text, LADDER) == []


def test_a_condition_without_a_measure_is_told() -> None:
    messages = warned(RULE.format(when="1 > 2"), LADDER)
    assert [message.partition(": ")[0] for message in messages] == [
        "a.yaml:6:7",
        "a.yaml:7:7",
        "a.yaml:8:11",
    ]


def test_a_rule_without_a_why_is_told() -> None:
    (message,) = warned(SOUND.replace("    why: Because.\n", ""), LADDER)
    assert message.startswith('a.yaml:2:5: "a" has no "why".')


def test_a_rung_that_nothing_reaches_is_told() -> None:
    ladder = "responses:\n  - {at: 45, do: observe}\n  - {at: 46, do: block, for: 1h}\n"
    (message,) = warned(SOUND, ladder)
    assert message.startswith("b.yaml:3:10: Nothing reaches 46 points")
    assert "allow 45." in message


def test_the_clamp_bounds_what_is_reached() -> None:
    (message,) = warned(SOUND, "score: {clamp: [0, 9]}\n" + LADDER)
    assert "allow 9." in message


def test_points_of_a_group_that_reach_block_alone_are_told() -> None:
    ladder = (
        "responses: [{at: 20, do: throttle, fleet: 5/day}, {at: 40, do: block, for: 1h}]\n"
        "score: {shared_evidence_cap: %s}\n"
    )
    (message,) = warned(SOUND, ladder % "throttle")
    assert message.startswith("a.yaml:9:13: 45 points reach block, but what a group does together")
    assert warned(SOUND, ladder % "block") == []


def test_rules_without_a_ladder_and_a_ladder_without_rules_do_nothing() -> None:
    (message,) = warned(SOUND)
    assert message.startswith('a.yaml:2:5: No file has "responses"')
    alone = LADDER + "score: {}\nguardrails: {}\n"
    assert [message.partition(": ")[2] for message in warned(alone)] == [
        "This does nothing: no file has behaviours."
    ] * 3


def test_a_list_that_nobody_names_is_told() -> None:
    (message,) = warned(SOUND, LADDER + "lists: {fishing: {phrases: [rod]}}\n")
    assert message.startswith("b.yaml:2:9: No behaviour names this list")


def test_an_exemption_that_has_ended_is_told_by_the_moment_that_is_given() -> None:
    text = LADDER + "exemptions: [{plan: a, until: 2027-01-15, owner: x, why: y}]\n"
    (message,) = warned(SOUND, text)
    assert message.startswith("b.yaml:2:31: This exemption has ended")
    assert warned(SOUND, text.replace("01-15", "01-16")) == []
    assert inspect({"a.yaml": SOUND, "b.yaml": text}).warnings == ()


def test_an_exemption_without_a_why_is_told() -> None:
    (message,) = warned(SOUND, LADDER + "exemptions: [{plan: a, until: 2030-01-15, owner: x}]\n")
    assert message.startswith('b.yaml:2:14: This exemption has no "why".')
