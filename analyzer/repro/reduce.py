"""Delta debugging: a case with as little as possible that still shows what it shows.

Branches lose ways, then operations go in ever smaller groups; what used their results uses an unknown value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from analyzer.ir.function import BasicBlock, Function, successors
from analyzer.ir.operands import GlobalBase, LocalBase, Temp, Unknown
from analyzer.ir.ops import Branch, Call, Case, DeclareLocal, Goto, Jump, ScopeEnd, Switch, Terminator
from analyzer.ir.validate import validate
from analyzer.ir.walk import defined_temp
from analyzer.repro.case import Case as Reproduction
from analyzer.repro.tree import mapped

_Still = Callable[[Function], bool]


class _Judge:
    """Counts what it is asked; says no once it was asked too often."""

    def __init__(self, still: _Still, tries: int) -> None:
        self._still = still
        self.left = tries

    def __call__(self, function: Function) -> bool:
        if self.left <= 0 or validate(function):
            return False
        self.left -= 1
        return self._still(function)


def reduced(function: Function, still: _Still, tries: int) -> Function:
    """The smallest function found that `still` accepts, after at most `tries` questions."""
    judge = _Judge(still, tries)
    tidied = tidy(function)
    if judge(tidied):
        function = tidied
    before = None
    while before != function and judge.left > 0:
        before = function
        function = _fewer_ways(function, judge)
        function = _fewer_operations(function, judge)
        function = _fewer_locals(function, judge)
    return function


# -- ways


def _fewer_ways(function: Function, judge: _Judge) -> Function:
    """Each choice with one way less, as long as that is possible."""
    number = 0
    while number < len(function.blocks):
        plainer = [tidy(_with_end(function, number, end)) for end in _plainer(function.blocks[number].end)]
        for candidate in sorted(plainer, key=lambda one: len(one.blocks)):
            if judge(candidate):
                function, number = candidate, -1
                break
        number += 1
    return function


def _plainer(end: Terminator) -> Iterator[Terminator]:
    ways = successors(end)
    if isinstance(end, Branch | Switch | Jump):
        for target in ways:
            yield Goto(end.at, target)
    if isinstance(end, Switch):
        for position in range(len(end.cases)):
            yield replace(end, cases=end.cases[:position] + end.cases[position + 1 :])
    if isinstance(end, Jump) and len(ways) > 1:
        for target in ways:
            yield replace(end, targets=tuple(way for way in ways if way != target))


def _with_end(function: Function, number: int, end: Terminator) -> Function:
    blocks = list(function.blocks)
    blocks[number] = replace(blocks[number], end=end)
    return replace(function, blocks=tuple(blocks))


# -- operations


def _fewer_operations(function: Function, judge: _Judge) -> Function:
    size = max(1, sum(len(block.ops) for block in function.blocks) // 2)
    while judge.left > 0:
        places = [(n, i) for n, block in enumerate(function.blocks) for i in range(len(block.ops))]
        start = len(places)
        while start > 0:  # from the end: what is defined last is used by least
            group = places[max(0, start - size) : start]
            candidate = without(function, frozenset(group))
            if judge(candidate):
                function = candidate
            start -= size
        if size == 1:
            return function
        size //= 2
    return function


def without(function: Function, gone: frozenset[tuple[int, int]]) -> Function:
    """The function without some operations, each named by its block and its position there."""
    lost = set()
    blocks = []
    for number, block in enumerate(function.blocks):
        lost |= {defined_temp(op) for i, op in enumerate(block.ops) if (number, i) in gone}
        blocks.append(replace(block, ops=tuple(op for i, op in enumerate(block.ops) if (number, i) not in gone)))

    def changed(value: Any) -> Any:  # noqa: ANN401 - any part of the IR
        return Unknown() if isinstance(value, Temp) and value in lost else value

    return replace(function, blocks=mapped(tuple(blocks), changed))


# -- locals


def _fewer_locals(function: Function, judge: _Judge) -> Function:
    """Without the locals that are only declared and ended."""
    for index in range(len(function.locals) - 1, -1, -1):
        candidate = _without_local(function, index)
        if candidate is not None and judge(candidate):
            function = candidate
    return function


def _without_local(function: Function, index: int) -> Function | None:
    used = False

    def look(value: Any) -> Any:  # noqa: ANN401 - any part of the IR
        nonlocal used
        used = used or (isinstance(value, LocalBase) and value.index == index)
        return value

    mapped(function.blocks, look)
    if used:
        return None

    def moved(number: int) -> int:
        return number - (number > index)

    def changed(value: Any) -> Any:  # noqa: ANN401 - any part of the IR
        match value:
            case LocalBase():
                return LocalBase(moved(value.index))
            case DeclareLocal():
                return replace(value, local=moved(value.local))
            case ScopeEnd():
                return replace(value, locals=tuple(moved(number) for number in value.locals if number != index))
            case _:
                return value

    kept = tuple(
        replace(block, ops=tuple(op for op in block.ops if not (isinstance(op, DeclareLocal) and op.local == index)))
        for block in function.blocks
    )
    return replace(
        function,
        parameters=function.parameters - (index < function.parameters),
        locals=function.locals[:index] + function.locals[index + 1 :],
        blocks=mapped(kept, changed),
    )


# -- blocks


def tidy(function: Function) -> Function:
    """Without blocks that nothing reaches; a block that one other just goes on to becomes part of that."""
    blocks = list(function.blocks)
    while True:
        merged = _merged(blocks)
        if merged is None:
            break
        blocks = merged
    order: list[int] = []
    pending = [0]
    while pending:
        number = pending.pop()
        if number not in order:
            order.append(number)
            pending += reversed(successors(blocks[number].end))
    new = {old: position for position, old in enumerate(sorted(order))}
    return replace(function, blocks=tuple(_renumbered(blocks[old], new) for old in sorted(order)))


def _merged(blocks: list[BasicBlock]) -> list[BasicBlock] | None:
    reached = {0}
    pending = [0]
    while pending:
        for target in successors(blocks[pending.pop()].end):
            if target not in reached:
                reached.add(target)
                pending.append(target)
    before: dict[int, int] = {}
    for number in reached:
        for target in successors(blocks[number].end):
            before[target] = before.get(target, 0) + 1
    for number in sorted(reached):
        end = blocks[number].end
        if isinstance(end, Goto) and before[end.target] == 1 and end.target not in (0, number):
            found = list(blocks)
            found[number] = BasicBlock(blocks[number].ops + blocks[end.target].ops, blocks[end.target].end)
            return found
    return None


def _renumbered(block: BasicBlock, new: dict[int, int]) -> BasicBlock:
    end = block.end
    match end:
        case Goto():
            end = Goto(end.at, new[end.target])
        case Branch():
            end = replace(end, if_true=new[end.if_true], if_false=new[end.if_false])
        case Switch():
            cases = tuple(Case(case.low, case.high, new[case.target]) for case in end.cases)
            end = replace(end, cases=cases, default=new[end.default])
        case Jump():
            end = Jump(end.at, tuple(new[target] for target in end.targets))
        case _:
            pass
    return BasicBlock(block.ops, end)


# -- the rest of a case


def mentioned_only(case: Reproduction) -> Reproduction:
    """Without what is said of functions, kinds and globals that the function no longer mentions."""
    calls = {op.name for block in case.function.blocks for op in block.ops if isinstance(op, Call) and op.name}
    names: set[str] = set()

    def look(value: Any) -> Any:  # noqa: ANN401 - any part of the IR or of contracts
        if isinstance(value, GlobalBase):
            names.add(value.name)
        return value

    mapped(case.function.blocks, look)
    contracts = {name: one for name, one in case.contracts.items() if name in calls}
    resources = {e.resource for one in contracts.values() for o in one.outcomes for e in o.effects}
    for one in contracts.values():
        names |= {atom.term.name for outcome in one.outcomes for atom in (*outcome.when, *outcome.after)}
        names |= {term.name for o in one.outcomes for e in o.effects for term in (e.term, e.source) if term is not None}
        names |= set(one.writes)
    return replace(
        case,
        declarations={name: one for name, one in case.declarations.items() if name in calls},
        globals={name: one for name, one in case.globals.items() if name in names},
        contracts=contracts,
        kinds={name: one for name, one in case.kinds.items() if name in resources or _fits(one.releases, calls)},
        defined=frozenset(case.defined & calls),
    )


def _fits(releases: tuple[str, ...], calls: set[str]) -> bool:
    return not calls.isdisjoint(releases)
