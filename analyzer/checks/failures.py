"""Which edges of a function are taken only where a call has failed.

A call has failed where its result is negative, where it hands nothing out though it otherwise would (its contract
says for which results), and where its result, if it is not 0, is at once returned. What a contract does not tell is
no failure: a null pointer may just say that there is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from analyzer.contracts.model import Atom, EffectKind, FunctionContract, Root
from analyzer.ir.function import Function, successors
from analyzer.ir.operands import Int, LocalBase, Operand, Temp
from analyzer.ir.ops import AddressOf, Binary, Branch, Call, Convert, Goto, Load, Op, Return, Store
from analyzer.ir.types import TypeKind
from analyzer.ir.walk import defined_temp

Known = Callable[[str], FunctionContract | None]  # the contract that applies to calls of a name in the unit

_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}
_HOLDS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "&": lambda left, right: left & right != 0,
    "!&": lambda left, right: left & right == 0,
}
_CODE = 32  # bits of a result that tells whether a call has failed
_MOST_BLOCKS = 8  # on the way back from a condition to the call, or on to the return


@final
@dataclass(frozen=True, slots=True)
class Failure:
    """An edge that is taken only where a call has failed. at: of the condition. callee: the function, "" unknown."""

    source: int
    target: int
    at: int
    callee: str


@final
@dataclass(frozen=True, slots=True)
class _Test:
    """A condition on the result of a call. local: variable that holds it, -1 for none."""

    call: Call
    operator: str
    value: int
    local: int


def failures(function: Function, known: Known) -> tuple[Failure, ...]:
    """All such edges, by block."""
    return tuple(_Finder(function, known).all())


def returns_negative(function: Function, block: int) -> bool:
    """Whether a block ends by returning a negative constant."""
    end = function.blocks[block].end
    signed = function.result.kind is TypeKind.INT and function.result.signed
    return signed and isinstance(end, Return) and isinstance(end.value, Int) and end.value.value < 0


@final
class _Finder:
    def __init__(self, function: Function, known: Known) -> None:
        self._function = function
        self._known = known
        self._places: dict[int, tuple[int, int]] = {}  # temp -> block, index
        self._shared: set[int] = set()  # locals whose address is taken
        self._before: dict[int, list[int]] = {}
        for number, block in enumerate(function.blocks):
            for index, op in enumerate(block.ops):
                temp = defined_temp(op)
                if temp is not None:
                    self._places[temp.id] = (number, index)
                if isinstance(op, AddressOf) and isinstance(op.place.base, LocalBase):
                    self._shared.add(op.place.base.index)
            for target in successors(block.end):
                self._before.setdefault(target, []).append(number)

    def all(self) -> Iterator[Failure]:
        for number, block in enumerate(self._function.blocks):
            if not isinstance(block.end, Branch) or block.end.if_true == block.end.if_false:
                continue
            test = self._test(block.end.condition)
            if test is None:
                continue
            for target, operator in (
                (block.end.if_true, test.operator),
                (block.end.if_false, _OPPOSITE[test.operator]),
            ):
                if self._is_failure(test, operator, target):
                    yield Failure(number, target, block.end.at, test.call.name or "")

    def _defining(self, operand: Operand) -> tuple[Op, int, int] | None:
        if not isinstance(operand, Temp) or operand.id not in self._places:
            return None
        block, index = self._places[operand.id]
        return self._function.blocks[block].ops[index], block, index

    def _test(self, condition: Operand) -> _Test | None:
        found = self._defining(condition)
        if found is not None and isinstance(found[0], Binary) and found[0].operator in _OPPOSITE:
            op = found[0]
            if isinstance(op.right, Int):
                return self._on_call(op.left, op.operator, op.right.value)
            if isinstance(op.left, Int):
                return self._on_call(op.right, _SWAPPED[op.operator], op.left.value)
            return None
        return self._on_call(condition, "!=", 0)

    def _on_call(self, operand: Operand, operator: str, value: int) -> _Test | None:
        """The condition as one on the result of the call that the operand comes from."""
        local = -1
        for _ in range(_MOST_BLOCKS):
            found = self._defining(operand)
            if found is None:
                return None
            op, block, index = found
            match op:
                case Call():
                    return _Test(op, operator, value, local if local >= 0 else self._kept_in(op, block, index))
                case Convert():
                    operand = op.operand
                case Load() if (local := self._local(op)) >= 0:
                    stored = self._stored(local, block, index)
                    if stored is None:
                        return None
                    operand = stored
                case _:
                    return None
        return None

    def _local(self, op: Load | Store) -> int:
        """The variable that is read or written as a whole and nothing else can change, -1 for none."""
        base = op.place.base
        if not isinstance(base, LocalBase) or op.place.selectors or base.index in self._shared:
            return -1
        return base.index

    def _stored(self, local: int, block: int, index: int) -> Operand | None:
        """What the variable holds before an operation, where there is one way that leads there."""
        for _ in range(_MOST_BLOCKS):
            for op in reversed(self._function.blocks[block].ops[:index]):
                if isinstance(op, Store) and self._local(op) == local:
                    return op.value
            before = self._before.get(block, [])
            if len(before) != 1:
                return None
            block = before[0]
            index = len(self._function.blocks[block].ops)
        return None

    def _kept_in(self, call: Call, block: int, index: int) -> int:
        """The variable that gets the result of a call directly after it, -1 for none."""
        for op in self._function.blocks[block].ops[index + 1 :]:
            if isinstance(op, Store) and op.value == call.result:
                return self._local(op)
        return -1

    def _is_failure(self, test: _Test, operator: str, target: int) -> bool:
        result, value = test.call.result_type, test.value
        contract = self._known(test.call.name) if test.call.name else None
        if contract is not None and contract.signature.result.kind is not result.kind:
            contract = None
        signed = result.kind is TypeKind.INT and result.signed
        left = _left(contract, operator, value)
        if not left:
            return False
        if contract is not None and _acquires(contract):
            return not any(_is_fresh(contract, one) for one in left)
        if signed and all(one < 0 for one in left):
            return True
        code = signed and result.bits <= _CODE  # wider ones count something
        return code and (operator, value) == ("!=", 0) and test.local >= 0 and self._hands_on(test.local, target)

    def _hands_on(self, local: int, block: int) -> bool:
        """Whether the way from this block leads straight to a return of the variable."""
        for _ in range(_MOST_BLOCKS):
            ops, end = self._function.blocks[block].ops, self._function.blocks[block].end
            if any(isinstance(op, Store) and self._local(op) == local for op in ops):
                return False
            if not isinstance(end, Goto):
                found = self._defining(end.value) if isinstance(end, Return) and end.value is not None else None
                return found is not None and isinstance(found[0], Load) and self._local(found[0]) == local
            block = end.target
        return False


def _left(contract: FunctionContract | None, operator: str, value: int) -> list[int]:
    """Results that a condition leaves: one of each sort that the contract tells apart."""
    limits = {-1, 0, 1, value - 1, value, value + 1}
    if contract is None:
        return [one for one in sorted(limits) if _HOLDS[operator](one, value)]
    atoms = [atom for outcome in contract.outcomes for atom in _on_result((*outcome.when, *outcome.after))]
    limits.update(atom.value + more for atom in (*atoms, *contract.returns) for more in (-1, 0, 1))
    return [
        one
        for one in sorted(limits)
        if _HOLDS[operator](one, value)
        and _fits(contract.returns, one)
        and any(_fits(_on_result(outcome.when), one) for outcome in contract.outcomes)
    ]


def _on_result(atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
    return tuple(atom for atom in atoms if atom.term.root is Root.RET and not atom.term.selectors)


def _fits(atoms: tuple[Atom, ...], value: int) -> bool:
    return all(_HOLDS[atom.operator](value, atom.value) for atom in _on_result(atoms))


def _acquires(contract: FunctionContract) -> bool:
    """Whether it hands something out in some cases and nothing in others."""
    fresh = [any(effect.kind is EffectKind.FRESH for effect in outcome.effects) for outcome in contract.outcomes]
    return any(fresh) and not all(fresh)


def _is_fresh(contract: FunctionContract, value: int) -> bool:
    """Whether something is handed out with this result."""
    return any(
        effect.kind is EffectKind.FRESH
        for outcome in contract.outcomes
        if _fits(_on_result(outcome.when), value)
        for effect in outcome.effects
    )
