"""Integer constants: folding, conversion between types, and asking the parser for a value.

The IR knows no types of constants, so each result is brought into the range of its C type here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Final

from analyzer.ir.operands import FunctionAddress, Int, Operand, Str, Unknown
from analyzer.ir.types import CType, TypeKind
from analyzer.libclang.binding import Cursor, Library
from analyzer.libclang.kinds import EVALUATED_INT

_FOLDABLE: Final[dict[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LONGEST_SHIFT: Final = 127


def wrap(value: int, type_: CType) -> int:
    """The value that an integer has after conversion to a type."""
    if type_.kind is TypeKind.BOOL:
        return int(value != 0)
    if type_.kind is not TypeKind.INT or not type_.bits:
        return value
    value &= (1 << type_.bits) - 1
    return value - (1 << type_.bits) if type_.signed and value >> (type_.bits - 1) else value


def fold(operator_: str, left: int, right: int, type_: CType) -> Operand | None:
    """``left operator right`` in a type, None when C leaves it undefined."""
    plain = _FOLDABLE.get(operator_)
    if plain:
        return Int(wrap(int(plain(left, right)), type_))
    if operator_ in ("<<", ">>") and 0 <= right <= _LONGEST_SHIFT:
        return Int(wrap(left << right if operator_ == "<<" else left >> right, type_))
    if operator_ in ("/", "%") and right:
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return Int(wrap(quotient if operator_ == "/" else left - quotient * right, type_))
    return None


def evaluate(lib: Library, cursor: Cursor, type_: CType) -> Int | None:
    """The integer that the parser computes for a constant expression, None when it is not one."""
    result = lib.Cursor_Evaluate(cursor)
    if not result:
        return None
    try:
        if lib.EvalResult_getKind(result) != EVALUATED_INT:
            return None
        value = lib.EvalResult_getAsLongLong(result)
    finally:
        lib.EvalResult_dispose(result)
    return Int(wrap(value, type_))


def truth(value: Operand) -> bool | None:
    """Whether a value is true in a condition, None when that is not known."""
    if isinstance(value, Int):
        return value.value != 0
    return True if isinstance(value, Str | FunctionAddress) else None


def keeps_values(source: CType, target: CType) -> bool:
    """Whether every value of one integer type is one of the other."""
    if target.kind is TypeKind.BOOL:
        return source.kind is TypeKind.BOOL
    if source.kind is TypeKind.BOOL:
        return True
    if source.signed:
        return target.signed and target.bits >= source.bits
    return target.bits > source.bits or (target.bits == source.bits and not target.signed)


def is_integer(type_: CType) -> bool:
    """Whether a type is an integer type, `_Bool` included."""
    return type_.kind is TypeKind.INT or type_.kind is TypeKind.BOOL


def converted(value: Operand, source: CType, target: CType) -> Operand | None:
    """The value after conversion when no operation is needed for it, else None."""
    if source is target or target.kind in (TypeKind.VOID, TypeKind.UNKNOWN, TypeKind.RECORD):
        return value
    if target.kind is TypeKind.FLOAT or source.kind is TypeKind.FLOAT:
        return value if target.kind is source.kind else Unknown()
    if isinstance(value, Int):
        return Int(wrap(value.value, target))
    if target.kind is TypeKind.BOOL and source.kind is not TypeKind.BOOL:
        return Int(1) if truth(value) else None
    if is_integer(source) and is_integer(target):
        return value if keeps_values(source, target) else None
    return value
