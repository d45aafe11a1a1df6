"""JSON as callers send it, read so that it has one meaning for every reader.

The bytes that were verified here are the bytes that are forwarded. Whatever two readers could
understand differently is therefore refused, not repaired: two values under one key (also if one
key is written with escapes), numbers that a 64-bit reader rounds or rejects, text that is not
Unicode, a byte order mark, depth that only some readers survive (RFC 8259, sections 4, 6, 8 and 9).
"""

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from gateway.errors import MalformedRequest

MAX_DEPTH = 64
"""The default of .NET's reader, the strictest of the usual ones; serde's gives up at 128."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_STRING = r'"(?:[^"\\]|\\.)*+"'

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

_LONE_SURROGATE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""Every escape of a valid text in turn, so that `\\\\ud800` (a backslash and letters) is none."""

_SAFE_TO_REPEAT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
"""What looks like a name of a field. Anything else in the place of a key may be a prompt's text."""


def parse_object(data: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The object that a body is. Raises `MalformedRequest`, which says what is wrong and where."""
    text = _decode(data)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=lambda name: _refuse_number(text, name),
            parse_float=lambda digits: _finite(text, digits),
            parse_int=lambda digits: _whole(text, digits),
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise _too_deep(max_depth, None) from None
    if not isinstance(value, dict):
        raise MalformedRequest(f"The body is {json_type(value)}; it must be a JSON object.")
    if _ESCAPED_SURROGATE.search(data):
        _refuse_lone_surrogates(text)
    for key, below in value.items():
        if _deeper_than(max_depth - 1, below):
            raise _too_deep(max_depth, key)
    return value


def read_tolerantly(data: bytes, *, max_depth: int) -> object:
    """What a value is to a reader that forgives: of answers, which are counted and passed on as is.

    NaN, half a surrogate pair, bytes that are no text, a byte order mark and what follows the value
    are no reason not to read it. A number beyond 64 bits is infinite. None for what nobody could
    read; never raises.
    """
    text = data.removeprefix(_BYTE_ORDER_MARK).decode(errors="replace").lstrip()
    if _ESCAPED_SURROGATE.search(data):
        text = _LONE_SURROGATE.sub(lambda found: r"\ufffd" if found["lone"] else found[0], text)
    try:
        value, _ = _TOLERANT.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return None if _deeper_than(max_depth, value) else value


def dump(value: object) -> bytes:
    """Compact JSON, in UTF-8."""
    return msgspec.json.encode(value)


def json_type(value: object) -> str:
    """What a value is, in words, and nothing of what it says."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case _:
            return "an array"


def _decode(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARK):
        raise MalformedRequest(
            "The body begins with a byte order mark, at line 1, column 1; JSON is sent without."
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        where = _place(data[: error.start].decode(), error.start)
        raise MalformedRequest(
            f"The body is not UTF-8: byte 0x{data[error.start]:02x} at {where}."
        ) from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise MalformedRequest(
            f"The body has {_key(twice)} twice in one object; readers disagree which one counts."
        )
    return found


def _finite(text: str, digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(text, digits)


_LONGEST_64_BIT = 20
"""Digits and sign. Longer ones are not even converted: that takes quadratic time."""


def _whole(text: str, digits: str) -> int:
    if len(digits) <= _LONGEST_64_BIT and -(2**63) <= (number := int(digits)) < 2**64:
        return number
    return _refuse_number(text, digits)


def _whole_or_infinite(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_64_BIT else math.inf


_TOLERANT = json.JSONDecoder(parse_int=_whole_or_infinite, strict=False)


def _refuse_number(text: str, written: str) -> NoReturn:
    token = re.compile(rf"{_STRING}|(?P<number>{re.escape(written)})", re.DOTALL)
    at = next(found.start() for found in token.finditer(text) if found["number"])
    shown = written if len(written) <= _LONGEST_64_BIT else f"a number of {len(written)} characters"
    raise MalformedRequest(
        f"The body has {shown} at {_place(text, at)}; allowed are finite numbers, whole ones "
        "within 64 bits."
    )


def _refuse_lone_surrogates(text: str) -> None:
    for escape in _LONE_SURROGATE.finditer(text):
        if escape["lone"]:
            raise MalformedRequest(
                f"The body has half of a surrogate pair at {_place(text, escape.start())}; "
                "it stands for no character."
            )


def _deeper_than(levels: int, value: object) -> bool:
    """Level by level, since a recursion would be the attack."""
    level: list[Any] = [value]
    for _ in range(levels + 1):
        level = [found for found in level if isinstance(found, dict | list)]
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return True


def _too_deep(max_depth: int, key: str | None) -> MalformedRequest:
    where = "" if key is None else f" under {_key(key)}"
    return MalformedRequest(f"The body is nested too deep{where}; allowed are {max_depth} levels.")


def _key(key: str) -> str:
    """A key for an error message. What does not look like a field's name is not repeated."""
    if _SAFE_TO_REPEAT.fullmatch(key):
        return f'the key "{key}"'
    return f"a key of {len(key)} characters"


def _place(text: str, at: int) -> str:
    """Counted in characters from 1, as editors do."""
    before = text[:at]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
