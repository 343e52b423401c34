"""What calls do to memory that they can reach: written by a borrower, clobbered by an unknown function."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.findings.model import Verdict
from analyzer.ir.types import UNKNOWN, CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.access import Access
from analyzer.ownership.behind_globals import ANY_MEMBER, ARROW
from analyzer.ownership.prepared import CallSite
from analyzer.ownership.routes import routes_behind
from analyzer.ownership.state import KEPT, Own, Path, State
from analyzer.ownership.values import MAYBE, UNDEF, UNSET, Atom, Base, Ptr, Sym, Value


def forget_scalars(state: State, path: Path) -> bool:
    """Cells of the object that hold no pointer get unknown contents; whether any was known."""
    base, offset = path
    changed = [
        cell
        for cell, value in state.cells.items()
        if cell[0] == base
        and (offset is None or cell[1] is None or cell[1] >= offset)
        and cell[1] != KEPT
        and _is_scalar(state, value)
    ]
    for cell in changed:
        del state.cells[cell]
    if state.defaults.get(base) is not None or isinstance(base, int):
        state.defaults[base] = None
    return bool(changed)


def _set_unset(state: State, path: Path) -> None:
    base = path[0]
    for cell in [cell for cell, value in state.cells.items() if cell[0] == base and value is UNDEF]:
        del state.cells[cell]
    if state.defaults.get(base) in (UNDEF, UNSET):
        state.defaults[base] = None


def _is_scalar(state: State, value: Value) -> bool:
    if isinstance(value, int) or value is UNDEF:
        return True
    if isinstance(value, Sym):
        return value is not state.universe.resource and value not in state.local_objects
    return not isinstance(value, (Ptr, Atom))


def clobber(machine: Access, site: CallSite, escaping: list[Value], state: State) -> None:
    """An unknown function may have changed all memory that is or became known outside.

    What a parameter points to, and what is only read of globals, is taken to stay as it is when the function is not
    given it, so that a condition on it that is asked again gets the same answer. In loops it may be the condition
    that ends them.
    """
    machine.publish(escaping, state)
    given = None if machine.cyclic else state.reachable(escaping)
    doomed = [
        path
        for path, value in state.cells.items()
        if state.is_outside(path[0])
        and not (state.own is Own.OWNED and state.root_is_resource(value))
        and (given is None or path[0] in given or not _stays(path[0], value, given, state))
    ]
    for path in doomed:
        del state.cells[path]
    for base in [base for base in state.defaults if state.is_outside(base)]:
        state.defaults[base] = None
    new_epoch(machine, site.key, state)


def _stays(base: Base, value: Value, given: set[Base], state: State) -> bool:
    target = value.base if isinstance(value, Ptr) else value
    if isinstance(base, int) or value in state.released or target in given:
        return False  # what is given away may be taken out of where it is
    origin = base.key[1] if isinstance(base, Sym) and base.key[0] == "init" else base
    if isinstance(origin, str):  # a global, or what one leads to: what the function itself assigned may change
        return isinstance(value, Sym) and value.key[0] == "init"
    return isinstance(origin, Sym) and origin.key[0] == "param"


def change_globals(machine: Access, site: CallSite, state: State) -> bool:
    """A function of the program may have changed global variables; False: the resource went with one of them."""
    assert site.contract is not None
    written = site.contract.writes
    if not written:
        return True
    names = frozenset(written)
    everything = "*" in names
    if state.own is Own.OWNED:
        cells = state.cells.items()
        gone = [
            v for (b, _), v in cells if not isinstance(v, int) and (state.is_outside(b) if everything else b in names)
        ]
        if gone and state.reaches_resource(gone):
            routes = routes_behind(machine.prepared, site, None)
            if not machine.let_go(Verdict.ESCAPED, f"{site.op.name}()", state, routes):
                return False
    if everything:
        clobber(machine, site, [], state)
        return True
    for entry in written:
        if ARROW in entry:
            _forget_behind(entry, state)
    for path in [path for path in state.cells if path[0] in names]:
        del state.cells[path]
    for base in names & state.defaults.keys():
        state.defaults[base] = None
    new_epoch(machine, site.key, state)
    return True


def write_below(machine: Access, site: CallSite, arguments: Sequence[Value], state: State) -> None:
    """The function went on from an argument to other objects and wrote there.

    ``e->prev->next = e->next;``: what pointed to the argument may be what was written, and what is known of numbers in
    objects that can be reached from it is known no more. Called last: it renames.
    """
    assert site.contract is not None
    for index in site.contract.below:
        value = arguments[index] if index < len(arguments) else 0
        path = machine.target(value)
        if path is None:
            continue
        for base in state.reachable(state.by_base().get(path[0], ())) - {path[0]}:
            forget_scalars(state, (base, None))
        if isinstance(path[0], Sym) and state.is_outside(path[0]):
            machine.forget_links(path[0], site.key, None, state)
        if not isinstance(path[0], int):
            new_epoch(machine, site.key, state)


def _forget_behind(entry: str, state: State) -> None:
    """What a global variable leads to may have been written."""
    name, _, member = entry.partition(ARROW)
    roots = [value for (base, _), value in state.cells.items() if base == name and not isinstance(value, int)]
    if member == ANY_MEMBER:
        bases = state.reachable(roots)
        doomed = [path for path in state.cells if path[0] in bases]
    else:
        root = state.cells.get((name, 0), 0)
        doomed = [(root, int(member))] if isinstance(root, Sym) else []
    for path in doomed:
        value = state.cells.get(path)
        if value is None:
            continue
        if state.own is Own.OWNED and state.root_is_resource(value):
            state.cells[path] = MAYBE
        else:
            del state.cells[path]


def new_epoch(machine: Access, at: int, state: State) -> None:
    """Memory outside may differ from now on: what is read there gets names of its own."""
    if machine.cyclic:
        told = {"init": 3, "pure": 2}  # where their keys say it
        stale = [s for s in state.mentioned() if s.key[0] in told and s.key[told[s.key[0]]] == at]
        stale.sort(key=lambda symbol: symbol.order)
        for symbol in stale:
            state.retire(symbol)
    state.epoch = at


def argument_type(site: CallSite, index: int) -> CType:
    """The declared type of a parameter, or the argument's own where none is declared."""
    declaration = site.declaration
    if declaration is not None and declaration.prototyped and index < len(declaration.parameters):
        return declaration.parameters[index]
    types = site.op.argument_types
    return types[index] if index < len(types) else UNKNOWN


def is_lent(site: CallSite, index: int) -> bool:
    """Whether a function without contract is taken to borrow this argument, or what it does the callers know."""
    lends = site.lends and argument_type(site, index).pointee_kind is not TypeKind.POINTER
    return index in site.passed or lends or seems_lent(site, index)


def seems_lent(site: CallSite, index: int) -> bool:
    """The same by type and name alone, whatever the project says of unknown functions."""
    declaration, ctype = site.declaration, argument_type(site, index)
    extra = declaration is not None and not declaration.implicit and index >= len(declaration.parameters)
    following = argument_type(site, index + 1) if index + 1 < len(site.op.arguments) else None
    return (
        borrowing.borrows(site.op.name or site.through, ctype, extra)
        or borrowing.is_sized_buffer(site.op.name, ctype, following)
        or borrowing.is_number_of(ctype, site.texts[index])
    )


def result_symbol(machine: Access, site: CallSite, state: State) -> Sym:
    """The symbol for what the call returns."""
    symbol = machine.symbol(state, "call", site.key)
    machine.limit_by_type(state, symbol, site.op.result_type)
    return symbol


def write_behind(machine: Access, site: CallSite, arguments: Sequence[Value], state: State, spared: set[int]) -> None:
    """A borrowing function may write scalars through pointers to non-const; pointers there stay."""
    assert site.contract is not None
    parameters = site.contract.signature.parameters
    for index, value in enumerate(arguments):
        ctype = parameters[index] if index < len(parameters) else argument_type(site, index)
        if index in spared or ctype.kind is not TypeKind.POINTER or ctype.pointee_const:
            continue
        fill_in(machine, site, value, state)


def fill_in(machine: Access, site: CallSite, pointer: Value, state: State, unset_only: bool = False) -> None:
    """What lies there may have been written, but no pointer that was there before.

    unset_only: only what was not set before; the rest is taken to be looked at.
    """
    path = machine.target(pointer)
    if path is not None and unset_only:
        _set_unset(state, path)
    elif path is not None and forget_scalars(state, path) and not isinstance(path[0], int):
        new_epoch(machine, site.key, state)
