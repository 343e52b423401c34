"""Whether a mention of a variable only reads it: the variable itself, a member or an element of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from analyzer.frontend.tree import node_key
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, Library, Type

_ARRAYS: Final = (kinds.TYPE_CONSTANT_ARRAY, kinds.TYPE_INCOMPLETE_ARRAY, kinds.TYPE_VARIABLE_ARRAY)
_MOST: Final = 20  # members and elements on the way


@final
class Above:
    """The node above each node of one visit; made when it is asked for the first time."""

    def __init__(self, rows: Sequence[tuple[Cursor, Cursor]]) -> None:
        self._rows = rows
        self._found: dict[int | None, Cursor] = {}

    def of(self, node: Cursor) -> Cursor | None:
        """The node above, None for the outermost."""
        if not self._found:
            self._found = {node_key(cursor): parent for cursor, parent in self._rows}
        return self._found.get(node_key(node))


def only_reads(lib: Library, mention: Cursor, parent: Cursor, above: Above) -> bool:
    """Whether the value is taken there and then: nothing is stored, and no address goes anywhere but as one through
    which nothing is written, ``const struct ops *ops = &variable;``.

    libclang shows the conversion of a variable to its value, and of an array to a pointer, as an expression without a
    kind of its own around it.
    """
    inner, outer = mention, parent
    for _ in range(_MOST):
        match outer.kind:
            case kinds.CXX_UNARY_EXPR:
                return True  # sizeof
            case kinds.UNEXPOSED_EXPR:
                if not _is_array(lib, inner):
                    return True
                subscript = above.of(outer)
                if subscript is None or subscript.kind != kinds.ARRAY_SUBSCRIPT_EXPR:
                    return subscript is not None and subscript.kind == kinds.CXX_UNARY_EXPR
                outer = subscript
            case kinds.UNARY_OPERATOR:
                converted = above.of(outer)
                return converted is not None and _shows_only(lib, outer, inner, converted)
            case kinds.MEMBER_REF_EXPR | kinds.PAREN_EXPR:
                pass
            case _:
                return False
        inner = outer
        following = above.of(outer)
        if following is None:
            return False
        outer = following
    return False


def _is_array(lib: Library, node: Cursor) -> bool:
    return lib.getCanonicalType(lib.getCursorType(node)).kind in _ARRAYS


def _shows_only(lib: Library, address: Cursor, operand: Cursor, conversion: Cursor) -> bool:
    """Whether ``&operand`` becomes a pointer to a constant object of the same type. What becomes of a ``const void *``,
    nobody knows.
    """
    if conversion.kind != kinds.UNEXPOSED_EXPR:
        return False
    own = _spelling(lib, lib.getCursorType(operand))
    pointed, shown = (lib.getPointeeType(lib.getCanonicalType(lib.getCursorType(n))) for n in (address, conversion))
    return _spelling(lib, pointed) == own and _spelling(lib, shown) == f"const {own}"


def _spelling(lib: Library, type_: Type) -> str:
    return lib.text(lib.getTypeSpelling(lib.getCanonicalType(type_)))
