"""Places of the IR as the program writes them, and those of them that lie in local variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from analyzer.ir.function import Function
from analyzer.ir.operands import DerefBase, Field, GlobalBase, Int, LocalBase, Operand, Place, Selector, Temp
from analyzer.ir.ops import AddressOf, Load, Op
from analyzer.ir.walk import defined_temp

UNKNOWN = "?"


@final
class Spelling:
    """The places of one function. made: number of a temporary -> the operation whose result it is."""

    def __init__(self, function: Function) -> None:
        self._function = function
        made: dict[int, Op] = {}
        for block in function.blocks:
            for op in block.ops:
                temp = defined_temp(op)
                if temp is not None:
                    made[temp.id] = op
        self.made: Mapping[int, Op] = made

    def key(self, place: Place) -> tuple[int | str, ...] | None:
        """A local variable, by its number, with the way to the part of it that the place is; None for other places."""
        if isinstance(place.base, LocalBase):
            return (place.base.index, *(self._selector(one) for one in place.selectors))
        if isinstance(place.base, DerefBase) and isinstance(place.base.pointer, Temp):
            made = self.made.get(place.base.pointer.id)
            if isinstance(made, AddressOf):
                whole = self.key(made.place)
                return None if whole is None else (*whole, *(self._selector(one) for one in place.selectors))
        return None

    def text(self, place: Place) -> str:
        """The place as C; with a question mark where that is not known."""
        base, rest = place.base, [one for one in map(self._selector, place.selectors) if one != "."]
        if isinstance(base, LocalBase):
            return "".join((self._function.locals[base.index].name, *rest))
        if isinstance(base, GlobalBase):
            return "".join((base.name.rpartition(":")[2], *rest))
        made = self.made.get(base.pointer.id) if isinstance(base.pointer, Temp) else None
        if isinstance(made, AddressOf):
            return "".join((self.text(made.place), *rest))
        if not isinstance(made, Load):
            return UNKNOWN
        whole = self.text(made.place)
        if not rest:
            return f"*{whole}"
        first = f"->{rest[0][1:]}" if rest[0].startswith(".") else rest[0]
        return "".join((whole, first, *rest[1:]))

    def _selector(self, selector: Selector) -> str:
        return f".{selector.name}" if isinstance(selector, Field) else f"[{self._index(selector.index)}]"

    def _index(self, operand: Operand) -> str:
        if isinstance(operand, Int):
            return str(operand.value)
        made = self.made.get(operand.id) if isinstance(operand, Temp) else None
        return self.text(made.place) if isinstance(made, Load) else UNKNOWN
