"""What the literal formats of a call say of its arguments.

A scanf-like call allocates for the `m` modifier (POSIX.1-2008, fscanf: "assignment-allocation"):

sscanf(line, "%ms %d", &name, &age)      ret >= 1: *name is fresh
"""

from __future__ import annotations

import re
from dataclasses import replace

from analyzer.contracts.model import Atom, Effect, EffectKind, FunctionContract, Outcome, Root, Term
from analyzer.ir.operands import Operand, Str

_CONVERSION = re.compile(r"%(\*)?\d*(m)?(?:hh|h|ll|l|j|z|t|L|q)?(\[\^?\]?[^\]]*\]|[A-Za-z%])")
_RET = Term(Root.RET)


def with_format(contract: FunctionContract, arguments: tuple[Operand, ...]) -> FunctionContract:
    """The contract of this very call: what its format allocates is known where it is a literal."""
    if contract.scans is None or contract.scans[0] >= len(arguments):
        return contract
    position, kind = contract.scans
    text = arguments[position]
    if not isinstance(text, Str) or "$" in text.text:
        return contract
    found, total = _allocated(text.text, len(contract.signature.parameters))
    if not found:
        return contract
    terms = [Term(Root.PARAM, index, ("*",)) for _, index in found]
    outcomes = []
    for done in range(len(found) + 1):
        at_least = (Atom(_RET, ">=", found[done - 1][0]),) if done else ()
        least_of_next = found[done][0] if done < len(found) else total + 1
        fresh = tuple(Effect(EffectKind.FRESH, term, kind) for term in terms[:done])
        unset = tuple(Effect(EffectKind.UNCHANGED, term) for term in terms[done:])
        outcomes.append(Outcome((*at_least, Atom(_RET, "<", least_of_next)), (*fresh, *unset)))
    return replace(contract, outcomes=tuple(outcomes))


def _allocated(text: str, first: int) -> tuple[list[tuple[int, int]], int]:
    """Allocating conversions, and the number of all that count.

    Of each the least result with which it was done, and its argument's position.
    """
    assigned, argument = 0, first
    found = []
    for match in _CONVERSION.finditer(text):
        suppressed, allocates, conversion = match.groups()
        if suppressed or conversion == "%":
            continue
        if conversion != "n":
            assigned += 1
            if allocates:
                found.append((assigned, argument))
        argument += 1
    return found, assigned


def prints_addresses(arguments: tuple[Operand, ...]) -> bool:
    """Whether a format asks for an address itself: ``%p`` looks at no memory."""
    return any(isinstance(argument, Str) and "%p" in argument.text for argument in arguments)
