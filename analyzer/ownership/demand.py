"""What a run need not look at: states from which nothing can come that anybody would report.

A state in which the resource does not exist, and from which its acquiring call cannot be reached, can still lead to
a release of something that was never set, or that is no resource at all (``free("text")``). `idle_blocks` says from
where no such release can be reached either. The answer errs on the side of looking.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

from analyzer.contracts.model import EffectKind, FunctionContract, Root
from analyzer.ir.function import Function, successors
from analyzer.ir.operands import DerefBase, FunctionAddress, LocalBase, Operand, Place, Str, Temp
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    DeclareLocal,
    Load,
    Op,
    ScopeEnd,
    Store,
    Unary,
    Zero,
)
from analyzer.ir.types import TypeKind
from analyzer.ownership.prepared import CallSite, Prepared

_HANDS_ON = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})
_SPREADS = frozenset({EffectKind.UNDEFINED, EffectKind.DANGLING, EffectKind.STORE})


def ahead(function: Function, blocks: Iterable[int]) -> list[bool]:
    """For each block: whether one of `blocks` is executed in it or can be later."""
    before: list[list[int]] = [[] for _ in function.blocks]
    for source, block in enumerate(function.blocks):
        for target in successors(block.end):
            before[target].append(source)
    found = [False] * len(function.blocks)
    waiting = list(blocks)
    while waiting:
        block_id = waiting.pop()
        if not found[block_id]:
            found[block_id] = True
            waiting += before[block_id]
    return found


def behind(function: Function, start: int) -> list[bool]:
    """For each block: whether it can be executed after `start`, or is `start` itself."""
    found = [False] * len(function.blocks)
    waiting = [start]
    while waiting:
        block_id = waiting.pop()
        if not found[block_id]:
            found[block_id] = True
            waiting += successors(function.blocks[block_id].end)
    return found


def release_ahead(prepared: Prepared) -> list[bool]:
    """For each block: whether a call that releases something lies ahead."""
    return ahead(prepared.function, (block for block, site in _sites(prepared) if _released(site.contract)))


def doubtful_release_ahead(prepared: Prepared) -> list[bool]:
    """For each block: whether a release of something unset, or of memory that is no resource, may lie ahead."""
    return _Doubt(prepared).ahead()


def _sites(prepared: Prepared) -> Iterable[tuple[int, CallSite]]:
    for block_id, block in enumerate(prepared.function.blocks):
        for op in block.ops:
            if isinstance(op, Call):
                yield block_id, prepared.calls[id(op)]


def _released(contract: FunctionContract | None) -> set[int]:
    """The arguments that are released, or memory behind which is: -1 stands for that."""
    if contract is None:
        return set()
    return {
        -1 if effect.term.selectors or effect.term.root is not Root.PARAM else effect.term.index
        for outcome in contract.outcomes
        for effect in outcome.effects
        if effect.kind is EffectKind.RELEASE and effect.term is not None
    }


@final
class _Doubt:
    """Which temps may hold nothing yet, or the address of a variable, function or string.

    Locals whose address is never taken are followed; all other memory together is one thing: `memory`.
    """

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._function = prepared.function
        self._temps: set[int] = set()
        self._memory = False
        self._locals: set[int] = set()
        self._known_by_address = self._untraceable()
        self._assigned = self._assignments()

    def ahead(self) -> list[bool]:
        """The answer for each block."""
        changed = True
        while changed:
            before = (len(self._temps), len(self._locals), self._memory)
            for block_id in range(len(self._function.blocks)):
                self._block(block_id)
            changed = before != (len(self._temps), len(self._locals), self._memory)
        return ahead(self._function, (block for block, site in _sites(self._prepared) if self._is_doubtful(site)))

    def _is_doubtful(self, site: CallSite) -> bool:
        arguments = site.op.arguments
        return any(
            index < 0 or (index < len(arguments) and self._operand(arguments[index]))
            for index in _released(site.contract)
        )

    def _untraceable(self) -> set[int]:
        """Locals that are records or arrays, or known by their address."""
        function = self._function
        found = {
            index
            for index, variable in enumerate(function.locals)
            if variable.type.kind in (TypeKind.RECORD, TypeKind.ARRAY)
        }
        for block in function.blocks:
            for op in block.ops:
                if isinstance(op, (AddressOf, Zero, Clobber)) and isinstance(op.place.base, LocalBase):
                    found.add(op.place.base.index)
                elif isinstance(op, CopyRecord):
                    self._memory = True  # may spread what is unset
        return found

    def _assignments(self) -> list[set[int]]:
        """Locals that hold something at the entry of each block on every way there: a forward must-analysis."""
        function = self._function
        everything = set(range(len(function.locals)))
        found = [set(everything) for _ in function.blocks]
        found[0] = set(range(function.parameters))
        waiting = [0]
        reached = {0}
        while waiting:
            block_id = waiting.pop()
            current = set(found[block_id])
            for op in function.blocks[block_id].ops:
                _assign(op, current)
            for target in successors(function.blocks[block_id].end):
                smaller = found[target] & current
                if target not in reached or smaller != found[target]:
                    reached.add(target)
                    found[target] = smaller
                    waiting.append(target)
        return found

    def _block(self, block_id: int) -> None:
        assigned = set(self._assigned[block_id])
        for op in self._function.blocks[block_id].ops:
            if isinstance(op, Store) and self._operand(op.value):
                self._stored(op.place)
            elif isinstance(op, Call):
                self._call(op)
            elif isinstance(op, (Load, AddressOf, Unary, Binary, Convert)) and self._result(op, assigned):
                self._temps.add(op.result.id)
            _assign(op, assigned)

    def _stored(self, place: Place) -> None:
        if isinstance(place.base, LocalBase) and place.base.index not in self._known_by_address:
            self._locals.add(place.base.index)
        else:
            self._memory = True

    def _call(self, op: Call) -> None:
        contract = self._prepared.calls[id(op)].contract
        effects = {e.kind for outcome in contract.outcomes for e in outcome.effects} if contract else set()
        if effects & _SPREADS:
            self._memory = True
        if op.result is not None and effects & _HANDS_ON:
            self._temps.add(op.result.id)

    def _result(self, op: Load | AddressOf | Unary | Binary | Convert, assigned: set[int]) -> bool:
        match op:
            case Load(place=Place(base=LocalBase(index=index), selectors=())):
                return index in self._locals or index in self._known_by_address or index not in assigned
            case Load(place=Place(base=LocalBase())):
                return True
            case Load(place=place):
                return self._memory or self._leads_here(place)
            case AddressOf(place=place):
                return self._memory or not isinstance(place.base, DerefBase) or self._leads_here(place)
            case Binary(left=left, right=right):
                return self._operand(left) or self._operand(right)
            case Unary(operand=operand) | Convert(operand=operand):
                return self._operand(operand)

    def _leads_here(self, place: Place) -> bool:
        """Whether the place may lie in a variable of ours, by way of a pointer."""
        return isinstance(place.base, DerefBase) and self._operand(place.base.pointer)

    def _operand(self, operand: Operand) -> bool:
        if isinstance(operand, Temp):
            return operand.id in self._temps
        return isinstance(operand, (Str, FunctionAddress))


def _assign(op: Op, assigned: set[int]) -> None:
    """What the operation does to the set of locals that hold something."""
    if isinstance(op, Store):
        if isinstance(op.place.base, LocalBase) and not op.place.selectors:
            assigned.add(op.place.base.index)
    elif isinstance(op, DeclareLocal):
        assigned.discard(op.local)
    elif isinstance(op, ScopeEnd):
        assigned.difference_update(op.locals)
