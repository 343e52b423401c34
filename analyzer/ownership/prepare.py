"""Prepare a function for the engine: flattened places, resolved contracts, liveness, loops, order.

    store *(%3).rx@64.buf@0, %7     becomes     a `Spot`: base temp 3, offset 64, text "ctx->rx.buf"

Done once per function; every run over a resource shares the result.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.contracts.model import EffectKind, Root, Term
from analyzer.ir.function import Function, TranslationUnit, successors
from analyzer.ir.inline import Expansion
from analyzer.ir.operands import Int, Place
from analyzer.ir.ops import (
    AddressOf,
    Call,
    Clobber,
    CopyRecord,
    Stop,
    Store,
    Zero,
)
from analyzer.ir.order import cyclic_blocks, reverse_postorder
from analyzer.ir.types import TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.asked import asked, asked_again, asked_texts, only_tested, tests_errno, untested
from analyzer.ownership.counters import counters
from analyzer.ownership.flatten import Flattener, releases
from analyzer.ownership.inlining import inlined
from analyzer.ownership.liveness import address_taken, liveness, local_of
from analyzer.ownership.prepared import CallSite, Contracts, Prepared
from analyzer.ownership.returned import returned
from analyzer.ownership.stopping import may_stop

RET = Term(Root.RET)
_MAKES_RESULT = frozenset({EffectKind.FRESH, EffectKind.RETURN, EffectKind.INTERIOR})
BLOCKS_TO_THE_END = 6  # a loss so near to the end of the process is none that anyone would miss


def prepare(
    function: Function,
    unit: TranslationUnit,
    contracts: Contracts,
    defined: frozenset[str],
    inside: bool = True,
) -> Prepared:
    """Everything the runs over this function share. inside: with the bodies of callees that say more than contracts."""
    with_bodies = inlined(function, unit, contracts, defined) if inside else None
    expansion = with_bodies.expansion if with_bodies is not None else Expansion(function, function)
    function = expansion.function
    order = [0] * len(function.blocks)
    for position, block_id in enumerate(reverse_postorder(function)):
        order[block_id] = position
    cyclic = cyclic_blocks(function)
    taken = address_taken(function)
    live_in, temps_out, temps_after = liveness(function, taken)
    prepared = Prepared(function, order, cyclic, live_in, temps_out, temps_after, expansion)
    prepared.releasing = with_bodies.releasing if with_bodies is not None else {}
    own = (name for name, declaration in unit.declarations.items() if declaration.defined)
    prepared.defined = defined.union(own)
    prepared.merges = _merges(function)
    prepared.is_main = function.name == "main"
    prepared.by_value = _only_read_records(function)
    Flattener(prepared, unit, contracts, defined).run()
    prepared.returned = returned(function)
    prepared.counters = counters(function, cyclic)
    prepared.tests_errno = tests_errno(function)
    prepared.asked_again = asked_again(prepared)
    prepared.untested = untested(prepared)
    prepared.only_tested = only_tested(prepared)
    prepared.asked = asked(prepared)
    prepared.asked_texts = asked_texts(prepared)
    prepared.acquiring = dict(_acquiring(prepared, contracts))
    prepared.not_ours = frozenset(site.key for site in prepared.calls.values() if _is_not_ours(site))
    prepared.ends_soon = _ends_soon(prepared)
    prepared.makes_gaps = any(_makes_gap(site) for site in prepared.calls.values())
    for name, variable in unit.globals.items():
        file, colon, short = name.rpartition(":")
        if colon and file == function.file:
            prepared.statics[short] = name
        if variable.constant:
            if variable.zeroed and all(isinstance(value, Int) for value in variable.initial.values()):
                prepared.zeroed.add(name)
            for offset, value in variable.initial.items():
                if isinstance(value, Int):
                    prepared.constants[(name, offset)] = value.value
    return prepared


def _acquiring(prepared: Prepared, contracts: Contracts) -> Iterator[tuple[int, tuple[int, ...]]]:
    for site in prepared.calls.values():
        outcomes = site.contract.outcomes if site.contract is not None else ()
        fresh = [effect.resource for o in outcomes for effect in o.effects if effect.kind is EffectKind.FRESH]
        if fresh:
            kinds = (contracts.kinds.get(resource) for resource in fresh)
            yield site.key, tuple(failure for kind in kinds if kind is not None for failure in kind.failure)


def _is_not_ours(site: CallSite) -> bool:
    """Whether whatever the call returns is nothing that anyone may release."""
    outcomes = site.contract.outcomes if site.contract is not None else ()
    kinds = {e.kind for o in outcomes for e in o.effects if e.term == RET or e.kind in _MAKES_RESULT}
    return EffectKind.STATIC in kinds and not kinds & _MAKES_RESULT


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
    return may_stop(contract, op)


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
                        found -= {local_of(place)}
                    case _:
                        pass
    return frozenset(index for index in found if index is not None)


def _makes_gap(site: CallSite) -> bool:
    """Whether the call releases a descriptor that is given as a constant, or one in each round of a loop."""
    if site.contract is None or not releases(site.contract):
        return False
    terms = {e.term for o in site.contract.outcomes for e in o.effects if e.kind is EffectKind.RELEASE}
    given = list(zip(site.contract.signature.parameters, site.op.arguments, strict=False))
    return any(
        given[term.index][0].kind is TypeKind.INT and (site.cyclic or isinstance(given[term.index][1], Int))
        for term in terms
        if term is not None and term.root is Root.PARAM and not term.selectors and term.index < len(given)
    )


def _merges(function: Function) -> list[bool]:
    """For each block: whether several others lead to it."""
    before = [0] * len(function.blocks)
    for block in function.blocks:
        for target in set(successors(block.end)):
            before[target] += 1
    return [count > 1 for count in before]
