"""The model APIs behind a gauger, each with its own connections, and none of them gauger itself."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import replace

from gateway.errors import SettingsError
from gateway.proxy.intake import UpstreamKey
from gateway.proxy.selection import THE_ONE
from gateway.proxy.upstream.choice import UpstreamChoice
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings, UpstreamTimeouts
from gateway.proxy.upstream.written import Upstreams, parse_upstreams
from gateway.settings import Address, Settings
from gateway.wiring.tls import WrittenTls, upstream_tls, with_files

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

RESOLVING_S = 3.0
"""A name server that is silent must not hold up the start for long."""

_LOOPBACK: dict[int, IPAddress] = {
    4: ipaddress.IPv4Address("127.0.0.1"),
    6: ipaddress.IPv6Address("::1"),
}
"""Where one comes out who connects to 0.0.0.0 or [::]."""


def upstreams_of(settings: Settings) -> Upstreams:
    """Raises `SettingsError`."""
    written = parse_upstreams((*settings.selected_upstreams, settings.upstream))
    keys = {**settings.selected_upstream_keys, THE_ONE: settings.upstream_key}
    return Upstreams(tuple(replace(one, key=_key(keys.get(one.selector))) for one in written.named))


def _key(key: str | None) -> UpstreamKey | None:
    return UpstreamKey(key) if key else None


async def demand_others(upstreams: Upstreams, listening: Sequence[Address]) -> None:
    """Raises `SettingsError` for an upstream whose name leads to one of our own ports.

    A ring over other machines is not seen here; `Via` ends it.
    """
    for one in upstreams.named:
        for address in listening:
            if one.target.port == address.port and await _leads_to(one.target.host, address.host):
                raise SettingsError(
                    f"--upstream: {one.target.where} leads to {address}, which is gauger itself: "
                    "it would ask itself for ever. Give the address of the model API."
                )


async def _leads_to(host: str, listening: str) -> bool:
    ours = await _addresses(listening)
    for theirs in await _addresses(host):
        reached = _LOOPBACK[theirs.version] if theirs.is_unspecified else theirs
        if reached in ours:
            return True
        wild = any(own.is_unspecified and own.version == reached.version for own in ours)
        if wild and _is_this_machines(reached):
            return True
    return False


async def _addresses(host: str) -> set[IPAddress]:
    """None if it cannot be told now: then it leads nowhere, which each request will say."""
    found: set[IPAddress] = set()
    with contextlib.suppress(OSError, TimeoutError, UnicodeError):
        async with asyncio.timeout(RESOLVING_S):
            loop = asyncio.get_running_loop()
            for *_, where in await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM):
                address = ipaddress.ip_address(str(where[0]).partition("%")[0])
                found.add(getattr(address, "ipv4_mapped", None) or address)
    return found


def _is_this_machines(address: IPAddress) -> bool:
    """Only an address of its own can be bound."""
    if address.is_loopback:
        return True
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004  # IPv6
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trial:
        trial.bind((str(address), 0))
        return True
    return False


def open_upstreams(
    upstreams: Upstreams, settings: Settings
) -> tuple[UpstreamChoice, list[WrittenTls]]:
    """And the TLS files that they were given, of which each hears when they are renewed.

    Nothing is connected yet. Raises `OperatorError`.
    """
    timeouts = UpstreamTimeouts(
        connect_s=settings.connect_timeout_s,
        first_byte_s=settings.first_byte_timeout_s,
        idle_s=settings.idle_timeout_s,
    )
    opened: dict[str, HttpxUpstream] = {}
    renewable: list[WrittenTls] = []
    for one in upstreams.named:
        told = with_files(settings, one.selector, UpstreamSettings(one.target, timeouts))
        opened[one.selector] = upstream = HttpxUpstream(told)
        tls = upstream_tls(one.selector, told)
        if tls is not None:
            tls.whenever_replaced(upstream.renew_tls)
            renewable.append(tls)
    return UpstreamChoice(opened), renewable
