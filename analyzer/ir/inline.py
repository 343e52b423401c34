"""Calls replaced by the bodies of what they call: a function with some of its callees inside.

The parameters of the callee become locals of the caller, its returns go on behind the call. All of it stands at the
place of the call, so that nothing is said of offsets in another body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never, final

from analyzer.ir.function import BasicBlock, Function, Variable
from analyzer.ir.operands import (
    DerefBase,
    FunctionAddress,
    Index,
    LocalBase,
    Operand,
    Place,
    Selector,
    Temp,
    Unknown,
)
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    DeclareLocal,
    EndExpression,
    Goto,
    Jump,
    Load,
    Op,
    Return,
    ScopeEnd,
    Stop,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)
from analyzer.ir.types import TypeKind

Choice = Callable[[Call, tuple[str, ...]], Function | None]


@final
@dataclass(frozen=True, slots=True)
class Body:
    """One callee's body that stands in place of a call. at: of the call. outer: the body that this one is in, -1: none.

    parameters: the locals that are the callee's parameters. first, last: all of its locals are from first to last - 1.
    result: the local that gets what it returns, -1: nobody wants it.
    """

    name: str
    at: int
    outer: int
    parameters: tuple[int, ...]
    first: int
    last: int
    result: int

    def own_locals(self) -> range:
        """The callee's locals without its parameters."""
        return range(self.first + len(self.parameters), self.last)


@final
@dataclass(frozen=True, slots=True)
class Expansion:
    """A function with bodies inside.

    source: the function as it is written. bodies: all of them. within: for each block the body that it belongs to, -1:
    the function's own.
    """

    function: Function
    source: Function
    bodies: tuple[Body, ...] = ()
    within: tuple[int, ...] = ()

    def outermost(self, block: int) -> int:
        """The body of a call in the function's own code that the block belongs to, however deep; -1: none."""
        found = self.within[block] if self.bodies else -1
        while found >= 0 and self.bodies[found].outer >= 0:
            found = self.bodies[found].outer
        return found


def expand(function: Function, choose: Choice, most: int) -> Expansion:
    """The function with the bodies that `choose` names in place of calls.

    choose: is given a call and the functions that it stands in by then, outermost first. most: operations that may be
    added; from there on calls stay as they are.
    """
    return _Expansion(function, choose, most).run()


@final
class _Expansion:
    def __init__(self, function: Function, choose: Choice, most: int) -> None:
        self._function = function
        self._choose = choose
        self._left = most
        self._blocks: list[BasicBlock] = list(function.blocks)
        self._within = [-1] * len(self._blocks)
        self._bodies: list[Body] = []
        self._locals: list[Variable] = list(function.locals)
        self._next = 0  # temp; found when the first body comes

    def run(self) -> Expansion:
        """All calls, those of the bodies included."""
        number = 0
        while number < len(self._blocks):
            self._block(number)
            number += 1
        if not self._bodies:
            return Expansion(self._function, self._function)
        function = replace(self._function, locals=tuple(self._locals), blocks=tuple(self._blocks))
        return Expansion(function, self._function, tuple(self._bodies), tuple(self._within))

    def _block(self, number: int) -> None:
        block = self._blocks[number]
        for position, op in enumerate(block.ops):
            if not isinstance(op, Call) or op.name is None:
                continue
            callee = self._choose(op, self._names(self._within[number]))
            if callee is None or not _fits(op, callee):
                continue
            size = sum(len(one.ops) for one in callee.blocks)
            if size > self._left:
                continue
            self._left -= size
            self._insert(number, position, op, callee)
            return  # what follows stands in a new block, which will have its turn

    def _names(self, body: int) -> tuple[str, ...]:
        found: list[str] = []
        while body >= 0:
            found.append(self._bodies[body].name)
            body = self._bodies[body].outer
        return (*reversed(found),)

    def _insert(self, number: int, position: int, op: Call, callee: Function) -> None:
        block, outer = self._blocks[number], self._within[number]
        if not self._next:
            self._next = 1 + max((temp for one in self._function.blocks for temp in _temps(one)), default=0)
        first = len(self._locals)
        copy = _Copy(op.at, first, self._next, len(self._blocks) + 1, _constants(op, callee))
        self._locals += [_inner(variable, op.at) for variable in callee.locals]
        self._next += 1 + max((temp for one in callee.blocks for temp in _temps(one)), default=0)
        behind = len(self._blocks)
        result = -1
        if op.result is not None:
            result = len(self._locals)
            self._locals.append(_inner(Variable(callee.name, callee.result, op.at), op.at))
        leave = _Leave(op, result, behind, tuple(range(first, first + callee.parameters)))
        begun = leave.parameters if result < 0 else (*leave.parameters, result)
        start: tuple[Op, ...] = (*(DeclareLocal(op.at, local) for local in begun), *_passed(op, callee, first))
        self._blocks[number] = BasicBlock((*block.ops[:position], *start), Goto(op.at, behind + 1))
        rest: tuple[Op, ...] = block.ops[position + 1 :]
        if op.result is not None:
            place = Place(LocalBase(result))
            rest = (Load(op.at, op.result, place, op.result_type), ScopeEnd(op.at, (result,)), *rest)
        self._blocks.append(BasicBlock(rest, block.end))
        self._within.append(outer)
        self._within += [len(self._bodies)] * len(callee.blocks)
        self._bodies.append(
            Body(callee.name, op.at, outer, leave.parameters, first, first + len(callee.locals), result)
        )
        self._blocks += [copy.block(one, leave) for one in callee.blocks]


def _inner(variable: Variable, at: int) -> Variable:
    """A local of a callee: nothing that a reader of the caller knows by that name."""
    return replace(variable, name=f"$0{variable.name.removeprefix('$')}", at=at, parameter=False)


def _fits(op: Call, callee: Function) -> bool:
    """Whether the call passes what the definition takes."""
    if callee.variadic or len(op.arguments) != callee.parameters:
        return False
    if (op.result is not None or op.record_result is not None) and callee.result.kind is TypeKind.VOID:
        return False
    kinds = zip(op.argument_types, callee.locals[: callee.parameters], strict=True)
    return all((given.kind is TypeKind.RECORD) == (taken.type.kind is TypeKind.RECORD) for given, taken in kinds)


def _passed(op: Call, callee: Function, first: int) -> list[Op]:
    """The parameters get their values."""
    found: list[Op] = []
    for index, argument in enumerate(op.arguments):
        place, ctype = Place(LocalBase(first + index)), callee.locals[index].type
        if ctype.kind is TypeKind.RECORD:
            found.append(CopyRecord(op.at, place, Place(DerefBase(argument)), ctype.bits))
        else:
            found.append(Store(op.at, place, argument, ctype, initialises=True))
    return found


def _constants(op: Call, callee: Function) -> Mapping[int, Operand]:
    """Temps of the callee that are loaded from a parameter which is given a constant and never changes."""
    given = {
        index: argument
        for index, argument in enumerate(op.arguments)
        if isinstance(argument, FunctionAddress) and not _changes(callee, index)
    }
    if not given:
        return {}
    return {
        load.result.id: given[load.place.base.index]
        for block in callee.blocks
        for load in block.ops
        if isinstance(load, Load) and isinstance(load.place.base, LocalBase) and load.place.base.index in given
    }


def _changes(function: Function, index: int) -> bool:
    for block in function.blocks:
        for op in block.ops:
            match op:
                case Store(place=place) | AddressOf(place=place) | Zero(place=place) | Clobber(place=place):
                    if place.base == LocalBase(index):
                        return True
                case _:
                    pass
    return False


def _temps(block: BasicBlock) -> Sequence[int]:
    return [op.result.id for op in block.ops if isinstance(getattr(op, "result", None), Temp)]  # type: ignore[union-attr]


@final
@dataclass(frozen=True, slots=True)
class _Leave:
    """Where a return goes. result: the local that gets the value, -1: nobody wants it."""

    call: Call
    result: int
    behind: int
    parameters: tuple[int, ...]


@final
class _Copy:
    """Renumbers what a body says of locals, temps and blocks."""

    def __init__(self, at: int, first: int, temp: int, block: int, constants: Mapping[int, Operand]) -> None:
        self._at = at
        self._first = first
        self._temp = temp
        self._start = block
        self._constants = constants

    def block(self, block: BasicBlock, leave: _Leave) -> BasicBlock:
        """A block of the body."""
        ops = [self._op(op) for op in block.ops]
        end = block.end
        if not isinstance(end, Return):
            return BasicBlock((*ops,), self._end(end))
        if leave.result >= 0:
            value = self._operand(end.value) if end.value is not None else Unknown()
            ctype = leave.call.result_type
            ops.append(Store(self._at, Place(LocalBase(leave.result)), value, ctype))
        if leave.call.record_result is not None and end.record is not None:
            ctype = leave.call.result_type
            ops.append(CopyRecord(self._at, leave.call.record_result, self._place(end.record), ctype.bits))
        if leave.parameters:
            ops.append(ScopeEnd(self._at, leave.parameters))
        return BasicBlock((*ops,), Goto(self._at, leave.behind))

    def _op(self, op: Op) -> Op:  # noqa: C901 - one case per operation
        at = self._at
        match op:
            case Load():
                return Load(at, self._result(op.result), self._place(op.place), op.type)
            case Store():
                return Store(at, self._place(op.place), self._operand(op.value), op.type, op.initialises)
            case AddressOf():
                return AddressOf(at, self._result(op.result), self._place(op.place))
            case Unary():
                return Unary(at, self._result(op.result), op.operator, self._operand(op.operand))
            case Binary():
                left, right = self._operand(op.left), self._operand(op.right)
                return replace(op, at=at, result=self._result(op.result), left=left, right=right)
            case Convert():
                return Convert(at, self._result(op.result), self._operand(op.operand), op.type)
            case Call():
                return self._call(op)
            case CopyRecord():
                return replace(op, at=at, target=self._place(op.target), source=self._place(op.source))
            case Zero():
                return replace(op, at=at, place=self._place(op.place))
            case Clobber():
                return Clobber(at, self._place(op.place))
            case DeclareLocal():
                return DeclareLocal(at, self._first + op.local)
            case ScopeEnd():
                return ScopeEnd(at, tuple(self._first + index for index in op.locals))
            case EndExpression():
                return EndExpression(at)
            case _:
                assert_never(op)

    def _call(self, op: Call) -> Call:
        name, target = op.name, op.target
        if target is not None:
            target = self._operand(target)
            if isinstance(target, FunctionAddress):
                name, target = target.name, None
        return replace(
            op,
            at=self._at,
            name=name,
            target=target,
            result=None if op.result is None else self._result(op.result),
            arguments=tuple(self._operand(argument) for argument in op.arguments),
            record_result=None if op.record_result is None else self._place(op.record_result),
        )

    def _end(self, end: Terminator) -> Terminator:
        at = self._at
        match end:
            case Goto():
                return Goto(at, self._start + end.target)
            case Branch():
                condition = self._operand(end.condition)
                return Branch(at, condition, self._start + end.if_true, self._start + end.if_false, end.choice)
            case Switch():
                cases = tuple(replace(case, target=self._start + case.target) for case in end.cases)
                return Switch(at, self._operand(end.value), cases, self._start + end.default)
            case Jump():
                return Jump(at, tuple(self._start + target for target in end.targets))
            case Stop():
                return Stop(at, end.reason)
            case Return():
                raise AssertionError("handled by block()")
            case _:
                assert_never(end)

    def _result(self, temp: Temp) -> Temp:
        return Temp(temp.id + self._temp)

    def _operand(self, operand: Operand) -> Operand:
        if isinstance(operand, Temp):
            return self._constants.get(operand.id) or Temp(operand.id + self._temp)
        return operand

    def _place(self, place: Place) -> Place:
        base = place.base
        if isinstance(base, LocalBase):
            base = LocalBase(base.index + self._first)
        elif isinstance(base, DerefBase):
            base = DerefBase(self._operand(base.pointer))
        return Place(base, tuple(self._selector(one) for one in place.selectors))

    def _selector(self, selector: Selector) -> Selector:
        if isinstance(selector, Index):
            return replace(selector, index=self._operand(selector.index))
        return selector
