"""Last step of reading a rule file: which functions wait, which call what they are given, which only compare it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from yaml.nodes import ScalarNode

from analyzer.contracts.document import Problems
from analyzer.contracts.model import FunctionContract
from analyzer.contracts.shape import Timing
from analyzer.contracts.syntax import closest
from analyzer.ir.types import TypeKind


def with_timing(functions: Sequence[FunctionContract], timing: Timing, problems: Problems) -> list[FunctionContract]:
    """The functions with what `waits:`, `calls:` and `compares:` say of them. Names that fit none are problems."""
    known = {function.name for function in functions}
    for section, names in (("waits", timing.waits), ("calls", timing.calls), ("compares", timing.compares)):
        for name, (at, *_) in names.items():
            if name not in known:
                problems.at(at, _unknown(name, section, known))
    return [
        replace(
            function,
            waits=timing.waits[function.name][1] if function.name in timing.waits else "",
            calls=tuple(_calls(function, timing.calls[function.name][1], problems))
            if function.name in timing.calls
            else (),
            unread=tuple(_compares(function, timing.compares[function.name][1], problems))
            if function.name in timing.compares
            else (),
        )
        for function in functions
    ]


def _unknown(name: str, section: str, known: Iterable[str]) -> str:
    near = closest(name, sorted(known))
    remedy = f"did you mean `{near[0]}`?" if near else f"add `{name}` to `borrows:` or `functions:`"
    return f"`{section}:` names `{name}`, which this file does not describe; {remedy}"


def _calls(
    function: FunctionContract, named: Iterable[tuple[ScalarNode, str]], problems: Problems
) -> Iterator[tuple[int, str]]:
    for at, noun in named:
        position = _position(function, at, problems)
        if position is None:
            continue
        if function.signature.parameters[position].pointee_kind is TypeKind.FUNCTION:
            yield position, noun
        else:
            problems.at(at, f"`{at.value}` is no function to call; name a parameter that is a pointer to a function")


def _compares(function: FunctionContract, named: Iterable[ScalarNode], problems: Problems) -> Iterator[int]:
    for at in named:
        position = _position(function, at, problems)
        if position is None:
            continue
        if function.signature.parameters[position].kind is TypeKind.POINTER:
            yield position
        else:
            problems.at(at, f"`{at.value}` is no pointer, so nobody could look behind it")


def _position(function: FunctionContract, at: ScalarNode, problems: Problems) -> int | None:
    names = function.signature.names
    if at.value in names:
        return names.index(at.value)
    known = ", ".join(filter(None, names)) or "none"
    problems.at(at, f"`{at.value}` is no parameter of `{function.name}`; known here: {known}")
    return None
