"""The model APIs behind a gauger, each with its own connections."""

from gateway.proxy.intake import UpstreamKey
from gateway.proxy.selection import THE_ONE
from gateway.proxy.upstream.choice import UpstreamChoice
from gateway.proxy.upstream.httpx_upstream import HttpxUpstream
from gateway.proxy.upstream.port import UpstreamSettings, UpstreamTimeouts
from gateway.proxy.upstream.target import UpstreamTarget
from gateway.proxy.upstream.written import NamedUpstream, Upstreams
from gateway.settings import Settings


def upstreams_of(settings: Settings) -> Upstreams:
    """Raises `SettingsError`."""
    key = UpstreamKey(settings.upstream_key) if settings.upstream_key else None
    return Upstreams((NamedUpstream(THE_ONE, UpstreamTarget.parse(settings.upstream), key),))


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
