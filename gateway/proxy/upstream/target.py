"""Where the model API is: the operator's `--upstream URL`, taken apart once."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Self
from urllib.parse import urlsplit

from gateway.errors import SettingsError

DEFAULT_PORTS = {"http": 80, "https": 443}
LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # RFC 1123, 2.1, and the underscore
ALLOWED = "Allowed: http://HOST[:PORT][/PREFIX] or https://HOST[:PORT][/PREFIX]."


@dataclass(frozen=True, slots=True)
class UpstreamTarget:
    """The one host that requests go to."""

    scheme: str
    host: str
    """Name or address, an IPv6 address without its brackets."""
    port: int
    prefix: bytes
    """What is put before the path of every request; begins with a slash or is empty."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises `SettingsError` for anything but scheme, host, port and path."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:  # whose words may quote a password
            raise SettingsError(f"upstream: not a URL with a host and port. {ALLOWED}") from None
        if parts.scheme not in DEFAULT_PORTS:
            raise SettingsError(f'upstream: the scheme "{parts.scheme}" is not known. {ALLOWED}')
        if "@" in parts.netloc:  # not repeated in the message: it may hold a password
            raise SettingsError(
                "upstream: a user or password in the URL is not used; name the variable that holds "
                f"the key with --upstream-key-env. {ALLOWED}"
            )
        if parts.query or parts.fragment or url.endswith(("?", "#")):
            raise SettingsError(f"upstream: a query or fragment is not used. {ALLOWED}")
        host = parts.hostname
        if host is None or not _is_host(host):
            raise SettingsError(f'upstream: "{host or ""}" is not a host name. {ALLOWED}')
        if not all("!" <= c <= "~" for c in parts.path):
            raise SettingsError(f"upstream: the path must be percent-encoded ASCII. {ALLOWED}")
        return cls(
            scheme=parts.scheme,
            host=host,
            port=DEFAULT_PORTS[parts.scheme] if port is None else port,
            prefix=parts.path.rstrip("/").encode("ascii"),
        )

    @property
    def where(self) -> str:
        """`host:port`, for messages."""
        return f"{self._bracketed}:{self.port}"

    @property
    def authority(self) -> bytes:
        """What the `Host` field says: without the port where the scheme implies it."""
        implied = self.port == DEFAULT_PORTS[self.scheme]
        return (self._bracketed if implied else self.where).encode("ascii")

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.where}"

    def request_target(self, raw_path: bytes, query_string: bytes) -> bytes:
        """The second word of the request line."""
        query = b"?" + query_string if query_string else b""
        return self.prefix + raw_path + query

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def _is_host(host: str) -> bool:
    """A name of letters, digits, hyphens and underscores (Docker's), or an address.

    Names in other scripts are written as DNS has them, in Punycode.
    """
    try:
        if ":" in host:
            IPv6Address(host)
        elif host.replace(".", "").isdecimal():
            IPv4Address(host)
    except AddressValueError:
        return False
    else:
        return ":" in host or re.fullmatch(f"(?:{LABEL}[.])*{LABEL}[.]?", host) is not None
