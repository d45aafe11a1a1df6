import pytest

from gateway.replay.principals import Principals, UnusableRecord
from gateway.replay.record import Attribute


def test_attributes_stand_where_an_accounts_file_has_them() -> None:
    principal = Principals().of(
        "acct_1",
        {
            "plan": "pro",
            "organization": "org_9",
            "created_at": 1_779_900_000.7,
            "address": "203.0.113.7",
            "payment": "pm_71",
            "tags": ["beta", "eu"],
            "seats": 3,
            "verified": True,
            "region": None,
        },
    )
    account = principal.account
    assert (account.id, account.plan, account.organization) == ("acct_1", "pro", "org_9")
    assert account.created_at_s == 1_779_900_000
    assert principal.client_address == "203.0.113.7"
    assert dict(account.attributes) == {
        "payment": "pm_71",
        "tags": "beta,eu",
        "seats": "3",
        "verified": "true",
    }


def test_any_attribute_may_be_missing() -> None:
    principal = Principals().of("acct_1", {})
    assert principal.account.plan is None
    assert principal.account.created_at_s is None
    assert principal.client_address is None


def test_an_account_that_changes_its_plan_is_read_anew() -> None:
    principals = Principals()
    free = principals.of("acct_1", {"plan": "free"})
    assert principals.of("acct_1", {"plan": "free"}) is free
    assert principals.of("acct_1", {"plan": "pro"}).account.plan == "pro"
    assert len(principals) == 1


@pytest.mark.parametrize("created_at", ["yesterday", True, [], -1, 1_780_000_000_000])
def test_a_moment_that_is_none_makes_no_account(created_at: Attribute) -> None:
    with pytest.raises(UnusableRecord, match="created_at"):
        Principals().of("acct_1", {"created_at": created_at})
