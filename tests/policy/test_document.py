import json

import pytest
from pydantic import ValidationError

from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.quota import SECOND_US, Missing, Mode, Unit
from gateway.policy.rate import Rate

MINUTE_US = 60 * SECOND_US


def rule(**keys: object) -> QuotaRule:
    return QuotaRule.model_validate({"id": "a", "limit": "5/minute", **keys})


def said(**keys: object) -> str:
    with pytest.raises(ValidationError) as refused:
        rule(**keys)
    (error,) = refused.value.errors()
    return str(error["msg"])


def test_what_is_not_written_has_the_documented_default() -> None:
    least = rule()
    assert least.limit == (Rate(5, Unit.REQUESTS, MINUTE_US),)
    assert least.per == ("account.id",)
    assert least.window == "sliding"
    assert least.missing is Missing.ACCOUNT
    assert least.mode is Mode.ENFORCE
    assert least.lease == 30 * SECOND_US
    assert not least.wrote("mode")
    assert rule(mode="enforce").wrote("mode")


@pytest.mark.parametrize(
    ("written", "facts"),
    [
        ("account", ("account.id",)),
        ("account.id", ("account.id",)),
        (["account", "model"], ("account.id", "request.model")),
        (["end_user"], ("request.end_user",)),
    ],
)
def test_a_partition_key_is_a_fact_by_its_short_or_its_full_name(
    written: object, facts: tuple[str, ...]
) -> None:
    assert rule(per=written).per == facts


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("id", "Bad", "is not an id"),
        ("id", "-a", "is not an id"),
        ("id", "a b", "is not an id"),
        ("id", "a/b", "is not an id"),
        ("id", "é", "is not an id"),
        ("id", "a\n", "is not an id"),
        ("id", "", "is not an id"),
        ("id", "a" * 65, "is not an id"),
        ("id", None, '"id" must be text, not nothing'),
        ("why", "", '"why" has 0 characters'),
        ("why", " \n", '"why" has 0 characters'),
        ("why", "x" * 501, '"why" has 501 characters'),
        ("why", ["a"], '"why" must be text, not a list'),
        ("limit", [], '"limit" is an empty list'),
        ("limit", None, '"limit" must be text, not nothing'),
        ("limit", True, '"limit" must be text, not the truth value true'),
        ("limit", 600, '"600" has no window'),
        ("limit", "5/fortnight", "is not a window"),
        ("per", [], '"per" is an empty list'),
        ("per", "accaunt", 'Did you mean "account"?'),
        ("per", "payment", '"per: payment" is not a partition key'),
        ("per", "request.stream", "too many or too few values"),
        ("window", "calendar", "does not know"),
        ("burst", 0, "would never admit anything"),
        ("burst", "-5", "is negative"),
        ("burst", 1.5, "is a fraction"),
        ("burst", "50k tokens", "is not an amount"),
        ("lease", 30, "is not a duration"),
        ("lease", "4s", "Allowed: 5s to 1h"),
        ("lease", "2h", "Allowed: 5s to 1h"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(key: str, value: object, words: str) -> None:
    assert words in said(**{key: value})


@pytest.mark.parametrize("id_", ["a", "0", "a-b-", "requests-per-minute", "a" * 64])
def test_a_plain_id_is_an_id(id_: str) -> None:
    assert rule(id=id_).id == id_


def test_a_why_over_several_lines_is_one_sentence() -> None:
    assert rule(why="So that\n  nobody waits.\n").why == "So that nobody waits."


def test_a_number_without_quotes_is_an_amount_too() -> None:
    assert rule(burst=50).burst == 50
    assert rule(burst="50k").burst == 50_000


def test_every_key_is_described_for_the_schema() -> None:
    schema = PolicyFile.model_json_schema()
    json.dumps(schema)
    for model in (schema, schema["$defs"]["QuotaRule"]):
        assert model["additionalProperties"] is False
        for key, described in model["properties"].items():
            assert len(described["description"]) > 20, key
    assert schema["$defs"]["QuotaRule"]["required"] == ["id", "limit"]
