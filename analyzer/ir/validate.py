"""Says what is wrong with a function in the IR; every lowered function must pass."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.ir.function import Function, successors
from analyzer.ir.operands import Field, Index, LocalBase, Operand, Place, Temp, Unknown
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Call,
    CopyRecord,
    DeclareLocal,
    EndExpression,
    Load,
    Op,
    Return,
    ScopeEnd,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)
from analyzer.ir.reader import BINARY_OPERATORS, UNARY_OPERATORS
from analyzer.ir.types import CType, TypeKind
from analyzer.ir.walk import defined_temp, operands, places, terminator_operands

NOT_SCALAR = (TypeKind.VOID, TypeKind.ARRAY, TypeKind.RECORD, TypeKind.FUNCTION)


def validate(function: Function) -> list[str]:
    """Everything that is wrong, each as ``bb1[2]: what`` (op 2 of block 1); empty when it is well-formed.

    A temp must be defined by one operation, on every path to each use, and in the same full expression.
    """
    found = list(_head(function))
    if not function.blocks:
        return [*found, "no blocks"]
    targets_exist = True
    for number, block in enumerate(function.blocks):
        for target in successors(block.end):
            if not 0 <= target < len(function.blocks):
                found.append(f"bb{number}: jumps to bb{target}, which does not exist")
                targets_exist = False
            elif target == 0:
                found.append(f"bb{number}: jumps to the entry")
    found.extend(_Operations(function).defects())
    if targets_exist:
        found.extend(_temps(function))
    return found


def _head(function: Function) -> Iterator[str]:
    if not function.name or not function.linkage_name:
        yield "no name"
    if not 0 <= function.at <= function.end:
        yield f"bad range {function.at}..{function.end}"
    flags = [item.parameter for item in function.locals]
    count = function.parameters
    if not 0 <= count <= len(flags) or flags != [index < count for index in range(len(flags))]:
        yield f"the {count} parameters are not the first locals"
    for item in function.locals:
        if item.at < 0:
            yield f"local {item.name} at {item.at}"
    for at in function.macros:
        if at < 0:
            yield f"macro at {at}"


class _Operations:
    """Checks each operation and terminator by itself."""

    def __init__(self, function: Function) -> None:
        self.function = function
        every = [op for block in function.blocks for op in block.ops]
        self.declared = {op.local for op in every if isinstance(op, DeclareLocal)}
        self.declared.update(range(function.parameters))
        self.addresses = {op.result for op in every if isinstance(op, AddressOf)}

    def defects(self) -> Iterator[str]:
        for number, block in enumerate(self.function.blocks):
            for index, op in enumerate(block.ops):
                for text in (*self._position(op), *self._op(op)):
                    yield f"bb{number}[{index}]: {text}"
            for text in (*self._position(block.end), *self._terminator(block.end)):
                yield f"bb{number}[end]: {text}"

    def _position(self, item: Op | Terminator) -> Iterator[str]:
        if not self.function.at <= item.at <= self.function.end:
            yield f"offset {item.at} lies outside {self.function.at}..{self.function.end}"

    def _op(self, op: Op) -> Iterator[str]:
        for place in places(op):
            yield from self._place(place)
        match op:
            case Load() | Store():
                if op.type.kind in NOT_SCALAR:
                    yield f"reads or writes a {op.type.kind.value} as a scalar"
            case Unary():
                if op.operator not in UNARY_OPERATORS:
                    yield f"unknown operator {op.operator}"
            case Binary():
                yield from _binary(op)
            case Call():
                yield from self._call(op)
            case CopyRecord() | Zero():
                if op.bits < 0:
                    yield f"size {op.bits}"
            case DeclareLocal():
                yield from self._declare(op)
            case ScopeEnd():
                yield from self._scope_end(op)
            case _:
                pass

    def _place(self, place: Place) -> Iterator[str]:
        if isinstance(place.base, LocalBase) and not self._is_local(place.base.index):
            yield f"no local number {place.base.index}"
        for selector in place.selectors:
            match selector:
                case Field():
                    if selector.offset < -1 or (selector.offset == -1 and not selector.name):
                        yield f"member {selector.name!r} at {selector.offset}"
                case Index():
                    if selector.element_bits < 0:
                        yield f"element size {selector.element_bits}"

    def _is_local(self, index: int) -> bool:
        return 0 <= index < len(self.function.locals)

    def _declare(self, op: DeclareLocal) -> Iterator[str]:
        if not self._is_local(op.local):
            yield f"no local number {op.local}"
        elif op.local < self.function.parameters:
            yield "declares a parameter"

    def _scope_end(self, op: ScopeEnd) -> Iterator[str]:
        if not op.locals or len(set(op.locals)) != len(op.locals):
            yield "ends the scope of no local, or of one twice"
        for index in op.locals:
            if not self._is_local(index):
                yield f"no local number {index}"
            elif index not in self.declared:
                yield f"ends the scope of {self.function.locals[index].name}, which is declared nowhere"

    def _call(self, op: Call) -> Iterator[str]:
        if (op.name is None) == (op.target is None):
            yield "a call needs a name or a target, not both"
        if len(op.arguments) != len(op.argument_types):
            yield f"{len(op.arguments)} arguments and {len(op.argument_types)} types"
        for argument, of in zip(op.arguments, op.argument_types, strict=False):
            yield from self._argument(argument, of)
        kind = op.result_type.kind
        if op.result is not None and kind in NOT_SCALAR:
            yield f"a {kind.value} result in a temp"
        if op.record_result is not None and kind is not TypeKind.RECORD:
            yield f"a {kind.value} result in a record"

    def _argument(self, argument: Operand, of: CType) -> Iterator[str]:
        if of.kind in (TypeKind.VOID, TypeKind.ARRAY, TypeKind.FUNCTION):
            yield f"a {of.kind.value} as argument"
        is_address = isinstance(argument, Unknown) or argument in self.addresses
        if of.kind is TypeKind.RECORD and not is_address:
            yield "a record argument that is not the address of its copy"

    def _terminator(self, end: Terminator) -> Iterator[str]:
        match end:
            case Switch():
                for case in end.cases:
                    if case.low > case.high:
                        yield f"empty case {case.low}..{case.high}"
            case Return():
                yield from self._return(end)
            case _:
                pass

    def _return(self, end: Return) -> Iterator[str]:
        kind = self.function.result.kind
        if end.value is not None and kind in NOT_SCALAR:
            yield f"returns a value as {kind.value}"
        if end.record is not None:
            yield from self._place(end.record)
            if kind is not TypeKind.RECORD:
                yield f"returns a record as {kind.value}"


def _binary(op: Binary) -> Iterator[str]:
    if op.operator not in BINARY_OPERATORS:
        yield f"unknown operator {op.operator}"
    if (op.pointer or op.scale_bits) and op.operator not in ("+", "-"):
        yield f"pointer arithmetic with {op.operator}"
    if op.scale_bits < 0:
        yield f"scale {op.scale_bits}"


def _temps(function: Function) -> Iterator[str]:
    """Temps that are defined twice, or used where they are not defined or dead."""
    owner: dict[int, str] = {}
    for number, block in enumerate(function.blocks):
        for index, op in enumerate(block.ops):
            temp = defined_temp(op)
            if temp is None:
                continue
            if temp.id in owner:
                yield f"bb{number}[{index}]: %{temp.id} is defined in {owner[temp.id]} already"
            owner.setdefault(temp.id, f"bb{number}[{index}]")
    everything = frozenset(owner)
    defined = _available(function, everything, end_expressions=False)
    alive = _available(function, everything, end_expressions=True)
    for number in range(len(function.blocks)):
        yield from _uses(function, number, defined[number], alive[number])


def _available(function: Function, everything: frozenset[int], end_expressions: bool) -> list[frozenset[int]]:
    """The temps that are available at the start of each block, on whatever path it is reached.

    Greatest solution of "available in all predecessors"; it stops since the sets only shrink. Blocks that
    cannot be reached keep everything. end_expressions: whether the end of a full expression ends its temps.
    """
    entry = [everything] * len(function.blocks)
    entry[0] = frozenset()
    pending = [0]
    seen = {0}
    while pending:
        number = pending.pop()
        out = set(entry[number])
        for op in function.blocks[number].ops:
            temp = defined_temp(op)
            if temp is not None:
                out.add(temp.id)
            elif end_expressions and isinstance(op, EndExpression):
                out.clear()
        for target in successors(function.blocks[number].end):
            met = entry[target] & out
            if met != entry[target] or target not in seen:
                entry[target] = met
                seen.add(target)
                pending.append(target)
    return entry


def _uses(function: Function, number: int, defined: frozenset[int], alive: frozenset[int]) -> Iterator[str]:
    """The uses in one block of temps that are not available there."""
    block = function.blocks[number]
    known, living = set(defined), set(alive)
    kept = set(alive)  # by the block's terminator, whatever expression has ended in the block
    for index, op in enumerate(block.ops):
        for used in operands(op):
            if isinstance(used, Temp) and used.id not in living:
                yield f"bb{number}[{index}]: {_complaint(used, known)}"
        temp = defined_temp(op)
        if temp is not None:
            for group in (known, living, kept):
                group.add(temp.id)
        elif isinstance(op, EndExpression):
            living.clear()
    for used in terminator_operands(block.end):
        if isinstance(used, Temp) and used.id not in kept:
            yield f"bb{number}[end]: {_complaint(used, known)}"


def _complaint(used: Temp, defined: set[int]) -> str:
    if used.id in defined:
        return f"%{used.id} is used after the end of its full expression"
    return f"%{used.id} is used where not every path has defined it"
