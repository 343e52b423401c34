"""A whole program: find the files, choose the flags, leave out what cannot matter, spread the work, collect.

Results are sorted by file and place, never by completion: the same input gives the same report for any number
of workers.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import final

from analyzer import __version__
from analyzer.checks import CHECKS
from analyzer.contracts import ContractTable
from analyzer.contracts.model import FunctionContract
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Finding, Notice, NoticeKind, Report, Summary, Verdict
from analyzer.findings.points import finding_order
from analyzer.frontend import lower_file
from analyzer.ir.function import TranslationUnit
from analyzer.libclang.flags import choose_flags
from analyzer.ownership.limits import Limits
from analyzer.program.compile_database import CompileCommand, CompileDatabase
from analyzer.program.discovery import NO_CPP, SourceFile, discover, display_path
from analyzer.program.global_owners import global_owners, whole_program_gaps
from analyzer.program.linking import CallGraph, Node, Round, call_graph, linked
from analyzer.program.pool import Lost, Pool, PoolLimits
from analyzer.program.prepass import Prepass, include_folders
from analyzer.program.toolchain import HEADER, Toolchain
from analyzer.program.unit import Analyst, Context, Step, Task, UnitResult, UnitScan, file_of, frontend_options
from analyzer.program.unlocks import unlocks_of
from analyzer.sources import SourceView
from analyzer.suppressions import suppress

# So many named files are parsed even when nothing in them can matter: then whoever looks at single files is
# told what the parser thinks of them.
_ALWAYS_PARSED = 8
_GAPS = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT)

Progress = Callable[[int, int], None]


@final
@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """How a program is analysed.

    root: absolute; relative names refer to it and reports name files from here.
    flags: compiler flags for every file, after those of the database. left_out: C++ files that are not looked at.
    toolchain: what a recorded compiler says; its flags come first.
    exclude: patterns of files and folders that are left out.
    jobs: worker processes; 1: none, all in this process and without the limits of `pool`; 0: one per CPU.
    summaries: the report tells the inferred contract of every function. global_owners: and the variables whose contents
        nothing ever releases.
    guard: a mistake of ours costs one function and not the run.
    today: decides which suppressing comments have expired.
    """

    table: ContractTable
    root: str
    flags: tuple[str, ...] = ()
    database: CompileDatabase | None = None
    left_out: tuple[str, ...] = ()
    toolchain: Toolchain | None = None
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    pool: PoolLimits = field(default_factory=PoolLimits)
    jobs: int = 0
    exit_leaks: bool = False
    summaries: bool = False
    global_owners: bool = False
    guard: bool = True
    today: date = field(default_factory=date.today)
    exclude: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class LinkedProgram:
    """A program after its analysis, for those who ask on.

    tasks: path -> the ways in which it is read, of all readable files. parsed: those that were. steps: each with what
    came out of it.
    """

    report: Report
    context: Context
    tasks: Mapping[str, tuple[Task, ...]]
    parsed: frozenset[str]
    steps: tuple[tuple[Step, UnitResult], ...]

    def contracts(self, unit: str, function: str) -> Mapping[str, FunctionContract]:
        """The inferred contracts with which a function of a unit was analysed, by the names it calls."""
        for step, result in self.steps:
            if step.task.unit == unit and any(function in group for group in step.groups):
                return {**step.contracts, **result.contracts}
        return {}


def link_program(paths: Sequence[str], options: ProgramOptions, progress: Progress | None = None) -> LinkedProgram:
    """Analyses all C files that `paths` name or contain as one program.

    progress: called with files done and files in all.
    """
    found = discover(paths, options.root, options.overlay, options.exclude)
    view = SourceView(options.overlay)
    readable, unreadable = _readable(found.files, view, options.root)
    tasks = {file.path: _tasks(file.path, options) for file in readable}
    every = [task for several in tasks.values() for task in several]
    prepass = _prepass(every, found.headers, view, options)
    few = sum(file.named for file in readable) <= _ALWAYS_PARSED
    matters = any((few and file.named) or prepass.matters(file.path) for file in readable)
    chosen = every if matters else []  # what the others define may be given a resource, or hand one on
    context = Context(
        table=options.table,
        root=options.root,
        limits=options.limits,
        overlay=_overlay(options),
        defined=prepass.defined(),
        exit_leaks=options.exit_leaks,
        summaries=options.summaries,
        global_owners=options.global_owners,
        headers=_by_last_part(found.headers),
        guard=options.guard,
    )
    scans, steps = _analyse(chosen, context, options, progress or (lambda done, total: None))
    notices = [*found.notices, *unreadable, *_about_flags(readable, options)]
    notices += [Notice(NoticeKind.SKIPPED, display_path(path, options.root), 0, NO_CPP) for path in options.left_out]
    report = _report(scans, [result for _, result in steps], notices, len(tasks), options)
    seen = {display_path(path, options.root): path for path in (*tasks, *found.headers)}
    report = _suppressed(report, seen, view, options)
    if options.global_owners:
        report = _with_global_owners(report, scans, [result for _, result in steps])
    return LinkedProgram(report, context, tasks, frozenset(task.path for task in chosen), tuple(steps))


def lower_for_dump(path: str, options: ProgramOptions) -> TranslationUnit:
    """One file as IR, with the flags that a run would use, and all of its functions."""
    task = _tasks(path, options)[0]
    context = Context(options.table, options.root, overlay=_overlay(options))
    return lower_file(path, frontend_options(context, task, everything=True))


def _with_global_owners(report: Report, scans: Iterable[UnitScan], results: Iterable[UnitResult]) -> Report:
    has_main = any(function.name == "main" for scan in scans for function in scan.calls)
    gaps = whole_program_gaps(report.notices, has_main)
    loose = frozenset().union(*(result.loose for result in results))
    owners = () if gaps else global_owners(report.acquisitions, loose)
    return replace(report, global_owners=owners, global_gaps=gaps)


def _overlay(options: ProgramOptions) -> Mapping[str, bytes]:
    """The user's overlay, and the macros of the recorded compiler as a header."""
    if options.toolchain is None:
        return options.overlay
    return {**options.overlay, HEADER: options.toolchain.header().encode()}


def _readable(files: Iterable[SourceFile], view: SourceView, root: str) -> tuple[list[SourceFile], list[Notice]]:
    """Splits off what cannot be read: a named file is the user's mistake, one in a folder a gap."""
    good: list[SourceFile] = []
    notices: list[Notice] = []
    for file in files:
        try:
            view.read(file.path)
        except MustfreeError as error:
            kind = NoticeKind.BAD_INPUT if file.named else NoticeKind.NOT_ANALYSED
            reason = str(error).removeprefix(f"{file.path}: ")
            notices.append(Notice(kind, display_path(file.path, root), 0, reason))
        else:
            good.append(file)
    return good, notices


def _about_flags(files: Iterable[SourceFile], options: ProgramOptions) -> Iterator[Notice]:
    """Files that the compile database does not tell of, and what of its flags was not read."""
    if options.database is None:
        return
    shown = display_path(str(Path(options.root) / options.database.path), options.root)
    for file in files:
        name = display_path(file.path, options.root)
        commands = options.database.commands.get(file.path)
        if commands is None:
            yield Notice(NoticeKind.FLAG, name, 0, f"is not in {shown}: analysed without its flags")
        for unread in dict.fromkeys(word for command in commands or () for word in command.unread):
            message = f"response file {unread} is not read: it is not inside of the project, or is no text of flags"
            yield Notice(NoticeKind.FLAG, name, 0, message)


def _tasks(path: str, options: ProgramOptions) -> tuple[Task, ...]:
    """The ways in which a file is compiled: those of the database that differ for the parser, one without any."""
    commands = options.database.commands.get(path, ()) if options.database else ()
    distinct: dict[object, CompileCommand] = {}
    for command in commands:
        distinct.setdefault(choose_flags(command.flags + options.flags, command.directory)[0], command)
    machine = options.toolchain.flags() if options.toolchain is not None else ()
    if not distinct:
        return (Task(path, machine + options.flags, options.root),)
    return tuple(
        Task(path, machine + command.flags + options.flags, command.directory, number)
        for number, command in enumerate(distinct.values())
    )


def _by_last_part(headers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Headers by the last part of their names."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(headers):
        name = Path(path).name
        found[name] = (*found.get(name, ()), path)
    return found


def _prepass(tasks: Iterable[Task], headers: Iterable[str], view: SourceView, options: ProgramOptions) -> Prepass:
    def read(path: str) -> bytes | None:
        try:
            return view.read(path)
        except MustfreeError:
            return None

    prepass = Prepass(read, options.table.relevant_names)
    headers = list(headers)
    for header in headers:
        prepass.add(header, ())
    seen: set[tuple[str, ...]] = set()
    for task in tasks:
        prepass.add(task.path, include_folders(task.flags, task.directory))
        if task.flags not in seen:
            seen.add(task.flags)
            prepass.add_flags(task.flags)
    prepass.finish(headers)
    return prepass


def _analyse(
    tasks: list[Task], context: Context, options: ProgramOptions, progress: Progress
) -> tuple[list[UnitScan], list[tuple[Step, UnitResult]]]:
    """Reads all files, then analyses their functions, callees first, in rounds."""
    scans: list[UnitScan] = []
    done: list[tuple[Step, UnitResult]] = []
    with _crew(context, options) as crew:
        progress(0, len(tasks))
        for number, scan in enumerate(crew.run(tasks, [task.path for task in tasks], progress)):
            if isinstance(scan, Lost):
                notice = _lost(tasks[number].path, scan.reason, options.root)
                scan = UnitScan(tasks[number].unit, notices=(notice,), analysed=False)
            assert isinstance(scan, UnitScan)
            scans.append(scan)
        graph = call_graph((scan.path, scan.calls) for scan in scans)
        by_unit = {task.unit: task for task in tasks}
        known: dict[Node, FunctionContract] = {}
        for parts in graph.rounds():
            steps = [_step(part, by_unit[part.path], graph, known) for part in parts]
            results = crew.run(steps, [part.path for part in parts])
            for part, step, result in zip(parts, steps, results, strict=True):
                if isinstance(result, Lost):
                    notice = _lost(step.task.path, result.reason, options.root)
                    result = UnitResult(part.path, notices=(notice,), analysed=False)
                assert isinstance(result, UnitResult)
                done.append((step, result))
                known.update({(part.path, name): contract for name, contract in result.contracts.items()})
    return scans, done


def _step(part: Round, task: Task, graph: CallGraph, known: Mapping[Node, FunctionContract]) -> Step:
    names = (name for group in part.groups for name in group)
    called = frozenset(name for name in names if (part.path, name) in graph.called)
    return Step(task, part.groups, called, linked(part.imports, known))


def _crew(context: Context, options: ProgramOptions) -> Crew:
    workers = options.jobs or os.cpu_count() or 1
    analyst = Analyst(context)
    if options.jobs == 1:
        return Crew(analyst, None)
    sys.stdout.flush()  # or each forked worker would print what is buffered again
    sys.stderr.flush()
    return Crew(analyst, Pool[Task | Step, UnitScan | UnitResult](analyst, workers, options.pool))


@final
class Crew:
    """Does jobs in worker processes, or, without a pool, here."""

    def __init__(self, analyst: Analyst, pool: Pool[Task | Step, UnitScan | UnitResult] | None) -> None:
        self._analyst = analyst
        self._pool = pool

    def __enter__(self) -> Crew:
        if self._pool is not None:
            self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.__exit__(*error)

    def run(
        self, jobs: Sequence[Task | Step], keys: Sequence[str], progress: Progress = lambda done, total: None
    ) -> list[UnitScan | UnitResult | Lost]:
        """The results in the order of the jobs. keys: jobs of one key go to one worker."""
        done: Iterable[tuple[int, UnitScan | UnitResult | Lost]]
        if self._pool is None:
            done = ((number, self._analyst(job)) for number, job in enumerate(jobs))
        else:
            done = self._pool.map(jobs, keys)
        results: dict[int, UnitScan | UnitResult | Lost] = {}
        for number, result in done:
            results[number] = result
            progress(len(results), len(jobs))
        return [results[number] for number in range(len(jobs))]


def _lost(path: str, reason: str, root: str) -> Notice:
    return Notice(NoticeKind.NOT_ANALYSED, display_path(path, root), 0, f"not analysed: {reason}")


def _report(
    scans: Iterable[UnitScan],
    results: Iterable[UnitResult],
    notices: list[Notice],
    files: int,
    options: ProgramOptions,
) -> Report:
    """Puts the parts together. files: number of readable files."""
    findings: dict[tuple[str | int, ...], Finding] = {}
    acquisitions: dict[tuple[str | int, ...], Acquisition] = {}
    notices = list(notices)
    functions = 0
    failed: set[str] = set()
    summaries: dict[tuple[str, int, int], Summary] = {}
    for scan in scans:
        notices += scan.notices
        functions += scan.functions
        if not scan.analysed:
            failed.add(file_of(scan.path))
    for result in results:
        for finding in result.findings:  # a header's function is seen by every file that includes it
            findings.setdefault(finding_order(finding), finding)
        for acquisition in result.acquisitions:
            key = _acquisition_order(acquisition)
            acquisitions[key] = min(acquisitions.get(key, acquisition), acquisition, key=_gravity)
        notices += result.notices
        for summary in result.summaries:
            summaries.setdefault((summary.at.file, summary.at.line, summary.at.column), summary)
        if not result.analysed:
            failed.add(file_of(result.path))
    return Report(
        findings=tuple(findings[key] for key in sorted(findings)),
        acquisitions=tuple(acquisitions[key] for key in sorted(acquisitions)),
        notices=sorted_notices(notices),
        files=files - len(failed),
        functions=functions,
        unlocks=unlocks_of(acquisitions.values()),
        versions=versions(options.table),
        summaries=tuple(summaries[key] for key in sorted(summaries)),
    )


def _suppressed(report: Report, seen: dict[str, str], view: SourceView, options: ProgramOptions) -> Report:
    """The report with the findings marked that comments allow. seen: name in reports -> path."""
    seen = {finding.at.file: str(Path(options.root) / finding.at.file) for finding in report.findings} | seen
    texts: dict[str, bytes] = {}
    for name, path in sorted(seen.items()):
        with contextlib.suppress(MustfreeError):
            texts[name] = view.read(path)
    gaps = {notice.file for notice in report.notices if notice.kind in _GAPS}
    marked = suppress(report.findings, texts, [check.id for check in CHECKS], options.today, gaps)
    notices = sorted_notices((*report.notices, *marked.notices))
    return replace(report, findings=marked.findings, notices=notices, seen=tuple(sorted(texts)))


def _acquisition_order(acquisition: Acquisition) -> tuple[str | int, ...]:
    at = acquisition.at
    return (at.file, at.line, at.column, acquisition.function, acquisition.callee, acquisition.slot, acquisition.holder)


_VERDICT_ORDER = {verdict: number for number, verdict in enumerate(Verdict)}


def _gravity(acquisition: Acquisition) -> int:
    """Of a header's function, or a file compiled in several ways, the verdict that says the most."""
    return _VERDICT_ORDER[acquisition.verdict]


_NOTICE_ORDER = {kind: number for number, kind in enumerate(NoticeKind)}


def sorted_notices(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Without duplicates, the serious kinds first."""
    return tuple(
        sorted(
            set(notices),
            key=lambda notice: (
                _NOTICE_ORDER[notice.kind],
                notice.file,
                notice.line,
                notice.function,
                notice.message,
            ),
        )
    )


def versions(table: ContractTable) -> tuple[tuple[str, str], ...]:
    """What took part in a run: our version, libclang's, those of the packs."""
    packs = tuple((f"pack {pack.library}", pack.version) for pack in table.packs)
    return (("mustfree", __version__), ("libclang", metadata.version("libclang")), *sorted(packs))
