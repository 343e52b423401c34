"""What a function of a unit calls, and how: what the linking, and the growth classes, know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from analyzer.checks.failures import returns_negative
from analyzer.contracts import ContractTable
from analyzer.contracts.model import FunctionContract
from analyzer.ir.function import BasicBlock, Function, TranslationUnit
from analyzer.ir.operands import FunctionAddress, GlobalBase, LocalBase, Operand, Temp
from analyzer.ir.ops import AddressOf, Call, Load, Return, Store
from analyzer.ir.order import loop_numbers, unavoidable_blocks
from analyzer.ir.types import TypeKind
from analyzer.ownership.inlining import asked_for, followed


@final
@dataclass(frozen=True, slots=True)
class Callback:
    """A function that is given to one that calls it: `taker`, for each what, later ("message"; "" while it runs)."""

    name: str
    taker: str
    noun: str


@final
@dataclass(frozen=True, slots=True)
class Given:
    """A function, or a parameter that points to one, that goes to another function or is kept.

    name: of the function, "" for a parameter. parameter: its position, -1 for a function. taker, position: to which
    function it is given, and where; "" and -1: it is stored where others find it. type: of the function, as C spells
    it, where it is stored.
    """

    name: str
    parameter: int
    taker: str = ""
    position: int = -1
    type: str = ""


@final
@dataclass(frozen=True, slots=True)
class FunctionCalls:
    """A function that a unit defines: the names it calls, sorted. file, at, body: as in `Function`.

    followed: names that small functions among the callees call: the engine may look into their bodies.
    always: the names that it calls on every way through it, but for those that return a negative number.
    loops: the names that each of its loops calls, by the loop's number (`ir.order.loop_numbers`), sorted.
    waits: those of the callees that wait for something from outside, and for what.
    callbacks: functions that it gives to callees whose contract says that they call them.
    given: other functions, and parameters, that it gives to callees or keeps.
    pointers: calls through pointers: number of the loop or -1, and type of the function.
    applied: positions of parameters through which it calls.
    tables: global variables that it reads from, where it calls through pointers, too.
    """

    name: str
    static: bool
    callees: tuple[str, ...]
    file: str
    at: int
    body: str
    always: tuple[str, ...] = ()
    loops: tuple[tuple[str, ...], ...] = ()
    waits: tuple[tuple[str, str], ...] = ()
    callbacks: tuple[Callback, ...] = ()
    given: tuple[Given, ...] = ()
    pointers: tuple[tuple[int, str], ...] = ()
    applied: tuple[int, ...] = ()
    followed: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def asked(self) -> tuple[str, ...]:
        """The functions of whose contracts its analysis may depend, sorted."""
        return tuple(sorted({*self.callees, *self.followed}))


def calls_of(unit: TranslationUnit, table: ContractTable) -> tuple[FunctionCalls, ...]:
    """The unit's definitions and what they call."""
    contracts = _Contracts(unit, table)
    bodies = followed(unit)
    return tuple(_Reader(function, contracts).calls(asked_for(function, bodies)) for function in unit.functions)


@final
class _Contracts:
    """The written contracts of what a unit calls."""

    def __init__(self, unit: TranslationUnit, table: ContractTable) -> None:
        self._unit = unit
        self._table = table
        self._known: dict[str, FunctionContract | None] = {}

    def of(self, name: str) -> FunctionContract | None:
        """The contract for calls of a function."""
        if name not in self._known:
            declaration = self._unit.declarations.get(name)
            self._known[name] = None if declaration is None else self._table.lookup(declaration).contract
        return self._known[name]


@final
class _Reader:
    """Reads one function."""

    def __init__(self, function: Function, contracts: _Contracts) -> None:
        self._function = function
        self._contracts = contracts
        self._numbers = loop_numbers(function)
        self._callbacks: set[Callback] = set()
        self._given: set[Given] = set()
        self._pointers: set[tuple[int, str]] = set()
        self._applied: set[int] = set()
        self._loaded: dict[int, Load] = {}  # pointers to functions, by temp
        self._globals: set[str] = set()
        self._by_block = [
            self._block(block, number) for block, number in zip(function.blocks, self._numbers, strict=True)
        ]

    def calls(self, asked: frozenset[str]) -> FunctionCalls:
        """What was read. asked: the functions whose contracts the engine may ask for."""
        function = self._function
        callees = sorted(set().union(*self._by_block))
        contracts = ((name, self._contracts.of(name)) for name in callees)
        unavoidable = unavoidable_blocks(function, _ends(function))
        return FunctionCalls(
            function.name,
            function.static,
            tuple(callees),
            function.file,
            function.at,
            function.body,
            tuple(sorted(set().union(*(self._by_block[block] for block in unavoidable)))),
            tuple(tuple(sorted(self._in_loop(number))) for number in range(max(self._numbers) + 1)),
            tuple((name, contract.waits) for name, contract in contracts if contract is not None and contract.waits),
            tuple(sorted(self._callbacks, key=lambda one: (one.name, one.taker, one.noun))),
            tuple(sorted(self._given, key=lambda one: (one.name, one.parameter, one.taker, one.position, one.type))),
            tuple(sorted(self._pointers)),
            tuple(sorted(self._applied)),
            tuple(sorted(asked.difference(callees))),
            tuple(sorted(self._globals)) if self._pointers else (),
        )

    def _in_loop(self, number: int) -> set[str]:
        return set().union(*(names for own, names in zip(self._numbers, self._by_block, strict=True) if own == number))

    def _block(self, block: BasicBlock, number: int) -> set[str]:
        """The names that a block calls."""
        names: set[str] = set()
        for op in block.ops:
            if isinstance(op, Load | AddressOf) and isinstance(op.place.base, GlobalBase):
                self._globals.add(op.place.base.name)
            if isinstance(op, Load):
                if op.type.pointee_kind is TypeKind.FUNCTION:
                    self._loaded[op.result.id] = op
            elif isinstance(op, Call):
                if op.name:
                    names.add(op.name)
                self._call(op, number)
            elif isinstance(op, Store) and op.type.pointee_kind is TypeKind.FUNCTION:
                self._store(op)
        if isinstance(block.end, Return) and isinstance(block.end.value, FunctionAddress):
            self._given.add(Given(block.end.value.name, -1))
        return names

    def _call(self, call: Call, number: int) -> None:
        if isinstance(call.target, Temp) and call.target.id in self._loaded:
            load = self._loaded[call.target.id]
            self._pointers.add((number, load.type.pointee))
            self._applied.update(self._parameter(load))
        contract: FunctionContract | None = None
        for position, argument in enumerate(call.arguments):
            name, parameter = self._source(argument)
            if not name and parameter < 0:
                continue
            contract = contract or (self._contracts.of(call.name) if call.name else None)
            noun = dict(contract.calls).get(position) if contract is not None else None
            if name and noun is not None:
                self._callbacks.add(Callback(name, call.name or "", noun))
            else:
                self._given.add(Given(name, parameter, call.name or "", position))

    def _store(self, store: Store) -> None:
        name, parameter = self._source(store.value)
        if name or (parameter >= 0 and not isinstance(store.place.base, LocalBase)):
            self._given.add(Given(name, parameter, type=store.type.pointee))

    def _source(self, operand: Operand) -> tuple[str, int]:
        """The function that an operand is, or the parameter that holds one: its position; "" and -1 for neither."""
        if isinstance(operand, FunctionAddress):
            return operand.name, -1
        load = self._loaded.get(operand.id) if isinstance(operand, Temp) else None
        return "", next(iter(self._parameter(load)), -1) if load is not None else -1

    def _parameter(self, load: Load) -> Iterator[int]:
        base = load.place.base
        if isinstance(base, LocalBase) and base.index < self._function.parameters and not load.place.selectors:
            yield base.index


def _ends(function: Function) -> Iterator[int]:
    """The blocks that return, but not a negative number."""
    for number, block in enumerate(function.blocks):
        if isinstance(block.end, Return) and not returns_negative(function, number):
            yield number
