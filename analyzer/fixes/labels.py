"""A loss on the way out, repaired by leaving through a label behind which the resource is released."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from analyzer.contracts import ContractTable
from analyzer.fixes.changes import Before, Change, Instead, Line
from analyzer.fixes.release import Release, is_tested, nothing_of, releases_in
from analyzer.fixes.site import Site
from analyzer.fixes.syntax import FunctionText, Kind, Statement

_TIDYING: Final = re.compile(r"free|close|release|put|destroy|unref|delete|clean|clear|reset|fini|unlock|dec", re.I)
_MOST = 3


_Needs = tuple[tuple[Statement, str], ...]


def by_label(
    site: Site, release: Release, table: ContractTable
) -> Iterator[tuple[tuple[Change, ...], _Needs, tuple[Change, ...]]]:
    """The changes for each label that fits all losses, the last label first; and what must not be at the jumps.

    Last, changes that do before each loss what is done behind the label.
    """
    function = site.function
    labels = [
        one
        for one in function.body.children
        if one.kind is Kind.LABEL and function.word(one) not in ("case", "default")
    ]
    tried = 0
    for label in reversed(labels):
        changes = _to(site, label, release)
        if changes is not None:
            absent = _others(site.function, label, release, table)
            needs = tuple((one.statement, what) for one in changes for what in absent)
            yield changes, needs, tuple(Before(one.statement, tuple(_behind(function, label))) for one in changes)
            tried += 1
        if tried == _MOST:
            return


def _behind(function: FunctionText, label: Statement) -> Iterator[Line]:
    """The calls behind a label."""
    for one in function.statements():
        if (
            one.kind is Kind.SIMPLE
            and one.first > label.last
            and any(True for _ in function.calls(one.first, one.last))
        ):
            yield Line(function.text(one.first, one.last))


def _to(site: Site, label: Statement, release: Release) -> tuple[Instead, ...] | None:
    function = site.function
    rest = function.body.children[function.body.children.index(label) + 1 :]
    if not rest or not releases_in(function, rest, release) or not _tidies(function, rest):
        return None
    result = _result(function, rest[-1])
    if result is None:
        return None
    changes: list[Instead] = []
    for point in site.points:
        statement = site.statement(point.at)
        if statement is None or function.word(statement) != "return" or statement.last > label.first:
            return None
        value = function.text(statement.first + 1, statement.last - 1)
        jump = Line(f"goto {function.word(label)};")
        if value == result:
            changes.append(Instead(statement, (jump,)))
        elif re.fullmatch(r"[A-Za-z_]\w*", result) and value:
            changes.append(Instead(statement, (Line(f"{result} = {_unwrapped(value)};"), jump)))
        else:
            return None
    return tuple(changes)


def _others(function: FunctionText, label: Statement, release: Release, table: ContractTable) -> list[str]:
    """For each other pointer that is released behind a label without a test: the condition that it is null."""
    found: list[str] = []
    for one in function.statements():
        if one.kind is not Kind.SIMPLE or one.first < label.last:
            continue
        for index in function.calls(one.first, one.last):
            name, arguments = function.tokens[index].text, function.arguments(index)
            place = function.text(*arguments[0]) if len(arguments) == 1 else ""
            known = table.ignores_null(name) or nothing_of(name, table) != "NULL" or place == release.place
            if re.fullmatch(r"[A-Za-z_]\w*", place) and not known and not is_tested(function, one, place):
                found.append(f"!{place}")
    return found


def _unwrapped(value: str) -> str:
    return value[1:-1] if re.fullmatch(r"\([^()]*\)", value) else value


def _result(function: FunctionText, last: Statement) -> str | None:
    """What is returned behind the label; "" at the end of a void function, None where that is not simple."""
    if function.word(last) == "return":
        return function.text(last.first + 1, last.last - 1)
    return None if function.is_jump(last) else ""


def _tidies(function: FunctionText, rest: list[Statement]) -> bool:
    """Whether the statements do nothing but release, reset and return."""
    for top in rest:
        for one in top.walk():
            if one.kind in (Kind.LOOP, Kind.DO, Kind.SWITCH):
                return False
            if one.kind is not Kind.SIMPLE or function.word(one) == "return":
                continue
            calls = list(function.calls(one.first, one.last))
            text = function.text(one.first, one.last)
            if calls and not all(_TIDYING.search(function.tokens[index].text) for index in calls):
                return False
            if not calls and not re.fullmatch(r"[^=]+ = (?:NULL|0|-1);|;", text):
                return False
    return True
