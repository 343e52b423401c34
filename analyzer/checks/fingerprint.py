"""The identity of a finding over time: no line, no column, no wording."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath

from analyzer.ir.function import Function
from analyzer.ir.ops import Call
from analyzer.ownership.events import Event


def call_ordinals(function: Function) -> dict[tuple[str, int], int]:
    """(callee, offset) -> which call of that callee this is in the function, from 0, in source order."""
    calls = sorted(
        {(op.name or "", op.at) for block in function.blocks for op in block.ops if isinstance(op, Call)},
        key=lambda call: call[1],
    )
    seen: dict[str, int] = {}
    ordinals: dict[tuple[str, int], int] = {}
    for name, at in calls:
        ordinals[name, at] = seen.get(name, 0)
        seen[name] = ordinals[name, at] + 1
    return ordinals


def function_identity(function: Function) -> str:
    """The linkage name; for a static function with the file's name only, so that the place from which the
    tool was started does not matter."""
    return f"{PurePosixPath(function.file).name}:{function.name}" if function.static else function.name


def fingerprint(event: Event, function: Function, ordinals: dict[tuple[str, int], int]) -> str:
    """SHA-256 over function, acquiring call and its ordinal, slot and kind of loss.

    An event without acquisition (releasing a string literal) is identified by the releasing call instead.
    """
    callee, at = event.callee, event.acquired_at
    if at < 0:
        callee, at = event.released_by, event.at
    ordinal = ordinals.get((callee, at), 0)
    key: tuple[str, ...] = (function_identity(function), callee, str(ordinal), event.slot, event.kind.value)
    if event.acquired_at < 0:
        key += (event.holder,)
    return hashlib.sha256("\0".join(key).encode()).hexdigest()
