"""Local variables that count the rounds of a short loop and choose elements of an array with it.

``for (i = 0; i < 4; i++) bufs[i] = malloc(n);``: which element is meant decides what is lost. So states with different
values of such a variable are kept apart, as if somebody had written the rounds one below the other. For a long loop
that would be too dear, and "some element" has to do.
"""

from __future__ import annotations

from typing import final

from analyzer.ir.function import Function
from analyzer.ir.operands import Index, Int, LocalBase, Operand, Place
from analyzer.ir.ops import Binary, Branch, Convert, Load, Op, Store
from analyzer.ir.types import TypeKind
from analyzer.ir.walk import places
from analyzer.ownership.liveness import address_taken
from analyzer.ownership.state import State

MOST_ROUNDS = 8
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})


@final
class _Scan:
    """What a function does with its integer variables, read once from the first operation to the last."""

    def __init__(self, candidates: set[int]) -> None:
        self.candidates = candidates
        self.loaded: dict[Operand, int] = {}  # values of variables, also one more or less
        self.moved: dict[Operand, int] = {}  # those that are one more or less
        self.compared: set[int] = set()
        self.choosing: set[int] = set()
        self.stepping: set[int] = set()

    def operation(self, op: Op, cyclic: bool) -> None:
        """Take note of one operation. cyclic: it stands in a loop."""
        selectors = (selector for place in places(op) for selector in place.selectors)
        self.choosing.update(self.loaded[s.index] for s in selectors if isinstance(s, Index) and s.index in self.loaded)
        match op:
            case Load(place=Place(base=LocalBase(index=local), selectors=()), result=result):
                self.loaded[result] = local
            case Convert(operand=operand, result=result) if operand in self.loaded:
                self.loaded[result] = self.loaded[operand]
            case Binary():
                self._binary(op)
            case Store(place=Place(base=LocalBase(index=local), selectors=()), value=value):
                self._store(local, value, cyclic)
            case _:
                pass

    def _binary(self, op: Binary) -> None:
        if op.operator in _COMPARING:
            for one, other in ((op.left, op.right), (op.right, op.left)):
                if one in self.loaded and isinstance(other, Int) and abs(other.value) <= MOST_ROUNDS:
                    self.compared.add(self.loaded[one])
        elif op.operator in ("+", "-"):
            if op.pointer and op.right in self.loaded:
                self.choosing.add(self.loaded[op.right])
            elif op.left in self.loaded and isinstance(op.right, Int) and op.right.value == 1:
                self.loaded[op.result] = self.moved[op.result] = self.loaded[op.left]

    def _store(self, local: int, value: Operand, cyclic: bool) -> None:
        if isinstance(value, Int):
            if abs(value.value) > MOST_ROUNDS:
                self.candidates.discard(local)
        elif self.moved.get(value) != local:
            self.candidates.discard(local)
        elif cyclic:
            self.stepping.add(local)

    def condition(self, value: Operand) -> None:
        """Take note of a branch on the value alone: ``while (n--)``."""
        if value in self.loaded:
            self.compared.add(self.loaded[value])

    def counters(self) -> set[int]:
        return self.candidates & self.compared & self.choosing & self.stepping


def counters(function: Function, cyclic: list[bool]) -> tuple[int, ...]:
    """The local variables that are counters of short loops.

    They are set to small numbers only, or moved by one, some time in a loop; they are compared with a small number;
    and they choose an element. cyclic: for each block, whether it is part of a loop.
    """
    if not any(cyclic):
        return ()
    numbers = (index for index, local in enumerate(function.locals) if local.type.kind is TypeKind.INT)
    scan = _Scan({index for index in numbers if index >= function.parameters} - address_taken(function))
    for block, in_loop in zip(function.blocks, cyclic, strict=True):
        for op in block.ops:
            scan.operation(op, in_loop)
        if isinstance(block.end, Branch):
            scan.condition(block.end.condition)
    return tuple(sorted(scan.counters()))


def rounds(variables: tuple[int, ...], state: State) -> tuple[int | None, ...]:
    """The small numbers that the variables hold, None for one that holds something else."""
    values = (state.cells.get((index, 0)) for index in variables)
    return tuple(value if isinstance(value, int) and abs(value) <= MOST_ROUNDS else None for value in values)
