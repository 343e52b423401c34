"""One C file, from bytes to findings: the part that runs in a worker process.

First a file is read (`Task`), and says what its functions call; then its functions are analysed, callees first,
in one or several goes (`Step`), with the contracts of what they call. The lowered file is remembered in between,
and made again where it no longer is: a worker holds nothing that the tasks do not say.
Here is the one place that catches what goes wrong inside: a mistake of ours costs one function, not the run.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Concatenate, final

from analyzer.cache import Relocation, Store, StoreOptions
from analyzer.checks import SourceText, findings
from analyzer.contracts import ContractTable
from analyzer.contracts.attributes import stated_contracts
from analyzer.contracts.beliefs import Beliefs
from analyzer.contracts.linked import LinkedContracts
from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Outcome, Provenance, Route
from analyzer.contracts.text import contract_lines
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Finding, Notice, NoticeKind, Summary, Verdict
from analyzer.frontend import FrontendOptions, lower_file
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ir.ops import Call
from analyzer.ownership.at_sight import plain_contract
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import FunctionResult
from analyzer.ownership.limits import Limits
from analyzer.ownership.prepare import prepare
from analyzer.program.calls import FunctionCalls, calls_of
from analyzer.program.constants import Constants, SharedUse, shared_use, with_constants
from analyzer.program.discovery import display_path
from analyzer.program.disposers import Disposer, disposer
from analyzer.program.global_owners import loose_globals
from analyzer.program.groups import GroupResult, Held, Recall, Recipe, held
from analyzer.program.not_compiled import Dropped, not_compiled
from analyzer.program.tasks import Task
from analyzer.program.unit_notices import unit_notices
from analyzer.program.written import Agreement, differences
from analyzer.sources import LineIndex, SourceView


@final
@dataclass(frozen=True, slots=True)
class Step:
    """Functions of one file to analyse, callees first; functions of one group call each other.

    called: those whose contracts somebody needs. contracts: of what they call and what is not among them, by name.
    defined: those of what they call that the program defines in some unit. recipe: what the results depend on;
    None: they are not for the cache. constants: variables of other units that never change.
    """

    task: Task
    groups: tuple[tuple[str, ...], ...]
    called: frozenset[str]
    contracts: Mapping[str, Held]
    defined: frozenset[str] = frozenset()
    recipe: Recipe | None = None
    constants: Constants = ()


@final
@dataclass(frozen=True, slots=True)
class UnitScan:
    """What reading one file brings. functions: number of functions in it. analysed: it could be read.

    read: the files that were looked into. missing: headers that were not found. dropped: calls of acquiring functions
    in text that the preprocessor dropped here, each with its file. shared: what it says of variables that units share.
    """

    path: str
    calls: tuple[FunctionCalls, ...] = ()
    notices: tuple[Notice, ...] = ()
    functions: int = 0
    analysed: bool = True
    read: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    shared: SharedUse = field(default_factory=SharedUse)


@final
@dataclass(frozen=True, slots=True)
class Context:
    """What all tasks of a run share; goes to the workers once.

    beliefs: what the project says of functions in a word.
    summaries: infer and print the contract of every function, also of those that nobody calls.
    global_owners: see which global variables are released, or handed on.
    headers: the program's own, see FrontendOptions.
    guard: turn mistakes of ours into notices; off in tests, so that they are seen.
    cache: where results of earlier runs are; None: nowhere.
    """

    table: ContractTable
    root: str
    limits: Limits = field(default_factory=Limits)
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    exit_leaks: bool = False
    beliefs: Beliefs = field(default_factory=Beliefs)
    summaries: bool = False
    global_owners: bool = False
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guard: bool = True
    cache: StoreOptions | None = None


@final
@dataclass(frozen=True, slots=True)
class UnitResult:
    """What functions of one file have to say; plain data.

    routes: for each acquisition the ways by which it goes out of sight; they become its escapes once the whole program
    is known. contracts: what they do for their callers, as far as it is known. analysed: nothing went wrong as a whole.
    loose: global variables whose contents they may release or hand on, when asked for.
    disposers: those of them that somebody calls and that release a structure of the program.
    rows: for the cache. mistaken: a mistake of ours has cost a function, which another run might not make.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    acquisitions: tuple[Acquisition, ...] = ()
    routes: tuple[tuple[Route, ...], ...] = ()
    notices: tuple[Notice, ...] = ()
    contracts: Mapping[str, Held] = field(default_factory=dict)
    summaries: tuple[Summary, ...] = ()
    analysed: bool = True
    loose: frozenset[str] = frozenset()
    rows: tuple[tuple[str, str], ...] = ()
    mistaken: bool = False
    disposers: tuple[Disposer, ...] = ()


def frontend_options(context: Context, task: Task, everything: bool = False) -> FrontendOptions:
    """How the front end is to read this file. everything: also what its headers define and nobody needs."""
    return FrontendOptions(
        flags=task.flags,
        overlay=context.overlay,
        headers=context.headers,
        virtual_headers=context.table.virtual_headers(),
        relevant=None if everything else context.table.relevant_names,
        sought=() if everything else context.table.acquiring_names,
        directory=task.directory,
    )


@final
class Analyst:
    """What a worker does, in any order and any number of times. Picklable."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._units: dict[Task, TranslationUnit] = {}  # by what was read
        self._held = 0  # operations in them
        self._store: Store | None = None

    def __call__(self, job: Task | Step) -> UnitScan | UnitResult:
        """With the context's guard, raises nothing but KeyboardInterrupt and the like."""
        return self.scan(job) if isinstance(job, Task) else self.analyse(job)

    def with_table(self, table: ContractTable) -> Analyst:
        """One that has read the same files, and analyses with other contracts."""
        other = Analyst(replace(self._context, table=table))
        other._units, other._held = self._units, self._held
        return other

    def scan(self, task: Task) -> UnitScan:
        """Reads one file."""
        try:
            unit = self.unit(task)
            notices = unit_notices(unit, self._context.table, self._context.root, SourceView(self._context.overlay))
        except MustfreeError as error:
            reason = str(error).removeprefix(f"{task.path}: ")
            return self._unread(task, NoticeKind.NOT_ANALYSED, f"not analysed: {reason}")
        except Exception as error:
            if not self._context.guard:
                raise
            kind, text = _mistake(error)
            return self._unread(task, kind, f"the file was not analysed: {text}")
        functions = 0 if task.variant else unit.function_count
        dropped = tuple(not_compiled(unit, self._context.root, SourceView(self._context.overlay)))
        read, missing = unit.read, unit.missing_headers
        return UnitScan(
            task.unit,
            calls_of(unit, self._context.table),
            notices,
            functions,
            read=read,
            missing=missing,
            dropped=dropped,
            shared=shared_use(unit),
        )

    def _unread(self, task: Task, kind: NoticeKind, message: str) -> UnitScan:
        notice = Notice(kind, display_path(task.path, self._context.root), 0, message)
        return UnitScan(task.unit, notices=(notice,), analysed=False)

    def analyse(self, step: Step) -> UnitResult:
        """Analyses functions of one file that was read before."""
        try:
            unit = with_constants(self.unit(step.task), step.constants)
            analysis = _StepAnalysis(self._context, step, unit, self._recall(step))
        except Exception as error:  # it could be read before
            if not self._context.guard:
                raise
            kind, text = _mistake(error)
            notice = Notice(kind, display_path(step.task.path, self._context.root), 0, f"not analysed: {text}")
            return UnitResult(step.task.unit, notices=(notice,), analysed=False)
        return analysis.run()

    def close(self) -> None:
        """Lets go of the cache."""
        if self._store is not None:
            self._store.close()

    def _recall(self, step: Step) -> Recall | None:
        """The cache, opened in this process when it is first wanted: no connection survives a fork."""
        if step.recipe is None or self._context.cache is None:
            return None
        if self._store is None:
            self._store = Store(replace(self._context.cache, read_only=True))
        place = Relocation(self._context.root)
        return Recall(self._store, place, step.recipe, step.called, step.defined, step.contracts)

    def unit(self, task: Task) -> TranslationUnit:
        """A file that can be read, lowered. Raises what `scan` tells of."""
        task = task.reading
        unit = self._units.get(task)
        if unit is None:
            unit = lower_file(task.path, frontend_options(self._context, task))
            self._held += _size(unit)
            while self._units and self._held > _MOST_OPERATIONS:
                self._held -= _size(self._units.pop(next(iter(self._units))))
            self._units[task] = unit
        return unit


def unit_result(unit: str, groups: Sequence[GroupResult]) -> UnitResult:
    """The results of groups as one."""
    return UnitResult(
        unit,
        tuple(finding for group in groups for finding in group.findings),
        tuple(acquisition for group in groups for acquisition in group.acquisitions),
        tuple(routes for group in groups for routes in group.routes),
        tuple(notice for group in groups for notice in group.notices),
        {name: one for group in groups for name, one in group.contracts.items()},
        tuple(summary for group in groups for summary in group.summaries),
        loose=frozenset(name for group in groups for name in group.loose),
        disposers=tuple(one for group in groups for one in group.disposers),
    )


_MOST_OPERATIONS = 3_000_000  # remembered in one worker; an operation takes some 300 bytes
_ROUNDS = 4  # of the search for contracts of functions that call each other


def _size(unit: TranslationUnit) -> int:
    return sum(len(block.ops) for function in unit.functions for block in function.blocks)


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
class _StepAnalysis:
    """Some functions of one lowered file."""

    def __init__(self, context: Context, step: Step, unit: TranslationUnit, recall: Recall | None) -> None:
        self._context = context
        self._step = step
        self._unit = unit
        self._recall = recall
        self._view = SourceView(context.overlay)
        self._texts: dict[str, LineIndex] = {}
        self._contracts = {name: one.contract for name, one in step.contracts.items()}
        stated = stated_contracts(unit.declarations, context.table)
        self._linked = LinkedContracts(context.table, self._contracts, stated, context.beliefs)
        self._begin()

    def _begin(self) -> None:
        """Forgets what was said about the group before."""
        self._results: dict[str, tuple[Function, FunctionResult]] = {}
        self._findings: list[Finding] = []
        self._acquisitions: list[Acquisition] = []
        self._recursive = False
        self._routes: list[tuple[Route, ...]] = []
        self._notices: list[Notice] = []
        self._mistaken = False

    def run(self) -> UnitResult:
        """Analyses every function, each under its own guard."""
        bodies = {function.name: function for function in self._unit.functions}
        rows: list[tuple[str, str]] = []
        results: list[GroupResult] = []
        mistaken = False
        for group in self._step.groups:
            key = self._recall.key(group) if self._recall else ""
            result = self._recall.get(key) if self._recall else None
            if result is None:
                result = self._analysed(group, bodies)
                mistaken = mistaken or self._mistaken
                if self._recall and not self._mistaken:
                    rows.append(self._recall.row(key, result))
            else:
                self._contracts.update({name: one.contract for name, one in result.contracts.items()})
            if self._recall:
                self._recall.add(group, result.contracts)
            results.append(result)
        return replace(unit_result(self._step.task.unit, results), rows=tuple(rows), mistaken=mistaken)

    def _analysed(self, group: tuple[str, ...], bodies: Mapping[str, Function]) -> GroupResult:
        self._begin()
        self._group([bodies[name] for name in group])
        # What a pack defines for a missing header is nobody's code: its contract is wanted, and nothing is said of it.
        told = [name for name in group if name in self._results and self._view.exists(bodies[name].file)]
        self._results = {name: self._results[name] for name in told}
        for name in told:
            self._guarded(self._report, *self._results[name])
        return GroupResult(
            tuple(self._findings),
            tuple(self._acquisitions),
            tuple(self._routes),
            tuple(self._notices),
            tuple(self._summaries(group)),
            tuple(sorted(self._loose())),
            {name: self._held(self._contracts[name]) for name in group if name in self._contracts},
            tuple(self._disposers(group)),
        )

    def _disposers(self, names: Iterable[str]) -> Iterator[Disposer]:
        for name in names:
            if name in self._results and name in self._contracts and name in self._step.called:
                function = self._results[name][0]
                shown = display_path(function.file, self._context.root)
                found = disposer(self._contracts[name], shown, function.static)
                if found is not None:
                    yield found

    def _held(self, contract: FunctionContract) -> Held:
        # Also where this unit is not for the cache: others are, and their keys hold what its contracts say.
        compared = self._context.cache is not None
        return held(contract, Relocation(self._context.root) if compared else None)

    def _loose(self) -> frozenset[str]:
        found: set[str] = set()
        if self._context.global_owners:
            for function, _ in self._results.values():
                prepared = prepare(function, self._unit, self._linked, self._step.defined)
                text = self._text(function.file).data[function.at : function.end]
                found |= loose_globals(prepared, text, self._unit.path)
        return frozenset(found)

    def _summaries(self, names: Iterable[str]) -> Iterator[Summary]:
        if not self._context.summaries:
            return
        for name in names:
            if name not in self._results:
                continue
            function = self._results[name][0]
            at = self._source(function).word_region(function.at)
            contract = self._contracts.get(name)
            if contract is not None:
                yield Summary(at, name, (*self._pinned(function, contract), *contract_lines(contract)))
            else:
                why = function.degraded[0] if function.degraded else "its analysis did not come to an end"
                yield Summary(at, name, (f"  # {name}: nothing is known; {why}",), known=False)

    def _pinned(self, function: Function, contract: FunctionContract) -> Iterator[str]:
        """Comments that tell of the contract that is used instead, and how it differs."""
        written = self._written(function)
        if written is None:
            return
        found = differences(written, contract, self._context.table.kinds)
        if not found:
            yield f"  # {written.source} is used instead, and {Agreement.AGREES.value}"
        for one in found:
            yield f"  # {written.source} is used instead, and {one.agreement.value}: {one.text}"

    def _source(self, function: Function) -> SourceText:
        return SourceText(display_path(function.file, self._context.root), self._text(function.file), function)

    def _group(self, functions: list[Function]) -> None:
        """Functions that call each other: from "no call of them returns" on, until nothing changes."""
        names = [function.name for function in functions]
        self._recursive = self._is_recursive(names)
        if not self._recursive:
            for function in functions:
                self._guarded(self._function, function)
            return
        for function in functions:
            self._contracts[function.name] = _endless(function)
        for _ in range(_ROUNDS):
            before = {name: self._contracts.get(name) for name in names}
            for function in functions:
                self._guarded(self._function, function)
            if before == {name: self._contracts.get(name) for name in names}:
                return
        for name in names:  # what still changes is not known
            if self._contracts.get(name) != before[name]:
                self._contracts.pop(name, None)
        settled = {name: self._contracts[name] for name in names if name in self._contracts}
        for function in functions:
            self._guarded(self._function, function)
            self._contracts.pop(function.name, None)
            if function.name in settled:
                self._contracts[function.name] = settled[function.name]

    def _is_recursive(self, names: list[str]) -> bool:
        if len(names) > 1:
            return True
        return any(
            isinstance(op, Call) and op.name in names
            for function in self._unit.functions
            if function.name in names
            for block in function.blocks
            for op in block.ops
        )

    def _guarded(self, run: Callable[Concatenate[Function, ...], None], function: Function, *rest: object) -> None:
        try:
            run(function, *rest)
        except Exception as error:
            if not self._context.guard:
                raise
            self._mistaken = True
            self._contracts.pop(function.name, None)
            kind, text = _mistake(error)
            at = function.at if self._view.exists(function.file) else -1
            self._notice(kind, function.file, at, f"not analysed: {text}", function.name)

    def _text(self, file: str) -> LineIndex:
        if file not in self._texts:
            self._texts[file] = LineIndex(self._view.read(file))
        return self._texts[file]

    def _notice(self, kind: NoticeKind, file: str, at: int, message: str, function: str = "") -> None:
        line = self._text(file).position(at)[0] if at >= 0 else 0
        self._notices.append(Notice(kind, display_path(file, self._context.root), line, message, function))

    def _function(self, function: Function) -> None:
        context, name = self._context, function.name
        written = self._written(function)
        wanted = context.summaries or name in self._step.called or written is not None
        limits, defined, recursive = context.limits, self._step.defined, self._recursive
        result = analyse(function, self._unit, self._linked, limits, defined, infer=wanted, recursive=recursive)
        if result.contract is not None:
            self._contracts[name] = result.contract
        else:
            self._contracts.pop(name, None)
        self._results[name] = (function, result)

    def _written(self, function: Function) -> FunctionContract | None:
        """The contract of the project's rule files for a function, if there is one."""
        declaration = self._unit.declarations.get(function.name)
        contract = None if declaration is None else self._context.table.lookup(declaration, True).contract
        return contract if contract is not None and contract.provenance is Provenance.PROJECT else None

    def _known(self, name: str) -> FunctionContract | None:
        """The contract that applies to calls of a function."""
        declaration = self._unit.declarations.get(name)
        return None if declaration is None else self._linked.lookup(declaration, name in self._step.defined).contract

    def _compare(self, function: Function, result: FunctionResult) -> None:
        """Tell where the project's contract and the function's body differ."""
        written = self._written(function)
        if written is None or result.contract is None:
            return
        for one in differences(written, result.contract, self._context.table.kinds):
            message = f"{one.agreement.value}: {one.text} (its calls follow {written.source})"
            self._notice(NoticeKind.WRITTEN, function.file, function.at, message, function.name)

    def _report(self, function: Function, result: FunctionResult) -> None:
        context = self._context
        self._function_notices(function, result)
        self._compare(function, result)
        if not (result.events or result.acquisitions):
            return
        source = self._source(function)
        self._findings += findings(function, result, source, context.exit_leaks, self._known)
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
                held=found.held,
                met=found.met,
            )
            for found in result.acquisitions
        ]
        self._routes += [found.routes for found in result.acquisitions]

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


def _endless(function: Function) -> FunctionContract:
    """The contract from which recursion starts: no call returns."""
    outcomes = (Outcome((), (Effect(EffectKind.NORETURN),)),)
    return replace(plain_contract(function), outcomes=outcomes, noreturn=True)
