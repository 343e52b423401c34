"""How one operation changes a state. Calls are in calls.py, joins in join.py.

A `Machine` executes blocks for one resource under study and hands what it sees to a `Listener`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol, assert_never, final

from analyzer.contracts.model import member_offset
from analyzer.contracts.routes import Route
from analyzer.findings.model import Verdict
from analyzer.ir.operands import ERRNO, FunctionAddress, Int, Operand, Str, Temp, Unknown
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    DeclareLocal,
    EndExpression,
    Goto,
    Jump,
    Load,
    Op,
    Return,
    ScopeEnd,
    Stop,
    Store,
    Switch,
    Unary,
    Zero,
)
from analyzer.ir.types import UNKNOWN, CType, TypeKind
from analyzer.ownership import arithmetic
from analyzer.ownership.events import EventKind
from analyzer.ownership.naming import UNNAMED, in_program, of_call, overwritten
from analyzer.ownership.prepare import BLOCKS_TO_THE_END, Prepared, Spot, is_pointer
from analyzer.ownership.ranges import (
    BOOLEAN,
    NONZERO,
    ZERO,
    complement,
    contains,
    from_relation,
    greatest,
    least,
    single,
)
from analyzer.ownership.resources import Resource, conditional_release
from analyzer.ownership.state import Loss, Own, Path, State
from analyzer.ownership.values import GUESS, MAYBE, UNDEF, Base, Expr, Ptr, Sym, Universe, Value, symbols_of

LAST_STANDARD_STREAM = 2
LARGEST_ERRNO = 4095  # as the Linux kernel has it (MAX_ERRNO)


class Listener(Protocol):
    """Who is told what happens."""

    def event(self, kind: EventKind, at: int, state: State, subject: Value, detail: str = "") -> None:
        """A mistake; detail: the function that released wrongly, where there is one."""

    def ended(self, verdict: Verdict, reason: str, state: State, routes: tuple[Route, ...] = ()) -> None:
        """The resource's way ends here in this manner, on this path. routes: by which it goes out of sight."""

    def step(self, kind: str, at: int, detail: str, state: State) -> None:
        """Something that a path shows: "acquire", "alias", "call", "release"."""

    def returned(self, machine: Machine, value: Value | None, record: Path | None, state: State) -> None:
        """The function returns. value: what it returns, None for nothing or a record; record: where that one lies."""


class CallHandler(Protocol):
    """Executes calls (calls.py)."""

    def call(self, machine: Machine, op: Call, state: State) -> list[State]:
        """States after the call, one per outcome that is possible."""


@final
class Machine:
    """Executes operations of one prepared function for one resource (None: releases only)."""

    def __init__(
        self,
        prepared: Prepared,
        universe: Universe,
        study: Resource | None,
        listener: Listener,
        calls: CallHandler,
    ) -> None:
        self.prepared = prepared
        self.universe = universe
        self.study = study
        self.listener = listener
        self.calls = calls
        self.cyclic = False
        self.block_id = 0
        self.lent = study is not None and study.site is None
        self.acquiring = prepared.acquiring
        self._texts: dict[Path, str] = {}
        self._own_texts: dict[Path, str] = {}  # of variables that nobody wrote
        self.reallocations = frozenset(
            site.key
            for site in prepared.calls.values()
            if site.contract is not None and conditional_release(site.contract) is not None
        )

    # -- a block --------------------------------------------------------------------------------------

    def start(self) -> State:
        """The state in which the function is entered."""
        state = State(self.universe)
        for index in range(self.prepared.function.parameters):
            variable = self.prepared.function.locals[index]
            if variable.type.kind is TypeKind.RECORD:
                state.defaults[index] = None
                if index in self.prepared.by_value:
                    state.facts[self.universe.symbol("param", index)] = NONZERO
                continue
            symbol = self.universe.symbol("param", index)
            state.cells[(index, 0)] = symbol
            self.limit_by_type(state, symbol, variable.type)
        for index, offset in self.prepared.written:  # named now, so that joins can say "as it was"
            base = self.universe.symbol("param", index)
            state.cells[(base, offset)] = self.universe.symbol("init", base, offset, state.epoch)
        if self.lent:
            self._lend(state)
        return state

    def _lend(self, state: State) -> None:
        """What is under study exists from the start: the caller lends it, as a parameter or below one."""
        assert self.study is not None
        slot, resource = self.study.slot, self.universe.resource
        variable = self.prepared.function.locals[slot.index]
        state.own = Own.OWNED
        state.holder = state.origin = variable.name
        if not slot.selectors:
            state.cells[(slot.index, 0)] = resource
            integer = variable.type.kind is TypeKind.INT
            state.facts[resource] = from_relation(">=", 0) if integer else NONZERO
            return
        symbol = self.universe.symbol("param", slot.index)
        state.facts[symbol] = NONZERO
        state.facts[resource] = from_relation(">=", 0) if self.study.kind.integer else NONZERO
        state.cells[(symbol, member_offset(slot.selectors[-1]) or 0)] = resource

    def block(self, block_id: int, state: State) -> list[tuple[int, State, int | None]]:
        """Execute a block. Returns (target, state, truth) per way out; truth: 1/0 for a branch, None else."""
        self.cyclic = self.prepared.cyclic[block_id]
        self.block_id = block_id
        if self._goes_on(state):
            return []
        ops = self.prepared.function.blocks[block_id].ops
        work = [(0, state)]
        ends: list[State] = []
        while work:
            position, current = work.pop()
            for number in range(position, len(ops)):
                op = ops[number]
                if isinstance(op, Call):
                    after = self.calls.call(self, op, current)
                    work.extend((number + 1, s) for s in reversed(after))
                    break
                if isinstance(op, EndExpression):
                    keep = self.prepared.temps_after[(block_id, number)]
                    if not self._end_expression(op.at, keep, current):
                        break
                elif not self._operation(op, current):
                    if current.own is Own.LOST:
                        self._report_lost(current)  # a null pointer is used: no orderly end of the process
                    break
            else:
                ends.append(current)
        found: list[tuple[int, State, int | None]] = []
        order = self.prepared.order
        for current in ends:
            for way in self._terminator(block_id, current):
                if way[1].own is Own.LOST and order[way[0]] <= order[block_id]:
                    self._report_lost(way[1])  # the next round of a loop: the function goes on
                else:
                    found.append(way)
        return found

    def _end_expression(self, at: int, keep: frozenset[int], state: State) -> bool:
        if state.temps:
            state.temps = {key: value for key, value in state.temps.items() if key in keep}
        return self.check_lost(at, state)

    def check_lost(self, at: int, state: State, exits: bool = False) -> bool:
        """Report the resource when nothing reaches it; False: this path is over."""
        if self.lent or state.own is not Own.OWNED or not state.is_lost():
            return True
        if self._is_standard_stream(state):
            self.listener.ended(Verdict.HELD, "a standard stream", state)
            return False
        parent = state.lost_parent()
        if parent is not None:
            self.listener.ended(Verdict.MOVED, "", state)
            return False
        loss, state.loss = state.loss, None
        if self._is_meant_to_fill(loss, state):
            self.listener.ended(Verdict.HELD, "the lowest free number", state)
            return False
        if exits:
            kind = EventKind.LEAK_EXIT
        elif loss is not None:
            at, kind = loss[0], EventKind(loss[1])
        elif not state.holder:
            kind = EventKind.LEAK_DISCARDED
        else:
            kind = EventKind.LEAK_OVERWRITTEN
        if not exits and (kind is EventKind.LEAK_REALLOC or self.prepared.ends_soon[self.block_id]):
            # Many programs end when memory runs out, and ``fd = -1; die();`` loses nothing that anyone would miss: the
            # loss counts once the function goes on or returns.
            state.own = Own.LOST
            state.lost = Loss(at, kind.value)
            return True
        self.listener.event(kind, at, state, self.universe.resource)
        return False

    def _is_standard_stream(self, state: State) -> bool:
        """Whether the descriptor is 0, 1 or 2 for certain: ``if (fd > 2) close(fd);`` keeps those on purpose.

        ``if (fd > 0) close(fd);`` is another matter: there 0 was taken for no descriptor.
        """
        if self.study is None or not self.study.kind.integer:
            return False
        values = state.range_of(self.universe.resource)
        return least(values) >= 0 and 0 < greatest(values) <= LAST_STANDARD_STREAM

    def _is_meant_to_fill(self, loss: object, state: State) -> bool:
        """``close(0); dup(fd);``: whoever closes a known number and does not look at the next one knows it."""
        study = self.study
        if study is None or study.site is None or loss is not None or state.holder:
            return False
        return study.kind.integer and study.site.op.result is None and self.prepared.makes_gaps

    def _goes_on(self, state: State) -> bool:
        """Count a block since the loss; True, and reported, when it was not the last thing before the process ends."""
        lost = state.lost
        if state.own is not Own.LOST or lost is None or lost.kind == EventKind.LEAK_REALLOC.value:
            return False
        state.lost = Loss(lost.at, lost.kind, lost.blocks + 1)
        if lost.blocks < BLOCKS_TO_THE_END:
            return False
        self._report_lost(state)
        return True

    def _report_lost(self, state: State) -> None:
        assert state.lost is not None
        self.listener.event(EventKind(state.lost.kind), state.lost.at, state, self.universe.resource)

    # -- operations -----------------------------------------------------------------------------------

    def _operation(self, op: Op, state: State) -> bool:
        """Execute one operation that cannot split; False: no execution goes on."""
        match op:
            case Load() | AddressOf() | Unary() | Binary():
                return self._evaluate(op, state)
            case Store():
                return self._store(op, state)
            case Convert():
                value = self.value(op.operand, state)
                state.temps[op.result.id] = arithmetic.convert(state, value, op.type)
            case CopyRecord():
                return self._copy_record(op, state)
            case Zero():
                return self._zero(op, state)
            case Clobber():
                return self._clobber(op, state)
            case DeclareLocal():
                self._undefine(op.local, op.at, state, EventKind.LEAK_OVERWRITTEN)
            case ScopeEnd():
                return self._scope_end(op, state)
            case Call() | EndExpression():
                raise AssertionError("executed by block()")
            case _:
                assert_never(op)
        return True

    def _evaluate(self, op: Load | AddressOf | Unary | Binary, state: State) -> bool:
        """Execute an operation whose result may be a symbol of its own; False: no execution goes on."""
        fresh = self._fresh(op)
        if self.cyclic and fresh in self.universe.given:
            state.retire(fresh)  # what it created in the round before is "old", before anything is evaluated
        if isinstance(op, Load):
            if not self._load(op, fresh, state):
                return False
        elif isinstance(op, Binary):
            self._binary(op, fresh, state)
        elif isinstance(op, AddressOf):
            state.temps[op.result.id] = self._address(op, fresh, state)
        else:
            value = self.value(op.operand, state)
            state.temps[op.result.id] = arithmetic.unary(state, op.operator, value, fresh)
        if self.cyclic and fresh in symbols_of(state.temps[op.result.id]):
            self.universe.given.add(fresh)
        return True

    def value(self, operand: Operand, state: State) -> Value:
        """What an operand is in this state."""
        if isinstance(operand, Temp):
            if operand.id < 0:  # by_value_base
                return self.universe.symbol("param", -1 - operand.id)
            return state.temps.get(operand.id, UNDEF)
        if isinstance(operand, Int):
            return operand.value
        if isinstance(operand, Str):
            return self.universe.atom("string", operand.text)
        if isinstance(operand, FunctionAddress):
            return self.universe.atom("function", operand.name)
        assert isinstance(operand, Unknown)
        return self.universe.fresh()

    def symbol(self, state: State, *key: object) -> Sym:
        """The symbol a site creates now; in a loop the one of the round before becomes "old"."""
        symbol = self.universe.symbol(*key)
        if self.cyclic:
            state.retire(symbol)
        state.facts.pop(symbol, None)
        return symbol

    def limit_by_type(self, state: State, symbol: Sym, ctype: CType) -> None:
        """Note what the type says about the values."""
        if ctype.kind is TypeKind.BOOL:
            state.facts[symbol] = BOOLEAN
        elif ctype.kind is TypeKind.INT and not ctype.signed and ctype.bits:
            state.facts[symbol] = ((0, (1 << ctype.bits) - 1),)

    def _binary(self, op: Binary, fresh: Sym, state: State) -> None:
        left, right = self.value(op.left, state), self.value(op.right, state)
        if op.pointer:
            result = arithmetic.pointer_step(state, op.operator, left, right, op.scale_bits, fresh)
        else:
            result = arithmetic.binary(state, op.operator, left, right, fresh)
        state.temps[op.result.id] = result

    def _fresh(self, op: Load | AddressOf | Unary | Binary) -> Sym:
        # Several operations may stand at one offset (a macro); each has a temp of its own.
        return self.universe.symbol("op", op.at, op.result.id)

    # -- memory ---------------------------------------------------------------------------------------

    def resolve(self, spot: Spot, at: int, state: State) -> Path | bool | None:
        """The path a place names now; None: unknown memory; False: the access cannot happen (null)."""
        offset: int | None = spot.offset
        base: Base
        if spot.pointer is not None:
            pointer = self.value(spot.pointer, state)
            if pointer is UNDEF or not state.assume(pointer, NONZERO):
                return False  # undefined behaviour: nothing can be said of what follows
            self.use(pointer, at, self._operand_text(spot.pointer), state)
            found = self.target(pointer)
            if found is None:
                return None
            base, start = found
            offset = None if start is None else start + spot.offset
        elif spot.glob:
            base = spot.glob
        else:
            base = spot.local
        for operand, bits in spot.indices:
            number = single(state.range_of(self.value(operand, state)))
            offset = None if number is None or offset is None or not bits else offset + number * bits
        return (base, offset)

    def target(self, pointer: Value) -> Path | None:
        """The path a pointer points to."""
        if isinstance(pointer, Sym):
            return (pointer, 0)
        if isinstance(pointer, Ptr):
            return (pointer.base, pointer.offset if isinstance(pointer.offset, int) else None)
        return None

    def _operand_text(self, operand: Operand) -> str:
        return self.prepared.temp_text.get(operand.id, "") if isinstance(operand, Temp) else ""

    def use(self, value: Value, at: int, text: str, state: State) -> None:
        """The object behind the value is accessed. text: the value as the programmer writes it."""
        base = value.base if isinstance(value, Ptr) else value
        if isinstance(value, Ptr) and isinstance(value.offset, str) and value.offset.startswith(GUESS):
            return
        if base is self.universe.resource:
            if state.own is Own.RELEASED:
                state.holder = in_program(text) or state.holder
                self.listener.event(EventKind.USE_AFTER_RELEASE, at, state, base)
        elif isinstance(base, Sym) and base in state.released and base.key[0] != "old":
            state.holder = in_program(text)
            state.released_by, state.released_at = state.released[base]
            self.listener.event(EventKind.USE_AFTER_RELEASE, at, state, base)

    def _load(self, op: Load, fresh: Sym, state: State) -> bool:
        spot = self.prepared.spots[id(op.place)]
        if spot.glob == ERRNO:
            # Somebody asks for it because a call failed, so it is not 0; unless that is what is asked.
            symbol = self.universe.symbol("errno", op.at, op.result.id)
            state.facts[symbol] = ((0 if self.prepared.tests_errno else 1, LARGEST_ERRNO),)
            state.temps[op.result.id] = symbol
            return True
        path = self.resolve(spot, op.at, state)
        if path is False:
            return False
        if path is None or path is True:
            state.temps[op.result.id] = self._unknown_read(fresh, op.type, state)
        else:
            state.temps[op.result.id] = self.read(path, fresh, op.type, state)
        return True

    def _unknown_read(self, symbol: Sym, ctype: CType, state: State) -> Value:
        state.facts.pop(symbol, None)
        self.limit_by_type(state, symbol, ctype)
        return symbol

    def read(self, path: Path, fresh: Sym, ctype: CType, state: State) -> Value:
        """The value of a cell; reading an unknown one gives it a name, so that a second read is the same.

        fresh: the name for it when its path does not give one.
        """
        base, offset = path
        if offset is not None:
            known = state.cells.get(path)
            if known is not None:
                return known
        if self._may_hold(base, offset, state):
            return MAYBE
        if offset is None:
            return self._unknown_read(fresh, ctype, state)
        default = self._default(base, state)
        if default is not None:
            return default
        if isinstance(base, str) and (base, offset) in self.prepared.constants:
            return self.prepared.constants[(base, offset)]
        value = self._initial(base, offset, fresh, state)
        self.limit_by_type(state, value, ctype)
        state.cells[path] = value
        return value

    def _default(self, base: Base, state: State) -> Value | None:
        """What memory of the object holds that nobody wrote; None: anything."""
        return 0 if base in self.prepared.zeroed else state.defaults.get(base)

    def global_value(self, name: str, key: int, state: State) -> Value:
        """The value of a global variable, named as in the IR, or as in C where a rule names it."""
        base = self.prepared.statics.get(name, name)
        return self.read((base, 0), self.universe.symbol("out", key, "read", base), UNKNOWN, state)

    def _initial(self, base: Base, offset: int, fresh: Sym, state: State) -> Sym:
        """The name of memory nobody wrote: after the path for globals and parameters, else after the load."""
        if isinstance(base, str) or (isinstance(base, Sym) and base.key[0] == "param"):
            return self.universe.symbol("init", base, offset, state.epoch)
        state.facts.pop(fresh, None)
        return fresh

    def _may_hold(self, base: Base, offset: int | None, state: State) -> bool:
        """Whether an unwritten or unknown element of the object may be the resource."""
        if state.own is Own.NONE:
            return False
        if offset is None:
            return any(b == base and state.root_is_resource(v) for (b, _), v in state.cells.items())
        weak = state.cells.get((base, None))
        if weak is not None and state.root_is_resource(weak):
            return True
        return isinstance(base, Sym) and bool(state.targets.get(base)) and state.reaches_resource((base,))

    def _store(self, op: Store, state: State) -> bool:
        spot = self.prepared.spots[id(op.place)]
        if spot.glob == ERRNO:
            return True
        value = self.value(op.value, state)
        path = self.resolve(spot, op.at, state)
        if path is False:
            return False
        if path is None or path is True:
            return self._store_nowhere(value, state)
        if value is UNDEF and state.defaults.get(path[0]) is not UNDEF:
            value = self.universe.fresh()
        if spot.pointer is not None and op.type.kind is TypeKind.POINTER:
            self._unlink(op, self.value(spot.pointer, state), path, value, state)
        self.write(path, value, op.at, spot.text, state)
        return True

    def _unlink(self, op: Store, pointer: Value, path: Path, value: Value, state: State) -> None:
        """``*e->prev = e->next``: what pointed to e from outside may be what is written here."""
        anchor = pointer.base if isinstance(pointer, Ptr) else pointer
        if not isinstance(anchor, Sym) or not state.is_outside(anchor):
            return
        index = state.by_base(numbers=True)
        for base, values in index.items():
            if not isinstance(base, Sym) or base is anchor or value not in values:
                continue
            if any((v.base if isinstance(v, Ptr) else v) is anchor for v in values):
                self._forget_links(op, base, path, state)

    def _forget_links(self, op: Store, target: Sym, written: Path, state: State) -> None:
        forgotten: list[Path] = []
        for path, value in state.cells.items():
            links = (value.base if isinstance(value, Ptr) else value) is target
            if not links or path == written or path[0] is target or not state.is_outside(path[0]):
                continue
            forgotten.append(path)
        owned = target is self.universe.resource and state.own is Own.OWNED
        for number, path in enumerate(forgotten):
            state.cells[path] = MAYBE if owned else self.symbol(state, "op", op.at, f"unlinked {number}")

    def _store_nowhere(self, value: Value, state: State) -> bool:
        if state.own is Own.OWNED and state.reaches_resource((value,)):
            self.listener.ended(Verdict.ESCAPED, "a store through an unknown pointer", state)
            return False
        self.publish((value,), state)
        return True

    def write(self, path: Path, value: Value, at: int, text: str, state: State) -> None:
        """Write a cell. text: the place as the programmer writes it."""
        base, offset = path
        holds = state.root_is_resource(value)
        if holds:
            if text != in_program(text):
                self._own_texts[path] = text
                text = ""
            if text:
                self._texts[path] = text
            if text and state.holder != text:
                kind = "alias" if state.holder else "hold"
                state.holder = text
                self.listener.step(kind, at, text, state)
            elif not state.holder:
                state.holder = text or UNNAMED
            state.origin = state.origin or state.holder
        if offset is None:
            if holds:
                state.cells[path] = value
        else:
            old = state.cells.get(path)
            if isinstance(base, Sym) and base.key[0] in ("old", "either") and old is not None:
                # One name for several objects: only one of them is written.
                value = MAYBE if holds or state.root_is_resource(old) else self.universe.fresh()
            elif old is not None and not holds and state.own is Own.OWNED and state.root_is_resource(old):
                state.loss = (at, self._overwrite_kind(value, at).value)
                state.holder = overwritten(self._texts.get(path, ""), in_program(text)) or state.holder
            state.cells[path] = value
        if not holds and isinstance(value, Sym) and state.own is Own.OWNED and of_call(state.holder)[0]:
            self._name_result(value, at, in_program(text), state)
        if not isinstance(value, int) and state.is_outside(base):
            self.publish((value,), state)

    def _name_result(self, result: Sym, at: int, text: str, state: State) -> None:
        """``it = mk()``: what was called ``mk()->name`` has a better name now."""
        for path in state.holders() if text else ():
            if path[0] is result and self._texts.get(path) == state.holder:
                member = of_call(state.holder)[1]
                name = text + member if member.startswith("[") else f"{text}->{member}"
                if state.origin == state.holder:
                    state.origin = name
                self._texts[path] = state.holder = name
                self.listener.step("hold", at, name, state)
                return

    def _overwrite_kind(self, value: Value, at: int) -> EventKind:
        """What sort of loss it is when this value is stored over the last holder."""
        study = self.study
        if study is not None and at == study.acquired_at:
            return EventKind.LEAK_LOOP
        if study is None or not isinstance(value, Sym):
            return EventKind.LEAK_OVERWRITTEN
        origin = value.key
        if origin[0] == "call" and origin[1] in self.reallocations:
            return EventKind.LEAK_REALLOC
        if origin[0] in ("call", "out") and origin[1] == study.key:
            return EventKind.LEAK_LOOP
        return EventKind.LEAK_OVERWRITTEN

    def publish(self, values: Iterable[Value], state: State) -> None:
        """The values are known outside: heap objects and locals they lead to are no longer private."""
        stack = [value for value in values if not isinstance(value, int)]
        while stack:
            value = stack.pop()
            base: Base | None = value.base if isinstance(value, Ptr) else None
            if isinstance(value, Sym):
                base = value
            if isinstance(base, int) and base not in state.exposed:
                state.exposed |= {base}
            elif isinstance(base, Sym) and base in state.local_objects:
                state.local_objects -= {base}
            else:
                continue
            stack.extend(v for (b, _), v in state.cells.items() if b == base and not isinstance(v, int))

    def _address(self, op: AddressOf, fresh: Sym, state: State) -> Value:
        path = self.resolve_address(self.prepared.spots[id(op.place)], state)
        return fresh if path is None else self.universe.pointer(*path)

    def resolve_address(self, spot: Spot, state: State) -> Path | None:
        """Like `resolve`, but nothing is accessed: ``&p->f`` is computed for a null or released p too."""
        offset: int | None = spot.offset
        base: Base
        if spot.pointer is not None:
            found = self.target(self.value(spot.pointer, state))
            if found is None:
                return None
            base, start = found
            offset = None if start is None else start + spot.offset
        else:
            base = spot.glob if spot.glob else spot.local
        for operand, bits in spot.indices:
            number = single(state.range_of(self.value(operand, state)))
            offset = None if number is None or offset is None or not bits else offset + number * bits
        return (base, offset)

    def _copy_record(self, op: CopyRecord, state: State) -> bool:
        source = self.resolve(self.prepared.spots[id(op.source)], op.at, state)
        target_spot = self.prepared.spots[id(op.target)]
        target = self.resolve(target_spot, op.at, state)
        if source is False or target is False:
            return False
        if not isinstance(target, tuple):
            whole = state.by_base().get(source[0], []) if isinstance(source, tuple) else []
            return all(self._store_nowhere(value, state) for value in whole)
        if isinstance(source, tuple) and source[1] is None and self._may_hold(source[0], None, state):
            self.listener.ended(Verdict.MAYBE_RELEASED, "a copy of one of several elements", state)
            return False
        moved: list[tuple[int, Value, str]] = []
        source_text = self.prepared.spots[id(op.source)].text
        default: Value | None = None
        if isinstance(source, tuple) and source[1] is not None:
            default = self._default(source[0], state)
            for (base, offset), value in state.cells.items():
                if base == source[0] and offset is not None and offset >= source[1]:
                    distance = offset - source[1]
                    if not op.bits or distance < op.bits:
                        known = self._texts.get((base, offset)) or self._own_texts.get((base, offset), "")
                        member = known.removeprefix(source_text) if known.startswith(source_text) else ""
                        moved.append((distance, value, member))
        if target[1] is not None:
            self._note_overwrites(target, op.bits, op.at, state)
            state.drop_range(target[0], target[1], op.bits)
            if self._is_all(target, op.bits, op.part):
                state.defaults[target[0]] = default
            elif target[0] in state.defaults:
                state.defaults[target[0]] = None
        for distance, value, member in moved:
            place = (target[0], None if target[1] is None else target[1] + distance)
            self.write(place, value, op.at, target_spot.text + member, state)
        return True

    def _note_overwrites(self, path: Path, bits: int, at: int, state: State) -> None:
        if state.own is not Own.OWNED or path[1] is None:
            return
        for base, offset in state.holders():
            inside = base == path[0] and offset is not None and offset >= path[1]
            if inside and (not bits or (offset or 0) < path[1] + bits):
                state.loss = (at, EventKind.LEAK_OVERWRITTEN.value)

    def _zero(self, op: Zero, state: State) -> bool:
        path = self.resolve(self.prepared.spots[id(op.place)], op.at, state)
        if path is False:
            return False
        if isinstance(path, tuple):
            self.zero(path, op.bits, op.part, op.at, state)
        return True

    def _is_all(self, path: Path, bits: int, part: bool) -> bool:
        """Whether so many bits from there are the whole object that the path leads into."""
        base, offset = path
        if offset != 0 or bits == 0:
            return offset == 0
        if isinstance(base, int):
            size = self.prepared.function.locals[base].type.bits
            return bits >= size > 0 or (size == 0 and not part)
        return not part

    def zero(self, path: Path, bits: int, part: bool, at: int, state: State) -> None:
        """Memory from the path on becomes zero. bits 0: to the object's end; part: the object may be larger."""
        base, start = path
        if start is None:
            return
        everything = self._is_all(path, bits, part)
        bits = 0 if everything else bits
        self._note_overwrites(path, bits, at, state)
        # Members that had a name keep it, so that joins can say "null or".
        named = [cell for cell in state.cells if cell[0] == base and cell[1] is not None]
        if everything and not (isinstance(base, Sym) and base.parameter):
            named = []
        state.drop_range(base, start, bits)
        state.cells.update({cell: 0 for cell in named if cell not in state.cells})
        if everything:
            state.defaults[base] = 0
        elif state.defaults.get(base) is UNDEF:
            state.defaults[base] = None

    def _clobber(self, op: Clobber, state: State) -> bool:
        path = self.resolve(self.prepared.spots[id(op.place)], op.at, state)
        if path is False:
            return False
        if not isinstance(path, tuple):
            return True
        if state.own is Own.OWNED and state.reaches_resource(state.by_base().get(path[0], ())):
            self.listener.ended(Verdict.ESCAPED, "assembler code", state)
            return False
        state.drop_range(path[0], path[1], 0)
        state.defaults[path[0]] = None
        return True

    def _scope_end(self, op: ScopeEnd, state: State) -> bool:
        if state.own is Own.OWNED:
            holders = state.holders()
            ended = [path for path in holders if path[0] in op.locals]
            if len(ended) < len(holders):  # it has another name than that of the call
                ended = [path for path in ended if path[0] not in self.prepared.results]
            exact = [path for path in ended if state.cells[path] is self.universe.resource]
            texts = [self._cell_text(path) for path in (*exact, *ended)]
            if ended and state.holder not in texts[: len(exact)]:
                state.holder = texts[0] or state.holder
            if ended and state.origin in texts:
                state.holder = state.origin
        for index in op.locals:
            self._undefine(index, op.at, state, EventKind.LEAK_EXIT)
        return self.check_lost(op.at, state)

    def _undefine(self, index: int, at: int, state: State, kind: EventKind) -> None:
        """A local's life begins or ends: it holds nothing."""
        for path in [path for path in state.cells if path[0] == index]:
            value = state.cells.pop(path)
            if state.own is Own.OWNED and state.root_is_resource(value):
                state.loss = (at, kind.value)
        state.defaults[index] = UNDEF
        if index in state.exposed:
            state.exposed -= {index}

    def text_of(self, path: Path) -> str:
        """How the programmer wrote this place last, "" when it was never written."""
        return self._texts.get(path, "")

    def member_of(self, path: Path) -> str:
        """The name of the member that was written there last, also in a variable of our own; "" when none was."""
        text = self._texts.get(path) or self._own_texts.get(path, "")
        name = re.split(r"->|\.", text)[-1]
        return name if name != text and name.isidentifier() else ""

    def _cell_text(self, path: Path) -> str:
        text = self._texts.get(path, "")
        if isinstance(path[0], int) and path[1] == 0 and "." not in text and not text.endswith("[0]"):
            return in_program(self.prepared.local_name(path[0]))
        return text

    # -- ends -----------------------------------------------------------------------------------------

    def _terminator(self, block_id: int, state: State) -> list[tuple[int, State, int | None]]:
        end = self.prepared.function.blocks[block_id].end
        keep = self.prepared.live_temps_out[block_id]
        match end:
            case Goto(target=target):
                return [(target, _with_temps(state, keep), None)]
            case Branch():
                return self._branch(end, state, keep)
            case Switch():
                return self._switch(end, state, keep)
            case Jump(targets=targets):
                return [(target, _with_temps(state.copy(), keep), None) for target in targets]
            case Return():
                self._return(end, state)
            case Stop():
                self._stop(end, state)
            case _:
                assert_never(end)
        return []

    def _branch(self, end: Branch, state: State, keep: frozenset[int]) -> list[tuple[int, State, int | None]]:
        value = self.value(end.condition, state)
        values = state.range_of(value)
        found: list[tuple[int, State, int | None]] = []
        maybe_true, maybe_false = values != ZERO, contains(values, 0)
        if maybe_true and maybe_false:
            other = state.copy()
            if state.assume(value, complement(ZERO)):
                found.append((end.if_true, _with_temps(state, keep), 1))
            if other.assume(value, ZERO):
                found.append((end.if_false, _with_temps(other, keep), 0))
            return found
        # Decided by what is known: no choice on this path, so nothing a path description needs to mention.
        target = end.if_true if maybe_true else end.if_false
        return [(target, _with_temps(state, keep), 3 if maybe_true else 2)]

    def _switch(self, end: Switch, state: State, keep: frozenset[int]) -> list[tuple[int, State, int | None]]:
        value = self.value(end.value, state)
        found: list[tuple[int, State, int | None]] = []
        rest = ((-(1 << 80), 1 << 80),)
        for case in end.cases:
            branch = state.copy()
            if branch.assume(value, ((case.low, case.high),)):
                found.append((case.target, _with_temps(branch, keep), 1))
        listed = tuple(sorted((case.low, case.high) for case in end.cases))
        other = complement(listed) if listed else rest
        if state.assume(value, other):
            found.append((end.default, _with_temps(state, keep), 0))
        return found

    def _return(self, end: Return, state: State) -> None:
        returned = self.value(end.value, state) if end.value is not None else None
        record = self.resolve_address(self.prepared.spots[id(end.record)], state) if end.record is not None else None
        self.listener.returned(self, returned, record, state)
        if self.lent:
            return
        if returned is not None and end.value is not None and is_pointer(self.prepared.function.result):
            self.use(returned, end.at, self._operand_text(end.value), state)  # the caller gets a dead pointer
        if state.own is Own.LOST:
            self._report_lost(state)
            return
        if state.own is Own.RELEASED or state.own is Own.NONE:
            self.listener.ended(Verdict.RELEASED if state.own else Verdict.UNREACHABLE, "", state)
            return
        if self.study is None:
            return
        roots: list[Value] = []
        if returned is not None:
            roots.append(returned)
        if record is not None:
            roots.extend(v for (b, _), v in state.cells.items() if b == record[0])
        if state.reaches_resource(roots):
            self.listener.ended(Verdict.HANDED_OVER, "", state)
            return
        outside = [(b, v) for (b, _), v in state.cells.items() if not isinstance(b, int) and state.is_outside(b)]
        if state.reaches_resource(v for _, v in outside):
            held = any(isinstance(b, str) and state.reaches_resource((v,)) for b, v in outside)
            self.listener.ended(Verdict.HELD if held else Verdict.HANDED_OVER, "", state)
            return
        for path in [path for path in state.cells if isinstance(path[0], int)]:
            del state.cells[path]
        state.temps = {}
        self.check_lost(end.at, state, exits=True)

    def _stop(self, end: Stop, state: State) -> None:
        if state.own in (Own.OWNED, Own.LOST):
            self.listener.ended(Verdict.HELD, end.reason, state)
        elif state.own is Own.RELEASED:
            self.listener.ended(Verdict.RELEASED, "", state)


def _with_temps(state: State, keep: frozenset[int]) -> State:
    if state.temps:
        state.temps = {key: value for key, value in state.temps.items() if key in keep}
    return state


def is_comparison(value: Value) -> bool:
    """Whether the value is 0 or 1 by construction."""
    return isinstance(value, Expr) and value.operator in ("==", "<")
