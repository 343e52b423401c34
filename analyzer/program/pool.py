"""Worker processes that may die: each has one task at a time, so a dead one loses exactly that one.

`concurrent.futures` declares the whole pool broken when one process dies and does not say by which task; a
parser of other people's code needs better. Knows nothing of C.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar, final

if sys.platform != "win32":
    import resource

Task = TypeVar("Task")
Result = TypeVar("Result")

_MEGABYTE = 1 << 20
IDLE = 10


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """A task without result: its worker died or was stopped. reason: for the user."""

    reason: str


@final
@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The safety net around one task; 0 = no limit.

    seconds: of processor time, so that a busy machine gives the same result; a task that does nothing is stopped
    after `IDLE` times as long. megabytes: of address space.
    """

    seconds: float = 0
    megabytes: int = 0


@final
@dataclass(slots=True)
class _Worker(Generic[Task]):
    process: BaseProcess
    tasks: Connection
    results: Connection
    number: int = -1  # of its task, -1: idle
    started: float = 0.0
    used_before: float = 0.0  # processor seconds of the tasks before
    keys: set[str] = field(default_factory=set)


def _processor_seconds(process: BaseProcess) -> float | None:
    """What the process has used so far; None where the system does not say."""
    try:
        # Behind the name in brackets, which may contain anything, the 12th and 13th word count ticks.
        words = (
            Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


@final
@dataclass(slots=True)
class _Progress:
    waiting: list[int]
    keys: Sequence[str]
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

    run: must be picklable where processes are spawned; an exception in it kills its worker. What it remembers
    of a task stays in its worker: in a ``with`` block the workers live on from one `map` to the next.
    """

    def __init__(self, run: Callable[[Task], Result], workers: int, limits: PoolLimits) -> None:
        self._run = run
        self._count = workers
        self._limits = limits
        fork = sys.platform.startswith("linux")
        self._context = multiprocessing.get_context("fork" if fork else None)
        self._fork = fork
        self._workers: list[_Worker[Task]] = []
        self._stays = False

    def __enter__(self) -> Pool[Task, Result]:
        self._stays = True
        return self

    def __exit__(self, *_: object) -> None:
        self._stays = False
        self._stop()

    def map(self, tasks: Sequence[Task], keys: Sequence[str] = ()) -> Iterator[tuple[int, Result | Lost]]:
        """(index of the task, result) as they come; every task exactly once.

        keys: one per task; tasks of one key go to one worker as long as it lives, also in later calls.
        A task whose worker died is tried once more in a fresh worker, after all others.
        """
        progress = _Progress(list(range(len(tasks)))[::-1], keys)
        try:
            if self._fork and not self._workers:
                gc.freeze()  # what the workers inherit stays: none of them need look through it
            while len(self._workers) < min(self._count, len(tasks)):
                self._start()
            for worker in list(self._workers):
                self._give(worker, tasks, progress)
            while self._busy():
                yield from self._step(tasks, progress)
        finally:
            if not self._stays or self._busy():
                self._stop()

    def _busy(self) -> list[_Worker[Task]]:
        return [worker for worker in self._workers if worker.number >= 0]

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
        chosen = self._choose(worker, progress)
        worker.number = -1 if chosen is None else chosen
        if chosen is None:
            if not self._stays:
                self._dismiss(worker)
            return
        worker.started = time.monotonic()
        worker.used_before = _processor_seconds(worker.process) or 0.0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # then its death is seen next
            worker.tasks.send(tasks[worker.number])

    def _choose(self, worker: _Worker[Task], progress: _Progress) -> int | None:
        """The next task for this worker: one of its own keys, else of a key that no one has."""
        waiting, keys = progress.waiting, progress.keys
        if not keys:
            return waiting.pop() if waiting else None
        others = set().union(*(other.keys for other in self._workers if other is not worker))
        for wanted in (worker.keys, None):
            for position in range(len(waiting) - 1, -1, -1):
                key = keys[waiting[position]]
                if key in worker.keys if wanted is not None else key not in others:
                    worker.keys.add(key)
                    return waiting.pop(position)
        return None

    def _dismiss(self, worker: _Worker[Task], kill: bool = False) -> None:
        self._workers.remove(worker)
        worker.tasks.close()
        worker.results.close()
        if kill:
            worker.process.kill()
        worker.process.join()

    def _step(self, tasks: Sequence[Task], progress: _Progress) -> Iterator[tuple[int, Result | Lost]]:
        pipes = {worker.results: worker for worker in self._busy()}
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
        """Seconds until the next worker can be overdue."""
        if not self._limits.seconds:
            return None
        return max(0.01, min(self._remaining(worker) for worker in self._busy()))

    def _remaining(self, worker: _Worker[Task]) -> float:
        """Seconds that the worker's task still has; it cannot use them up sooner than in that time."""
        limit = self._limits.seconds
        passed = time.monotonic() - worker.started
        used = _processor_seconds(worker.process)
        if used is None:
            return limit - passed
        return min(limit - (used - worker.used_before), limit * IDLE - passed)

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
        for worker in self._busy():
            if self._remaining(worker) <= 0 and not worker.results.poll():
                number = worker.number
                self._dismiss(worker, kill=True)
                yield number, Lost(f"stopped after {limit:g} seconds (--time-limit)")
                self._replace(tasks, progress)

    def _replace(self, tasks: Sequence[Task], progress: _Progress) -> None:
        if progress.waiting:
            self._give(self._start(), tasks, progress)
            for worker in self._workers:  # what the lost one alone was to do, anyone may do now
                if worker.number < 0:
                    self._give(worker, tasks, progress)

    def _stop(self) -> None:
        for worker in list(self._workers):
            self._dismiss(worker, kill=True)
