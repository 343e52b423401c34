"""``p = realloc(p, n)`` through a variable of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.findings.model import Finding
from analyzer.fixes.changes import After, Before, Change, Declare, Line, Swap
from analyzer.fixes.syntax import FunctionText, Kind, Role, Statement

_NAMES = ("tmp", "grown", "resized", "new_block")


def by_temporary(
    function: FunctionText, statement: Statement, point: Finding
) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Descriptions and changes: with the old block left to its holder, then released where the failure is handled."""
    found = _assignment(function, statement)
    if found is None:
        return
    target_first, target_last = found
    target = function.text(target_first, target_last)
    name = next((one for one in _NAMES if one not in function.all_words()), "")
    check = statement if statement.kind is Kind.IF else _next(statement)
    if not name or check is None or check.kind is not Kind.IF or check.role is Role.ELSE or check.otherwise >= 0:
        return
    block = statement.parent
    while block is not None and block.kind is not Kind.BLOCK:
        block = block.parent
    if block is None or not _leaves(function, check.children[0]):
        return
    swaps: list[Change] = [Swap(function.tokens[target_first].start, function.tokens[target_last].end, name)]
    if check is not statement:
        tested = _tested(function, check, target)
        if tested is None:
            return
        swaps.append(Swap(*tested, name))
    swaps.append(After(check, (Line(f"{target} = {name};"),)))
    swaps.insert(0, Declare(block, f"void *{name};"))
    yield f"let {target} keep the old block until realloc() has succeeded", tuple(swaps)
    if point.remedy and re.fullmatch(r"[A-Za-z_]\w*", target):
        ends = [one for one in check.children[0].walk() if function.is_jump(one)]
        releases = [Before(one, (Line(f"{point.remedy}({target});"),)) for one in ends]
        yield f"release the old block where realloc() fails, and keep {target} until then", (*swaps, *releases)


def _assignment(function: FunctionText, statement: Statement) -> tuple[int, int] | None:
    """First and last token of what is assigned to."""
    if statement.kind is Kind.SIMPLE and statement.role is Role.ITEM:
        first, last = statement.first, statement.last
    elif statement.kind is Kind.IF and statement.role is Role.ITEM:
        first, last = statement.first + 2, statement.head - 1
        while function.tokens[first].text in ("!", "("):
            first += 1
    else:
        return None
    sign = next((i for i in range(first, last) if function.tokens[i].text == "="), -1)
    if sign < 0 or sign == first:
        return None
    return first, sign - 1


def _tested(function: FunctionText, check: Statement, target: str) -> tuple[int, int] | None:
    """The bytes of the place in ``if (!p)``, ``if (p == NULL)``."""
    text = function.text(check.first + 2, check.head - 1)
    place = re.escape(target)
    if not re.fullmatch(rf"!\s*{place}|{place}\s*==\s*(?:NULL|0)|(?:NULL|0)\s*==\s*{place}", text):
        return None
    size = len(re.findall(r"->|\w+|\S", target))
    for first in range(check.first + 2, check.head):
        if function.text(first, min(first + size - 1, check.head - 1)) == target:
            return function.tokens[first].start, function.tokens[first + size - 1].end
    return None


def _leaves(function: FunctionText, body: Statement) -> bool:
    """Whether what handles the failure does not go on to use the block."""
    last = body.children[-1] if body.kind is Kind.BLOCK and body.children else body
    return function.is_jump(last)


def _next(statement: Statement) -> Statement | None:
    if statement.parent is None:
        return None
    siblings = statement.parent.children
    index = siblings.index(statement) + 1
    return siblings[index] if index < len(siblings) else None
