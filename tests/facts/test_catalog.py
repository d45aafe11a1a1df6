"""Every fact that a policy can name can be read."""

from dataclasses import replace

import pytest

from gateway.facts.catalog import CATALOG, PARTITION_NAMES, FactType, partition_value
from gateway.facts.principal import Account, Principal
from tests.parts.values import MODELS, facts

TYPES = {
    FactType.STRING: str,
    FactType.INT: int,
    FactType.DOUBLE: float,
    FactType.BOOL: bool,
    FactType.STRINGS: list,
    FactType.MAP: dict,
}
DAY_S = 86_400


def account(attributes: dict[str, str] | None = None, created_at_s: int | None = None) -> Principal:
    return Principal(Account("a", attributes=attributes or {}, created_at_s=created_at_s))


def read(name: str, principal: Principal, at_us: int = 0) -> object:
    return CATALOG[name].value(replace(facts(), principal=principal, at_us=at_us))


@pytest.mark.parametrize("name", CATALOG)
def test_a_fact_has_its_type_or_no_value(name: str) -> None:
    fact = CATALOG[name]
    found = fact.read(facts(organization="org_1", stream=True))
    assert found is None or type(found) is TYPES[fact.type]
    assert fact.meaning.endswith(".")


@pytest.mark.parametrize("name", CATALOG)
def test_a_condition_always_reads_a_value_of_the_type(name: str) -> None:
    fact = CATALOG[name]
    bare = replace(facts(model=None, max_output_tokens=None), principal=Principal(Account("a")))
    assert type(fact.value(bare)) is TYPES[fact.type]
    if fact.read(bare) is None:
        assert fact.value(bare) == fact.missing


@pytest.mark.parametrize("fact", [f for f in CATALOG.values() if f.slow or f.partitions])
def test_what_is_remembered_or_counted_by_is_a_plain_value(fact: object) -> None:
    assert CATALOG[fact.name].type not in (FactType.STRINGS, FactType.MAP)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("created_at_s", "at_s", "days"),
    [
        (0, 29 * DAY_S, 29),
        (0, 30 * DAY_S - 1, 29),
        (0, 30 * DAY_S, 30),
        (5 * DAY_S, 3 * DAY_S, 0),
        (None, 900 * DAY_S, 0),
    ],
)
def test_an_account_of_unknown_age_is_a_young_one(
    created_at_s: int | None, at_s: int, days: int
) -> None:
    principal = account(created_at_s=created_at_s)
    assert read("account.age_days", principal, at_s * 1_000_000) == days


@pytest.mark.parametrize("name", ["payment", "network", "origin"])
def test_what_else_is_known_of_an_account_are_its_attributes(name: str) -> None:
    assert read(f"account.{name}", account({name: "x"})) == "x"
    assert read(f"account.{name}", account()) == ""
    assert read("account.attributes", account({"region": "eu"})) == {"region": "eu"}


@pytest.mark.parametrize(
    ("written", "tags"),
    [("beta", ["beta"]), ("beta, internal  eu", ["beta", "internal", "eu"]), ("", []), (None, [])],
)
def test_tags_are_parted_by_commas_or_spaces(written: str | None, tags: list[str]) -> None:
    attributes = {} if written is None else {"tags": written}
    assert read("account.tags", account(attributes)) == tags


def test_a_short_name_means_the_same_fact() -> None:
    assert PARTITION_NAMES["account"] == PARTITION_NAMES["account.id"] == "account.id"


def test_what_is_no_partition_cannot_be_counted_by() -> None:
    assert "request.max_tokens" not in PARTITION_NAMES


def test_the_value_of_a_partition_is_text() -> None:
    assert partition_value("account.id", facts("acct_7")) == "acct_7"
    assert partition_value("request.n", facts(choices=2)) == "2"


@pytest.mark.parametrize("organization", [None, ""])
def test_an_empty_value_is_a_missing_one(organization: str | None) -> None:
    assert partition_value("account.organization", facts(organization=organization)) is None


def test_a_list_of_models_names_none() -> None:
    assert partition_value("request.model", facts(model=None, route=MODELS)) is None


@pytest.mark.parametrize(
    ("created_at_s", "bucket"),
    [
        (0, "1970-01-01T00Z"),
        (3 * 3_600 - 1, "1970-01-01T00Z"),
        (3 * 3_600, "1970-01-01T03Z"),
        (1_780_272_000 + 80_000, "2026-06-01T21Z"),
        (10**11, "5138-11-16T09Z"),
        (None, ""),
    ],
)
def test_accounts_that_were_opened_within_three_hours_share_them(
    created_at_s: int | None, bucket: str
) -> None:
    assert read("account.signup_hour", account(created_at_s=created_at_s)) == bucket
