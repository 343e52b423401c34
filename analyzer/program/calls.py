"""What a function of a unit calls, and how: what the linking, and the growth classes, know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from analyzer.checks.failures import returns_negative
from analyzer.contracts import ContractTable
from analyzer.contracts.model import FunctionContract
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ir.operands import FunctionAddress
from analyzer.ir.ops import Call, Return
from analyzer.ir.order import loop_numbers, unavoidable_blocks
from analyzer.ir.walk import operands


@final
@dataclass(frozen=True, slots=True)
class Callback:
    """A function that is given to one that calls it: `taker`, for each what, later ("message"; "" while it runs)."""

    name: str
    taker: str
    noun: str


@final
@dataclass(frozen=True, slots=True)
class FunctionCalls:
    """A function that a unit defines: the names it calls, sorted. file, at, body: as in `Function`.

    always: the names that it calls on every way through it, but for those that return a negative number.
    loops: the names that each of its loops calls, by the loop's number (`ir.order.loop_numbers`), sorted.
    waits: those of the callees that wait for something from outside, and for what.
    callbacks: functions that it gives to callees that call them. mentions: those whose address goes elsewhere.
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
    mentions: tuple[str, ...] = ()


def calls_of(unit: TranslationUnit, table: ContractTable) -> tuple[FunctionCalls, ...]:
    """The unit's definitions and what they call."""
    reader = _Reader(unit, table)
    return tuple(reader.calls(function) for function in unit.functions)


@final
class _Reader:
    def __init__(self, unit: TranslationUnit, table: ContractTable) -> None:
        self._unit = unit
        self._table = table
        self._known: dict[str, FunctionContract | None] = {}

    def _contract(self, name: str) -> FunctionContract | None:
        if name not in self._known:
            declaration = self._unit.declarations.get(name)
            self._known[name] = None if declaration is None else self._table.lookup(declaration).contract
        return self._known[name]

    def calls(self, function: Function) -> FunctionCalls:
        callees: set[str] = set()
        callbacks: set[Callback] = set()
        mentions: set[str] = set()
        looped: dict[int, set[str]] = {}
        by_block: list[set[str]] = []
        numbers = loop_numbers(function)
        for number, block in zip(numbers, function.blocks, strict=True):
            names: set[str] = set()
            for op in block.ops:
                if isinstance(op, Call) and op.name:
                    names.add(op.name)
                    callbacks.update(self._callbacks(op))
                mentions.update(one.name for one in operands(op) if isinstance(one, FunctionAddress))
            callees |= names
            looped.setdefault(number, set()).update(names)
            by_block.append(names)
        waiting = ((name, self._contract(name)) for name in sorted(callees))
        return FunctionCalls(
            function.name,
            function.static,
            tuple(sorted(callees)),
            function.file,
            function.at,
            function.body,
            tuple(
                sorted({name for block in unavoidable_blocks(function, _ends(function)) for name in by_block[block]})
            ),
            tuple(tuple(sorted(looped[number])) for number in range(max(numbers) + 1)),
            tuple((name, contract.waits) for name, contract in waiting if contract is not None and contract.waits),
            tuple(sorted(callbacks, key=lambda one: (one.name, one.taker, one.noun))),
            tuple(sorted(mentions - {one.name for one in callbacks})),
        )

    def _callbacks(self, call: Call) -> Iterator[Callback]:
        given = [
            (position, argument.name)
            for position, argument in enumerate(call.arguments)
            if isinstance(argument, FunctionAddress)
        ]
        contract = self._contract(call.name) if given and call.name else None
        nouns = dict(contract.calls) if contract is not None else {}
        for position, name in given:
            if position in nouns:
                yield Callback(name, call.name or "", nouns[position])


def _ends(function: Function) -> Iterator[int]:
    """The blocks that return, but not a negative number."""
    for number, block in enumerate(function.blocks):
        if isinstance(block.end, Return) and not returns_negative(function, number):
            yield number
