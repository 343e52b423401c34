"""Worker processes that may die: each has one task at a time, so a dead one loses exactly that one.

`concurrent.futures` declares the whole pool broken when one process dies and does not say by which task; a
parser of other people's code needs better. Knows nothing of C.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar, final

if sys.platform != "win32":
    import resource

Task = TypeVar("Task")
Result = TypeVar("Result")

_MEGABYTE = 1 << 20


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """A task without result: its worker died or was stopped. reason: for the user."""

    reason: str


@final
@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The safety net around one task. seconds of wall time; megabytes of address space; 0 = no limit."""

    seconds: float = 0
    megabytes: int = 0


@final
@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: BaseProcess
    tasks: Connection
    results: Connection
    number: int = -1
    started: float = 0.0


@final
@dataclass(slots=True)
class _Progress:
    waiting: list[int]
    retried: set[int] = field(default_factory=set)


def _limit_memory(megabytes: int) -> None:
    if megabytes and sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        size = megabytes * _MEGABYTE
        if hard != resource.RLIM_INFINITY:
            size = min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def _work(
    run: Callable[[Task], Result],
    tasks: Connection,
    results: Connection,
    others: Sequence[Connection],
    megabytes: int,
) -> None:
    """A worker's life: read a task, send the result; ends when the parent closes its end."""
    for other in others:  # copies made by fork: they would hide the end of the parent from its workers
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _limit_memory(megabytes)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            results.send(run(tasks.recv()))


def _death(process: BaseProcess) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the worker process died of {name}"
    return f"the worker process ended with status {code}"


@final
class Pool(Generic[Task, Result]):
    """Runs `run` over tasks in worker processes.

    run: must be picklable where processes are spawned; an exception in it kills its worker.
    """

    def __init__(self, run: Callable[[Task], Result], workers: int, limits: PoolLimits) -> None:
        self._run = run
        self._count = workers
        self._limits = limits
        fork = sys.platform.startswith("linux")
        self._context = multiprocessing.get_context("fork" if fork else None)
        self._fork = fork
        self._workers: list[_Worker[Task]] = []

    def map(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Result | Lost]]:
        """(index of the task, result) as they come; every task exactly once.

        A task whose worker died is tried once more in a fresh worker, after all others.
        """
        progress = _Progress(waiting=list(range(len(tasks)))[::-1])
        try:
            for _ in range(min(self._count, len(tasks))):
                self._start()
            for worker in list(self._workers):
                self._give(worker, tasks, progress)
            while self._workers:
                yield from self._step(tasks, progress)
        finally:
            self._stop()

    def _start(self) -> _Worker[Task]:
        # One-way pipes: a two-way one would be a socket, and a check opens none.
        their_tasks, tasks = self._context.Pipe(duplex=False)
        results, their_results = self._context.Pipe(duplex=False)
        others = [end for worker in self._workers for end in (worker.tasks, worker.results)]
        process = self._context.Process(
            target=_work,
            args=(
                self._run,
                their_tasks,
                their_results,
                [*others, tasks, results] if self._fork else [],
                self._limits.megabytes,
            ),
            daemon=True,
        )
        process.start()
        their_tasks.close()
        their_results.close()
        worker: _Worker[Task] = _Worker(process, tasks, results)
        self._workers.append(worker)
        return worker

    def _give(self, worker: _Worker[Task], tasks: Sequence[Task], progress: _Progress) -> None:
        if not progress.waiting:
            self._dismiss(worker)
            return
        worker.number = progress.waiting.pop()
        worker.started = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # then its death is seen next
            worker.tasks.send(tasks[worker.number])

    def _dismiss(self, worker: _Worker[Task], kill: bool = False) -> None:
        self._workers.remove(worker)
        worker.tasks.close()
        worker.results.close()
        if kill:
            worker.process.kill()
        worker.process.join()

    def _step(self, tasks: Sequence[Task], progress: _Progress) -> Iterator[tuple[int, Result | Lost]]:
        pipes = {worker.results: worker for worker in self._workers}
        for ready in wait(list(pipes), self._patience()):
            assert isinstance(ready, Connection)
            worker = pipes[ready]
            try:
                result: Result = worker.results.recv()
            except (EOFError, ConnectionResetError):
                yield from self._died(worker, tasks, progress)
            else:
                yield worker.number, result
                self._give(worker, tasks, progress)
        yield from self._overdue(tasks, progress)

    def _patience(self) -> float | None:
        """Seconds until the next worker is overdue."""
        if not self._limits.seconds:
            return None
        first = min(worker.started for worker in self._workers) + self._limits.seconds
        return max(0.0, first - time.monotonic())

    def _died(
        self, worker: _Worker[Task], tasks: Sequence[Task], progress: _Progress
    ) -> Iterator[tuple[int, Result | Lost]]:
        number = worker.number
        self._dismiss(worker)
        if number in progress.retried:
            yield number, Lost(_death(worker.process))
        else:
            progress.retried.add(number)
            progress.waiting.insert(0, number)
        self._replace(tasks, progress)

    def _overdue(self, tasks: Sequence[Task], progress: _Progress) -> Iterator[tuple[int, Result | Lost]]:
        limit = self._limits.seconds
        if not limit:
            return
        for worker in list(self._workers):
            if time.monotonic() - worker.started >= limit and not worker.results.poll():
                number = worker.number
                self._dismiss(worker, kill=True)
                yield number, Lost(f"stopped after {limit:g} seconds (--time-limit)")
                self._replace(tasks, progress)

    def _replace(self, tasks: Sequence[Task], progress: _Progress) -> None:
        if progress.waiting:
            self._give(self._start(), tasks, progress)

    def _stop(self) -> None:
        for worker in list(self._workers):
            self._dismiss(worker, kill=True)
