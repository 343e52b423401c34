"""Workers that die, hang, or grow: each costs its own task, and everything else arrives."""

import faulthandler
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from analyzer.program.pool import Lost, Pool, PoolLimits

NONE = PoolLimits()


def work(task):
    faulthandler.disable()  # pytest's dump of a death that is wanted
    kind = task.partition(":")[0]
    if kind == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == "exit":
        os._exit(7)
    if kind == "raise":
        raise ValueError(task)
    if kind == "hang":
        time.sleep(60)
    if kind == "wait":
        time.sleep(1.0)
    if kind == "spin":
        while True:
            pass
    if kind == "grow":
        return len(bytearray(4 << 30))
    if kind == "once":
        marker = Path(task.partition(":")[2])
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return task.upper()


def collect(tasks, workers=2, limits=NONE, run=work):
    found = list(Pool(run, workers, limits).map(tasks))
    assert sorted(number for number, _ in found) == list(range(len(tasks)))
    return dict(found)


@pytest.mark.parametrize("workers", [1, 2, 5, 9])
def test_every_task_arrives_once(workers):
    tasks = [f"t{number}" for number in range(20)]
    found = collect(tasks, workers)
    assert [found[number] for number in range(20)] == [task.upper() for task in tasks]


def test_no_tasks_no_workers():
    assert collect([]) == {}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("segfault", "SIGSEGV"), ("exit", "status 7"), ("raise", "status 1")],
)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_dead_worker_loses_its_own_task_only(kind, reason, workers, capfd):
    found = collect(["a", kind, "b", kind, "c"], workers)
    assert [found[number] for number in (0, 2, 4)] == ["A", "B", "C"]
    for number in (1, 3):
        assert isinstance(found[number], Lost)
        assert reason in found[number].reason


def test_a_hanging_task_is_stopped():
    found = collect(["a", "hang", "b"], limits=PoolLimits(seconds=0.2))
    assert (found[0], found[2]) == ("A", "B")
    assert found[1] == Lost("stopped after 0.2 seconds (--time-limit)")


def test_a_busy_task_is_stopped():
    found = collect(["a", "spin", "b"], limits=PoolLimits(seconds=0.5))
    assert (found[0], found[2]) == ("A", "B")
    assert found[1] == Lost("stopped after 0.5 seconds (--time-limit)")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="wall time is all there is to go by")
def test_time_in_which_others_run_is_not_counted():
    assert collect(["wait", "wait"], workers=1, limits=PoolLimits(seconds=0.5)) == {0: "WAIT", 1: "WAIT"}


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_AS")
def test_a_growing_task_meets_its_limit(capfd):
    found = collect(["a", "grow", "b"], limits=PoolLimits(megabytes=1024))
    assert (found[0], found[2]) == ("A", "B")
    assert isinstance(found[1], Lost)


def test_a_task_is_tried_again_once(tmp_path):
    assert collect(["a", f"once:{tmp_path / 'marker'}", "b"])[1].startswith("ONCE:")


def test_leaving_early_ends_the_workers():
    pool = Pool(work, 2, PoolLimits())
    results = pool.map(["a", "hang", "hang"])
    next(results)
    processes = [worker.process for worker in pool._workers]
    results.close()
    assert processes
    assert all(process.exitcode is not None for process in processes)
