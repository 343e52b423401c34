"""Parse one C file: arguments in, a syntax tree that can be visited and asked out.

The caller keeps the environment quiet (`environment`) and runs in a big-stack thread (`stack`).
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from analyzer.errors import MustfreeError
from analyzer.libclang.binding import Cursor, InclusionVisitor, Library, Location, UnsavedFile, Visitor, library
from analyzer.libclang.kinds import (
    BREAK,
    DETAILED_RECORD,
    KEEP_GOING,
    POLICY_TERSE,
    SEVERITIES,
    SEVERITY_ERROR,
)

RESOURCE_DIR: Final = Path(__file__).parent
"""The directory whose `include` holds our builtin headers; always given, or the current directory would count."""

VIRTUAL_DIR: Final = Path(__file__).parent / "virtual"
"""A folder that exists, for headers that do not: they are given to the parser in memory below it."""

# Errors since clang 16 that older compilers and real code live with; and what large files need.
_ALWAYS: Final = (
    "-w",
    "-ferror-limit=0",
    "-fbracket-depth=20000",
    "-Wno-implicit-function-declaration",
    "-Wno-int-conversion",
    "-Wno-incompatible-function-pointer-types",
    "-Wno-implicit-int",
    "-Wno-return-type",
)


_MISSING: Final = re.compile(r"'([^']+)' file not found")


@final
@dataclass(frozen=True, slots=True)
class ParserMessage:
    """An error of the parser. file: as libclang names it, "" for the command line. offset: in bytes."""

    file: str
    line: int
    column: int
    offset: int
    severity: str
    text: str

    def missing_header(self) -> str:
        """The name of the header that was not found, "" for another error."""
        match = _MISSING.match(self.text) if self.text.startswith("'") else None
        return match.group(1) if match else ""


@final
class Unit:
    """A parsed file. Usable inside the `with` of `parsed` only; cursors must not outlive it."""

    def __init__(self, lib: Library, handle: int) -> None:
        self.lib = lib
        self.handle = handle
        self._declared: tuple[list[Cursor], list[Cursor]] | None = None

    def root(self) -> Cursor:
        """The cursor of the whole unit."""
        cursor: Cursor = self.lib.getTranslationUnitCursor(self.handle)
        return cursor

    def file(self, name: str) -> int | None:
        """libclang's handle of a file that the unit read, None when it read no such file."""
        handle: int | None = self.lib.getFile(self.handle, name.encode())
        return handle

    def file_name(self, handle: int | None) -> str:
        """The name under which libclang opened a file."""
        return self.lib.text(self.lib.getFileName(handle)) if handle else ""

    def included(self) -> list[str]:
        """Names of all files that the unit read, the main file first."""
        names: dict[str, None] = {}

        def visit(handle: int | None, _stack: object, _length: int, _data: object) -> None:
            names[self.file_name(handle)] = None

        self.lib.getInclusions(self.handle, InclusionVisitor(visit), None)
        return list(names)

    def skipped(self) -> list[tuple[str, int, tuple[tuple[int, int], ...]]]:
        """Text that the preprocessor skipped, in the files that are no system headers.

        For each such file: its name, how many times it was read, and the ranges, as offsets from the ``#`` of the
        directive that skips to that of the one that ends it; a range is there once for each time it was skipped. Of
        nested ones only the outermost. Empty unless the unit was parsed with a record.
        """
        ranges: dict[int, list[tuple[int, int]]] = {}
        listed = self.lib.getAllSkippedRanges(self.handle)
        try:
            for number in range(listed.contents.count):
                one = listed.contents.ranges[number]
                begin = Location(one.first, one.second, one.begin)
                if not self.lib.Location_isInSystemHeader(begin):
                    handle, _, _, start = self.place(begin)
                    end = self.place(Location(one.first, one.second, one.end))[3]
                    if handle is not None:
                        ranges.setdefault(handle, []).append((start, end))
        finally:
            self.lib.disposeSourceRangeList(listed)
        times = self._times_read() if ranges else {}
        return [(self.file_name(handle), times.get(handle, 1), tuple(found)) for handle, found in ranges.items()]

    def _times_read(self) -> dict[int, int]:
        times: dict[int, int] = {}

        def visit(handle: int | None, _stack: object, _length: int, _data: object) -> None:
            if handle is not None:
                times[handle] = times.get(handle, 0) + 1

        self.lib.getInclusions(self.handle, InclusionVisitor(visit), None)
        return times

    def errors(self) -> list[ParserMessage]:
        """Diagnostics from severity error on, in the order in which the parser met them."""
        lib = self.lib
        names: dict[int | None, str] = {}
        found = []
        for number in range(lib.getNumDiagnostics(self.handle)):
            diagnostic = lib.getDiagnostic(self.handle, number)
            severity = lib.getDiagnosticSeverity(diagnostic)
            if severity >= SEVERITY_ERROR:
                text = lib.text(lib.getDiagnosticSpelling(diagnostic))
                file, line, column, offset = self.place(lib.getDiagnosticLocation(diagnostic))
                name = names.get(file)
                if name is None:
                    name = names[file] = self.file_name(file)
                found.append(ParserMessage(name, line, column, offset, SEVERITIES[severity], text))
            lib.disposeDiagnostic(diagnostic)
        return found

    def place(self, location: object) -> tuple[int | None, int, int, int]:
        """File handle, line, column and byte offset of a location; of the macro's call for code from a macro."""
        file = ctypes.c_void_p()
        line, column, offset = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
        self.lib.getExpansionLocation(location, file, line, column, offset)
        return file.value, line.value, column.value, offset.value

    def visit(self, start: Cursor, callback: Callable[[Cursor, Cursor], int]) -> None:
        """Call `callback(cursor, parent)` for the descendants of `start`, in document order.

        It answers BREAK, CONTINUE (skip the cursor's children) or RECURSE. What it raises comes through:
        ctypes alone would print and forget it.
        """
        raised: list[BaseException] = []

        def guarded(cursor: Cursor, parent: Cursor, _data: object) -> int:
            try:
                return callback(cursor, parent)
            except BaseException as error:
                raised.append(error)
                return BREAK

        self.lib.visitChildren(start, Visitor(guarded), None)
        if raised:
            raise raised[0]

    def descendants(self, start: Cursor) -> list[tuple[Cursor, Cursor]]:
        """All descendants of `start` with their parents, in document order: one flat visit."""
        rows: list[tuple[Cursor, Cursor]] = []
        append = rows.append

        def visitor(cursor: Cursor, parent: Cursor, _data: object) -> int:
            append((cursor, parent))
            return 2

        self._run(start, visitor)
        return rows

    def functions(self) -> list[Cursor]:
        """The function declarations and definitions on the top level, in document order."""
        return self._top()[0]

    def variables(self) -> list[Cursor]:
        """The variables declared or defined on the top level, in document order."""
        return self._top()[1]

    def _top(self) -> tuple[list[Cursor], list[Cursor]]:
        if self._declared is None:
            functions: list[Cursor] = []
            variables: list[Cursor] = []

            def visitor(cursor: Cursor, _parent: Cursor, _data: object) -> int:
                if cursor.kind == 8:
                    functions.append(cursor)
                elif cursor.kind == 9:
                    variables.append(cursor)
                return 1

            self._run(self.root(), visitor)
            self._declared = functions, variables
        return self._declared

    def _run(self, start: Cursor, visitor: Callable[[Cursor, Cursor, object], int]) -> None:
        """A visit whose callback cannot fail but for want of memory; ctypes answers 0 then, which ends the visit."""
        if self.lib.visitChildren(start, Visitor(visitor), None):
            raise MemoryError("the visit of the syntax tree broke off")

    def printed(self, cursor: Cursor, *, terse: bool = False) -> str:
        """The C text of a declaration as the parser understood it; terse: without bodies."""
        policy = self.lib.getCursorPrintingPolicy(cursor)
        try:
            if terse:
                self.lib.PrintingPolicy_setProperty(policy, POLICY_TERSE, 1)
            return self.lib.text(self.lib.getCursorPrettyPrinted(cursor, policy))
        finally:
            self.lib.PrintingPolicy_dispose(policy)


def _unsaved(files: Mapping[str, bytes]) -> ctypes.Array[UnsavedFile]:
    array = (UnsavedFile * len(files))()
    for slot, (name, contents) in zip(array, files.items(), strict=True):
        slot.name, slot.contents, slot.length = name.encode(), contents, len(contents)
    return array


@contextmanager
def parsed(path: str, flags: Sequence[str], files: Mapping[str, bytes], record: bool = False) -> Iterator[Unit]:
    """Parse the C file `path`; `files` are contents that stand for the files of these (absolute) names.

    flags: compiler flags as `flags.choose_flags` lets them through. record: keep what `Unit.skipped()` tells; macros
    are then children of the root, too. Errors in the C code are in `Unit.errors()`.
    Raises MustfreeError when libclang cannot make a syntax tree at all.
    """
    lib = library()
    arguments = [
        b"clang",
        *(flag.encode() for flag in (*_ALWAYS, *flags)),
        b"-resource-dir",
        bytes(RESOURCE_DIR),
    ]
    if not any(flag.startswith("-x") for flag in flags):
        arguments += [b"-x", b"c"]
    arguments.append(path.encode())
    argv = (ctypes.c_char_p * len(arguments))(*arguments)
    handle = ctypes.c_void_p()
    options = KEEP_GOING | DETAILED_RECORD if record else KEEP_GOING
    index = lib.createIndex(0, 0)
    try:
        code = lib.parseTranslationUnit2FullArgv(
            index, None, argv, len(arguments), _unsaved(files), len(files), options, handle
        )
        if code or not handle.value:
            raise MustfreeError(f"{path}: the C parser gave up (libclang error {code}); check the compiler flags")
        try:
            yield Unit(lib, handle.value)
        finally:
            lib.disposeTranslationUnit(handle)
    finally:
        lib.disposeIndex(index)
