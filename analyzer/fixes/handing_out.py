"""Which functions put nothing behind their parameters but what an acquiring function has just given them.

The analysis tells a caller when it gets something to release. That the same function puts somebody else's pointer there
in another case, it need not tell: nothing is lost by that. A release that a fix adds must not meet it.
"""

from __future__ import annotations

from collections.abc import Container
from typing import final

from analyzer.ir.function import Function
from analyzer.ir.operands import DerefBase, Int, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import Call, Convert, CopyRecord, Load, Store
from analyzer.ir.types import TypeKind
from analyzer.ir.walk import defined_temp


def hands_out_only(function: Function, acquiring: Container[str]) -> bool:
    """Whether every pointer that it stores behind a pointer is a constant or comes straight from one of these."""
    return _Sources(function, acquiring).are_known()


@final
class _Sources:
    """Where the pointers come from that a function stores."""

    def __init__(self, function: Function, acquiring: Container[str]) -> None:
        self._parameters = function.parameters
        self._acquiring = acquiring
        self._ops = [op for block in function.blocks for op in block.ops]
        self._made = {temp.id: op for op in self._ops if (temp := defined_temp(op)) is not None}

    def are_known(self) -> bool:
        stores = (op for op in self._ops if isinstance(op, Store) and op.type.kind is TypeKind.POINTER)
        outside = (op for op in stores if isinstance(op.place.base, DerefBase))
        copies = any(isinstance(op, CopyRecord) and isinstance(op.target.base, DerefBase) for op in self._ops)
        return not copies and all(self._is_known(op.value, frozenset()) for op in outside)

    def _is_known(self, value: Operand, asked: frozenset[int]) -> bool:
        made = self._made.get(value.id) if isinstance(value, Temp) else None
        match made:
            case Call(name=name):
                return name in self._acquiring
            case Convert(operand=operand):
                return self._is_known(operand, asked)
            case Load(place=Place(base=LocalBase(index=index), selectors=())) if index >= self._parameters:
                stores = [op for op in self._ops if isinstance(op, Store) and op.place.base == LocalBase(index)]
                return index in asked or all(self._is_known(op.value, asked | {index}) for op in stores)
            case _:
                return isinstance(value, Int)
