"""What operations read and write: values, places, cells of a state. Which operation does what: transfer.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from analyzer.contracts.routes import Route
from analyzer.findings.model import Verdict
from analyzer.ir.operands import ERRNO, FunctionAddress, Int, Operand, Str, Temp, Unknown
from analyzer.ir.ops import (
    Clobber,
    CopyRecord,
    Load,
    Store,
    Zero,
)
from analyzer.ir.types import UNKNOWN, CType, TypeKind
from analyzer.ownership.events import EventKind
from analyzer.ownership.naming import UNNAMED, in_program, of_call, overwritten
from analyzer.ownership.prepared import Prepared, Spot
from analyzer.ownership.ranges import (
    BOOLEAN,
    NONZERO,
    single,
)
from analyzer.ownership.resources import Resource, conditional_release, handed_back
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.values import GUESS, MAYBE, UNDEF, UNSET, Base, Ptr, Sym, Universe, Value

LARGEST_ERRNO = 4095  # as the Linux kernel has it (MAX_ERRNO)

_FOLLOWED_ON = 60  # blocks


class Listener(Protocol):
    """Who is told what happens."""

    def event(self, kind: EventKind, at: int, state: State, subject: Value, detail: str = "") -> None:
        """A mistake; detail: the function that released wrongly, where there is one."""

    def ended(
        self,
        verdict: Verdict,
        reason: str,
        state: State,
        routes: tuple[Route, ...] = (),
        by: str = "",
        goes_on: bool = False,
    ) -> None:
        """The resource's way ends here in this manner, on this path. routes: by which it goes out of sight."""

    def step(self, kind: str, at: int, detail: str, state: State) -> None:
        """Something that a path shows: "acquire", "alias", "call", "release"."""

    def returned(self, machine: Access, value: Value | None, record: Path | None, state: State) -> None:
        """The function returns. value: what it returns, None for nothing or a record; record: where that one lies."""


class Access:
    """Values of operands, and memory: what is read and written at a place, for one resource under study.

    study: the resource, None: releases only. cyclic: the block that is executed lies on a loop.
    """

    def __init__(self, prepared: Prepared, universe: Universe, study: Resource | None, listener: Listener) -> None:
        self.prepared = prepared
        self.universe = universe
        self.study = study
        self.listener = listener
        self.cyclic = False
        self.lent = study is not None and study.site is None
        self.acquiring = prepared.acquiring
        self._texts: dict[Path, str] = {}
        self._own_texts: dict[Path, str] = {}  # of variables that nobody wrote
        self.keeping: dict[object, tuple[str, str]] = dict(_keeping(prepared))
        self.failed: dict[int, str] = {}  # where something was lost because a call failed -> the function

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

    # -- places ---------------------------------------------------------------------------------------

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
        return (base, self._at_indices(spot, offset, state))

    def _at_indices(self, spot: Spot, offset: int | None, state: State) -> int | None:
        """The offset with all indices of the place; None: one is not known, or leads behind the last element."""
        for operand, bits, elements in spot.indices:
            number = single(state.range_of(self.value(operand, state)))
            beyond = number is not None and elements and not 0 <= number < elements
            offset = None if number is None or beyond or offset is None or not bits else offset + number * bits
        return offset

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
                self._used(base, at, state)
        elif isinstance(base, Sym) and base in state.released and base.key[0] != "old":
            state.holder = in_program(text)
            state.released_by, state.released_at = state.released[base]
            self._used(base, at, state)

    def _used(self, base: Value, at: int, state: State) -> None:
        """Something released is used; in the body of a function that is there to release it, it is released again."""
        again = next((name for i, name in self.prepared.releasing.items() if state.cells.get((i, 0)) is base), "")
        kind = EventKind.DOUBLE_RELEASE if again else EventKind.USE_AFTER_RELEASE
        self.listener.event(kind, at, state, base, again)

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
        if isinstance(base, str) and (base, offset) in self.prepared.constants:
            return self.prepared.constants[(base, offset)]
        default = self._default(base, state)
        if default is UNSET:
            return self._read_unset(path, fresh, ctype, state)
        if default is not None:
            return default
        value = self._initial(base, offset, fresh, state)
        self.limit_by_type(state, value, ctype)
        state.cells[path] = value
        return value

    def _read_unset(self, path: Path, fresh: Sym, ctype: CType, state: State) -> Value:
        """Memory of a new object that nobody wrote: anything but an owner. In loops nobody keeps count."""
        symbol = fresh if self.cyclic else self.universe.symbol("unset", *fresh.key[1:])
        state.cells[path] = self._unknown_read(symbol, ctype, state)
        return symbol

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
            kept = isinstance(path[0], int) and op.type.kind is TypeKind.POINTER and path[1] is not None
            value = UNDEF if kept else self.universe.fresh()
        if spot.pointer is not None and op.type.kind is TypeKind.POINTER:
            self.unlink(op.at, self.value(spot.pointer, state), path, value, state)
        self.write(path, value, op.at, spot.text, state)
        return True

    def unlink(self, at: int, pointer: Value, path: Path, value: Value, state: State) -> None:
        """``*e->prev = e->next``: what pointed to e from outside may be what is written here (`path`, by `pointer`)."""
        anchor = pointer.base if isinstance(pointer, Ptr) else pointer
        if not isinstance(anchor, Sym) or not state.is_outside(anchor):
            return
        index = state.by_base(numbers=True)
        for base, values in index.items():
            if not isinstance(base, Sym) or base is anchor or value not in values:
                continue
            if any((v.base if isinstance(v, Ptr) else v) is anchor for v in values):
                self.forget_links(base, at, path, state)

    def forget_links(self, target: Sym, at: int, written: Path | None, state: State) -> None:
        """What pointed to the object from outside may point to something else now. written: a place known to be set."""
        forgotten: list[Path] = []
        for path, value in state.cells.items():
            links = (value.base if isinstance(value, Ptr) else value) is target
            if not links or path == written or path[0] is target or not state.is_outside(path[0]):
                continue
            forgotten.append(path)
        owned = target is self.universe.resource and state.own is Own.OWNED
        for number, path in enumerate(forgotten):
            state.cells[path] = MAYBE if owned else self.symbol(state, "op", at, f"unlinked {number}")

    def let_go(self, verdict: Verdict, reason: str, state: State, routes: tuple[Route, ...] = (), by: str = "") -> bool:
        """The resource goes out of sight; True: the way is followed on, for the caller will see what is returned then.

        That is so for what the caller lends: ``if (add(list, p) < 0)`` asks whether `p` has gone. Large functions are
        seldom asked that, and to follow them on is dear.
        """
        goes_on = self.lent and len(self.prepared.function.blocks) <= _FOLLOWED_ON
        self.listener.ended(verdict, reason, state, routes, by, goes_on)
        if goes_on:
            state.own, state.releaser = Own.GONE, by
            state.substitute(self.universe.resource, self.universe.symbol("gone"))
        return goes_on

    def _store_nowhere(self, value: Value, state: State) -> bool:
        if state.own is Own.OWNED and state.reaches_resource((value,)):
            return self.let_go(Verdict.ESCAPED, "a store through an unknown pointer", state)
        self.publish((value,), state)
        return True

    def write(self, path: Path, value: Value, at: int, text: str, state: State) -> None:
        """Write a cell. text: the place as the programmer writes it."""
        base, offset = path
        holds = state.root_is_resource(value)
        if holds:
            self._name_holder(path, at, text, state)
        elif "." in text:
            self._own_texts.setdefault(path, text)  # what the member is called
        if offset is None:
            self._blur_elements(base, at, state)
            if holds:
                state.cells[path] = value
        else:
            old = state.cells.get(path)
            if isinstance(base, Sym) and base.key[0] in ("old", "either") and old is not None:
                # One name for several objects: only one of them is written.
                value = MAYBE if holds or state.root_is_resource(old) else self.universe.fresh()
            elif old is not None and not holds and state.own is Own.OWNED and state.root_is_resource(old):
                state.loss = (at, self._overwrite_kind(value, at, in_program(text)).value)
                state.holder = overwritten(self._texts.get(path, ""), in_program(text)) or state.holder
            state.cells[path] = value
        if not holds and isinstance(value, Sym) and state.own is Own.OWNED and of_call(state.holder)[0]:
            self._name_result(value, at, in_program(text), state)
        if not isinstance(value, int) and state.is_outside(base):
            self.publish((value,), state)

    def _blur_elements(self, base: Base, at: int, state: State) -> None:
        """``row[n & 3] = p;``: any element of the array may be another one now."""
        if not isinstance(base, int) or self.prepared.function.locals[base].type.kind is not TypeKind.ARRAY:
            return
        for cell in [cell for cell in state.cells if cell[0] == base and cell[1] is not None]:
            if not state.root_is_resource(state.cells[cell]):
                state.cells[cell] = (
                    MAYBE if state.own is Own.OWNED else self.universe.symbol("op", at, "blurred", cell[1])
                )

    def _name_holder(self, path: Path, at: int, text: str, state: State) -> None:
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

    def _overwrite_kind(self, value: Value, at: int, text: str) -> EventKind:
        """What sort of loss it is when this value is stored over the last holder, which is written like that."""
        study = self.study
        if study is not None and at == study.acquired_at:
            return EventKind.LEAK_LOOP
        if study is None or not isinstance(value, Sym):
            return EventKind.LEAK_OVERWRITTEN
        origin = value.key
        if origin[0] == "call" and self._fails_to_keep(origin[1], text):
            self.failed[at] = self.keeping[origin[1]][0]
            return EventKind.LEAK_REALLOC
        if origin[0] in ("call", "out") and origin[1] == study.key:
            return EventKind.LEAK_LOOP
        return EventKind.LEAK_OVERWRITTEN

    def _fails_to_keep(self, key: object, text: str) -> bool:
        """Whether the call of this key keeps what it is given where it works, and it is given this."""
        name, given = self.keeping.get(key, ("", ""))
        return bool(name) and given in ("", text)

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
        return (base, self._at_indices(spot, offset, state))

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
        elif state.defaults.get(base) in (UNDEF, UNSET):
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

    def text_of(self, path: Path) -> str:
        """How the programmer wrote this place last, "" when it was never written."""
        return self._texts.get(path, "")

    def member_of(self, path: Path) -> str:
        """The name of the member that was written there last, also in a variable of our own; "" when none was."""
        text = self._texts.get(path) or self._own_texts.get(path, "")
        name = re.split(r"->|\.", text)[-1]
        return name if name != text and name.isidentifier() else ""

    def cell_text(self, path: Path) -> str:
        """What the programmer calls the place now, "" where nothing has told."""
        text = self._texts.get(path, "")
        if isinstance(path[0], int) and path[1] == 0 and "." not in text and not text.endswith("[0]"):
            return in_program(self.prepared.local_name(path[0]))
        return text


def _keeping(prepared: Prepared) -> Iterator[tuple[int, tuple[str, str]]]:
    """Calls that keep what they are given where they work: key -> (function, what is given; "" where that is plain)."""
    for site in prepared.calls.values():
        if site.contract is None:
            continue
        if conditional_release(site.contract) is not None:
            yield site.key, (site.op.name or "", "")
            continue
        given = handed_back(site.contract)
        if given is not None and given.index < len(site.texts) and site.texts[given.index]:
            yield site.key, (site.op.name or "", site.texts[given.index])
