"""Where code stands: byte offsets in the file of a function, and the macros that code comes from.

Code from a macro has the offset of the macro's name; code that was written as a macro's argument has the offset
at which it was written.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Final, final

from analyzer.libclang.binding import Cursor, Location
from analyzer.libclang.parse import Unit

_FROM_MACRO: Final = 0x80000000
_WORD: Final = re.compile(rb"[A-Za-z_$][\w$]*", re.ASCII)


@final
class FileText:
    """A file of a unit: its text, and the raw number that libclang gives to its first byte.

    That raw numbers in a file rise with the byte offset is internal to libclang 18; `trusted` is the answer of
    a check at the file's end, and without it every position is asked for.
    """

    def __init__(self, unit: Unit, handle: int, name: str, data: bytes) -> None:
        self.unit = unit
        self.handle = handle
        self.name = name
        self.data = data
        lib = unit.lib
        self.base: int = lib.getLocationForOffset(unit.handle, handle, 0).raw
        last = lib.getLocationForOffset(unit.handle, handle, len(data)).raw
        self.trusted = self.base > 0 and last - self.base == len(data)

    def offset(self, raw: int) -> int | None:
        """The byte offset of a raw position that is in this file and not in a macro, else None."""
        if self.trusted and self.base <= raw <= self.base + len(self.data):
            return raw - self.base
        return None


@final
class Positions:
    """Offsets of the nodes of one function. macros: offset -> macro name, filled by use."""

    def __init__(self, file: FileText, start: int, end: int) -> None:
        self._file = file
        self._lib = file.unit.lib
        self._start = start
        self._end = end
        # Raw positions of the function's own text; an empty range when they cannot be trusted.
        self._low = file.base + start if file.trusted else 1
        self._high = file.base + end if file.trusted else 0
        self._slow: dict[int, int | None] = {}
        self._last = start
        self._handle = ctypes.c_void_p()  # where libclang puts its answers
        self._offset = ctypes.c_uint()
        self.macros: dict[int, str] = {}

    def of(self, cursor: Cursor) -> int:
        """Where the node begins; for nodes without a place in the function's file, the last one asked for."""
        location = self._lib.getCursorLocation(cursor)
        raw: int = location.raw
        if self._low <= raw <= self._high:
            self._last = raw - self._file.base
            return self._last
        return self._clamped(location)

    def end_of(self, cursor: Cursor) -> int:
        """Offset of the last character of a node, such as the closing brace of a block."""
        extent = self._lib.getCursorExtent(cursor)
        direct = self._file.offset(extent.end)
        if direct is not None:
            return min(max(direct - 1, self._start), self._end)
        location = Location(extent.first, extent.second, extent.end)
        return self._clamped(location)

    def in_macro(self, cursor: Cursor) -> bool:
        """Whether the node begins in the text of a macro."""
        raw: int = self._lib.getCursorLocation(cursor).raw
        return self._file.offset(raw) is None

    def source(self, cursor: Cursor) -> bytes:
        """The text of a node that stands in the file itself; empty for one from a macro."""
        extent = self._lib.getCursorExtent(cursor)
        begin, end = self._file.offset(extent.begin), self._file.offset(extent.end)
        return b"" if begin is None or end is None else self._file.data[begin:end]

    def _clamped(self, location: Location) -> int:
        raw = location.raw
        offset = self._file.offset(raw)
        if offset is None:
            if raw not in self._slow:
                self._slow[raw] = self._ask(location)
            offset = self._slow[raw]
            if offset is None:
                return self._last
        if not self._start <= offset <= self._end:
            return self._last
        self._last = offset
        return offset

    def _ask(self, location: Location) -> int | None:
        written = self._place(self._lib.getFileLocation, location)
        if written[0] != self._file.handle:
            return None
        offset = written[1]
        if location.raw & _FROM_MACRO and written == self._place(self._lib.getExpansionLocation, location):
            word = _WORD.match(self._file.data, offset)
            if word and self._start <= offset <= self._end:
                self.macros[offset] = word.group().decode()
        return offset

    def _place(self, ask: Callable[..., object], location: Location) -> tuple[int | None, int]:
        ask(location, self._handle, None, None, self._offset)
        return self._handle.value, self._offset.value
