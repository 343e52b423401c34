"""How one operation changes a state. Calls are in calls.py, joins in join.py.

A `Machine` executes blocks for one resource under study and hands what it sees to a `Listener`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, assert_never, final

from analyzer.contracts.model import Root, member_offset
from analyzer.findings.model import Verdict
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
from analyzer.ir.types import TypeKind
from analyzer.ownership import arithmetic
from analyzer.ownership.access import Access, Listener
from analyzer.ownership.events import EventKind
from analyzer.ownership.filling import LAST_STANDARD_STREAM, fills_on_purpose
from analyzer.ownership.limits import Limits
from analyzer.ownership.naming import in_program
from analyzer.ownership.prepare import BLOCKS_TO_THE_END
from analyzer.ownership.prepared import Prepared, is_pointer
from analyzer.ownership.ranges import (
    NONZERO,
    ZERO,
    complement,
    contains,
    from_relation,
    greatest,
    least,
)
from analyzer.ownership.resources import Resource
from analyzer.ownership.state import Loss, Own, Path, State
from analyzer.ownership.values import UNDEF, Expr, Sym, Universe, Value, symbols_of

_AGGREGATES = frozenset({TypeKind.RECORD, TypeKind.ARRAY})


@final
class Nearest:
    """For a search that executes exactly: some of the states, those that have acquired the resource first.

    cut: whether any were left out, so that "nothing found" says nothing.
    """

    def __init__(self, limits: Limits) -> None:
        self._most = limits.ways
        self.cut = False

    def __call__(self, _: int, states: list[State]) -> list[State]:
        """At most as many states as the limit allows."""
        self.cut = True
        return sorted(states, key=lambda state: state.own is Own.NONE)[: max(1, self._most // 2)]


class CallHandler(Protocol):
    """Executes calls (calls.py)."""

    def call(self, machine: Machine, op: Call, state: State) -> list[State]:
        """States after the call, one per outcome that is possible."""


@final
class Machine(Access):
    """Executes operations of one prepared function for one resource (None: releases only)."""

    def __init__(
        self,
        prepared: Prepared,
        universe: Universe,
        study: Resource | None,
        listener: Listener,
        calls: CallHandler,
        fewer: Callable[[int, list[State]], list[State]],
        limits: Limits,
    ) -> None:
        """fewer: what to do inside a block (the number names the place) where calls leave more states than `ways`."""
        super().__init__(prepared, universe, study, listener)
        self.calls = calls
        self.fewer = fewer
        self.ways = limits.ways
        self.block_id = 0

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
        if slot.root is Root.GLOBAL:
            state.own = Own.OWNED
            state.holder = state.origin = slot.name.rpartition(":")[2]
            state.cells[(slot.name, 0)] = resource
            state.facts[resource] = from_relation(">=", 0) if self.study.kind.integer else NONZERO
            return
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
        states = [state]
        for number, op in enumerate(self.prepared.function.blocks[block_id].ops):
            if isinstance(op, Call):
                states = [after for current in states for after in self.calls.call(self, op, current)]
            elif isinstance(op, EndExpression):
                keep = self.prepared.temps_after[(block_id, number)]
                states = [current for current in states if self._end_expression(op.at, keep, current)]
                if len(states) > self.ways:
                    states = self.fewer((number + 1) * len(self.prepared.order) + block_id, states)
            else:
                states = [current for current in states if self._goes_on_after(op, current)]
            if not states:
                return []
        found: list[tuple[int, State, int | None]] = []
        order = self.prepared.order
        for current in states:
            for way in self._terminator(block_id, current):
                if way[1].own is Own.LOST and order[way[0]] <= order[block_id]:
                    self._report_lost(way[1])  # the next round of a loop: the function goes on
                else:
                    found.append(way)
        return found

    def _goes_on_after(self, op: Op, state: State) -> bool:
        if self._operation(op, state):
            return True
        if state.own is Own.LOST:
            self._report_lost(state)  # a null pointer is used: no orderly end of the process
        return False

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
            state.lost = Loss(at, kind.value, self.block_id)
            return True
        self.listener.event(kind, at, state, self.universe.resource)
        return False

    def _is_standard_stream(self, state: State) -> bool:
        """Whether the descriptor is 0, 1 or 2 for certain: ``if (fd > 2) close(fd);`` keeps those on purpose.

        ``if (fd > 0) close(fd);`` takes 0 for no descriptor, and is right where standard input stays open.
        """
        if self.study is None or not self.study.kind.integer:
            return False
        values = state.range_of(self.universe.resource)
        return least(values) >= 0 and greatest(values) <= LAST_STANDARD_STREAM

    def _is_meant_to_fill(self, loss: object, state: State) -> bool:
        """``close(0); dup(fd);``, ``if (dup(fd) != 1) fail();``, ``for (i = 0; i < 3; i++) open("/dev/null", O_RDWR);``

        Whoever closes a known number and does not look at the next one knows it.
        """
        study = self.study
        if study is None or study.site is None or loss is not None or state.holder or not study.kind.integer:
            return False
        return fills_on_purpose(self.prepared, study.site)

    def _goes_on(self, state: State) -> bool:
        """Count a block since the loss; True, and reported, when it was not the last thing before the process ends."""
        lost = state.lost
        if state.own is not Own.LOST or lost is None or lost.kind == EventKind.LEAK_REALLOC.value:
            return False
        state.lost = Loss(lost.at, lost.kind, lost.block, lost.blocks + 1)
        if lost.blocks < BLOCKS_TO_THE_END:
            return False
        self._report_lost(state)
        return True

    def _report_lost(self, state: State) -> None:
        assert state.lost is not None
        failed = self.failed.get(state.lost.at, "") if state.lost.kind == EventKind.LEAK_REALLOC.value else ""
        self.listener.event(EventKind(state.lost.kind), state.lost.at, state, self.universe.resource, failed)

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

    def _address(self, op: AddressOf, fresh: Sym, state: State) -> Value:
        path = self.resolve_address(self.prepared.spots[id(op.place)], state)
        return fresh if path is None else self.universe.pointer(*path)

    def _scope_end(self, op: ScopeEnd, state: State) -> bool:
        if state.own is Own.OWNED:
            holders = state.holders()
            ended = [path for path in holders if path[0] in op.locals]
            if len(ended) < len(holders):  # it has another name than that of the call
                ended = [path for path in ended if path[0] not in self.prepared.results]
            exact = [path for path in ended if state.cells[path] is self.universe.resource]
            texts = [self.cell_text(path) for path in (*exact, *ended)]
            if ended and state.holder not in texts[: len(exact)]:
                state.holder = texts[0] or state.holder
            if ended and state.origin in texts:
                state.holder = state.origin
            if self.study is not None and self.study.body:
                # What a callee's body stored it in on its way is not what the reader knows it by.
                state.holder = next(filter(None, map(self._variable, exact)), state.holder)
        for index in op.locals:
            self._undefine(index, op.at, state, EventKind.LEAK_EXIT)
        return self.check_lost(op.at, state)

    def _variable(self, path: Path) -> str:
        """The name of the pointer or number variable that the cell is, "" for a part of one."""
        base, offset = path
        if not isinstance(base, int) or offset != 0 or self.prepared.function.locals[base].type.kind in _AGGREGATES:
            return ""
        return in_program(self.prepared.local_name(base))

    def _undefine(self, index: int, at: int, state: State, kind: EventKind) -> None:
        """A local's life begins or ends: it holds nothing."""
        for path in [path for path in state.cells if path[0] == index]:
            value = state.cells.pop(path)
            if state.own is Own.OWNED and state.root_is_resource(value):
                state.loss = (at, kind.value)
        state.defaults[index] = UNDEF
        if index in state.exposed:
            state.exposed -= {index}

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
