from typing import Any

import pytest

from gateway.errors import UnknownCredential
from gateway.facts.principal import Account
from gateway.identity.claims import account_of, valid_until_us
from gateway.identity.document import IssuerEntry
from tests.parts.token_issuer import AUDIENCE, ISSUER, NOW_S, NOW_US

GOOD: dict[str, Any] = {"aud": AUDIENCE, "exp": NOW_S + 60, "sub": "acme"}


def entry(**more: Any) -> IssuerEntry:
    return IssuerEntry.model_validate(
        {"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": "k.json"} | more
    )


def refusal(claims: dict[str, Any], **more: Any) -> str:
    with pytest.raises(UnknownCredential) as refused:
        valid_until_us(claims, entry(**more), NOW_US)
    return refused.value.message


def unusable(claims: dict[str, Any], **more: Any) -> str:
    with pytest.raises(UnknownCredential) as refused:
        account_of(claims, entry(**more))
    return refused.value.message


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": ["another", AUDIENCE]},
        {"exp": NOW_S - 29},
        {"exp": NOW_S + 0.5},
        {"exp": 1e300},
        {"exp": 10**30},
        {"nbf": NOW_S + 30},
        {"nbf": None},
    ],
)
def test_a_good_token_holds_until_it_expires(claims: dict[str, Any]) -> None:
    assert valid_until_us(GOOD | claims, entry(), NOW_US) > NOW_US


def test_it_holds_for_the_leeway_longer_and_not_a_microsecond_more() -> None:
    claims = GOOD | {"exp": NOW_S}
    assert valid_until_us(claims, entry(leeway_seconds=30), NOW_US) == NOW_US + 30_000_000
    assert refusal(claims, leeway_seconds=0) == "The token has expired. Get a new one."


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": NOW_S - 30}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": None}, "exp is missing"),
        ({"exp": str(NOW_S + 60)}, "exp is missing or not a date"),
        ({"exp": True}, "exp is missing or not a date"),
        ({"exp": -1}, "exp is missing or not a date"),
        ({"exp": float("nan")}, "exp is missing or not a date"),
        ({"exp": float("inf")}, "exp is missing or not a date"),
        ({"exp": [NOW_S]}, "exp is missing or not a date"),
        ({"nbf": NOW_S + 31}, "not valid yet"),
        ({"nbf": "tomorrow"}, "nbf is missing or not a date"),
        ({"aud": None}, "another audience"),
        ({"aud": "gauge"}, "another audience"),
        ({"aud": "gaugers"}, "another audience"),
        ({"aud": "GAUGER"}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": [["gauger"], {"gauger": 1}, 5]}, "another audience"),
        ({"aud": {"gauger": 1}}, "another audience"),
    ],
)
def test_what_does_not_hold_is_refused_in_words(claims: dict[str, Any], words: str) -> None:
    assert words in refusal(GOOD | claims)


def test_any_of_several_audiences_will_do() -> None:
    assert valid_until_us(GOOD | {"aud": "b"}, entry(audience=["a", "b"]), NOW_US)


def test_claims_become_what_they_are_mapped_to() -> None:
    claims = {
        "sub": "acme",
        "https://example.com/plan": "pro",
        "org": {"id": "acme-corp", "seats": 5, "trial": False},
        "opened": 1_760_000_000.5,
        "region": "",
    }
    mapped = entry(
        prefix="corp/",
        plan="https://example.com/plan",
        organization="org.id",
        created_at="opened",
        attributes={"seats": "org.seats", "trial": "org.trial", "no": "org.x.y", "where": "region"},
    )
    assert account_of(claims, mapped) == Account(
        "corp/acme", "pro", "acme-corp", {"seats": "5", "trial": "false"}, 1_760_000_000
    )


def test_another_claim_may_name_the_account() -> None:
    assert account_of({"sub": "person", "tenant": 42}, entry(account="tenant")).id == "42"


@pytest.mark.parametrize("sub", [None, "", 5.5, ["acme"], {"a": "b"}, "a" * 300])
def test_without_a_name_that_can_be_an_accounts_there_is_none(sub: object) -> None:
    assert "claim sub" in unusable({"sub": sub})


@pytest.mark.parametrize("sub", ["key_0123456789abcdef0123", " acme", "a\u202eb", "a\nb", "ä"])
def test_no_token_can_take_a_name_of_ours_or_one_that_misleads(sub: str) -> None:
    assert "claim sub" in unusable({"sub": sub})


@pytest.mark.parametrize("plan", [["pro"], {"name": "pro"}, 1.5, 2**63, "a" * 257, "pro\x00"])
def test_a_mapped_claim_of_another_kind_is_not_guessed_at(plan: object) -> None:
    told = unusable({"sub": "acme", "plan": plan}, plan="plan")
    assert told == "The token's claim plan is not of the kind that is taken here."


@pytest.mark.parametrize("org", ["acme", 5, True, ["id"], ""])
def test_a_path_through_what_is_no_object_is_not_guessed_at(org: object) -> None:
    told = unusable({"sub": "acme", "org": org}, organization="org.id")
    assert told == "The token's claim org.id is not of the kind that is taken here."


@pytest.mark.parametrize("org", [None, {}, {"id": None}, {"other": "x"}])
def test_a_path_that_ends_early_is_a_missing_claim(org: object) -> None:
    mapped = entry(organization="org.id", attributes={"x": "org.id.of"})
    assert account_of({"sub": "acme", "org": org}, mapped).organization is None


@pytest.mark.parametrize("opened", ["2026", True, -1, 10**13, float("nan"), float("inf"), [1]])
def test_a_date_that_is_none_is_refused(opened: object) -> None:
    assert "claim opened" in unusable({"sub": "acme", "opened": opened}, created_at="opened")
