"""Byte offsets as lines and columns, and lines as text that is safe to show.

Source code is bytes. A line that is UTF-8 is decoded as such, another one as Latin-1; columns count UTF-16 code
units from 1, as SARIF and editors do. Lines end at LF, CR LF or a lone CR.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, final

from analyzer.sources.extents import extent_end

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
# What a terminal or a reader could take for something else: controls, bidirectional overrides, separators.
_UNSAFE: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def decode(line: bytes) -> str:
    """A line as text: UTF-8 if it is, else Latin-1, which fits every byte."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def display_bytes(line: bytes) -> str:
    """A line as text with control characters (other than tab) as escapes such as ``\\x1b``."""
    return _UNSAFE.sub(lambda match: _escape(ord(match.group())), decode(line))


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _utf16_units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


@final
class LineIndex:
    """Lines and columns of one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._ends = [(match.start(), match.end()) for match in _LINE_END.finditer(data)]
        self._starts = [len(_BOM) if data.startswith(_BOM) else 0, *(end for _, end in self._ends)]

    @property
    def lines(self) -> int:
        """Number of lines; a text without any line end has one."""
        return len(self._starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a byte offset; offsets outside the file count as its start or end."""
        offset = min(max(offset, 0), len(self.data))
        line = max(bisect_right(self._starts, offset), 1)
        before = self.data[self._starts[line - 1] : offset]
        return line, _utf16_units(_decode_prefix(before, self.line_bytes(line))) + 1

    def offset(self, line: int, column: int = 1) -> int:
        """The byte offset of a line and column; the line's end when it has fewer columns."""
        raw = self.line_bytes(line)
        start = self._starts[min(max(line, 1), self.lines) - 1]
        units = 1
        for length in range(len(raw)):
            units = _utf16_units(_decode_prefix(raw[:length], raw)) + 1
            if units >= column:
                return start + length
        return start + len(raw)

    def line_bytes(self, line: int) -> bytes:
        """The line's bytes without its end; empty for a line that does not exist."""
        if not 1 <= line <= self.lines:
            return b""
        end = self._ends[line - 1][0] if line <= len(self._ends) else len(self.data)
        return self.data[self._starts[line - 1] : end]

    def line_text(self, line: int) -> str:
        """The line for display: decoded, control characters escaped, without its end."""
        return display_bytes(self.line_bytes(line))

    def extent(self, offset: int) -> int:
        """End offset (exclusive) of the token, call or statement that starts at `offset`; see `extents`."""
        return extent_end(self.data, offset)


def _decode_prefix(before: bytes, line: bytes) -> str:
    """The start of a line, decoded as the whole line is."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return before.decode("latin-1")
    return before.decode(errors="ignore")
