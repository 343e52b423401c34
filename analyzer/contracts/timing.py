"""Last step of reading a rule file: which functions wait, and which call what they are given."""

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
    """The functions with what `waits:` and `calls:` say of them. Names that fit none are problems."""
    known = {function.name for function in functions}
    for section, names in (("waits", timing.waits), ("calls", timing.calls)):
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
    signature = function.signature
    for at, noun in named:
        if at.value not in signature.names:
            known = ", ".join(filter(None, signature.names)) or "none"
            problems.at(at, f"`{at.value}` is no parameter of `{function.name}`; known here: {known}")
            continue
        position = signature.names.index(at.value)
        if signature.parameters[position].pointee_kind is TypeKind.FUNCTION:
            yield position, noun
        else:
            problems.at(at, f"`{at.value}` is no function to call; name a parameter that is a pointer to a function")
