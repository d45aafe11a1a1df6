"""The words of a text as they are compared: whatever disguise was put on them is taken off.

Unicode's compatibility forms are made one (NFKC: full-width letters, ligatures), case is dropped,
signs without width go, and in a word of mixed scripts the letters that only look Latin become
Latin. Numbers are all the same number: what is counted up is no wording. Scripts that put no spaces
between words are read sign by sign.
"""

import re
import unicodedata

_DIGITS = re.compile(r"\d+")
_ASCII_WORD = re.compile(r"[a-z_]+|0")
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    r"|[^\W\d]+|0"
)
"""A sign of Thai, Lao, Khmer, Kana and Han; a word; a number."""

_NUMBER = "0"

_NO_WIDTH = dict.fromkeys(
    [
        0x00AD,
        0x034F,
        0x061C,
        0x180E,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        0xFEFF,
        *range(0xE0000, 0xE0080),
    ]
)

_LOOKING_LATIN = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u0432\u043a\u043c"
    "\u043d\u0442\u0433\u04bb\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c7\u03b7\u03b5\u03c4"
    "\u0131\u0261\u0251",
    "aeopcyxijsdqbkmhtrhaopvikyxnetiga",
)
_LATIN = re.compile(r"[a-z]")
_FOREIGN = re.compile("[\u0370-\u03ff\u0400-\u052f\u0131\u0251\u0261]")


def plain(text: str) -> str:
    """The text without its disguise."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).translate(_NO_WIDTH).casefold()
    if _FOREIGN.search(text) and _LATIN.search(text):
        text = re.sub(r"\w+", _latin_if_mixed, text)
    return text


def words(plain_text: str) -> list[str]:
    """Of a text that is `plain`."""
    pattern = _ASCII_WORD if plain_text.isascii() else _WORD
    return pattern.findall(_DIGITS.sub(_NUMBER, plain_text))


def _latin_if_mixed(found: re.Match[str]) -> str:
    word = found[0]
    if _LATIN.search(word) and _FOREIGN.search(word):
        return word.translate(_LOOKING_LATIN)
    return word
