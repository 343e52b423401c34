"""One C file, from bytes to findings: the part that runs in a worker process.

Here is the one place that catches what goes wrong inside: a mistake of ours costs one function, not the run.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import final

from analyzer.checks import SourceText, findings
from analyzer.contracts import ContractTable
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Finding, Notice, NoticeKind, Verdict
from analyzer.frontend import FrontendOptions, lower_file
from analyzer.ir.function import Function, FunctionDeclaration, TranslationUnit
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import FunctionResult
from analyzer.ownership.limits import Limits
from analyzer.program.discovery import display_path
from analyzer.sources import LineIndex, SourceView


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One file to analyse. path: absolute. directory: the compiler's working directory."""

    path: str
    flags: tuple[str, ...]
    directory: str


@final
@dataclass(frozen=True, slots=True)
class Context:
    """What all tasks of a run share; goes to the workers once.

    guard: turn mistakes of ours into notices; off in tests, so that they are seen.
    """

    table: ContractTable
    root: str
    limits: Limits = field(default_factory=Limits)
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    defined: frozenset[str] = frozenset()
    exit_leaks: bool = False
    guard: bool = True


@final
@dataclass(frozen=True, slots=True)
class UnitResult:
    """What one file has to say; plain data.

    functions: number of functions in the file. analysed: the file as a whole was.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    acquisitions: tuple[Acquisition, ...] = ()
    notices: tuple[Notice, ...] = ()
    functions: int = 0
    analysed: bool = True


def frontend_options(context: Context, task: Task, everything: bool = False) -> FrontendOptions:
    """How the front end is to read this file. everything: also functions that have nothing to do with any
    contract."""
    return FrontendOptions(
        flags=task.flags,
        overlay=context.overlay,
        virtual_headers=context.table.virtual_headers(),
        relevant=None if everything else context.table.relevant_names,
        directory=task.directory,
    )


def analyse_unit(context: Context, task: Task) -> UnitResult:
    """Everything about one file. With `guard`, raises nothing but KeyboardInterrupt and the like."""
    try:
        unit = lower_file(task.path, frontend_options(context, task))
    except MustfreeError as error:
        reason = str(error).removeprefix(f"{task.path}: ")
        return _nothing(context, task, NoticeKind.NOT_ANALYSED, f"not analysed: {reason}")
    except Exception as error:
        if not context.guard:
            raise
        kind, text = _mistake(error)
        return _nothing(context, task, kind, f"the file was not analysed: {text}")
    return _UnitAnalysis(context, task, unit).run()


def _nothing(context: Context, task: Task, kind: NoticeKind, message: str) -> UnitResult:
    notice = Notice(kind, display_path(task.path, context.root), 0, message)
    return UnitResult(task.path, notices=(notice,), analysed=False)


def _mistake(error: Exception) -> tuple[NoticeKind, str]:
    """How to tell the user about an exception that nobody expected."""
    if isinstance(error, MemoryError):
        return NoticeKind.NOT_ANALYSED, "out of memory (--memory-limit)"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{PurePath(frame.filename).name}:{frame.lineno}"
    return (
        NoticeKind.INTERNAL,
        f"internal error, please report it: {type(error).__name__}: {error} at {place}",
    )


@final
class _UnitAnalysis:
    """The functions of one parsed file."""

    def __init__(self, context: Context, task: Task, unit: TranslationUnit) -> None:
        self._context = context
        self._task = task
        self._unit = unit
        self._view = SourceView(context.overlay)
        self._texts: dict[str, LineIndex] = {}
        self._findings: list[Finding] = []
        self._acquisitions: list[Acquisition] = []
        self._notices: list[Notice] = []

    def run(self) -> UnitResult:
        """Analyses every function, each under its own guard."""
        self._unit_notices()
        for function in self._unit.functions:
            if not self._view.exists(function.file):
                continue  # a function that a pack declares for a missing header: nobody's code
            try:
                self._function(function)
            except Exception as error:
                if not self._context.guard:
                    raise
                kind, text = _mistake(error)
                self._notice(kind, function.file, function.at, f"not analysed: {text}", function.name)
        return UnitResult(
            self._task.path,
            tuple(self._findings),
            tuple(self._acquisitions),
            tuple(self._notices),
            self._unit.function_count,
        )

    def _text(self, file: str) -> LineIndex:
        if file not in self._texts:
            self._texts[file] = LineIndex(self._view.read(file))
        return self._texts[file]

    def _notice(self, kind: NoticeKind, file: str, at: int, message: str, function: str = "") -> None:
        line = self._text(file).position(at)[0] if at >= 0 else 0
        self._notices.append(Notice(kind, display_path(file, self._context.root), line, message, function))

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
        first, shown = errors[0], display_path(path, self._context.root)
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
        """A definition with the signature of a library function: calls follow the library's contract."""
        contract = self._context.table.lookup(declaration, defined_in_program=True).contract
        body = next((function for function in self._unit.functions if function.name == name), None)
        if contract is None or body is None:
            return
        message = f"is defined here, but its calls follow the contract in {contract.source} ({contract.library})"
        self._notice(NoticeKind.CONTRADICTION, body.file, body.at, message, name)

    def _function(self, function: Function) -> None:
        context = self._context
        result = analyse(function, self._unit, context.table, context.limits, context.defined)
        self._function_notices(function, result)
        if not (result.events or result.acquisitions):
            return
        lines = self._text(function.file)
        source = SourceText(display_path(function.file, context.root), lines, function)
        self._findings += findings(function, result, source, context.exit_leaks)
        self._acquisitions += [
            Acquisition(
                at=source.word_region(found.at),
                function=function.name,
                callee=found.callee,
                slot=found.slot,
                holder=found.holder,
                kind=found.resource_kind,
                verdict=found.verdict,
                reason=found.reason,
            )
            for found in result.acquisitions
        ]

    def _function_notices(self, function: Function, result: FunctionResult) -> None:
        name, file = function.name, function.file
        if function.degraded:
            self._notice(NoticeKind.DEGRADED, file, function.at, f"parsed with errors: {function.degraded[0]}", name)
        budget = result.gave_up
        if not budget:
            caps = [found.reason for found in result.acquisitions if found.verdict is Verdict.GAVE_UP]
            budget = caps[0] if caps else ""
        if budget:
            self._notice(NoticeKind.NOT_ANALYSED, file, function.at, f"analysed in part: {budget}", name)
        for at, callee, why in result.name_only:
            self._notice(NoticeKind.NAME_ONLY, file, at, why or f"{callee}() fits a contract by name only", name)
