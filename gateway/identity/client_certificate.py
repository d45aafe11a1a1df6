"""Client certificates as a front proxy tells of them: Envoy's `x-forwarded-client-cert`, read.

    By=spiffe://mesh/gw;Hash=468e...;Subject="CN=acme,O=Acme";URI=spiffe://corp/acme

Elements are parted by commas, one for each proxy on the way; pairs by semicolons; a value with
either stands in double quotes, in which a backslash covers the next character. Keys are of any
case. (Envoy, HTTP header manipulation: x-forwarded-client-cert.)

Values are compared as they stand between the quotes, escapes and all: so two different
certificates are never read as one.
"""

import re

from gateway.errors import MalformedRequest

Element = tuple[tuple[str, str], ...]
"""Pairs of a lower-case key and a value, in their order."""

MAX_BYTES = 64 * 1024
"""A chain in PEM is a few KiB; a head has at most this much."""

_PAIR = re.compile(
    r"""[ ]*([A-Za-z]+)=
        (?: "((?:[^"\\]|\\.)*+)" | ([^",;\s]*+) )
        [ ]*([,;]|$)""",
    re.VERBOSE,
)


def read_certificates(header: str) -> list[Element]:
    """From the proxy that is farthest to the nearest. Raises `MalformedRequest`."""
    elements: list[Element] = []
    pairs: list[tuple[str, str]] = []
    at, end = 0, ","
    while at < len(header) or end:
        pair = _PAIR.match(header, at)
        if pair is None or len(header) > MAX_BYTES or not header.isascii():
            raise MalformedRequest("The client certificate of the front proxy cannot be read.")
        key, quoted, plain, end = pair.groups()
        pairs.append((key.lower(), plain if quoted is None else quoted))
        at = pair.end()
        if end != ";":
            elements.append(tuple(pairs))
            pairs = []
    return elements


def part_of_nearest(header: str, key: str) -> str | None:
    """What the nearest proxy says of the certificate that it verified; None where it says nothing.

    Raises `MalformedRequest`, also where a certificate has several names of the kind: none of them
    is the one.
    """
    values = [value for name, value in read_certificates(header)[-1] if name == key and value]
    if len(values) > 1:
        raise MalformedRequest(f"The client certificate has more than one {key}.")
    return values[0] if values else None
