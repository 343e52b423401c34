"""What keeps states apart at a block, and what is forgotten there."""

from __future__ import annotations

from analyzer.ir.operands import Int
from analyzer.ir.ops import Return
from analyzer.ownership.prepared import Prepared
from analyzer.ownership.ranges import ZERO, contains, greatest, least, single
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.values import UNDEF, Atom, Ptr, Sym

Key = tuple[object, ...]
_SMALL = 16  # blocks
_MOST_MEMBERS = 6  # of a struct that is returned, by which states are kept apart


def merge_key(state: State) -> Key:
    """States with one key are joined."""
    if state.own is Own.NONE:
        return (0, frozenset(state.released))
    if state.own is Own.LOST:
        return (3, state.lost)
    return (int(state.own), state.shares, state.held_key(), state.released_at, frozenset(state.released))


def unusual_locals(prepared: Prepared, state: State) -> tuple[str, ...]:
    """What the locals that are given to releases hold, where releasing it is a mistake: kept apart by it."""
    found = []
    for index in prepared.release_locals:
        value = state.cells.get((index, 0), state.defaults.get(index))
        if value is UNDEF:
            found.append(f"{index} unset")
        elif isinstance(value, Ptr) and not isinstance(value.base, Sym):
            found.append(f"{index} memory")
        elif isinstance(value, Atom):
            found.append(f"{index} {value.kind}")
    return tuple(found)


def returned_class(prepared: Prepared, state: State) -> object:
    """The classes of the variables that the function returns: what its caller will tell apart.

    In small functions that may end the process, or return a negative constant, also which arguments were nothing:
    ``if (!p && n && size) fatal(); return p;`` has two reasons to return null.
    """
    what = prepared.returned
    found: list[object] = [_class_of((index, 0), state, what.numbers) for index in what.locals]
    if what.record >= 0:
        members = sorted(offset for base, offset in state.cells if base == what.record and isinstance(offset, int))
        found += [(offset, _class_of((what.record, offset), state, what.numbers)) for offset in members[:_MOST_MEMBERS]]
    if len(prepared.function.blocks) <= _SMALL and (any(prepared.ends_soon) or _fails(prepared)):
        parameters = (state.universe.symbol("param", index) for index in range(prepared.function.parameters))
        found.append(tuple(state.facts.get(one) == ZERO for one in parameters))
    return tuple(found)


def _fails(prepared: Prepared) -> bool:
    """``return -EINVAL;``"""
    ends = (block.end for block in prepared.function.blocks)
    return any(isinstance(end, Return) and isinstance(end.value, Int) and end.value.value < 0 for end in ends)


def body_results(prepared: Prepared, state: State) -> object:
    """The classes of what bodies have just returned: outcomes of a call by contract are not joined at once either."""
    return tuple(
        (body.result, _class_of((body.result, 0), state, frozenset()))
        for body in prepared.expansion.bodies
        if body.result >= 0 and (body.result, 0) in state.cells
    )


def _class_of(place: Path, state: State, numbers: frozenset[int]) -> object:
    """numbers: those that are classes of their own."""
    value = state.cells.get(place)
    if value is None or value is UNDEF:
        return None
    values = state.range_of(value)
    if not values:
        return None
    number = single(values)
    if number is not None:
        return number if -8 <= number <= 8 or number in numbers else number > 0
    return (least(values) >= 0, greatest(values) <= 0, contains(values, 0))


def clean(prepared: Prepared, block_id: int, state: State, lent: bool = False) -> None:
    """Drop dead locals and what only they could reach; the way to a resource that is owned stays.

    lent: the caller holds the resource, so the function need not.
    """
    live = prepared.live_in[block_id]
    for path in [path for path in state.cells if type(path[0]) is int and path[0] not in live]:
        value = state.cells[path]
        if isinstance(value, int) or lent or state.own is not Own.OWNED or not state.reaches_resource((value,)):
            del state.cells[path]
    state.collect()
