"""A whole program: find the files, choose the flags, leave out what cannot matter, spread the work, collect.

Results are sorted by file and place, never by completion: the same input gives the same report for any number
of workers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import final

from analyzer import __version__
from analyzer.cache import Contents, Store, StoreOptions
from analyzer.checks import CHECKS
from analyzer.contracts import RuleSet
from analyzer.contracts.beliefs import Beliefs
from analyzer.contracts.model import FunctionContract
from analyzer.errors import MustfreeError
from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.frontend import lower_file, parse_errors
from analyzer.ir.function import TranslationUnit
from analyzer.libclang.flags import choose_flags
from analyzer.ownership.limits import Limits
from analyzer.program.collect import collected, sorted_notices
from analyzer.program.compile_database import CompileCommand, CompileDatabase
from analyzer.program.constants import Constants
from analyzer.program.discovery import NO_CPP, SourceFile, discover, display_path
from analyzer.program.global_owners import global_owners, whole_program_gaps
from analyzer.program.growth import Growths
from analyzer.program.memory import Inputs, Memory, Survey, Whole, surveyed
from analyzer.program.pool import PoolLimits
from analyzer.program.rounds import Crew, Progress, Work
from analyzer.program.tasks import Task, given_unit
from analyzer.program.toolchain import HEADER, Toolchain
from analyzer.program.unit import Analyst, Context, Step, UnitResult, UnitScan, frontend_options
from analyzer.program.unlocks import unlocks_of
from analyzer.program.variants import Mentions, Variant
from analyzer.sources import SourceView
from analyzer.suppressions import suppress

# So many named files are parsed even when nothing in them can matter: then whoever looks at single files is
# told what the parser thinks of them.
_ALWAYS_PARSED = 8
_GAPS = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT)


@final
@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """How a program is analysed.

    root: absolute; relative names refer to it and reports name files from here.
    flags: compiler flags for every file, after those of the database. left_out: C++ files that are not looked at.
    variants: further configurations, in each of which the program is analysed, too.
    toolchain: what a recorded compiler says; its flags come first.
    exclude: patterns of files and folders that are left out.
    jobs: worker processes; 1: none, all in this process and without the limits of `pool`; 0: one per CPU.
    beliefs: what the project says of functions in a word.
    prepass: leave out files when none of them can matter. cache: results of earlier runs.
    unneeded: path -> its functions that are not analysed. When there is such a list, the files are those of a tree that
        concern a question, and what the others would say is known: they change no variable that these read.
    summaries: the report tells the inferred contract of every function. global_owners: and the variables whose contents
        nothing ever releases.
    guard: a mistake of ours costs one function and not the run.
    today: decides which suppressing comments have expired.
    """

    rules: RuleSet
    root: str
    flags: tuple[str, ...] = ()
    database: CompileDatabase | None = None
    left_out: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    toolchain: Toolchain | None = None
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    pool: PoolLimits = field(default_factory=PoolLimits)
    jobs: int = 0
    exit_leaks: bool = False
    beliefs: Beliefs = field(default_factory=Beliefs)
    summaries: bool = False
    global_owners: bool = False
    guard: bool = True
    today: date = field(default_factory=date.today)
    exclude: tuple[str, ...] = ()
    prepass: bool = True
    unneeded: Mapping[str, frozenset[str]] | None = None
    cache: CacheUse | None = None


@final
@dataclass(frozen=True, slots=True)
class CacheUse:
    """The cache of a run: as the main process uses it, and how workers open it.

    beside: that of runs over the same tree, at the same time, with another overlay. last: what it was to the last run.
    """

    store: Store
    options: StoreOptions
    beside: CacheUse | None = None
    last: list[Memory] = field(default_factory=list)

    def shared(self) -> CacheUse:
        """The same for runs over the same tree with another overlay."""
        return CacheUse(self.store, self.options, self)


@final
@dataclass(frozen=True, slots=True)
class LinkedProgram:
    """A program after its analysis, for those who ask on.

    tasks: path -> the ways in which it is read, of all readable files. parsed: those that were. steps: each with what
    came out of it. defined: names of functions that the program defines.
    """

    report: Report
    context: Context
    tasks: Mapping[str, tuple[Task, ...]]
    parsed: frozenset[str]
    steps: tuple[tuple[Step, UnitResult], ...]
    defined: frozenset[str]

    def contracts(self, unit: str, function: str) -> Mapping[str, FunctionContract]:
        """The inferred contracts with which a function of a unit was analysed, by the names it calls."""
        found = self._step_of(unit, function)
        known = {**found[0].contracts, **found[1].contracts} if found is not None else {}
        return {name: held.contract for name, held in known.items()}

    def constants(self, unit: str, function: str) -> Constants:
        """The variables of other units that never change, as far as a function of a unit was analysed with them."""
        found = self._step_of(unit, function)
        return found[0].constants if found is not None else ()

    def _step_of(self, unit: str, function: str) -> tuple[Step, UnitResult] | None:
        for wanted in (unit, given_unit(unit)):  # where a configuration changes nothing
            for step, result in self.steps:
                if step.task.unit == wanted and any(function in group for group in step.groups):
                    return step, result
        return None

    def inferred(self) -> dict[str, FunctionContract]:
        """What was inferred of the program's functions, by name; nothing for a name whose definitions differ."""
        found: dict[str, FunctionContract] = {}
        several: set[str] = set()
        for _, result in self.steps:
            for name, one in result.contracts.items():
                if found.setdefault(name, one.contract) != one.contract:
                    several.add(name)
        return {name: contract for name, contract in found.items() if name not in several}


def analyse_program(paths: Sequence[str], options: ProgramOptions, progress: Progress | None = None) -> Report:
    """Analyses all C files that `paths` name or contain as one program.

    progress: called with files done and files in all.
    """
    return _Run(paths, options, progress).report


def link_program(paths: Sequence[str], options: ProgramOptions, progress: Progress | None = None) -> LinkedProgram:
    """The same without the cache, which does not hold all that is asked on for."""
    run = _Run(paths, replace(options, cache=None), progress)
    parsed = frozenset(task.path for task in run.chosen)
    return LinkedProgram(run.report, run.context(), run.tasks, parsed, run.steps, frozenset(run.said.defined))


@final
@dataclass(frozen=True, slots=True)
class _Outcome:
    whole: Whole
    failed: frozenset[str] = frozenset()
    steps: tuple[tuple[Step, UnitResult], ...] = ()
    tasks: tuple[Task, ...] = ()
    unmet: tuple[Notice, ...] = ()


@final
class _Run:
    """One analysis of a program: its files, what was chosen of them, and what came out."""

    def __init__(self, paths: Sequence[str], options: ProgramOptions, progress: Progress | None) -> None:
        found = discover(paths, options.root, options.overlay, options.exclude)
        view = SourceView(_overlay(options))
        self._options = options
        self._headers = _by_last_part(found.headers)
        readable, unreadable = _readable(found.files, view, options.root)
        self.tasks = {file.path: _tasks(file.path, options) for file in readable}
        every = [task for several in self.tasks.values() for task in several]
        every += [_in_variant(task, variant) for variant in options.variants for task in every]
        contents = Contents(options.root, view.overlay)
        looked_at = (*self.tasks, *found.headers) if options.cache else ()
        digests = tuple((display_path(path, options.root), contents.digest(path)) for path in looked_at)
        memory = _memory(options, view, contents, self._headers)
        self.said = memory.survey(
            every, found.headers, lambda read: surveyed(every, found.headers, options.rules.table.relevant_names, read)
        )
        few = sum(file.named for file in readable) <= _ALWAYS_PARSED
        named = few and any(file.named for file in readable)
        # One that matters is enough: what the others define may be given a resource, or hand one on.
        self.chosen = every if named or self.said.mattering or not options.prepass else []
        whole = any(not file.named for file in readable) or options.unneeded is not None
        report_progress = progress or (lambda done, total: None)
        done = _analyse(self.chosen, self.said, memory, self.context, options, report_progress, whole)
        self.steps = done.steps
        self.tasks |= _by_path(done.tasks)
        unmet = [*_unmet_variants(done.tasks, options), *done.unmet]
        notices = [*found.notices, *unreadable, *unmet, *_about_flags(readable, options)]
        notices += [
            Notice(NoticeKind.SKIPPED, display_path(path, options.root), 0, NO_CPP) for path in options.left_out
        ]
        report = _report(done.whole, notices, len(self.tasks) - len(done.failed), options)
        seen = {display_path(path, options.root): path for path in (*self.tasks, *found.headers)}
        report = replace(_suppressed(report, seen, view, options), digests=digests)
        self.report = _with_global_owners(report, done.whole) if options.global_owners else report

    def context(self) -> Context:
        """What all tasks share; decodes the rule files, so it is made only when something is to be done."""
        options = self._options
        return Context(
            table=options.rules.table,
            root=options.root,
            limits=options.limits,
            overlay=_overlay(options),
            exit_leaks=options.exit_leaks,
            beliefs=options.beliefs,
            summaries=options.summaries,
            global_owners=options.global_owners,
            headers=self._headers,
            guard=options.guard,
            cache=options.cache.options if options.cache else None,
        )


def _memory(
    options: ProgramOptions, view: SourceView, contents: Contents, headers: Mapping[str, tuple[str, ...]]
) -> Memory:
    choices = [f"{name}={getattr(options, name)!r}" for name in _CHOICES]
    inputs = Inputs(options.root, options.rules.digest, " ".join(choices), headers)
    if options.cache is None:
        return Memory(None, contents, view, inputs)
    beside = options.cache.beside.last if options.cache.beside is not None else []
    memory = Memory(options.cache.store, contents, view, inputs, beside[0] if beside else None)
    options.cache.last[:] = [memory]
    return memory


# Each unit's key holds its files and flags: what these tell of the program, or leave as it is, is no choice. Everything
# else is, also an option that is yet to come.
_NO_CHOICES = frozenset(
    {"rules", "root", "flags", "database", "left_out", "variants", "toolchain", "overlay", "exclude"}
    | {"pool", "jobs", "guard", "today", "prepass", "unneeded", "cache"}
)
_CHOICES = tuple(option.name for option in fields(ProgramOptions) if option.name not in _NO_CHOICES)


def lower_for_dump(path: str, options: ProgramOptions) -> TranslationUnit:
    """One file as IR, with the flags that a run would use, and all of its functions."""
    task = _tasks(path, options)[0]
    context = Context(options.rules.table, options.root, overlay=_overlay(options))
    return lower_file(path, frontend_options(context, task, everything=True))


def lower_everywhere(path: str, options: ProgramOptions) -> tuple[TranslationUnit, ...]:
    """The same in all ways of compiling the file, and in all configurations."""
    tasks = _tasks(path, options)
    every = [*tasks, *(_in_variant(task, variant) for variant in options.variants for task in tasks)]
    context = Context(options.rules.table, options.root, overlay=_overlay(options))
    return tuple(lower_file(path, frontend_options(context, task, everything=True)) for task in every)


def errors_of(path: str, options: ProgramOptions) -> frozenset[str]:
    """What the parser holds against one file, with the flags that a run would use, in all ways of compiling it."""
    context = Context(options.rules.table, options.root, overlay=_overlay(options))
    found = [parse_errors(path, frontend_options(context, task)) for task in _tasks(path, options)]
    return frozenset().union(*found)


def _with_global_owners(report: Report, whole: Whole) -> Report:
    gaps = whole_program_gaps(report.notices, whole.has_main)
    owners = () if gaps else global_owners(report.acquisitions, frozenset(whole.loose))
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


def _in_variant(task: Task, variant: Variant) -> Task:
    """The same file in a further configuration."""
    return replace(task, flags=task.flags + variant.arguments(), configuration=variant.name)


def _by_path(tasks: Iterable[Task]) -> dict[str, tuple[Task, ...]]:
    found: dict[str, tuple[Task, ...]] = {}
    for task in tasks:
        found[task.path] = (*found.get(task.path, ()), task)
    return found


def _unmet_variants(tasks: Iterable[Task], options: ProgramOptions) -> Iterator[Notice]:
    """Configurations that make no difference to any file: the name of a macro may be misspelt."""
    tasks = list(tasks) if options.unneeded is None else []
    given = {task for task in tasks if not task.configuration}
    for variant in options.variants:
        if given and all(task.reading in given for task in tasks if task.configuration == variant.name):
            shown = variant.file if not variant.line else display_path(variant.file, options.root)
            names = " or ".join(variant.macros)
            message = f"variant `{variant.name}` changes nothing: no file that was read mentions {names}"
            yield Notice(NoticeKind.SETTINGS, shown, variant.line, message)


def _unmet_names(scans: Sequence[UnitScan], options: ProgramOptions) -> tuple[Notice, ...]:
    """Functions that are said not to return, and that nothing calls: the name may be misspelt."""
    if not options.beliefs.noreturn or not scans or options.unneeded is not None:
        return ()
    called = {name for scan in scans for function in scan.calls for name in function.callees}
    return tuple(
        Notice(NoticeKind.SETTINGS, "noreturn", 0, f"`{pattern}` fits no function that is called in what was read")
        for pattern in options.beliefs.unmet(sorted(called))
    )


def _by_last_part(headers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Headers by the last part of their names."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(headers):
        name = Path(path).name
        found[name] = (*found.get(name, ()), path)
    return found


def _analyse(
    tasks: list[Task],
    said: Survey,
    memory: Memory,
    context: Callable[[], Context],
    options: ProgramOptions,
    progress: Progress,
    whole: bool,
) -> _Outcome:
    """All results of the units. whole: they are a tree's."""
    view = SourceView(_overlay(options))
    unneeded = options.unneeded or {}
    with Crew(lambda: Analyst(context()), options.jobs, options.pool) as crew:
        work = Work(tasks, said.defined, memory, crew, Mentions(options.variants, view), options.root, whole, unneeded)
        work.read(progress)
        known = memory.whole(work.tasks, said.defined, whole, unneeded) if work.remembered else None
        if known is not None:
            return _Outcome(known, tasks=tuple(work.tasks), unmet=_unmet_names(work.scans, options))
        work.analyse()
    results = [result for _, result in work.steps]
    configurations = ("", *(variant.name for variant in options.variants))
    found, failed = collected(work.scans, results, configurations, Growths(work.graph), view, options.root)
    if not failed and not any(result.mistaken for result in results):
        memory.keep_whole(work.tasks, said.defined, whole, found, unneeded)
    return _Outcome(found, failed, tuple(work.steps), tuple(work.tasks), _unmet_names(work.scans, options))


def _report(whole: Whole, notices: Iterable[Notice], files: int, options: ProgramOptions) -> Report:
    """Puts the parts together. files: number of files that were analysed."""
    return Report(
        findings=whole.findings,
        acquisitions=whole.acquisitions,
        notices=sorted_notices((*notices, *whole.notices)),
        files=files,
        functions=whole.functions,
        unlocks=unlocks_of(whole.acquisitions),
        versions=versions(options.rules),
        summaries=whole.summaries,
        not_compiled=whole.not_compiled,
    )


def _suppressed(report: Report, seen: dict[str, str], view: SourceView, options: ProgramOptions) -> Report:
    """The report with the findings marked that comments allow. seen: name in reports -> path."""
    seen = {finding.at.file: str(Path(options.root) / finding.at.file) for finding in report.findings} | seen
    texts: dict[str, bytes] = {}
    for name, path in sorted(seen.items()):
        with contextlib.suppress(MustfreeError):
            texts[name] = view.read(path)
    gaps = {notice.file for notice in report.notices if notice.kind in _GAPS}
    gaps |= {display_path(path, options.root) for path, names in (options.unneeded or {}).items() if names}
    marked = suppress(report.findings, texts, [check.id for check in CHECKS], options.today, gaps)
    notices = sorted_notices((*report.notices, *marked.notices))
    return replace(report, findings=marked.findings, notices=notices, seen=tuple(sorted(texts)))


def versions(rules: RuleSet) -> tuple[tuple[str, str], ...]:
    """What took part in a run: our version, libclang's, those of the packs."""
    packs = tuple((f"pack {library}", version) for library, version in rules.versions)
    return (("mustfree", __version__), ("libclang", metadata.version("libclang")), *sorted(packs))
