"""What a function's result is made of: the variables that its caller will tell outcomes apart by.

A run that has no resource joins what it can. Joined too early, "it worked, and `*out` is set" and "it failed" become
"it worked perhaps, and `*out` is set perhaps"; so states that differ in what will be returned wait for the return.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.ir.function import BasicBlock, Function
from analyzer.ir.operands import Int, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import Binary, Convert, CopyRecord, Load, Return, Store, Unary

_MOST_LOCALS = 3
_MOST_NUMBERS = 16


@final
@dataclass(frozen=True, slots=True)
class Returned:
    """What is returned.

    locals: variables from whose values the result is computed where it is returned, by constants only.
    record: the variable whose contents are returned by value, -1: none.
    numbers: the constants that are stored in these, each an answer of its own.
    """

    locals: tuple[int, ...] = ()
    record: int = -1
    numbers: frozenset[int] = frozenset()


def returned(function: Function) -> Returned:
    """What the function's returns hand out; nothing where that is too much to keep states apart by."""
    found: set[int] = set()
    records: set[int] = set()
    for block in function.blocks:
        end = block.end
        if not isinstance(end, Return):
            continue
        if end.value is not None:
            found |= _origins(block, end.value)
        if end.record is not None:
            records.add(_copied(block, end.record))
    locals_ = tuple(sorted(found)) if len(found) <= _MOST_LOCALS else ()
    record = records.pop() if len(records) == 1 else -1
    numbers = {
        op.value.value
        for block in function.blocks
        for op in block.ops
        if isinstance(op, Store) and isinstance(op.value, Int) and isinstance(op.place.base, LocalBase)
        if op.place.base.index in (*locals_, record)
    }
    return Returned(locals_, record, frozenset(numbers) if len(numbers) <= _MOST_NUMBERS else frozenset())


def _copied(block: BasicBlock, record: Place) -> int:
    """The local variable that the block returns, or makes the copy of that it returns; -1: it is no whole one."""
    for op in block.ops:
        if isinstance(op, CopyRecord) and op.target == record:
            record = op.source
    return record.base.index if isinstance(record.base, LocalBase) and not record.selectors else -1


def _origins(block: BasicBlock, value: Operand) -> set[int]:
    """The local variables from which the block computes a value with nothing but constants."""
    definitions = {op.result: op for op in block.ops if isinstance(op, Load | Binary | Convert | Unary)}
    for _ in range(len(definitions) + 1):
        match definitions.get(value) if isinstance(value, Temp) else None:
            case Load(place=Place(base=LocalBase(index=index), selectors=())):
                return {index}
            case Unary(operand=operand) | Convert(operand=operand):
                value = operand
            case Binary(left=Temp() as operand, right=Int()) | Binary(left=Int(), right=Temp() as operand):
                value = operand
            case _:
                return set()
    return set()
