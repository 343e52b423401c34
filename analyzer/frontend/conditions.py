"""Conditions become jumps: short circuit, negation, ``?:``; no value is made where only the way matters.

if (!(p && f(p)))   becomes   branch p ? next : yes;  next: %1 = f(p); branch %1 ? no : yes
"""

from __future__ import annotations

from analyzer.frontend.body import Body
from analyzer.frontend.builder import Label
from analyzer.frontend.calls import expected
from analyzer.frontend.constants import is_integer, truth
from analyzer.frontend.expressions import COMPARISONS, convert, is_list_type
from analyzer.ir.operands import Int, LocalBase, Operand, Place, Unknown
from analyzer.ir.ops import Jump, Store
from analyzer.ir.types import TypeKind
from analyzer.libclang import kinds


def branch(body: Body, node: int, yes: Label, no: Label, full: bool) -> None:
    """Jump by the truth of an expression. full: the full expression ends before each jump."""
    while True:
        inner = _same_truth(body, node)
        if inner is None:
            break
        node = inner
    kind, children = body.kinds[node], body.children[node]
    at = body.position(node)
    if kind == kinds.UNARY_OPERATOR and body.operator(node) == "!":
        branch(body, children[0], no, yes, full)
    elif kind == kinds.BINARY_OPERATOR and len(children) == 2 and body.operator(node) in ("&&", "||", ","):
        _sequence(body, node, yes, no, full)
    elif kind == kinds.CONDITIONAL_OPERATOR and len(children) == 3:
        first, second = body.builder.label(), body.builder.label()
        branch(body, children[0], first, second, full)
        body.builder.start(first, at)
        branch(body, children[1], yes, no, full)
        body.builder.start(second, at)
        branch(body, children[2], yes, no, full)
    elif kind == kinds.UNEXPOSED_EXPR and len(children) >= 3 and children[0] == children[1]:
        second = body.builder.label()
        branch(body, children[0], yes, second, full)
        body.builder.start(second, at)
        branch(body, children[-1], yes, no, full)
    else:
        _jump(body, node, yes, no, full)


def _sequence(body: Body, node: int, yes: Label, no: Label, full: bool) -> None:
    left, right = body.children[node]
    operator = body.operator(node)
    if operator == ",":
        body.effect(left)
    else:
        middle = body.builder.label()
        if operator == "&&":
            branch(body, left, middle, no, full)
        else:
            branch(body, left, yes, middle, full)
        body.builder.start(middle, body.position(right))
    branch(body, right, yes, no, full)


def _jump(body: Body, node: int, yes: Label, no: Label, full: bool) -> None:
    value = _condition_value(body, node)
    at = body.position(node)
    if full:
        body.end_expression(at)
    known = truth(value)
    body.builder.branch(value if known is None else Int(int(known)), yes, no, at)


def _condition_value(body: Body, node: int) -> Operand:
    if body.type(node).kind is TypeKind.RECORD:  # only in broken code
        body.effect(node)
        return Unknown()
    return body.value(node)


def _same_truth(body: Body, node: int) -> int | None:
    """The operand of a node that is true exactly when the node is, None when the node must be evaluated."""
    kind, children = body.kinds[node], body.children[node]
    if kind == kinds.CALL_EXPR:
        inner = expected(body, node)
        return inner if inner >= 0 else None
    if kind == kinds.UNARY_OPERATOR and body.operator(node) == "__extension__":
        return children[0]
    if kind not in (kinds.PAREN_EXPR, kinds.UNEXPOSED_EXPR, kinds.CSTYLE_CAST_EXPR) or not children:
        return None
    child = children[-1]
    if not kinds.UNEXPOSED_EXPR <= body.kinds[child] <= kinds.LAST_EXPR:
        return None
    if kind == kinds.PAREN_EXPR:
        return child
    if kind == kinds.UNEXPOSED_EXPR and len(children) > 1:
        return None
    return child if _conversion_keeps_truth(body, child, node) else None


def _conversion_keeps_truth(body: Body, child: int, node: int) -> bool:
    source, target = body.type(child), body.type(node)
    if is_list_type(source.spelling):
        return False
    if source.kind is TypeKind.POINTER:
        return target.kind in (TypeKind.POINTER, TypeKind.BOOL)
    if not is_integer(source) or not is_integer(target):
        return False
    return target.kind is TypeKind.BOOL or target.bits >= source.bits or is_logical(body, child)


def is_logical(body: Body, node: int) -> bool:
    """Whether an expression is 0 or 1 by its form."""
    while body.kinds[node] in (kinds.PAREN_EXPR, kinds.UNEXPOSED_EXPR) and len(body.children[node]) == 1:
        node = body.children[node][0]
    if body.kinds[node] not in (kinds.UNARY_OPERATOR, kinds.BINARY_OPERATOR):
        return False
    operator = body.operator(node)
    return operator in COMPARISONS or operator in ("!", "&&", "||")


def conditional(body: Body, node: int) -> Operand:
    """``c ? x : y`` as a value, which travels in a synthetic local."""
    children = body.children[node]
    if len(children) != 3:
        body.effect_of_children(node)
        return Unknown()
    type_, at = body.type(node), body.position(node)
    if type_.kind is TypeKind.VOID:
        conditional_effect(body, node)
        return Unknown()
    if type_.kind is TypeKind.RECORD:
        return body.address(body.place(node), at)
    place = Place(LocalBase(body.synthetic(type_, at)))
    yes, no, join = (body.builder.label() for _ in range(3))
    body.branch(children[0], yes, no)
    for label, child in ((yes, children[1]), (no, children[2])):
        body.builder.start(label, at)
        value = convert(body, body.value(child), body.type(child), type_, at)
        body.emit(Store(at, place, value, type_, initialises=True))
        body.builder.goto(join, at)
    body.builder.start(join, at)
    return body.load(place, type_, at)


def conditional_effect(body: Body, node: int) -> None:
    """``c ? f() : g()`` as a statement."""
    children = body.children[node]
    if len(children) != 3:
        body.effect_of_children(node)
        return
    at = body.position(node)
    yes, no, join = (body.builder.label() for _ in range(3))
    body.branch(children[0], yes, no)
    for label, child in ((yes, children[1]), (no, children[2])):
        body.builder.start(label, at)
        body.effect(child)
        body.builder.goto(join, at)
    body.builder.start(join, at)


def generic(body: Body, node: int) -> Operand:
    """``_Generic``: the association whose type is that of the whole; any of them when several have it."""
    chosen = generic_choices(body, node)
    if len(chosen) == 1:
        return body.value(chosen[0])
    type_, at = body.type(node), body.position(node)
    if not chosen or type_.kind in (TypeKind.VOID, TypeKind.RECORD, TypeKind.FUNCTION, TypeKind.ARRAY):
        return Unknown()
    place = Place(LocalBase(body.synthetic(type_, at)))
    labels = [body.builder.label() for _ in chosen]
    join = body.builder.label()
    body.builder.end(Jump(at, tuple(labels)))
    for label, choice in zip(labels, chosen, strict=True):
        body.builder.start(label, at)
        body.emit(Store(at, place, body.value(choice), type_, initialises=True))
        body.builder.goto(join, at)
    body.builder.start(join, at)
    return body.load(place, type_, at)


def generic_choices(body: Body, node: int) -> list[int]:
    """The associations of a ``_Generic`` that may be the selected one."""
    expressions = [
        child for child in body.children[node] if kinds.UNEXPOSED_EXPR <= body.kinds[child] <= kinds.LAST_EXPR
    ][1:]
    type_ = body.type(node)
    return [child for child in expressions if body.type(child) == type_] or expressions


def generic_place(body: Body, node: int) -> Place:
    """``_Generic`` as an lvalue or a record."""
    choices = generic_choices(body, node)
    if len(choices) != 1:
        body.degrade(f"_Generic at offset {body.position(node)} is ambiguous")
    return body.place(choices[0])
