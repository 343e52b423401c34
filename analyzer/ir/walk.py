"""What an operation mentions: its places, the operands it reads, the temp it defines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from analyzer.ir.operands import DerefBase, Index, Operand, Place, Temp
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


def defined_temp(op: Op) -> Temp | None:
    """The temp that `op` defines."""
    match op:
        case Load() | AddressOf() | Unary() | Binary() | Convert() | Call():
            return op.result
        case Store() | CopyRecord() | Zero() | Clobber() | DeclareLocal() | ScopeEnd() | EndExpression():
            return None
        case _:
            assert_never(op)


def places(op: Op) -> tuple[Place, ...]:
    """The places that `op` names, in reading order."""
    match op:
        case Load() | Store() | AddressOf() | Zero() | Clobber():
            return (op.place,)
        case CopyRecord():
            return (op.target, op.source)
        case Call():
            return () if op.record_result is None else (op.record_result,)
        case Unary() | Binary() | Convert() | DeclareLocal() | ScopeEnd() | EndExpression():
            return ()
        case _:
            assert_never(op)


def operands(op: Op) -> Iterator[Operand]:
    """Every operand that `op` reads, those inside its places included."""
    match op:
        case Store():
            yield op.value
        case Unary() | Convert():
            yield op.operand
        case Binary():
            yield op.left
            yield op.right
        case Call():
            if op.target is not None:
                yield op.target
            yield from op.arguments
        case Load() | AddressOf() | CopyRecord() | Zero() | Clobber():
            pass
        case DeclareLocal() | ScopeEnd() | EndExpression():
            pass
        case _:
            assert_never(op)
    for place in places(op):
        yield from place_operands(place)


def place_operands(place: Place) -> Iterator[Operand]:
    """The pointer of a place and its symbolic indices."""
    if isinstance(place.base, DerefBase):
        yield place.base.pointer
    for selector in place.selectors:
        if isinstance(selector, Index):
            yield selector.index


def terminator_operands(end: Terminator) -> Iterator[Operand]:
    """The operands that a terminator reads."""
    match end:
        case Branch():
            yield end.condition
        case Switch():
            yield end.value
        case Return():
            if end.value is not None:
                yield end.value
            if end.record is not None:
                yield from place_operands(end.record)
        case Goto() | Jump() | Stop():
            pass
        case _:
            assert_never(end)
