"""Credentials leave nothing behind but keyed hashes."""

from gateway.facts.principal import Secret

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
