"""Functions and translation units in the IR."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import final

from analyzer.ir.operands import Operand
from analyzer.ir.ops import Branch, Goto, Jump, Op, Return, Stop, Switch, Terminator
from analyzer.ir.types import CType


@final
@dataclass(frozen=True, slots=True)
class Variable:
    """A local variable; the first ones of a function are its parameters.

    name: as written; synthetic ones begin with ``$``.
    cleanup: function of the `cleanup` attribute, "" without. (The calls are already in the code.)
    parameter: whether it is a parameter.
    """

    name: str
    type: CType
    at: int
    cleanup: str = ""
    parameter: bool = False


@final
@dataclass(frozen=True, slots=True)
class BasicBlock:
    """Straight-line operations and one terminator. A block's id is its index in `Function.blocks`."""

    ops: tuple[Op, ...]
    end: Terminator


@final
@dataclass(frozen=True, slots=True)
class Guard:
    """The condition on an edge: `value` lies (or, negated, does not lie) in one of the ranges.

    A branch's true edge is "not in {0}", its false edge "in {0}".
    """

    value: Operand
    ranges: tuple[tuple[int, int], ...]
    negated: bool


@final
@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a block to the next."""

    source: int
    target: int
    guard: Guard | None


@final
@dataclass(frozen=True, slots=True)
class Function:
    """A function definition.

    linkage_name: unique in the program: the name, or ``file:name`` for a static one.
    file: path of the file the body stands in, as the run names it; all `at` are byte offsets into it.
    at, end: offsets of the name and of the closing brace.
    locals: parameters first. blocks[0] is the entry; it has no predecessor.
    macros: offset -> name of the macro that the code at this offset comes from.
    degraded: why statements may be missing ("error: unknown type ... at line 7"); empty = complete.
    """

    name: str
    linkage_name: str
    file: str
    at: int
    end: int
    result: CType
    parameters: int
    locals: tuple[Variable, ...]
    blocks: tuple[BasicBlock, ...]
    static: bool = False
    variadic: bool = False
    noreturn: bool = False
    macros: Mapping[int, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """What tells this body from others of its file, wherever it stands there."""
        return f"{self.name}:{self.end - self.at}"


@final
@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """What a unit knows about a function it calls or defines.

    file: where the (last) declaration stands. implicit: there is no declaration at all. prototyped: parameter
    types are known (false for ``f()``). defined: the body stands in this unit.
    attributes: spelled attributes that matter for ownership, ``malloc(nlmsg_free, 1)``, ``returns_nonnull``.
    """

    name: str
    result: CType
    parameters: tuple[CType, ...]
    parameter_names: tuple[str, ...] = ()
    variadic: bool = False
    prototyped: bool = True
    implicit: bool = False
    defined: bool = False
    static: bool = False
    noreturn: bool = False
    system: bool = False
    file: str = ""
    attributes: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class GlobalVariable:
    """A variable with static storage duration. constant: const-qualified, or static and never written.

    initial: for constants with scalar or function-table initialisers: offset in bits -> value.
    zeroed: a constant: what `initial` does not list is zero.
    """

    name: str
    type: CType
    constant: bool = False
    initial: Mapping[int, Operand] = field(default_factory=dict)
    zeroed: bool = False


@final
@dataclass(frozen=True, slots=True)
class SharedVariable:
    """A variable that a unit defines for all others, and its first contents: an integer, or a table of functions.

    constant: const-qualified. numbers: offset in bits, value. functions: offset in bits, and which one stands there.
    zeroed: what is not listed is zero.
    """

    name: str
    constant: bool
    numbers: tuple[tuple[int, int], ...] = ()
    functions: tuple[tuple[int, FunctionDeclaration], ...] = ()
    zeroed: bool = False


@final
@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not lowered, and why; never silent."""

    file: str
    at: int
    what: str
    reason: str


@final
@dataclass(frozen=True, slots=True)
class DroppedCall:
    """A call of a function in text that the preprocessor dropped. condition: the directive by which, as written.

    file: absolute. at: offset of the name.
    """

    file: str
    at: int
    name: str
    condition: str


@final
@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message of the C parser. severity: "note", "warning", "error", "fatal"."""

    file: str
    line: int
    column: int
    severity: str
    message: str


@final
@dataclass(frozen=True, slots=True)
class TranslationUnit:
    """One parsed C file.

    flags: compiler flags that were not passed to the parser although they may matter, each with the reason.
    read: absolute paths of all files that were looked into, some of which exist in memory only.
    dropped: calls that were asked for, in text that was dropped every time its file was read.
    shared: integers and tables of functions that it defines for all units; written: names of variables shared with
        others that it may change.
    """

    path: str
    functions: tuple[Function, ...]
    declarations: Mapping[str, FunctionDeclaration]
    globals: Mapping[str, GlobalVariable]
    diagnostics: tuple[Diagnostic, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    missing_headers: tuple[str, ...] = ()
    function_count: int = 0
    flags: tuple[tuple[str, str], ...] = ()
    read: tuple[str, ...] = ()
    dropped: tuple[DroppedCall, ...] = ()
    shared: tuple[SharedVariable, ...] = ()
    written: frozenset[str] = frozenset()


def successors(end: Terminator) -> tuple[int, ...]:
    """Ids of the blocks that can follow, without duplicates, in order of mention."""
    match end:
        case Goto():
            found: tuple[int, ...] = (end.target,)
        case Branch():
            found = (end.if_true, end.if_false)
        case Switch():
            found = (*(case.target for case in end.cases), end.default)
        case Jump():
            found = end.targets
        case Return() | Stop():
            found = ()
    return tuple(dict.fromkeys(found))


def edges(function: Function) -> Iterator[Edge]:
    """All edges of the control-flow graph with their guards, in block order."""
    zero = ((0, 0),)
    for source, block in enumerate(function.blocks):
        match block.end:
            case Goto(target=target):
                yield Edge(source, target, None)
            case Branch(condition=condition, if_true=if_true, if_false=if_false):
                yield Edge(source, if_true, Guard(condition, zero, negated=True))
                yield Edge(source, if_false, Guard(condition, zero, negated=False))
            case Switch(value=value, cases=cases, default=default):
                for case in cases:
                    yield Edge(source, case.target, Guard(value, ((case.low, case.high),), negated=False))
                ranges = tuple((case.low, case.high) for case in cases)
                yield Edge(source, default, Guard(value, ranges, negated=True))
            case Jump(targets=targets):
                for target in targets:
                    yield Edge(source, target, None)
            case Return() | Stop():
                pass
