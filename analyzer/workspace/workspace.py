"""Loads what the settings name and runs the program analysis."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import final

from analyzer.contracts import ContractTable, load_packs
from analyzer.contracts.linked import LinkedContracts
from analyzer.errors import MustfreeError
from analyzer.findings.explanation import Explanation
from analyzer.findings.model import Report
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import FunctionResult
from analyzer.program.compile_database import CompileDatabase, read_database
from analyzer.program.discovery import real
from analyzer.program.pool import PoolLimits
from analyzer.program.run import (
    LinkedProgram,
    ProgramOptions,
    Progress,
    analyse_program,
    link_program,
    lower_for_dump,
    versions,
)
from analyzer.program.why import why
from analyzer.sources import SourceView
from analyzer.workspace.settings import Settings


@final
class Workspace:
    """A project.

    overlay: path -> bytes that stand for the file's contents; also for rule files.
    table: the contracts, when another workspace with the same rule files has them already.
    Raises ContractError for rule files, MustfreeError for the compile database.
    """

    def __init__(
        self, settings: Settings, overlay: Mapping[str, bytes] | None = None, table: ContractTable | None = None
    ) -> None:
        self.settings = settings
        self.root = os.path.realpath(settings.root or Path.cwd())
        self.overlay: Mapping[str, bytes] = dict(overlay or {})
        self.table: ContractTable = table or load_packs(settings.rules, self.overlay)
        self._database: CompileDatabase | None = None
        if settings.database:
            self._database = read_database(Path(self.root) / settings.database)

    def analyse(self, paths: Sequence[str], progress: Progress | None = None) -> Report:
        """Analyses the C files that `paths` name or contain, as one program.

        Without any path: the C files of the compile database.
        """
        if not paths and self._database is not None:
            paths = self._database.files()
        return analyse_program(paths, self._options(), progress)

    def _options(self) -> ProgramOptions:
        settings = self.settings
        return ProgramOptions(
            table=self.table,
            root=self.root,
            flags=settings.flags,
            database=self._database,
            overlay=self.overlay,
            limits=settings.limits,
            pool=PoolLimits(settings.seconds, settings.megabytes),
            jobs=settings.jobs,
            exit_leaks=settings.exit_leaks,
            summaries=settings.summaries,
            guard=settings.guard,
            today=settings.today or date.today(),
        )

    def versions(self) -> tuple[tuple[str, str], ...]:
        """What takes part in an analysis, as in a report."""
        return versions(self.table)

    def lower(self, path: str) -> TranslationUnit:
        """All functions of one file as IR, whether they matter or not. MustfreeError: it cannot be parsed."""
        return lower_for_dump(real(path, self.root), self._options())

    def link(self, paths: Sequence[str], progress: Progress | None = None) -> LinkedProgram:
        """Analyses as `analyse` does, and keeps what was inferred."""
        if not paths and self._database is not None:
            paths = self._database.files()
        return link_program(paths, self._options(), progress)

    def states(self, function: Function, unit: TranslationUnit, program: LinkedProgram) -> FunctionResult:
        """What the engine sees in a function of a program, with its states at the entry of each block."""
        contracts = LinkedContracts(self.table, program.contracts(unit.path, function.name))
        return analyse(function, unit, contracts, self.settings.limits, program.context.defined, want_states=True)

    def why(self, file: str, line: int, paths: Sequence[str], progress: Progress | None = None) -> Explanation:
        """Why what is acquired in a line of a file ends as it does, in the program that `paths` name or contain.

        The file itself always belongs to it, if it is a C file. MustfreeError: it cannot be read.
        """
        path = real(file, self.root)
        SourceView(self.overlay).read(path)
        if Path(path).suffix == ".c" or not paths:
            paths = [*(paths or (self._database.files() if self._database is not None else ())), file]
        return why(path, line, self.link(paths, progress))

    def read(self, file: str) -> bytes | None:
        """Contents of a file as a report names it, None when it cannot be read."""
        try:
            return SourceView(self.overlay).read(str(Path(self.root) / file))
        except MustfreeError:
            return None
