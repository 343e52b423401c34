"""Operators on values: constants are computed, the rest becomes an interned expression or a fresh symbol."""

from __future__ import annotations

from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.ranges import BOOLEAN, ONE, ZERO, added, contains, greatest, intersect, least, single
from analyzer.ownership.state import State
from analyzer.ownership.values import BEHIND, INTERIOR, MAYBE, UNDEF, Atom, Expr, Ptr, Sym, Value

_LARGEST = 1 << 64


def unary(state: State, operator: str, value: Value, fresh: Sym) -> Value:
    """``- ~ !`` applied to a value."""
    if operator == "!":
        return equality(state, value, 0, fresh)
    if isinstance(value, int):
        return -value if operator == "-" else ~value
    if operator == "-" and isinstance(value, Expr) and value.operator == "neg":
        return value.left
    if isinstance(value, Atom):
        return fresh
    found = state.universe.expression("neg" if operator == "-" else operator, value, 0)
    return found if found is not None else fresh


def equality(state: State, left: Value, right: Value, fresh: Sym) -> Value:
    """``left == right``; decided where the ranges decide it, and in a canonical order."""
    if isinstance(left, int):
        left, right = right, left
    if isinstance(left, int) and isinstance(right, int):
        return int(left == right)
    if left in (UNDEF, MAYBE) or right in (UNDEF, MAYBE):
        return fresh
    if isinstance(left, Atom) and isinstance(right, Atom) and left.kind == right.kind == "function":
        return int(left is right)
    left, right = _without_offset(left, right)
    if isinstance(left, int) and isinstance(right, int):
        return int(left == right)
    if not isinstance(left, int) and not isinstance(right, int) and _order(right) < _order(left):
        left, right = right, left
    found = state.universe.expression("==", left, right)
    if found is None and not intersect(state.range_of(left), state.range_of(right)):
        return 0  # too deep to be kept, but not to be decided
    if _is_known(state, "<", left, right) or _is_known(state, "<", right, left):
        return 0
    return _decided(state, found, fresh)


def _is_known(state: State, operator: str, left: Value, right: Value) -> bool:
    """Whether this comparison was found true on the way here."""
    expression = state.universe.expression(operator, left, right)
    return expression is not None and state.facts.get(expression) == ONE


def _without_offset(left: Value, right: Value) -> tuple[Value, Value]:
    """``x + 3 == 5`` is ``x == 2``, and ``x + 3 == x`` is ``3 == 0``."""
    (left_root, left_added), (right_root, right_added) = _root_and_added(left), _root_and_added(right)
    if left_root is right_root and not isinstance(left_root, int):
        return left_added, right_added
    if isinstance(left, Expr) and left.operator == "+" and isinstance(right, int):
        added = left.right
        if isinstance(added, int):
            return left.left, right - added
    return left, right


def _root_and_added(value: Value) -> tuple[Value, int]:
    if isinstance(value, Expr) and value.operator == "+" and isinstance(value.right, int):
        return value.left, value.right
    return value, 0


def _order(value: Value) -> tuple[str, str]:
    return (type(value).__name__, repr(value))


def _decided(state: State, found: Expr | None, fresh: Sym) -> Value:
    if found is None:
        state.facts[fresh] = BOOLEAN
        return fresh
    values = state.range_of(found)
    if values == ZERO:
        return 0
    return 1 if values == ONE else found


def _negation(state: State, value: Value, fresh: Sym) -> Value:
    if isinstance(value, int):
        return int(not value)
    found = state.universe.expression("==", value, 0)
    return _decided(state, found, fresh)


def less(state: State, left: Value, right: Value, fresh: Sym) -> Value:
    """``left < right``."""
    if isinstance(left, int) and isinstance(right, int):
        return int(left < right)
    if UNDEF in (left, right) or MAYBE in (left, right):
        return fresh
    both = isinstance(left, Ptr) and isinstance(right, Ptr) and left.base == right.base
    if both and isinstance(left.offset, int) and isinstance(right.offset, int):  # type: ignore[union-attr]
        return int(left.offset < right.offset)  # type: ignore[union-attr]
    left, right = _without_offset(left, right)
    if isinstance(left, int) and isinstance(right, int):
        return int(left < right)
    return _decided(state, state.universe.expression("<", left, right), fresh)


def binary(state: State, operator: str, left: Value, right: Value, fresh: Sym) -> Value:
    """A binary operator other than pointer arithmetic."""
    match operator:
        case "==":
            return equality(state, left, right, fresh)
        case "!=":
            return _negation(state, equality(state, left, right, fresh), fresh)
        case "<":
            return less(state, left, right, fresh)
        case ">":
            return less(state, right, left, fresh)
        case "<=":
            return _negation(state, less(state, right, left, fresh), fresh)
        case ">=":
            return _negation(state, less(state, left, right, fresh), fresh)
        case _:
            return _arithmetic(state, operator, left, right, fresh)


_COMMUTATIVE = ("+", "&", "|", "^")


def _arithmetic(state: State, operator: str, left: Value, right: Value, fresh: Sym) -> Value:
    left, right = _as_number(state, left), _as_number(state, right)
    if isinstance(left, int) and isinstance(right, int):
        computed = _compute(operator, left, right)
        return fresh if computed is None else computed
    if left in (UNDEF, MAYBE) or right in (UNDEF, MAYBE):
        return fresh
    if operator == "-" and isinstance(right, int):
        operator, right = "+", -right
    if operator in _COMMUTATIVE and isinstance(left, int):
        left, right = right, left
    if right == 0 and operator in ("+", "|", "^", "<<", ">>"):
        return left
    if isinstance(left, (Sym, Ptr)) and state.root_is_resource(left):
        # Pointer tagging and address arithmetic through integers: still the object, somewhere inside.
        return state.universe.pointer(state.universe.resource, None)
    return _expression(state, operator, left, right, fresh)


def _expression(state: State, operator: str, left: Value, right: Value, fresh: Sym) -> Value:
    """The operation as an expression, in the form in which it is found again."""
    if operator == "+" and isinstance(right, int) and isinstance(left, Expr) and left.operator == "+":
        inner = left.right
        if isinstance(inner, int):
            left, right = left.left, inner + right
            if right == 0:
                return left
    if operator == "&" and isinstance(left, Expr) and left.operator == "~" and _is_one_bit(right):
        bit = state.universe.expression("&", left.left, right)
        if bit is not None:
            operator, left = "unset", bit
    if isinstance(right, int) and operator in ("&", "|"):
        left, right, known = _bits(operator, left, right)
        if known is not None:
            return known
    found = state.universe.expression(operator, left, right)
    if found is None and operator == "+":
        state.facts[fresh] = added(state.range_of(left), state.range_of(right))
    return found if found is not None else fresh


def _bits(operator: str, left: Value, right: int) -> tuple[Value, int, int | None]:
    """``(flags | 8) & 2`` is ``flags & 2``, ``flags | 8 | 4`` is ``flags | 12``. The third: the value, if known."""
    while isinstance(left, Expr) and left.operator in ("&", "|") and isinstance(left.right, int):
        inner = left.right
        if operator == "|" and left.operator == "|":
            left, right = left.left, inner | right
        elif operator == "&" and left.operator == "&":
            left, right = left.left, inner & right
        elif operator == "&" and inner & right == 0:
            left = left.left
        elif operator == "&" and inner & right == right:
            return left, right, right
        else:
            break
        if operator == "&" and right == 0:
            return left, right, 0
    return left, right, None


def _is_one_bit(value: Value) -> bool:
    return isinstance(value, int) and value > 0 and value & (value - 1) == 0


def _as_number(state: State, value: Value) -> Value:
    """A value of which only one number is possible is that number."""
    if isinstance(value, Sym):
        number = single(state.range_of(value))
        return value if number is None else number
    return value


def _compute(operator: str, left: int, right: int) -> int | None:
    if operator in ("/", "%") and right == 0:
        return None
    if operator in ("<<", ">>") and not 0 <= right < 64:
        return None
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1) if right else 0
    results = {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "/": quotient,
        "%": left - quotient * right,
        "&": left & right,
        "|": left | right,
        "^": left ^ right,
        "<<": left << right if 0 <= right < 64 else 0,
        ">>": left >> right if 0 <= right < 64 else 0,
    }
    found = results.get(operator)
    return found if found is not None and abs(found) < _LARGEST else None


def pointer_step(state: State, operator: str, left: Value, right: Value, bits: int, fresh: Sym) -> Value:
    """``pointer + n``, ``pointer - n``, and the difference of two pointers."""
    # The difference of two pointers; a symbol on the right is taken for a number.
    subtracts_pointer = isinstance(right, Ptr) or left is right or state.root_is_resource(right)
    if operator == "-" and isinstance(left, (Ptr, Sym)) and subtracts_pointer:
        return 0 if left is right else fresh
    number = single(state.range_of(right)) if not isinstance(right, (Ptr, Atom)) else None
    base, offset = _parts(left)
    if base is None:
        if left is MAYBE:
            return MAYBE
        return fresh
    if number == 0:
        return left
    if (
        isinstance(offset, str)
        and offset.startswith(INTERIOR)
        and number is not None
        and number > 0
        and operator == "+"
    ):
        return state.universe.pointer(base, offset.removesuffix(BEHIND) + BEHIND)
    if number is None or not bits or not isinstance(offset, int):
        return state.universe.pointer(base, None)
    step = number * bits
    return state.universe.pointer(base, offset + step if operator == "+" else offset - step)


def _parts(value: Value) -> tuple[int | str | Sym | None, int | str | None]:
    if isinstance(value, Sym):
        return value, 0
    if isinstance(value, Ptr):
        return value.base, value.offset
    return None, None


def convert(state: State, value: Value, ctype: CType) -> Value:
    """A conversion that may change the value: to bool, or to another width or sign."""
    if state.root_is_resource(value) and ctype.kind is not TypeKind.BOOL:
        return value
    if ctype.kind is TypeKind.BOOL:
        return _to_bool(state, value)
    if ctype.kind is not TypeKind.INT or not ctype.bits:
        return value
    low, high = (-(1 << (ctype.bits - 1)), (1 << (ctype.bits - 1)) - 1) if ctype.signed else (0, (1 << ctype.bits) - 1)
    if isinstance(value, int):
        return ((value - low) % (1 << ctype.bits)) + low
    if isinstance(value, Atom):
        return value
    if ctype.signed and isinstance(value, Expr) and value.operator == "u" and value.right == ctype.bits:
        return value.left  # there and back again
    values = state.range_of(value)
    if not values:
        return value
    if least(values) >= low and greatest(values) <= high:
        return value
    if ctype.signed:
        return value  # narrowing of an unknown: implementation-defined, treated as keeping the value
    found = state.universe.expression("u", value, ctype.bits)
    return found if found is not None else value


def _to_bool(state: State, value: Value) -> Value:
    if isinstance(value, int):
        return int(value != 0)
    if isinstance(value, Expr) and value.operator in ("==", "<"):
        return value
    values = state.range_of(value)
    if not contains(values, 0):
        return 1
    if values == ZERO:
        return 0
    if isinstance(value, Atom):
        return value
    zero = state.universe.expression("==", value, 0)
    negated = state.universe.expression("==", zero, 0) if zero is not None else None
    return negated if negated is not None else value
