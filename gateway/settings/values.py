"""What a process is told at its start, checked and with its units. The repr shows no secret."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the system choose; the port it chose is printed."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Only this machine can connect. A name other than localhost may mean anything: False."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    policies: Path
    """A directory of `*.yaml` files, or one such file."""
    upstream: str
    """The model API's address without a trailing slash; the path of a route is appended."""
    store: str = field(default="memory://", repr=False)
    """`memory://` or the URL of a Redis, which may hold a password."""
    store_timeout_s: float = 0.05
    """For one answer of the store. A request waits no longer for a store that is silent."""
    replicas: int | None = None
    """How many gaugers share the store; None: it says so itself."""
    listen: Address = Address("127.0.0.1", 8080)
    admin: Address | None = Address("127.0.0.1", 9090)
    """Status page, health and metrics; None: not served."""
    accounts: Path | None = None
    identities: Path | None = None
    """Whom to believe about who a caller is, besides the accounts file."""
    upstream_key_env: str | None = None
    upstream_key: str | None = field(default=None, repr=False)
    """What that variable holds: sent upstream in the place of the caller's credential."""
    selected_upstreams: tuple[str, ...] = ()
    """`DIALECT=URL` or `MODEL=URL`, each for a part of the requests (`proxy.upstream.written`)."""
    selected_upstream_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Selector to the key of its model API."""
    secret: bytes = field(repr=False)
    """Keys every hash of a credential. The same in all processes that share a store."""
    secret_is_random: bool = False
    """Nobody gave one: the names of accounts change with each start."""
    connect_timeout_s: float = 5.0
    first_byte_timeout_s: float = 600.0
    """A model may think for minutes before a plain answer begins; the SDKs wait this long, too."""
    idle_timeout_s: float = 120.0
    """Between two pieces of an answer that has begun."""
    body_limit_bytes: int = 32 * 2**20
    """What the large model APIs accept themselves."""
    stream_step_tokens: int = 256
    """The least by which the reservation of a stream that outgrows it is extended."""
    shutdown_grace_s: float = 25.0
    """Less than the 30 s after which Kubernetes kills."""
    reload_every_s: float | None = 30.0
    """Policies and accounts are read when a change of their files is seen, and besides so often,
    for file systems that tell of none; None: only when one is seen. Kubernetes itself takes up to
    a minute to bring a changed ConfigMap."""
    trust_traceparent: bool = False
    """Continue the caller's trace; otherwise a new one begins and links to it."""
    log_allowed: bool = False
    """A log line for what was served, too, not only for what was refused or failed."""
