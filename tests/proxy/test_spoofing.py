"""A caller who would be somebody else: tried on a whole gateway, with what it leaves behind."""

import json
from typing import Any

import pytest

from gateway.decision.finished import Finished
from gateway.facts.accounts import parse_accounts
from gateway.facts.dialects.port import Headers
from gateway.facts.principal import Secret
from gateway.identity.document import FrontProxyEntry, IssuerEntry
from gateway.identity.front_proxy import FrontProxy
from gateway.identity.identities import Identities
from gateway.identity.key_set import KeySet, parse_key_set
from gateway.identity.key_sources import FixedKeys
from gateway.identity.tokens import Issuer, Tokens
from tests.parts.token_issuer import AUDIENCE, ISSUER, NOW_S, Signer, key_set
from tests.proxy.stage import KEY, QUESTION, Caller, Stage, answering, stage

SECRET = Secret(b"secret of the tests")
LISTED = parse_accounts(
    f"accounts: [{{id: acme, keys: [{{hash: {SECRET.credential_hash(KEY)}}}]}}, "
    "{id: victim, keys: []}]",
    "accounts.yaml",
)
BEARER = (b"authorization", b"Bearer " + KEY.encode())
SIGNER = Signer()


def tokens(keys: KeySet) -> Tokens:
    entry = IssuerEntry(issuer=ISSUER, audience=(AUDIENCE,), jwks_file="keys.json", attributes={})
    return Tokens([Issuer(entry, FixedKeys(keys))])


def guarded(keys: KeySet | None = None, *, trusted: str = "198.51.100.7") -> Stage:
    """The caller's address is 192.0.2.1."""
    front = {"addresses": trusted, "account_header": "x-account-id"}
    return stage(
        answering(),
        identities=Identities(
            LISTED,
            tokens=tokens(parse_key_set(key_set(SIGNER.jwk)) if keys is None else keys),
            front_proxy=FrontProxy(FrontProxyEntry.model_validate(front)),
            admits_unknown_keys=False,
        ),
    )


async def finished(on: Stage, headers: Headers, **more: Any) -> tuple[Caller, Finished]:
    caller = await Caller(on.gateway, headers=headers, **more).run()
    await on.rest()
    return caller, on.finished


@pytest.mark.parametrize(
    "claims",
    [
        [(b"x-account-id", b"victim")],
        [(b"x-account-id", b"victim"), (b"x-account-id", b"acme")],
        [(b"x-forwarded-for", b"198.51.100.7")],
        [(b"x-forwarded-for", b"198.51.100.7"), (b"x-account-id", b"victim")],
        [(b"forwarded", b"for=198.51.100.7"), (b"x-real-ip", b"198.51.100.7")],
        [(b"x-forwarded-client-cert", b"URI=spiffe://victim")],
        [(b"openai-organization", b"victim")],
    ],
)
async def test_claims_of_a_stranger_change_neither_account_nor_address(claims: Headers) -> None:
    on = guarded()
    caller, ended = await finished(on, [BEARER, *claims])
    assert caller.status == 200
    assert ended.principal is not None
    assert (ended.principal.account.id, ended.principal.client_address) == ("acme", "192.0.2.1")
    forwarded = dict(on.model.scopes[0]["headers"])
    assert not {b"x-account-id", b"x-forwarded-for", b"x-forwarded-client-cert"} & set(forwarded)


@pytest.mark.parametrize(
    "headers",
    [
        [BEARER, (b"x_account_id", b"victim")],
        [BEARER, (b"connection", b"x-account-id")],
        [BEARER, BEARER],
        [BEARER, (b"authorization", b"Bearer sk-other")],
        [BEARER, (b"x-api-key", b"sk-other")],
    ],
)
async def test_requests_with_two_meanings_have_none(headers: Headers) -> None:
    caller, ended = await finished(guarded(), headers)
    assert (caller.status, ended.principal) == (400, None)


@pytest.mark.parametrize(
    "body",
    [
        {"user": "victim"},
        {"user": "victim", "metadata": {"user_id": "victim", "account_id": "victim"}},
        {"safety_identifier": "victim", "account": "victim", "organization": "victim"},
    ],
)
async def test_nothing_in_a_body_names_an_account(body: dict[str, object]) -> None:
    _, ended = await finished(guarded(), [BEARER], body=QUESTION | body)
    assert ended.principal is not None
    assert ended.principal.account.id == "acme"


async def test_an_end_user_is_told_apart_and_pays_nothing() -> None:
    _, ended = await finished(guarded(), [BEARER], body=QUESTION | {"user": "victim"})
    assert ended.ask is not None
    assert ended.ask.end_user == "victim"


@pytest.mark.parametrize(
    ("header", "body", "session"),
    [
        ([(b"x-session-id", b"victim")], {}, "victim"),
        ([(b"session_id", b"victim")], {"session_id": "other"}, "victim"),
        ([], {"session_id": "victim"}, "victim"),
        ([(b"x-session-id", b"a"), (b"x-session-id", b"b")], {}, "a"),
    ],
)
async def test_a_session_is_told_apart_and_is_nobody(
    header: Headers, body: dict[str, object], session: str
) -> None:
    on = guarded()
    _, ended = await finished(on, [BEARER, *header], body=QUESTION | body)
    assert ended.ask is not None
    assert ended.principal is not None
    assert (ended.ask.session, ended.principal.account.id) == (session, "acme")
    assert set(header) <= set(on.model.scopes[0]["headers"])  # the model API may know it as well


async def test_a_session_that_is_none_is_refused_before_anything_is_counted() -> None:
    on = guarded()
    caller, _ = await finished(on, [BEARER, (b"x-session-id", b"x" * 300)])
    assert caller.status == 400
    assert json.loads(caller.body)["error"]["param"] == "x-session-id"
    assert not on.store.reserved


UNKNOWN = {
    "no key": [],
    "an unknown key": [(b"x-api-key", b"sk-unknown-canary")],
    "a token of another's": [
        (b"authorization", f"Bearer {Signer(name='thief').token(sub='canary')}".encode())
    ],
    "an expired token": [
        (b"authorization", f"Bearer {SIGNER.token(sub='canary', exp=NOW_S - 31)}".encode())
    ],
    "a header of a stranger": [(b"x-account-id", b"canary")],
}


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_whoever_is_not_known_leaves_nothing_in_the_store(case: str, path: str) -> None:
    on = guarded()
    caller, ended = await finished(on, UNKNOWN[case], path=path)
    assert caller.status == 401
    assert not on.store.reserved
    assert not on.model.scopes
    assert ended.principal is None
    told = caller.body.decode()
    assert "canary" not in told + repr(ended)
    assert json.loads(told)["error"]["message"]


async def test_a_good_token_passes_and_a_trusted_proxy_is_heard() -> None:
    bearer = [(b"authorization", f"Bearer {SIGNER.token(sub='zeta')}".encode())]
    caller, ended = await finished(guarded(), bearer)
    assert caller.status == 200
    assert ended.principal is not None
    assert ended.principal.account.id == "zeta"
    said = [(b"x-account-id", b"eta"), (b"x-forwarded-for", b"2001:db8:1:2:3::4")]
    caller, ended = await finished(guarded(trusted="192.0.2.0/24"), said)
    assert caller.status == 200
    assert ended.principal is not None
    assert ended.principal.account.id == "eta"
    assert ended.principal.client_network == "2001:db8:1:2::/64"


async def test_while_no_key_of_the_issuer_is_known_the_caller_may_come_again() -> None:
    bearer = [(b"authorization", f"Bearer {SIGNER.token()}".encode())]
    on = guarded(KeySet())
    caller, ended = await finished(on, bearer)
    assert caller.status == 503
    assert caller.headers[b"retry-after"] == b"1"
    assert (ended.principal, on.store.reserved) == (None, [])


@pytest.mark.parametrize("name", [b"authorization", b"x-api-key"])
async def test_a_verified_token_goes_no_further_and_no_cookie_with_it(name: bytes) -> None:
    token = SIGNER.token(exp=NOW_S + 10**9, sub="acme").encode()
    shown = b"Bearer " + token if name == b"authorization" else token
    on = guarded()
    caller, told = await finished(on, [(name, shown), (b"cookie", b"session=1")])
    assert caller.status == 200
    assert told.principal is not None
    assert told.principal.by_token
    (scope,) = on.model.scopes
    forwarded = dict(scope["headers"])
    assert not {b"authorization", b"x-api-key", b"cookie"} & forwarded.keys()
    assert token not in repr(scope).encode()


async def test_a_key_of_the_callers_own_still_goes_on() -> None:
    on = guarded()
    _, told = await finished(on, [BEARER])
    assert told.principal is not None
    assert not told.principal.by_token
    assert dict(on.model.scopes[0]["headers"])[b"authorization"] == BEARER[1]
