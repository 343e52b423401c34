"""What one loss costs, where the contract of the acquiring function says it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.checks.source_text import SourceText
from analyzer.contracts.model import EffectKind, FunctionContract
from analyzer.contracts.syntax import term_text
from analyzer.ir.function import Function
from analyzer.ir.operands import Int
from analyzer.ir.ops import Call
from analyzer.ownership.events import Event

_PRODUCT = re.compile(r"\w+(?: \* \w+)*")
_FACTOR = re.compile(r"[\w.>-]+|sizeof ?\(.*\)")


def cost(event: Event, function: Function, contract: FunctionContract | None, source: SourceText) -> str:
    """``16 bytes``, ```n * 4` bytes``, or the words of the contract; "" where they do not speak of this resource."""
    if contract is None or not contract.bytes or event.old or event.slot != _first(contract):
        return ""
    factors = contract.bytes.split(" * ")
    names = contract.signature.names
    if not _PRODUCT.fullmatch(contract.bytes) or not all(one.isdigit() or one in names for one in factors):
        return contract.bytes
    calls = list(_calls(event, function))
    if len(calls) != 1:
        return ""
    number, unknown = 1, []
    for factor in factors:
        if factor.isdigit():
            number *= int(factor)
            continue
        argument = calls[0].arguments[names.index(factor)]
        text = source.argument(event.acquired_at, event.callee, names.index(factor))
        if not text or text.endswith("..."):
            return ""
        if isinstance(argument, Int) and "sizeof" not in text:  # of a type from a missing header it would be wrong
            number *= argument.value
        else:
            unknown.append(text)
    return _said(number, unknown)


def _said(number: int, factors: list[str]) -> str:
    if not factors:
        return f"{number} byte{'' if number == 1 else 's'}" if number > 0 else ""
    known = [] if number == 1 else [str(number)]
    if len(factors) + len(known) > 1:
        factors = [one if _FACTOR.fullmatch(one) else f"({one})" for one in factors]
    return f"`{' * '.join(factors + known)}` bytes"


def _first(contract: FunctionContract) -> str:
    """What the words of the contract are about: the first thing that it hands out."""
    for outcome in contract.outcomes:
        for effect in outcome.effects:
            if effect.kind is EffectKind.FRESH and effect.term is not None:
                return term_text(effect.term, contract.signature.names)
    return ""


def _calls(event: Event, function: Function) -> Iterator[Call]:
    for block in function.blocks:
        for op in block.ops:
            if isinstance(op, Call) and op.at == event.acquired_at and op.name == event.callee:
                yield op
