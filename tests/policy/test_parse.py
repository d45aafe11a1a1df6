from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.policy.parse import digest, inspect, load
from gateway.policy.quota import Mode
from gateway.policy_directory import read_texts
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
    limit: 40 EUR/day
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
        (13, 12, '"EUR"'),
        (16, 12, '"burst"'),
        (19, 5, '"limit"'),
    ]
    lines = TEN_MISTAKES.splitlines()
    assert all(problem.excerpt == lines[problem.line - 1] for problem in found)


def test_an_error_names_the_place_the_value_the_allowed_and_the_nearest() -> None:
    (problem,) = problems(SOUND + "    per: accaunt\n")
    assert str(problem) == (
        'a.yaml:5:10: "per: accaunt" is not a partition key. Allowed: account, plan, organization, '
        "signup_hour, payment, network, origin, address, sdk, route, dialect, model, end_user, "
        'session. Did you mean "account"?'
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


@pytest.mark.parametrize("word", ["share", "open", "closed"])
def test_what_holds_while_the_store_is_away_is_one_of_three_words(word: str) -> None:
    (quota,) = load({"a.yaml": SOUND + f"    on_store_failure: {word}\n"}).quotas
    assert quota.limits[0].on_store_failure == word
    (problem,) = problems(SOUND + "    on_store_failure: refuse\n")
    assert (problem.line, problem.column) == (5, 23)
    assert "closed" in problem.message


def test_a_fault_inside_a_condition_is_told_where_it_stands_in_the_file() -> None:
    found = problems(
        SOUND + '    when: request.modal == "a" || account.pln == ""\n',
        SOUND.replace("id: a", "id: b") + "    when: |\n      request.n > 1 &&\n        foo\n",
        SOUND.replace("id: a", "id: c") + "    when: >-\n      request.n > 1\n      and true\n",
        SOUND.replace("id: a", "id: d") + "    when: 'request.model == ''a'' && 5'\n",
    )
    assert [(p.file, p.line, p.column) for p in found] == [
        ("a.yaml", 5, 11),
        ("a.yaml", 5, 35),
        ("b.yaml", 7, 9),
        ("c.yaml", 7, 7),
        ("d.yaml", 5, 35),
    ]
    assert 'Did you mean "request.model"?' in found[0].message
    assert '"foo" is not a fact' in found[2].message


@pytest.mark.parametrize(
    ("keys", "place", "words"),
    [
        ("when: 5", (5, 11), '"when" must be a condition, not the number 5'),
        ("when:", (5, 5), '"when" must be a condition, not nothing'),
        ("when: ''", (5, 12), "ends too early"),
        ("timezone: Europe/Berln", (5, 15), 'Did you mean "Europe/Berlin"?'),
        ("timezone: Europe/Berlin", (5, 15), "does nothing in a sliding window"),
        ("scale: {free: -1}", (5, 19), "is negative"),
        ("scale: {free: 1, free: 2}", (5, 22), "is written twice"),
        ("scale: [1, 2]", (5, 12), '"scale" must be a mapping'),
        ("scale:", (5, 5), '"scale" holds nothing'),
        ("weights: 4", (5, 14), '"weights" must be a mapping'),
        ("weights: {outputs: 4}", (5, 15), 'Did you mean "output"?'),
        ("unpriced: dear", (5, 15), 'Did you mean "dearest"?'),
        ("warn_at: 0.8", (5, 14), "Write 1% to 99%"),
        ("window: kalendar", (5, 13), 'Did you mean "calendar"?'),
        ("when: request.stream\n    when: request.stream", (6, 5), "is written twice"),
    ],
)
def test_a_key_with_a_value_that_cannot_be_meant_is_one_located_problem(
    keys: str, place: tuple[int, int], words: str
) -> None:
    (problem,) = problems(SOUND + f"    {keys}\n")
    assert (problem.line, problem.column) == place
    assert words in problem.message


SPEND = "quotas:\n  - {id: a, why: Because., unpriced: refuse, limit: 40 USD/day}\n"
PRICES = "prices:\n  frontier-*: {input: 3 USD, output: 15 USD}\n"


def test_prices_of_all_files_are_one_table() -> None:
    policies = load({"a.yaml": SPEND, "b.yaml": PRICES, "c.yaml": PRICES.replace("ier-*", "")})
    assert set(policies.prices.by_pattern) == {"frontier-*", "front"}


def test_a_limit_in_money_needs_prices() -> None:
    (problem,) = problems(SOUND, SPEND.replace("id: a", "id: b"))
    assert (problem.file, problem.line, problem.column) == ("b.yaml", 2, 53)
    assert "needs prices" in problem.message


def test_prices_alone_limit_nothing() -> None:
    (problem,) = problems(PRICES)
    assert (problem.line, problem.message) == (
        2,
        "Prices alone limit nothing. Write a rule in USD.",
    )


@pytest.mark.parametrize(
    ("written", "place", "words"),
    [
        ("{input: 3 USD}", (3, 15), '"output" is missing here'),
        ("{input: 3, output: 1 USD}", (3, 23), '"3" is not an amount of money'),
        ("{input: -3 USD, output: 1 USD}", (3, 23), "is negative"),
        ("{input: 3 USD, input: 1 USD, output: 1 USD}", (3, 30), "is written twice"),
        ("{input: 3 USD, output: 1 USD, image: 1 USD}", (3, 45), '"image" is not a key here'),
        ("3 USD", (3, 15), '"frontier-*" must be a mapping'),
        ("", (3, 3), '"frontier-*" must be a mapping'),
    ],
)
def test_a_price_that_cannot_be_meant_is_one_located_problem(
    written: str, place: tuple[int, int], words: str
) -> None:
    (problem,) = problems(f"# spend\nprices:\n  frontier-*: {written}\n{SPEND}")
    assert (problem.line, problem.column) == place
    assert words in problem.message


@pytest.mark.parametrize("pattern", ['""', "a" * 300, '"a\\u0007"'])
def test_what_no_model_can_be_called_has_no_price(pattern: str) -> None:
    (problem,) = problems(f"prices:\n  ? {pattern}\n  : {{input: 3 USD, output: 1 USD}}\n{SPEND}")
    assert (problem.line, problem.column) == (2, 5)
    assert "is not the name of a model" in problem.message


def test_a_pattern_has_one_price_over_all_files() -> None:
    found = problems(SPEND + PRICES, "# more\n" + PRICES)
    assert [(p.file, p.line, p.column) for p in found] == [("b.yaml", 3, 3)]
    assert '"frontier-*" is taken; first in a.yaml:4' in found[0].message


def test_a_file_with_a_fault_does_not_make_prices_seem_missing() -> None:
    (problem,) = problems(SPEND, PRICES + "mode: shadw\n")
    assert "shadw" in problem.message


def test_what_another_quota_undercuts_is_warned_of_where_it_stands() -> None:
    looser = "quotas:\n  - id: b\n    why: Because.\n    limit: [3 concurrent, 9/minute]\n"
    (warning,) = inspect({"a.yaml": SOUND, "b.yaml": looser}).warnings
    assert (warning.file, warning.line, warning.column) == ("b.yaml", 4, 27)


def test_a_condition_that_can_fail_is_warned_of_where_it_can() -> None:
    text = SOUND + '    when: account.attributes["tier"] == "x"\n'
    (warning,) = inspect({"a.yaml": text}).warnings
    assert (warning.line, warning.column) == (5, 29)


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
    inspection = inspect(read_texts(SHIPPED))
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
        *("prices", "scale", "5 USD/day", "timezone", "calendar", "request.model ==", "weights"),
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
        {
            "id": st.sampled_from(["a", "B", 5, None]),
            "limit": st.sampled_from(["5/day", 5, ["x"], "5 USD/day"]),
        },
        optional={
            "per": st.sampled_from(["account", "x", [], ["model", "model"]]),
            "window": st.sampled_from(["bucket", "sliding", "calendar", True]),
            "when": st.sampled_from(["request.stream", "request.n", "|\n     account.x", 5]),
            "scale": st.sampled_from(["{free: 1}", "{}", "{default: 0.1}", "{free: x}", 5]),
            "timezone": st.sampled_from(["UTC", "Mars", 1]),
            "unpriced": st.sampled_from(["free", "dear"]),
            "warn_at": st.sampled_from(["80%", 80]),
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


def test_a_wrong_condition_is_told_beside_another_mistake_of_its_rule() -> None:
    text = (
        "quotas:\n  - id: x\n    why: y\n    limit: 5 requests/minute\n"
        '    when: request.modl == "x"\n    warn_at: 120%\n'
    )
    lines = [problem.line for problem in inspect({"a.yaml": text}).problems]
    assert lines == [5, 6]
