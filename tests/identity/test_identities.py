from typing import Any

import pytest

from gateway.errors import UnknownCredential
from gateway.facts.accounts import Accounts, parse_accounts
from gateway.facts.principal import Account, Secret
from gateway.identity.document import FrontProxyEntry
from gateway.identity.front_proxy import FrontProxy
from gateway.identity.identities import Identities
from gateway.identity.key_set import parse_key_set
from gateway.identity.key_sources import KeySources, make_identities
from gateway.identity.rules import IdentityRules, parse_identities
from tests.parts.token_issuer import NOW_US, Signer, key_set

SECRET = Secret(b"a secret of the tests")
SIGNER = Signer()
KEYS = key_set(SIGNER.jwk).decode()
JWT = {"issuer": "https://login.example.com/", "audience": "gauger", "jwks_file": "keys.json"}


def accounts(*entries: str) -> Accounts:
    written = "".join(f"  - {entry}\n" for entry in entries)
    return parse_accounts(f"accounts:\n{written}", "accounts.yaml")


LISTED = accounts(
    f"{{id: acme, plan: gold, organization: corp, created_at: 5, attributes: {{a: file, b: file}}, "
    f"keys: [{{hash: {SECRET.credential_hash('sk-acme')}}}], certificates: [CN=acme]}}"
)


def rules(**more: str) -> IdentityRules:
    lines = ["jwt:", "  - issuer: https://login.example.com/", "    audience: gauger"]
    lines += ["    jwks_file: keys.json", *(f"    {name}: {text}" for name, text in more.items())]
    return parse_identities({"i.yaml": "\n".join(lines), "keys.json": KEYS}, "i.yaml")


def with_tokens(known: Accounts | None = None, **more: str) -> Identities:
    return make_identities(rules(**more), known, KeySources())


async def account(identities: Identities, credential: str) -> Account:
    return await identities.by_credential(credential, SECRET, NOW_US)


async def test_with_neither_file_any_key_is_an_account_named_by_its_keyed_hash() -> None:
    anybody = make_identities(None, None, KeySources())
    assert (await account(anybody, "sk-1")).id == SECRET.anonymous_account_id("sk-1")


async def test_with_accounts_a_known_key_is_its_account_and_another_nobodys() -> None:
    known = make_identities(None, LISTED, KeySources())
    assert (await account(known, "sk-acme")).plan == "gold"
    with pytest.raises(UnknownCredential) as refused:
        await account(known, "sk-other")
    assert "sk-other" not in refused.value.message


async def test_with_issuers_alone_a_key_is_nobodys() -> None:
    with pytest.raises(UnknownCredential):
        await account(with_tokens(), "sk-1")


async def test_unknown_keys_can_be_admitted_beside_accounts() -> None:
    text = {"i.yaml": "unknown_keys: admit\n"}
    both = make_identities(parse_identities(text, "i.yaml"), LISTED, KeySources())
    assert (await account(both, "sk-acme")).id == "acme"
    assert (await account(both, "sk-other")).id == SECRET.anonymous_account_id("sk-other")


async def test_a_token_is_never_tried_as_a_key() -> None:
    token = SIGNER.token(aud="another")
    listed = accounts(f"{{id: b, keys: [{{hash: {SECRET.credential_hash(token)}}}]}}")
    text = "unknown_keys: admit\njwt: [{issuer: a, audience: gauger, jwks_file: keys.json}]\n"
    admitting = parse_identities({"i.yaml": text, "keys.json": KEYS}, "i.yaml")
    with pytest.raises(UnknownCredential, match="issuer is not known"):
        await account(make_identities(admitting, listed, KeySources()), token)


async def test_without_issuers_a_token_is_a_key_like_any_other() -> None:
    token = SIGNER.token()
    listed = accounts(f"{{id: b, keys: [{{hash: {SECRET.credential_hash(token)}}}]}}")
    assert (await account(make_identities(None, listed, KeySources()), token)).id == "b"


async def test_what_a_token_does_not_say_the_accounts_file_may() -> None:
    identities = with_tokens(LISTED, plan="plan", attributes="{a: a}")
    assert await account(identities, SIGNER.token(plan="pro", a="token")) == Account(
        "acme", "pro", "corp", {"a": "token", "b": "file"}, 5
    )
    assert (await account(identities, SIGNER.token())).plan == "gold"
    assert (await account(identities, SIGNER.token(sub="other"))).plan is None


async def test_the_same_token_is_verified_once() -> None:
    identities, token = with_tokens(), SIGNER.token()
    first = await account(identities, token)
    assert await account(identities, token) is first


def front(**more: Any) -> FrontProxy:
    return FrontProxy(FrontProxyEntry.model_validate({"addresses": "10.0.0.0/8"} | more))


CERTIFICATE = {"header": "x-subject", "by": "whole"}


def test_a_front_proxys_account_is_completed_from_the_file() -> None:
    named = Identities(LISTED).by_front_proxy(
        front(account_header="x-account-id"), {b"x-account-id": b"acme"}
    )
    assert named is not None
    assert (named.plan, named.created_at_s) == ("gold", 5)


def test_a_certificate_is_the_account_that_lists_it() -> None:
    identities, proxy = Identities(LISTED), front(certificate=CERTIFICATE)
    found = identities.by_front_proxy(proxy, {b"x-subject": b"CN=acme"})
    assert found is LISTED.named("acme")
    assert identities.by_front_proxy(proxy, {}) is None


@pytest.mark.parametrize("name", [b"CN=other", b"cn=acme", b"CN=acme,O=x", b"acme"])
def test_a_certificate_that_nobody_lists_is_refused(name: bytes) -> None:
    with pytest.raises(UnknownCredential) as refused:
        Identities(LISTED).by_front_proxy(front(certificate=CERTIFICATE), {b"x-subject": name})
    assert name.decode() not in refused.value.message


def test_or_is_its_own_account_if_such_are_admitted() -> None:
    proxy = front(certificate=CERTIFICATE | {"unknown": "admit"})
    admitted = Identities(LISTED).by_front_proxy(proxy, {b"x-subject": b"CN=Other, O=x"})
    assert admitted == Account("CN=Other, O=x")


def test_keys_in_a_file_are_read_when_the_file_is() -> None:
    (issuer,) = rules().issuers
    assert issuer.keys == parse_key_set(KEYS.encode())
