"""One C file to a translation unit of the IR: which functions, in which files, with which errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Final, final

from analyzer.frontend.attributes import deallocators, is_dropped_attribute
from analyzer.frontend.declarations import Declarations, Declared, is_scalar
from analyzer.frontend.dropped import dropped_calls
from analyzer.frontend.globals import global_variable, table_contents
from analyzer.frontend.indirect import resolve_calls
from analyzer.frontend.lower import TABLES, lower_function
from analyzer.frontend.options import FrontendOptions
from analyzer.frontend.positions import FileText
from analyzer.frontend.repair import Repaired, parse_repaired
from analyzer.frontend.shared import shared_variables
from analyzer.frontend.tree import Tree
from analyzer.frontend.types import Types
from analyzer.frontend.uses import Above, only_reads
from analyzer.ir.function import Diagnostic, DroppedCall, Function, GlobalVariable, Skipped, TranslationUnit
from analyzer.ir.operands import Operand
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, Location
from analyzer.libclang.environment import parse_environment
from analyzer.libclang.parse import VIRTUAL_DIR, ParserMessage, Unit
from analyzer.libclang.stack import run_with_big_stack
from analyzer.sources import SourceView
from analyzer.sources.view import absolute

CPLUSPLUS: Final = frozenset({".cc", ".cpp", ".cxx", ".c++", ".C", ".hh", ".hpp", ".hxx"})


def lower_file(path: str, options: FrontendOptions) -> TranslationUnit:
    """Parse a C file and lower its functions.

    Errors in the C code are in the result: what was lost in `skipped`, damaged functions marked degraded. Raises
    MustfreeError when the file cannot be read or the parser makes nothing of it.
    """
    view = SourceView(options.overlay)
    data = view.read(path)
    if Path(path).suffix in CPLUSPLUS:
        reason = "C++ is not supported; only C files are analysed"
        return TranslationUnit(path, (), {}, {}, skipped=(Skipped(path, 0, "file", reason),))

    def task() -> TranslationUnit:
        with parse_environment(), parse_repaired(path, data, view, options) as repaired:
            return _UnitLowering(repaired, path, view, options).run()

    return run_with_big_stack(task)


def parse_errors(path: str, options: FrontendOptions) -> frozenset[str]:
    """What the parser holds against the text of a file, without our stand-ins for names that nothing declares.

    Raises MustfreeError when the file cannot be read or the parser makes nothing of it.
    """
    view = SourceView(options.overlay)
    data = view.read(path)

    def task() -> frozenset[str]:
        with parse_environment(), parse_repaired(path, data, view, options, stubs=False) as repaired:
            return frozenset(error.text for error in repaired.errors)

    return run_with_big_stack(task)


def run_names(path: str, directory: str) -> Callable[[str], str]:
    """A function from libclang's file names to the run's: relative where the run's own path is relative."""
    main, here = absolute(path), os.getcwd()  # noqa: PTH109 - a string is wanted
    relative = not Path(path).is_absolute()

    @cache
    def name(spelled: str) -> str:
        full = absolute(spelled, directory)
        if full == main:
            return path
        if relative and full.startswith(here + os.sep):
            return os.path.relpath(full, here)
        return full

    return name


@final
@dataclass(frozen=True, slots=True)
class _Definition:
    """A function definition in the tree. start, end: offsets of its name and of its last character."""

    cursor: Cursor
    name: str
    handle: int
    start: int
    end: int

    @property
    def start_key(self) -> tuple[int, int, str]:
        """What tells it from all other definitions of the unit: a macro may define several at one place."""
        return self.handle, self.start, self.name


@final
class _UnitLowering:
    """The lowering of one parsed file."""

    def __init__(self, repaired: Repaired, path: str, view: SourceView, options: FrontendOptions) -> None:
        self._repaired = repaired
        self._unit: Unit = repaired.unit
        self._lib = self._unit.lib
        self._path = path
        self._view = view
        self._options = options
        self._names = run_names(path, options.directory)
        self._files: dict[int, FileText] = {}
        self._file_names: dict[int, str] = {}
        self._declarations = Declarations(self._unit, Types(self._lib), self._file_name)
        self._globals: dict[str, GlobalVariable] = {}
        self._written: set[int | None] = set()
        self._declared_inside: set[str] = set()  # variables of other units that a function declares for itself

    def _file_name(self, spelled: str) -> str:
        return self._names(spelled)

    def run(self) -> TranslationUnit:
        """Everything the file holds that is wanted."""
        self._declarations.dropped = deallocators(self._repaired.errors, self._bytes)
        main = self._unit.file(absolute(self._path))
        definitions = list(self._definitions(main))
        own = [definition for definition in definitions if definition.handle == main]
        self._declarations.defined.update(definition.name for definition in definitions)
        functions = self._functions(definitions, main)
        errors = tuple(error for error in self._repaired.errors if not is_dropped_attribute(error))
        shared, written = shared_variables(
            self._declarations, self._unit.variables(), main, self._written, partial(self._contents, main)
        )
        functions = [resolve_calls(self._with_errors(function, errors), self._globals) for function in functions]
        return TranslationUnit(
            path=self._path,
            functions=tuple(functions),
            declarations=dict(self._declarations.functions),
            globals=self._globals,
            diagnostics=tuple(self._diagnostic(error) for error in errors),
            skipped=tuple(self._skipped(errors, own)),
            missing_headers=self._repaired.missing,
            function_count=len(own),
            flags=self._repaired.flags,
            dropped=self._dropped(),
            shared=shared,
            written=written | self._declared_inside,
            read=tuple(sorted({absolute(name, self._options.directory) for name in self._repaired.read if name})),
        )

    def _contents(self, main: int | None, table: Cursor, start: Cursor) -> tuple[Mapping[int, Operand], bool]:
        if main is None:
            return {}, False
        return table_contents(self._declarations, table, start, self._text(main), TABLES)

    def _dropped(self) -> tuple[DroppedCall, ...]:
        sought = self._options.sought
        if not sought:
            return ()
        return tuple(
            DroppedCall(absolute(name, self._options.directory), at, callee, condition)
            for name, times, ranges in self._unit.skipped()
            for at, callee, condition in dropped_calls(self._bytes(name), ranges, times, sought)
        )

    def _definitions(self, main: int | None) -> list[_Definition]:
        """Function definitions of the file, of the project's headers and of packs that stand in for headers, in the
        order of the tree.
        """
        is_definition = self._lib.isCursorDefinition
        definitions = []
        for cursor in filter(is_definition, self._unit.functions()):
            handle, _, _, start = self._unit.place(self._lib.getCursorLocation(cursor))
            if handle is None:
                continue
            if handle != main and not self._is_followed(cursor, handle):
                continue
            name = self._lib.text(self._lib.getCursorSpelling(cursor))
            end = self._end(cursor, handle, start)
            definitions.append(_Definition(cursor, name, handle, start, end))
        return definitions

    def _is_followed(self, cursor: Cursor, handle: int) -> bool:
        """Whether a definition in a header is the program's, or written for it in the `declare:` of a pack."""
        in_system = self._lib.Location_isInSystemHeader(self._lib.getCursorLocation(cursor))
        return not in_system or self._unit.file_name(handle).startswith(str(VIRTUAL_DIR))

    def _end(self, cursor: Cursor, handle: int, start: int) -> int:
        extent = self._lib.getCursorExtent(cursor)
        end_handle, _, _, end = self._unit.place(Location(extent.first, extent.second, extent.end))
        return max(start, end - 1) if end_handle == handle else start

    def _text(self, handle: int) -> FileText:
        if handle not in self._files:
            spelled = self._unit.file_name(handle)
            self._files[handle] = FileText(self._unit, handle, self._names(spelled), self._bytes(spelled))
        return self._files[handle]

    def _bytes(self, spelled: str) -> bytes:
        """The text of a file under libclang's name."""
        data = self._repaired.contents.get(spelled)
        return self._view.read(absolute(spelled, self._options.directory)) if data is None else data

    def _functions(self, definitions: list[_Definition], main: int | None) -> list[Function]:
        """Lowers the file's own functions, and of the headers' those that matter: small ones come by the hundred.

        A header's function matters when it mentions a relevant name, or when one that matters mentions it.
        """
        rows = {d.start_key: self._unit.descendants(d.cursor) for d in definitions}
        mentions = {key: self._mentions(found) for key, found in rows.items()}
        by_name = {d.name: d for d in definitions}
        waiting = [d for d in definitions if d.handle == main or self._is_relevant(mentions[d.start_key])]
        chosen = {d.start_key for d in waiting}
        while waiting:
            for name in mentions[waiting.pop().start_key]:
                called = by_name.get(name)
                if called is not None and called.start_key not in chosen:
                    chosen.add(called.start_key)
                    waiting.append(called)
        return [self._function(d, rows[d.start_key]) for d in definitions if d.start_key in chosen]

    def _function(self, definition: _Definition, rows: list[tuple[Cursor, Cursor]]) -> Function:
        tree = Tree(definition.cursor, rows)
        text = self._text(definition.handle)
        function, body = lower_function(tree, self._declarations, text, definition.start, definition.end)
        for name, declared in body.globals_seen.items():
            if name not in self._globals:
                whole = all(is_dropped_attribute(error) for error in self._repaired.errors)
                self._globals[name] = global_variable(self._declarations, declared, self._written, text, TABLES, whole)
        return function

    def _mentions(self, rows: list[tuple[Cursor, Cursor]]) -> set[str]:
        """The functions that a body mentions; notes on the way which static variables it may write."""
        found: set[str] = set()
        referenced = self._declarations.referenced
        above = Above(rows)
        for cursor, parent in rows:
            kind = cursor.kind
            if kind == kinds.DECL_REF_EXPR:
                declared = referenced(cursor)
                if declared is None:
                    continue
                if declared.kind == kinds.FUNCTION_DECL:
                    found.add(declared.name)
                elif declared.kind == kinds.VAR_DECL and not self._is_only_read(declared, cursor, parent, above):
                    self._written.add(declared.key)
            elif kind == kinds.VAR_DECL:
                if self._lib.Cursor_getStorageClass(cursor) == kinds.STORAGE_EXTERN:
                    self._declared_inside.add(self._declarations.of(cursor).name)
            elif kind == kinds.UNEXPOSED_ATTR and parent.kind == kinds.VAR_DECL:
                function = self._declarations.cleanup(parent)
                if function:
                    found.add(function)
        return found

    def _is_only_read(self, declared: Declared, mention: Cursor, parent: Cursor, above: Above) -> bool:
        if is_scalar(declared.ctype):
            return parent.kind == kinds.UNEXPOSED_EXPR
        return only_reads(self._lib, mention, parent, above)

    def _is_relevant(self, mentioned: set[str]) -> bool:
        return self._options.relevant is None or any(map(self._options.is_relevant, mentioned))

    def _with_errors(self, function: Function, errors: tuple[ParserMessage, ...]) -> Function:
        """The function, degraded by the errors inside of it."""
        inside = tuple(
            f"error: {error.text} at line {error.line}"
            for error in errors
            if self._lies_in(error, function.file, function.at, function.end)
        )
        if not inside:
            return function
        return replace(function, degraded=tuple(dict.fromkeys((*inside, *function.degraded))))

    def _lies_in(self, error: ParserMessage, file: str, start: int, end: int) -> bool:
        return bool(error.file) and start <= error.offset <= end and self._names(error.file) == file

    def _diagnostic(self, error: ParserMessage) -> Diagnostic:
        file = self._names(error.file) if error.file else ""
        return Diagnostic(file, error.line, error.column, error.severity, error.text)

    def _skipped(self, errors: tuple[ParserMessage, ...], own: list[_Definition]) -> list[Skipped]:
        """Errors of the file outside of any function: what they hide is not known."""
        found = []
        for error in errors:
            if not error.file or self._names(error.file) != self._path or error.missing_header():
                continue
            if not any(item.start <= error.offset <= item.end for item in own):
                found.append(Skipped(self._path, error.offset, "declaration", f"error: {error.text}"))
        return found
