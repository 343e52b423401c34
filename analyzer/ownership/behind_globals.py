"""What a function writes through pointers that it took from global variables, or through their addresses.

    static void reset(void) { context->buffer = NULL; }      writes "context->64"

A flow-insensitive look: origins spread along copies, like the labels of subjects.py. An entry names a global
variable (all of it), a member of what it points to (by its offset in bits), or, with a star, anything in reach of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import final

from analyzer.contracts.model import EffectKind, Root
from analyzer.ir.function import Function, successors
from analyzer.ir.operands import ERRNO, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import AddressOf, Binary, Call, Convert, CopyRecord, Load, Op, Return, Store, Zero
from analyzer.ir.types import TypeKind
from analyzer.ownership.flatten import releases
from analyzer.ownership.formats import prints_addresses
from analyzer.ownership.prepared import CallSite, Prepared

ARROW = "->"
ANY_MEMBER = "*"
MOST_MEMBERS = 8
MOST_USED = 4
MOST_RELEASED = 4  # followed through one function; programs that end have functions that release everything


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


def written_behind_globals(origins: Origins) -> frozenset[str]:
    """Entries for the globals that the function changes indirectly."""
    found = set(origins.written())
    for name in {entry.partition(ARROW)[0] for entry in found if ARROW in entry}:
        members = {entry for entry in found if entry.startswith(name + ARROW)}
        if len(members) > MOST_MEMBERS or name + ARROW + ANY_MEMBER in members:
            found = (found - members) | {name + ARROW + ANY_MEMBER}
    return frozenset(found)


def released_globals(prepared: Prepared, origins: Origins) -> dict[str, bool]:
    """Global variables whose value is released here or in a callee -> whether it is an integer; none of too many."""
    sites = [site for site in prepared.calls.values() if site.contract is not None and releases(site.contract)]
    found = dict(origins.released(sites))
    return found if len(found) <= MOST_RELEASED else {}


def used_globals(prepared: Prepared, origins: Origins) -> set[str]:
    """Global variables behind whose value the function, or a callee, looks on every path."""
    found: set[str] = set()
    for number, name in origins.used():
        if name not in found and not may_miss(prepared.function, number):
            found.add(name)
    return found if len(found) <= MOST_USED else set()


def may_miss(function: Function, block: int) -> bool:
    """Whether some path returns without coming through the block."""
    found, waiting = {0, block}, [0] if block else []
    while waiting:
        end = function.blocks[waiting.pop()].end
        if isinstance(end, Return):
            return True
        fresh = [target for target in successors(end) if target not in found]
        found.update(fresh)
        waiting += fresh
    return False


def looked_behind(prepared: Prepared, op: Op) -> Iterator[Operand]:
    """The pointers behind which the operation looks, or the function that it calls."""
    match op:
        case Load(place=place) | Store(place=place) | Zero(place=place):
            places: tuple[Place, ...] = (place,)
        case CopyRecord(target=target, source=source):
            places = (target, source)
        case Call():
            yield from _used_by(prepared, op)
            return
        case _:
            return
    pointers = (prepared.spots[id(place)].pointer for place in places)
    yield from (pointer for pointer in pointers if pointer is not None)


def _used_by(prepared: Prepared, op: Call) -> Iterator[Operand]:
    """Pointers that a function is given which looks behind them."""
    contract = prepared.calls[id(op)].contract
    if contract is None:
        return
    named = len(contract.signature.parameters)
    extras = contract.signature.variadic and not prints_addresses(op.arguments)
    for index, ctype in enumerate(op.argument_types):
        looked = index not in contract.unread if index < named else extras
        if looked and ctype.kind is TypeKind.POINTER:
            yield op.arguments[index]


@final
class Origins:
    """Which pointers of a function came from global variables."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._temps: dict[int, frozenset[_Origin]] = {}
        self._locals: dict[int, frozenset[_Origin]] = {}
        self._changed = True
        ops = [op for block in prepared.function.blocks for op in block.ops]
        while self._changed:
            self._changed = False
            for op in ops:
                self._spread(op)

    def written(self) -> Iterator[str]:
        """Entries for what is written through them."""
        for op in (op for block in self._prepared.function.blocks for op in block.ops):
            match op:
                case Store(place=place):
                    yield from self._entries(place, op.type.kind is TypeKind.POINTER)
                case Zero(place=place) | CopyRecord(target=place):
                    yield from self._entries(place, True)
                case _:
                    pass

    def released(self, sites: Iterable[CallSite]) -> Iterator[tuple[str, bool]]:
        """What these calls release of what was in global variables."""
        for site in sites:
            assert site.contract is not None
            parameters = site.contract.signature.parameters
            for effect in (effect for outcome in site.contract.outcomes for effect in outcome.effects):
                term = effect.term
                if effect.kind is not EffectKind.RELEASE or term is None or term.selectors:
                    continue
                if term.root is Root.GLOBAL:
                    yield self._prepared.statics.get(term.name, term.name), False
                elif term.index < len(site.op.arguments):
                    number = term.index < len(parameters) and parameters[term.index].kind is TypeKind.INT
                    for origin in self._of(site.op.arguments[term.index]):
                        if origin.depth == 1 and origin.shift == 0:
                            yield origin.name, number

    def used(self) -> Iterator[tuple[int, str]]:
        """Blocks with the global variables behind whose values they look."""
        for number, block in enumerate(self._prepared.function.blocks):
            for op in block.ops:
                for pointer in looked_behind(self._prepared, op):
                    yield from ((number, o.name) for o in self._of(pointer) if o.depth == 1)
                if isinstance(op, Call):
                    contract = self._prepared.calls[id(op)].contract
                    uses = contract.uses if contract is not None else ()
                    yield from ((number, term.name) for term in uses if term.root is Root.GLOBAL)

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
            case Load(place=place, result=result) if op.type.kind in (TypeKind.POINTER, TypeKind.INT):
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
