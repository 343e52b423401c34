"""Which calls may end the process."""

from __future__ import annotations

from analyzer.contracts.model import Atom, EffectKind, FunctionContract, Root
from analyzer.ir.operands import Int
from analyzer.ir.ops import Call
from analyzer.ownership.ranges import contains, from_relation


def may_stop(contract: FunctionContract | None, call: Call) -> bool:
    """Whether the contract says that this call may not return: ``error(1, errno, "x")``, and not ``error(0, ...)``."""
    outcomes = contract.outcomes if contract is not None else ()
    return any(
        any(effect.kind is EffectKind.NORETURN for effect in outcome.effects)
        and not any(_is_refuted(atom, call) for atom in outcome.when)
        for outcome in outcomes
    )


def _is_refuted(atom: Atom, call: Call) -> bool:
    """Whether a constant that is passed says otherwise."""
    term = atom.term
    if term.root is not Root.PARAM or term.selectors or term.index >= len(call.arguments):
        return False
    argument = call.arguments[term.index]
    if not isinstance(argument, Int):
        return False
    if atom.operator in ("&", "!&"):
        return bool(argument.value & atom.value) != (atom.operator == "&")
    return not contains(from_relation(atom.operator, atom.value), argument.value)
