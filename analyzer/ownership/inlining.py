"""Which calls of a function are followed into the body of what they call.

A contract says what a caller can see; where that is less than what the body does (a callback that is called, a global
variable that is set, something two pointers deep, a condition that relates two arguments), and the body is small, the
body stands in place of the call (`ir/inline.py`). Whatever else is asked of a function, its contract answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Provenance, Root
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ir.inline import Expansion, expand
from analyzer.ir.operands import (
    ERRNO,
    DerefBase,
    FunctionAddress,
    GlobalBase,
    Index,
    Int,
    LocalBase,
    Operand,
    Place,
    Temp,
)
from analyzer.ir.ops import AddressOf, Binary, Branch, Call, Convert, Load, Store, Switch, Unary
from analyzer.ir.order import cyclic_blocks
from analyzer.ir.types import TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.flatten import contract_named, functions_mentioned
from analyzer.ownership.prepared import Contracts

MOST_BLOCKS = 16  # of a body
MOST_OPERATIONS = 80
MOST_DEEP = 3  # bodies in bodies
MOST_ADDED = 800  # operations, for all bodies of a function
LARGE = 250  # blocks: a function that is so large gets no bodies
_TINY = 12  # operations
_ANYTHING = "*"
_TAKING = frozenset({EffectKind.TAKE, EffectKind.STORE, EffectKind.ESCAPE})
_OWNING = frozenset(
    {
        EffectKind.RELEASE,
        EffectKind.STATIC,
        EffectKind.FRESH,
        EffectKind.ESCAPE,
        EffectKind.TAKE,
        EffectKind.STORE,
    }
)


@final
@dataclass(frozen=True, slots=True)
class Inlined:
    """A function with the bodies that say more than the contracts do.

    releasing: locals that are parameters of bodies which release what they are given, by their contracts -> the name of
    the callee.
    """

    expansion: Expansion
    releasing: Mapping[int, str]


def inlined(function: Function, unit: TranslationUnit, contracts: Contracts, defined: frozenset[str]) -> Inlined:
    """The function with bodies where contracts say too little."""
    chooser = _Chooser(function, unit, contracts, defined)
    expansion = expand(function, chooser.choose, MOST_ADDED if len(function.blocks) <= LARGE else 0)
    releasing = {
        body.parameters[index]: body.name for body in expansion.bodies for index in chooser.released_by(body.name)
    }
    return Inlined(expansion, releasing)


def followed(unit: TranslationUnit) -> Mapping[str, Function]:
    """The functions of a unit that calls may be followed into."""
    return {function.name: function for function in unit.functions if is_small(function)}


def asked_for(function: Function, bodies: Mapping[str, Function]) -> frozenset[str]:
    """The functions whose contracts the engine may ask for when it analyses this one; bodies: see `followed`.

    They are more than it will: which calls are followed depends on contracts, and those are not known yet.
    """
    found: set[str] = set()
    kept: set[str] = set()
    through_pointers = False
    here = [function]
    for _ in range(MOST_DEEP + 1):
        names = {name for one in here for name in _names(one)} - found
        found |= names
        kept.update(*map(functions_mentioned, here))
        through_pointers = through_pointers or any(op.name is None for one in here for op in _calls(one))
        here = [bodies[name] for name in sorted(names) if name in bodies]
    return frozenset(found | kept if through_pointers else found)


def _names(function: Function) -> Iterator[str]:
    for op in _calls(function):
        if op.name is not None:
            yield op.name
            yield from (argument.name for argument in op.arguments if isinstance(argument, FunctionAddress))


def is_small(function: Function) -> bool:
    """Whether its body may stand in place of a call, by its size and shape alone."""
    if len(function.blocks) > MOST_BLOCKS or function.variadic or function.degraded or function.noreturn:
        return False
    if _size(function) > MOST_OPERATIONS or any(cyclic_blocks(function)):
        return False
    return all(op.name != function.name for op in _calls(function))


def _calls(function: Function) -> Iterator[Call]:
    return (op for block in function.blocks for op in block.ops if isinstance(op, Call))


@final
class _Chooser:
    """Decides for the calls of one function."""

    def __init__(
        self, function: Function, unit: TranslationUnit, contracts: Contracts, defined: frozenset[str]
    ) -> None:
        self._function = function
        self._unit = unit
        self._contracts = contracts
        self._defined = defined
        self._bodies = {one.name: one for one in unit.functions if one.name != function.name}
        self._known: dict[str, tuple[FunctionContract | None, Function | None]] = {}
        self._globals: set[str] | None = None
        self._mentions_functions = bool(functions_mentioned(function))

    def choose(self, op: Call, inside: tuple[str, ...]) -> Function | None:
        """The body for a call, None where the contract is as good."""
        name = op.name
        assert name is not None
        if name not in self._bodies or name in inside or len(inside) >= MOST_DEEP:
            return None
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._look_up(name)
        contract, body = known
        if contract is None or body is None:
            return None
        given = {i for i, argument in enumerate(op.arguments) if isinstance(argument, FunctionAddress)}
        if given and given & _called_parameters(body):
            return body
        if _believes(op, contract) or _links(contract, body):
            return None
        calls_member = self._mentions_functions and _calls_members(body)
        if not self._is_known_inside(body, calls_member):
            return None
        if calls_member:
            return body  # what the member holds, this function may have said
        if _asks_an_invariant(contract, body):
            return None
        wanted = _is_blunt(contract, body) or _is_telling(contract, body) or self._wants_globals(contract)
        return body if wanted else None

    def released_by(self, name: str) -> frozenset[int]:
        """Positions of parameters that a function which was chosen releases."""
        contract = self._known[name][0]
        effects = (
            (effect for outcome in contract.outcomes for effect in outcome.effects) if contract is not None else ()
        )
        terms = (effect.term for effect in effects if effect.kind is EffectKind.RELEASE)
        return frozenset(t.index for t in terms if t is not None and t.root is Root.PARAM and not t.selectors)

    def _wants_globals(self, contract: FunctionContract) -> bool:
        """Whether it changes a global variable that this function reads itself, or by way of a very small one."""
        if not contract.writes or _ANYTHING in contract.writes:
            return False
        if self._globals is None:
            self._globals = _globals_read(self._function)
            names = {op.name for op in _calls(self._function) if op.name in self._bodies}
            for name in filter(None, names):
                if _size(self._bodies[name]) <= _TINY:
                    self._globals |= _globals_read(self._bodies[name])
        return not self._globals.isdisjoint(contract.writes)

    def _look_up(self, name: str) -> tuple[FunctionContract | None, Function | None]:
        contract, body = self._contract(name), self._bodies[name]
        if contract is None or contract.provenance is not Provenance.INFERRED or contract.extras or contract.noreturn:
            return None, None
        return contract, body if is_small(body) else None

    def _contract(self, name: str) -> FunctionContract | None:
        return contract_named(name, self._unit, self._contracts, self._defined)

    def _is_known_inside(self, body: Function, pointers: bool) -> bool:
        """Whether the body calls nothing that nobody knows. pointers: not counting calls through pointers."""
        return all(
            pointers
            if op.name is None
            else borrowing.name_suggests_observing(op.name) or _is_told(self._contract(op.name))
            for op in _calls(body)
        )


def _is_told(contract: FunctionContract | None) -> bool:
    return contract is not None and all(e.kind is not EffectKind.OPAQUE for o in contract.outcomes for e in o.effects)


def _called_parameters(body: Function) -> frozenset[int]:
    """Parameters that hold functions which the body calls."""
    loads = {
        op.result: op.place.base.index
        for block in body.blocks
        for op in block.ops
        if isinstance(op, Load) and isinstance(op.place.base, LocalBase) and not op.place.selectors
    }
    found = {loads.get(op.target) for op in _calls(body) if isinstance(op.target, Temp)}
    return frozenset(index for index in found if index is not None and index < body.parameters)


def _calls_members(body: Function) -> bool:
    """Whether it calls through a pointer that lies in an object."""
    loaded = {
        op.result
        for block in body.blocks
        for op in block.ops
        if isinstance(op, Load) and isinstance(op.place.base, DerefBase)
    }
    return any(op.target in loaded for op in _calls(body) if op.name is None)


def _asks_an_invariant(contract: FunctionContract, body: Function) -> bool:
    """Whether members or globals decide what happens: some invariant knows, so not every way is one."""
    effects = (effect for outcome in contract.outcomes for effect in outcome.effects)
    if any(_is_perhaps(effect) for effect in effects) and _asks_memory(body):
        return True
    atoms = (atom for outcome in contract.outcomes for atom in outcome.when)
    return any(
        atom.term.root is Root.GLOBAL or (atom.term.root is Root.PARAM and atom.term.selectors) for atom in atoms
    )


def _is_blunt(contract: FunctionContract, body: Function) -> bool:
    """Whether the contract is less than what the body does."""
    effects = [effect for outcome in contract.outcomes for effect in outcome.effects]
    kinds = {effect.kind for effect in effects}
    if EffectKind.STATIC in kinds and EffectKind.FRESH not in kinds:
        return False  # whose it is, the contract says best
    if contract.below or (len(contract.complete) < len(contract.signature.parameters) and _writes_elements(body)):
        return True
    if len({(outcome.when, outcome.after) for outcome in contract.outcomes}) < len(contract.outcomes):
        return True  # either one or the other: what tells them apart, the contract cannot say
    return EffectKind.STATIC in kinds or any(map(_is_vague, effects)) or _compares_with_a_global(body)


def _links(contract: FunctionContract, body: Function) -> bool:
    """``node->next = *head; *head = node;``: what becomes of a list over many rounds, exact shapes do not say.

    It stores in objects what it finds in others, or arguments in objects that it comes to by way of others.
    """
    effects = (effect for outcome in contract.outcomes for effect in outcome.effects)
    lost = any(e.kind is EffectKind.ESCAPE and e.term is not None and not e.term.selectors for e in effects)
    if contract.below and lost:
        return True
    origins: dict[Operand, int] = {}  # of what is loaded from a local: which
    found: dict[
        Operand, int
    ] = {}  # what is loaded from an object: the local that points to it, -1: another object does
    for op in (op for block in body.blocks for op in block.ops):
        match op:
            case Load(place=Place(base=LocalBase(index=index)), result=result):
                origins[result] = index
            case Load(place=Place(base=DerefBase(pointer=pointer)), result=result):
                found[result] = origins.get(pointer, -1)
            case Load(place=Place(base=GlobalBase()), result=result):
                found[result] = -1
            case Store(place=Place(base=DerefBase(pointer=pointer)), value=value) if op.type.kind is TypeKind.POINTER:
                given = origins.get(value, body.parameters) < body.parameters
                if found.get(value, -2) not in (-2, origins.get(pointer)) or (pointer in found and given):
                    return True
            case _:
                pass
    return False


def _writes_elements(body: Function) -> bool:
    """``stack->items[stack->count++] = p;``"""
    return any(
        isinstance(op, Store)
        and isinstance(op.place.base, DerefBase)
        and any(isinstance(one, Index) and not isinstance(one.index, Int) for one in op.place.selectors)
        for block in body.blocks
        for op in block.ops
    )


def _is_vague(effect: Effect) -> bool:
    if effect.kind in (EffectKind.RELEASE, EffectKind.RETURN):
        return effect.maybe
    return effect.kind in (EffectKind.ESCAPE, EffectKind.OPAQUE)


def _is_perhaps(effect: Effect) -> bool:
    """Whether something happens to an argument itself or to a member of it, or does not."""
    return (
        effect.kind is EffectKind.ESCAPE
        and effect.maybe
        and effect.term is not None
        and "[]" not in effect.term.selectors
    )


def _believes(op: Call, contract: FunctionContract) -> bool:
    """Whether nobody asks if the function did what it does to what it is given: then it did (`calls.py`)."""
    if op.result is not None or op.result_type.kind is TypeKind.VOID:
        return False
    return any(effect.kind in _TAKING for outcome in contract.outcomes for effect in outcome.effects)


def _asks_memory(body: Function) -> bool:
    """Whether what it does may depend on members or globals, ``if (--p->refs == 0)``: as for `_asks_an_invariant`."""
    known: set[Operand] = set()
    stored: set[int] = set()
    size = -1
    while size != len(known) + len(stored):
        size = len(known) + len(stored)
        for op in (op for block in body.blocks for op in block.ops):
            match op:
                case Load(place=Place(base=LocalBase(index=index)), result=result):
                    if index in stored:
                        known.add(result)
                case Load(result=result):
                    known.add(result)
                case Store(place=Place(base=LocalBase(index=index)), value=value) if value in known:
                    stored.add(index)
                case Binary(left=left, right=right, result=result) if left in known or right in known:
                    known.add(result)
                case Unary(operand=operand, result=result) | Convert(operand=operand, result=result):
                    if operand in known:
                        known.add(result)
                case _:
                    pass
    asked = (block.end for block in body.blocks)
    return any(
        (isinstance(end, Branch) and end.condition in known) or (isinstance(end, Switch) and end.value in known)
        for end in asked
    )


def _compares_with_a_global(body: Function) -> bool:
    """``if (p != &standard) free(p);``"""
    ops = [op for block in body.blocks for op in block.ops]
    addresses = {op.result for op in ops if isinstance(op, AddressOf) and isinstance(op.place.base, GlobalBase)}
    return bool(addresses) and any(
        isinstance(op, Binary) and op.operator in ("==", "!=") and (op.left in addresses or op.right in addresses)
        for op in ops
    )


def _is_telling(contract: FunctionContract, body: Function) -> bool:
    """Whether it is a very small function that hands back what a global variable holds."""
    if any(effect.kind in _OWNING for outcome in contract.outcomes for effect in outcome.effects):
        return False
    return _size(body) <= _TINY and bool(_globals_read(body))


def _size(function: Function) -> int:
    return sum(len(block.ops) for block in function.blocks)


def _globals_read(function: Function) -> set[str]:
    return {
        op.place.base.name
        for block in function.blocks
        for op in block.ops
        if isinstance(op, Load) and isinstance(op.place.base, GlobalBase) and op.place.base.name != ERRNO
    }


__all__ = ["Inlined", "asked_for", "followed", "inlined", "is_small"]
