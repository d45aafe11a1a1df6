"""What the address of a store says: one server, sentinels that know it, or the nodes of a cluster.

    redis://[name:password@]host[:port][/db]      rediss:// the same over TLS, unix:///path/to/socket
    redis+sentinel://[name:password@]host:port,host:port/service[/db]       rediss+sentinel://
    redis+cluster://[name:password@]host:port,host:port                     rediss+cluster://

Name and password are those of the servers that count. After a `?` may stand `wait` (of how many
replicas must have it before a reservation counts), of sentinels `sentinel_username` and
`sentinel_password`, and what redis-py knows of TLS (`ssl_ca_certs`, `ssl_certfile`, ...).
"""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from gateway.errors import SettingsError

Place = tuple[str, int]
"""Host and port."""

MOST_ACKS = 5

_SENTINEL_PORT = 26379
_PORT = 6379

CANNOT_BE_READ = (
    "The store's address cannot be read. Write redis://[name:password@]host[:port][/db], "
    "rediss://... for TLS, unix:///path/to/socket, redis+sentinel://host:port,host:port/service or "
    "redis+cluster://host:port,host:port; in names and passwords write / @ : ? # as %2F %40 %3A %3F"
    " %23."
)


class Kind(Enum):
    ONE = ""
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Address:
    kind: Kind
    server: str = field(repr=False)
    """How to come to a server, in redis-py's words; where there are `places`, without a host."""
    places: tuple[Place, ...] = ()
    """Of the sentinels, or of some nodes of the cluster."""
    sentinel: str = field(default="", repr=False)
    """As `server`, of the sentinels."""
    service: str = ""
    """The name of the master among the sentinels."""
    acks: int = 0
    """So many replicas must have what was written before it counts."""


def read_address(url: str) -> Address:
    """Raises `SettingsError`, which repeats nothing of the address: it may hold a password."""
    scheme, _, kind = url.partition("://")[0].partition("+")
    try:
        return _read(url, scheme, kind)
    except ValueError:
        # The cause would repeat a part of the address, which may be the password.
        raise SettingsError(CANNOT_BE_READ) from None


def _read(url: str, scheme: str, kind: str) -> Address:
    """Raises `ValueError`, too."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    acks = _acks(query.pop("wait", "0"))
    if not kind:
        return Address(Kind.ONE, parts._replace(query=urlencode(query)).geturl(), acks=acks)
    of = Kind(kind)
    if scheme not in ("redis", "rediss") or parts.fragment:
        raise ValueError
    who, _, hosts = parts.netloc.rpartition("@")
    places = tuple(_place(one, of) for one in hosts.split(","))
    path = [one for one in parts.path.split("/") if one]
    if of is Kind.CLUSTER:
        if path not in ([], ["0"]):
            raise SettingsError("store: a cluster has one database, 0. Leave the path away.")
        return Address(of, _server(scheme, who, "", query), places, acks=acks)
    if len(path) not in (1, 2):
        raise SettingsError(
            "store: after the sentinels stands the name under which they know the master: "
            "redis+sentinel://host:26379,host:26379/mymaster."
        )
    service, database = (*path, "")[:2]
    if database and not database.isdigit():
        raise ValueError
    name, password = (query.pop(f"sentinel_{word}", "") for word in ("username", "password"))
    as_sentinel = f"{quote(name, '')}:{quote(password, '')}" if name or password else ""
    return Address(
        of,
        _server(scheme, who, database, query),
        places,
        _server(scheme, as_sentinel, "", query),
        unquote(service),
        acks,
    )


def _server(scheme: str, who: str, database: str, query: dict[str, str]) -> str:
    at = f"{who}@" if who else ""
    return f"{scheme}://{at}/{database}" + (f"?{urlencode(query)}" if query else "")


def _place(text: str, kind: Kind) -> Place:
    """`host`, `host:port` or `[v6]:port`. Raises ValueError."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.username is not None or parts.path:
        raise ValueError
    return parts.hostname, parts.port or (_SENTINEL_PORT if kind is Kind.SENTINEL else _PORT)


def _acks(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_ACKS):
        raise SettingsError(f"store: wait is a number of replicas. Allowed: 0 to {MOST_ACKS}.")
    return int(text)
