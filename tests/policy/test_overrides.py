"""What may be written about quotas that override others."""

from collections.abc import Mapping

import pytest

from gateway.policy.compile import quota
from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.overrides import MOST_CYCLES, override_doubts, override_faults
from gateway.policy.parse import inspect

Written = Mapping[str, Mapping[str, object]]


def rules(written: Written) -> dict[str, QuotaRule]:
    return {
        rule_id: QuotaRule.model_validate(
            {"id": rule_id, "why": "Because.", "limit": "5/minute", **keys}
        )
        for rule_id, keys in written.items()
    }


def faults(written: Written, *others: str) -> list[tuple[str, object, str]]:
    found = override_faults(rules(written), others)
    return [(of, fault.path, fault.message) for of, fault in found]


def doubts(written: Written) -> list[tuple[str, object, str]]:
    quotas = [quota(rule, PolicyFile.model_construct(), "") for rule in rules(written).values()]
    return [(of, fault.path, fault.message) for of, fault in override_doubts(quotas)]


def test_what_is_sound_is_told_nothing_of() -> None:
    assert faults({"a": {"overrides": ["b", "c"]}, "b": {"overrides": "c"}, "c": {}}) == []


def test_one_id_is_written_without_a_list() -> None:
    assert rules({"a": {"overrides": "b"}})["a"].overrides == ("b",)


def test_an_unknown_id_is_told_with_the_nearest() -> None:
    ((of, place, message),) = faults(
        {"a": {"overrides": ["c", "nightlybatch"]}, "c": {}}, "nightly-batch"
    )
    assert (of, place) == ("a", ("overrides", 1))
    assert message == (
        '"overrides: nightlybatch" is no quota of these policies. Allowed: c, nightly-batch. '
        'Did you mean "nightly-batch"?'
    )


def test_a_rule_that_is_wrong_itself_is_no_unknown_one() -> None:
    assert faults({"a": {"overrides": "wrong"}}, "wrong") == []


def test_nobody_overrides_himself() -> None:
    ((_, place, message),) = faults({"a": {"overrides": "a"}})
    assert place == ("overrides", 0)
    assert "cannot override itself" in message


def test_nothing_overrides_what_is_always() -> None:
    ((of, place, message),) = faults(
        {"a": {"overrides": ["b", "c"]}, "b": {}, "c": {"always": True}}
    )
    assert (of, place) == ("a", ("overrides", 1))
    assert '"c" says "always: true"' in message


def test_what_is_always_may_itself_override() -> None:
    assert faults({"a": {"overrides": "b", "always": True}, "b": {}}) == []


def test_a_ring_is_told_once_where_it_begins() -> None:
    ring = {"x": {"overrides": "b"}, "a": {"overrides": "b"}, "b": {"overrides": "c"}}
    ((of, place, message),) = faults({**ring, "c": {"overrides": ["x", "a"][1:]}})
    assert (of, place) == ("a", ("overrides", 0))
    assert '"a" overrides "b", "b" overrides "c", "c" overrides "a"' in message


def test_each_of_several_rings_is_told() -> None:
    pairs = {f"{name}{n}": {"overrides": f"{name}{3 - n}"} for name in "abc" for n in (1, 2)}
    assert [of for of, _, _ in faults(pairs)] == ["a1", "b1", "c1"]
    everybody = [f"q{n}" for n in range(30)]
    knot = {one: {"overrides": [other for other in everybody if other != one]} for one in everybody}
    assert len(faults(knot)) == MOST_CYCLES


def test_a_chain_of_thousands_is_no_ring_and_takes_no_time() -> None:
    chain = {f"q{n}": {"overrides": f"q{n + 1}"} for n in range(3_000)}
    assert faults({**chain, "q3000": {}}) == []


def test_a_problem_stands_where_it_is_written() -> None:
    text = (
        "quotas:\n  - {id: a, why: Because., limit: 5/minute, overrides: bb}\n"
        "  - {id: b, why: Because., limit: 6/minute, overrides: [b]}\n"
        "  - {id: c, why: Because., limit: 7/minute, overrides: [a, a]}\n"
        "  - {id: d, why: Because., limit: 8/minute, always: yes}\n"
    )
    found = inspect({"p.yaml": text}).problems
    assert [(p.line, p.column) for p in found] == [(2, 56), (3, 57), (4, 60), (5, 53)]
    assert 'Did you mean "b"?' in found[0].message
    assert "same thing twice" in found[2].message


def test_rings_over_several_files_are_found() -> None:
    files = {
        f"{one}.yaml": f"quotas: [{{id: {one}, why: B., limit: 5/day, overrides: {other}}}]"
        for one, other in (("a", "b"), ("b", "a"))
    }
    (problem,) = inspect(files).problems
    assert problem.file == "a.yaml"
    assert "in a ring" in problem.message


def test_a_shadow_is_doubted_if_it_would_relieve_from_what_enforces() -> None:
    ((_, place, message),) = doubts(
        {"a": {"mode": "shadow", "overrides": ["b", "c"], "when": "request.stream"}, "b": {}}
        | {"c": {"mode": "shadow"}}
    )
    assert place == ("overrides", 0)
    assert '"b" holds as before' in message


def test_what_is_overridden_wherever_it_applies_never_holds() -> None:
    ((of, _, message),) = doubts({"a": {"overrides": "b"}, "b": {"when": "request.stream"}})
    assert of == "a"
    assert '"b" never holds' in message
    both = {"when": "request.stream"}
    assert doubts({"a": {"overrides": "b", **both}, "b": both})


@pytest.mark.parametrize(
    "keys",
    [
        {"when": "request.stream"},
        {"per": ["account", "session"], "missing": "skip"},
        {"limit": "5k tokens/minute"},
    ],
)
def test_who_does_not_always_count_leaves_it_something(keys: dict[str, object]) -> None:
    assert doubts({"a": {"overrides": "b", **keys}, "b": {}}) == []


def test_who_may_be_overridden_himself_leaves_it_something() -> None:
    written = {"a": {"overrides": "b"}, "b": {}, "c": {"overrides": "a", "when": "request.stream"}}
    assert doubts(written) == []
