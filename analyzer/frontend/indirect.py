"""Calls through pointers whose targets can be told become calls by name.

A pointer's targets can be told when it is a constant (a function, an entry of a constant table), or a local variable
of which every store is known and whose address nobody takes. One target: the call is renamed. Several: the call
becomes a choice between calls by name, so that a path on which the pointer is known takes the right one:

    %5 = call *(%4)(%3)     becomes     choose %4 == &f() ? bb7 : bb8;  bb7: $call = f(%3), goto bb9;  bb8: ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, final

from analyzer.ir.function import BasicBlock, Function, GlobalVariable, Variable
from analyzer.ir.operands import (
    DerefBase,
    Field,
    FunctionAddress,
    GlobalBase,
    Index,
    Int,
    LocalBase,
    Operand,
    Place,
    Temp,
)
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    Goto,
    Load,
    Op,
    Store,
    Terminator,
)

MOST_TARGETS: Final = 4
_Object = tuple[int | str, int]  # a local or a global, and bits from its start


def resolve_calls(function: Function, variables: Mapping[str, GlobalVariable]) -> Function:
    """The function with its calls through pointers by name, as far as their targets can be told."""
    if not any(isinstance(op, Call) and op.name is None for block in function.blocks for op in block.ops):
        return function
    pointers = _Pointers(function, variables)
    rewriting = _Rewriting(function)
    for number, block in enumerate(function.blocks):
        rewriting.block(number, block, pointers)
    return rewriting.result()


@final
class _Pointers:
    """What the pointers of a function may be, whatever path was taken."""

    def __init__(self, function: Function, variables: Mapping[str, GlobalVariable]) -> None:
        self._variables = variables
        self._parameters = function.parameters
        self._definitions: dict[int, Op] = {}
        self._stores: dict[int, list[Store]] = {}
        self._opaque: set[int] = set()  # locals that something else than a store may write
        self._open: set[int] = set()
        for block in function.blocks:
            for op in block.ops:
                self._note(op)

    def _note(self, op: Op) -> None:
        result = getattr(op, "result", None)
        if isinstance(result, Temp):
            self._definitions[result.id] = op
        match op:
            case Store(place=Place(base=LocalBase(index=index))):
                self._stores.setdefault(index, []).append(op)
            case AddressOf(place=Place(base=LocalBase(index=index))):
                self._opaque.add(index)
            case CopyRecord(target=place) | Clobber(place=place) | Call(record_result=Place() as place):
                if isinstance(place.base, LocalBase):
                    self._opaque.add(place.base.index)
            case _:
                pass

    def functions(self, operand: Operand | None) -> frozenset[str] | None:
        """The functions it may point to, without null; None when others are possible."""
        if isinstance(operand, FunctionAddress):
            return frozenset({operand.name})
        if operand == Int(0):
            return frozenset()
        definition = self._definitions.get(operand.id) if isinstance(operand, Temp) else None
        if isinstance(definition, Load):
            return self._contents(definition.place)
        return self.functions(definition.operand) if isinstance(definition, Convert) else None

    def _contents(self, place: Place) -> frozenset[str] | None:
        found: frozenset[str] = frozenset()
        objects = self._objects(place)
        for base, *where in objects or ():
            here = self._in_global(base, *where) if isinstance(base, str) else self._in_local(base, *where)
            if here is None:
                return None
            found |= here
        return found if objects and len(found) <= MOST_TARGETS else None

    def _objects(self, place: Place) -> list[tuple[int | str, int, int]] | None:
        """Places as (variable, bits from its start, distance at which it repeats; 0: it does not)."""
        way = _way(place)
        if way is None:
            return None
        offset, stride = way
        match place.base:
            case GlobalBase(name=name):
                return [(name, offset, stride)]
            case LocalBase(index=index):
                return [(index, offset, stride)]
            case DerefBase(pointer=pointer):
                targets = self._addresses(pointer)
                return None if targets is None else [(base, start + offset, stride) for base, start in targets]

    def _addresses(self, operand: Operand) -> list[_Object] | None:
        """The variables a pointer may point into."""
        if operand == Int(0):
            return []
        if not isinstance(operand, Temp):
            return None
        definition = self._definitions.get(operand.id)
        if isinstance(definition, AddressOf):
            objects = self._objects(definition.place)
            if objects is None or any(stride for _, _, stride in objects):
                return None
            return [(base, offset) for base, offset, _ in objects]
        if isinstance(definition, Load) and isinstance(definition.place.base, LocalBase):
            return None if definition.place.selectors else self._addresses_in(definition.place.base.index)
        return None

    def _addresses_in(self, index: int) -> list[_Object] | None:
        """The variables a local pointer may point into."""
        if self._is_unsure(index):
            return None
        self._open.add(index)
        parts = [self._addresses(store.value) for store in self._stores.get(index, ())]
        self._open.discard(index)
        return [item for part in parts for item in part or ()] if None not in parts else None

    def _is_unsure(self, index: int) -> bool:
        """Whether others may write the local, or it is asked for what it holds because of itself."""
        return index in self._opaque or index < self._parameters or index in self._open

    def _in_local(self, index: int, offset: int, stride: int) -> frozenset[str] | None:
        if self._is_unsure(index):
            return None
        self._open.add(index)
        found: frozenset[str] | None = frozenset()
        for store in self._stores.get(index, ()):
            way = _way(store.place)
            if way is None:
                found = None
            elif _may_be_same(way, (offset, stride)):
                here = self.functions(store.value)
                found = None if here is None or found is None else found | here
            if found is None:
                break
        self._open.discard(index)
        return found

    def _in_global(self, name: str, offset: int, stride: int) -> frozenset[str] | None:
        variable = self._variables.get(name)
        if variable is None or not variable.constant:
            return None
        found: set[str] = set()
        for place, value in variable.initial.items():
            if _may_be_same((place, 0), (offset, stride)):
                if isinstance(value, FunctionAddress):
                    found.add(value.name)
                elif value != Int(0):
                    return None
        return frozenset(found) or None


def _way(place: Place) -> tuple[int, int] | None:
    """Bits from the base, and the distance at which the place repeats (0: it is one place); None: not known."""
    offset = stride = 0
    for selector in place.selectors:
        match selector:
            case Field(offset=bits) if bits >= 0:
                offset += bits
            case Index(index=Int(value=value), element_bits=bits) if bits:
                offset += value * bits
            case Index(element_bits=bits) if bits and not stride:
                stride = bits
            case _:
                return None
    return offset, stride


def _may_be_same(left: tuple[int, int], right: tuple[int, int]) -> bool:
    stride = left[1] or right[1]
    return left[0] % stride == right[0] % stride if stride else left[0] == right[0]


@final
@dataclass(slots=True)
class _Rewriting:
    """Collects the new blocks of a function; those that are added stand behind the others."""

    function: Function
    blocks: dict[int, BasicBlock] = field(default_factory=dict)
    locals: list[Variable] = field(default_factory=list)
    next_block: int = 0
    next_temp: int = 0

    def __post_init__(self) -> None:
        self.locals = list(self.function.locals)
        self.next_block = len(self.function.blocks)
        results = (getattr(op, "result", None) for block in self.function.blocks for op in block.ops)
        self.next_temp = max((temp.id for temp in results if isinstance(temp, Temp)), default=0) + 1

    def result(self) -> Function:
        """The function with the blocks so far."""
        blocks = tuple(self.blocks[number] for number in range(self.next_block))
        return replace(self.function, blocks=blocks, locals=tuple(self.locals))

    def block(self, number: int, block: BasicBlock, pointers: _Pointers) -> None:
        """Takes over a block, split where a call becomes a choice."""
        ops: list[Op] = []
        for op in block.ops:
            targets = pointers.functions(op.target) if isinstance(op, Call) and op.name is None else None
            if not targets or not isinstance(op, Call):
                ops.append(op)
            elif len(targets) == 1:
                ops.append(replace(op, name=next(iter(targets)), target=None))
            else:
                after = self._new_block()
                first = self._choice(op, sorted(targets), after)
                self.blocks[number] = BasicBlock((*ops, *first[0]), first[1])
                number, ops = after, self._result_of(op)
        self.blocks[number] = BasicBlock(tuple(ops), block.end)

    def _new_block(self) -> int:
        self.next_block += 1
        return self.next_block - 1

    def _new_temp(self) -> Temp:
        self.next_temp += 1
        return Temp(self.next_temp - 1)

    def _choice(self, op: Call, targets: list[str], after: int) -> tuple[list[Op], Terminator]:
        """A test for each target but the last; returns what stands before the first branch, and that branch."""
        assert op.target is not None
        name, *others = targets
        here = self._new_block()
        self.blocks[here] = BasicBlock(tuple(self._call(op, name)), Goto(op.at, after))
        if not others:
            return [], Goto(op.at, here)
        test = self._new_temp()
        ops: list[Op] = [Binary(op.at, test, "==", op.target, FunctionAddress(name))]
        before, end = self._choice(op, others, after)
        if isinstance(end, Goto):
            return ops, Branch(op.at, test, here, end.target, choice=True)
        there = self._new_block()
        self.blocks[there] = BasicBlock(tuple(before), end)
        return ops, Branch(op.at, test, here, there, choice=True)

    def _call(self, op: Call, name: str) -> list[Op]:
        if op.result is None:
            return [replace(op, name=name, target=None)]
        result = self._new_temp()
        place = Place(LocalBase(self._variable(op)))
        return [replace(op, name=name, target=None, result=result), Store(op.at, place, result, op.result_type)]

    def _result_of(self, op: Call) -> list[Op]:
        if op.result is None:
            return []
        return [Load(op.at, op.result, Place(LocalBase(self._variable(op))), op.result_type)]

    def _variable(self, op: Call) -> int:
        """The synthetic local that carries the value of the call."""
        name = f"$call@{op.at}"
        for index, variable in enumerate(self.locals):
            if variable.name == name:
                return index
        self.locals.append(Variable(name, op.result_type, op.at))
        return len(self.locals) - 1


__all__ = ["MOST_TARGETS", "resolve_calls"]
