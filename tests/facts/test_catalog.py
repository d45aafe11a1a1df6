"""Every fact that a policy can name can be read."""

import pytest

from gateway.facts.catalog import CATALOG, PARTITION_NAMES, FactType, partition_value
from tests.parts.values import MODELS, facts

TYPES = {FactType.STRING: str, FactType.INT: int, FactType.BOOL: bool}


@pytest.mark.parametrize("name", CATALOG)
def test_a_fact_has_its_type_or_no_value(name: str) -> None:
    fact = CATALOG[name]
    value = fact.read(facts(organization="org_1", stream=True))
    assert value is None or type(value) is TYPES[fact.type]
    assert fact.meaning.endswith(".")


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
