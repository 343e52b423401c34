"""The C library's functions that clear or copy a constant number of bytes, as what they do to memory.

    memset(&c, 0, sizeof c)       zero *&c bits 128
    memcpy(a, b, sizeof *a)       copy *a = *b bits 128

A contract could not say it: how much is written stands in an argument.
"""

from __future__ import annotations

from typing import Final

from analyzer.frontend.body import Body
from analyzer.ir.operands import DerefBase, Int, Operand, Place
from analyzer.ir.ops import CopyRecord, Zero
from analyzer.ir.types import TypeKind
from analyzer.libclang import kinds

_CLEAR: Final = {"memset": 2, "bzero": 1, "explicit_bzero": 1}  # the position of the size
_COPY: Final = {"memcpy": (0, 1), "memmove": (0, 1), "bcopy": (1, 0)}  # target, source
_CASTS: Final = frozenset({kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR, kinds.CSTYLE_CAST_EXPR})


def instead_of_call(body: Body, name: str, nodes: list[int], values: tuple[Operand, ...], at: int) -> Operand | None:
    """Emit what the call does and give its result, where it is one of these and its size is known; else None."""
    if name in _CLEAR and len(values) > _CLEAR[name]:
        size = values[_CLEAR[name]]
        if isinstance(size, Int) and size.value > 0 and (name != "memset" or values[1] == Int(0)):
            part = _is_part(body, nodes[0], size.value * 8)
            body.emit(Zero(at, Place(DerefBase(values[0])), size.value * 8, part))
            return values[0]
    elif name in _COPY and len(values) > 2:
        size = values[2]
        target, source = _COPY[name]
        if isinstance(size, Int) and size.value > 0:
            part = _is_part(body, nodes[target], size.value * 8)
            places = (Place(DerefBase(values[target])), Place(DerefBase(values[source])))
            body.emit(CopyRecord(at, *places, size.value * 8, part))
            return values[target]
    return None


def _is_part(body: Body, node: int, bits: int) -> bool:
    """Whether the bits may be less than all of what the argument points to."""
    while body.kinds[node] in _CASTS and len(body.children[node]) > 0:
        inner = body.children[node][-1]
        if body.type(inner).kind not in (TypeKind.POINTER, TypeKind.ARRAY):
            break
        node = inner
    type_ = body.lib.getCursorType(body.cursor(node))
    if body.type(node).kind is TypeKind.ARRAY:
        whole = body.types.bits(type_)
    else:
        inner_type = body.types.pointee(type_)
        whole = body.types.bits(inner_type) if body.types.convert(inner_type).kind is TypeKind.RECORD else 0
    return not 0 < whole <= bits
