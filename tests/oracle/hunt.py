"""Many programs at once against the execution oracle, and disagreements made small (bench/hunt.py runs it)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.oracle.execution import (
    Disagreement,
    NotCompiledError,
    Source,
    compare,
    execute,
    source_of,
    source_with_helpers,
    state,
)
from tests.oracle.generate import dense_programs, idiomatic_programs
from tests.oracle.helpers import WithHelpers, helper_programs
from tests.oracle.interpreter import RejectedError, judge
from tests.oracle.programs import Count, If, Loop, Program, Scope, lower

ORDER = ("trouble", "false alarm", "missed", "verdict")


def programs(strategy: st.SearchStrategy[Any], count: int, number: int) -> list[Any]:
    """So many different programs of a strategy, the same for the same number."""
    found: dict[Any, None] = {}

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(program: Any) -> None:
        found.setdefault(program)

    collect()
    return list(found)


def has_clear_truth(program: Program) -> bool:
    """Whether no decision rests on memory that was never written, and the like."""
    try:
        judge(lower(program)[0], max_runs=300)
    except RejectedError:
        return False
    return True


def differences(sources: Sequence[Source]) -> list[list[Disagreement]]:
    """What execution and the tool do not agree about, for each program."""
    both = zip(sources, execute(sources), state(sources), strict=True)
    return [compare(ran, said, helpers=source.start > 0) for source, ran, said in both]


def source_for(program: Any, number: int) -> Source:
    """The C text of a program of either sort."""
    return source_with_helpers(program, number) if isinstance(program, WithHelpers) else source_of(program, number)


# -- shrinking


def smaller(program: Any) -> Iterator[Any]:
    """Programs with one thing less."""
    for field in fields(program):
        value = getattr(program, field.name)
        parts: Iterator[Any] = iter(())
        if isinstance(value, tuple):
            parts = _smaller_tuple(value)
        elif isinstance(value, Program):
            parts = smaller(value)
        for less in parts:
            yield replace(program, **{field.name: less})


def _smaller_tuple(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    half = len(items) // 2
    if half > 1:
        yield items[half:]
        yield items[:half]
    for index, item in enumerate(items):
        yield items[:index] + items[index + 1 :]
        if isinstance(item, If | Loop | Count | Scope):
            bodies = (item.then, item.other) if isinstance(item, If) else (item.body,)
            for body in bodies:
                yield (*items[:index], *body, *items[index + 1 :])
        if is_dataclass(item):
            for less in smaller(item):
                yield (*items[:index], less, *items[index + 1 :])
        elif isinstance(item, tuple):
            for less in _smaller_tuple(item):
                yield (*items[:index], less, *items[index + 1 :])


def shrink(program: Any, still: Callable[[Any], bool], tries: int = 400) -> Any:
    """The smallest program found that still disagrees in the same way."""
    for _ in range(tries):
        for candidate in smaller(program):
            tries -= 1
            if tries < 0:
                return program
            if still(candidate):
                program = candidate
                break
        else:
            return program
    return program


def same_kind(program: Any, kind: str) -> bool:
    """Whether the program, alone, still has a disagreement of this kind (and a clear truth)."""
    if isinstance(program, Program) and not has_clear_truth(program):
        return False
    try:
        return any(item.kind == kind for item in differences([source_for(program, 0)])[0])
    except NotCompiledError:
        return False  # a part was taken away that is needed


# -- the run


def hunt(found: Sequence[Any], size: int = 100) -> Iterator[tuple[Any, list[Disagreement]]]:
    """Programs that disagree."""
    for start in range(0, len(found), size):
        batch = found[start : start + size]
        sources = [source_for(program, number) for number, program in enumerate(batch)]
        for program, wrong in zip(batch, differences(sources), strict=True):
            if wrong:
                yield program, wrong


def strategy(helpers: bool) -> st.SearchStrategy[Any]:
    """What programs are drawn from."""
    if helpers:
        return helper_programs()
    return dense_programs(loops=True) | idiomatic_programs(loops=True) | idiomatic_programs(loops=False)


def clear_programs(helpers: bool, count: int, number: int) -> list[Any]:
    """Programs of which execution can tell the truth."""
    found = programs(strategy(helpers), count, number)
    return [program for program in found if isinstance(program, WithHelpers) or has_clear_truth(program)]


def as_fixture(source: Source, wrong: Sequence[Disagreement]) -> str:
    """A C file that can be read and run by itself."""
    told = "".join(f" * {item.kind}: {item.what}\n" for item in wrong)
    return f"/*\n{told} * Lines count from the first line of the functions below.\n */\n{PRELUDE}{source.text}"


PRELUDE = """\
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <netlink/netlink.h>

struct pair { void *a, *b; };
int env(void);
void *shelf;

"""
