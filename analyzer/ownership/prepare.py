"""Prepare a function for the engine: flattened places, resolved contracts, liveness, loops, order.

    store *(%3).rx@64.buf@0, %7     becomes     a `Spot`: base temp 3, offset 64, text "ctx->rx.buf"

Done once per function; every run over a resource shares the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, final

from analyzer.contracts.model import EffectKind, FunctionContract, ResourceKind
from analyzer.ir.function import Function, FunctionDeclaration, TranslationUnit, successors
from analyzer.ir.operands import ERRNO, DerefBase, Field, GlobalBase, Index, Int, LocalBase, Operand, Place, Temp
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
    ScopeEnd,
    Stop,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)
from analyzer.ir.order import cyclic_blocks, reverse_postorder
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.formats import with_format

BLOCKS_TO_THE_END = 6  # a loss so near to the end of the process is none that anyone would miss
NOWHERE = 1 << 30  # distance where there is no way
NAMED_MEMBER = 1 << 48  # members without a known offset lie far beyond all others, one slot each


class Match(Protocol):
    """What the contract table answers."""

    @property
    def contract(self) -> FunctionContract | None:
        """The contract that applies, if any."""

    @property
    def by(self) -> str:
        """What it matched by: "project", "signature", "name" or ""."""

    @property
    def mismatch(self) -> str:
        """Why a contract of that name does not apply, "" when there is none."""


class Contracts(Protocol):
    """The part of the contract table the engine asks."""

    @property
    def kinds(self) -> Mapping[str, ResourceKind]:
        """Resource kinds by name."""

    @property
    def lends(self) -> bool:
        """Whether a function of which nothing is known borrows what it is given."""

    def lookup(self, declaration: FunctionDeclaration, defined_in_program: bool) -> Match:
        """The contract for a call of the declared function."""


@final
@dataclass(slots=True)
class Spot:
    """A flattened place. Exactly one of local, glob, pointer is set; indices: symbolic (operand, bits)."""

    local: int = -1
    glob: str = ""
    pointer: Operand | None = None
    offset: int = 0
    indices: tuple[tuple[Operand, int], ...] = ()
    text: str = ""
    whole: bool = True


@final
@dataclass(slots=True)
class CallSite:
    """A call with everything that can be known before running.

    key: tells it from all other calls of the function, also from those that the same macro makes at one place.
    """

    op: Call
    contract: FunctionContract | None
    by: str
    declaration: FunctionDeclaration | None
    texts: tuple[str, ...]
    cyclic: bool
    record_result: Spot | None
    key: int = -1
    lends: bool = False  # nothing is known of it, and the project says that such functions borrow
    through: str = ""  # for a call through a pointer: the name of the variable or member that holds it


@final
@dataclass(slots=True)
class Prepared:
    """A function ready to be run. Lists are indexed by block id."""

    function: Function
    order: list[int]
    cyclic: list[bool]
    live_in: list[frozenset[int]]
    live_temps_out: list[frozenset[int]]
    temps_after: dict[tuple[int, int], frozenset[int]]
    spots: dict[int, Spot] = field(default_factory=dict)
    calls: dict[int, CallSite] = field(default_factory=dict)
    distances: dict[int, list[int]] = field(default_factory=dict)
    temp_text: dict[int, str] = field(default_factory=dict)
    name_only: list[tuple[int, str, str]] = field(default_factory=list)
    constants: dict[tuple[str, int], int] = field(default_factory=dict)
    zeroed: set[str] = field(default_factory=set)  # constant global variables that are zero
    statics: dict[str, str] = field(default_factory=dict)  # the file's static variables: name in C -> name in the IR
    acquiring: dict[int, tuple[int, ...]] = field(default_factory=dict)  # key of a call -> what it gives when it fails
    ends_soon: list[bool] = field(default_factory=list)  # blocks from which a few others lead to the process's end
    results: dict[int, str] = field(default_factory=dict)  # locals that hold what a call returned -> "make()"
    is_main: bool = False
    merges: list[bool] = field(default_factory=list)
    array_texts: set[str] = field(default_factory=set)
    release_locals: tuple[int, ...] = ()
    defined: frozenset[str] = frozenset()
    returned_local: int = -1
    by_value: frozenset[int] = frozenset()  # records passed by value and only read: see `by_value_base`
    tests_errno: bool = False  # it sets errno, or asks whether it is 0
    makes_gaps: bool = False  # it releases descriptors by their number, or all of them in a loop
    written: tuple[tuple[int, int], ...] = ()
    member_names: dict[tuple[int, int], str] = field(default_factory=dict)

    def local_name(self, index: int) -> str:
        """What a reader calls the local: by the call where it holds the struct that a call returned."""
        return self.results.get(index, self.function.locals[index].name)

    def block_of(self, op: Op) -> int:
        """The block that holds this very operation."""
        return next(n for n, block in enumerate(self.function.blocks) if any(one is op for one in block.ops))

    def distance_to(self, block: int) -> list[int]:
        """Least number of edges from each block to `block` (a large number where there is no way)."""
        known = self.distances.get(block)
        if known is None:
            known = self.distances[block] = _distances(self.function, block)
        return known


def prepare(function: Function, unit: TranslationUnit, contracts: Contracts, defined: frozenset[str]) -> Prepared:
    """Everything the runs over this function share."""
    order = [0] * len(function.blocks)
    for position, block_id in enumerate(reverse_postorder(function)):
        order[block_id] = position
    cyclic = cyclic_blocks(function)
    taken = _address_taken(function)
    live_in, temps_out, temps_after = _liveness(function, taken)
    prepared = Prepared(function, order, cyclic, live_in, temps_out, temps_after)
    own = (name for name, declaration in unit.declarations.items() if declaration.defined)
    prepared.defined = defined.union(own)
    prepared.merges = _merges(function)
    prepared.is_main = function.name == "main"
    prepared.by_value = _only_read_records(function)
    _Flattener(prepared, unit, contracts, defined).run()
    prepared.returned_local = _returned_local(function)
    prepared.tests_errno = _tests_errno(function)
    prepared.acquiring = dict(_acquiring(prepared, contracts))
    prepared.ends_soon = _ends_soon(prepared)
    prepared.makes_gaps = any(_makes_gap(site) for site in prepared.calls.values())
    for name, variable in unit.globals.items():
        file, colon, short = name.rpartition(":")
        if colon and file == function.file:
            prepared.statics[short] = name
        if variable.constant:
            if variable.zeroed:
                prepared.zeroed.add(name)
            for offset, value in variable.initial.items():
                if isinstance(value, Int):
                    prepared.constants[(name, offset)] = value.value
    return prepared


def _tests_errno(function: Function) -> bool:
    """Whether errno may be 0 here: somebody sets it, or wants to know."""
    read: set[Operand] = set()
    for block in function.blocks:
        for op in block.ops:
            match op:
                case Load(place=Place(base=GlobalBase(name=name)), result=result) if name == ERRNO:
                    read.add(result)
                case Store(place=Place(base=GlobalBase(name=name))) if name == ERRNO:
                    return True
                case Binary(operator="==" | "!=", left=left, right=Int(value=0)) if left in read:
                    return True
                case _:
                    pass
        if isinstance(block.end, Branch) and block.end.condition in read:
            return True
    return False


def _acquiring(prepared: Prepared, contracts: Contracts) -> Iterator[tuple[int, tuple[int, ...]]]:
    for site in prepared.calls.values():
        outcomes = site.contract.outcomes if site.contract is not None else ()
        fresh = [effect.resource for o in outcomes for effect in o.effects if effect.kind is EffectKind.FRESH]
        if fresh:
            kinds = (contracts.kinds.get(resource) for resource in fresh)
            yield site.key, tuple(failure for kind in kinds if kind is not None for failure in kind.failure)


def _ends_soon(prepared: Prepared) -> list[bool]:
    blocks = prepared.function.blocks
    found = {number for number, block in enumerate(blocks) if isinstance(block.end, Stop)}
    found |= {n for n, b in enumerate(blocks) if any(isinstance(op, Call) and _may_end(prepared, op) for op in b.ops)}
    for _ in range(BLOCKS_TO_THE_END if found else 0):
        found |= {n for n, block in enumerate(blocks) if any(way in found for way in successors(block.end))}
    return [number in found for number in range(len(blocks))]


def _may_end(prepared: Prepared, op: Call) -> bool:
    contract = prepared.calls[id(op)].contract
    if contract is None:
        return op.result is None and borrowing.name_suggests_ending(op.name or "")
    return any(effect.kind is EffectKind.NORETURN for outcome in contract.outcomes for effect in outcome.effects)


def by_value_base(index: int) -> Temp:
    """Stands for the address of a record passed by value.

    The caller made the copy, and passes its address as far as the IR can tell. Members of a parameter that is only
    read are thus memory of the caller's, like those behind a pointer, and contracts can speak of them.
    """
    return Temp(-1 - index)


def _only_read_records(function: Function) -> frozenset[int]:
    parameters = range(function.parameters)
    found: set[int | None] = {i for i in parameters if function.locals[i].type.kind is TypeKind.RECORD}
    if found:
        for block in function.blocks:
            for op in block.ops:
                match op:
                    case (
                        Store(place=place)
                        | AddressOf(place=place)
                        | Zero(place=place)
                        | Clobber(place=place)
                        | CopyRecord(target=place)
                        | Call(record_result=Place() as place)
                    ):
                        found -= {_local_of(place)}
                    case _:
                        pass
    return frozenset(index for index in found if index is not None)


def _makes_gap(site: CallSite) -> bool:
    """Whether the call releases a descriptor that is given as a constant, or one in each round of a loop."""
    if site.contract is None or not _releases(site.contract):
        return False
    parameters = site.contract.signature.parameters
    return any(
        ctype.kind is TypeKind.INT and (site.cyclic or isinstance(argument, Int))
        for ctype, argument in zip(parameters, site.op.arguments, strict=False)
    )


def _returned_local(function: Function) -> int:
    """The one local variable whose value every return hands out, -1 when there is none."""
    loads = {
        op.result.id: op.place.base.index
        for block in function.blocks
        for op in block.ops
        if isinstance(op, Load) and isinstance(op.place.base, LocalBase) and not op.place.selectors
    }
    found = set()
    for block in function.blocks:
        if isinstance(block.end, Return) and isinstance(block.end.value, Temp):
            found.add(loads.get(block.end.value.id, -1))
    return found.pop() if len(found) == 1 else -1


def _merges(function: Function) -> list[bool]:
    """For each block: whether several others lead to it."""
    before = [0] * len(function.blocks)
    for block in function.blocks:
        for target in set(successors(block.end)):
            before[target] += 1
    return [count > 1 for count in before]


def _distances(function: Function, goal: int) -> list[int]:
    found = [NOWHERE] * len(function.blocks)
    before: dict[int, list[int]] = {}
    for source, block in enumerate(function.blocks):
        for target in successors(block.end):
            before.setdefault(target, []).append(source)
    found[goal] = 0
    queue = [goal]
    for block_id in queue:
        for source in before.get(block_id, ()):
            if found[source] == NOWHERE:
                found[source] = found[block_id] + 1
                queue.append(source)
    return found


# -- what each operation reads and writes -----------------------------------------------------------------


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


def _local_of(place: Place) -> int | None:
    return place.base.index if isinstance(place.base, LocalBase) else None


def _address_taken(function: Function) -> set[int]:
    taken = set()
    for block in function.blocks:
        for op in block.ops:
            if isinstance(op, AddressOf):
                index = _local_of(op.place)
                if index is not None:
                    taken.add(index)
    return taken


def _liveness(
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
            index = _local_of(op.place)
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
        index = _local_of(place)
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


# -- flattening -------------------------------------------------------------------------------------------


@final
class _Flattener:
    """Walks all operations once and fills `spots`, `calls` and the texts of temps."""

    def __init__(
        self, prepared: Prepared, unit: TranslationUnit, contracts: Contracts, defined: frozenset[str]
    ) -> None:
        self.prepared = prepared
        self.unit = unit
        self.contracts = contracts
        self.defined = defined
        self.members: dict[tuple[int, str], int] = {}
        self.cache: dict[str, Match] = {}
        self.loaded: dict[int, int] = {}
        self.released: set[int] = set()
        self.calls_at: dict[int, int] = {}

    def run(self) -> None:
        for index in self.prepared.by_value:
            self.prepared.temp_text[by_value_base(index).id] = f"&{self.prepared.function.locals[index].name}"
        for block_id in sorted(range(len(self.prepared.order)), key=self.prepared.order.__getitem__):
            block = self.prepared.function.blocks[block_id]
            for op in block.ops:
                self._operation(op, self.prepared.cyclic[block_id])
            if isinstance(block.end, Return) and block.end.record is not None:
                self._spot(block.end.record)
        self.prepared.release_locals = tuple(sorted(self.released))

    def _operation(self, op: Op, cyclic: bool) -> None:
        text = self.prepared.temp_text
        match op:
            case Load(place=place, result=result):
                text[result.id] = self._spot(place).text
                if isinstance(place.base, LocalBase) and not place.selectors:
                    self.loaded[result.id] = place.base.index
            case AddressOf(place=place, result=result):
                text[result.id] = "&" + self._spot(place).text
                if self._is_array(place):
                    self.prepared.array_texts.add(text[result.id])
            case Convert(operand=Temp(id=source), result=result):
                text[result.id] = text.get(source, "")
            case Binary(left=Temp(id=source), result=result, pointer=True):
                text[result.id] = text.get(source, "")
            case Store(place=place) | Zero(place=place) | Clobber(place=place):
                self._spot(place)
            case CopyRecord(target=target, source=source):
                self._spot(target)
                self._spot(source)
            case Call():
                self._call(op, cyclic)
            case _:
                pass

    def _is_array(self, place: Place) -> bool:
        match place:
            case Place(base=LocalBase(index=index), selectors=()):
                return self.prepared.function.locals[index].type.kind is TypeKind.ARRAY
            case Place(base=GlobalBase(name=name), selectors=()) if name in self.unit.globals:
                return self.unit.globals[name].type.kind is TypeKind.ARRAY
            case _:
                return False

    def _call(self, op: Call, cyclic: bool) -> None:
        declaration = self.unit.declarations.get(op.name) if op.name else None
        contract, by = None, ""
        if op.name:
            match = self._lookup(op.name, declaration, op)
            contract, by = match.contract, match.by
            if contract is not None:
                contract = with_format(contract, op.arguments)
            if match.mismatch:
                self.prepared.name_only.append((op.at, op.name, match.mismatch))
        if contract is not None and _releases(contract):
            self.released |= {self.loaded[o.id] for o in op.arguments if isinstance(o, Temp) and o.id in self.loaded}
        if op.record_result is not None and isinstance(op.record_result.base, LocalBase) and op.name:
            self.prepared.results[op.record_result.base.index] = f"{op.name}()"
        record = self._spot(op.record_result) if op.record_result is not None else None
        texts = tuple(self._operand_text(argument) for argument in op.arguments)
        lends = contract is None and self.contracts.lends and borrowing.may_lend(op.name or "")
        self.prepared.calls[id(op)] = CallSite(
            op, contract, by, declaration, texts, cyclic, record, self._key(op), lends, self._pointer_name(op)
        )
        if op.result is not None and op.name:
            self.prepared.temp_text[op.result.id] = f"{op.name}()"

    def _key(self, op: Call) -> int:
        """The offset for the first call there, more for the others that the same macro makes."""
        number = self.calls_at[op.at] = self.calls_at.get(op.at, -1) + 1
        return op.at + (number << 40)

    def _pointer_name(self, op: Call) -> str:
        text = self._operand_text(op.target) if op.target is not None else ""
        return re.split(r"->|\.|\*", text)[-1].partition("[")[0]

    def _lookup(self, name: str, declaration: FunctionDeclaration | None, op: Call) -> Match:
        if declaration is None:
            declaration = FunctionDeclaration(name, op.result_type, op.argument_types, prototyped=False, implicit=True)
        elif declaration.implicit or not declaration.prototyped:
            declaration = _with_call_types(declaration, op)
        else:
            known = self.cache.get(name)
            if known is not None:
                return known
        found = self.contracts.lookup(declaration, declaration.defined or name in self.defined)
        self.cache[name] = found
        return found

    def _operand_text(self, operand: Operand) -> str:
        return self.prepared.temp_text.get(operand.id, "") if isinstance(operand, Temp) else ""

    def _spot(self, place: Place) -> Spot:
        found = self.prepared.spots.get(id(place))
        if found is None:
            found = self.prepared.spots[id(place)] = self._flatten(place)
        return found

    def _flatten(self, place: Place) -> Spot:
        spot = Spot(whole=not place.selectors)
        arrow = False
        match place.base:
            case LocalBase(index=index) if index in self.prepared.by_value:
                spot.pointer = by_value_base(index)
                spot.text = self._operand_text(spot.pointer)
                arrow = True
            case LocalBase(index=index):
                spot.local = index
                spot.text = self.prepared.local_name(index)
            case GlobalBase(name=name):
                spot.glob = name
                spot.text = name.rsplit(":", 1)[-1]
            case DerefBase(pointer=pointer):
                spot.pointer = pointer
                spot.text = self._operand_text(pointer)
                arrow = True
        self._select(spot, place, arrow)
        return spot

    def _select(self, spot: Spot, place: Place, arrow: bool) -> None:
        indices = []
        text = spot.text
        plain = not place.selectors and arrow
        for selector in place.selectors:
            match selector:
                case Field(name=name, offset=offset):
                    spot.offset = spot.offset + offset if offset >= 0 else self._member(spot.offset, name)
                    joint = "->" if arrow and not text.startswith("&") else "."
                    text = f"{text.removeprefix('&')}{joint}{name}"
                case Index(index=Int(value=value), element_bits=bits) if bits or value == 0:
                    spot.offset += value * bits
                    text = f"{text.removeprefix('&')}[{value}]"
                case Index(index=operand, element_bits=bits):
                    indices.append((operand, bits))
                    inner = self._operand_text(operand)
                    text = f"{text.removeprefix('&')}[{inner}]"
            arrow = False
        if plain:
            text = text[1:] if text.startswith("&") else f"*{text}"
        spot.text = text
        spot.indices = tuple(indices)

    def _member(self, start: int, name: str) -> int:
        """The place of a member whose offset nobody knows: one of its own for each way that leads to it."""
        return NAMED_MEMBER * self.members.setdefault((start, name), len(self.members) + 1)


def _releases(contract: FunctionContract) -> bool:
    return any(effect.kind is EffectKind.RELEASE for o in contract.outcomes for effect in o.effects)


def _with_call_types(declaration: FunctionDeclaration, op: Call) -> FunctionDeclaration:
    return FunctionDeclaration(
        declaration.name,
        declaration.result,
        op.argument_types,
        variadic=declaration.variadic,
        prototyped=False,
        implicit=declaration.implicit,
        defined=declaration.defined,
        static=declaration.static,
        noreturn=declaration.noreturn,
        system=declaration.system,
        file=declaration.file,
        attributes=declaration.attributes,
    )


def is_pointer(ctype: CType) -> bool:
    """Whether values of the type are addresses (or might be: an unknown type)."""
    return ctype.kind in (TypeKind.POINTER, TypeKind.ARRAY, TypeKind.FUNCTION, TypeKind.UNKNOWN)


def scope_locals(op: Op) -> tuple[int, ...]:
    """Locals whose life the operation ends."""
    return op.locals if isinstance(op, ScopeEnd) else ()
