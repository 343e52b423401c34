"""What operations read, and what lives where: locals at block entries, temps behind full expressions."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.ir.function import Function, successors
from analyzer.ir.operands import DerefBase, Index, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    EndExpression,
    Load,
    Op,
    Return,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)


def operands_of(op: Op | Terminator) -> Iterable[Operand]:  # noqa: C901 - one case per operation
    """All operands the operation evaluates, those inside places included."""
    match op:
        case Load(place=place) | AddressOf(place=place) | Zero(place=place) | Clobber(place=place):
            yield from _place_operands(place)
        case Store(place=place, value=value):
            yield from _place_operands(place)
            yield value
        case Unary(operand=operand) | Convert(operand=operand):
            yield operand
        case Binary(left=left, right=right):
            yield left
            yield right
        case Call(arguments=arguments, target=target, record_result=record):
            yield from arguments
            if target is not None:
                yield target
            if record is not None:
                yield from _place_operands(record)
        case CopyRecord(target=to, source=source):
            yield from _place_operands(to)
            yield from _place_operands(source)
        case Branch(condition=condition):
            yield condition
        case Switch(value=value):
            yield value
        case Return(value=returned, record=record):
            if returned is not None:
                yield returned
            if record is not None:
                yield from _place_operands(record)
        case _:
            return


def _place_operands(place: Place) -> Iterable[Operand]:
    if isinstance(place.base, DerefBase):
        yield place.base.pointer
    for selector in place.selectors:
        if isinstance(selector, Index):
            yield selector.index


def local_of(place: Place) -> int | None:
    """The local variable that the place is, or is a part of."""
    return place.base.index if isinstance(place.base, LocalBase) else None


def address_taken(function: Function) -> set[int]:
    """Locals that somebody else may read or write."""
    taken = set()
    for block in function.blocks:
        for op in block.ops:
            if isinstance(op, AddressOf):
                index = local_of(op.place)
                if index is not None:
                    taken.add(index)
    return taken


def liveness(
    function: Function, taken: set[int]
) -> tuple[list[frozenset[int]], list[frozenset[int]], dict[tuple[int, int], frozenset[int]]]:
    """Locals live at block entries; temps live at block ends and after each full expression.

    A backward may-analysis to the least fixpoint. Locals whose address is taken are always live.
    """
    uses: list[set[int]] = []
    kills: list[set[int]] = []
    temp_uses: list[set[int]] = []
    temp_defs: list[set[int]] = []
    for block in function.blocks:
        use, kill, temp_use, temp_def = _block_uses(block.ops, block.end)
        uses.append(use)
        kills.append(kill)
        temp_uses.append(temp_use)
        temp_defs.append(temp_def)
    live = _backward(function, uses, kills)
    temps = _backward(function, temp_uses, temp_defs)
    always = frozenset(taken)
    live_in = [frozenset(found) | always for found in live]
    temps_out = []
    after: dict[tuple[int, int], frozenset[int]] = {}
    for block_id, block in enumerate(function.blocks):
        out: set[int] = set()
        for target in successors(block.end):
            out |= temps[target]
        temps_out.append(frozenset(out))
        current = out | {o.id for o in operands_of(block.end) if isinstance(o, Temp)}
        for position in range(len(block.ops) - 1, -1, -1):
            op = block.ops[position]
            if isinstance(op, EndExpression):
                after[(block_id, position)] = frozenset(current)
            current |= {o.id for o in operands_of(op) if isinstance(o, Temp)}
    return live_in, temps_out, after


def _block_uses(ops: tuple[Op, ...], end: Terminator) -> tuple[set[int], set[int], set[int], set[int]]:
    use: set[int] = set()
    kill: set[int] = set()
    temp_use: set[int] = set()
    temp_def: set[int] = set()
    for op in (*ops, end):
        for operand in operands_of(op):
            if isinstance(operand, Temp) and operand.id not in temp_def:
                temp_use.add(operand.id)
        for read in _locals_read(op):
            if read not in kill:
                use.add(read)
        if isinstance(op, Store) and not op.place.selectors:
            index = local_of(op.place)
            if index is not None and index not in use:
                kill.add(index)
        result = getattr(op, "result", None)
        if isinstance(result, Temp):
            temp_def.add(result.id)
    return use, kill, temp_use, temp_def


def _locals_read(op: Op | Terminator) -> Iterable[int]:
    places: list[Place] = []
    match op:
        case Load(place=place) | AddressOf(place=place):
            places.append(place)
        case CopyRecord(source=source):
            places.append(source)
        case Return(record=record) if record is not None:
            places.append(record)
        case Store(place=place) if place.selectors:
            places.append(place)  # a partial write needs the rest
        case _:
            return
    for place in places:
        index = local_of(place)
        if index is not None:
            yield index


def _backward(function: Function, uses: list[set[int]], kills: list[set[int]]) -> list[set[int]]:
    live = [set(found) for found in uses]
    changed = True
    while changed:
        changed = False
        for block_id in range(len(function.blocks) - 1, -1, -1):
            out: set[int] = set()
            for target in successors(function.blocks[block_id].end):
                out |= live[target]
            new = uses[block_id] | (out - kills[block_id])
            if new != live[block_id]:
                live[block_id] = new
                changed = True
    return live
