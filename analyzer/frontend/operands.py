"""Operands for constant expressions that are more than integers: functions and strings."""

from __future__ import annotations

from typing import Final

from analyzer.frontend.constants import evaluate
from analyzer.frontend.declarations import Declarations
from analyzer.frontend.tree import Tree
from analyzer.ir.operands import FunctionAddress, Operand, Str
from analyzer.ir.types import CType
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor

_WRAPPERS: Final = (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR, kinds.CSTYLE_CAST_EXPR)


def constant_operand(declarations: Declarations, start: Cursor, ctype: CType) -> Operand | None:
    """The value of a constant initialiser: an integer, a function, a string; None for another."""
    value = evaluate(declarations.unit.lib, start, ctype)
    if value is not None:
        return value
    tree = Tree(start, declarations.unit.descendants(start))
    node = 0
    while tree.kinds[node] in _WRAPPERS and tree.children[node]:
        node = tree.children[node][-1]
    if tree.kinds[node] == kinds.STRING_LITERAL:
        text = declarations.unit.lib.text(declarations.unit.lib.getCursorSpelling(tree.cursors[node]))
        return Str(text[1:-1])
    if tree.kinds[node] == kinds.DECL_REF_EXPR:
        declared = declarations.referenced(tree.cursors[node])
        if declared is not None and declared.kind == kinds.FUNCTION_DECL:
            declarations.function(declared)
            return FunctionAddress(declared.name)
    return None
