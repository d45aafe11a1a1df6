"""Whose an exchange is, by its headers and by the peer that sent them."""

from typing import Any

import pytest

from gateway.errors import MalformedRequest, Unidentified, UnknownCredential
from gateway.facts.accounts import parse_accounts
from gateway.facts.dialects.port import Headers
from gateway.facts.principal import Principal, Secret
from gateway.identity.document import FrontProxyEntry
from gateway.identity.front_proxy import FrontProxy
from gateway.identity.identities import Identities
from gateway.proxy.identify import Identifier
from gateway.proxy.request_headers import read_headers
from tests.parts.token_issuer import NOW_US

SECRET = Secret(b"a secret of the tests")
PROXY, ELSEWHERE = "10.0.0.1", "203.0.113.9"
KEY = (b"authorization", b"Bearer sk-acme")
LISTED = parse_accounts(
    f"accounts: [{{id: acme, keys: [{{hash: {SECRET.credential_hash('sk-acme')}}}], "
    f"certificates: ['CN=cert']}}]",
    "accounts.yaml",
)


def behind(**more: Any) -> Identities:
    entry = {
        "addresses": "10.0.0.0/8",
        "account_header": "x-account-id",
        "certificate": {"header": "x-subject", "by": "whole"},
    }
    proxy = FrontProxy(FrontProxyEntry.model_validate(entry | more))
    return Identities(LISTED, front_proxy=proxy, admits_unknown_keys=False)


KNOWN = Identities(LISTED, admits_unknown_keys=False)


async def principal(identities: Identities, headers: Headers, peer: str | None) -> Principal:
    identifier = Identifier(SECRET, identities)
    return await identifier.principal(read_headers(headers, identifier.claims), peer, NOW_US)


async def account(identities: Identities, headers: Headers, peer: str | None = PROXY) -> str:
    return (await principal(identities, headers, peer)).account.id


@pytest.mark.parametrize("absurd", ["k" * 8193, "k\xe9y", "k\x85"])
async def test_what_cannot_be_a_key_is_nobodys(absurd: str) -> None:
    shown = [(b"x-api-key", absurd.encode("latin-1"))]
    with pytest.raises(UnknownCredential):
        await account(Identities(), shown)


async def test_nothing_of_a_key_is_left() -> None:
    found = await principal(Identities(), [KEY], ELSEWHERE)
    assert found.account.id == SECRET.anonymous_account_id("sk-acme")
    assert "sk-acme" not in repr(found)


async def test_a_trusted_proxy_names_the_account_and_needs_no_key() -> None:
    assert await account(behind(), [(b"x-account-id", b"zeta")]) == "zeta"
    assert await account(behind(), [(b"x-subject", b"CN=cert")]) == "acme"


async def test_what_it_says_goes_before_a_key_that_it_passes_on() -> None:
    assert await account(behind(), [KEY, (b"x-account-id", b"zeta")]) == "zeta"


async def test_where_it_says_nothing_a_key_is_needed() -> None:
    assert await account(behind(), [KEY]) == "acme"
    with pytest.raises(Unidentified):
        await account(behind(), [])


@pytest.mark.parametrize("peer", [ELSEWHERE, "127.0.0.1", "2001:db8::1", "testclient", "", None])
async def test_from_anybody_else_it_is_not_heard(peer: str | None) -> None:
    claims = [(b"x-account-id", b"zeta"), (b"x-subject", b"CN=cert")]
    with pytest.raises(Unidentified):
        await account(behind(), claims, peer)
    assert await account(behind(), [KEY, *claims], peer) == "acme"


@pytest.mark.parametrize("peer", [PROXY, ELSEWHERE])
async def test_without_a_front_proxy_nobody_is_heard(peer: str) -> None:
    with pytest.raises(Unidentified):
        await account(KNOWN, [(b"x-account-id", b"acme")], peer)


@pytest.mark.parametrize("name", [b"x-account-id", b"x-subject"])
async def test_a_name_that_a_proxy_gives_twice_is_refused(name: bytes) -> None:
    with pytest.raises(MalformedRequest, match="twice"):
        await account(behind(), [(name, b"acme"), (name, b"acme")])
    assert await account(behind(), [KEY, (name, b"a"), (name, b"b")], ELSEWHERE) == "acme"


@pytest.mark.parametrize(
    "header",
    [
        (b"x_account_id", b"acme"),
        (b"x_subject", b"CN=cert"),
        (b"connection", b"x-account-id"),
        (b"connection", b"close, X-Subject"),
    ],
)
@pytest.mark.parametrize("peer", [PROXY, ELSEWHERE])
async def test_tricks_with_the_names_are_refused_whoever_plays_them(
    header: tuple[bytes, bytes], peer: str
) -> None:
    with pytest.raises(MalformedRequest):
        await account(behind(), [KEY, header], peer)


async def test_what_a_proxy_may_say_goes_no_further() -> None:
    identifier = Identifier(SECRET, behind())
    said = [(b"x-account-id", b"a"), (b"x-subject", b"b"), (b"x-kept", b"c")]
    assert read_headers(said, identifier.claims).forwarded == [(b"x-kept", b"c")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, [b"198.51.100.1, 203.0.113.5"], "203.0.113.5"),
        (PROXY, [b"198.51.100.1", b"203.0.113.5, 10.0.0.2"], "203.0.113.5"),
        ("::ffff:10.0.0.1", [b"203.0.113.5"], "203.0.113.5"),
        (ELSEWHERE, [b"198.51.100.1"], ELSEWHERE),
        (ELSEWHERE, [b"10.0.0.1"], ELSEWHERE),
        ("2001:db8:1:2:3::4%eth0", [], "2001:db8:1:2:3::4"),
        (None, [b"198.51.100.1"], None),
    ],
)
async def test_the_address_is_the_peers_or_what_trusted_proxies_say(
    peer: str | None, forwarded: list[bytes], address: str | None
) -> None:
    headers = [KEY, *((b"x-forwarded-for", value) for value in forwarded)]
    assert (await principal(behind(), headers, peer)).client_address == address


async def test_other_identities_come_into_force_at_once() -> None:
    identifier = Identifier(SECRET, Identities())
    headers = read_headers([(b"x-api-key", b"sk-other")], identifier.claims)
    await identifier.principal(headers, None, NOW_US)
    identifier.put_in_force(KNOWN)
    with pytest.raises(UnknownCredential):
        await identifier.principal(headers, None, NOW_US)
    identifier.put_in_force(behind())
    assert b"x-account-id" in identifier.claims
