"""What a trusted front proxy says: who asks, and from where. From anybody else it is not heard.

A proxy is known by the address from which it connects, and by nothing that it sends.
"""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from gateway.errors import MalformedRequest
from gateway.facts.principal import Account, can_name_account
from gateway.identity.client_certificate import part_of_nearest
from gateway.identity.document import CertificateEntry, FrontProxyEntry

FORWARDED_FOR = b"x-forwarded-for"

MAX_HOPS = 32
"""Addresses of which a header is read; no way is longer."""

_REMEMBERED_PEERS = 4096

Told = Mapping[bytes, bytes]
"""The values of headers that a proxy may set; of several `x-forwarded-for` all, with commas."""


class FrontProxy:
    """The proxies in front, and what they may say."""

    def __init__(self, entry: FrontProxyEntry) -> None:
        self._entry = entry
        self._networks = tuple(ipaddress.ip_network(text) for text in entry.addresses)
        self.trusts = lru_cache(_REMEMBERED_PEERS)(self._trusts)
        """Whether an address is one of theirs."""
        self.headers = frozenset((FORWARDED_FOR, *(name.encode() for name in entry.headers())))
        """All that are heard, in lower case."""
        self.certificate = entry.certificate

    def account(self, told: Told) -> Account | None:
        """The account that is named in a header. Raises `MalformedRequest`."""
        named = _text(told, self._entry.account_header)
        if named is None:
            return None
        return Account(
            _account_name(named),
            plan=_text(told, self._entry.plan_header),
            organization=_text(told, self._entry.organization_header),
        )

    def certificate_name(self, told: Told) -> str | None:
        """Of the client certificate that the proxy verified. Raises `MalformedRequest`."""
        entry = self.certificate
        if entry is None or not _is_verified(told, entry):
            return None
        value = _text(told, entry.header)
        if value is None or entry.by == "whole":
            return value
        return part_of_nearest(value, entry.by)

    def client_address(self, peer: str, told: Told) -> str:
        """The nearest address that is not a proxy's own, from the right.

        Only trusted hops are passed, so what a client writes on the left is never reached. Where a
        trusted proxy wrote something that is no address, its own stands.
        """
        address = peer
        hops = told.get(FORWARDED_FOR, b"").decode("latin-1").rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        while hops and self.trusts(address):
            before = _hop_address(hops.pop())
            if before is None:
                break
            address = before
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(_REMEMBERED_PEERS)
def readable_address(host: str) -> str | None:
    """An IPv4 address that came through an IPv6 socket is one; a zone is of this machine alone."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _hop_address(hop: str) -> str | None:
    """Some proxies write a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    host = hop.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    return readable_address(host)


def _is_verified(told: Told, entry: CertificateEntry) -> bool:
    """Some proxies, nginx among them, also pass on what they could not verify, and say so."""
    return entry.verified_header is None or _text(told, entry.verified_header) == "SUCCESS"


def _account_name(text: str) -> str:
    """A proxy that joins two headers of one name writes a comma between their values."""
    if "," in text:
        raise MalformedRequest("The front proxy names more than one account, with a comma between.")
    if not can_name_account(text):
        raise MalformedRequest("The front proxy names an account in a way that cannot be a name.")
    return text


def _text(told: Told, header: str | None) -> str | None:
    """An empty header is a missing one."""
    if header is None:
        return None
    value = told.get(header.encode(), b"").strip()
    if not all(0x20 <= byte < 0x7F for byte in value):  # noqa: PLR2004  # printable ASCII
        raise MalformedRequest(f"The header {header} is not printable ASCII.", field=header)
    return value.decode() or None
