"""Where resources go out of sight over the whole program, and what a contract would bring back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

from analyzer.contracts.headers import declarator
from analyzer.contracts.model import Signature
from analyzer.contracts.routes import Route
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Escape, Region, Unlock
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.program.discovery import display_path
from analyzer.sources import LineIndex, SourceView


@final
class Places:
    """Where the routes of a program are. starts: (file, body) -> where that function's name stands."""

    def __init__(self, view: SourceView, root: str, starts: Mapping[tuple[str, str], int]) -> None:
        self._view = view
        self._root = root
        self._starts = starts
        self._texts: dict[str, LineIndex | None] = {}

    def region(self, route: Route) -> Region | None:
        """The place of the call, None when there is none to show."""
        lines = self._text(route.file) if route.file else None
        start = self._starts.get((route.file, route.within))
        if lines is None or start is None:
            return None
        at = start + route.at
        line, column = lines.position(at)
        end_line, end_column = lines.position(lines.extent(at))
        return Region(display_path(route.file, self._root), line, column, end_line, end_column, lines.line_text(line))

    def _text(self, file: str) -> LineIndex | None:
        if file not in self._texts:
            try:
                self._texts[file] = LineIndex(self._view.read(file))
            except MustfreeError:  # it was there a moment ago
                self._texts[file] = None
        return self._texts[file]


def escape_of(route: Route, places: Places) -> Escape:
    """A route of the engine as reports tell it."""
    at = places.region(route)
    if not route.function or route.signature is None:
        return Escape("", route.what or f"{route.function}()", at)
    names = _names(route.signature)
    prototype = _prototype(route.function, route.signature, names)
    takers = _takers(route.function, route.signature, names)
    return Escape(route.function, f"{route.function}()", at, prototype, takers, route.defined)


def _names(signature: Signature) -> tuple[str, ...]:
    """The parameters' names; those without one are numbered."""
    given = signature.names or ("",) * len(signature.parameters)
    return tuple(name or f"arg{number}" for number, name in enumerate(given, 1))


def _prototype(function: str, signature: Signature, names: Iterable[str]) -> str:
    parameters = [declarator(of, name) for of, name in zip(signature.parameters, names, strict=True)]
    if signature.variadic:
        parameters.append("...")
    return declarator(signature.result, f"{function}({', '.join(parameters) or 'void'})")


def _takers(function: str, signature: Signature, names: tuple[str, ...]) -> tuple[str, ...]:
    """Parameters that a function of this name may do something to."""
    pairs = list(zip(signature.parameters, names, strict=True))
    pointers = tuple(name for of, name in pairs if _is_pointer(of) and not borrowing.borrows(function, of, False))
    return pointers or tuple(name for of, name in pairs if of.kind is TypeKind.INT)


def _is_pointer(of: CType) -> bool:
    return of.kind in (TypeKind.POINTER, TypeKind.ARRAY, TypeKind.UNKNOWN)


def unlocks_of(acquisitions: Iterable[Acquisition]) -> tuple[Unlock, ...]:
    """For each way out of sight what it costs, the most first."""
    first: dict[str, Escape] = {}
    passed: dict[str, int] = {}
    decided: dict[str, int] = {}
    for acquisition in acquisitions:
        ways = {escape.what: escape for escape in acquisition.escapes}
        for what, escape in ways.items():
            passed[what] = passed.get(what, 0) + 1
            decided[what] = decided.get(what, 0) + (len(ways) == 1)
            first[what] = min(first.get(what, escape), escape, key=_place)
    order = sorted(passed, key=lambda what: (-decided[what], -passed[what], what))
    return tuple(Unlock(first[what], passed[what], decided[what]) for what in order)


def _place(escape: Escape) -> tuple[str, int, int]:
    return ("", 0, 0) if escape.at is None else (escape.at.file, escape.at.line, escape.at.column)
