"""Which expressions are worked out in Python; that they come out right, `test_expressions` says."""

import ast

import pytest

from gateway.policy.behaviour_expression import expression
from gateway.policy.cel_python import Translation, function


def translation() -> Translation:
    return Translation(lambda name: ast.Name(name.replace(".", "_"), ast.Load()))


def in_python(text: str) -> str | None:
    made = translation().of(expression(text).root)
    return None if made is None else ast.unparse(made)


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("request.n > 1 && !request.stream", "request_n > 1 and (not request_stream)"),
        ('account.plan in ["a", "b"]', "account_plan in {'a', 'b'}"),
        ("request.n in [1, 2]", "request_n in [1, 2]"),
        ("request.n + 1 == 2", "_added(request_n, 1) == 2"),
        ("request.temperature / 2.0 > 0.5", "request_temperature / 2.0 > 0.5"),
        ('request.model.startsWith("a")', "request_model.startswith('a')"),
        ('request.model.matches("a")', "_found(_pattern0, request_model)"),
        ('prompt.matches("fishing")', "'fishing' in prompt_matches"),
        ("has(account.attributes.a)", "'a' in account_attributes"),
        ('account.attributes["a"]', "account_attributes['a']"),
        ("size(account.tags)", "_len(account_tags)"),
    ],
)  # fmt: skip
def test_the_usual_subset_is_translated(text: str, python: str) -> None:
    assert in_python(text) == python


@pytest.mark.parametrize(
    "text",
    [
        'account.tags.exists(tag, tag == "b")',
        "int(request.temperature) > 1",
        'account.tags[0] == "a"',
        'timestamp(account.plan) > timestamp("2027-01-01T00:00:00Z")',
        '{"a": request.n} == {"a": 1}',
        "dyn(request.n) == 1",
        "request.n == 1 || int(request.temperature) > 1",
        'request.model.matches("a") == (account.tags[0] == "a")',
        'account.tags[0] in ["a"]',
        "account.tags[0].matches('a')",
        "has(account.attributes.a) ? int(account.plan) : 5",
    ],
)  # fmt: skip
def test_anything_else_is_left_to_cel(text: str) -> None:
    assert in_python(text) is None


def test_what_is_made_can_call_nothing_but_what_it_is_given() -> None:
    made = ast.parse("open('x')", mode="eval").body
    with pytest.raises(NameError):
        function("f", [], [ast.Return(made)], {})()
