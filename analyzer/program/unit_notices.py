"""What is to be said of a translation unit as a whole: what it lacks, errors outside of functions, test doubles."""

from __future__ import annotations

from typing import final

from analyzer.contracts import ContractTable
from analyzer.contracts.model import Provenance
from analyzer.findings.model import Notice, NoticeKind
from analyzer.ir.function import Function, FunctionDeclaration, TranslationUnit
from analyzer.program.discovery import display_path
from analyzer.sources import LineIndex, SourceView


def unit_notices(unit: TranslationUnit, table: ContractTable, root: str, view: SourceView) -> tuple[Notice, ...]:
    """All notices about the unit. root: as in `ProgramOptions`. Raises MustfreeError where a file is gone."""
    return _UnitNotices(unit, table, root, view).all()


@final
class _UnitNotices:
    """What is to be said of a file as a whole."""

    def __init__(self, unit: TranslationUnit, table: ContractTable, root: str, view: SourceView) -> None:
        self._unit = unit
        self._table = table
        self._root = root
        self._view = view
        self._texts: dict[str, LineIndex] = {}
        self._notices: list[Notice] = []

    def all(self) -> tuple[Notice, ...]:
        """All notices about the unit."""
        self._unit_notices()
        return tuple(self._notices)

    def _text(self, file: str) -> LineIndex:
        if file not in self._texts:
            self._texts[file] = LineIndex(self._view.read(file))
        return self._texts[file]

    def _notice(self, kind: NoticeKind, file: str, at: int, message: str, function: str = "") -> None:
        line = self._text(file).position(at)[0] if at >= 0 else 0
        self._notices.append(Notice(kind, display_path(file, self._root), line, message, function))

    def _unit_notices(self) -> None:
        for header in self._unit.missing_headers:
            self._notice(NoticeKind.MISSING_HEADER, self._unit.path, -1, f"header not found: {header}")
        for flag, reason in self._unit.flags:
            self._notice(NoticeKind.FLAG, self._unit.path, -1, f"compiler flag {flag}: {reason}")
        self._error_notices()

        for name, declaration in sorted(self._unit.declarations.items()):
            if declaration.defined and not declaration.static:
                self._contradiction(name, declaration)

    def _error_notices(self) -> None:
        """Errors that no function of the IR accounts for: one note per file.

        They lie outside of functions, or in functions that lost so much that nothing relevant was left. A
        file that has nothing but errors was not analysed.
        """
        path = self._unit.path
        for skipped in self._unit.skipped:
            if skipped.what != "declaration":
                message = f"{skipped.what} not analysed: {skipped.reason}"
                self._notice(NoticeKind.NOT_ANALYSED, skipped.file, skipped.at, message)
        bodies = [self._lines_of(function) for function in self._unit.functions if function.file == path]
        errors = [
            error
            for error in self._unit.diagnostics
            if error.file == path
            and error.severity in ("error", "fatal")
            and not any(first <= error.line <= last for first, last in bodies)
            and not any(header in error.message for header in self._unit.missing_headers)
        ]
        if not errors:
            return
        first, shown = errors[0], display_path(path, self._root)
        if self._unit.function_count:
            others = f"{len(errors) - 1} more error{'s' if len(errors) > 2 else ''}"
            more = f" (and {others})" if len(errors) > 1 else ""
            kind, message = NoticeKind.DEGRADED, f"parsed with errors: {first.message}{more}"
        else:
            kind = NoticeKind.NOT_ANALYSED
            message = f"not analysed: no function could be read; {first.message}"
        self._notices.append(Notice(kind, shown, first.line, message))

    def _lines_of(self, function: Function) -> tuple[int, int]:
        lines = self._text(function.file)
        return lines.position(function.at)[0], lines.position(function.end)[0]

    def _contradiction(self, name: str, declaration: FunctionDeclaration) -> None:
        """A definition with the signature of a library function: calls follow the library's contract.

        What the project itself wrote for its functions is compared with their bodies instead (`written`).
        """
        contract = self._table.lookup(declaration, defined_in_program=True).contract
        body = next((function for function in self._unit.functions if function.name == name), None)
        if contract is None or body is None or contract.provenance is Provenance.PROJECT:
            return
        if not self._view.exists(body.file):  # the pack itself defines it, for a header that is missing
            return
        message = f"is defined here, but its calls follow the contract in {contract.source} ({contract.library})"
        self._notice(NoticeKind.CONTRADICTION, body.file, body.at, message, name)
