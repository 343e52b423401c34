"""The identity of a finding over time: no line, no column, no wording."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import final

from analyzer.checks.source_text import SourceText
from analyzer.findings.model import StepKind
from analyzer.ir.function import Function
from analyzer.ir.ops import Call
from analyzer.ownership.events import Event

_CALLS = re.compile(r"(?P<name>[A-Za-z_]\w*)?\s*\(|\)")
_NO_FUNCTIONS = frozenset(("sizeof", "_Alignof", "__alignof__", "return"))
_NAME = re.compile(r"(?<!\w)[A-Za-z_]\w*(?!\w)(?!\s*\()")


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


def shape(code: str) -> str:
    """Code without what a renaming or a formatter changes: names become `v`, except those of called functions
    and NULL; white space goes."""
    return "".join(_NAME.sub(lambda name: name[0] if name[0] in ("NULL", "return") else "v", code).split())


def decision(condition: str) -> str:
    """What a condition asks: the functions that it calls, in order, whatever they are given and their results are
    compared with; without a call its shape."""
    names: list[str] = []
    inside: list[bool] = []
    for token in _CALLS.finditer(condition):
        name = token["name"] or ""
        if token[0] == ")":
            del inside[-1:]
            continue
        if name and name not in _NO_FUNCTIONS and not any(inside):
            names.append(name)
        inside.append(bool(name))
    return " ".join(names) or shape(condition)


@final
class PointNames:
    """Fingerprints for the single loss points of one function.

    Function, acquiring call, slot, holder, kind, the branch that leads to the loss by what it asks (one inside of a
    macro says nothing here: its text stands elsewhere) and the shape of the `return` that ends it; points that are
    equal in all of this are numbered as they stand in the file. Neither the file nor the number of the call: code that
    moves, and a further call of the same function before it, change nothing.
    """

    def __init__(self, function: Function, source: SourceText) -> None:
        self._function = function
        self._source = source
        self._places: dict[tuple[str, ...], list[tuple[int, int]]] = {}

    def name(self, event: Event) -> str:
        """The fingerprint; events must come in the order of the file. The same place again has the same."""
        key = (
            self._function.name,
            event.callee or event.released_by,
            event.slot,
            event.holder,
            event.kind.value,
            self._branch(event),
            shape(self._source.code(event.at)) if self._source.word(event.at) == "return" else "",
        )
        places = self._places.setdefault(key, [])
        place = (event.at, event.acquired_at)
        if place not in places:
            places.append(place)
        return hashlib.sha256("\0".join((*key, str(places.index(place)))).encode()).hexdigest()

    def _branch(self, event: Event) -> str:
        for step in reversed(event.steps):
            if step.kind is StepKind.BRANCH and not self._source.statement_macro(step.at):
                return f"{decision(self._source.condition(step.at))} {step.taken}"
        return ""
