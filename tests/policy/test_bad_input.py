"""What an operator should never be able to do by a file: each a located error, nothing applied."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.policy.parse import inspect, load
from gateway.policy_directory import read_texts
from gateway.source.problems import Problems
from tests.parts.values import facts

SOUND = "quotas:\n  - id: sound\n    why: Because.\n    limit: 5/minute\n"
BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    + "quotas: *g\n"
)


def rule(extra: str, limit: str = "5/minute") -> str:
    return f"quotas:\n  - id: a\n    why: Because.\n    limit: {limit}\n    {extra}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (SOUND + "    id: twice\n", (5, 5), '"id" is written twice; first in line 2'),
        (SOUND + SOUND, (5, 1), '"quotas" is written twice'),
        (BOMB, (1, 4), "Anchors (&name) are not allowed"),
        ("x: &a 1\ny: *a\n" + SOUND, (2, 4), "Aliases (*name) are not allowed"),
        (rule("mode: off"), (5, 11), 'mode: off" is not allowed. Allowed: enforce, shadow'),
        (rule("when: yes"), (5, 11), "yes"),
        (rule("when: true"), (5, 11), "truth value true"),
        (rule('when: client.user_agent.matches("(?=a)b")'), (5, 37), "is not a pattern"),
        (rule('when: client.user_agent.matches("(a)\\\\1")'), (5, 37), "is not a pattern"),
        (rule('when: client.user_agent.matches("((a{999}){999}){999}")'), (5, 37), "is not a patt"),
        (rule("when: client.user_agent.matches(request.model)"), (5, 44), "a pattern in quotes"),
        (rule("when: account.plna == 'a'"), (5, 11), "account.plan"),
        (rule('when: request.n == "a"'), (5, 21), "=="),
        (rule("when: request.n > 1.0"), (5, 21), ">"),
        (rule("when: request.n + 1"), (5, 11), "true or false"),
        (rule("when: request.n >"), (5, 22), "ends too early"),
        (rule("per: prompt.frame"), (5, 10), "prompt.frame"),
        (rule("", limit="1e3/minute"), (4, 12), "1e3"),
        (rule("", limit="99999999999999999999/minute"), (4, 12), ""),
        ("quotas:\n\t- id: a\n", (2, 1), "A tab in the indentation"),
        ("quotas: " + "[" * 500, (1, 24), "Nested more than 16 deep"),
        (SOUND + "---\n" + SOUND, (5, 1), "A second document"),
    ],
)
def test_it_is_told_where_it_stands_and_nothing_is_applied(
    text: str, place: tuple[int, int], words: str
) -> None:
    inspection = inspect({"a.yaml": text, "b.yaml": SOUND.replace("sound", "beside")})
    assert inspection.policies is None
    found = [(one.file, one.line, one.column) for one in inspection.problems]
    assert ("a.yaml", *place) in found, inspection.problems
    assert any(words in problem.message for problem in inspection.problems), inspection.problems
    assert all(problem.file == "a.yaml" for problem in inspection.problems)


def test_an_alias_bomb_of_three_hundred_bytes_is_not_expanded() -> None:
    assert len(BOMB) < 350
    inspection = inspect({"a.yaml": BOMB})
    assert len(inspection.problems) < 110
    assert sum(len(problem.message) for problem in inspection.problems) < 20_000


def test_two_files_with_one_id_are_told_with_both_places() -> None:
    (problem,) = inspect({"a.yaml": SOUND, "b.yaml": SOUND}).problems
    assert str(problem).startswith('b.yaml:2:9: "id: sound" is taken; first in a.yaml:2')


def test_of_a_hundred_megabytes_no_more_than_the_cap_is_read(tmp_path: Path) -> None:
    (tmp_path / "sound.yaml").write_text(SOUND)
    with (tmp_path / "huge.yaml").open("wb") as huge:
        huge.truncate(100 << 20)  # a hole: it takes no place on the disk
    with pytest.raises(Problems) as raised:
        read_texts(tmp_path)
    (problem,) = raised.value.problems
    assert str(problem).startswith(f"{tmp_path}/huge.yaml:1:1: The file has 104,857,600 bytes")


def test_a_pattern_that_ruins_other_engines_takes_no_time() -> None:
    """RE2 goes through a text once, whatever the pattern."""
    policies = load({"a.yaml": rule('when: client.user_agent.matches("^(a+)+$")')})
    (quota,) = policies.quotas
    assert quota.when is not None

    begun = time.process_time()

    asked = replace(facts(), user_agent="a" * 255 + "!")
    assert policies.applying(asked).quotas == []
    assert time.process_time() - begun < 5  # elsewhere: longer than the universe
