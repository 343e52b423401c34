"""How a file is laid out: line ends, indentation, where braces stand. What is inserted follows it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, final

_HEAD: Final = re.compile(rb"^([ \t]*)(?:if|while|for|switch)\b[^\n{};]*\)[ \t]*(?:\r?\n([ \t]*))?\{", re.MULTILINE)
_NESTED: Final = re.compile(rb"^([ \t]*)\S[^\n]*\{[ \t]*\r?\n([ \t]+)\S", re.MULTILINE)
_TAB: Final = 8


def columns(space: bytes) -> int:
    """The width of white space, with a tab at every eighth column."""
    width = 0
    for byte in space:
        width = (width // _TAB + 1) * _TAB if byte == ord("\t") else width + 1
    return width


@final
class Layout:
    """The habits of one file.

    newline: its line end. unit: columns of one step of indentation. brace: columns by which the brace of a governed
    block stands in from its head, -1: at the end of the head's line.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.newline = b"\r\n" if data.count(b"\r\n") * 2 > data.count(b"\n") else b"\n"
        self._tabs = re.search(rb"^\t", data, re.MULTILINE) is not None
        steps = Counter(columns(m.group(2)) - columns(m.group(1)) for m in _NESTED.finditer(data))
        known = [(count, step) for step, count in steps.items() if step > 0]
        self.unit = max(known)[1] if known else (_TAB if self._tabs else 4)
        places = Counter(
            -1 if m.group(2) is None else columns(m.group(2)) - columns(m.group(1)) for m in _HEAD.finditer(data)
        )
        self.brace = max((count, -place) for place, count in places.items())[1] * -1 if places else -1
        if self.brace > 0:  # the step to the brace, and from there to what is in the block
            self.unit = self.brace

    def space(self, width: int) -> bytes:
        """White space of this width."""
        if self._tabs and width >= _TAB:
            return b"\t" * (width // _TAB) + b" " * (width % _TAB)
        return b" " * width

    def line_start(self, offset: int) -> int:
        """The beginning of the line of an offset."""
        return self.data.rfind(b"\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The end of the line of an offset, before its line end."""
        end = self.data.find(b"\n", offset)
        end = len(self.data) if end < 0 else end
        return end - 1 if end and self.data[end - 1 : end] == b"\r" else end

    def indent(self, offset: int) -> bytes:
        """The white space at the start of the line of an offset."""
        start = self.line_start(offset)
        end = start
        while self.data[end : end + 1] in (b" ", b"\t"):
            end += 1
        return self.data[start:end]

    def starts_line(self, offset: int) -> bool:
        """Whether nothing but white space stands before it on its line."""
        return not self.data[self.line_start(offset) : offset].strip()

    def ends_line(self, offset: int) -> bool:
        """Whether nothing but white space and comments stands from here to the end of the line."""
        rest = self.data[offset : self.line_end(offset)]
        return not re.sub(rb"/\*.*?\*/|//.*", b"", rest).strip(b" \t\r")
