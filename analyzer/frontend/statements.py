"""Statements: blocks, declarations, selection, jumps, return, statement expressions, assembler."""

from __future__ import annotations

import re
from typing import Final

from analyzer.frontend.body import Body, Exit
from analyzer.frontend.builder import Label
from analyzer.frontend.constants import evaluate
from analyzer.frontend.expressions import convert
from analyzer.ir.function import Variable
from analyzer.ir.operands import DerefBase, Int, LocalBase, Operand, Place, Temp, Unknown
from analyzer.ir.ops import Call, Case, Clobber, CopyRecord, DeclareLocal, EndExpression, Jump, Return, Switch
from analyzer.ir.types import VOID, TypeKind
from analyzer.libclang import kinds

_LVALUES: Final = frozenset(
    {kinds.DECL_REF_EXPR, kinds.MEMBER_REF_EXPR, kinds.ARRAY_SUBSCRIPT_EXPR, kinds.UNARY_OPERATOR}
)
_SWITCHES: Final = frozenset({kinds.SWITCH_STMT})
_ASM_GOTO: Final = re.compile(rb"^[\w\s]*\bgoto\b", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*")


def compound(body: Body, node: int) -> None:
    """``{ ... }``."""
    body.enter(node)
    for child in body.children[node]:
        body.statement(child)
    body.leave(body.positions.end_of(body.cursor(node)) if body.scopes[-1].locals else body.at)


def declaration(body: Body, node: int) -> None:
    """``int x = f(), *y;`` — types, functions and variables with static storage need no code."""
    for child in body.children[node]:
        if body.kinds[child] == kinds.VAR_DECL:
            _variable(body, child)


def _variable(body: Body, node: int) -> None:
    cursor = body.cursor(node)
    storage = body.lib.Cursor_getStorageClass(cursor)
    if storage in (kinds.STORAGE_STATIC, kinds.STORAGE_EXTERN):
        return
    declared = body.declarations.of(cursor)
    at = body.position(node)
    children = body.children[node]
    cleanup = ""
    if body.lib.Cursor_hasAttrs(cursor):
        cleanup = body.declarations.cleanup(cursor)
    if children and body.types.is_variable_array(declared.type):
        _array_bounds(body, node, at)
    number = body.declare(Variable(declared.name, declared.ctype, at, cleanup), declared.key)
    body.scopes[-1].locals.append((number, node))
    body.emit(DeclareLocal(at, number))
    if children:
        start = body.tree.index.get(body.lib.Cursor_getVarDeclInitializer(cursor).second)
        if start is not None:
            body.at = at
            body.initialise(Place(LocalBase(number)), declared.type, start)
            body.end_expression(at)


def _array_bounds(body: Body, node: int, at: int) -> None:
    """The lengths in ``int a[f()][n]`` are computed where control reaches the declaration."""
    initialiser = body.tree.index.get(body.lib.Cursor_getVarDeclInitializer(body.cursor(node)).second)
    for child in body.children[node]:
        if kinds.UNEXPOSED_EXPR <= body.kinds[child] <= kinds.LAST_EXPR and child != initialiser:
            body.effect(child)
            body.end_expression(at)


def if_statement(body: Body, node: int) -> None:
    """``if (c) s else t``."""
    children = body.children[node]
    if len(children) < 2:
        body.effect_of_children(node)
        return
    condition, then, *otherwise = children
    at = body.at
    yes, join = body.builder.label(), body.builder.label()
    no = body.builder.label() if otherwise else join
    body.branch(condition, yes, no, full=True)
    body.builder.start(yes, at)
    body.statement(then)
    if otherwise:
        body.builder.goto(join, body.at)
        body.builder.start(no, body.at)
        body.statement(otherwise[0])
    body.builder.start(join, body.at)


def switch_statement(body: Body, node: int) -> None:
    """``switch``: cases may stand anywhere below, also inside loops."""
    children = body.children[node]
    if len(children) < 2:
        body.effect_of_children(node)
        return
    condition, inner = children[0], children[-1]
    at = body.position(condition)
    value = body.value(condition)
    body.end_expression(at)
    out = body.builder.label()
    default = out
    cases: list[Case] = []
    complete = True
    below = [inner, *body.tree.subtree(inner, _SWITCHES)] if body.kinds[inner] not in _SWITCHES else [inner]
    for child in below:
        if body.kinds[child] == kinds.DEFAULT_STMT:
            default = body.labels[child] = body.builder.label()
        elif body.kinds[child] == kinds.CASE_STMT:
            label = body.labels[child] = body.builder.label()
            bounds = _case(body, child)
            complete = complete and bounds is not None
            if bounds is not None and bounds[0] <= bounds[1]:
                cases.append(Case(*bounds, label))
    if default is out and _is_exhaustive(body, condition, cases):
        default = cases[-1].target  # a value that the enumeration does not have is nobody's business
    _dispatch(body, value, cases, default, complete, at)
    body.breaks.append(Exit(out, len(body.scopes)))
    body.statement(inner)
    body.breaks.pop()
    body.builder.start(out, body.at)


def _is_exhaustive(body: Body, condition: int, cases: list[Case]) -> bool:
    """Whether the cases are all the enumerators of the condition's type."""
    while body.kinds[condition] in (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR) and len(body.children[condition]) == 1:
        condition = body.children[condition][0]
    values = body.types.enumerators(body.lib.getCursorType(body.cursor(condition)))
    return bool(values) and all(any(case.low <= value <= case.high for case in cases) for value in values)


def _case(body: Body, node: int) -> tuple[int, int] | None:
    """The values of a case; None when the parser cannot tell."""
    bounds = []
    for child in body.children[node][:-1]:
        value = evaluate(body.lib, body.cursor(child), body.type(child))
        if value is None:
            body.degrade(f"case without a known value at offset {body.position(node)}")
            return None
        bounds.append(value.value)
    return (bounds[0], bounds[-1]) if bounds else None


def _dispatch(body: Body, value: Operand, cases: list[Case], default: Label, complete: bool, at: int) -> None:
    if not complete:
        labels = [case.target for case in cases]
        body.builder.end(Jump(at, (*labels, default)))
    elif isinstance(value, Int):
        chosen = (case.target for case in cases if case.low <= value.value <= case.high)
        body.builder.goto(next(chosen, default), at)
    elif not cases:
        body.builder.goto(default, at)
    else:
        body.builder.end(Switch(at, value, tuple(cases), default))


def case_statement(body: Body, node: int) -> None:
    """``case 1:`` and ``default:``: a label, and the first statement behind it."""
    label = body.labels.get(node)
    if label is not None:
        body.builder.start(label, body.at)
    if body.children[node]:
        body.statement(body.children[node][-1])


def label_statement(body: Body, node: int) -> None:
    """``out: s``."""
    body.builder.start(goto_label(body, node), body.at)
    for child in body.children[node]:
        body.statement(child)


def goto_label(body: Body, node: int) -> Label:
    """The label of a LABEL_STMT."""
    label = body.labels.get(node)
    if label is None:
        label = body.labels[node] = body.builder.label()
    return label


def goto_statement(body: Body, node: int) -> None:
    """``goto out``: ends the scopes that it leaves."""
    target = _label_node(body, node)
    at = body.at
    if target is None:
        body.degrade(f"goto without a label at offset {at}")
        return
    _leave_for(body, target, at)
    body.builder.goto(goto_label(body, target), at)


def _label_node(body: Body, node: int) -> int | None:
    for child in body.children[node]:
        if body.kinds[child] == kinds.LABEL_REF:
            return body.tree.index.get(body.lib.getCursorReferenced(body.cursor(child)).second)
    return None


def _leave_for(body: Body, target: int, at: int) -> None:
    """End the scopes that do not enclose a label, and what is declared behind it in the one that does."""
    enclosing = set(body.tree.ancestors(target))
    depth = 0
    while depth < len(body.scopes) and (body.scopes[depth].node in enclosing or not depth):
        depth += 1
    body.end_scopes(depth, at, after=target)


def computed_goto(body: Body, node: int) -> None:
    """``goto *p``: to any label whose address the function takes."""
    at = body.at
    body.effect_of_children(node)
    body.emit(EndExpression(at))
    _jump_to(body, _addressed_labels(body), at)


def _addressed_labels(body: Body) -> list[int]:
    found = []
    for node, kind in enumerate(body.kinds):
        if kind == kinds.ADDR_LABEL_EXPR:
            target = _label_node(body, node)
            if target is not None:
                found.append(target)
    return found


def _jump_to(body: Body, targets: list[int], at: int, *, falls_through: bool = False) -> None:
    """Jump to one of several labels, each by a block of its own that ends the scopes left on the way."""
    labels = []
    after = body.builder.label()
    for _ in targets:
        labels.append(body.builder.label())
    if falls_through:
        labels.append(after)
    if not labels:
        body.degrade(f"computed goto without a target at offset {at}")
        return
    body.builder.end(Jump(at, tuple(labels)))
    for label, target in zip(labels, targets, strict=False):
        body.builder.start(label, at)
        _leave_for(body, target, at)
        body.builder.goto(goto_label(body, target), at)
    if falls_through:
        body.builder.start(after, at)


def break_statement(body: Body, _node: int) -> None:
    """``break``."""
    _exit(body, body.breaks)


def continue_statement(body: Body, _node: int) -> None:
    """``continue``."""
    _exit(body, body.continues)


def _exit(body: Body, exits: list[Exit]) -> None:
    if not exits:
        body.degrade(f"break or continue outside of a loop at offset {body.at}")
        return
    label, depth = exits[-1]
    body.end_scopes(depth, body.at)
    body.builder.goto(label, body.at)


def return_statement(body: Body, node: int) -> None:
    """``return x;``: the value is computed before the scopes end."""
    at = body.at
    children = [c for c in body.children[node] if kinds.UNEXPOSED_EXPR <= body.kinds[c] <= kinds.LAST_EXPR]
    value: Operand | None = None
    record: Place | None = None
    if children and body.result.kind is TypeKind.RECORD and body.type(children[0]).kind is TypeKind.RECORD:
        source = body.place(children[0])
        record = Place(LocalBase(body.synthetic(body.result, at, lasting=True)))
        body.emit(CopyRecord(at, record, source, body.result.bits))
    elif children and (body.result.kind is TypeKind.VOID or body.type(children[0]).kind is TypeKind.VOID):
        body.effect(children[0])
    elif children and body.result.kind is not TypeKind.RECORD:
        value = convert(body, body.value(children[0]), body.type(children[0]), body.result, at)
    elif body.result.kind not in (TypeKind.VOID, TypeKind.RECORD):
        value = Unknown()
    body.end_everything(at)
    body.builder.end(Return(at, value, record))


def statement_expression(body: Body, node: int) -> Operand:
    """``({ ...; x; })``: a block whose last expression is the value."""
    last = _statements(body, node)
    if last is None:
        return Unknown()
    type_ = body.type(last)
    if type_.kind is TypeKind.RECORD:
        value: Operand = body.address(_copied(body, last), body.position(last))
    elif type_.kind is TypeKind.VOID:
        body.effect(last)
        value = Unknown()
    else:
        value = body.value(last)
    _close(body, node, value)
    return value


def statement_expression_effect(body: Body, node: int) -> None:
    """A statement expression whose value nobody uses."""
    last = _statements(body, node)
    if last is not None:
        body.effect(last)
        _close(body, node, Unknown())


def statement_expression_place(body: Body, node: int) -> Place:
    """A statement expression of record type: a copy outlives its block."""
    last = _statements(body, node)
    if last is None:
        return Place(DerefBase(Unknown()))
    place = _copied(body, last)
    _close(body, node, Unknown())
    return place


def _copied(body: Body, node: int) -> Place:
    type_, at = body.type(node), body.position(node)
    source = body.place(node)
    copy = Place(LocalBase(body.synthetic(type_, at)))
    body.emit(CopyRecord(at, copy, source, type_.bits))
    return copy


def _statements(body: Body, node: int) -> int | None:
    """Everything before the last expression; its node, None when the block ends otherwise (and is closed)."""
    block = body.children[node][0] if body.children[node] else None
    if block is None:
        return None
    body.statement_depth += 1
    body.enter(block)
    *first, last = body.children[block] or [-1]
    for child in first:
        body.statement(child)
    labelled = last
    while labelled >= 0 and body.kinds[labelled] == kinds.LABEL_STMT and body.children[labelled]:
        body.at = body.position(labelled)
        body.builder.start(goto_label(body, labelled), body.at)
        labelled = body.children[labelled][-1]
    if labelled >= 0 and kinds.UNEXPOSED_EXPR <= body.kinds[labelled] <= kinds.LAST_EXPR:
        return labelled
    if labelled >= 0:
        body.statement(labelled)
    _close(body, node, Unknown())
    return None


def _close(body: Body, node: int, value: Operand) -> None:
    held = isinstance(value, Temp)
    body.held += held
    body.leave(body.positions.end_of(body.cursor(node)))
    body.held -= held
    body.statement_depth -= 1


def assembler(body: Body, node: int) -> None:
    """``asm``: outputs get unknown contents, inputs may be kept; ``asm goto`` may jump."""
    at = body.at
    inputs: list[tuple[int, Operand]] = []
    for child in body.children[node]:
        if not kinds.UNEXPOSED_EXPR <= body.kinds[child] <= kinds.LAST_EXPR:
            continue
        if body.kinds[child] in _LVALUES and _is_lvalue(body, child):
            body.emit(Clobber(at, body.place(child)))
        else:
            value = body.value(child)
            if body.type(child).kind is TypeKind.POINTER:
                inputs.append((child, value))
    if inputs:
        types = tuple(body.type(child) for child, _ in inputs)
        body.emit(Call(at, None, "asm", None, tuple(value for _, value in inputs), types, VOID))
    body.end_expression(at)
    targets = _asm_labels(body, node)
    if targets:
        _jump_to(body, targets, at, falls_through=True)


def _asm_labels(body: Body, node: int) -> list[int]:
    """The labels an ``asm goto`` may jump to: those named behind its last colon; inside a macro, all."""
    labels = [number for number, kind in enumerate(body.kinds) if kind == kinds.LABEL_STMT]
    if not labels:
        return []
    cursor = body.cursor(node)
    source = body.positions.source(cursor)
    if not source or body.positions.in_macro(cursor):
        printed = body.unit.printed(body.cursor(0))
        return labels if re.search(r"\basm\b(?:\s+volatile)?\s+goto\b", printed) else []
    if not _ASM_GOTO.match(source):
        return []
    named = set(_IDENTIFIER.findall(source.rpartition(b":")[2].decode("ascii", "replace")))
    chosen = [label for label in labels if body.lib.text(body.lib.getCursorSpelling(body.cursor(label))) in named]
    return chosen or labels


def attributed(body: Body, node: int) -> None:
    """A statement with an attribute such as ``fallthrough``: the statement."""
    for child in body.children[node]:
        body.statement(child)


def null_statement(_body: Body, _node: int) -> None:
    """``;``."""


def _is_lvalue(body: Body, node: int) -> bool:
    return body.kinds[node] != kinds.UNARY_OPERATOR or body.operator(node) == "*"
