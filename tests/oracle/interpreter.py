"""Truth by execution: runs a function of the IR once for every decision of its environment, with exact values.

Shares nothing with the engine but the IR. What is found before anything undefined has happened in a run *must* be
reported; what is found only after (say, a leak behind a double release) *may* be.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.findings.model import Verdict
from analyzer.ir import ops
from analyzer.ir.function import Function
from analyzer.ir.operands import DerefBase, Field, GlobalBase, Index, Int, LocalBase, Operand, Place, Temp
from analyzer.ir.types import TypeKind
from analyzer.ir.walk import terminator_operands

MAX_RUNS = 3000
COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class RejectedError(Exception):
    """The program has no clear truth, or too much of it."""


class CutError(Exception):
    """This run ends here without anything to say: null access, or too many rounds of a loop."""


class Found(NamedTuple):
    """One mistake. kind: "leak", "double-release", "use-after-release" or "uninitialized-release"."""

    kind: str
    at: int
    acquired_at: int
    slot: str
    sort: str


class Undefined:
    """The value of memory nobody has written."""


UNDEFINED = Undefined()


@dataclass(eq=False)
class Unsettled:
    """An integer of the environment that is only decided as far as conditions ask."""

    possible: list[int]


@dataclass(eq=False)
class Instance:
    """One acquired resource. number: what it compares as, for integers."""

    at: int
    slot: str
    number: Unsettled | None = None
    state: str = "owned"  # released, consumed, leaked
    stored: bool = False
    lost_by: tuple[int, str] | None = None


class Address(NamedTuple):
    """A pointer to memory that is no resource."""

    base: tuple[str, object]
    offset: int


Value = int | Unsettled | Instance | Address | Undefined
Base = tuple[str, object]


@dataclass
class Truth:
    """must, may: see above. verdicts: (site, slot) -> how it ended on any path. runs: how many there were."""

    must: set[Found] = field(default_factory=set)
    may: set[Found] = field(default_factory=set)
    verdicts: dict[tuple[int, str], Verdict] = field(default_factory=dict)
    tapes: dict[Found, tuple[int, ...]] = field(default_factory=dict)
    runs: int = 0
    complete: bool = True  # there were not too many runs
    broken_off: set[tuple[int, str]] = field(default_factory=set)  # acquired on a path that ends in a null access


ORDER = list(Verdict)


def judge(function: Function, rounds: int = 2, max_runs: int = MAX_RUNS) -> Truth:
    """All that can go wrong in `function` when no block runs more than `rounds` + 1 times.

    Past `max_runs` runs the truth is not complete; what it says must be reported all the same.
    """
    truth = Truth()
    domain = values_of_interest(function)
    tape: list[list[int]] = []  # [chosen, number of choices]
    while True:
        if truth.runs >= max_runs:
            truth.complete = False
            return truth
        truth.runs += 1
        run = Run(function, domain, tape, rounds)
        run.execute()
        _collect(truth, run, tuple(chosen for chosen, _ in tape))
        while tape and tape[-1][0] + 1 >= tape[-1][1]:
            tape.pop()
        if not tape:
            return truth
        tape[-1][0] += 1


def _collect(truth: Truth, run: Run, tape: tuple[int, ...]) -> None:
    truth.must |= run.must
    truth.may |= run.may
    if run.broken_off:
        truth.broken_off |= {(instance.at, instance.slot) for instance in run.instances}
    for found in run.may:
        truth.tapes.setdefault(found, tape)
    for key, verdict in run.ends:
        old = truth.verdicts.get(key, Verdict.UNREACHABLE)
        truth.verdicts[key] = min(old, verdict, key=ORDER.index)


def values_of_interest(function: Function) -> list[int]:
    """Integers that tell all conditions of the function apart: around each constant that is compared with."""
    constants, pairs = {0}, False
    for block in function.blocks:
        for op in block.ops:
            if isinstance(op, ops.Binary) and op.operator in ("==", "!=", "<", "<=", ">", ">="):
                sides = [side.value for side in (op.left, op.right) if isinstance(side, Int)]
                constants.update(sides)
                pairs = pairs or not sides
        if isinstance(block.end, ops.Switch):
            for case in block.end.cases:
                constants.update((case.low, case.high))
    found = {constant + step for constant in constants for step in (-1, 0, 1)}
    if pairs:
        found |= {min(found) - 1, max(found) + 1}
    return sorted(found)


class Run:
    """One execution. tape: the decisions, extended when it is too short."""

    def __init__(self, function: Function, domain: list[int], tape: list[list[int]], rounds: int) -> None:
        self.function = function
        self.domain = domain
        self.tape = tape
        self.rounds = rounds
        self.position = 0
        self.cells: dict[tuple[Base, int], Value] = {}
        self.temps: dict[int, Value] = {}
        self.instances: list[Instance] = []
        self.must: set[Found] = set()
        self.may: set[Found] = set()
        self.ends: list[tuple[tuple[int, str], Verdict]] = []
        self.broken_off = False
        self.undefined = False  # something undefined has happened
        self.dirty = False  # something may have been lost since the last check
        self.kept: set[int] = set()  # temps that the block's terminator uses

    def choose(self, number: int) -> int:
        if number == 1:
            return 0
        if self.position == len(self.tape):
            self.tape.append([0, number])
        chosen, known = self.tape[self.position]
        assert known == number, "not deterministic"
        self.position += 1
        return chosen

    def execute(self) -> None:
        visits = [0] * len(self.function.blocks)
        block = 0
        try:
            while True:
                visits[block] += 1
                if visits[block] > self.rounds + 1:
                    raise CutError
                following = self.block(block)
                if following is None:
                    return
                block = following
        except CutError:
            self.broken_off = True

    def found(self, kind: str, at: int, instance: Instance | None, sort: str = "") -> None:
        acquired, slot = (-1, "") if instance is None else (instance.at, instance.slot)
        item = Found(kind, at, acquired, slot, sort)
        self.may.add(item)
        if not self.undefined:
            self.must.add(item)
        if kind != "leak":
            self.undefined = True

    def ended(self, instance: Instance, verdict: Verdict) -> None:
        if not self.undefined:
            self.ends.append(((instance.at, instance.slot), verdict))

    # -- memory

    def value(self, operand: Operand) -> Value:
        match operand:
            case Temp():
                return self.temps[operand.id]
            case Int():
                return operand.value
            case _:
                raise RejectedError(f"operand {operand}")

    def place(self, place: Place, at: int) -> tuple[Base, int]:
        offset = 0
        base: Base
        match place.base:
            case LocalBase():
                base = ("local", place.base.index)
            case GlobalBase():
                base = ("global", place.base.name)
            case DerefBase():
                base, offset = self.pointee(self.value(place.base.pointer), at)
        for selector in place.selectors:
            match selector:
                case Field():
                    offset += selector.offset
                case Index():
                    index = self.value(selector.index)
                    assert isinstance(index, int)
                    offset += index * selector.element_bits
        return base, offset

    def pointee(self, pointer: Value, at: int) -> tuple[Base, int]:
        """What an access through the pointer touches."""
        if isinstance(pointer, Instance):
            if pointer.state in ("released", "consumed"):
                self.found("use-after-release", at, pointer)
            return ("object", pointer), 0
        if isinstance(pointer, Address):
            return pointer.base, pointer.offset
        raise CutError  # null, or nobody knows

    def read(self, path: tuple[Base, int]) -> Value:
        if path not in self.cells:
            self.cells[path] = self.initial(path)
        return self.cells[path]

    def initial(self, path: tuple[Base, int]) -> Value:
        (space, which), _ = path
        if space == "local" and isinstance(which, int) and which < self.function.parameters:
            if self.function.locals[which].type.kind is TypeKind.POINTER:
                return Address(("outside", which), 0)
            return self.pick()
        if space == "local":
            return UNDEFINED
        return 0

    def write(self, path: tuple[Base, int], value: Value, at: int) -> None:
        old = self.cells.get(path)
        if isinstance(old, Instance) and old is not value:
            old.lost_by = (at, "overwritten")
            self.dirty = True
        if isinstance(value, Instance):
            value.stored = True
        self.cells[path] = value

    # -- operations

    def block(self, number: int) -> int | None:
        block = self.function.blocks[number]
        self.kept = {used.id for used in terminator_operands(block.end) if isinstance(used, Temp)}
        for op in block.ops:
            self.op(op)
        return self.terminator(block.end)

    def op(self, op: ops.Op) -> None:
        match op:
            case ops.Load():
                self.temps[op.result.id] = self.read(self.place(op.place, op.at))
            case ops.Store():
                self.write(self.place(op.place, op.at), self.value(op.value), op.at)
            case ops.AddressOf():
                self.temps[op.result.id] = Address(*self.place(op.place, op.at))
            case ops.Unary():
                self.temps[op.result.id] = self.unary(op)
            case ops.Binary():
                self.temps[op.result.id] = self.binary(op)
            case ops.Call():
                self.call(op)
            case ops.CopyRecord():
                self.copy(op)
            case ops.Zero():
                base, offset = self.place(op.place, op.at)
                for at in range(offset, offset + op.bits, 64):
                    self.write((base, at), 0, op.at)
            case ops.DeclareLocal():
                self.forget((op.local,), op.at, "overwritten")
            case ops.ScopeEnd():
                self.forget(op.locals, op.at, "exit")
                self.check(op.at)
            case ops.EndExpression():
                self.end_expression(op.at)
            case _:
                raise RejectedError(f"operation {op}")

    def end_expression(self, at: int) -> None:
        self.temps = {number: value for number, value in self.temps.items() if number in self.kept}
        self.check(at)

    def forget(self, locals_: tuple[int, ...], at: int, sort: str) -> None:
        for path in [path for path in self.cells if path[0][0] == "local" and path[0][1] in locals_]:
            value = self.cells.pop(path)
            if isinstance(value, Instance):
                value.lost_by = (at, sort)
                self.dirty = True

    def copy(self, op: ops.CopyRecord) -> None:
        target, source = self.place(op.target, op.at), self.place(op.source, op.at)
        values = [self.read((source[0], source[1] + at)) for at in range(0, op.bits, 64)]
        for number, value in enumerate(values):
            self.write((target[0], target[1] + 64 * number), value, op.at)

    def unary(self, op: ops.Unary) -> Value:
        value = self.value(op.operand)
        if op.operator == "!":
            return int(self.compare("==", value, 0))
        return -self.settle(value) if op.operator == "-" else ~self.settle(value)

    def number(self, value: Value) -> int | Unsettled:
        """What a value compares as; every pointer is just not null."""
        if isinstance(value, Undefined):
            raise RejectedError("a decision by an undefined value")
        if isinstance(value, Instance):
            return 0x10000 if value.number is None else value.number
        return 0x20000 if isinstance(value, Address) else value

    def settle(self, value: Value) -> int:
        """A plain integer; decides everything about an open one."""
        number = self.number(value)
        if isinstance(number, int):
            return number
        number.possible = [number.possible[self.choose(len(number.possible))]]
        return number.possible[0]

    def compare(self, operator: str, left: Value, right: Value) -> bool:
        """Decide a comparison, and with it as much of an open integer as it takes."""
        a, b, holds = self.number(left), self.number(right), COMPARISONS[operator]
        if not isinstance(a, Unsettled) or isinstance(b, Unsettled):
            return holds(self.settle(left), self.settle(right))
        sides = [[item for item in a.possible if holds(item, b) is truth] for truth in (False, True)]
        truth = bool(self.choose(2)) if sides[0] and sides[1] else bool(sides[1])
        a.possible = sides[truth]
        return truth

    def binary(self, op: ops.Binary) -> Value:
        left, right = self.value(op.left), self.value(op.right)
        if isinstance(left, Instance | Address) and isinstance(right, Instance | Address):
            if isinstance(left, Instance) and left.number is not None:
                raise RejectedError("descriptors compared")
            same = left == right
            return int(same if op.operator == "==" else not same)
        if op.operator in COMPARISONS:
            return int(self.compare(op.operator, left, right))
        if op.operator == "+":
            return self.settle(left) + self.settle(right)
        raise RejectedError(f"operator {op.operator}")

    def terminator(self, end: ops.Terminator) -> int | None:
        match end:
            case ops.Goto():
                following: int | None = end.target
            case ops.Branch():
                taken = self.compare("!=", self.value(end.condition), 0)
                following = end.if_true if taken else end.if_false
            case ops.Switch():
                following = self.switch(end)
            case ops.Return():
                self.leave(end)
                following = None
            case _:
                raise RejectedError(f"terminator {end}")
        self.temps = {}
        return following

    def switch(self, end: ops.Switch) -> int:
        value = self.value(end.value)
        for case in end.cases:
            assert case.low == case.high
            if self.compare("==", value, case.low):
                return case.target
        return end.default

    def leave(self, end: ops.Return) -> None:
        self.forget(tuple(range(len(self.function.locals))), end.at, "exit")
        self.temps = {-1: self.value(end.value)} if end.value is not None else {}
        self.dirty = True
        self.check(end.at)
        self.temps, returned = {}, self.temps
        in_globals = self.reachable([v for (base, _), v in self.cells.items() if base[0] == "global"])
        handed = self.reachable(
            [*returned.values(), *(v for (base, _), v in self.cells.items() if base[0] == "outside")]
        )
        for instance in self.instances:
            if instance.state == "owned":
                assert instance in handed or instance in in_globals
                self.ended(instance, Verdict.HANDED_OVER if instance in handed else Verdict.HELD)

    # -- resources

    def reachable(self, roots: list[Value]) -> list[Instance]:
        """The instances that a chain of pointers leads to."""
        seen: list[Instance] = []
        work = list(roots)
        while work:
            value = work.pop()
            if isinstance(value, Instance) and not any(value is known for known in seen):
                seen.append(value)
                if value.state == "owned":
                    work.extend(v for (base, _), v in self.cells.items() if base == ("object", value))
        return seen

    def check(self, at: int) -> None:
        """Report what nothing reaches any more."""
        if not self.dirty:
            return
        self.dirty = bool(self.temps)  # a temp may be all that holds it
        held = [v for (base, _), v in self.cells.items() if base[0] != "object"]
        reached = self.reachable([*held, *self.temps.values()])
        for instance in self.instances:
            if instance.state == "owned" and not any(instance is known for known in reached):
                instance.state = "leaked"
                if instance.number is not None and instance.number.possible == [0]:
                    self.ended(instance, Verdict.HELD)  # standard input, which nobody misses
                    continue
                place, sort = instance.lost_by or (at, "overwritten")
                if not instance.stored:
                    place, sort = instance.at, "discarded"
                self.found("leak", place, instance, sort)
                self.ended(instance, Verdict.LEAKED)

    def acquire(self, at: int, slot: str, number: Unsettled | None = None) -> Instance:
        instance = Instance(at, slot, number)
        self.dirty = True
        self.instances.append(instance)
        return instance

    def release(self, value: Value, at: int) -> None:
        if isinstance(value, Undefined):
            self.found("uninitialized-release", at, None)
        elif isinstance(value, Instance):
            if value.state in ("released", "consumed"):
                self.found("double-release", at, value)
            else:
                value.state = "released"
                self.ended(value, Verdict.RELEASED)
        elif isinstance(value, Address):
            raise RejectedError("release of no resource")

    # -- the library

    def call(self, op: ops.Call) -> None:
        arguments = [self.value(argument) for argument in op.arguments]
        assert op.name is not None
        result = getattr(self, "call_" + op.name)(op.at, *arguments)
        if op.result is not None:
            self.temps[op.result.id] = result

    def pick(self) -> Unsettled:
        return Unsettled(self.domain)

    def split(self, fails: Callable[[int], bool]) -> tuple[bool, Unsettled]:
        """Whether a call succeeds, and the number it returns."""
        success = bool(self.choose(2))
        return success, Unsettled([item for item in self.domain if fails(item) is not success])

    def call_env(self, at: int) -> Value:
        return self.pick()

    def call_alloc(self, at: int, size: Value) -> Value:
        return self.acquire(at, "ret") if self.choose(2) else 0

    def call_open_it(self, at: int) -> Value:
        success, number = self.split(lambda item: item < 0)
        return self.acquire(at, "ret", number) if success else number

    def call_recv_msg(self, at: int, sk: Value, buf: Value, creds: Value) -> Value:
        success, number = self.split(lambda item: item <= 0)
        if success:
            self.put(buf, self.acquire(at, "*buf"), at)
        if creds != 0:
            given = success and self.choose(2)
            self.put(creds, self.acquire(at, "*creds") if given else 0, at)
        return number

    def put(self, slot: Value, value: Value, at: int) -> None:
        assert isinstance(slot, Address)
        self.write((slot.base, slot.offset), value, at)

    def call_get_line(self, at: int, line: Value) -> Value:
        assert isinstance(line, Address)
        old = self.read((line.base, line.offset))
        if isinstance(old, Undefined) or (isinstance(old, Instance) and old.state != "owned"):
            raise RejectedError("no usable value for get_line()")
        success, number = self.split(lambda item: item < 0)
        if success:
            if isinstance(old, Instance):
                old.state = "consumed"
                self.ended(old, Verdict.RELEASED)
            self.put(line, self.acquire(at, "*line"), at)
        return number

    def call_re_alloc(self, at: int, old: Value, size: Value) -> Value:
        if isinstance(old, Undefined):
            raise RejectedError("re_alloc() of nothing")
        if not self.choose(2):
            if isinstance(old, Instance) and old.state != "owned":
                raise RejectedError("failing re_alloc() of a released block")
            return 0
        self.release(old, at)
        return self.acquire(at, "ret")

    def call_free_it(self, at: int, pointer: Value) -> Value:
        self.release(pointer, at)
        return 0

    def call_open_file(self, at: int) -> Value:
        return self.acquire(at, "ret") if self.choose(2) else 0

    def call_close_file(self, at: int, stream: Value) -> Value:
        self.release(stream, at)
        return 0

    def call_close_it(self, at: int, descriptor: Value) -> Value:
        if isinstance(descriptor, Instance):
            self.release(descriptor, at)
        return 0
