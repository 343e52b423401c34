"""Places flattened and calls resolved, with the texts a reader would write for them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Root, Term
from analyzer.ir.function import Function, FunctionDeclaration, TranslationUnit
from analyzer.ir.operands import (
    DerefBase,
    Field,
    FunctionAddress,
    GlobalBase,
    Index,
    Int,
    LocalBase,
    Operand,
    Place,
    Temp,
)
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    Load,
    Op,
    Return,
    Store,
    Zero,
)
from analyzer.ir.types import TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.binding import OWN, Target, bound
from analyzer.ownership.formats import with_format
from analyzer.ownership.liveness import operands_of
from analyzer.ownership.prepared import CallSite, Contracts, Match, Prepared, Spot, by_value_base

MOST_TARGETS = 4  # functions whose addresses a function mentions, for a call through a pointer to be one of them
NAMED_MEMBER = 1 << 48  # members without a known offset lie far beyond all others, one slot each


@final
class Flattener:
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
        self.origins: dict[int, int] = {}  # the same, through conversions
        self.held = _held(prepared.function)
        self.released: set[int] = set()
        self.calls_at: dict[int, int] = {}
        self.pointed = functions_mentioned(prepared.function)
        self.given = {index for body in prepared.expansion.bodies for index in body.parameters}

    def run(self) -> None:
        """Fill what the class says."""
        for index in self.prepared.by_value:
            self.prepared.temp_text[by_value_base(index).id] = f"&{self.prepared.function.locals[index].name}"
        for block_id in sorted(range(len(self.prepared.order)), key=self.prepared.order.__getitem__):
            block = self.prepared.function.blocks[block_id]
            for op in block.ops:
                self._origin(op)
                self._operation(op, self.prepared.cyclic[block_id])
            if isinstance(block.end, Return) and block.end.record is not None:
                self._spot(block.end.record)
        self.prepared.release_locals = tuple(sorted(self.released))

    def _origin(self, op: Op) -> None:
        match op:
            case Load(place=Place(base=LocalBase(index=index), selectors=()), result=result):
                self.origins[result.id] = index
            case Convert(operand=Temp(id=source), result=result):
                self.origins[result.id] = self.origins.get(source, -1)
            case _:
                pass

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
            case Store(place=place, value=value):
                if isinstance(place.base, LocalBase) and place.base.index in self.given and op.initialises:
                    self._pass(place.base.index, self._operand_text(value))
                self._spot(place)
            case Zero(place=place) | Clobber(place=place):
                self._spot(place)
            case CopyRecord(target=target, source=source):
                self._spot(target)
                self._spot(source)
            case Call():
                self._call(op, cyclic)
            case _:
                pass

    def _pass(self, index: int, text: str) -> None:
        """A parameter of a body inside is called what it is given."""
        if text and not text.endswith("()"):
            self.prepared.aliases[index] = text

    def _is_array(self, place: Place) -> bool:
        match place:
            case Place(base=LocalBase(index=index), selectors=()):
                return self.prepared.function.locals[index].type.kind is TypeKind.ARRAY
            case Place(base=GlobalBase(name=name), selectors=()) if name in self.unit.globals:
                return self.unit.globals[name].type.kind is TypeKind.ARRAY
            case _:
                return False

    def _call(self, op: Call, cyclic: bool) -> None:
        self.prepared.calls[id(op)] = self._site(op, cyclic, self._key(op))
        if op.name is None and len(self.pointed) <= MOST_TARGETS:
            named = (replace(op, name=name, target=None) for name in sorted(self.pointed))
            key = self.prepared.calls[id(op)].key
            self.prepared.targets[id(op)] = {one.name or "": self._site(one, cyclic, key) for one in named}
        if op.result is not None and op.name:
            self.prepared.temp_text[op.result.id] = f"{op.name}()"

    def _site(self, op: Call, cyclic: bool, key: int) -> CallSite:
        declaration = self.unit.declarations.get(op.name) if op.name else None
        contract, by = None, ""
        if op.name:
            match = self._lookup(op.name, declaration, op)
            contract, by = match.contract, match.by
            if contract is not None:
                contract = with_format(contract, op.arguments)
                contract = bound(contract, lambda effect: self._target(op, effect), self._contract)
            if match.mismatch:
                self.prepared.name_only.append((op.at, op.name, match.mismatch))
        if contract is not None and releases(contract):
            self.released |= {self.loaded[o.id] for o in op.arguments if isinstance(o, Temp) and o.id in self.loaded}
        if op.record_result is not None and isinstance(op.record_result.base, LocalBase) and op.name:
            self.prepared.results[op.record_result.base.index] = f"{op.name}()"
        record = self._spot(op.record_result) if op.record_result is not None else None
        texts = tuple(self._operand_text(argument) for argument in op.arguments)
        lends = contract is None and self.contracts.lends and borrowing.may_lend(op.name or "")
        through = self._pointer_name(op)
        passed = self._passed(op)
        return CallSite(op, contract, by, declaration, texts, cyclic, record, key, lends, passed, through)

    def _contract(self, name: str) -> FunctionContract | None:
        return contract_named(name, self.unit, self.contracts, self.defined)

    def _target(self, op: Call, effect: Effect) -> Target:
        """The function that `effect.into` holds at a call; what one does that is a parameter, the callers will know."""
        assert effect.into is not None and effect.term is not None
        if max(effect.into.index, effect.term.index) >= len(op.arguments):
            return None
        holder = op.arguments[effect.into.index]
        match holder:
            case FunctionAddress(name=name):
                return name
            case Int(value=0):
                return ""
            case Temp(id=temp) if isinstance(held := self.held.get(self.origins.get(temp, -1)), str):
                return held
            case _:
                pass
        function, data = self._own(holder), self._own(op.arguments[effect.term.index])
        if function is None or data is None:
            return None
        into, term = Term(Root.PARAM, function), Term(Root.PARAM, data)
        self.prepared.passes.add(Effect(EffectKind.PASS, term, into=into, value=effect.value))
        return OWN

    def _passed(self, op: Call) -> frozenset[int]:
        """Arguments of a call of what a parameter holds, that are parameters, too."""
        function = self._own(op.target) if op.target is not None else None
        if function is None:
            return frozenset()
        found = set()
        for position, argument in enumerate(op.arguments):
            data = self._own(argument)
            if data is not None and op.argument_types[position].kind is TypeKind.POINTER:
                into, term = Term(Root.PARAM, function), Term(Root.PARAM, data)
                self.prepared.passes.add(Effect(EffectKind.PASS, term, into=into, value=position))
                found.add(position)
        return frozenset(found)

    def _own(self, operand: Operand) -> int | None:
        """The parameter that an operand is, where the function never sets it."""
        local = self.origins.get(operand.id, -1) if isinstance(operand, Temp) else -1
        return local if 0 <= local < self.prepared.function.parameters and local not in self.held else None

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
                case Index(index=operand, element_bits=bits, elements=elements):
                    indices.append((operand, bits, elements))
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


def contract_named(
    name: str, unit: TranslationUnit, contracts: Contracts, defined: frozenset[str]
) -> FunctionContract | None:
    """The contract for calls of a function that the unit declares."""
    declaration = unit.declarations.get(name)
    if declaration is None:
        return None
    return contracts.lookup(declaration, declaration.defined or name in defined).contract


def _held(function: Function) -> dict[int, str | None]:
    """Locals that are set -> the function whose address they hold from beginning to end, None: something else."""
    found: dict[int, str | None] = {}
    for op in (op for block in function.blocks for op in block.ops):
        match op:
            case Store(place=Place(base=LocalBase(index=index), selectors=()), value=value):
                name = value.name if isinstance(value, FunctionAddress) else None
                found[index] = name if index not in found else None
            case (
                AddressOf(place=Place(base=LocalBase(index=index))) | Clobber(place=Place(base=LocalBase(index=index)))
            ):
                found[index] = None
            case _:
                pass
    return found


def functions_mentioned(function: Function) -> frozenset[str]:
    """The functions whose addresses it passes on or keeps."""
    return frozenset(
        operand.name
        for block in function.blocks
        for op in (*block.ops, block.end)
        for operand in operands_of(op)
        if isinstance(operand, FunctionAddress)
    )


def releases(contract: FunctionContract) -> bool:
    """Whether the function releases anything in some outcome."""
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
