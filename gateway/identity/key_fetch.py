"""One request for an issuer's keys over HTTP: bounded in time and size, following nothing."""

import asyncio
import ssl

import httpx

from gateway.identity.key_set import KeySet, UnusableKeys, parse_key_set

TIMEOUT_S = 5.0
"""For the whole of it. A request with a new key waits for this long at most."""

MAX_BYTES = 512 * 1024
"""A key with its certificates takes 4 KiB."""


def tls_context(url: str, authorities: str | None) -> ssl.SSLContext:
    """`authorities` in PEM, or None for the public ones. For plain http nothing is loaded.

    Raises `UnusableKeys` where they are none.
    """
    if url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authorities is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError):
        raise UnusableKeys("it holds no certificates in PEM") from None


async def fetch_keys(url: str, context: ssl.SSLContext) -> KeySet:
    """Raises `UnusableKeys`, whose words are safe to log."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            httpx.AsyncClient(verify=context, trust_env=False, timeout=None) as client,  # noqa: S113  # the one above bounds all of it
            client.stream("GET", url, headers=_HEADERS) as answer,
        ):
            return parse_key_set(await _body(answer))
    except TimeoutError:
        raise UnusableKeys(f"no answer within {TIMEOUT_S:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UnusableKeys(f"no answer ({type(error).__name__})") from None
    except OSError as error:  # OpenSSL's faults while reading are not httpx's
        raise UnusableKeys(f"no answer ({error.strerror or type(error).__name__})") from None


_HEADERS = {
    "accept": "application/jwk-set+json, application/json",
    "accept-encoding": "identity",  # what is unpacked has no bound
    "user-agent": "gauger",
}


async def _body(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise UnusableKeys(f"status {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise UnusableKeys("the answer is encoded")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > MAX_BYTES:
            raise UnusableKeys(f"the answer has more than {MAX_BYTES:,} bytes")
    return bytes(body)
