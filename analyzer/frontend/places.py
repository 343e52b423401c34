"""Places: what lvalues and expressions of record type denote.

s->list[i].next   becomes   %1 = s; %2 = i; place (*(%1)).list@64[%2 x 128].next@0
"""

from __future__ import annotations

from typing import Final

from analyzer.frontend.body import Body
from analyzer.frontend.calls import called_name
from analyzer.frontend.expressions import copy_record, hold, lost, string_text
from analyzer.ir.operands import ERRNO, DerefBase, Field, GlobalBase, Index, LocalBase, Place, Str, Unknown
from analyzer.ir.ops import Clobber, CopyRecord
from analyzer.ir.types import TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Type


def variable_place(body: Body, node: int) -> Place:
    """A variable by name."""
    declared = body.declared(node)
    if declared is None or declared.kind not in (kinds.VAR_DECL, kinds.PARM_DECL):
        return Place(DerefBase(Unknown()))
    return Place(body.variable(declared))


def member_place(body: Body, node: int) -> Place:
    """``x.f`` and ``p->f``; members of anonymous members count from the named record's start."""
    declared = body.declared(node)
    children = [child for child in body.children[node] if body.kinds[child] >= kinds.UNEXPOSED_EXPR]
    if declared is None or not children:
        return Place(DerefBase(Unknown()))
    above = children[0]
    while _is_anonymous_member(body, above):
        above = body.children[above][0]
    if body.type(above).kind is TypeKind.POINTER:
        base = Place(DerefBase(body.value(above)))
        record = body.types.pointee(body.lib.getCursorType(body.cursor(above)))
    else:
        base = body.place(above)
        record = body.lib.getCursorType(body.cursor(above))
    return extend(base, Field(declared.name, body.types.offset(record, declared.name)))


def _is_anonymous_member(body: Body, node: int) -> bool:
    """Whether a node is the step into an unnamed struct or union that the parser puts before its members."""
    if body.kinds[node] != kinds.MEMBER_REF_EXPR or not body.children[node]:
        return False
    declared = body.declared(node)
    return declared is not None and (not declared.name or "(" in declared.name)


def extend(place: Place, selector: Field | Index) -> Place:
    """The place one step further in."""
    return Place(place.base, (*place.selectors, selector))


def element_place(body: Body, node: int) -> Place:
    """``a[i]``: in an array's own memory, or behind a pointer."""
    children = body.children[node]
    if len(children) != 2:
        body.effect_of_children(node)
        return Place(DerefBase(Unknown()))
    array, index = children
    if body.type(array).kind not in (TypeKind.POINTER, TypeKind.ARRAY, TypeKind.UNKNOWN):
        array, index = index, array
    place = _array(body, array)
    held = isinstance(place.base, DerefBase) and hold(body, place.base.pointer)
    number = body.value(index)
    body.held -= held
    bits = body.types.bits(body.lib.getCursorType(body.cursor(node)))
    return extend(place, Index(number, bits, _elements(body, array)))


def _elements(body: Body, node: int) -> int:
    """How many elements an array has; 0 where that may be more than its type says: ``char text[1];``"""
    while body.kinds[node] in (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR) and len(body.children[node]) == 1:
        node = body.children[node][0]
    if body.type(node).kind is not TypeKind.ARRAY:
        return 0
    elements = body.types.array_length(body.lib.getCursorType(body.cursor(node)))
    return elements if elements > 1 else 0


def _array(body: Body, node: int) -> Place:
    """The memory whose elements a subscript counts."""
    inner = node
    while body.kinds[inner] == kinds.PAREN_EXPR:
        inner = body.children[inner][-1]
    if body.kinds[inner] == kinds.UNEXPOSED_EXPR and len(body.children[inner]) == 1:
        child = body.children[inner][0]
        if body.type(child).kind is TypeKind.ARRAY:
            return body.place(child)
    if body.type(inner).kind in (TypeKind.ARRAY, TypeKind.UNKNOWN):
        return body.place(inner)  # a vector's elements
    return Place(DerefBase(body.value(node)))


def unary_place(body: Body, node: int) -> Place:
    """``*p``, ``__real x``, ``__extension__ x``; ``++x`` of C has no place."""
    child = body.children[node][-1]
    if body.operator(node) == "*":
        if _calls(body, child, _ERRNO):
            return Place(GlobalBase(ERRNO))
        return Place(DerefBase(body.value(child)))
    return body.place(child)


# What the macro `errno` calls for its address (glibc, musl; the BSDs and macOS; Android; Solaris; Windows).
_ERRNO: Final = frozenset({"__errno_location", "__error", "__errno", "___errno", "_errno"})


def _calls(body: Body, node: int, names: frozenset[str]) -> bool:
    while body.kinds[node] in (kinds.PAREN_EXPR, kinds.UNEXPOSED_EXPR) and len(body.children[node]) == 1:
        node = body.children[node][0]
    return body.kinds[node] == kinds.CALL_EXPR and called_name(body, node) in names


def same_place(body: Body, node: int) -> Place:
    """Parentheses, and casts that keep a record what it is."""
    return body.place(body.children[node][-1])


def implicit_place(body: Body, node: int) -> Place:
    """UNEXPOSED_EXPR of record type: a read of the record, or a construct told by its children."""
    children = body.children[node]
    if len(children) == 1:
        child = children[0]
        if body.type(node).kind is TypeKind.UNKNOWN and body.type(child).kind is not TypeKind.UNKNOWN:
            lost(body, node, child)  # what is left of an expression with an error, e.g. an unknown member
            return Place(DerefBase(Unknown()))
        record = body.type(node).kind in (TypeKind.RECORD, TypeKind.ARRAY)
        if record and body.type(child).kind is body.type(node).kind:
            return body.place(child)
        if body.kinds[child] == kinds.STRING_LITERAL:  # __func__ and the like
            return body.place(child)
        if body.type(node).kind is not TypeKind.RECORD:
            return body.place(child)
        lost(body, node, child)
    elif len(children) >= 3 and children[0] == children[1]:
        return _alternatives(body, node, children[0], children[0], children[-1])
    else:
        body.effect_of_children(node)
    return _unknown_record(body, node)


def _unknown_record(body: Body, node: int) -> Place:
    """A record of which nothing is known: from `va_arg`, from lost code."""
    at = body.position(node)
    place = Place(LocalBase(body.synthetic(body.type(node), at)))
    body.emit(Clobber(at, place))
    return place


def string_place(body: Body, node: int) -> Place:
    """The memory of a string literal."""
    return Place(DerefBase(Str(string_text(body, node))))


def literal_place(body: Body, node: int) -> Place:
    """A compound literal ``(struct s){ ... }``: a variable without a name that lives to the end of its block."""
    at = body.position(node)
    number = body.synthetic(body.type(node), at, lasting=True)
    if body.scopes:
        body.scopes[-1].locals.append((number, node))
    place = Place(LocalBase(number))
    type_: Type = body.lib.getCursorType(body.cursor(node))
    body.initialise(place, type_, body.children[node][-1])
    return place


def conditional_place(body: Body, node: int) -> Place:
    """``c ? x : y`` of record type: a copy."""
    condition, yes, no = body.children[node]
    return _alternatives(body, node, condition, yes, no)


def _alternatives(body: Body, node: int, condition: int, if_true: int, if_false: int) -> Place:
    type_, at = body.type(node), body.position(node)
    result = Place(LocalBase(body.synthetic(type_, at)))
    yes, no, join = (body.builder.label() for _ in range(3))
    body.branch(condition, yes, no)
    for label, node_ in ((yes, if_true), (no, if_false)):
        body.builder.start(label, at)
        source = body.place(node_)
        body.emit(CopyRecord(at, result, source, type_.bits))
        body.builder.goto(join, at)
    body.builder.start(join, at)
    return result


def binary_place(body: Body, node: int) -> Place:
    """``x = y`` and ``x, y`` of record type."""
    left, right = body.children[node]
    if body.operator(node) == ",":
        body.effect(left)
        return body.place(right)
    return copy_record(body, node, left, right)
