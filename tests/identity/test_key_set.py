import json
from typing import Any

import pytest

from gateway.identity.key_set import ALGORITHMS, MAX_KEYS, KeySet, UnusableKeys, parse_key_set
from tests.parts.token_issuer import Signer, key_set, private_key, public_jwk

RSA = public_jwk(private_key("RS256"), "RS256", kid="a")
EC = public_jwk(private_key("ES256"), "ES256", kid="b")
ED = public_jwk(private_key("EdDSA"), "EdDSA", kid="c")


def usable(keys: KeySet, key_id: str | None) -> set[str]:
    return {name for name in ALGORITHMS if keys.find(key_id, name)}


def test_a_key_is_good_for_the_algorithms_of_its_kind_and_no_other() -> None:
    keys = parse_key_set(key_set(RSA, EC, ED))
    assert usable(keys, "a") == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert usable(keys, "b") == {"ES256"}
    assert usable(keys, "c") == {"EdDSA"}
    assert usable(keys, "d") == set()
    assert len(keys) == 3


def test_a_key_that_says_its_algorithm_is_good_for_that_one_alone() -> None:
    assert usable(parse_key_set(key_set(RSA | {"alg": "PS256"})), "a") == {"PS256"}


@pytest.mark.parametrize("algorithm", ["ES384", "ES512"])
def test_the_curve_decides(algorithm: str) -> None:
    key = public_jwk(private_key(algorithm), algorithm, kid="x")
    assert usable(parse_key_set(key_set(key)), "x") == {algorithm}


def test_without_an_id_the_only_fitting_key_is_meant_and_of_two_none() -> None:
    other = public_jwk(private_key("RS256", "other"), "RS256", kid="other")
    assert parse_key_set(key_set(RSA, EC)).find(None, "RS256") is not None
    assert parse_key_set(key_set(RSA, other)).find(None, "RS256") is None
    nameless = public_jwk(private_key("RS256"), "RS256")
    assert parse_key_set(key_set(nameless)).find(None, "RS256") is not None
    assert parse_key_set(key_set(nameless)).find("a", "RS256") is None


@pytest.mark.parametrize(
    "other",
    [
        EC | {"use": "enc"},
        EC | {"key_ops": ["deriveKey"]},
        EC | {"alg": "ECDH-ES"},
        EC | {"crv": "secp256k1"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "b"},
        {"kty": "AKP", "kid": "b"},
        {"kid": "b"},
        public_jwk(private_key("RS256", "short", bits=1024), "RS256", kid="b"),
    ],
)
def test_keys_for_other_purposes_and_short_ones_are_passed_over(other: dict[str, Any]) -> None:
    keys = parse_key_set(key_set(RSA, other))
    assert usable(keys, "b") == set()
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JWK set"),
        (b'{"keys": {}}', "not a JWK set"),
        (b'{"keys": [1]}', "not a JWK set"),
        (b'{"keys": []}', "no key for signatures"),
        (key_set({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}), "private or shared"),
        (key_set(RSA | {"d": "AQAB"}), "private or shared"),
        (key_set(RSA, RSA | {"n": EC["x"]}), "one key id"),
        (key_set(EC | {"y": EC["x"]}), "one of its EC keys cannot be read"),
        (key_set(RSA | {"n": 5}), "one of its RSA keys cannot be read"),
        (key_set(ED | {"x": "AA"}), "one of its OKP keys cannot be read"),
        (key_set(RSA | {"kid": 5}), "not text"),
        (json.dumps({"keys": [{}] * (MAX_KEYS + 1)}).encode(), "more than 256"),
    ],
)
def test_what_is_no_set_of_public_keys_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(UnusableKeys, match=words):
        parse_key_set(data)


def test_sets_are_the_same_by_their_keys() -> None:
    first, again = (parse_key_set(key_set(Signer().jwk, EC)) for _ in range(2))
    assert first == again
    assert first != parse_key_set(key_set(Signer().jwk))
    assert first != parse_key_set(key_set(Signer(name="other").jwk, EC))
