"""The work on a program in order, in this process or in workers: all files are read, then their functions analysed.

What is remembered of earlier runs is not done again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import final

from analyzer.findings.model import Notice, NoticeKind
from analyzer.program.discovery import display_path
from analyzer.program.groups import Held
from analyzer.program.linking import CallGraph, Node, Round, call_graph, linked
from analyzer.program.memory import Memory
from analyzer.program.pool import Lost, Pool, PoolLimits
from analyzer.program.unit import Analyst, Step, Task, UnitResult, UnitScan

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

    defined: names of functions that the program defines. root: as in `ProgramOptions`.
    """

    def __init__(self, tasks: Sequence[Task], defined: Iterable[str], memory: Memory, crew: Crew, root: str) -> None:
        self._tasks = tasks
        self._by_unit = {task.unit: task for task in tasks}
        self._defined = frozenset(defined)
        self._memory = memory
        self._crew = crew
        self._root = root
        self.scans: list[UnitScan] = []
        self.steps: list[tuple[Step, UnitResult]] = []

    def read(self, known: Sequence[UnitScan | None], progress: Progress) -> None:
        """Fills `scans`. known: for each task what is remembered of it."""
        wanted = [task for task, scan in zip(self._tasks, known, strict=True) if scan is None]
        before, total = len(self._tasks) - len(wanted), len(self._tasks)
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
        self.scans = [scan or next(rest) for scan in known]

    def analyse(self) -> None:
        """Fills `steps`."""
        graph = call_graph((scan.path, scan.calls) for scan in self.scans)
        known: dict[Node, Held] = {}
        for parts in graph.rounds():
            steps = [self._step(part, graph, known) for part in parts]
            results = [self._memory.recall(step) for step in steps]
            rest = iter(self._done([step for step, result in zip(steps, results, strict=True) if result is None]))
            for part, step, remembered in zip(parts, steps, results, strict=True):
                result = remembered or next(rest)
                self.steps.append((step, result))
                known.update({(part.path, name): contract for name, contract in result.contracts.items()})

    def _done(self, steps: list[Step]) -> list[UnitResult]:
        found = []
        for step, result in zip(steps, self._crew.run(steps, [step.task.unit for step in steps]), strict=True):
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
        calls = {name: graph.definitions[(part.path, name)].callees for name in names}
        defined = self._defined.intersection(name for callees in calls.values() for name in callees)
        return Step(task, part.groups, called, linked(part.imports, known), defined, self._memory.recipe(task, calls))

    def _lost(self, task: Task, lost: Lost) -> Notice:
        place = display_path(task.path, self._root)
        return Notice(NoticeKind.NOT_ANALYSED, place, 0, f"not analysed: {lost.reason}")
