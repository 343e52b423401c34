"""File names, source lines and messages are other people's text: made harmless here."""

from __future__ import annotations

import unicodedata

# Characters that change the direction or the look of the text around them, so that it misleads.
_TRICKS = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\ufeff") | {
    chr(number) for number in (*range(0x202A, 0x202F), *range(0x2060, 0x206A))
}


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def plain(text: str) -> str:
    """`text` on one line, with control characters, direction marks and broken bytes as escapes."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or (unicodedata.category(character) == "Zs" and character not in _TRICKS)
        else _escape(character)
        for character in text
    )


def plain_source(text: str) -> str:
    """The same for a source line: tabs become blanks up to the next multiple of 8."""
    return plain(text.expandtabs(8))


def width(text: str) -> int:
    """Columns that the text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def split_utf16(text: str, column: int) -> str:
    """The part of `text` before a column that counts UTF-16 code units from 1."""
    left = column - 1
    for index, character in enumerate(text):
        if left <= 0:
            return text[:index]
        left -= 2 if ord(character) > 0xFFFF else 1
    return text
