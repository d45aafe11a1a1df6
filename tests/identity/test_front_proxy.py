from typing import Any

import pytest

from gateway.errors import MalformedRequest
from gateway.facts.principal import Account
from gateway.identity.document import FrontProxyEntry
from gateway.identity.front_proxy import FrontProxy, readable_address

PROXIES = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]


def proxy(**more: Any) -> FrontProxy:
    return FrontProxy(FrontProxyEntry.model_validate({"addresses": PROXIES} | more))


def naming(**more: Any) -> FrontProxy:
    return proxy(account_header="X-Account-Id", **more)


def certified(**more: Any) -> FrontProxy:
    told = {"header": "x-forwarded-client-cert", "by": "uri"} | more
    return proxy(certificate=told)


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("192.0.2.7", True),
        ("fd00::1", True),
        ("192.0.2.8", False),
        ("11.0.0.1", False),
        ("2001:db8::1", False),
        ("127.0.0.1", False),
        ("10.1.2", False),
        ("10.1.2.3.evil.example", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_a_proxy_is_known_by_its_address(address: str, *, trusted: bool) -> None:
    assert proxy().trusts(address) is trusted


def test_the_account_is_what_the_header_says() -> None:
    told = {b"x-account-id": b" acme ", b"x-plan": b"pro", b"x-org": b"corp"}
    described = naming(plan_header="x-plan", organization_header="x-org")
    assert described.account(told) == Account("acme", "pro", "corp")
    assert described.headers >= set(told)
    assert naming().account(told) == Account("acme")


@pytest.mark.parametrize("value", [b"", b"  "])
def test_an_empty_header_is_none(value: bytes) -> None:
    assert naming().account({b"x-account-id": value}) is None
    assert naming().account({}) is None
    assert proxy().account({b"x-account-id": b"acme"}) is None


@pytest.mark.parametrize(
    "value", [b"a\xffb", b"a\tb", "ä".encode(), b"key_0123456789abcdef0123", b"a" * 256]
)
def test_what_cannot_be_a_name_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedRequest):
        naming().account({b"x-account-id": value})


@pytest.mark.parametrize("value", [b"carol, dave", b"carol,dave", b"carol,"])
def test_two_accounts_in_one_header_are_refused(value: bytes) -> None:
    with pytest.raises(MalformedRequest, match="more than one account"):
        naming().account({b"x-account-id": value})


def test_a_certificate_is_named_by_the_part_that_was_chosen() -> None:
    told = {b"x-forwarded-client-cert": b'Hash=ab;Subject="CN=acme";URI=spiffe://corp/acme'}
    assert certified().certificate_name(told) == "spiffe://corp/acme"
    assert certified(by="subject").certificate_name(told) == "CN=acme"
    assert certified(by="hash").certificate_name(told) == "ab"
    assert certified().certificate_name({}) is None
    assert proxy().certificate_name(told) is None


@pytest.mark.parametrize(
    ("verified", "name"),
    [(b"SUCCESS", "CN=acme,O=Acme"), (b"FAILED:expired", None), (b"NONE", None), (None, None)],
)
def test_a_certificate_that_was_not_verified_is_none(
    verified: bytes | None, name: str | None
) -> None:
    nginx = certified(
        header="ssl-client-subject-dn", by="whole", verified_header="ssl-client-verify"
    )
    told = {b"ssl-client-subject-dn": b"CN=acme,O=Acme"}
    if verified is not None:
        told[b"ssl-client-verify"] = verified
    assert nginx.certificate_name(told) == name


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5,10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "10.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:DB8:0::1", "2001:db8::1"),
        ("10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "198.51.100.1,,", "10.0.0.1"),
        ("10.0.0.1", "\xff", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, " * 100 + "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "203.0.113.5, " + "10.0.0.2, " * 100 + "10.0.0.2", "10.0.0.2"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    peer: str, forwarded: str | None, address: str
) -> None:
    told = {} if forwarded is None else {b"x-forwarded-for": forwarded.encode("latin-1")}
    assert proxy().client_address(peer, told) == address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::0001", "2001:db8::1"),
        ("localhost", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(host: str, address: str | None) -> None:
    assert readable_address(host) == address
