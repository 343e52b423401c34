"""Calls: through names and pointers, records by value, builtins of the compiler, functions that never return."""

from __future__ import annotations

from typing import Final

from analyzer.frontend.body import Body
from analyzer.frontend.bytes import instead_of_call
from analyzer.frontend.constants import evaluate
from analyzer.frontend.declarations import is_scalar
from analyzer.frontend.expressions import hold
from analyzer.ir.operands import FunctionAddress, LocalBase, Operand, Place, Unknown
from analyzer.ir.ops import Call, CopyRecord, Stop
from analyzer.ir.types import CType, TypeKind
from analyzer.libclang import kinds

_EXPECT: Final = frozenset({"__builtin_expect", "__builtin_expect_with_probability", "__builtin_launder"})
_VARIADIC: Final = frozenset({"__builtin_va_start", "__builtin_va_end", "__builtin_va_copy"})  # concern nothing else
_ON_THE_STACK: Final = frozenset({"alloca", "__builtin_alloca", "__builtin_alloca_with_align"})
_BYTES: Final = CType(TypeKind.ARRAY, "char []", pointee="char", pointee_kind=TypeKind.INT)
_CONSTANTS: Final = frozenset(
    {"__builtin_constant_p", "__builtin_object_size", "__builtin_types_compatible_p", "__builtin_choose_expr"}
)
_PLAIN: Final = frozenset(
    f"__builtin_{name}"
    for name in [
        "abort",
        "alloca",
        "bcmp",
        "bcopy",
        "bzero",
        "calloc",
        "exit",
        "fprintf",
        "fputs",
        "free",
        "index",
        "malloc",
        "memchr",
        "memcmp",
        "memcpy",
        "memmove",
        "mempcpy",
        "memset",
        "printf",
        "puts",
        "realloc",
        "rindex",
        "snprintf",
        "sprintf",
        "stpcpy",
        "strcasecmp",
        "strcat",
        "strchr",
        "strcmp",
        "strcpy",
        "strcspn",
        "strdup",
        "strlen",
        "strncat",
        "strncmp",
        "strncpy",
        "strndup",
        "strpbrk",
        "strrchr",
        "strspn",
        "strstr",
        "vprintf",
        "vsnprintf",
        "vsprintf",
    ]
)


def unwrapped(body: Body, node: int) -> int:
    """The callee without conversions, parentheses, `*` and `&`."""
    while True:
        kind, children = body.kinds[node], body.children[node]
        single = kind in (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR) and len(children) == 1
        if single or (kind == kinds.UNARY_OPERATOR and body.operator(node) in ("*", "&")):
            node = children[-1]
        else:
            return node


def called_name(body: Body, node: int) -> str:
    """The name of the function that a call names, "" for a call through a pointer."""
    if not body.children[node]:
        return ""
    callee = unwrapped(body, body.children[node][0])
    if body.kinds[callee] != kinds.DECL_REF_EXPR:
        return ""
    declared = body.declared(callee)
    return declared.name if declared is not None and declared.kind == kinds.FUNCTION_DECL else ""


def expected(body: Body, node: int) -> int:
    """The condition inside ``__builtin_expect(condition, ...)``, -1 for another call."""
    children = body.children[node]
    return children[1] if len(children) > 1 and called_name(body, node) in _EXPECT else -1


def call(body: Body, node: int) -> Operand:
    """A call whose value is used."""
    name = called_name(body, node)
    if name in _EXPECT and len(body.children[node]) > 1:
        return body.value(body.children[node][1])
    if name in _CONSTANTS:
        return evaluate(body.lib, body.cursor(node), body.type(node)) or Unknown()
    if name in _ON_THE_STACK:
        return _stack_memory(body, node)
    type_ = body.type(node)
    if type_.kind is TypeKind.RECORD:
        place = call_place(body, node)
        return body.address(place, body.position(node))
    return _emit_call(body, node, name, used=True)


def _stack_memory(body: Body, node: int) -> Operand:
    """``alloca(n)``: an array like any local one, that lives until the function returns."""
    at = body.position(node)
    for argument in body.children[node][1:]:
        body.effect(argument)
    return body.address(Place(LocalBase(body.synthetic(_BYTES, at, lasting=True))), at)


def call_effect(body: Body, node: int) -> None:
    """A call whose value is discarded."""
    name = called_name(body, node)
    if name in _EXPECT and len(body.children[node]) > 1:
        body.effect(body.children[node][1])
    elif name in _CONSTANTS or name in _VARIADIC:
        return
    elif body.type(node).kind is TypeKind.RECORD:
        call_place(body, node)
    else:
        _emit_call(body, node, name, used=False)


def call_place(body: Body, node: int) -> Place:
    """A call that returns a record: its result is in a synthetic local."""
    place = Place(LocalBase(body.synthetic(body.type(node), body.position(node))))
    _emit_call(body, node, called_name(body, node), used=False, record=place)
    return place


def _emit_call(body: Body, node: int, name: str, *, used: bool, record: Place | None = None) -> Operand:
    callee, *arguments = body.children[node]
    target: Operand | None = None
    type_ = body.type(node)
    if name:
        noreturn = _noreturn(body, callee)
        name = name.removeprefix("__builtin_") if name in _PLAIN else name
    else:
        target = body.value(callee)
        noreturn = body.declarations.never_returns(body.lib.getCursorType(body.cursor(callee)))
        if isinstance(target, FunctionAddress):
            name, target = target.name, None
    held = hold(body, target) if target is not None else False
    values, types = _arguments(body, arguments)
    body.held -= held
    done = instead_of_call(body, name, arguments, values, body.position(node))
    if done is not None:
        return done
    result = body.builder.temp() if used and is_scalar(type_) else None
    at = body.position(node)
    body.emit(Call(at, result, name or None, target, values, types, type_, record))
    if noreturn:
        body.builder.end(Stop(at, f"noreturn {name}" if name else "noreturn"))
        return Unknown()
    return result or Unknown()


def _noreturn(body: Body, callee: int) -> bool:
    declared = body.declared(unwrapped(body, callee))
    return declared is not None and body.declarations.function(declared).noreturn


def _arguments(body: Body, nodes: list[int]) -> tuple[tuple[Operand, ...], tuple[CType, ...]]:
    values: list[Operand] = []
    types: list[CType] = []
    held = 0
    for node in nodes:
        if not kinds.UNEXPOSED_EXPR <= body.kinds[node] <= kinds.LAST_EXPR:
            continue
        type_ = body.type(node)
        value = _record_copy(body, node) if type_.kind is TypeKind.RECORD else body.value(node)
        held += hold(body, value)
        values.append(value)
        if not is_scalar(type_) and type_.kind is not TypeKind.RECORD:
            type_ = CType(TypeKind.POINTER, f"{type_.pointee or 'void'} *", 64)  # only in broken code
        types.append(type_)
    body.held -= held
    return tuple(values), tuple(types)


def _record_copy(body: Body, node: int) -> Operand:
    """A record passed by value: the address of a copy."""
    type_, at = body.type(node), body.position(node)
    source = body.place(node)
    copy = Place(LocalBase(body.synthetic(type_, at)))
    body.emit(CopyRecord(at, copy, source, type_.bits))
    return body.address(copy, at)
