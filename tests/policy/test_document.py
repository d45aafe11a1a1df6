import json
from fractions import Fraction

import pytest
from pydantic import ValidationError

from gateway.policy.document import PolicyFile, QuotaRule
from gateway.policy.quota import SECOND_US, Missing, Mode, Unit
from gateway.policy.rate import Rate
from gateway.policy.written_values import Burst

MINUTE_US = 60 * SECOND_US

MODELS = ("QuotaRule", "ModelPrice", "TokenWeights")


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
        ("per", "prompt.frame", '"per: prompt.frame" is not a partition key'),
        ("per", "account.tags", "too many or too few values"),
        ("per", "request.stream", "too many or too few values"),
        ("when", True, '"when" must be a condition, not the truth value true'),
        ("when", ["a"], '"when" must be a condition, not a list'),
        ("scale", {}, '"scale" holds nothing'),
        ("scale", None, '"scale" holds nothing'),
        ("scale", {"free": 0}, "would never admit anything"),
        ("scale", {"free": -1}, "is negative"),
        ("scale", {"free": 10**9}, "The most is 1,000,000"),
        ("scale", {"free": "twice"}, "is not a factor"),
        ("scale", {"free": None}, '"scale" must be text, not nothing'),
        ("scale", 5, "valid dictionary"),
        ("timezone", "Europe/Berln", 'Did you mean "Europe/Berlin"?'),
        ("timezone", 2, "is not a timezone"),
        ("weights", {"output": -1}, "is negative"),
        ("weights", {"output": "4 USD"}, "is not a factor"),
        ("weights", {"image": 4}, "not permitted"),
        ("unpriced", "cheapest", "'dearest', 'refuse' or 'free'"),
        ("on_abort", "refund", "'delivered' or 'reservation'"),
        ("warn_at", 80, "is not a share of a limit"),
        ("warn_at", "100%", "is not a share of a limit"),
        ("burst", 0, "would never admit anything"),
        ("burst", "-5", "is negative"),
        ("burst", 1.5, "is a fraction"),
        ("burst", "50k tokens", "is not an amount"),
        ("burst", "-5 USD", "is negative"),
        ("burst", "USD", "is not an amount of money"),
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
    assert rule(burst=50).burst == Burst(50, money=False)
    assert rule(burst="50k").burst == Burst(50_000, money=False)


def test_a_burst_of_money_says_so() -> None:
    assert rule(burst="0.50 USD").burst == Burst(500_000, money=True)


def test_factors_are_read_exactly_as_they_are_written() -> None:
    assert rule(scale={"free": 0.1, "pro": "5"}).scale == {
        "free": Fraction(1, 10),
        "pro": Fraction(5),
    }
    weights = rule(weights={"cached": 0.1, "output": 4}).weights
    assert weights is not None
    assert (weights.input, weights.output) == (Fraction(1), Fraction(4))
    assert weights.cached == Fraction(1, 10)
    assert weights.reasoning is weights.cache_write is None


def prices(**keys: object) -> object:
    return PolicyFile.model_validate({"prices": {"m": keys}}).prices["m"]


def test_a_price_is_for_a_million_tokens() -> None:
    price = PolicyFile.model_validate(
        {"prices": {"a-*": {"input": "3 USD", "output": "15 USD", "cached": "0.30 USD"}}}
    ).prices["a-*"]
    assert (price.input, price.output, price.cached) == (3_000_000, 15_000_000, 300_000)
    assert price.cache_write is price.reasoning is None
    assert prices(input="0 USD", output="0 USD")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"input": "3 USD"}, "Field required"),
        ({"input": 3, "output": "15 USD"}, '"3" is not an amount of money'),
        ({"input": "-3 USD", "output": "15 USD"}, "is negative"),
        ({"input": "3 EUR", "output": "15 USD"}, "is not an amount of money"),
        ({"input": "99G USD", "output": "15 USD"}, "The most is 1,099,511 USD"),
        ({"input": "3 USD/day", "output": "15 USD"}, "is not an amount of money"),
        ({"input": [], "output": "15 USD"}, '"prices" must be text, not a list'),
        ({"input": "3 USD", "output": "15 USD", "audio": "1 USD"}, "not permitted"),
    ],
)
def test_a_price_that_cannot_be_meant_is_refused(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        prices(**keys)
    (error,) = refused.value.errors()
    assert words in str(error["msg"])


@pytest.mark.parametrize("written", [{}, None])
def test_a_section_of_prices_is_not_empty(written: object) -> None:
    with pytest.raises(ValidationError, match='"prices" holds nothing'):
        PolicyFile.model_validate({"prices": written})


def test_every_key_is_described_for_the_schema() -> None:
    schema = PolicyFile.model_json_schema()
    json.dumps(schema)
    for model in (schema, *(schema["$defs"][name] for name in MODELS)):
        assert model["additionalProperties"] is False
        for key, described in model["properties"].items():
            assert len(described["description"]) > 20, key
    assert schema["$defs"]["QuotaRule"]["required"] == ["id", "limit"]
