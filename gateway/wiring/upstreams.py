"""The model APIs behind a gauger, each with its own connections."""

from dataclasses import replace

from gateway.proxy.intake import UpstreamKey
from gateway.proxy.selection import THE_ONE
from gateway.proxy.upstream.choice import UpstreamChoice
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings, UpstreamTimeouts
from gateway.proxy.upstream.written import Upstreams, parse_upstreams
from gateway.settings import Settings


def upstreams_of(settings: Settings) -> Upstreams:
    """Raises `SettingsError`."""
    written = parse_upstreams((*settings.selected_upstreams, settings.upstream))
    keys = {**settings.selected_upstream_keys, THE_ONE: settings.upstream_key}
    return Upstreams(tuple(replace(one, key=_key(keys.get(one.selector))) for one in written.named))


def _key(key: str | None) -> UpstreamKey | None:
    return UpstreamKey(key) if key else None


def open_upstreams(upstreams: Upstreams, settings: Settings) -> UpstreamChoice:
    """Nothing is connected yet."""
    timeouts = UpstreamTimeouts(
        connect_s=settings.connect_timeout_s,
        first_byte_s=settings.first_byte_timeout_s,
        idle_s=settings.idle_timeout_s,
    )
    return UpstreamChoice(
        {
            one.selector: HttpxUpstream(UpstreamSettings(one.target, timeouts))
            for one in upstreams.named
        }
    )
