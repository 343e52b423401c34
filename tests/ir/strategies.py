"""Arbitrary functions for round trips: well-formed data, no sense."""

from __future__ import annotations

from hypothesis import strategies as st

from analyzer.ir import ops
from analyzer.ir.function import BasicBlock, Function, Variable
from analyzer.ir.operands import (
    DerefBase,
    Field,
    FunctionAddress,
    GlobalBase,
    Index,
    Int,
    LocalBase,
    Place,
    Str,
    Temp,
    Unknown,
)
from analyzer.ir.types import INT, UNKNOWN, VOID, CType, TypeKind

LOCALS = 5
offsets = st.integers(0, 9999)
text = st.text(max_size=6)
names = st.sampled_from(["buf", "n", "bb1", "static", "load", "record", "x", "file", "$t1", "scope"]) | text
temps = st.builds(Temp, st.integers(0, 99))
operands = st.one_of(
    temps,
    st.builds(Int, st.integers(-(2**63), 2**64)),
    st.builds(Str, text),
    st.builds(FunctionAddress, names),
    st.just(Unknown()),
)
types = st.sampled_from([VOID, INT, UNKNOWN]) | st.builds(
    CType,
    st.sampled_from(TypeKind),
    st.sampled_from(["int", "char *", "struct s", "'\"\\"]) | text,
    st.sampled_from([0, 16, 64]),
    st.booleans(),
    text,
    st.sampled_from(TypeKind),
    st.booleans(),
)
bases = st.one_of(
    st.builds(LocalBase, st.integers(0, LOCALS - 1)),
    st.builds(GlobalBase, names),
    st.builds(DerefBase, operands),
)
selectors = st.builds(Field, names, st.integers(-1, 512)) | st.builds(Index, operands, st.integers(0, 64))
places = st.builds(Place, bases, st.lists(selectors, max_size=3).map(tuple))
unary = st.sampled_from(["-", "~", "!"])
binary = st.sampled_from(["+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">="])


@st.composite
def calls(draw: st.DrawFn) -> ops.Call:
    arguments = draw(st.lists(st.tuples(operands, types), max_size=3))
    by_name = draw(st.booleans())
    return ops.Call(
        draw(offsets),
        draw(st.none() | temps),
        draw(names) if by_name else None,
        None if by_name else draw(operands),
        tuple(value for value, _ in arguments),
        tuple(of for _, of in arguments),
        draw(types),
        draw(st.none() | places),
        draw(st.booleans()),
    )


operations = st.one_of(
    st.builds(ops.Load, offsets, temps, places, types),
    st.builds(ops.Store, offsets, places, operands, types, st.booleans()),
    st.builds(ops.AddressOf, offsets, temps, places),
    st.builds(ops.Unary, offsets, temps, unary, operands),
    st.builds(ops.Binary, offsets, temps, binary, operands, operands, st.sampled_from([0, 64]), st.booleans()),
    st.builds(ops.Convert, offsets, temps, operands, types),
    calls(),
    st.builds(ops.CopyRecord, offsets, places, places, st.integers(0, 99)),
    st.builds(ops.Zero, offsets, places, st.integers(0, 99)),
    st.builds(ops.Clobber, offsets, places),
    st.builds(ops.DeclareLocal, offsets, st.integers(0, LOCALS - 1)),
    st.builds(ops.ScopeEnd, offsets, st.lists(st.integers(0, LOCALS - 1), max_size=3).map(tuple)),
    st.builds(ops.EndExpression, offsets),
)
targets = st.integers(0, 9)
cases = st.builds(ops.Case, st.integers(-9, 9), st.integers(-9, 9), targets)
terminators = st.one_of(
    st.builds(ops.Goto, offsets, targets),
    st.builds(ops.Branch, offsets, operands, targets, targets),
    st.builds(ops.Switch, offsets, operands, st.lists(cases, max_size=3).map(tuple), targets),
    st.builds(ops.Jump, offsets, st.lists(targets, max_size=3).map(tuple)),
    st.builds(ops.Return, offsets, st.none() | operands, st.none() | places),
    st.builds(ops.Stop, offsets, text),
)
blocks = st.builds(BasicBlock, st.lists(operations, max_size=6).map(tuple), terminators)


@st.composite
def functions(draw: st.DrawFn) -> Function:
    """A function whose text must read back as itself."""
    parameters = draw(st.integers(0, LOCALS))
    variables = tuple(
        Variable(draw(names), draw(types), draw(offsets), draw(st.just("") | names), index < parameters)
        for index in range(LOCALS)
    )
    return Function(
        name=draw(names),
        linkage_name=draw(names),
        file=draw(text),
        at=draw(offsets),
        end=draw(offsets),
        result=draw(types),
        parameters=parameters,
        locals=variables,
        blocks=tuple(draw(st.lists(blocks, min_size=1, max_size=4))),
        static=draw(st.booleans()),
        variadic=draw(st.booleans()),
        noreturn=draw(st.booleans()),
        macros=draw(st.dictionaries(offsets, names, max_size=2)),
        degraded=tuple(draw(st.lists(text, max_size=2))),
    )
