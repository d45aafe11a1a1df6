"""Bodies with one meaning are read; all others are refused with their place."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedRequest
from gateway.facts.json_text import dump, json_type, parse_object


def nested(levels: int, *, arrays: bool = False) -> bytes:
    """`levels` containers inside one another, the object around them included."""
    if arrays:
        return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"
    return b'{"a":' * levels + b"1" + b"}" * levels


VALID = {
    "empty": (b"{}", {}),
    "white space around": (b' \r\n\t{"a" : 1}\n', {"a": 1}),
    "the largest whole numbers": (
        b'{"a":18446744073709551615,"b":-9223372036854775808}',
        {"a": 2**64 - 1, "b": -(2**63)},
    ),
    "a large fraction": (b'{"a":1e308}', {"a": 1e308}),
    "underflow": (b'{"a":1e-999}', {"a": 0.0}),
    "a surrogate pair": (rb'{"a":"\ud83d\ude00"}', {"a": "\U0001f600"}),
    "a backslash before what looks like one": (rb'{"a":"\\ud83d"}', {"a": "\\ud83d"}),
    "an escaped key": (rb'{"\u0061":1}', {"a": 1}),
    "one key in two objects": (b'{"a":{"b":1},"c":{"b":1}}', {"a": {"b": 1}, "c": {"b": 1}}),
    "keys that differ in case": (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
    "NaN in a string": (b'{"a":"NaN"}', {"a": "NaN"}),
    "a mark inside": ('{"a":"\ufeff"}'.encode(), {"a": "\ufeff"}),
}

PLACED = {
    "nothing": (b"", "not JSON: Expecting value at line 1, column 1"),
    "broken": (b'{\n "a": 1,\n}', "at line 3, column 1"),
    "two documents": (b"{}{}", "Extra data at line 1, column 3"),
    "a control character in a string": (b'{"a":"\n"}', "Invalid control character at"),
    "a comment": (b'{"a":1/**/}', "at line 1, column 7"),
    "a single quote": (b"{'a':1}", "at line 1, column 2"),
    "an array": (b"[]", "The body is an array; it must be a JSON object"),
    "a string": (b'"secret"', "The body is a string; it must be a JSON object"),
    "null": (b"null", "The body is null; it must be a JSON object"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark, at line 1, column 1"),
    "latin-1": ('{\n"ä":"'.encode() + b'\xe9"}', "not UTF-8: byte 0xe9 at line 2, column 6"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8: byte 0xff at line 1, column 1"),
    "a surrogate in UTF-8": (b'{"a":"\xed\xa0\x80"}', "not UTF-8: byte 0xed"),
    "an overlong slash": (b'{"a":"\xc0\xaf"}', "not UTF-8: byte 0xc0"),
    "a key twice": (b'{"model":"a","model":"b"}', 'the key "model" twice in one object'),
    "a key twice, once escaped": (rb'{"model":"a","mod\u0065l":"b"}', 'the key "model" twice'),
    "a key twice, deep inside": (b'{"a":[{"b":{"c":1,"c":2}}]}', 'the key "c" twice'),
    "a text twice as a key": (b'{"my secret":1,"my secret":2}', "a key of 9 characters twice"),
    "NaN": (b'{"a":\n NaN}', "has NaN at line 2, column 2"),
    "Infinity": (b'{"a":"Infinity","b":Infinity}', "has Infinity at line 1, column 21"),
    "-Infinity": (b'{"a":-Infinity}', "has -Infinity at line 1, column 6"),
    "an infinite number": (b'{"a":1e999}', "has 1e999 at line 1, column 6"),
    "an infinite one without exponent": (
        b'{"a":' + b"9" * 400 + b".0}",
        "has a number of 402 characters at line 1, column 6",
    ),
    "beyond 64 bits": (b'{"a":18446744073709551616}', "has 18446744073709551616 at line 1, column"),
    "below 64 bits": (b'{"a":-9223372036854775809}', "has -9223372036854775809 at"),
    "ten thousand digits": (b'{"a":' + b"1" * 10_000 + b"}", "has a number of 10000 characters"),
    "a lone high surrogate": (rb'{"a":"x\ud83d"}', "half of a surrogate pair at line 1, column 8"),
    "a lone low surrogate": (rb'{"a":"\\\uDE00"}', "half of a surrogate pair at line 1, column 9"),
    "a pair the wrong way round": (rb'{"a":"\ude00\ud83d"}', "half of a surrogate pair"),
    "a lone surrogate as a key": (rb'{"\ud83d":1}', "half of a surrogate pair"),
    "65 levels": (nested(65), 'nested too deep under the key "a"'),
    "65 levels of arrays": (nested(65, arrays=True), "allowed are 64 levels"),
    "100,000 levels": (nested(100_000, arrays=True), "allowed are 64 levels"),
}


@pytest.mark.parametrize(("data", "value"), VALID.values(), ids=VALID)
def test_what_has_one_meaning_is_read(data: bytes, value: object) -> None:
    assert parse_object(data) == value


@pytest.mark.parametrize(("data", "message"), PLACED.values(), ids=PLACED)
def test_what_has_two_meanings_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        parse_object(data)
    assert message in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize("arrays", [False, True])
def test_sixty_four_levels_are_read(arrays: bool) -> None:
    data = nested(64, arrays=arrays)
    assert parse_object(data) == json.loads(data)


def test_the_depth_is_the_callers_to_choose() -> None:
    assert parse_object(nested(3), max_depth=3)
    with pytest.raises(MalformedRequest, match="allowed are 3 levels"):
        parse_object(nested(4), max_depth=3)


WITHIN_64_BITS = st.integers(-(2**63), 2**64 - 1)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | WITHIN_64_BITS
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES), st.booleans())
def test_any_object_survives_a_round(value: dict[str, object], escaped: bool) -> None:
    assert parse_object(dump(value)) == value
    assert parse_object(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary() | st.text().map(str.encode))
def test_garbage_raises_nothing_but_a_refusal(data: bytes) -> None:
    with suppress(MalformedRequest):
        assert isinstance(parse_object(data), dict)


def test_dumped_text_is_compact() -> None:
    assert dump({"a": [1, 2.0, "ä"]}) == '{"a":[1,2.0,"ä"]}'.encode()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "a string"),
        ({}, "an object"),
        ([], "an array"),
    ],
)
def test_a_type_is_named_in_words(value: object, words: str) -> None:
    assert json_type(value) == words
