"""Where a character of a text stands in the file that holds it.

A text in YAML is not written as it is read: it may be indented, folded over lines, or hold escapes.
All but the white space stands there in the same order, though, so the two are read side by side.
"""

from gateway.source.problems import Place
from gateway.source.yaml_text import Document, Path

_BLOCK = ("|", ">")
_QUOTES = ('"', "'")


def place_inside(document: Document, path: Path, text: str, offset: int) -> Place:
    r"""Of the first visible character at or behind `offset` of the `text` that is at `path`.

    Where an escape makes text and file differ (`\u0041`) it is near the place.
    """
    lines = document.source.lines
    place = document.value_place(path)
    mark = lines[place.line][place.column : place.column + 1]
    if mark in _BLOCK:
        place = Place(place.line + 1, 0)
    elif mark in _QUOTES:
        place = Place(place.line, place.column + 1)
    for at, character in enumerate(text):
        if character.isspace():
            continue
        found = _find(lines, place, character)
        if found is None:
            break
        if at >= offset:
            return found
        place = Place(found.line, found.column + 1)
    return place


def _find(lines: tuple[str, ...], place: Place, character: str) -> Place | None:
    column = place.column
    for line in range(place.line, len(lines)):
        at = lines[line].find(character, column)
        if at >= 0:
            return Place(line, at)
        column = 0
    return None
