"""Credentials leave nothing behind but keyed hashes."""

import pytest

from gateway.facts.principal import Account, Principal, Secret, can_name_account

SECRET = Secret(b"0123456789abcdef")
CREDENTIAL = "sk-canary-1234"


def test_a_hash_depends_on_the_secret_and_on_its_purpose() -> None:
    other = Secret(b"fedcba9876543210")
    assert SECRET.credential_hash(CREDENTIAL) == SECRET.credential_hash(CREDENTIAL)
    assert SECRET.credential_hash(CREDENTIAL) != other.credential_hash(CREDENTIAL)
    named = SECRET.anonymous_account_id(CREDENTIAL).removeprefix("key_")
    assert named not in SECRET.credential_hash(CREDENTIAL)
    assert SECRET.pseudonym(CREDENTIAL) != named


def test_nothing_of_a_credential_or_secret_is_shown() -> None:
    shown = [
        SECRET.credential_hash(CREDENTIAL),
        SECRET.anonymous_account_id(CREDENTIAL),
        SECRET.pseudonym(CREDENTIAL),
        repr(SECRET),
    ]
    assert not any("canary" in text or "0123456789abcdef" in text for text in shown)


def test_names_have_the_lengths_that_others_rely_on() -> None:
    assert len(SECRET.credential_hash(CREDENTIAL)) == 64
    assert len(SECRET.anonymous_account_id(CREDENTIAL)) == len("key_") + 20
    assert len(SECRET.pseudonym(CREDENTIAL)) == 20


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        (None, None),
    ],
)
def test_one_host_has_one_network_however_many_addresses(
    address: str | None, network: str | None
) -> None:
    assert Principal(Account("acme"), address).client_network == network


@pytest.mark.parametrize(
    "name", ["acme", "a", "auth0|12", "CN=Acme, O=x", "spiffe://corp/a", "7", "a" * 255]
)
def test_what_identifies_elsewhere_can_name_an_account(name: str) -> None:
    assert can_name_account(name)


@pytest.mark.parametrize("name", ["", " a", "a ", "a\n", "a\tb", "\u00e4", "a" * 256, "key_1"])
def test_what_would_mislead_or_is_ours_cannot(name: str) -> None:
    assert not can_name_account(name)


def test_a_fingerprint_tells_secrets_apart_and_is_none_of_the_other_names() -> None:
    one, two = Secret(b"one"), Secret(b"two")
    assert one.fingerprint() == Secret(b"one").fingerprint() != two.fingerprint()
    assert len(one.fingerprint()) == 16
    assert one.fingerprint() not in (one.credential_hash("")[:16], one.pseudonym("")[:16])
