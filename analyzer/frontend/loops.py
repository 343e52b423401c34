"""Loops: while, do and for. The test of a loop stands in a block of its own, where the back edge arrives."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from analyzer.frontend.body import Body, Exit
from analyzer.libclang import kinds

_LITERAL_OR_FOR: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\bfor \(')
_LITERAL_OR_MARK: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[;(){}\[\]]')
_NONE: Final = -1


class ForParts(NamedTuple):
    """The nodes of a ``for``; -1 for a part that is missing."""

    start: int
    condition: int
    step: int
    body: int


def while_statement(body: Body, node: int) -> None:
    """``while (c) s``."""
    children = body.children[node]
    if len(children) < 2:
        body.effect_of_children(node)
        return
    test, inside, out = (body.builder.label() for _ in range(3))
    at = body.at
    body.builder.start(test, at)
    body.branch(children[0], inside, out, full=True)
    body.builder.start(inside, at)
    _loop_body(body, children[-1], Exit(out, len(body.scopes)), Exit(test, len(body.scopes)))
    body.builder.goto(test, at)
    body.builder.start(out, body.at)


def _loop_body(body: Body, node: int, out: Exit, again: Exit) -> None:
    body.breaks.append(out)
    body.continues.append(again)
    body.statement(node)
    body.continues.pop()
    body.breaks.pop()


def do_statement(body: Body, node: int) -> None:
    """``do s while (c);`` — with a constant 0 there is no way back."""
    children = body.children[node]
    if len(children) < 2:
        for child in children:
            body.statement(child)
        return
    again, test, out = (body.builder.label() for _ in range(3))
    depth = len(body.scopes)
    body.builder.start(again, body.at)
    _loop_body(body, children[0], Exit(out, depth), Exit(test, depth))
    body.builder.start(test, body.at)
    body.branch(children[-1], again, out, full=True)
    body.builder.start(out, body.at)


def for_statement(body: Body, node: int) -> None:
    """``for (a; c; b) s``."""
    parts = for_parts(body, node)
    at = body.at
    body.enter(node)
    if parts.start != _NONE:
        body.statement(parts.start)
    test, inside, step, out = (body.builder.label() for _ in range(4))
    body.builder.start(test, at)
    if parts.condition != _NONE:
        body.branch(parts.condition, inside, out, full=True)
    body.builder.start(inside, at)
    depth = len(body.scopes)
    _loop_body(body, parts.body, Exit(out, depth), Exit(step, depth))
    body.builder.start(step, at)
    if parts.step != _NONE:
        body.statement(parts.step)
    body.builder.goto(test, at)
    body.builder.start(out, body.at)
    body.leave(at)  # what the head declares ends where the head says so


def for_parts(body: Body, node: int) -> ForParts:
    """Which child is which; a loop with some parts missing is looked up in the function as the parser prints it."""
    *parts, last = body.children[node]
    if len(parts) == 3:
        return ForParts(parts[0], parts[1], parts[2], last)
    if not parts:
        return ForParts(_NONE, _NONE, _NONE, last)
    present = _printed_header(body, node)
    if sum(present) != len(parts):
        body.degrade(f"for loop with missing parts at offset {body.position(node)}")
        present = _likely(body, parts)
    rest = iter(parts)
    start, condition, step = (next(rest) if there else _NONE for there in present)
    return ForParts(start, condition, step, last)


def _likely(body: Body, parts: list[int]) -> tuple[bool, bool, bool]:
    """A guess by kind: only the first part can be a declaration; what assigns is no condition."""
    first = body.kinds[parts[0]] == kinds.DECL_STMT or (
        body.kinds[parts[0]] == kinds.BINARY_OPERATOR and body.operator(parts[0]) == "="
    )
    if len(parts) == 1:
        return first, not first, False
    return first, True, not first


def _printed_header(body: Body, node: int) -> tuple[bool, bool, bool]:
    """Which parts the n-th ``for (`` of the printed function has, for the n-th FOR_STMT."""
    if not body.for_headers:
        body.for_headers.extend(printed_for_headers(body.unit.printed(body.cursor(0))))
    loops = [number for number, kind in enumerate(body.kinds) if kind == kinds.FOR_STMT]
    if len(loops) != len(body.for_headers):
        return False, False, False
    return body.for_headers[loops.index(node)]


def printed_for_headers(printed: str) -> list[tuple[bool, bool, bool]]:
    """For each ``for (`` of printed C, in its order: which of its three parts are there."""
    headers = []
    for match in _LITERAL_OR_FOR.finditer(printed):
        if match.group() == "for (":
            parts = _header_parts(printed, match.end())
            headers.append((bool(parts[0]), bool(parts[1]), bool(parts[2])))
    return headers


def _header_parts(printed: str, start: int) -> list[str]:
    parts, begin, depth = [], start, 0
    for match in _LITERAL_OR_MARK.finditer(printed, start):
        mark = match.group()
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        if depth < 0 or (mark == ";" and not depth):
            parts.append(printed[begin : match.start()].strip())
            begin = match.end()
        if depth < 0:
            break
    return [*parts, "", "", ""][:3]
