"""Sets of integers as a few intervals: the only numeric domain of the engine.

A range is a sorted tuple of disjoint closed intervals ``(low, high)``; the empty tuple is "no value".
Pointers use the same domain: ``ZERO`` is null, ``NONZERO`` any other
pointer, ``OBJECT`` an address of something that was acquired.
"""

from __future__ import annotations

INFINITY = 1 << 80
Interval = tuple[int, int]
Range = tuple[Interval, ...]

FULL: Range = ((-INFINITY, INFINITY),)
ZERO: Range = ((0, 0),)
ONE: Range = ((1, 1),)
NONZERO: Range = ((-INFINITY, -1), (1, INFINITY))
OBJECT: Range = ((1, (1 << 64) - 4097),)  # addresses of what was acquired: none in the last page (ERR_PTR())
NEGATIVE: Range = ((-INFINITY, -1),)
NATURAL: Range = ((0, INFINITY),)
POSITIVE: Range = ((1, INFINITY),)
BOOLEAN: Range = ((0, 1),)
MOST_INTERVALS = 6


def intersect(left: Range, right: Range) -> Range:
    """The values in both."""
    if left is FULL or left == right:
        return right
    if right is FULL:
        return left
    found = []
    for low, high in left:
        for other_low, other_high in right:
            start, end = max(low, other_low), min(high, other_high)
            if start <= end:
                found.append((start, end))
    return tuple(found)


def added(left: Range, right: Range) -> Range:
    """Sums: of two that are not negative, at least the sum of the least; sizes do not wrap. Else anything."""
    if not left or not right or least(left) < 0 or least(right) < 0:
        return FULL
    return ((least(left) + least(right), INFINITY),)


def unite(left: Range, right: Range) -> Range:
    """The values in either; over `MOST_INTERVALS` the closest pair is filled in, but a gap at 0 is kept."""
    if left == right:
        return left
    merged: list[Interval] = []
    for low, high in sorted(left + right):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    while len(merged) > MOST_INTERVALS:
        _fill_smallest_gap(merged)
    return tuple(merged)


def _fill_smallest_gap(merged: list[Interval]) -> None:
    def cost(position: int) -> tuple[bool, int]:
        end, start = merged[position][1], merged[position + 1][0]
        return (end < 0 < start, start - end)

    best = min(range(len(merged) - 1), key=cost)
    merged[best : best + 2] = [(merged[best][0], merged[best + 1][1])]


def complement(values: Range) -> Range:
    """All other integers."""
    found = []
    start = -INFINITY
    for low, high in values:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    if start <= INFINITY:
        found.append((start, INFINITY))
    return tuple(found)


def contains(values: Range, number: int) -> bool:
    """Whether the number is one of them."""
    return any(low <= number <= high for low, high in values)


def single(values: Range) -> int | None:
    """The one value, or None when there are several (or none)."""
    if len(values) == 1 and values[0][0] == values[0][1]:
        return values[0][0]
    return None


def widen(old: Range, new: Range) -> Range:
    """An upper bound of both from a finite set of bounds, so that loops end."""
    if old == new:
        return old
    marks = (-INFINITY, -1, 0, 1, INFINITY)
    stretched: Range = ()
    for low, high in unite(old, new):
        kept_low = low if any(low == start for start, _ in old) else max(m for m in marks if m <= low)
        kept_high = high if any(high == end for _, end in old) else min(m for m in marks if m >= high)
        if low == high == 0:
            kept_low = kept_high = 0
        elif low > 0:
            kept_low = max(kept_low, 1) if kept_low != 0 else 1
        elif high < 0:
            kept_high = min(kept_high, -1) if kept_high != 0 else -1
        stretched = unite(stretched, ((kept_low, kept_high),))
    return stretched


def shift(values: Range, by: int) -> Range:
    """Every value plus `by`; infinite bounds stay, and nothing lies beyond them."""
    return tuple(
        (
            low if low == -INFINITY else min(max(low + by, -INFINITY), INFINITY),
            high if high == INFINITY else min(max(high + by, -INFINITY), INFINITY),
        )
        for low, high in values
    )


def negate(values: Range) -> Range:
    """Every value with the other sign."""
    return tuple(sorted((-high, -low) for low, high in values))


def from_relation(operator: str, number: int) -> Range:
    """The values v with ``v operator number``."""
    match operator:
        case "==":
            return ((number, number),)
        case "!=":
            return complement(((number, number),))
        case "<":
            return ((-INFINITY, number - 1),)
        case "<=":
            return ((-INFINITY, number),)
        case ">":
            return ((number + 1, INFINITY),)
        case ">=":
            return ((number, INFINITY),)
        case _:
            return FULL


def least(values: Range) -> int:
    """The lowest value."""
    return values[0][0]


def greatest(values: Range) -> int:
    """The highest value."""
    return values[-1][1]
