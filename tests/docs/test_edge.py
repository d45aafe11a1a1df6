"""gateway/docs/edge.md says what the server does."""

import importlib.util
import re
from pathlib import Path

import pytest

from gateway.proxy.edge import EdgeLimits
from gateway.proxy.wire_limits import WireLimits
from gateway.proxy.wire_refusal import CODES
from tests.parts.asgi_servers import SERVERS
from tests.wire.rows import ROWS

TEXT = (Path(__file__).parents[2] / "gateway" / "docs" / "edge.md").read_text()
LIMITS = WireLimits()


@pytest.mark.parametrize(
    "words",
    [
        f"a request line over {LIMITS.request_line_bytes // 1024} KiB",
        f"over {LIMITS.header_fields} header fields, or {LIMITS.head_bytes // 1024} KiB of head",
        f"not complete {LIMITS.head_s:g} s after the connect",
        f"less than {LIMITS.body_bytes_per_s} bytes a second over {LIMITS.body_span_s:g} s",
        f"closed after {LIMITS.idle_s:g} s, a reader that takes nothing after {LIMITS.stall_s:g} s",
        f"more than {LIMITS.pipelined_bytes // 1024} KiB ahead",
        f"up to {LIMITS.linger_s:g} s and {LIMITS.linger_bytes // 1024} KiB more",
        f"rows kept, of {len(ROWS)}",
        f"At most {EdgeLimits().exchanges:,} exchanges are under way at once",
    ],
)
def test_every_number_is_the_one_in_force(words: str) -> None:
    assert words in " ".join(TEXT.split())


@pytest.mark.parametrize("status", CODES)
def test_every_refusal_is_in_the_table(status: int) -> None:
    assert re.search(rf"\| {status}\b", TEXT)


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_has_its_row(server: str) -> None:
    assert f"| {server} |" in TEXT.replace("`", "")


def test_every_command_exists() -> None:
    commands = set(re.findall(r"python -m ([\w.]+)", TEXT))
    assert len(commands) == 4
    assert all(importlib.util.find_spec(command) for command in commands)
