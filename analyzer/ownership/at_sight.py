"""Contracts of functions in which nothing happens that a run would have to follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from analyzer.contracts.model import (
    Atom,
    FunctionContract,
    Outcome,
    Provenance,
    Signature,
)
from analyzer.ir.function import Function
from analyzer.ir.operands import GlobalBase, Int, Place, Str
from analyzer.ir.ops import AddressOf, Binary, Op, Return, Store, Unary
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.outcomes import RET
from analyzer.ownership.prepared import Prepared
from analyzer.ownership.stopping import may_stop
from analyzer.ownership.subjects import Subjects

MOST_CONSTANTS = 5
MOST_OF_A_QUESTION = 12  # blocks


def plain_contract(function: Function) -> FunctionContract:
    """A function that does nothing to ownership."""
    types = tuple(variable.type for variable in function.locals[: function.parameters])
    names = tuple(variable.name for variable in function.locals[: function.parameters])
    return FunctionContract(
        function.name,
        Signature(function.result, types, names, function.variadic),
        (Outcome((), ()),),
        Provenance.INFERRED,
        source=f"{function.file}:{function.at}",
    )


def contract_at_sight(prepared: Prepared, found: Subjects) -> FunctionContract | None:
    """The contract of a function with which nothing happens that a run would have to follow, else None.

    What it returns is known where all of its returns are constants.
    """
    follows = found.parameters or found.members or found.stored or found.deep_released or found.deep_gone
    if (
        follows
        or found.written
        or found.whole
        or found.released_globals
        or _may_return_static(prepared)
        or asks(prepared.expansion.source)
        or any(prepared.function.locals[i].type.kind is TypeKind.RECORD for i in _unseen_parameters(prepared))
    ):
        return None
    returns = _reached_returns(prepared)
    if not returns:
        return None  # it never returns, or only under conditions that a run must judge
    contract = plain_contract(prepared.function)
    values = {end.value.value if isinstance(end.value, Int) else None for end in returns}
    constants = sorted(value for value in values if value is not None)
    outcomes = contract.outcomes
    if len(constants) == len(values) and len(constants) <= MOST_CONSTANTS:
        outcomes = tuple(Outcome((Atom(RET, "==", number),), ()) for number in constants)
    types = contract.signature.parameters
    pointers = (i for i, t in enumerate(types) if t.kind is TypeKind.POINTER or i in prepared.by_value)
    return replace(
        contract,
        outcomes=with_passes(outcomes, found),
        writes=tuple(sorted(found.writes)),
        complete=tuple(index for index in pointers if index not in found.incomplete),
        unread=unread(types, found),
        below=tuple(sorted(found.below)),
        uses=found.uses,
        extras=found.extras,
        routes=found.routes_out(),
    )


def with_passes(outcomes: tuple[Outcome, ...], found: Subjects) -> tuple[Outcome, ...]:
    """The outcomes with what goes to functions that the function is given, whatever happens."""
    if not found.passes:
        return outcomes
    return tuple(replace(outcome, effects=(*outcome.effects, *found.passes)) for outcome in outcomes)


def asks(function: Function) -> bool:
    """Whether it is a small function whose result may say something of its arguments: ``return fd < 0;``."""
    if function.result.kind not in (TypeKind.INT, TypeKind.BOOL) or len(function.blocks) > MOST_OF_A_QUESTION:
        return False
    if not any(variable.type.kind in _SEEN for variable in function.locals[: function.parameters]):
        return False
    return len(function.blocks) > 1 or any(isinstance(op, (Binary, Unary)) for op in function.blocks[0].ops)


def _may_return_static(prepared: Prepared) -> bool:
    """Whether a run must see what is returned: memory that nobody may release, as far as its type lets anyone try."""
    ctype = prepared.function.result
    if ctype.kind is not TypeKind.POINTER or ctype.pointee_const or ctype.pointee_kind is TypeKind.FUNCTION:
        return False
    blocks = prepared.function.blocks
    if prepared.not_ours or any(isinstance(b.end, Return) and isinstance(b.end.value, Str) for b in blocks):
        return True
    return any(_is_static(op) for block in blocks for op in block.ops)


def _is_static(op: Op) -> bool:
    match op:
        case AddressOf(place=Place(base=GlobalBase())) | Store(value=Str()):
            return True
        case _:
            return False


_SEEN = (TypeKind.POINTER, TypeKind.INT)


def unread(types: Sequence[CType], found: Subjects) -> tuple[int, ...]:
    """Pointer parameters behind which the function never looks; numbers that it gives to nobody."""
    return tuple(i for i, ctype in enumerate(types) if ctype.kind in _SEEN and i not in found.read)


def _unseen_parameters(prepared: Prepared) -> Iterator[int]:
    return (index for index in range(prepared.function.parameters) if index not in prepared.by_value)


def _reached_returns(prepared: Prepared) -> list[Return]:
    """Returns that some way leads to on which every call comes back; none if a call may not."""
    for site in prepared.calls.values():
        if may_stop(site.contract, site.op):
            return []
    return [block.end for block in prepared.function.blocks if isinstance(block.end, Return)]
