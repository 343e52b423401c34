"""The work on a program in order, in this process or in workers: all files are read, then their functions analysed.

What is remembered of earlier runs is not done again; neither is what a configuration leaves as it is in the given one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import final

from analyzer.findings.model import Notice, NoticeKind
from analyzer.program.calls import FunctionCalls
from analyzer.program.constants import Constants, of_unit, program_constants, static_functions, with_tables
from analyzer.program.discovery import display_path
from analyzer.program.groups import Held
from analyzer.program.linking import CallGraph, Node, Round, call_graph, linked
from analyzer.program.memory import Memory
from analyzer.program.pool import Lost, Pool, PoolLimits
from analyzer.program.tasks import Task, configuration_of, given_unit
from analyzer.program.unit import Analyst, Step, UnitResult, UnitScan
from analyzer.program.variants import Mentions

Progress = Callable[[int, int], None]


@final
class Crew:
    """Does jobs in worker processes, or, with one job at a time, here.

    make: what does a job; called once there is something to do. jobs: as in `ProgramOptions`.
    """

    def __init__(self, make: Callable[[], Analyst], jobs: int, limits: PoolLimits) -> None:
        self._make = make
        self._jobs = jobs
        self._limits = limits
        self._analyst: Analyst | None = None
        self._pool: Pool[Task | Step, UnitScan | UnitResult] | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.__exit__(*error)
        if self._analyst is not None:
            self._analyst.close()

    def _begin(self) -> Analyst:
        if self._analyst is None:
            self._analyst = self._make()
            if self._jobs != 1:
                sys.stdout.flush()  # or each forked worker would print what is buffered again
                sys.stderr.flush()
                self._pool = Pool(self._analyst, self._jobs or os.cpu_count() or 1, self._limits)
                self._pool.__enter__()
        return self._analyst

    def run(
        self, jobs: Sequence[Task | Step], keys: Sequence[str], progress: Progress = lambda done, total: None
    ) -> list[UnitScan | UnitResult | Lost]:
        """The results in the order of the jobs. keys: jobs of one key go to one worker."""
        if not jobs:
            return []
        analyst = self._begin()
        done: Iterable[tuple[int, UnitScan | UnitResult | Lost]]
        if self._pool is None:
            done = ((number, analyst(job)) for number, job in enumerate(jobs))
        else:
            done = self._pool.map(jobs, keys)
        results: dict[int, UnitScan | UnitResult | Lost] = {}
        for number, result in done:
            results[number] = result
            progress(len(results), len(jobs))
        return [results[number] for number in range(len(jobs))]


@final
class Work:
    """Reads the units of a program, then analyses their functions, callees first, in rounds.

    tasks: those of the given configuration first. defined: names of functions that the program defines.
    mentions: what tells whether a file can differ in a configuration. root: as in `ProgramOptions`. whole: the tasks
    are all of a tree, not some files of it. unneeded: path -> its functions that are not analysed.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        defined: Iterable[str],
        memory: Memory,
        crew: Crew,
        mentions: Mentions,
        root: str,
        whole: bool = False,
        unneeded: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._defined = frozenset(defined)
        self._memory = memory
        self._crew = crew
        self._mentions = mentions
        self._root = root
        self._whole = whole
        self._unneeded = unneeded or {}
        self._alike: frozenset[str] = frozenset()
        self._constants: dict[str, Constants] = {}
        self._used_tables: set[str] = set()
        self._by_unit: dict[str, Task] = {}
        self.tasks = list(tasks)
        self.scans: list[UnitScan] = []
        self.steps: list[tuple[Step, UnitResult]] = []
        self.graph = CallGraph()
        self.remembered = True

    def read(self, progress: Progress) -> None:
        """Fills `scans`, one for each of `tasks`; `remembered` tells whether no file had to be read."""
        given = [task for task in self.tasks if not task.configuration]
        others = [task for task in self.tasks if task.configuration]
        scans = {scan.path: scan for scan in self._read(given, progress)}
        by_unit = {task.unit: task for task in given}
        differing: list[Task] = []
        for task in others:
            scan = scans[given_unit(task.unit)]
            if not scan.analysed or self._mentions.differs(task.configuration, scan.read):
                differing.append(task)
            else:
                # Neither its notices nor its functions are told again.
                scans[task.unit] = replace(scan, path=task.unit, notices=(), functions=0)
                by_unit[task.unit] = replace(by_unit[scan.path], configuration=task.configuration)
        self._alike = frozenset(scans.keys() - {task.unit for task in given})
        if differing:
            scans |= {scan.path: scan for scan in self._read(differing, progress, len(given))}
        self.tasks = [by_unit.get(task.unit, task) for task in self.tasks]
        self.scans = [scans[task.unit] for task in self.tasks]

    def _read(self, tasks: Sequence[Task], progress: Progress, done_before: int = 0) -> list[UnitScan]:
        known = [self._memory.scan(task) for task in tasks]
        wanted = [task for task, scan in zip(tasks, known, strict=True) if scan is None]
        self.remembered = self.remembered and not wanted
        before, total = done_before + len(tasks) - len(wanted), done_before + len(tasks)
        progress(before, total)
        found: list[UnitScan] = []
        done = self._crew.run(wanted, [task.path for task in wanted], lambda n, _: progress(before + n, total))
        for task, scan in zip(wanted, done, strict=True):
            if isinstance(scan, Lost):
                scan = UnitScan(task.unit, notices=(self._lost(task, scan),), analysed=False)
            assert isinstance(scan, UnitScan)
            found.append(scan)
        self._memory.keep_scans(zip(wanted, found, strict=True))
        rest = iter(found)
        return [scan or next(rest) for scan in known]

    def analyse(self) -> None:
        """Fills `steps` and `graph`."""
        self._by_unit = {task.unit: task for task in self.tasks}
        self._constants = dict(self._known_constants())
        self._used_tables = {one.name for constants in self._constants.values() for one in constants}
        exported = frozenset(
            (scan.path, name) for scan in self.scans for name in static_functions(scan.shared, self._used_tables)
        )
        graph = self.graph = call_graph(((scan.path, self._needed(scan)) for scan in self.scans), self._alike, exported)
        known: dict[Node, Held] = {}
        for parts in graph.rounds():
            steps = [self._step(part, graph, known) for part in parts]
            results = [self._memory.recall(step) for step in steps]
            rest = iter(self._done([step for step, result in zip(steps, results, strict=True) if result is None]))
            for part, step, remembered in zip(parts, steps, results, strict=True):
                result = remembered or next(rest)
                self.steps.append((step, result))
                known.update({(part.path, name): contract for name, contract in result.contracts.items()})

    def _needed(self, scan: UnitScan) -> tuple[FunctionCalls, ...]:
        names = self._unneeded.get(self._by_unit[scan.path].path, frozenset())
        tables = self._constants.get(scan.path, ())
        return tuple(with_tables(one, tables) for one in scan.calls if one.name not in names)

    def _done(self, steps: list[Step]) -> list[UnitResult]:
        found = []
        for step, result in zip(steps, self._crew.run(steps, [step.task.reading.unit for step in steps]), strict=True):
            if isinstance(result, Lost):
                result = UnitResult(step.task.unit, notices=(self._lost(step.task, result),), analysed=False)
            assert isinstance(result, UnitResult)
            found.append(result)
        self._memory.keep(zip(steps, found, strict=True))
        return found

    def _step(self, part: Round, graph: CallGraph, known: Mapping[Node, Held]) -> Step:
        task = self._by_unit[part.path]
        names = [name for group in part.groups for name in group]
        called = frozenset(name for name in names if (part.path, name) in graph.called)
        calls = {name: graph.definitions[(part.path, name)].asked() for name in names}
        defined = self._defined.intersection(name for callees in calls.values() for name in callees)
        constants = self._constants.get(part.path, ())
        recipe = self._memory.recipe(task, calls, constants)
        return Step(task, part.groups, called, linked(part.imports, known), defined, recipe, constants)

    def _known_constants(self) -> Iterator[tuple[str, Constants]]:
        """For each unit the variables of its configuration that never change.

        Those that are not const are believed to be so in a program that is here as a whole, and could be read.
        """
        for configuration in dict.fromkeys(configuration_of(scan.path) for scan in self.scans):
            here = [scan for scan in self.scans if configuration_of(scan.path) == configuration]
            whole = self._whole or any(function.name == "main" for scan in here for function in scan.calls)
            closed = whole and all(scan.analysed for scan in here)
            constants = program_constants((scan.shared for scan in here), closed)
            yield from ((scan.path, of_unit(scan.shared, constants)) for scan in here)

    def _lost(self, task: Task, lost: Lost) -> Notice:
        place = display_path(task.path, self._root)
        return Notice(NoticeKind.NOT_ANALYSED, place, 0, f"not analysed: {lost.reason}")
