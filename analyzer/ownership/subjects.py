"""Which parameters, and which members below them, a summary must follow: where the caller's things can go.

A flow-insensitive look at a function: labels say what a value may be (parameter i, what a member of it holds,
anything deeper), and spread along copies. A label that reaches a call which does something to it, memory
outside, or the return value makes its parameter or member a *subject*: the engine then follows it exactly.
Everything else is only borrowed, and costs no run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import final

from analyzer.contracts.model import (
    Effect,
    EffectKind,
    FunctionContract,
    Provenance,
    Root,
    Term,
    global_term,
    member,
    member_offset,
)
from analyzer.contracts.routes import Route, add_routes
from analyzer.ir.function import Function
from analyzer.ir.operands import ERRNO, FunctionAddress, GlobalBase, LocalBase, Operand, Place, Temp, Unknown
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    Load,
    Op,
    Return,
    Store,
    Unary,
    Zero,
)
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.behind_globals import (
    Origins,
    looked_behind,
    may_miss,
    released_globals,
    used_globals,
    written_behind_globals,
)
from analyzer.ownership.liveness import operands_of
from analyzer.ownership.memory import is_lent
from analyzer.ownership.naming import joined, member_name
from analyzer.ownership.prepared import CallSite, Prepared, Spot, by_value_base, is_pointer
from analyzer.ownership.resources import described_arguments, is_first_element
from analyzer.ownership.routes import routes_behind, unknown_route

MOST_MEMBERS = 8
MOST_GLOBALS = 24
_ADDRESS = 64  # bits
ANYTHING = "*"
NOWHERE = -1  # the offset of a member that is not known

_SINKS = frozenset(
    {EffectKind.RELEASE, EffectKind.TAKE, EffectKind.ESCAPE, EffectKind.KEEP, EffectKind.SHARE, EffectKind.OPAQUE}
)
_WRITES = frozenset(
    {
        EffectKind.FRESH,
        EffectKind.NULL,
        EffectKind.VALUE,
        EffectKind.WRITE,
        EffectKind.STORE,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.UNDEFINED,
        EffectKind.DANGLING,
    }
)
_ALIASES = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})


@final
@dataclass(frozen=True, slots=True)
class Label:
    """What a value may be: parameter `index` itself, what its member at `member` holds, or deeper.

    shift: bits the value lies behind the start of the parameter's object; None: somewhere inside.
    depth: 0: the parameter; 1: a member; 2: anything below that (below `member`, as far as that is known), or at a
        place nobody knows.
    """

    index: int
    depth: int = 0
    member: int = 0
    shift: int | None = 0


@final
@dataclass(slots=True)
class Subjects:
    """The result.

    parameters, members: to follow. members: (parameter, offset in bits); names: theirs; numbers: those of integer type.
    stored: parameters of integer type that are only stored, whatever happens: no run is needed to say so.
    deep_released, deep_gone: parameters from below which something that no member names is released, or goes away.
    deep_members: members (or, at NOWHERE, any) below which such a thing is released. writes: globals
    changed, and what they lead to (behind_globals.py).
    incomplete: parameters whose memory may change in ways that no effect describes. written: places below parameters
    (position, offset in bits) that the function assigns. whole: parameters behind which it clears or copies whole
    records -> their size in bits. routes: for `deep_gone` and for what lies outside (None), through which functions.
    released_globals: global variables whose value is released -> whether that is an integer.
    uses: see `FunctionContract.uses`. passes: see `Prepared`.
    read: parameters behind which the function looks. extras: it takes its unnamed arguments
    itself. below: those from which it goes on to other objects and writes
    there.
    """

    parameters: set[int] = field(default_factory=set)
    members: set[tuple[int, int]] = field(default_factory=set)
    names: dict[tuple[int, int], str] = field(default_factory=dict)
    numbers: set[tuple[int, int]] = field(default_factory=set)
    stored: set[int] = field(default_factory=set)
    deep_released: set[int] = field(default_factory=set)
    deep_members: set[tuple[int, int]] = field(default_factory=set)
    deep_gone: set[int] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    incomplete: set[int] = field(default_factory=set)
    written: set[tuple[int, int]] = field(default_factory=set)
    whole: dict[int, int] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    below: set[int] = field(default_factory=set)
    extras: bool = False
    uses: tuple[Term, ...] = ()
    passes: tuple[Effect, ...] = ()
    released_globals: dict[str, bool] = field(default_factory=dict)
    routes: dict[int | None, dict[str, Route]] = field(default_factory=dict)

    def is_number(self, function: Function, term: Term) -> bool:
        """Whether the term, a parameter or a member behind one, is an integer."""
        if term.root is Root.GLOBAL:
            return self.released_globals[term.name]
        if not term.selectors:
            return function.locals[term.index].type.kind is TypeKind.INT
        return (term.index, sum(member_offset(selector) or 0 for selector in term.selectors)) in self.numbers

    def routes_out(self) -> tuple[tuple[Term | None, tuple[Route, ...]], ...]:
        """The routes, by the terms of the effects that they explain."""
        return tuple(
            (None if index is None else Term(Root.PARAM, index, ("*", "[]")), tuple(routes.values()))
            for index, routes in self.routes.items()
        )


def subjects(prepared: Prepared) -> Subjects:
    """What must be followed in this function, under the contracts of its callees."""
    return _Flow(prepared).run()


def _may_own(ctype: CType) -> bool:
    return is_pointer(ctype) or (ctype.kind is TypeKind.INT and ctype.signed and ctype.bits in (0, 32, 64))


def _carriers(function: Function) -> frozenset[int]:
    """Parameters that are unsigned numbers and are used as addresses: ``void expire(unsigned long data)``."""
    types = enumerate(variable.type for variable in function.locals[: function.parameters])
    wide = {
        index for index, ctype in types if ctype.kind is TypeKind.INT and not ctype.signed and ctype.bits == _ADDRESS
    }
    if not wide:
        return frozenset()
    loaded: dict[Operand, int] = {}
    found: set[int] = set()
    for op in (op for block in function.blocks for op in block.ops):
        match op:
            case Load(place=Place(base=LocalBase(index=index)), result=result) if index in wide:
                loaded[result] = index
            case Call():
                kinds = zip(op.arguments, op.argument_types, strict=False)
                found |= {loaded[a] for a, ctype in kinds if a in loaded and ctype.kind is TypeKind.POINTER}
            case Store(value=value) if value in loaded and op.type.kind is TypeKind.POINTER:
                found.add(loaded[value])
            case _:
                pass
    return frozenset(found)


@final
class _Flow:
    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._locals: dict[int, set[Label]] = {}
        self._temps: dict[int, set[Label]] = {}
        self._copies: dict[int, set[Label]] = {}  # locals that are copies of records behind parameters
        self._addresses: dict[int, set[int]] = {}  # temp -> locals whose address it is
        self._changed = False
        self._found = Subjects()
        self._names = self._found.names
        self._inner: dict[tuple[int, int], str] = {}  # members whose address is taken, by parameter and offset
        function = prepared.function
        self._carriers = _carriers(function)
        for index in range(function.parameters):
            if _may_own(function.locals[index].type) or index in self._carriers:
                self._locals[index] = {Label(index)}
            elif index in prepared.by_value:
                self._temps[by_value_base(index).id] = {Label(index)}

    def run(self) -> Subjects:
        """Spread the labels until nothing changes, then look where they arrive."""
        ops = [op for block in self._prepared.function.blocks for op in block.ops]
        self._changed = True
        while self._changed:
            self._changed = False
            for op in ops:
                self._spread(op)
        for op in ops:
            self._look(op)
            self._arrive(op)
        for block in self._prepared.function.blocks:
            if isinstance(block.end, Return) and block.end.value is not None:
                self._sink(self._of(block.end.value), "return")
            if isinstance(block.end, Return) and block.end.record is not None:
                self._sink(self._behind(block.end.record), "return")
        self._found.extras = _takes_extras(self._prepared.function)
        origins = Origins(self._prepared)
        self._found.writes |= written_behind_globals(origins)
        self._found.released_globals = released_globals(self._prepared, origins)
        self._limit()
        self._found.uses = tuple(self._uses(origins))
        self._found.passes = tuple(sorted(self._prepared.passes, key=repr))
        return self._found

    def _uses(self, origins: Origins) -> Iterator[Term]:
        found = self._found
        for index, offset in sorted(self._used_members()):
            if (index, offset) not in found.written | found.members and index not in found.incomplete:
                yield _member_term(self._prepared.function.locals[index].type, index, offset, self._names)
        if ANYTHING not in found.writes:
            for name in sorted(used_globals(self._prepared, origins) - found.writes - found.released_globals.keys()):
                yield global_term(name)

    def _used_members(self) -> set[tuple[int, int]]:
        """Members behind parameters behind whose value every path looks."""
        found: dict[tuple[int, int], None] = {}
        for number, block in enumerate(self._prepared.function.blocks):
            here = {member for op in block.ops for member in self._members_behind(op)}
            if any(member not in found for member in here) and not may_miss(self._prepared.function, number):
                found.update(dict.fromkeys(here))
        return set(found) if len(found) <= MOST_MEMBERS else set()

    def _members_behind(self, op: Op) -> Iterator[tuple[int, int]]:
        pointers = looked_behind(self._prepared, op)
        yield from (
            (one.index, one.member) for p in pointers for one in self._of(p) if one.depth == 1 and one.shift == 0
        )
        if isinstance(op, Call):
            contract = self._prepared.calls[id(op)].contract
            for term in contract.uses if contract is not None else ():
                if term.root is Root.PARAM:
                    for label, exact in self._named(op, term):
                        if exact and label.depth == 1 and label.shift == 0:
                            yield label.index, label.member

    # -- spreading ------------------------------------------------------------------------------------

    def _of(self, operand: Operand) -> set[Label]:
        return self._temps.get(operand.id, _NONE) if isinstance(operand, Temp) else _NONE

    def _give(self, table: dict[int, set[Label]], key: int, labels: Iterable[Label]) -> None:
        known = table.get(key)
        new = set(labels)
        if known is None:
            if new:
                table[key] = new
                self._changed = True
        elif not new <= known:
            known |= new
            self._changed = True

    def _spread(self, op: Op) -> None:
        match op:
            case Load():
                carried = isinstance(op.place.base, LocalBase) and op.place.base.index in self._carriers
                if carried or _may_own(op.type):
                    behind = self._behind(op.place)
                    self._give(self._temps, op.result.id, behind)
                    if op.type.kind is TypeKind.INT:
                        self._found.numbers.update((one.index, one.member) for one in behind if one.depth == 1)
            case AddressOf():
                self._spread_address(op)
            case Unary(result=result, operand=operand) if op.operator != "!":
                self._give(self._temps, result.id, self._of(operand))
            case Convert(result=result, operand=operand):
                self._give(self._temps, result.id, self._of(operand))
            case Binary() if op.operator in ("+", "-", "&", "|"):
                inside = {_inside(label) for label in self._of(op.left) | self._of(op.right)}
                self._give(self._temps, op.result.id, inside)
            case Store(place=Place(base=LocalBase(index=index)), value=value):
                self._give(self._locals, index, self._of(value))
            case CopyRecord(target=Place(base=LocalBase(index=index), selectors=selectors), source=source):
                self._give(self._locals, index, self._copied(source))
                if not selectors:
                    self._give(self._copies, index, self._whole(source))
            case Call(result=Temp(id=key)):
                self._give(self._temps, key, self._returned(op))
            case _:
                pass

    def _spread_address(self, op: AddressOf) -> None:
        spot = self._prepared.spots[id(op.place)]
        if spot.pointer is not None:
            known = not spot.indices
            for label in self._of(spot.pointer) if known and spot.offset else ():
                if label.depth == 0 and label.shift is not None:
                    self._inner.setdefault((label.index, label.shift + spot.offset), self._member_of(spot, label))
            self._give(
                self._temps,
                op.result.id,
                {_moved(label, spot.offset if known else None) for label in self._of(spot.pointer)},
            )
        elif not spot.glob:
            locals_here = self._addresses.setdefault(op.result.id, set())
            locals_here.add(spot.local)
            inside = None if spot.indices else spot.offset
            copies = self._copies.get(spot.local, _NONE)
            self._give(self._temps, op.result.id, {_moved(label, inside) for label in copies})

    def _behind(self, place: Place) -> set[Label]:
        """What lies at a place."""
        spot = self._prepared.spots[id(place)]
        found: set[Label] = set()
        if spot.pointer is None:
            if spot.glob:
                return found
            found |= self._locals.get(spot.local, set())
            pointers = self._copies.get(spot.local, _NONE)
        else:
            pointers = self._of(spot.pointer)
        for label in pointers:
            if label.depth == 0 and label.shift is not None and not spot.indices:
                offset = label.shift + spot.offset
                found.add(Label(label.index, 1, offset))
                self._name(label.index, offset, self._member_of(spot, label))
            else:
                found.add(_deeper(label))
        if isinstance(spot.pointer, Temp):
            for index in self._addresses.get(spot.pointer.id, ()):
                found |= self._locals.get(index, set())
        return found

    def _whole(self, source: Place) -> set[Label]:
        """What points to a record that is copied from behind a parameter: its members are those of the copy as well."""
        spot = self._prepared.spots[id(source)]
        labels = self._of(spot.pointer) if spot.pointer is not None else self._copies.get(spot.local, _NONE)
        return {_moved(label, None if spot.indices else spot.offset) for label in labels if not label.depth}

    def _copied(self, source: Place) -> set[Label]:
        """What lies in a record that is copied: of a local, what was stored in it; else at places nobody knows."""
        labels = self._behind(source)
        pointer = self._prepared.spots[id(source)].pointer
        if isinstance(source.base, LocalBase) or pointer is None:
            return labels
        locals_ = self._addresses.get(pointer.id, ()) if isinstance(pointer, Temp) else ()
        held = (self._locals.get(index, _NONE) for index in locals_)  # ``memcpy(at, &p, sizeof p)``
        return {_deeper(label) for label in labels}.union(*held)

    def _name(self, index: int, offset: int, name: str) -> None:
        if name:
            self._names.setdefault((index, offset), name)

    def _returned(self, op: Call) -> set[Label]:
        """Labels that a call passes through to its result."""
        contract = self._prepared.calls[id(op)].contract
        if contract is None:
            return {_inside(label) for argument in op.arguments for label in self._of(argument)}
        found = set()
        for effect in _effects(contract):
            if effect.kind in _ALIASES and effect.term is not None:
                through = {label for label, _ in self._named(op, effect.term)}
                found |= through if effect.kind is EffectKind.RETURN else {_inside(label) for label in through}
        return found

    def _member_of(self, spot: Spot, label: Label) -> str:
        """The member that a place is of what the label's parameter points to; "" where the program does not say."""
        return self._inside_of(label, member_name(spot.text))

    def _inside_of(self, label: Label, member: str) -> str:
        if not label.shift:
            return member
        outer = self._inner.get((label.index, label.shift), "")
        return joined(outer, member) if outer else ""

    def _member_at(self, op: Call, term: Term, label: Label) -> str:
        """The member that a callee's term is here: ``p`` behind the argument ``&o->a`` is ``a.p``."""
        site = self._prepared.calls[id(op)]
        inner = ".".join(selector.partition("@")[0].removeprefix(".") for selector in term.selectors[1:])
        if not inner and site.contract is not None and is_first_element(term, _effects(site.contract)):
            inner = "[0]"
        argument = site.texts[term.index]
        if label.shift or not argument.startswith("&"):
            return self._inside_of(label, inner)
        return joined(member_name(argument[1:]), inner)

    # -- arriving -------------------------------------------------------------------------------------

    def _arrive(self, op: Op) -> None:
        match op:
            case Store(place=place, value=value):
                self._stored(place, self._of(value))
                self._written(place, pointer=op.type.kind is TypeKind.POINTER)
            case CopyRecord(target=target, source=source):
                self._stored(target, self._copied(source))
                self._written(target, whole=True)
                self._cleared(target, op.bits)
            case Zero(place=place):
                self._written(place, whole=True)
                self._cleared(place, op.bits)
            case Clobber(place=place):
                self._written(place, whole=True)
            case Call():
                self._called(op)
            case _:
                pass

    def _look(self, op: Op) -> None:
        """Notes the parameters behind which the operation looks, or lets somebody look."""
        match op:
            case Load(place=place) | Store(place=place) | Zero(place=place) | Clobber(place=place):
                places: tuple[Place, ...] = (place,)
            case CopyRecord(target=target, source=source):
                places = (target, source)
            case Call():
                contract = self._prepared.calls[id(op)].contract
                unread = contract.unread if contract is not None else ()
                named = len(contract.signature.parameters) if contract is not None else len(op.arguments)
                for position, argument in enumerate(op.arguments):
                    labels = self._labels_at(argument) if position not in unread else ()
                    self._found.read.update(
                        label.index for label in labels if position < named or not self._is_number(label)
                    )
                return
            case _:
                return
        pointers = (self._prepared.spots[id(place)].pointer for place in places)
        self._found.read.update(
            label.index for pointer in pointers if pointer is not None for label in self._of(pointer)
        )

    def _is_number(self, label: Label) -> bool:
        return not label.depth and self._prepared.function.locals[label.index].type.kind is TypeKind.INT

    def _stored(self, place: Place, labels: set[Label]) -> None:
        if not isinstance(place.base, LocalBase):
            self._sink(labels, "store")

    def _written(self, place: Place, whole: bool = False, pointer: bool = True) -> None:
        spot = self._prepared.spots[id(place)]
        if isinstance(place.base, GlobalBase):
            if place.base.name == ERRNO:
                return
            self._found.writes.add(place.base.name)
        elif spot.pointer is not None:
            for label in self._of(spot.pointer):
                if label.depth:
                    self._found.below.update((label.index,) if pointer else ())
                elif whole or spot.indices or label.shift is None:
                    self._found.incomplete.add(label.index)
                else:
                    self._found.written.add((label.index, label.shift + spot.offset))
                    self._name(label.index, label.shift + spot.offset, self._member_of(spot, label))

    def _cleared(self, place: Place, bits: int) -> None:
        spot = self._prepared.spots[id(place)]
        for label in self._of(spot.pointer) if spot.pointer is not None else ():
            if not label.depth and label.shift == 0 and not spot.indices and spot.offset == 0:
                self._found.whole[label.index] = max(bits, self._found.whole.get(label.index, 0))

    def _called(self, op: Call) -> None:
        site = self._prepared.calls[id(op)]
        contract = site.contract
        if contract is None or any(e.kind is EffectKind.OPAQUE for e in _effects(contract)):
            self._called_unknown(op, site)
            return
        self._found.writes.update(contract.writes)
        if ANYTHING in contract.writes:
            self._route(None, routes_behind(self._prepared, site, None))
        described = set.intersection(*(described_arguments(contract, outcome) for outcome in contract.outcomes))
        for position, argument in enumerate(op.arguments):
            if position not in described and not _lends_const(site, position):
                labels = self._labels_at(argument)
                # What a library fills are buffers: it changes no links of the program's.
                inferred = contract.provenance is Provenance.INFERRED
                self._changed_behind((label for label in labels if inferred or not label.depth), op)
            if position in contract.below and op.name != self._prepared.function.name:
                self._found.below.update(label.index for label in self._labels_at(argument))
        for argument in op.arguments[len(contract.signature.parameters) :] if contract.extras else ():
            self._sink(self._labels_at(argument), "call")
        for effect in _effects(contract):
            for term in (effect.term, effect.source):
                if term is not None and term.root is Root.PARAM:
                    self._effect(op, effect, term)

    def _effect(self, op: Call, effect: Effect, term: Term) -> None:
        """One effect of a callee on one term of it."""
        if effect.kind in _SINKS or term is effect.source:
            how = "release" if effect.kind is EffectKind.RELEASE else "call"
            site = self._prepared.calls[id(op)]
            for label, exact in self._named(op, term):
                self._sink({label}, how, effect.deep or not exact)
                if how == "call" and (label.depth == 2 or (label.depth == 1 and not exact)):
                    self._route(label.index, routes_behind(self._prepared, site, effect.term))
            return
        if effect.kind not in _WRITES or term.index >= len(op.arguments):
            return
        member = _one_member(term)
        for label in self._of(op.arguments[term.index]):
            if label.depth == 0 and label.shift is not None and member is not None:
                offset = label.shift + member
                self._found.written.add((label.index, offset))
                self._name(label.index, offset, self._member_at(op, term, label))
            else:
                self._changed_behind((label,), op)

    def _called_unknown(self, op: Call, site: CallSite) -> None:
        system = site.declaration is not None and site.declaration.system
        callback = any(isinstance(argument, FunctionAddress) for argument in op.arguments)
        observing = op.name is not None and borrowing.name_suggests_observing(op.name)
        if not (observing or (system and not callback)):
            self._found.writes.add(ANYTHING)
            self._route(None, (unknown_route(self._prepared, site),))
        for position, argument in enumerate(op.arguments):
            labels = self._labels_at(argument)
            if not labels:
                continue
            if not _lends_const(site, position):
                self._changed_behind(labels, op)
            if not is_lent(site, position):
                self._sink(labels, "call")
                for label in sorted(label.index for label in labels if label.depth == 2):
                    self._route(label, (unknown_route(self._prepared, site),))

    def _changed_behind(self, labels: Iterable[Label], op: Call) -> None:
        """Memory that the labels lead to may be written, pointers too, nobody knows how.

        A call of the function itself writes below nothing that its other operations do not write below.
        """
        recursive = op.name == self._prepared.function.name
        for label in labels:
            if not label.depth:
                self._found.incomplete.add(label.index)
            elif not recursive:
                self._found.below.add(label.index)

    def _route(self, index: int | None, routes: Iterable[Route]) -> None:
        add_routes(self._found.routes.setdefault(index, {}), routes)

    def _labels_at(self, operand: Operand) -> set[Label]:
        """Labels of an argument, and of the locals whose address it is."""
        found = set(self._of(operand))
        if isinstance(operand, Temp):
            for index in self._addresses.get(operand.id, ()):
                found |= self._locals.get(index, set())
        return found

    def _named(self, op: Call, term: Term) -> Iterator[tuple[Label, bool]]:
        """Labels of what a callee's term is here; False: the label stands for more than the term."""
        if term.index >= len(op.arguments):
            return
        argument = op.arguments[term.index]
        if not term.selectors:
            for label in self._of(argument):
                yield label, True
            return
        offset = _one_member(term)
        for label in self._of(argument):
            if label.depth == 0 and label.shift is not None and offset is not None:
                found = Label(label.index, 1, label.shift + offset)
                self._name(label.index, label.shift + offset, self._member_at(op, term, label))
                yield found, True
            else:
                yield _deeper(label), False
        if isinstance(argument, Temp):
            for index in self._addresses.get(argument.id, ()):
                for label in self._locals.get(index, ()):
                    yield label, len(term.selectors) == 1

    def _sink(self, labels: Iterable[Label], how: str, deep: bool = False) -> None:
        types = self._prepared.function.locals
        for label in labels:
            if label.depth == 0:
                if is_pointer(types[label.index].type) or how in ("release", "call", "return"):
                    self._found.parameters.add(label.index)
                elif how == "store":
                    self._found.stored.add(label.index)
                if deep and how == "release":
                    self._found.deep_released.add(label.index)
            elif label.depth == 1:
                self._found.members.add((label.index, label.member))
                if deep:
                    self._sink_deep(label, how)
            else:
                self._sink_deep(label, how)

    def _sink_deep(self, label: Label, how: str) -> None:
        """Something below a member, or at a place nobody knows."""
        if how == "release":
            self._found.deep_released.add(label.index)
            self._found.deep_members.add((label.index, label.member))
        else:
            self._found.deep_gone.add(label.index)

    def _limit(self) -> None:
        """Too many members of one parameter: they are taken as a whole; too many globals: all of them."""
        found = self._found
        for index in range(self._prepared.function.parameters):
            mine = [key for key in found.members if key[0] == index]
            if len(mine) > MOST_MEMBERS:
                found.members.difference_update(mine)
                found.deep_gone.add(index)
                found.deep_members.add((index, NOWHERE))
                found.deep_released.add(index)  # and if it is released itself, then with all it holds
        if ANYTHING in found.writes or len(found.writes) > MOST_GLOBALS:
            found.writes = {ANYTHING}
        if _may_refuse(self._prepared.function):
            found.parameters |= found.stored
        found.stored -= found.parameters


_NONE: set[Label] = set()


def _member_term(ctype: CType, index: int, offset: int, names: Mapping[tuple[int, int], str]) -> Term:
    """The term for a member behind a parameter of that type."""
    record = ctype.pointee_kind in (TypeKind.RECORD, TypeKind.UNKNOWN, TypeKind.VOID)
    if offset == 0 and not record:
        return Term(Root.PARAM, index, ("*",))
    return Term(Root.PARAM, index, ("*", member(names.get((index, offset)) or f"at{offset}", offset)))


def _may_refuse(function: Function) -> bool:
    """Whether it may say that it did not store what it was given: a run tells when."""
    tells = function.result.kind in (TypeKind.INT, TypeKind.BOOL, TypeKind.POINTER)
    return tells and any(isinstance(block.end, Branch) for block in function.blocks)


def _takes_extras(function: Function) -> bool:
    """Whether it takes pointers out of its list of unnamed arguments, rather than hand the list on.

    What it takes out as ``const char *`` it only reads.
    """
    calls = (op for block in function.blocks for op in block.ops if isinstance(op, (Call, Store)))
    return function.variadic and any(map(_takes_unknown, calls))


def _takes_unknown(op: Call | Store) -> bool:
    arguments = ((op.value, op.type),) if isinstance(op, Store) else zip(op.arguments, op.argument_types, strict=True)
    shown = sum(isinstance(value, Unknown) and ctype.pointee_const for value, ctype in arguments)
    return sum(isinstance(operand, Unknown) for operand in operands_of(op)) > shown


def _inside(label: Label) -> Label:
    return Label(label.index, label.depth, label.member, None)


def _deeper(label: Label) -> Label:
    return Label(label.index, 2, label.member if label.depth else NOWHERE)


def _moved(label: Label, offset: int | None) -> Label:
    """The label of an address `offset` bits further on."""
    if label.depth:
        return label if label.depth == 2 else _inside(label)
    shift = None if offset is None or label.shift is None else label.shift + offset
    return Label(label.index, 0, 0, shift)


def _effects(contract: FunctionContract) -> Iterator[Effect]:
    for outcome in contract.outcomes:
        yield from outcome.effects


def _one_member(term: Term) -> int | None:
    """The offset of ``*p`` or ``p->f``; None for anything deeper."""
    if term.selectors == ("*",):
        return 0
    if term.selectors[:1] != ("*",):
        return None
    total = 0
    for selector in term.selectors[1:]:
        offset = member_offset(selector)
        if offset is None:
            return None
        total += offset
    return total


def _lends_const(site: CallSite, position: int) -> bool:
    declaration = site.declaration
    if declaration is None or position >= len(declaration.parameters):
        return False
    ctype = declaration.parameters[position]
    return ctype.kind is not TypeKind.POINTER or ctype.pointee_const
