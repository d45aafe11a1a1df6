"""Good and bad tokens, and what each is told."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import IdentityUnavailable, UnknownCredential
from gateway.identity.document import IssuerEntry
from gateway.identity.key_set import KeySet, parse_key_set
from gateway.identity.tokens import Issuer, Tokens, has_form
from tests.parts.token_issuer import ISSUER, NOW_S, NOW_US, Signer, key_set, private_key

SIGNER = Signer()
SIGNERS = (SIGNER, Signer("ES256", "second"), Signer("EdDSA", "third"))


@dataclass
class Keys:
    """A source whose next keys are known to the test."""

    keys: KeySet
    next: KeySet | None = None
    renewals: int = field(default=0, init=False)

    async def renew(self) -> None:
        self.renewals += 1
        if self.next is not None:
            self.keys = self.next


def keys_of(*signers: Signer) -> KeySet:
    return parse_key_set(key_set(*(signer.jwk for signer in signers)))


def tokens(source: Keys | None = None, remembered: int = 100, **entry: Any) -> Tokens:
    written = {"issuer": ISSUER, "audience": "gauger", "jwks_file": "keys.json"} | entry
    source = source or Keys(keys_of(*SIGNERS))
    return Tokens([Issuer(IssuerEntry.model_validate(written), source)], remembered)


def segment(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def refusal(token: str, of: Tokens | None = None) -> str:
    with pytest.raises(UnknownCredential) as refused:
        await (of or tokens()).account(token, NOW_US)
    return refused.value.message


@pytest.mark.parametrize("signer", SIGNERS, ids=lambda signer: signer.algorithm)
async def test_a_signed_token_is_its_subjects(signer: Signer) -> None:
    assert (await tokens().account(signer.token(), NOW_US)).id == "acme"


def unsigned(algorithm: str = "none") -> str:
    head, payload, _ = SIGNER.token().split(".")
    assert head
    return f"{segment({'alg': algorithm, 'kid': 'first'})}.{payload}."


def signed_with_the_public_key() -> str:
    """The old trick: the public key, known to all, as the secret of an HMAC."""
    public: Any = private_key("RS256").public_key()
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  # this trick's

    pem = public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    payload = SIGNER.token().split(".")[1]
    signing = f"{segment({'alg': 'HS256', 'kid': 'first'})}.{payload}"
    return f"{signing}.{segment(hmac.digest(pem, signing.encode(), hashlib.sha256))}"


def claims_exchanged() -> str:
    head, _, signature = SIGNER.token().split(".")
    return f"{head}.{SIGNER.token(sub='victim').split('.')[1]}.{signature}"


def signature_of_another_algorithm() -> str:
    """The head says ES256 of an RSA key's id."""
    return Signer("ES256", "first").token()


BAD = {
    "expired": (SIGNER.token(exp=NOW_S - 31), "The token has expired. Get a new one."),
    "not yet": (SIGNER.token(nbf=NOW_S + 31), "The token is not valid yet."),
    "no exp": (SIGNER.token(exp=None), "claim exp is missing"),
    "wrong audience": (SIGNER.token(aud="another"), "The token is for another audience."),
    "no audience": (SIGNER.token(aud=None), "The token is for another audience."),
    "no subject": (SIGNER.token(sub=None), "no claim sub"),
    "wrong issuer": (SIGNER.token(iss="https://evil.example/"), "issuer is not known"),
    "no issuer": (SIGNER.token(iss=None), "issuer is not known"),
    "issuer of another type": (SIGNER.token(iss=[ISSUER]), "issuer is not known"),
    "unsigned": (unsigned(), "The token is not signed."),
    "unsigned, in capitals": (unsigned("NONE"), "The token is not signed."),
    "signature taken off": (SIGNER.token().rpartition(".")[0] + ".", "signature is wrong"),
    "claims exchanged": (claims_exchanged(), "signature is wrong"),
    "HMAC with the public key": (signed_with_the_public_key(), "signed in a way that is not taken"),
    "algorithm not allowed": (Signer("ES384").token(), "Taken: RS256, ES256, EdDSA."),
    "algorithm of no kind": (
        f"{segment({'alg': ['RS256']})}.{segment({'iss': ISSUER})}.AA",
        "signed in a way that is not taken",
    ),
    "algorithm of another key": (signature_of_another_algorithm(), "does not publish"),
    "another's key": (Signer(name="thief").token(), "signature is wrong"),
    "unknown key id": (Signer(key_id="unheard").token(), "does not publish"),
    "crit": (Signer(header={"crit": ["x"], "x": 1}).token(), "cannot be read"),
    "key id of another type": (
        f"{segment({'alg': 'RS256', 'kid': 5})}.{segment({'iss': ISSUER})}.AA",
        "cannot be read",
    ),
    "embedded key": (
        Signer(name="thief", key_id=None, header={"jwk": Signer(name="thief").jwk}).token(),
        "signature is wrong",
    ),
    "payload not an object": (f"{segment({'alg': 'RS256'})}.{segment([1])}.AA", "cannot be read"),
    "payload too deep": (
        f"{segment({'alg': 'RS256'})}.{segment(b'[' * 100_000)}.AA",
        "cannot be read",
    ),
    "header not JSON": (f"{segment(b'{nothing')}.{segment({})}.AA", "cannot be read"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_token_is_refused_and_told_why(case: str) -> None:
    token, words = BAD[case]
    told = await refusal(token)
    assert words in told
    assert "acme" not in told


@pytest.mark.parametrize("repeated", ['"sub": "bob", "sub": "acme"', '"org": {"a": 1, "a": 2}'])
async def test_a_signed_token_with_a_name_twice_is_refused(repeated: str) -> None:
    payload = f'{{"iss": "{ISSUER}", "aud": "gauger", "exp": {NOW_S + 60}, {repeated}}}'
    token = jwt.PyJWS().encode(
        payload.encode(), private_key("RS256", "first"), "RS256", {"kid": SIGNER.key_id}
    )
    assert await refusal(token) == "The token cannot be read."


async def test_without_a_key_id_the_one_key_is_meant() -> None:
    nameless = Signer(key_id=None)
    one = tokens(Keys(keys_of(SIGNER)))
    assert (await one.account(nameless.token(), NOW_US)).id == "acme"
    two = tokens(Keys(keys_of(SIGNER, Signer(key_id="b", name="other"))))
    assert "does not say with which key" in await refusal(nameless.token(), two)


@given(
    at=st.integers(0, 400),
    put=st.sampled_from("AQgw_-.0"),
    algorithm=st.sampled_from(["RS256", "ES256", "EdDSA"]),
)
async def test_no_changed_token_is_taken(at: int, put: str, algorithm: str) -> None:
    signer = next(one for one in SIGNERS if one.algorithm == algorithm)
    token = signer.token()
    at %= len(token)
    changed = token[:at] + put + token[at + 1 :]
    verified = tokens()
    try:
        account = await verified.account(changed, NOW_US)
    except UnknownCredential:
        return
    # The last letter of a base64url text has bits that mean nothing.
    assert account.id == "acme"
    assert decoded(changed) == decoded(token)


def decoded(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]


async def test_a_key_that_comes_while_a_token_names_it_is_asked_for_and_taken() -> None:
    rotated = Signer(key_id="next", name="next")
    source = Keys(keys_of(SIGNER), next=keys_of(SIGNER, rotated))
    verified = tokens(source)
    assert (await verified.account(rotated.token(), NOW_US)).id == "acme"
    assert (await verified.account(SIGNER.token(), NOW_US)).id == "acme"
    assert source.renewals == 1


async def test_before_any_key_is_known_nobody_is_called_a_liar() -> None:
    with pytest.raises(IdentityUnavailable):
        await tokens(Keys(KeySet())).account(SIGNER.token(), NOW_US)


async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    verified, token = tokens(), SIGNER.token(exp=NOW_S + 10)
    assert verified.known(token, NOW_US) is None
    account = await verified.account(token, NOW_US)
    until_us = (NOW_S + 10 + 30) * 1_000_000
    assert verified.known(token, until_us - 1) is account
    assert verified.known(token, until_us) is None
    assert verified.known(token, NOW_US) is None, "what has expired is forgotten"


async def test_a_refused_token_is_not_remembered() -> None:
    verified = tokens()
    for token, _ in BAD.values():
        await refusal(token, verified)
        assert verified.known(token, NOW_US) is None


async def test_a_token_whose_key_was_taken_back_is_refused() -> None:
    source, other = Keys(keys_of(SIGNER)), Signer("ES256", "second")
    verified, token = tokens(source), SIGNER.token()
    await verified.account(token, NOW_US)
    source.keys = keys_of(other)
    assert verified.known(token, NOW_US) is None
    assert "does not publish" in await refusal(token, verified)


async def test_what_is_remembered_has_a_bound_and_the_used_stay() -> None:
    verified = tokens(remembered=3)
    written = [SIGNER.token(sub=f"account-{i}") for i in range(4)]
    for token in written[:3]:
        await verified.account(token, NOW_US)
    assert verified.known(written[0], NOW_US) is not None
    await verified.account(written[3], NOW_US)
    assert [verified.known(token, NOW_US) is not None for token in written] == [
        True,
        False,
        True,
        True,
    ]


async def test_each_issuer_has_keys_and_names_of_its_own() -> None:
    entries = [
        {"issuer": "a", "prefix": "a/", "audience": "gauger", "jwks_file": "k"},
        {"issuer": "b", "prefix": "b/", "audience": "gauger", "jwks_file": "k"},
    ]
    other = Signer("RS256", "first", "other")
    sources = [Keys(keys_of(SIGNER)), Keys(keys_of(other))]
    both = Tokens(
        Issuer(IssuerEntry.model_validate(entry), source)
        for entry, source in zip(entries, sources, strict=True)
    )
    assert (await both.account(SIGNER.token(iss="a"), NOW_US)).id == "a/acme"
    assert (await both.account(other.token(iss="b"), NOW_US)).id == "b/acme"
    assert "signature is wrong" in await refusal(other.token(iss="a"), both)


@pytest.mark.parametrize(
    "key", ["sk-proj-abc", "gk_eyJabc", "a.b.c", "sk-ant.api03.xyz", "eyJ", "eyJhbGciOi.J9", ""]
)
def test_no_api_key_has_the_form_of_a_token(key: str) -> None:
    assert not has_form(key)


def test_tokens_have_it_however_their_head_is_spaced() -> None:
    assert has_form(SIGNER.token())
    for head in (b'{"alg":"none"}', b'{ "alg":"none"}', b'{\n"alg":"none"}', b'{\t"alg":"none"}'):
        assert has_form(f"{segment(head)}.{segment({})}.")


def test_the_oldest_of_the_library_refuses_what_it_does_not_understand() -> None:
    """CVE-2026-32597: before 2.12 `crit` was passed over."""
    assert tuple(int(part) for part in jwt.__version__.split(".")[:2]) >= (2, 13)
