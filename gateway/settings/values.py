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
    admin_token: bytes | None = field(default=None, repr=False)
    """Whoever asks the admin port has to show it; None: whoever is on this machine may ask."""
    admin_plain_http: bool = False
    """The admin port may be reached from other machines without TLS: something else encrypts."""
    audit_log: Path | None = None
    """A file that gets a line for each deed of an operator's, besides the log."""
    probes: Address | None = None
    """/healthz, /readyz and /metrics alone, for whoever asks; None: only on the other ports."""
    probes_metrics: bool = True
    """/metrics is among them."""
    tls_cert: Path | None = None
    """PEM, the whole chain. With it the callers' port speaks TLS and nothing else."""
    tls_key: Path | None = None
    """PEM, not encrypted; None: it is in the file of the certificate. So for all that follow."""
    tls_client_ca: Path | None = None
    """PEM of the authorities of which a caller has to show a certificate; None: none is asked."""
    admin_tls_cert: Path | None = None
    admin_tls_key: Path | None = None
    admin_tls_client_ca: Path | None = None
    upstream_tls_ca: tuple[str, ...] = ()
    """`FILE`, or `SELECTOR=FILE` as in `selected_upstreams`: the authorities of that model API, in
    the place of the public ones."""
    upstream_tls_cert: tuple[str, ...] = ()
    """Likewise: the certificate that is shown to a model API."""
    upstream_tls_key: tuple[str, ...] = ()
    guesses_per_minute: int = 20
    """Wrong credentials of one address that are answered as such; further ones wait."""
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
    max_exchanges: int = 2_000
    """At once; one more is turned away. See `proxy.edge`."""
    retry_jitter_s: float = 0.0
    """Whoever is refused is told to come back up to so much later, so that a crowd is parted."""
    shutdown_grace_s: float = 25.0
    """Less than the 30 s after which Kubernetes kills."""
    reload_every_s: float | None = 30.0
    """Policies and accounts are read when a change of their files is seen, and besides so often,
    for file systems that tell of none; None: only when one is seen. Kubernetes itself takes up to
    a minute to bring a changed ConfigMap."""
    record: Path | None = None
    """A traffic file, for later backtests; None: none is written."""
    record_size_bytes: int = 256 * 2**20
    """How large it grows before it is put aside under a number."""
    record_gzip: bool = False
    """What was put aside is compressed."""
    record_prompts: bool = False
    """Requests are recorded as they came, prompts and all, and what they call their end users."""
    trust_traceparent: bool = False
    """Continue the caller's trace; otherwise a new one begins and links to it."""
    log_allowed: bool = False
    """A log line for what was served, too, not only for what was refused or failed."""
