"""The lowering of generated programs (language.py) to the IR, independent of the front end.

Offsets are the line numbers of the C text that the lowering writes along the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from analyzer.ir import ops
from analyzer.ir.function import BasicBlock, Function, Variable, successors
from analyzer.ir.operands import DerefBase, Field, GlobalBase, Int, LocalBase, Operand, Place, Temp
from analyzer.ir.types import INT, CType
from tests.oracle.language import (
    DESCRIPTORS,
    FILES,
    Acquire,
    Assign,
    Both,
    Break,
    Choose,
    Compare,
    Condition,
    CopyPair,
    Count,
    Either,
    Env,
    Give,
    Help,
    If,
    Keep,
    Leave,
    Loop,
    Point,
    Program,
    Realloc,
    Release,
    Scope,
    Statement,
    Touch,
    Truth,
    is_integer,
)
from tests.oracle.library import POINTER, RECORD, SIGNATURES, SLOT

_LOCALS: tuple[tuple[str, CType], ...] = (
    ("sk", POINTER), ("out", SLOT), ("a", INT), ("b", INT),
    ("p", POINTER), ("q", POINTER), ("r", POINTER), ("s", RECORD), ("t", RECORD),
    ("fd", INT), ("dd", INT), ("n", INT), ("m", INT), ("flag", INT), ("i", INT), ("inner", POINTER),
    ("fp", POINTER), ("gp", POINTER), ("w", SLOT),
)  # fmt: skip
_FIRST = 4


def lower(program: Program) -> tuple[Function, str]:
    """The function and its C text; line n of the text is offset n. Only variables that are used are declared."""
    trial = _Lowering(program, _LOCALS)
    trial.run()
    used = tuple(item for index, item in enumerate(_LOCALS) if index < _FIRST or item[0] in trial.used)
    return _Lowering(program, used).run()


@dataclass
class _Context:
    """Where break, continue and return go: blocks, and how many scopes are open there."""

    leave: int
    again: int | None
    scopes: int


@dataclass
class _Lowering:
    program: Program
    locals: tuple[tuple[str, CType], ...]
    used: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    blocks: list[tuple[list[ops.Op], ops.Terminator | None]] = field(default_factory=list)
    current: int = 0
    temps: int = 0
    depth: int = 1
    contexts: list[_Context] = field(default_factory=list)
    scopes: list[int] = field(default_factory=list)
    at: int = 1
    labels: list[int] = field(default_factory=list)
    label: int = 0  # the first one that may be gone to: never back

    def run(self) -> tuple[Function, str]:
        result = "void *" if self.program.gives_pointer else "int"
        self.line(f"{result} f(void *sk, void **out, int a, int b)", depth=0)
        self.current = self.block()
        self.declare()
        self.labels = [self.block() for _ in self.program.labels]
        self.statements(self.program.body)
        for number, body in enumerate(self.program.labels):
            self.goto(self.labels[number])
            self.current = self.labels[number]
            self.label = number + 1
            self.line(f"label{number}: ;", depth=0)
            self.statements(body)
        self.give(self.program.value)
        self.line("}", depth=0)
        return self.finish(), "\n".join(self.lines) + "\n"

    def finish(self) -> Function:
        for index, (_, end) in enumerate(self.blocks):
            if end is None:
                self.current = index
                self.end(ops.Goto(self.at, index) if index else ops.Return(self.at, Int(0)))
        variables = tuple(
            Variable(name, of, 1, parameter=index < _FIRST) for index, (name, of) in enumerate(self.locals)
        )
        blocks = _prune([BasicBlock(tuple(items), end) for items, end in self.blocks if end is not None])
        result = POINTER if self.program.gives_pointer else INT
        return Function("f", "f", "oracle.c", 1, len(self.lines), result, _FIRST, variables, blocks)

    # -- text and blocks

    def index(self, name: str) -> int:
        """The number of a local."""
        return next(index for index, (known, _) in enumerate(self.locals) if known == name)

    def line(self, text: str, depth: int | None = None) -> int:
        self.lines.append("    " * (self.depth if depth is None else depth) + text)
        self.at = len(self.lines)
        return self.at

    def block(self) -> int:
        self.blocks.append(([], None))
        return len(self.blocks) - 1

    def emit(self, op: ops.Op) -> None:
        self.blocks[self.current][0].append(op)

    def end(self, terminator: ops.Terminator) -> None:
        if self.blocks[self.current][1] is None:
            self.blocks[self.current] = (self.blocks[self.current][0], terminator)

    def goto(self, target: int) -> None:
        self.end(ops.Goto(self.at, target))

    def temp(self) -> Temp:
        self.temps += 1
        return Temp(self.temps - 1)

    def done(self) -> None:
        self.emit(ops.EndExpression(self.at))

    # -- declarations

    def declare(self) -> None:
        self.line("{", depth=0)
        for name, of in self.locals[_FIRST:]:
            if name == "inner":
                continue
            if of == INT:
                self.line(f"int {name} = {-1 if name in DESCRIPTORS else 0};")
            elif of == RECORD:
                self.line(f"struct pair {name} = {{0}};")
            elif of == SLOT:
                self.line(f"void **{name} = NULL;")
            else:
                self.line(f"void *{name};" if name in self.program.unset else f"void *{name} = NULL;")
            self.emit(ops.DeclareLocal(self.at, self.index(name)))
            place = Place(LocalBase(self.index(name)))
            if of == RECORD:
                self.emit(ops.Zero(self.at, place, 128))
            elif name not in self.program.unset:
                value = Int(-1 if name in DESCRIPTORS else 0)
                self.emit(ops.Store(self.at, place, value, of, initialises=True))
            self.done()

    # -- places and values

    def place(self, name: str) -> Place:
        if name == "shelf":
            return Place(GlobalBase("shelf"))
        if name.startswith("*"):
            return Place(DerefBase(self.load(name[1:])))
        record, _, member = name.partition(".")
        self.used.add(record)
        selectors = (Field(member, 0 if member == "a" else 64),) if member else ()
        return Place(LocalBase(self.index(record)), selectors)

    def load(self, name: str) -> Temp:
        of = INT if is_integer(name) else SLOT if name in ("out", "w") else POINTER
        place = self.place(name)
        temp = self.temp()
        self.emit(ops.Load(self.at, temp, place, of))
        return temp

    def store(self, name: str, value: Operand) -> None:
        self.emit(ops.Store(self.at, self.place(name), value, INT if is_integer(name) else POINTER))

    def address(self, name: str) -> Operand:
        if not name:
            return Int(0)
        place = self.place(name)
        temp = self.temp()
        self.emit(ops.AddressOf(self.at, temp, place))
        return temp

    def called(self, function: str, *arguments: Operand, used: bool = True) -> Temp | None:
        signature = SIGNATURES[function]
        result = self.temp() if used else None
        self.emit(ops.Call(self.at, result, function, None, arguments, signature.parameters, signature.result))
        return result

    # -- conditions

    def condition(self, condition: Condition, if_true: int, if_false: int) -> None:
        """Branch; the blocks of ``&&`` and ``||`` are made here."""
        match condition:
            case Both() | Either():
                between = self.block()
                if isinstance(condition, Both):
                    self.condition(condition.left, between, if_false)
                else:
                    self.condition(condition.left, if_true, between)
                self.current = between
                self.condition(condition.right, if_true, if_false)
            case _:
                temp = self.simple(condition)
                self.done()
                self.end(ops.Branch(self.at, temp, if_true, if_false))

    def simple(self, condition: Compare | Truth | Env) -> Temp:
        match condition:
            case Env():
                left: Operand | None = self.called("env")
                operator, right = ">", Int(0)
            case Compare():
                left = self.load(condition.name)
                operator = condition.operator
                right = (
                    Int(condition.value) if isinstance(condition.value, int) else self.load(condition.value)  # type: ignore[assignment]
                )
            case Truth():
                value = self.load(condition.name)
                if not condition.negated:
                    return value
                temp = self.temp()
                self.emit(ops.Unary(self.at, temp, "!", value))
                return temp
        assert left is not None
        temp = self.temp()
        self.emit(ops.Binary(self.at, temp, operator, left, right))
        return temp

    # -- statements

    def statements(self, statements: tuple[Statement, ...]) -> None:
        for statement in statements:
            if self.blocks[self.current][1] is not None:
                self.current = self.block()  # behind a goto: dead code
            getattr(self, "do_" + type(statement).__name__.lower())(statement)

    def nested(self, statements: tuple[Statement, ...], after: int) -> None:
        self.depth += 1
        self.statements(statements)
        self.depth -= 1
        self.goto(after)

    def do_acquire(self, it: Acquire) -> None:
        shown = {"alloc": "1", "recv_msg": f"sk, &{it.target}, {'&' + it.creds if it.creds else 'NULL'}"}
        result = f"{it.result} = " if it.result else ""
        argument = shown.get(it.function, f"&{it.target}" if it.target else "")
        self.line(f"{result}{it.function}({argument});")
        arguments: list[Operand] = []
        if it.function == "alloc":
            arguments = [Int(1)]
        elif it.function == "recv_msg":
            arguments = [self.load("sk"), self.address(it.target), self.address(it.creds)]
        elif it.function == "get_line":
            arguments = [self.address(it.target)]
        temp = self.called(it.function, *arguments, used=bool(it.result))
        if temp is not None:
            self.store(it.result, temp)
        self.done()

    def do_realloc(self, it: Realloc) -> None:
        self.line(f"{it.result} = re_alloc({it.pointer}, 2);")
        temp = self.called("re_alloc", self.load(it.pointer), Int(2))
        assert temp is not None
        self.store(it.result, temp)
        self.done()

    def do_release(self, it: Release) -> None:
        function = "close_it" if it.name in DESCRIPTORS else "close_file" if it.name in FILES else "free_it"
        self.line(f"{function}({it.name});")
        self.called(function, self.load(it.name), used=False)
        self.done()

    def do_assign(self, it: Assign) -> None:
        self.line(f"{it.target} = {it.source};")
        value = Int(it.source) if isinstance(it.source, int) else self.load(it.source)
        self.store(it.target, value)
        self.done()

    def do_keep(self, it: Keep) -> None:
        self.line(f"{it.target} = {text(it.condition)};")
        value = self.simple(it.condition)
        if isinstance(it.condition, Truth) and not it.condition.negated:
            temp = self.temp()
            self.emit(ops.Binary(self.at, temp, "!=", value, Int(0)))
            value = temp
        self.store(it.target, value)
        self.done()

    def do_help(self, it: Help) -> None:
        self.line(it.line)
        self.used.update(name.partition(".")[0] for name in re.findall(r"[\w.]+", it.line))

    def do_touch(self, it: Touch) -> None:
        self.line(f"*(int *){it.name} = 1;")
        self.emit(ops.Store(self.at, Place(DerefBase(self.load(it.name))), Int(1), INT))
        self.done()

    def do_point(self, it: Point) -> None:
        self.line(f"w = &{it.target};")
        value = self.address(it.target)
        self.emit(ops.Store(self.at, self.place("w"), value, SLOT))
        self.done()

    def do_copypair(self, it: CopyPair) -> None:
        self.line("t = s;")
        self.emit(ops.CopyRecord(self.at, self.place("t"), self.place("s"), 128))
        self.done()

    def do_if(self, it: If) -> None:
        self.line(f"if ({text(it.condition)}) {{")
        then, after = self.block(), self.block()
        other = self.block() if it.other else after
        self.condition(it.condition, then, other)
        self.current = then
        self.nested(it.then, after)
        if it.other:
            self.line("} else {")
            self.current = other
            self.nested(it.other, after)
        self.line("}")
        self.current = after

    def do_loop(self, it: Loop) -> None:
        self.line("do {" if it.at_least_once else f"while ({text(it.condition)}) {{")
        body, test, after = self.block(), self.block(), self.block()
        self.goto(body if it.at_least_once else test)
        if not it.at_least_once:
            self.current = test
            self.condition(it.condition, body, after)
        self.contexts.append(_Context(after, test, len(self.scopes)))
        self.current = body
        self.nested(it.body, test)
        self.contexts.pop()
        self.line(f"}} while ({text(it.condition)});" if it.at_least_once else "}")
        if it.at_least_once:
            self.current = test
            self.condition(it.condition, body, after)
        self.current = after

    def do_count(self, it: Count) -> None:
        name = it.variable
        self.line(f"for ({name} = 0; {name} < {it.rounds}; {name}++) {{")
        at = self.at
        self.store(name, Int(0))
        self.done()
        test, body, step, after = self.block(), self.block(), self.block(), self.block()
        self.goto(test)
        self.current = test
        self.condition(Compare(name, "<", it.rounds), body, after)
        self.contexts.append(_Context(after, step, len(self.scopes)))
        self.current = body
        self.nested(it.body, step)
        self.contexts.pop()
        self.line("}")
        self.current = step
        self.at = at
        temp = self.temp()
        self.emit(ops.Binary(at, temp, "+", self.load(name), Int(1)))
        self.store(name, temp)
        self.done()
        self.goto(test)
        self.current = after
        self.at = len(self.lines)

    def do_choose(self, it: Choose) -> None:
        self.line(f"switch ({it.name}) {{")
        value = self.load(it.name)
        self.done()
        bodies = [self.block() for _ in it.cases]
        default, after = self.block(), self.block()
        distinct = {number: body for (number, _, _), body in zip(reversed(it.cases), reversed(bodies), strict=True)}
        cases = tuple(ops.Case(number, number, body) for number, body in distinct.items())
        self.end(ops.Switch(self.at, value, cases, default))
        self.contexts.append(_Context(after, self.contexts[-1].again if self.contexts else None, len(self.scopes)))
        for position, (number, body, breaks) in enumerate(it.cases):
            first = all(number != earlier for earlier, _, _ in it.cases[:position])
            self.line(f"case {number}:" if first else f"/* case {number} again: not C, only fallen into */")
            self.current = bodies[position]
            following = bodies[position + 1] if position + 1 < len(bodies) else default
            self.nested((*body, Break()) if breaks else body, following)
        self.line("default: ;")
        self.current = default
        self.nested(it.default, after)
        self.contexts.pop()
        self.line("}")
        self.current = after

    def do_scope(self, it: Scope) -> None:
        if self.scopes:  # one variable of that name is enough
            self.statements(it.body)
            return
        self.line("{")
        self.line("    void *inner = NULL;")
        self.used.add("inner")
        index = self.index("inner")
        self.emit(ops.DeclareLocal(self.at, index))
        self.emit(ops.Store(self.at, Place(LocalBase(index)), Int(0), POINTER, initialises=True))
        self.done()
        self.scopes.append(index)
        self.depth += 1
        self.statements(it.body)
        self.depth -= 1
        self.line("}")
        if self.blocks[self.current][1] is None:
            self.emit(ops.ScopeEnd(self.at, (index,)))
        self.scopes.pop()

    def close(self, down_to: int) -> None:
        if len(self.scopes) > down_to:
            self.emit(ops.ScopeEnd(self.at, tuple(self.scopes[down_to:])))

    def do_leave(self, it: Leave) -> None:
        if not self.labels:
            return
        number = it.label % len(self.labels) + self.label
        if number >= len(self.labels):
            return
        self.line(f"goto label{number};")
        self.close(0)
        self.goto(self.labels[number])

    def do_break(self, it: Break) -> None:
        context = self.contexts[-1] if self.contexts else None
        target = None if context is None else context.again if it.goes_on else context.leave
        if context is None or target is None:
            return
        self.line("continue;" if it.goes_on else "break;")
        self.close(context.scopes)
        self.goto(target)

    def do_give(self, it: Give) -> None:
        self.give(it.value)

    def give(self, value: str | int) -> None:
        """Return; a value of the wrong type is 0."""
        if isinstance(value, str) and is_integer(value) == self.program.gives_pointer:
            value = 0
        if self.blocks[self.current][1] is not None:
            self.current = self.block()
        self.line(f"return {value};")
        operand = Int(value) if isinstance(value, int) else self.load(value)
        self.done()
        gone = [self.index(name) for name, _ in self.locals[_FIRST:] if name != "inner"]
        if self.scopes or gone:
            self.emit(ops.ScopeEnd(self.at, tuple(self.scopes + gone)))
        self.end(ops.Return(self.at, operand))


def text(condition: Condition) -> str:
    """The condition in C."""
    match condition:
        case Compare():
            return f"{condition.name} {condition.operator} {condition.value}"
        case Truth():
            return f"!{condition.name}" if condition.negated else condition.name
        case Both():
            return f"({text(condition.left)} && {text(condition.right)})"
        case Either():
            return f"({text(condition.left)} || {text(condition.right)})"
        case Env():
            return "env() > 0"


def _prune(blocks: list[BasicBlock]) -> tuple[BasicBlock, ...]:
    """Without blocks that nothing reaches."""
    order, pending = [], [0]
    while pending:
        number = pending.pop()
        if number not in order:
            order.append(number)
            pending.extend(reversed(successors(blocks[number].end)))
    new = {old: position for position, old in enumerate(order)}
    return tuple(BasicBlock(blocks[old].ops, _renumber(blocks[old].end, new)) for old in order)


def _renumber(end: ops.Terminator, new: dict[int, int]) -> ops.Terminator:
    match end:
        case ops.Goto():
            return ops.Goto(end.at, new[end.target])
        case ops.Branch():
            return ops.Branch(end.at, end.condition, new[end.if_true], new[end.if_false])
        case ops.Switch():
            cases = tuple(ops.Case(case.low, case.high, new[case.target]) for case in end.cases)
            return ops.Switch(end.at, end.value, cases, new[end.default])
        case _:
            return end
