"""Loads what the settings name and runs the program analysis."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import final

from analyzer.cache import Store, StoreOptions, version
from analyzer.contracts import ContractTable, RuleSet
from analyzer.contracts.beliefs import BORROW, Beliefs
from analyzer.contracts.linked import LinkedContracts
from analyzer.errors import MustfreeError
from analyzer.findings.explanation import Explanation
from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import FunctionResult
from analyzer.program.collect import sorted_notices
from analyzer.program.compile_database import CompileDatabase, find_databases, joined, read_database
from analyzer.program.discovery import display_path, real
from analyzer.program.outline import Outline, outlines
from analyzer.program.pool import PoolLimits
from analyzer.program.rounds import Progress
from analyzer.program.run import (
    CacheUse,
    LinkedProgram,
    ProgramOptions,
    analyse_program,
    errors_of,
    link_program,
    lower_everywhere,
    lower_for_dump,
    versions,
)
from analyzer.program.toolchain import Toolchain, read_toolchain
from analyzer.program.why import why
from analyzer.sources import SourceView
from analyzer.workspace.settings import Settings


@final
class Workspace:
    """A project.

    overlay: path -> bytes that stand for the file's contents; also for rule files.
    rules: the rule files, when another workspace with the same ones has read them already.
    beside: a workspace with the same settings and another overlay; what it found out about files that neither of them
        overlays is not looked for again.
    remarks: what there is to say about the cache; it is in no report, which would depend on it then.
    Raises ContractError for rule files, MustfreeError for the compile database and the toolchain file.
    """

    def __init__(
        self,
        settings: Settings,
        overlay: Mapping[str, bytes] | None = None,
        rules: RuleSet | None = None,
        beside: Workspace | None = None,
    ) -> None:
        self.settings = settings
        self.root = os.path.realpath(settings.root or Path.cwd())
        self.overlay: Mapping[str, bytes] = dict(overlay or {})
        shared = beside._cache if beside is not None else None
        self._cache: CacheUse | None = shared.shared() if shared is not None else _cache(settings)
        store = self._cache.store if self._cache else None
        known = rules if beside is None else beside.rules
        self.rules: RuleSet = known or RuleSet(settings.rules, self.overlay, store)
        self._toolchain: Toolchain | None = None
        if settings.toolchain:
            path = Path(self.root) / settings.toolchain
            self._toolchain = read_toolchain(path, self.overlay.get(str(path)))
        self._database: CompileDatabase | None = None
        if settings.database:
            self._database = read_database(Path(self.root) / settings.database, self.root)

    def analyse(
        self,
        paths: Sequence[str],
        progress: Progress | None = None,
        unneeded: Mapping[str, frozenset[str]] | None = None,
    ) -> Report:
        """Analyses the C files that `paths` name or contain, as one program.

        Without any path: the C files of the compile database.
        unneeded: name of a file as in reports -> its functions that are not to be analysed; given where `paths` are
        those of a tree that a question concerns.
        """
        paths, options, notices = self._program(paths)
        if unneeded is not None:
            options = replace(options, unneeded={real(file, self.root): names for file, names in unneeded.items()})
        try:
            report = analyse_program(paths, options, progress)
        finally:
            if self._cache is not None:
                self._cache.store.close()
        return replace(report, notices=sorted_notices((*report.notices, *notices))) if notices else report

    def _program(self, paths: Sequence[str]) -> tuple[Sequence[str], ProgramOptions, tuple[Notice, ...]]:
        """What belongs to a program, how it is analysed, and what is to be said of that."""
        options = self._options()
        if not paths and self._database is not None:
            paths, options = self._database.files(), replace(options, left_out=self._database.cpp)
        database, notices = self._found(paths)
        return paths, replace(options, database=database), notices

    @property
    def table(self) -> ContractTable:
        """The contracts of all rule files."""
        return self.rules.table

    @property
    def remarks(self) -> tuple[str, ...]:
        """See the class."""
        return tuple(self._cache.store.remarks) if self._cache else ()

    def _found(self, paths: Sequence[str]) -> tuple[CompileDatabase | None, tuple[Notice, ...]]:
        """The compile database that was named, else those above the paths, with what is to be said of them."""
        if self._database is not None or not self.settings.find_database:
            return self._database, ()
        found: list[CompileDatabase] = []
        notices: list[Notice] = []
        for file in find_databases(real(path, self.root) for path in paths):
            shown = display_path(str(file), self.root)
            try:
                found.append(replace(read_database(file, self.root), path=shown))
                notices.append(Notice(NoticeKind.FLAG, shown, 0, "found: the files' flags are taken from it (-p)"))
            except MustfreeError as error:
                notices.append(Notice(NoticeKind.FLAG, shown, 0, f"found, but not used: {error}"))
        return joined(found), tuple(notices)

    def _options(self) -> ProgramOptions:
        settings = self.settings
        return ProgramOptions(
            rules=self.rules,
            root=self.root,
            flags=settings.flags,
            database=self._database,
            variants=settings.variants,
            toolchain=self._toolchain,
            overlay=self.overlay,
            limits=settings.limits,
            pool=PoolLimits(settings.seconds, settings.megabytes),
            jobs=settings.jobs,
            exit_leaks=settings.exit_leaks,
            beliefs=self._beliefs(),
            summaries=settings.summaries,
            global_owners=settings.global_owners,
            guard=settings.guard,
            today=settings.today or date.today(),
            exclude=settings.exclude,
            prepass=settings.prepass,
            cache=self._cache,
        )

    def _beliefs(self) -> Beliefs:
        return Beliefs(self.settings.noreturn, self.settings.unknown_calls == BORROW)

    def versions(self) -> tuple[tuple[str, str], ...]:
        """What takes part in an analysis, as in a report."""
        return versions(self.rules)

    def lower(self, path: str) -> TranslationUnit:
        """All functions of one file as IR, whether they matter or not. MustfreeError: it cannot be parsed."""
        options = replace(self._options(), database=self._found([path])[0])
        return lower_for_dump(real(path, self.root), options)

    def lower_everywhere(self, path: str) -> tuple[TranslationUnit, ...]:
        """The same, in each way and configuration in which the program is analysed."""
        options = replace(self._options(), database=self._found([path])[0])
        return lower_everywhere(real(path, self.root), options)

    def errors(self, path: str) -> frozenset[str]:
        """What the parser holds against one file. MustfreeError: it cannot be parsed."""
        options = replace(self._options(), database=self._found([path])[0])
        return errors_of(real(path, self.root), options)

    def link(self, paths: Sequence[str], progress: Progress | None = None) -> LinkedProgram:
        """Analyses as `analyse` does, without the cache, and keeps what was inferred."""
        paths, options, notices = self._program(paths)
        program = link_program(paths, options, progress)
        if not notices:
            return program
        report = program.report
        return replace(program, report=replace(report, notices=sorted_notices((*report.notices, *notices))))

    def states(self, function: Function, unit: TranslationUnit, program: LinkedProgram) -> FunctionResult:
        """What the engine sees in a function of a program, with its states at the entry of each block."""
        contracts = LinkedContracts(self.table, program.contracts(unit.path, function.name), None, self._beliefs())
        return analyse(function, unit, contracts, self.settings.limits, program.defined, want_states=True)

    def why(self, file: str, line: int, paths: Sequence[str], progress: Progress | None = None) -> Explanation:
        """Why what is acquired in a line of a file ends as it does, in the program that `paths` name or contain.

        The file itself always belongs to it, if it is a C file. MustfreeError: it cannot be read.
        """
        path = real(file, self.root)
        SourceView(self.overlay).read(path)
        if Path(path).suffix == ".c" or not paths:
            paths = [*(paths or (self._database.files() if self._database is not None else ())), file]
        return why(path, line, self.link(paths, progress))

    def outlines(self, files: Iterable[str]) -> Mapping[str, Outline]:
        """What files define and mention, by their names as in reports; without those that cannot be read."""
        texts = ((file, data) for file in files if (data := self.read(file)) is not None)
        return outlines(texts, self._cache.store if self._cache else None)

    def read(self, file: str) -> bytes | None:
        """Contents of a file as a report names it, None when it cannot be read."""
        try:
            return SourceView(self.overlay).read(str(Path(self.root) / file))
        except MustfreeError:
            return None


def _cache(settings: Settings) -> CacheUse | None:
    if not settings.cache:
        return None
    options = StoreOptions(settings.cache, version(), settings.cache_read_only)
    return CacheUse(Store(options), options)
