"""What a compiled condition is made of: the facts, calls and constants in it, and where they stand.

CEL gives its checked expression away as a protocol buffer alone (`cel.expr.CheckedExpr` inside a
`google.protobuf.Any`; github.com/google/cel-spec, `checked.proto` and `syntax.proto`). Of that
format only a few fields matter here, so they are read without its schema.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from struct import unpack


class NodeKind(Enum):
    """The numbers are those of the fields of `cel.expr.Expr`."""

    CONSTANT = 3
    NAME = 4
    """Of a fact, or of a variable inside the condition."""
    FIELD = 5
    """`name` of its one child."""
    CALL = 6
    """Of a function, by the name that CEL gives it (`_/_`), with all it is applied to."""
    LIST = 7
    MAP = 8
    LOOP = 9
    """`exists`, `all`, ... as they are spelled out."""


Constant = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Node:
    kind: NodeKind
    offset: int
    """In characters, of the condition's text."""
    name: str = ""
    children: tuple["Node", ...] = ()
    asked: bool = False
    """Of a field: it is only asked whether there is one."""
    constant: Constant | None = None
    """Of bytes, null and whole numbers without a sign None."""
    overload: str = ""
    """Of a call: which of the functions of this name it is (`add_int64`), if that is certain."""

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()


def tree(serialized: bytes) -> Node:
    """Of what `Expression.serialize` gave."""
    checked = _Message(_Message(serialized).only(_ANY_VALUE))
    places = _Message(checked.only(_CHECKED_SOURCE))
    entries = [_Message(entry) for entry in places.each(_SOURCE_POSITIONS)]
    offsets = {entry.number(1): entry.number(2) for entry in entries}
    return _node(checked.only(_CHECKED_EXPRESSION), offsets, _overloads(checked))


def _overloads(checked: "_Message") -> dict[int, str]:
    """By the number of the call, of those with exactly one."""
    found: dict[int, str] = {}
    for entry in map(_Message, checked.each(_CHECKED_REFERENCES)):
        names = _Message(entry.only(2)).each(_REFERENCE_OVERLOADS)
        if len(names) == 1:
            found[entry.number(1)] = names[0].decode()
    return found


_ANY_VALUE, _CHECKED_REFERENCES, _CHECKED_EXPRESSION, _CHECKED_SOURCE = 2, 2, 4, 5
_SOURCE_POSITIONS, _EXPRESSION_ID, _REFERENCE_OVERLOADS = 4, 2, 3
_NAMES = {NodeKind.NAME: 1, NodeKind.FIELD: 2, NodeKind.CALL: 2}
_CHILDREN = {
    NodeKind.FIELD: (1,),
    NodeKind.CALL: (1, 3),
    NodeKind.LIST: (1,),
    NodeKind.LOOP: (2, 4, 5, 6, 7),
}
_MAP_ENTRIES, _MAP_PARTS, _FIELD_IS_ASKED = 2, (3, 4), 3
_TRUTH, _INT64, _DOUBLE, _TEXT = 2, 3, 5, 6


def _node(written: bytes, offsets: dict[int, int], overloads: dict[int, str]) -> Node:
    expression = _Message(written)
    number = expression.number(_EXPRESSION_ID)
    kind = next(kind for kind in NodeKind if expression.each(kind.value))
    inside = _Message(expression.only(kind.value))
    if kind is NodeKind.MAP:
        entries = [_Message(entry) for entry in inside.each(_MAP_ENTRIES)]
        parts = [part for entry in entries for number in _MAP_PARTS for part in entry.each(number)]
    else:
        parts = [part for number in _CHILDREN.get(kind, ()) for part in inside.each(number)]
    return Node(
        kind,
        offsets.get(number, 0),
        inside.only(_NAMES[kind]).decode() if kind in _NAMES else "",
        tuple(_node(part, offsets, overloads) for part in parts),
        asked=kind is NodeKind.FIELD and bool(inside.number(_FIELD_IS_ASKED)),
        constant=_constant(inside) if kind is NodeKind.CONSTANT else None,
        overload=overloads.get(number, "") if kind is NodeKind.CALL else "",
    )


def _constant(inside: "_Message") -> Constant | None:
    if inside.each(_TEXT):
        return inside.only(_TEXT).decode()
    if inside.each(_DOUBLE):
        return float(unpack("<d", inside.only(_DOUBLE))[0])
    if inside.has(_TRUTH):
        return bool(inside.number(_TRUTH))
    if not inside.has(_INT64):
        return None
    number = inside.number(_INT64)
    return number - (1 << 64) if number >> 63 else number  # two's complement


class _Message:
    """One protocol buffer: numbers and bytes by the number of their field."""

    def __init__(self, encoded: bytes) -> None:
        self._numbers: dict[int, int] = {}
        self._parts: dict[int, list[bytes]] = {}
        at = 0
        while at < len(encoded):
            tag, at = _varint(encoded, at)
            field, wire_type = tag >> 3, tag & 7
            if wire_type == _VARINT:
                self._numbers[field], at = _varint(encoded, at)
                continue
            if wire_type == _LENGTH_DELIMITED:
                length, at = _varint(encoded, at)
            else:
                length = _FIXED_BYTES[wire_type]
            self._parts.setdefault(field, []).append(encoded[at : at + length])
            at += length

    def has(self, field: int) -> bool:
        return field in self._numbers

    def number(self, field: int) -> int:
        """What is not written is 0."""
        return self._numbers.get(field, 0)

    def each(self, field: int) -> list[bytes]:
        return self._parts.get(field, [])

    def only(self, field: int) -> bytes:
        """What is not written is empty."""
        return self.each(field)[0] if self.each(field) else b""


_VARINT, _LENGTH_DELIMITED = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    number = shift = 0
    while True:
        byte = encoded[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004  the bit that says that more follows
            return number, at
