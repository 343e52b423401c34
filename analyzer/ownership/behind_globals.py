"""What a function writes through pointers that it took from global variables, or through their addresses.

    static void reset(void) { context->buffer = NULL; }      writes "context->64"

A flow-insensitive look: origins spread along copies, like the labels of subjects.py. An entry names a global
variable (all of it), a member of what it points to (by its offset in bits), or, with a star, anything in reach of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import final

from analyzer.ir.operands import ERRNO, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import AddressOf, Binary, Convert, CopyRecord, Load, Op, Store, Zero
from analyzer.ir.types import TypeKind
from analyzer.ownership.prepared import Prepared

ARROW = "->"
ANY_MEMBER = "*"
MOST_MEMBERS = 8


@final
@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a pointer came from. depth 0: the global's address; 1: its value; 2: something behind that.

    shift: bits behind that, None: unknown.
    """

    name: str
    depth: int = 0
    shift: int | None = 0

    def moved(self, bits: int | None) -> _Origin:
        return replace(self, shift=None if bits is None or self.shift is None else self.shift + bits)

    def behind(self, offset: int | None) -> _Origin:
        """What lies there."""
        whole = self.depth == 0 and offset == 0
        return _Origin(self.name, 1) if whole else _Origin(self.name, 2, None)


def written_behind_globals(prepared: Prepared) -> frozenset[str]:
    """Entries for the globals that the function changes indirectly."""
    found = set(_Origins(prepared).written())
    for name in {entry.partition(ARROW)[0] for entry in found if ARROW in entry}:
        members = {entry for entry in found if entry.startswith(name + ARROW)}
        if len(members) > MOST_MEMBERS or name + ARROW + ANY_MEMBER in members:
            found = (found - members) | {name + ARROW + ANY_MEMBER}
    return frozenset(found)


@final
class _Origins:
    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._temps: dict[int, frozenset[_Origin]] = {}
        self._locals: dict[int, frozenset[_Origin]] = {}
        self._changed = True

    def written(self) -> Iterator[str]:
        ops = [op for block in self._prepared.function.blocks for op in block.ops]
        while self._changed:
            self._changed = False
            for op in ops:
                self._spread(op)
        for op in ops:
            match op:
                case Store(place=place):
                    yield from self._entries(place, op.type.kind is TypeKind.POINTER)
                case Zero(place=place) | CopyRecord(target=place):
                    yield from self._entries(place, True)
                case _:
                    pass

    def _entries(self, place: Place, pointer: bool) -> Iterator[str]:
        spot = self._prepared.spots[id(place)]
        for origin in self._of(spot.pointer) if spot.pointer is not None else ():
            known = not spot.indices and origin.shift is not None
            if origin.depth == 0:
                yield origin.name
            elif origin.depth == 1 and known:
                yield f"{origin.name}{ARROW}{(origin.shift or 0) + spot.offset}"
            elif pointer:
                yield origin.name + ARROW + ANY_MEMBER

    def _of(self, operand: Operand) -> frozenset[_Origin]:
        return self._temps.get(operand.id, frozenset()) if isinstance(operand, Temp) else frozenset()

    def _give(self, table: dict[int, frozenset[_Origin]], key: int, origins: frozenset[_Origin]) -> None:
        known = table.get(key, frozenset())
        if not origins <= known:
            table[key] = known | origins
            self._changed = True

    def _spread(self, op: Op) -> None:
        match op:
            case Load(place=place, result=result) if op.type.kind is TypeKind.POINTER:
                self._give(self._temps, result.id, self._loaded(place))
            case AddressOf(place=place, result=result):
                spot = self._prepared.spots[id(place)]
                shift = None if spot.indices else spot.offset
                if spot.pointer is not None:
                    origins = frozenset(origin.moved(shift) for origin in self._of(spot.pointer))
                    self._give(self._temps, result.id, origins)
                elif spot.glob:
                    self._give(self._temps, result.id, frozenset((_Origin(spot.glob, 0, shift),)))
            case Convert(operand=operand, result=result):
                self._give(self._temps, result.id, self._of(operand))
            case Binary(result=result) if op.pointer:
                moved = frozenset(origin.moved(None) for origin in self._of(op.left))
                self._give(self._temps, result.id, moved)
            case Store(place=Place(base=LocalBase(index=index)), value=value):
                self._give(self._locals, index, self._of(value))
            case _:
                pass

    def _loaded(self, place: Place) -> frozenset[_Origin]:
        spot = self._prepared.spots[id(place)]
        offset = None if spot.indices else spot.offset
        if spot.pointer is not None:
            return frozenset(
                origin.behind(None if offset is None or origin.shift is None else origin.shift + offset)
                for origin in self._of(spot.pointer)
            )
        if spot.glob:
            return frozenset() if spot.glob == ERRNO else frozenset((_Origin(spot.glob).behind(offset),))
        return self._locals.get(spot.local, frozenset())
