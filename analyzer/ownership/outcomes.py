"""The table that a contract is read off: its cells, and how they become outcomes with conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import final

from analyzer.contracts.model import (
    Atom,
    Effect,
    Outcome,
    Root,
    Term,
)
from analyzer.ownership.endings import (
    Ending,
    Facts,
    Look,
    PlainEnding,
)
from analyzer.ownership.ranges import (
    FULL,
    INFINITY,
    ZERO,
    Range,
    complement,
    intersect,
    single,
    unite,
)

RET = Term(Root.RET)


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """A class of returned values together with classes of what was there at the call, or is there after it.

    seen: the values of the class that are really returned.
    """

    result: Range
    facts: Facts
    seen: Range = field(default=(), compare=False)

    def fits(self, ending: Ending | PlainEnding) -> bool:
        """Whether some execution that ends like this belongs to the cell."""
        if not intersect(self.result, ending.result):
            return False
        known = dict(ending.facts)
        return all(intersect(values, known.get(look, FULL)) for look, values in self.facts)


Row = tuple[Cell, tuple[Atom, ...], tuple[Effect, ...]]  # a cell, conditions beside those on it, effects


def merged(rows: Iterable[Row]) -> tuple[Outcome, ...]:
    """Cells with the same effects become one outcome where conditions can say so."""
    groups: dict[tuple[object, ...], tuple[list[Cell], tuple[Atom, ...], tuple[Atom, ...], tuple[Effect, ...]]] = {}
    for cell, guards, effects in rows:
        before = [atom for look, values in cell.facts if not look.after for atom in atoms_of(look, values)]
        after = tuple(atom for look, values in cell.facts if look.after for atom in atoms(look.term, values))
        key = (tuple(before), guards, after, frozenset(effects))
        groups.setdefault(key, ([], (*before, *guards), after, effects))[0].append(cell)
    found = []
    for cells, shared, after, effects in groups.values():
        for values in _united(cells):
            found.append(Outcome((*atoms(RET, values), *shared), effects, after))
    return tuple(found)


def _united(cells: list[Cell]) -> list[Range]:
    """The classes as few ranges that conditions can express; where one number alone is returned, that one."""
    whole, seen = union(cell.result for cell in cells), union(cell.seen for cell in cells)
    if single(seen) is not None:
        return [seen]
    if seen and whole != FULL:
        whole = intersect(whole, ((seen[0][0], seen[-1][1]),))  # ``ret < 0``, and never less than -2
    return [whole] if expressible(whole) else [cell.result for cell in cells]


def union(ranges: Iterable[Range]) -> Range:
    """The values in any of them; () for none."""
    whole: Range = ()
    for values in ranges:
        whole = unite(whole, values) if whole else values
    return whole


def expressible(values: Range) -> bool:
    """Whether conditions of one outcome can say it."""
    return len(values) == 1 or values == FULL or single(complement(values)) is not None


def atoms_of(look: Look, values: Range) -> list[Atom]:
    """The conditions for what is seen there, or for the bits of it."""
    if not look.mask:
        return atoms(look.term, values)
    return [Atom(look.term, "!&" if values == ZERO else "&", look.mask)]


def atoms(term: Term, values: Range) -> list[Atom]:
    """The conditions that the term has one of the values; none for all of them."""
    if values == FULL:
        return []
    number = single(values)
    if number is not None:
        return [Atom(term, "==", number)]
    missing = single(complement(values))
    if missing is not None:
        return [Atom(term, "!=", missing)]
    low, high = values[0][0], values[-1][1]
    found = []
    if low > -INFINITY:
        found.append(Atom(term, ">", 0) if low == 1 else Atom(term, ">=", low))
    if high < INFINITY:
        found.append(Atom(term, "<", high + 1) if high == -1 else Atom(term, "<=", high))
    return found
