"""What a function asks: of results, of what it was given, of errno. Who does not ask is taken at his word."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.contracts.model import EffectKind, Provenance
from analyzer.ir.function import BasicBlock, Function
from analyzer.ir.operands import ERRNO, GlobalBase, Int, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Clobber,
    Convert,
    CopyRecord,
    Load,
    Op,
    Return,
    Store,
    Switch,
    Terminator,
    Unary,
    Zero,
)
from analyzer.ownership.liveness import local_of, operands_of
from analyzer.ownership.prepared import CallSite, Prepared, is_pointer

_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">="})


def tests_errno(function: Function) -> bool:
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


def asked_again(prepared: Prepared) -> frozenset[int]:
    """Calls of pure functions that are written several times, alike: the answer may be the same."""
    found: dict[tuple[str | None, tuple[str, ...], tuple[Operand, ...]], list[int]] = {}
    for site in prepared.calls.values():
        if site.contract is not None and site.contract.pure:
            constants = tuple(operand for operand in site.op.arguments if not isinstance(operand, Temp))
            found.setdefault((site.op.name, site.texts, constants), []).append(site.key)
    again = frozenset(key for keys in found.values() if len(keys) > 1 for key in keys)
    alone = all(site.cyclic for site in prepared.calls.values() if site.key in again)
    return frozenset() if alone else again  # in a loop each round may get another answer


def untested(prepared: Prepared) -> frozenset[int]:
    """``keyword = strchr(line, ' ');`` without a test anywhere: whoever writes that knows that there is one."""
    sites = [site for site in prepared.calls.values() if _returns_part(site)]
    if not sites:
        return frozenset()
    ops = [op for block in prepared.function.blocks for op in block.ops]
    tested: set[object] = set()  # temps, and the texts of the places that they were loaded from or stored in
    for end in (block.end for block in prepared.function.blocks):
        if isinstance(end, Branch):
            tested.add(end.condition)
        elif isinstance(end, Return) and end.value is not None:
            tested.add(end.value)  # the caller may ask
    size = -1
    while size != len(tested):
        size = len(tested)
        for op in reversed(ops):
            match op:
                case Unary(operator="!", operand=operand):
                    tested.add(operand)
                case Convert(operand=operand, result=result) if result in tested:
                    tested.add(operand)
                case Binary(left=left, right=right) if op.operator in _COMPARING:
                    tested.update((left, right))
                case Load(place=place, result=result) if result in tested:
                    tested.add(prepared.spots[id(place)].text)
                case Store(place=place, value=value) if prepared.spots[id(place)].text in tested:
                    tested.add(value)
                case _:
                    pass
    return frozenset(site.key for site in sites if site.op.result not in tested)


def only_tested(prepared: Prepared) -> frozenset[int]:
    """``if (!set(options, 1)) return -1;``: whoever writes that wants to know whether it worked, and no more."""
    kept: set[Operand | int] = set()  # temps, and locals by index
    passing: list[Convert | Load | Store] = []
    for op in (op for block in prepared.function.blocks for op in (*block.ops, block.end)):
        match op:
            case Binary(operator=operator) if operator in _COMPARING:
                pass
            case Branch() | Unary(operator="!"):
                pass
            case Convert():
                passing.append(op)
            case Load(place=place) | Store(place=place) if isinstance(place.base, LocalBase) and not place.selectors:
                passing.append(op)
            case _:
                kept.update(operands_of(op))
                kept.update(index for index in (local_of(place) for place in _addressed(op)) if index is not None)
    size = -1
    while size != len(kept):
        size = len(kept)
        for one in reversed(passing):
            match one:
                case Convert(operand=operand, result=result) if result in kept:
                    kept.add(operand)
                case Load(place=Place(base=LocalBase(index=index)), result=result) if result in kept:
                    kept.add(index)
                case Store(place=Place(base=LocalBase(index=index)), value=value) if index in kept:
                    kept.add(value)
                case _:
                    pass
    return frozenset(site.key for site in prepared.calls.values() if site.op.result not in kept)


def asked(prepared: Prepared) -> dict[int, frozenset[int]]:
    """For each parameter that is a pointer: the blocks that ask what it is, bodies inside left out.

    A function that never thinks of a null pointer is not given one, whatever the functions that it calls do with it.
    Left out are those which it asks for somewhere and never sets: it may as well ask later.
    """
    function, expansion = prepared.function, prepared.expansion
    pointers = {index for index in range(function.parameters) if is_pointer(function.locals[index].type)}
    own = [n for n in range(len(function.blocks)) if expansion.outermost(n) < 0] if pointers else []
    held: dict[Operand | int, set[int]] = {index: {index} for index in pointers}  # by temps, and by locals by index
    size = -1
    while size != sum(map(len, held.values())):
        size = sum(map(len, held.values()))
        for op in (op for number in own for op in function.blocks[number].ops):
            match op:
                case Load(place=Place(base=LocalBase(index=index), selectors=()), result=result) if index in held:
                    held.setdefault(result, set()).update(held[index])
                case Convert(operand=operand, result=result) if operand in held:
                    held.setdefault(result, set()).update(held[operand])
                case Store(place=Place(base=LocalBase(index=index), selectors=()), value=value) if value in held:
                    held.setdefault(index, set()).update(held[value])
                case _:
                    pass
    found: dict[int, set[int]] = {index: set() for index in pointers}
    for number in own:
        for operand in _compared(function.blocks[number]):
            for index in held.get(operand, ()):
                found[index].add(number)
    given = {
        op.place.base.index
        for number in own
        for op in function.blocks[number].ops
        if isinstance(op, Store) and isinstance(op.place.base, LocalBase)
    }
    return {index: frozenset(blocks) for index, blocks in found.items() if index in given or not blocks}


def asked_texts(prepared: Prepared) -> frozenset[str]:
    """What the function itself compares, as the programmer writes it; bodies inside are left out."""
    blocks = enumerate(prepared.function.blocks)
    own = (block for number, block in blocks if prepared.expansion.outermost(number) < 0)
    temps = (operand.id for block in own for operand in _compared(block) if isinstance(operand, Temp))
    return frozenset(prepared.temp_text[temp] for temp in temps if prepared.temp_text.get(temp))


def _compared(block: BasicBlock) -> Iterator[Operand]:
    for one in (*block.ops, block.end):
        if isinstance(one, (Branch, Switch, Unary)) or (isinstance(one, Binary) and one.operator in _COMPARING):
            yield from operands_of(one)


def _addressed(op: Op | Terminator) -> Iterator[Place]:
    """The places that the operation has to do with in other ways than to read or write the whole of them."""
    match op:
        case AddressOf(place=place) | Load(place=place) | Store(place=place) | Zero(place=place) | Clobber(place=place):
            yield place
        case CopyRecord(target=target, source=source):
            yield from (target, source)
        case Return(record=Place() as place):
            yield place
        case _:
            pass


def _returns_part(site: CallSite) -> bool:
    contract = site.contract
    if contract is None or site.op.result is None or len(contract.outcomes) < 2:
        return False
    kinds = {e.kind for o in contract.outcomes for e in o.effects}
    written = contract.provenance is not Provenance.INFERRED
    return EffectKind.INTERIOR in kinds or (written and EffectKind.RETURN in kinds)
