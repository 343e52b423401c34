"""Collects operations into basic blocks; jumps go to labels that may be placed later.

At the end empty blocks are threaded away, straight lines are joined, and blocks that nothing reaches are dropped unless
a call stands in them (its verdict is "unreachable"). Knows nothing of C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import final

from analyzer.ir.function import BasicBlock, successors
from analyzer.ir.operands import Int, Operand, Temp
from analyzer.ir.ops import (
    Branch,
    Call,
    Case,
    DeclareLocal,
    EndExpression,
    Goto,
    Jump,
    Op,
    Return,
    ScopeEnd,
    Stop,
    Switch,
    Terminator,
)

Label = int
"""A place in the code that can be jumped to; until the end also the number of the block that begins there."""


@final
class BlockBuilder:
    """The code of one function under construction. Targets of terminators are labels until `finish`."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._labels = 1
        self._current: Label | None = 0
        self._order: list[Label] = [0]
        self._code: dict[Label, list[Op]] = {0: self.ops}
        self._ends: dict[Label, Terminator] = {}
        self._temps = 0

    def temp(self) -> Temp:
        """A new temp."""
        self._temps += 1
        return Temp(self._temps)

    def label(self) -> Label:
        """A new label, to be placed with `start`."""
        self._labels += 1
        return self._labels - 1

    def emit(self, op: Op) -> None:
        """Append an operation to the current block."""
        self.ops.append(op)

    def start(self, label: Label, at: int) -> None:
        """Place a label here; control falls into it from the code before."""
        if self._current is not None and self._current not in self._ends:
            self._ends[self._current] = Goto(at, label)
        self._current = label
        self._order.append(label)
        self.ops = self._code[label] = []

    def end(self, terminator: Terminator) -> None:
        """End the current block. What follows without a label is unreachable code in a block of its own."""
        assert self._current is not None
        self._ends[self._current] = terminator
        self.start(self.label(), terminator.at)

    def goto(self, label: Label, at: int) -> None:
        """Jump to a label."""
        self.end(Goto(at, label))

    def branch(self, condition: Operand, yes: Label, no: Label, at: int) -> None:
        """Jump to `yes` when the condition is not 0, else to `no`; a plain jump when that is known."""
        if isinstance(condition, Int):
            self.goto(yes if condition.value else no, at)
        else:
            self.end(Branch(at, condition, yes, no))

    def finish(self, at: int, parameters: int) -> tuple[BasicBlock, ...]:
        """The blocks in the order of the code, entry first. at: place of a missing last jump."""
        for label in self._order:
            self._ends.setdefault(label, Stop(at, "unreachable"))
        self._thread()
        kept = self._reachable()
        self._join(kept)
        order = [label for label in self._order if label in kept and label in self._code]
        number = {label: index for index, label in enumerate(order)}
        declared = set(range(parameters))
        declared.update(op.local for label in order for op in self._code[label] if isinstance(op, DeclareLocal))
        return tuple(
            BasicBlock(
                tuple(_known_scopes(self._code[label], declared)),
                _retarget(self._ends[label], number.__getitem__),
            )
            for label in order
        )

    def _thread(self) -> None:
        """Let jumps to empty blocks go where these go."""
        final_target: dict[Label, Label] = {}
        for label in self._order:
            seen = {label}
            target = label
            while not self._code[target] and target != 0:
                end = self._ends[target]
                if not isinstance(end, Goto) or end.target in seen:
                    break
                target = end.target
                seen.add(target)
            final_target[label] = target
        for label, end in self._ends.items():
            end = _retarget(end, final_target.__getitem__)
            if isinstance(end, Branch) and end.if_true == end.if_false:
                end = Goto(end.at, end.if_true)
            self._ends[label] = end

    def _reachable(self) -> set[Label]:
        """Labels reachable from the entry, or from unreachable code that calls something."""
        found: set[Label] = set()
        roots = [0]
        roots += [
            label for label in self._order if any(isinstance(op, Call) and not op.implicit for op in self._code[label])
        ]
        for root in roots:
            stack = [root]
            while stack:
                label = stack.pop()
                if label not in found:
                    found.add(label)
                    stack.extend(successors(self._ends[label]))
        return found

    def _join(self, kept: set[Label]) -> None:
        """Append each block to its only predecessor when that goes nowhere else."""
        predecessors: dict[Label, int] = {0: 1}
        for label in kept:
            for target in successors(self._ends[label]):
                predecessors[target] = predecessors.get(target, 0) + 1
        for label in self._order:
            if label not in kept:
                continue
            end = self._ends[label]
            while isinstance(end, Goto) and predecessors[end.target] == 1 and end.target != label:
                self._code[label].extend(self._code[end.target])
                kept.discard(end.target)
                end = self._ends[label] = self._ends[end.target]


def _retarget(end: Terminator, map_label: Callable[[Label], Label]) -> Terminator:
    match end:
        case Goto():
            return Goto(end.at, map_label(end.target))
        case Branch():
            return replace(end, if_true=map_label(end.if_true), if_false=map_label(end.if_false))
        case Switch():
            cases = tuple(Case(case.low, case.high, map_label(case.target)) for case in end.cases)
            return replace(end, cases=cases, default=map_label(end.default))
        case Jump():
            return Jump(end.at, tuple(dict.fromkeys(map_label(target) for target in end.targets)))
        case Return() | Stop():
            return end


def _known_scopes(ops: Iterable[Op], declared: set[int]) -> Iterable[Op]:
    """The ops without ends of scopes whose declarations were in dropped code (parameters are never dropped)."""
    previous: Op | None = None
    for op in ops:
        if isinstance(op, ScopeEnd):
            known = tuple(local for local in op.locals if local in declared)
            if not known:
                continue
            op = op if known == op.locals else ScopeEnd(op.at, known)
        if isinstance(op, EndExpression) and isinstance(previous, EndExpression):
            continue
        previous = op
        yield op
