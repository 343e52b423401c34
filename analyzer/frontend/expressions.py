"""Values of expressions: literals, reads, operators, conversions, assignments.

    x += f(y)   becomes   %1 = y; %2 = f(%1); %3 = x; %4 = %3 + %2; x = %4

Calls, places and conditions stand in modules of their own.
"""

from __future__ import annotations

from typing import Final

from analyzer.frontend.body import Body
from analyzer.frontend.constants import converted, evaluate, fold, is_integer, truth, wrap
from analyzer.frontend.declarations import is_scalar
from analyzer.ir.operands import (
    DerefBase,
    Field,
    FunctionAddress,
    Int,
    LocalBase,
    Operand,
    Place,
    Str,
    Temp,
    Unknown,
)
from analyzer.ir.ops import Binary, Call, Convert, CopyRecord, Store, Unary
from analyzer.ir.types import INT, VOID, CType, TypeKind
from analyzer.libclang import kinds

COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_ADDRESS: Final = CType(TypeKind.POINTER, "void *", 64, pointee="void", pointee_kind=TypeKind.VOID)


def convert(body: Body, value: Operand, source: CType, target: CType, at: int) -> Operand:
    """A value after conversion to another type; an operation only where the value may change."""
    easy = converted(value, source, target)
    if easy is not None:
        return easy
    result = body.builder.temp()
    body.emit(Convert(at, result, value, target))
    return result


# leaves


def literal(body: Body, node: int) -> Operand:
    """Integer and character literals, `sizeof`, `_Alignof`, booleans."""
    return evaluate(body.lib, body.cursor(node), body.type(node)) or Unknown()


def unknown(_body: Body, _node: int) -> Operand:
    """Floating and imaginary literals, addresses of labels."""
    return Unknown()


def null(_body: Body, _node: int) -> Operand:
    """`nullptr` and `__null`."""
    return Int(0)


def nothing(_body: Body, _node: int) -> None:
    """The effect of an expression that has none."""


def string(body: Body, node: int) -> Operand:
    """The address of a string literal."""
    return Str(string_text(body, node))


def string_text(body: Body, node: int) -> str:
    """The characters of a string literal as the source spells them, without quotes and prefix."""
    spelled = body.lib.text(body.lib.getCursorSpelling(body.cursor(node)))
    first = spelled.find('"')
    return spelled[first + 1 : -1] if first >= 0 and len(spelled) > first + 1 else spelled


def block_literal(body: Body, node: int) -> Operand:
    """`^{ ... }`: not lowered; whatever it captures may be held by it."""
    at = body.position(node)
    body.degrade(f"a block (^{{...}}) at offset {at} is not analysed")
    captured: dict[int, None] = {}
    for below in body.tree.subtree(node):
        if body.kinds[below] == kinds.DECL_REF_EXPR:
            declared = body.declared(below)
            if declared is not None and declared.key in body.local_numbers:
                captured[body.local_numbers[declared.key]] = None
    values = tuple(body.address(Place(LocalBase(number)), at) for number in captured)
    body.emit(Call(at, None, "__block", None, values, (_ADDRESS,) * len(values), VOID))
    return Unknown()


# reads


def reference(body: Body, node: int) -> Operand:
    """A variable, function or enumerator by name."""
    declared = body.declared(node)
    if declared is None:
        return Unknown()
    if declared.kind == kinds.ENUM_CONSTANT_DECL:
        return body.declarations.constant(declared)
    if declared.kind == kinds.FUNCTION_DECL:
        body.declarations.function(declared)
        return FunctionAddress(declared.name)
    if declared.kind not in (kinds.VAR_DECL, kinds.PARM_DECL):
        return Unknown()
    place = Place(body.variable(declared))
    return body.load(place, declared.ctype, body.position(node))


def read(body: Body, node: int) -> Operand:
    """A member, an array element."""
    place = body.place(node)
    return body.load(place, scalar_type(body, node, place), body.position(node))


def scalar_type(body: Body, node: int, place: Place) -> CType:
    """The node's type; narrowed to the width of the bit-field that `place` ends in."""
    type_ = body.type(node)
    if place.selectors and isinstance(place.selectors[-1], Field) and is_integer(type_):
        while body.kinds[node] == kinds.PAREN_EXPR:
            node = body.children[node][0]
        if body.kinds[node] == kinds.MEMBER_REF_EXPR:
            declared = body.declared(node)
            if declared is not None and body.lib.Cursor_isBitField(declared.cursor):
                width = body.lib.getFieldDeclBitWidth(declared.cursor)
                return CType(type_.kind, type_.spelling, width, type_.signed)
    return type_


def parenthesis(body: Body, node: int) -> Operand:
    """``(x)``."""
    children = body.children[node]
    return body.value(children[-1]) if children else Unknown()


def parenthesis_effect(body: Body, node: int) -> None:
    """The effect of ``(x)`` and of casts."""
    children = body.children[node]
    if children and _is_expression(body, children[-1]):
        body.effect(children[-1])


def _is_expression(body: Body, node: int) -> bool:
    return kinds.UNEXPOSED_EXPR <= body.kinds[node] <= kinds.LAST_EXPR


# conversions


def cast(body: Body, node: int) -> Operand:
    """``(type)x``."""
    children = body.children[node]
    if not children or not _is_expression(body, children[-1]):
        return Unknown()
    return _converted_child(body, node, children[-1])


def _converted_child(body: Body, node: int, child: int) -> Operand:
    source, target = body.type(child), body.type(node)
    if target.kind is TypeKind.VOID:
        body.effect(child)
        return Unknown()
    if source.kind is TypeKind.RECORD and target.kind is TypeKind.RECORD:
        return body.address(body.place(node), body.position(node))
    if source.kind is TypeKind.RECORD:  # a cast to a union is a place; anything else an error
        body.effect(child)
        return Unknown()
    value = body.value(child)
    if source.kind is TypeKind.ARRAY or source.kind is TypeKind.FUNCTION:
        source = target if target.kind is TypeKind.POINTER else source
    if source.kind is target.kind and source == target:
        return value
    return convert(body, value, source, target, body.position(node))


def is_list_type(spelling: str) -> bool:
    """Whether a type is that of a `va_list`."""
    return "__va_list_tag" in spelling or "va_list" in spelling


# operators


def unary(body: Body, node: int) -> Operand:
    """``-x ~x !x &x *x ++x x--`` and GNU's ``__real``, ``__extension__``."""
    operator = body.operator(node)
    child = body.children[node][-1] if body.children[node] else -1
    if child < 0:
        return Unknown()
    if operator == "*":
        return dereference(body, node, child)
    if operator == "&":
        return address(body, node, child)
    if "x" in operator and len(operator) == 3:
        return step(body, node, child, operator)
    if operator in ("+", "__extension__"):
        return _converted_child(body, node, child)
    if operator == "!":
        return _not(body, node, child)
    value = body.value(child)
    type_ = body.type(node)
    if not is_integer(type_) or operator not in ("-", "~"):
        return Unknown()
    if isinstance(value, Int):
        return Int(wrap(-value.value if operator == "-" else ~value.value, type_))
    result = body.builder.temp()
    body.emit(Unary(body.position(node), result, operator, value))
    return result


def _not(body: Body, node: int, child: int) -> Operand:
    value = body.value(child)
    known = truth(value)
    if known is not None:
        return Int(int(not known))
    if body.type(child).kind is TypeKind.FLOAT:
        return Unknown()
    result = body.builder.temp()
    body.emit(Unary(body.position(node), result, "!", value))
    return result


def dereference(body: Body, node: int, child: int) -> Operand:
    """``*x`` as a value."""
    if body.type(node).kind is TypeKind.FUNCTION:
        return body.value(child)
    return body.load(body.place(node), body.type(node), body.position(node))


def address(body: Body, node: int, child: int) -> Operand:
    """``&x``; ``&*p`` is `p`."""
    if body.type(child).kind is TypeKind.FUNCTION:
        return body.value(child)
    place = body.place(child)
    if isinstance(place.base, DerefBase) and not place.selectors:
        return place.base.pointer
    return body.address(place, body.position(node))


def step(body: Body, node: int, child: int, operator: str) -> Operand:
    """``x++`` and relatives; the value before or after."""
    place = body.place(child)
    at = body.position(node)
    type_ = scalar_type(body, child, place)
    before = body.load(place, type_, at)
    after = arithmetic(body, operator.strip("x")[0], before, Int(1), child, at)
    body.store(place, convert(body, after, body.type(child), type_, at), type_, at)
    return before if operator.startswith("x") else after


def arithmetic(body: Body, operator: str, left: Operand, right: Operand, node: int, at: int) -> Operand:
    """``left operator right`` in the type of `node`, which may be a pointer: then `left` is it."""
    type_ = body.type(node)
    if type_.kind is TypeKind.POINTER:
        return pointer_arithmetic(body, operator, left, right, node, at)
    if not is_integer(type_):
        return Unknown()
    if isinstance(left, Int) and isinstance(right, Int):
        folded = fold(operator, left.value, right.value, type_)
        if folded is not None:
            return folded
    result = body.builder.temp()
    body.emit(Binary(at, result, operator, left, right))
    if type_.kind is TypeKind.BOOL or 0 < type_.bits < INT.bits:
        return convert(body, result, INT, type_, at)
    return result


def pointer_arithmetic(body: Body, operator: str, pointer: Operand, number: Operand, node: int, at: int) -> Operand:
    """Pointer plus or minus number; `node` has the pointer's type."""
    if number == Int(0):
        return pointer
    result = body.builder.temp()
    scale = body.types.pointee_bits(body.cursor(node))
    body.emit(Binary(at, result, operator, pointer, number, scale, pointer=True))
    return result


def hold(body: Body, value: Operand) -> bool:
    """Keep a value across the evaluation of the next operand; answers what `release` wants to know."""
    held = isinstance(value, Temp)
    body.held += held
    return held


def binary(body: Body, node: int) -> Operand:
    """Binary operators, assignment and comma."""
    operator = body.operator(node)
    children = body.children[node]
    if len(children) != 2:
        body.effect_of_children(node)
        return Unknown()
    left, right = children
    if operator == "=":
        return assignment(body, node, left, right)
    if operator == ",":
        body.effect(left)
        return body.value(right)
    if operator in ("&&", "||"):
        return logical(body, node)
    return _operation(body, node, operator, left, right)


def _operation(body: Body, node: int, operator: str, left: int, right: int) -> Operand:
    first = body.value(left)
    held = hold(body, first)
    second = body.value(right)
    body.held -= held
    type_, left_type, right_type = body.type(node), body.type(left), body.type(right)
    at = body.position(node)
    if type_.kind is TypeKind.POINTER:
        if left_type.kind is not TypeKind.POINTER:
            first, second, left = second, first, right
        return pointer_arithmetic(body, operator, first, second, left, at)
    if left_type.kind is TypeKind.FLOAT or right_type.kind is TypeKind.FLOAT or not is_integer(type_):
        return Unknown()
    if isinstance(first, Int) and isinstance(second, Int):
        folded = fold(operator, first.value, second.value, type_)
        if folded is not None:
            return folded
    result = body.builder.temp()
    if operator == "-" and left_type.kind is TypeKind.POINTER:
        scale = body.types.pointee_bits(body.cursor(left))
        body.emit(Binary(at, result, operator, first, second, scale, pointer=True))
    else:
        body.emit(Binary(at, result, operator, first, second))
    return result


def logical(body: Body, node: int) -> Operand:
    """``a && b``, ``a || b`` as a value: 1 or 0 in a synthetic local."""
    at = body.position(node)
    place = Place(LocalBase(body.synthetic(INT, at)))
    yes, no, join = (body.builder.label() for _ in range(3))
    body.branch(node, yes, no)
    for label, value in ((yes, 1), (no, 0)):
        body.builder.start(label, at)
        body.emit(Store(at, place, Int(value), INT, initialises=True))
        body.builder.goto(join, at)
    body.builder.start(join, at)
    return body.load(place, INT, at)


# assignments


def assignment(body: Body, node: int, left: int, right: int) -> Operand:
    """``x = y``; its value is that of `y`, not a new read of `x`."""
    if body.type(node).kind is TypeKind.RECORD:
        return body.address(copy_record(body, node, left, right), body.position(node))
    value = body.value(right)
    held = hold(body, value)
    place = body.place(left)
    body.held -= held
    at = body.position(node)
    type_ = scalar_type(body, left, place)
    value = convert(body, value, body.type(right), type_, at)
    body.store(place, value, type_, at)
    return value


def copy_record(body: Body, node: int, left: int, right: int) -> Place:
    """``x = y`` for structs and unions; the place of `x`."""
    source = body.place(right)
    target = body.place(left)
    body.emit(CopyRecord(body.position(node), target, source, body.type(left).bits))
    return target


def assignment_effect(body: Body, node: int) -> None:
    """The effect of a binary operator whose value nobody uses."""
    operator = body.operator(node)
    children = body.children[node]
    if len(children) != 2:
        body.effect_of_children(node)
    elif operator == "=" and body.type(node).kind is TypeKind.RECORD:
        copy_record(body, node, *children)
    elif operator == ",":
        body.effect(children[0])
        body.effect(children[1])
    elif operator in ("&&", "||"):
        then, join = body.builder.label(), body.builder.label()
        yes, no = (then, join) if operator == "&&" else (join, then)
        body.branch(children[0], yes, no)
        body.builder.start(then, body.position(children[1]))
        body.effect(children[1])
        body.builder.start(join, body.position(node))
    else:
        body.value(node)


def compound_assignment(body: Body, node: int) -> Operand:
    """``x += y`` and relatives."""
    children = body.children[node]
    if len(children) != 2:
        body.effect_of_children(node)
        return Unknown()
    left, right = children
    operator = body.operator(node)[:-1]
    operand = body.value(right)
    held = hold(body, operand)
    place = body.place(left)
    body.held -= held
    at = body.position(node)
    type_ = scalar_type(body, left, place)
    before = body.load(place, type_, at)
    if type_.kind is TypeKind.POINTER:
        after = pointer_arithmetic(body, operator, before, operand, left, at)
    elif not is_integer(type_) or not is_integer(body.type(right)):
        after = Unknown()
    else:
        wide = _computation_type(type_, body.type(right), operator)
        first = convert(body, before, type_, wide, at)
        second = operand if operator in ("<<", ">>") else convert(body, operand, body.type(right), wide, at)
        result = body.builder.temp()
        body.emit(Binary(at, result, operator, first, second))
        after = convert(body, result, wide, type_, at)
    body.store(place, after, type_, at)
    return after


def _computation_type(left: CType, right: CType, operator: str) -> CType:
    """The type in which a compound assignment computes (the usual arithmetic conversions)."""
    promoted = [INT if type_.bits < INT.bits or type_.kind is TypeKind.BOOL else type_ for type_ in (left, right)]
    if operator in ("<<", ">>") or promoted[0].bits > promoted[1].bits:
        return promoted[0]
    if promoted[0].bits < promoted[1].bits:
        return promoted[1]
    return promoted[0] if not promoted[0].signed else promoted[1]


# nodes that libclang does not name


def implicit(body: Body, node: int) -> Operand:
    """UNEXPOSED_EXPR: an implicit conversion, or one of the constructs told apart by their children."""
    children = body.children[node]
    if len(children) == 1:
        child = children[0]
        if not _is_expression(body, child):
            return literal(body, node)  # offsetof
        if _is_va_arg(body, node, child):
            body.effect(child)
            return Unknown()
        if is_broken(body, node, child):
            lost(body, node, child)
            return Unknown()
        return _converted_child(body, node, child)
    expressions = [child for child in children if _is_expression(body, child)]
    if len(expressions) == 1 and _is_va_arg(body, node, expressions[0]):  # beside it, what its type names
        body.effect(expressions[0])
        return Unknown()
    if len(children) >= 3 and children[0] == children[1]:
        return elvis(body, node)
    if children and _called_function(body, children[0]):
        return broken_call(body, node)
    return several(body, node)


def is_broken(body: Body, node: int, child: int) -> bool:
    """What is left of an expression with an error in it, such as a member of an unknown structure.

    libclang shows the part that it understood (the structure) below a node without a type.
    """
    return body.type(node).kind is TypeKind.UNKNOWN and body.type(child).kind is not TypeKind.UNKNOWN


def lost(body: Body, node: int, child: int) -> None:
    """Evaluate a part of an expression with an error in it: what a call returned there, nobody knows who has it."""
    if body.kinds[child] == kinds.CALL_EXPR:
        opaque_call(body, node, "__lost_code", [child], VOID)
    elif body.kinds[child] in (kinds.INIT_LIST_EXPR, kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR):
        for part in (one for one in body.children[child] if _is_expression(body, one)):
            lost(body, node, part)
    else:
        body.effect(child)


def _is_va_arg(body: Body, node: int, child: int) -> bool:
    """``va_arg(list, type)``, against a conversion of the list, to `void *` say."""
    if not is_list_type(body.type(child).spelling) or is_list_type(body.type(node).spelling):
        return False
    source = body.positions.source(body.cursor(node))
    return not source or b"va_arg" in source


def _called_function(body: Body, node: int) -> bool:
    if body.kinds[node] != kinds.DECL_REF_EXPR:
        return False
    declared = body.declared(node)
    return declared is not None and declared.kind == kinds.FUNCTION_DECL


def broken_call(body: Body, node: int) -> Operand:
    """A call with a wrong number of arguments: libclang shows the function and the arguments as siblings."""
    function, *arguments = body.children[node]
    declared = body.declared(function)
    assert declared is not None
    result = body.declarations.function(declared).result
    return opaque_call(body, node, declared.name, arguments, result)


def opaque_call(body: Body, node: int, name: str, arguments: list[int], result_type: CType) -> Operand:
    """A call of `name` with the values of some nodes."""
    values: list[Operand] = []
    types: list[CType] = []
    held = 0
    for argument in arguments:
        if not _is_expression(body, argument):
            continue
        type_ = body.type(argument)
        if type_.kind is TypeKind.RECORD:
            value: Operand = body.address(body.place(argument), body.position(argument))
        else:
            value = body.value(argument)
        scalar = is_scalar(type_)
        held += hold(body, value)
        values.append(value)
        types.append(type_ if scalar else _ADDRESS)
    body.held -= held
    result = body.builder.temp() if is_scalar(result_type) else None
    at = body.position(node)
    body.emit(Call(at, result, name, None, tuple(values), tuple(types), result_type))
    return result or Unknown()


def elvis(body: Body, node: int) -> Operand:
    """``p ?: q``: `p` is evaluated once."""
    children = body.children[node]
    type_, at = body.type(node), body.position(node)
    place = Place(LocalBase(body.synthetic(type_, at)))
    first = body.value(children[0])
    yes, no, join = (body.builder.label() for _ in range(3))
    known = truth(first)
    body.builder.branch(first if known is None else Int(int(known)), yes, no, at)
    body.builder.start(yes, at)
    body.emit(Store(at, place, convert(body, first, body.type(children[0]), type_, at), type_, initialises=True))
    body.builder.goto(join, at)
    body.builder.start(no, at)
    second = body.value(children[-1])
    body.emit(Store(at, place, second, type_, initialises=True))
    body.builder.start(join, at)
    return body.load(place, type_, at)


def several(body: Body, node: int) -> Operand:
    """An unnamed node with several children: `__builtin_choose_expr`, atomic operations, lost code."""
    constant = evaluate(body.lib, body.cursor(node), body.type(node))
    if constant is not None and is_integer(body.type(node)):
        return constant
    children = body.children[node]
    if len(children) == 3 and is_integer(body.type(children[0])):
        chosen = evaluate(body.lib, body.cursor(children[0]), body.type(children[0]))
        if chosen is not None:
            return body.value(children[1] if chosen.value else children[2])
    if not children or not any(_is_expression(body, child) for child in children):
        return literal(body, node)
    return opaque_call(body, node, "__atomic", children, VOID)


def several_effect(body: Body, node: int) -> None:
    """The effect of UNEXPOSED_EXPR."""
    children = body.children[node]
    if len(children) == 1 and _is_expression(body, children[0]):
        body.effect(children[0])
    else:
        body.value(node)
