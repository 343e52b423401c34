"""Loads what the settings name and runs the program analysis."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import final

from analyzer.contracts import ContractTable, load_packs
from analyzer.errors import MustfreeError
from analyzer.findings.model import Report
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import FunctionResult
from analyzer.program.compile_database import CompileDatabase, read_database
from analyzer.program.discovery import real
from analyzer.program.pool import PoolLimits
from analyzer.program.run import ProgramOptions, Progress, analyse_program, lower_for_dump, versions
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

    def states(self, function: Function, unit: TranslationUnit) -> FunctionResult:
        """What the engine sees in a function, with its states at the entry of each block."""
        return analyse(function, unit, self.table, self.settings.limits, want_states=True)

    def read(self, file: str) -> bytes | None:
        """Contents of a file as a report names it, None when it cannot be read."""
        try:
            return SourceView(self.overlay).read(str(Path(self.root) / file))
        except MustfreeError:
            return None
