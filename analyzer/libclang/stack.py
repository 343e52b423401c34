"""A thread with a stack that deeply nested code cannot exhaust.

libclang's parser and its visits recurse in C; 8 MiB are gone after 8,000 `else if`. Python code that runs in the
thread may recurse deeply too: its recursion limit is raised for the time of the call.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

STACK_BYTES: Final = 512 << 20  # address space only; pages are taken when touched
RECURSION_LIMIT: Final = 400_000  # Python frames; they live on the heap since Python 3.11

_T = TypeVar("_T")
_lock = threading.Lock()


def run_with_big_stack(task: Callable[[], _T]) -> _T:
    """Run `task` in a thread of its own with a big stack and return its result; its exceptions come through.

    When the system refuses such a stack (a limit on address space), smaller ones are tried.
    """
    results: list[_T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            results.append(task())
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failures.append(error)

    with _lock:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
        try:
            _start(body).join()
        finally:
            sys.setrecursionlimit(limit)
    if failures:
        raise failures[0]
    return results[0]


def _start(body: Callable[[], None]) -> threading.Thread:
    """Start a thread with the biggest stack the system grants."""
    before = threading.stack_size()
    size = STACK_BYTES
    while True:
        thread = threading.Thread(target=body, name="mustfree-parse")
        threading.stack_size(size)
        try:
            thread.start()
        except RuntimeError:
            if size <= 8 << 20:
                raise
            size //= 2
        else:
            return thread
        finally:
            threading.stack_size(before)
