import asyncio
import importlib.util
import resource
import socket

import pytest

from gateway.errors import SettingsError
from gateway.proxy.http_protocol import StrictHttp
from gateway.proxy.server import UNSENT_BYTES, configuration, listen, raise_file_limit, run
from gateway.proxy.wire_limits import WireLimits
from tests.proxy.stage import answering, stage


def test_the_protocol_is_ours_and_nothing_is_believed_of_peers() -> None:
    config = configuration(stage(answering()).gateway, grace_s=7, limits=WireLimits(head_s=3))
    config.load()
    assert issubclass(config.http_protocol_class, StrictHttp)
    assert config.http_protocol_class.limits.head_s == 3
    assert config.proxy_headers is False
    assert config.server_header is False
    assert config.access_log is False
    assert config.ws_protocol_class is None
    assert config.timeout_graceful_shutdown == 7


@pytest.mark.parametrize("missing", ["httptools", "uvloop"])
def test_without_the_promised_parts_nothing_starts(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else found(name)
    )
    with pytest.raises(SettingsError, match=f"pip install {missing}"):
        configuration(stage(answering()).gateway, grace_s=1)


def test_a_taken_port_is_the_operators_to_change() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_a_port_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match="65535"):
        listen("127.0.0.1", 70000)


def test_the_loop_is_uvloop() -> None:
    async def loop_name() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(loop_name()).startswith("uvloop")


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="not of this system")
def test_the_kernel_keeps_little_of_what_nobody_reads() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted = listener.accept()[0]
        with accepted:
            kept = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert kept == UNSENT_BYTES


def test_files_are_limited_by_the_system_alone() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] // 2, before[1]))
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
