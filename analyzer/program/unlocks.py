"""Where resources go out of sight over the whole program, and what a contract would bring back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from analyzer.contracts.headers import declarator
from analyzer.contracts.model import Signature
from analyzer.contracts.routes import Route
from analyzer.findings.model import Acquisition, Escape, Region, Unlock
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.program.discovery import display_path
from analyzer.sources import LineIndex


def escape_of(route: Route, root: str, text: Callable[[str], LineIndex]) -> Escape:
    """A route of the engine as reports tell it. text: the lines of a file of the program."""
    at = _region(route, root, text(route.file)) if route.file else None
    if not route.function or route.signature is None:
        return Escape("", route.what or f"{route.function}()", at)
    names = _names(route.signature)
    prototype = _prototype(route.function, route.signature, names)
    takers = _takers(route.function, route.signature, names)
    return Escape(route.function, f"{route.function}()", at, prototype, takers, route.defined)


def _region(route: Route, root: str, lines: LineIndex) -> Region:
    line, column = lines.position(route.at)
    end_line, end_column = lines.position(lines.extent(route.at))
    return Region(display_path(route.file, root), line, column, end_line, end_column, lines.line_text(line))


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
