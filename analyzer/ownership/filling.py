"""Descriptors that are opened for their numbers: the lowest free one is known to be 0, 1 or 2."""

from __future__ import annotations

from typing import Final

from analyzer.ir.operands import Int, Operand, Str
from analyzer.ir.ops import Binary
from analyzer.ownership.liveness import operands_of
from analyzer.ownership.prepared import CallSite, Prepared

LAST_STANDARD_STREAM: Final = 2


def fills_on_purpose(prepared: Prepared, site: CallSite) -> bool:
    """Whether the result of a call that opens something is not kept because its number is known."""
    result = site.op.result
    if result is not None:
        uses = [op for block in prepared.function.blocks for op in block.ops if result in operands_of(op)]
        return bool(uses) and all(isinstance(op, Binary) and _asks_for_stream(op) for op in uses)
    return prepared.makes_gaps or (site.cyclic and any(isinstance(one, Str) for one in site.op.arguments))


def _asks_for_stream(op: Binary) -> bool:
    return op.operator in ("==", "!=") and (_is_stream(op.left) or _is_stream(op.right))


def _is_stream(operand: Operand) -> bool:
    return isinstance(operand, Int) and 0 <= operand.value <= LAST_STANDARD_STREAM
