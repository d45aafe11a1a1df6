from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.policy.parse import digest, inspect, load
from gateway.policy.quota import Mode
from gateway.source.problems import PROBLEMS_SHOWN, Problem, Problems, Source

SHIPPED = Path(__file__).parents[2] / "policies"
SOUND = "quotas:\n  - id: a\n    why: Because.\n    limit: 5/minute\n"

TEN_MISTAKES = """\
mode: shadw
quotas:
  - id: Requests
    limit: 600 requests/minute
  - id: tokens
    limit: 0 tokens/day
  - id: per-model
    limit: 5 requests/minit
    per: [account, modeel]
  - id: tokens
    limitt: 5/minute
  - id: spend
    limit: 40 USD/day
  - id: burst
    limit: 5/minute
    burst: 10
  - id: twice
    limit: 5/minute
    limit: 5000/minute
"""


def problems(*texts: str) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as raised:
        load({f"{chr(ord('a') + at)}.yaml": text for at, text in enumerate(texts)})
    return raised.value.problems


def test_a_file_with_ten_different_mistakes_gets_its_ten_located_errors() -> None:
    found = problems(TEN_MISTAKES)
    assert [(p.line, p.column, p.message.split(" ")[0]) for p in found] == [
        (1, 7, '"mode:'),
        (3, 9, '"id:'),
        (6, 12, '"0"'),
        (8, 12, '"minit"'),
        (9, 20, '"per:'),
        (10, 9, '"id:'),
        (11, 5, '"limitt"'),
        (13, 12, "This"),
        (16, 12, '"burst"'),
        (19, 5, '"limit"'),
    ]
    lines = TEN_MISTAKES.splitlines()
    assert all(problem.excerpt == lines[problem.line - 1] for problem in found)


def test_an_error_names_the_place_the_value_the_allowed_and_the_nearest() -> None:
    (problem,) = problems(SOUND + "    per: accaunt\n")
    assert str(problem) == (
        'a.yaml:5:10: "per: accaunt" is not a partition key. Allowed: account, plan, organization, '
        'address, route, dialect, model, end_user. Did you mean "account"?'
    )


def test_the_errors_of_all_files_come_at_once_by_file_and_line() -> None:
    found = problems(SOUND + "    per: x\n    burst: 5\n", "quotas: {}", "", "a: [")
    assert [(p.file, p.line) for p in found] == [
        ("a.yaml", 5),
        ("b.yaml", 1),
        ("c.yaml", 1),
        ("d.yaml", 1),
    ]


def test_an_id_is_unique_over_all_files() -> None:
    (problem,) = problems(SOUND, "# another\n" + SOUND)
    assert (problem.file, problem.line, problem.column) == ("b.yaml", 3, 9)
    assert "first in a.yaml:2" in problem.message


def test_an_id_is_taken_even_by_a_rule_that_is_wrong_otherwise_and_in_the_same_line() -> None:
    found = problems("quotas: [{id: a}, {id: a, limit: 5/day}]")
    assert [(p.line, p.column) for p in found] == [(1, 10), (1, 24)]


def test_a_sound_rule_beside_a_broken_one_is_checked_to_the_end() -> None:
    found = problems(
        "quotas:\n  - {id: a, limit: x}\n  - {id: b, limit: 5/day, lease: 9s}\n  - text\n"
    )
    assert [(p.line, p.column) for p in found] == [(2, 20), (3, 34), (4, 5)]


@pytest.mark.parametrize("text", ["mode: shadow\n", "quotas: []\n", "mode: enforce\nquotas: []\n"])
def test_a_file_that_limits_nothing_is_an_error(text: str) -> None:
    (problem,) = problems(text)
    assert "holds no rule" in problem.message


@pytest.mark.parametrize(
    "key",
    ["prices", "behaviours", "lists", "score", "responses", "exemptions", "guardrails"],
)
def test_a_section_of_a_later_version_is_refused_not_ignored(key: str) -> None:
    (problem,) = problems(SOUND + f"{key}: {{}}\n")
    assert (problem.line, problem.column) == (5, 1)
    assert f'does not know "{key}"' in problem.message
    assert "would not enforce it" in problem.message


@pytest.mark.parametrize("key", ["when", "scale", "timezone", "on_store_failure"])
def test_a_key_of_a_later_version_is_refused_not_ignored(key: str) -> None:
    (problem,) = problems(SOUND + f"    {key}: x\n")
    assert (problem.line, problem.column) == (5, 5)
    assert f'does not know "{key}"' in problem.message


@pytest.mark.parametrize("written", ["no", "off", "on"])
def test_what_was_a_truth_value_in_yaml_1_1_is_a_word(written: str) -> None:
    (problem,) = problems(SOUND + f"    mode: {written}\n")
    assert f'"mode: {written}" is not allowed' in problem.message


def test_a_rule_keeps_where_it_stands() -> None:
    policies = load(
        {"dir/a.yaml": SOUND, "dir/b.yaml": "mode: shadow\n" + SOUND.replace("id: a", "id: b")}
    )
    assert [(q.id, q.where, q.mode) for q in policies.quotas] == [
        ("a", "dir/a.yaml:2", Mode.ENFORCE),
        ("b", "dir/b.yaml:3", Mode.SHADOW),
    ]


def test_a_directory_without_a_file_has_no_quota() -> None:
    assert load({}).quotas == ()


def test_the_digest_changes_with_every_byte_and_not_with_the_mount() -> None:
    whole = digest({"a": "1", "b": "2"})
    assert len(whole) == 12
    assert set(whole) <= set("0123456789abcdef")
    assert digest({"b": "2", "a": "1"}) == whole
    assert digest({"/etc/gauger/a": "1", "/etc/gauger/b": "2"}) == whole
    others: list[dict[str, str]] = [{}, {"a": "1"}, {"a": "1", "b": "3"}, {"a": "1b2"}]
    others += [{"a": "2", "b": "1"}, {"a1": "", "b": "2"}, {"a": "1", "b2": ""}]
    assert len({digest(other) for other in others} | {whole}) == len(others) + 1
    assert load({"a.yaml": SOUND}).digest == digest({"a.yaml": SOUND})


def test_what_is_legal_and_doubtful_is_a_warning() -> None:
    inspection = inspect({"a.yaml": "quotas:\n  - id: a\n    limit: 5/minute\n"})
    assert inspection.problems == ()
    assert inspection.policies is not None
    (warning,) = inspection.warnings
    assert (warning.line, warning.column) == (2, 5)
    assert 'has no "why"' in warning.message


def test_an_inspection_with_a_problem_has_no_policies() -> None:
    inspection = inspect({"a.yaml": SOUND, "b.yaml": "x"})
    assert inspection.policies is None
    assert [problem.file for problem in inspection.problems] == ["b.yaml"]


def test_a_mistake_made_a_thousand_times_is_not_told_a_thousand_times() -> None:
    text = "quotas:\n" + "".join(f"  - {{id: r{n}, limit: x, per: y}}\n" for n in range(1_000))
    assert len(problems(text)) == PROBLEMS_SHOWN + 1


def test_a_thousand_rules_are_a_thousand_quotas() -> None:
    text = "quotas:\n" + "".join(f"  - {{id: r{n}, limit: 5/minute}}\n" for n in range(1_000))
    assert len(load({"a.yaml": text}).quotas) == 1_000


def test_the_shipped_policies_have_neither_problems_nor_warnings() -> None:
    texts = {path.name: path.read_text() for path in SHIPPED.glob("*.yaml")}
    inspection = inspect(texts)
    assert inspection.problems == inspection.warnings == ()
    assert inspection.policies is not None
    assert inspection.policies.quotas


WORDS = st.sampled_from(
    [
        *"[]{}:,-?&*!|>'\"%@#\n\t ~",
        *("quotas", "id", "why", "limit", "per", "window", "burst", "lease", "missing", "mode"),
        *("\n  - ", ": ", "\n    ", "a", "5/minute", "600 requests/minute", "8 concurrent"),
        *("bucket", "shadow", "account", "30s", "---\n", "\r\n", "\u2028", "é", "0x1", "1e9"),
        *("\ufeff", "\x00", "<<: ", "&a ", "*a", "!!str ", "when", "null", "-1", ".5"),
    ]
)


a_loaded_machine_is_no_fault = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(text: str) -> None:
    inspection = inspect({"f.yaml": text})
    lines = Source("f.yaml", text).lines
    for problem in (*inspection.problems, *inspection.warnings):
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    if inspection.policies is None:
        assert inspection.problems
    else:
        assert inspection.policies.quotas
        assert load({"f.yaml": text}) == inspection.policies


@a_loaded_machine_is_no_fault
@given(st.text())
def test_any_text_is_policies_or_located_problems(text: str) -> None:
    check(text)


@a_loaded_machine_is_no_fault
@given(st.lists(WORDS, max_size=40).map("".join))
def test_any_soup_of_yaml_is_policies_or_located_problems(text: str) -> None:
    check(text)


@a_loaded_machine_is_no_fault
@given(
    st.integers(0, len(TEN_MISTAKES)), st.lists(WORDS, max_size=3).map("".join), st.integers(0, 9)
)
def test_any_edit_of_a_file_is_policies_or_located_problems(at: int, new: str, cut: int) -> None:
    check(TEN_MISTAKES[:at] + new + TEN_MISTAKES[at + cut :])


@a_loaded_machine_is_no_fault
@given(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["a", "B", 5, None]), "limit": st.sampled_from(["5/day", 5, ["x"]])},
        optional={
            "per": st.sampled_from(["account", "x", [], ["model", "model"]]),
            "window": st.sampled_from(["bucket", "sliding", "calendar", True]),
            "burst": st.sampled_from([0, 5, 10**9, "50k", {}]),
            "lease": st.sampled_from(["30s", 5, "0s"]),
            "mode": st.sampled_from(["shadow", "no"]),
            "x": st.none(),
        },
    )
)
def test_any_rule_is_policies_or_located_problems(rule: dict[str, object]) -> None:
    def written(value: object) -> str:
        return str(value).replace("None", "null").replace("True", "true")

    keys = "".join(f"    {key}: {written(value)}\n" for key, value in rule.items())
    check("quotas:\n  - why: Because.\n" + keys)
