"""Cases of two contracts for one function: which outcomes can be the same case, and what they say of a term."""

from __future__ import annotations

from dataclasses import replace

from analyzer.contracts.model import Atom, Effect, EffectKind, FunctionContract, Outcome, Root, Term
from analyzer.ownership.application import return_range
from analyzer.ownership.ranges import FULL, Range, complement, intersect, unite

RET = Term(Root.RET)


def returned(contract: FunctionContract) -> list[Range]:
    """The values returned in each outcome; one without condition has what those before it left over."""
    found: list[Range] = []
    taken: Range = ()
    for outcome in contract.outcomes:
        if not outcome.when:
            found.append(complement(taken) if taken else FULL)
            continue
        values = return_range(outcome)
        found.append(values)
        if all(atom.term == RET for atom in outcome.when):
            taken = unite(taken, values) if taken else values
    return found


def bare(term: Term) -> Term:
    """Without the offsets that only inferred contracts have."""
    return replace(term, selectors=tuple(selector.partition("@")[0] for selector in term.selectors))


def is_void(term: Term, when: tuple[Atom, ...]) -> bool:
    """Whether in this case nothing is there: the term, or what it hangs below, is null or a failed number."""
    for atom in when:
        named = bare(atom.term)
        same = (named.root, named.index) == (term.root, term.index)
        above = same and term.selectors[: len(named.selectors)] == named.selectors
        if above and (named.root is Root.PARAM or named == term):
            null = atom.operator == "==" and atom.value == 0
            if null or (atom.operator == "<" and atom.value == 0):
                return True
    return False


def may_both(left: Outcome, right: Outcome) -> bool:
    """Whether conditions on the same parameter leave a common value."""
    ranges: dict[Term, Range] = {}
    for atom in (*left.when, *right.when):
        if atom.term.root is Root.PARAM and not atom.term.selectors and atom.operator not in ("&", "!&"):
            allowed = _allowed(atom)
            ranges[atom.term] = intersect(ranges.get(atom.term, FULL), allowed)
    return all(ranges.values())


def covers(left: Outcome, right: Outcome) -> bool:
    """Whether the conditions of `left` on what is given hold wherever those of `right` do, as far as is easily seen."""
    return all(_implied(atom, right) for atom in left.when if atom.term.root is not Root.RET)


def _implied(atom: Atom, by: Outcome) -> bool:
    if atom in by.when:
        return True
    if atom.operator in ("&", "!&"):
        return False
    values = FULL
    for other in by.when:
        if bare(other.term) == bare(atom.term) and other.operator not in ("&", "!&"):
            values = intersect(values, _allowed(other))
    return is_within(values, _allowed(atom))


def is_within(inner: Range, outer: Range) -> bool:
    """Whether all values of a range that has some are in another one."""
    return bool(inner) and intersect(inner, outer) == inner


def _allowed(atom: Atom) -> Range:
    """The values that a condition allows."""
    return return_range(Outcome((Atom(RET, atom.operator, atom.value),), ()))


def effects_on(term: Term, outcome: Outcome) -> list[Effect]:
    """What the outcome says of a term; that the function returns its argument is said of the result, too."""
    itself = [effect for effect in outcome.effects if effect.kind is EffectKind.RETURN and term == RET]
    return itself + [e for e in outcome.effects if e.term is not None and bare(e.term) == term]
