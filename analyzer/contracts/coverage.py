"""Do the outcomes of a function cover every case, and no case twice? And what is "otherwise"?

Each term of a function's conditions is tried with the values around the constants it is compared with;
between these no condition changes, so the check is exact. (For `&` all unions of up to five masks are tried.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice, product
from math import prod
from typing import final

from analyzer.contracts.model import Atom, Root, Signature, Term
from analyzer.contracts.syntax import atom_text
from analyzer.ir.types import CType, TypeKind

Point = Mapping[Term, int]
Condition = tuple[Atom, ...]
_Kind = tuple[Term, TypeKind, bool]

_MAX_POINTS = 20_000
_HOLDS: Mapping[str, Callable[[int, int], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "&": lambda left, right: (left & right) != 0,
    "!&": lambda left, right: (left & right) == 0,
}
_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "&": "!&", "!&": "&"}


@final
@dataclass(frozen=True, slots=True)
class Coverage:
    """What a list of conditions covers.

    too_many: there are too many cases to look at; then the rest says nothing.
    twice: positions of two conditions that hold in the same case, and that case.
    gap: a case that no condition covers. rest: exclusive conditions that together cover all such cases.
    """

    too_many: bool = False
    twice: tuple[int, int, Point] | None = None
    gap: Point | None = None
    rest: tuple[Condition, ...] = ()


def study(conditions: Sequence[Condition], returns: Condition, signature: Signature) -> Coverage:
    """What the conditions cover of all cases in which `returns` holds."""
    terms = dict.fromkeys(atom.term for condition in (*conditions, returns) for atom in condition)
    kinds = tuple([(term, *term_kind(term, signature)) for term in terms])
    return _study(tuple(conditions), returns, kinds)


@lru_cache(maxsize=1024)
def _study(conditions: tuple[Condition, ...], returns: Condition, kinds: tuple[_Kind, ...]) -> Coverage:
    atoms = [atom for condition in (*conditions, returns) for atom in condition]
    values = {term: _values([a for a in atoms if a.term == term], kind, signed) for term, kind, signed in kinds}
    if prod(len(v) for v in values.values()) > _MAX_POINTS:
        return Coverage(too_many=True)
    every = [dict(zip(values, choice, strict=True)) for choice in product(*values.values())]
    where = [point for point in every if true_at(returns, point)]
    gap = next((p for p in where if not any(true_at(c, p) for c in conditions)), None)
    return Coverage(False, _doubled(conditions, where), gap, _rest(conditions, where) if gap else ())


def _values(atoms: Sequence[Atom], kind: TypeKind, signed: bool) -> list[int]:
    """Values of a term, one at least for each case that the conditions on it can tell apart."""
    found = {0, 1}
    for atom in atoms:
        found |= {atom.value - 1, atom.value, atom.value + 1}
    masks = sorted({atom.value for atom in atoms if "&" in atom.operator})
    for count in range(2, min(len(masks), 5) + 1):
        for chosen in combinations(masks, count):
            found.add(_union(chosen))
    if kind is TypeKind.BOOL:
        return sorted(found & {0, 1})
    if kind is TypeKind.POINTER:
        named = {atom.value for atom in atoms}
        return sorted(value for value in found if value in named or value in (0, 1))
    if kind is TypeKind.INT and not signed:
        return sorted(value for value in found if value >= 0)
    return sorted(found)


def _union(masks: Iterable[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result


def true_at(condition: Condition, point: Point) -> bool:
    """Whether all atoms hold there."""
    return all(_HOLDS[atom.operator](point[atom.term], atom.value) for atom in condition)


def _doubled(conditions: Sequence[Condition], where: Sequence[Point]) -> tuple[int, int, Point] | None:
    for point in where:
        both = list(islice((i for i, c in enumerate(conditions) if true_at(c, point)), 2))
        if len(both) == 2:
            return both[0], both[1], point
    return None


def _rest(conditions: Sequence[Condition], where: Sequence[Point]) -> tuple[Condition, ...]:
    rest: list[Condition] = [()]
    for condition in conditions:
        rest = [simpler for c in rest for simpler in _without(c, condition, where)]
    return tuple(rest)


def _without(base: Condition, removed: Condition, where: Sequence[Point]) -> Iterator[Condition]:
    for position, atom in enumerate(removed):
        candidate = (*base, *removed[:position], negation(atom))
        if any(true_at(candidate, point) for point in where):
            yield _simplified(candidate, where)


def negation(atom: Atom) -> Atom:
    """The condition that holds exactly when this one does not."""
    return Atom(atom.term, _NEGATED[atom.operator], atom.value)


def _simplified(condition: Condition, where: Sequence[Point]) -> Condition:
    """The same condition without the atoms that follow from the others."""
    kept = list(dict.fromkeys(condition))
    for atom in tuple(kept):
        others = tuple(a for a in kept if a is not atom)
        if all(true_at((atom,), point) for point in where if true_at(others, point)):
            kept.remove(atom)
    return tuple(kept)


def term_kind(term: Term, signature: Signature) -> tuple[TypeKind, bool]:
    """Kind of the term's value and, for integers, whether it is signed. Unknown below members."""
    if term.root is Root.RET:
        start = signature.result
    elif term.root is Root.PARAM and term.index < len(signature.parameters):
        start = signature.parameters[term.index]
    else:
        return TypeKind.UNKNOWN, True
    return _after(start, term.selectors)


def _after(start: CType, selectors: tuple[str, ...]) -> tuple[TypeKind, bool]:
    if not selectors:
        return start.kind, start.signed
    if len(selectors) == 2 and selectors[1].startswith(".["):
        return _after(start, ("*",))
    if any(selector.startswith(".") for selector in selectors):
        return TypeKind.UNKNOWN, True
    if len(selectors) == 1:
        return start.pointee_kind, not start.pointee.removeprefix("const ").startswith("unsigned")
    stars = start.spelling.count("*") if "(" not in start.spelling else 0
    if stars > len(selectors):
        return TypeKind.POINTER, False
    return TypeKind.UNKNOWN, True


def spelled(atom: Atom, signature: Signature) -> str:
    """The condition as text, with ``null`` for pointers."""
    kind, _ = term_kind(atom.term, signature)
    return atom_text(atom, signature.names, kind is TypeKind.POINTER)
