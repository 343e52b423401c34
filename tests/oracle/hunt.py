"""Many programs at once against the execution oracle, and disagreements made small (bench/hunt.py runs it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import islice
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
from tests.oracle.generate import (
    dense_programs,
    handing_programs,
    idiomatic_programs,
    late_programs,
    pointed_programs,
    round_programs,
    stream_programs,
    switch_programs,
)
from tests.oracle.helpers import Helper, WithHelpers, helper_programs
from tests.oracle.interpreter import RejectedError, judge
from tests.oracle.language import (
    Count,
    If,
    Loop,
    Program,
    Scope,
)
from tests.oracle.programs import lower

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
    return [compare(source, ran, said) for source, ran, said in both]


def source_for(program: Any, number: int) -> Source:
    """The C text of a program of either sort."""
    return source_with_helpers(program, number) if isinstance(program, WithHelpers) else source_of(program, number)


# -- shrinking


def smaller(program: Any) -> Iterator[Any]:
    """Programs with one thing less; they compile where this one does."""
    if isinstance(program, Helper):
        yield from (Helper(less) for less in _fewer_lines(program.lines))
        return
    if isinstance(program, WithHelpers):
        for index, helper in enumerate(program.helpers):
            name = re.compile(rf"\bh@_{index}(_|\b)")
            used = any(name.search(str(other)) for other in (program.main, *program.helpers[index + 1 :]))
            parts = smaller(helper) if used else [] if helper == NOTHING else [NOTHING]
            for part in parts:
                yield replace(program, helpers=(*program.helpers[:index], part, *program.helpers[index + 1 :]))
        yield from (replace(program, main=less) for less in smaller(program.main))
        return
    for field in fields(program):
        value = getattr(program, field.name)
        if isinstance(value, tuple):
            for less in _smaller_tuple(value):
                yield replace(program, **{field.name: less})


NOTHING = Helper(("",))


def _fewer_lines(lines: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for index, line in enumerate(lines):
        if re.match(r"    (if|free|\*|s->)", line):
            yield lines[:index] + lines[index + 1 :]
        short = re.sub(r"\{ (?!return)[^;{}]+; ", "{ ", line)
        if short != line:
            yield (*lines[:index], short, *lines[index + 1 :])


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


def shrink(program: Any, still: Callable[[Sequence[Any]], list[bool]], tries: int = 400, together: int = 40) -> Any:
    """The smallest program found that is still as wrong. still: judges several candidates together."""
    while tries > 0:
        for batch in _batches(smaller(program), min(together, tries)):
            tries -= len(batch)
            wrong = [candidate for candidate, yes in zip(batch, still(batch), strict=True) if yes]
            if wrong:
                program = min(wrong, key=lambda candidate: len(source_for(candidate, 0).text))
                break
            if tries <= 0:
                return program
        else:
            return program
    return program


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(items, size)):
        yield batch


def still_wrong(candidates: Sequence[Any], kind: str) -> list[bool]:
    """Which of these programs have a disagreement of this kind (and a clear truth)."""
    clear = [isinstance(one, WithHelpers) or has_clear_truth(one) for one in candidates]
    kept = [one for one, yes in zip(candidates, clear, strict=True) if yes]
    if not kept:
        return clear
    try:
        found = differences([source_for(one, number) for number, one in enumerate(kept)])
    except NotCompiledError:
        if len(candidates) == 1:
            return [False]
        return [yes for one in candidates for yes in still_wrong([one], kind)]
    wrong = iter([any(item.kind == kind for item in items) for items in found])
    return [yes and next(wrong) for yes in clear]


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
    return st.one_of(
        dense_programs(loops=True),
        idiomatic_programs(loops=True),
        idiomatic_programs(loops=False),
        late_programs(),
        stream_programs(),
        handing_programs(),
    )


SORTS: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "usual": lambda: strategy(False),
    "helpers": lambda: strategy(True),
    "dense": lambda: dense_programs(loops=True),
    "slips": lambda: helper_programs(slips=True),
    "rounds": round_programs,
    "switches": switch_programs,
    "pointed": pointed_programs,
}
"""Sorts of programs by name; the tests of every run draw from the first two."""


def clear_programs(helpers: bool, count: int, number: int) -> list[Any]:
    """Programs of which execution can tell the truth."""
    return with_clear_truth(programs(strategy(helpers), count, number))


def with_clear_truth(found: Sequence[Any]) -> list[Any]:
    """Those of the programs whose truth execution can tell."""
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
