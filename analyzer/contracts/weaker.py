"""Contracts that say less than a given one, or say it too often: what a good test of a contract tells from it.

Each comes with the words for what it differs in. None of them means the same as the original by the rules of the
language, as far as that is easily seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from analyzer.contracts.coverage import negation, spelled, true_at
from analyzer.contracts.model import Atom, Effect, EffectKind, FunctionContract, Outcome, Root
from analyzer.contracts.syntax import effect_text
from analyzer.contracts.text import condition_text
from analyzer.ir.types import TypeKind

Weaker = tuple[FunctionContract, str]

# Effects after which somebody owns something that he did not own before, or no longer.
_MOVES: Final = frozenset(
    {EffectKind.FRESH, EffectKind.RELEASE, EffectKind.TAKE, EffectKind.SHARE, EffectKind.ESCAPE, EffectKind.NORETURN}
)
# The operator when the condition takes in, or gives away, the value it is compared with.
_SHIFTED: Final = {">": ">=", "<": "<=", ">=": ">", "<=": "<"}


def weaker(contract: FunctionContract) -> Iterator[Weaker]:
    """All of them: without an effect, without a condition, with a limit moved by one."""
    yield from _without_effects(contract)
    yield from _without_flags(contract)
    yield from _without_conditions(contract)
    yield from _with_moved_limits(contract)


def _where(contract: FunctionContract, outcome: Outcome) -> str:
    condition = condition_text(outcome, contract.signature)
    return f" when {condition}" if condition else ""


def _changed(contract: FunctionContract, position: int, outcome: Outcome) -> FunctionContract:
    outcomes = list(contract.outcomes)
    outcomes[position] = outcome
    return replace(contract, outcomes=tuple(outcomes))


def _without_effects(contract: FunctionContract) -> Iterator[Weaker]:
    names = contract.signature.names
    for position, outcome in enumerate(contract.outcomes):
        for effect in dict.fromkeys(outcome.effects):
            if _is_said_anyway(effect, contract):
                continue
            left = tuple(other for other in outcome.effects if other != effect)
            found = _changed(contract, position, replace(outcome, effects=left))
            if effect.kind is EffectKind.NORETURN:
                found = replace(found, noreturn=False)
            yield found, f"without `{effect_text(effect, names)}`{_where(contract, outcome)}"


def _is_said_anyway(effect: Effect, contract: FunctionContract) -> bool:
    """Whether the language says the same where nothing is said: what is borrowed, what keeps the pointers it holds."""
    term = effect.term
    if effect.kind is EffectKind.BORROW or term is None:
        return effect.kind is EffectKind.BORROW
    if effect.kind is EffectKind.STATIC:
        return True  # no duty, and no fixture calls those that only borrow
    if effect.kind is EffectKind.BORROWED:
        return term.root is Root.RET and not term.selectors
    if effect.kind is not EffectKind.UNCHANGED or term.root is not Root.PARAM or len(term.selectors) != 1:
        return False
    return contract.signature.parameters[term.index].pointee_kind is TypeKind.POINTER


def _without_flags(contract: FunctionContract) -> Iterator[Weaker]:
    names = contract.signature.names
    for position, outcome in enumerate(contract.outcomes):
        for number, effect in enumerate(outcome.effects):
            for plain in _plainer(effect):
                effects = (*outcome.effects[:number], plain, *outcome.effects[number + 1 :])
                found = _changed(contract, position, replace(outcome, effects=effects))
                text = effect_text(plain, names)
                yield found, f"`{text}` in place of `{effect_text(effect, names)}`{_where(contract, outcome)}"


def _plainer(effect: Effect) -> Iterator[Effect]:
    """The effect without one of its words."""
    if effect.maybe:
        yield replace(effect, maybe=False)
    if effect.optional:
        yield replace(effect, optional=False)
    if effect.inout:
        yield replace(effect, inout=False)
    if effect.deep:
        yield replace(effect, deep=False)


def _without_conditions(contract: FunctionContract) -> Iterator[Weaker]:
    """What moves a resource happens also where a condition does not hold."""
    for outcome in contract.outcomes:
        for atom in outcome.when:
            others = tuple(negation(other) if other is atom else other for other in outcome.when)
            there = [o for o in contract.outcomes if all(_implied(a, (*o.when, *contract.returns)) for a in others)]
            said = {effect for other in there for effect in other.effects}
            moves = tuple(e for e in outcome.effects if e.kind in _MOVES and not _follows(atom, e) and e not in said)
            if not moves or not _can_fail(atom, contract):
                continue
            effects = ", ".join(effect_text(effect, contract.signature.names) for effect in moves)
            either = " and ".join(spelled(other, contract.signature) for other in others)
            yield _also(contract, there, others, moves), f"`{effects}` also when {either}"


def _also(
    contract: FunctionContract, there: list[Outcome], when: tuple[Atom, ...], moves: tuple[Effect, ...]
) -> FunctionContract:
    """The contract with these effects in the outcomes `there`, or where there is none, in a further one."""
    if not there:
        return replace(contract, outcomes=(*contract.outcomes, Outcome(when, moves)))
    terms = {effect.term for effect in moves}
    outcomes = [
        replace(o, effects=(*(e for e in o.effects if e.term not in terms), *moves)) if o in there else o
        for o in contract.outcomes
    ]
    return replace(contract, outcomes=tuple(outcomes))


def _follows(atom: Atom, effect: Effect) -> bool:
    """Whether what is fresh there meets the condition by being fresh: it is not null."""
    return effect.kind is EffectKind.FRESH and effect.term == atom.term and atom.operator == "!="


def _can_fail(atom: Atom, contract: FunctionContract) -> bool:
    """Whether some value that the function may return, or be given, does not meet the condition."""
    return not _implied(atom, contract.returns)


def _implied(atom: Atom, by: tuple[Atom, ...]) -> bool:
    """Whether a condition holds wherever others on the same term do."""
    limits = tuple(other for other in by if other.term == atom.term)
    values = {one.value + step for one in (atom, *limits) for step in (-1, 0, 1)}
    return not any(true_at((*limits, negation(atom)), {atom.term: value}) for value in values)


def _with_moved_limits(contract: FunctionContract) -> Iterator[Weaker]:
    """``ret > 0`` and ``ret <= 0`` become ``ret >= 0`` and ``ret < 0``."""
    limits = dict.fromkeys(
        (atom.term, atom.value)
        for outcome in contract.outcomes
        if any(effect.kind in _MOVES for effect in outcome.effects)
        for atom in outcome.when
        if atom.operator in _SHIFTED
    )
    for term, value in limits:
        if not _can_be(Atom(term, "==", value), contract):
            continue

        def moved(atom: Atom, of: tuple[object, int] = (term, value)) -> Atom:
            fits = (atom.term, atom.value) == of and atom.operator in _SHIFTED
            return replace(atom, operator=_SHIFTED[atom.operator]) if fits else atom

        yield _mapped(contract, moved), f"{spelled(Atom(term, '==', value), contract.signature)} is the other case"


def _can_be(atom: Atom, contract: FunctionContract) -> bool:
    limits = tuple(other for other in contract.returns if other.term == atom.term)
    return true_at(limits, {atom.term: atom.value})


def _mapped(contract: FunctionContract, change: Callable[[Atom], Atom]) -> FunctionContract:
    outcomes = tuple(replace(outcome, when=tuple(map(change, outcome.when))) for outcome in contract.outcomes)
    return replace(contract, outcomes=outcomes)
