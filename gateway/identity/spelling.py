"""How single values of the identities file are written, and what is told where they are not."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from gateway.facts.principal import can_name_account
from gateway.identity.key_set import ALGORITHMS
from gateway.source.wording import allowed_words, shown

MIN_PREFIX_BITS = 8
"""The whole of 10.0.0.0/8. A wider range is not a list of proxies, it is everybody."""

RESERVED_HEADERS = frozenset(
    {
        "authorization",
        "x-api-key",
        "x-goog-api-key",
        "api-key",
        "cookie",
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept",
        "accept-encoding",
        "user-agent",
        "forwarded",
        "x-forwarded-for",
        "traceparent",
        "tracestate",
        "baggage",
        "x-request-id",
    }
)
"""They mean something else already."""

_HEADER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def one_or_more(value: Any) -> Any:  # noqa: ANN401  # whatever is written; the model judges it
    return [value] if isinstance(value, str) else value


def not_empty(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not texts or not all(texts):
        raise ValueError("Nothing is written here. Name at least one.")
    return texts


def algorithm(name: str) -> str:
    if name not in ALGORITHMS:
        raise ValueError(
            f"{shown(name)} is not accepted: only signatures that a public key verifies. "
            f"{allowed_words(name, ALGORITHMS)}"
        )
    return name


def url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    local = host == "localhost" or _is_loopback(host)
    if host is None or parts.scheme not in ("https", "http"):
        raise ValueError("This is not a URL. Write https://HOST/PATH.")
    if parts.scheme == "http" and not local:
        raise ValueError(
            "Keys that come over plain http can be exchanged on the way. Write https://; http:// "
            "is allowed to localhost alone."
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("A user, a password or a # has no place in this URL. Leave it out.")
    return text


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def network(text: str) -> str:
    try:
        parsed = ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"{shown(text)} is not a range of addresses: {error}. Write 10.1.2.3, 10.0.0.0/8 or "
            "fd00::/8."
        ) from None
    if parsed.prefixlen < MIN_PREFIX_BITS:
        raise ValueError(
            f"{text} is (nearly) everybody, and whoever is in it can call himself any account. "
            f"Write the addresses of the proxies; the widest range allowed is /{MIN_PREFIX_BITS}."
        )
    return text


def header_name(text: str) -> str:
    name = text.lower()
    if not _HEADER.fullmatch(name):
        raise ValueError(
            f"{shown(text)} is not the name of a header. Write letters, digits and hyphens, such "
            "as x-account-id; with underscores it would be another one to half of all servers."
        )
    if name in RESERVED_HEADERS:
        raise ValueError(f"{name} has a meaning of its own. Let the proxy set another header.")
    return name


def account_prefix(text: str) -> str:
    if text and not can_name_account(text + "a"):
        raise ValueError('This cannot begin the name of an account. Write such as "corp/".')
    return text
