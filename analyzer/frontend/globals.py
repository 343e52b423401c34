"""Variables with static storage, as far as functions mention them, with the contents of constant ones."""

from __future__ import annotations

from analyzer.frontend.constants import evaluate
from analyzer.frontend.declarations import Declarations, Declared, is_scalar
from analyzer.frontend.tree import Tree
from analyzer.ir.function import GlobalVariable
from analyzer.ir.operands import FunctionAddress, Operand, Str
from analyzer.ir.types import CType
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor


def global_variable(declarations: Declarations, declared: Declared, written: set[int | None]) -> GlobalVariable:
    """A global as the IR lists it. written: keys of the variables that some function of the unit may write."""
    lib = declarations.unit.lib
    cursor: Cursor = lib.getCursorDefinition(declared.cursor)
    if not cursor.first:
        cursor = declared.cursor
    ctype = declarations.types.of(cursor)
    constant = declarations.types.is_const(lib.getCursorType(cursor))
    if not constant and lib.Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC and is_scalar(ctype):
        constant = declared.key not in written and cursor.first not in written
    initial: dict[int, Operand] = {}
    if constant:
        value = _initial(declarations, cursor, ctype)
        if value is not None:
            initial[0] = value
    return GlobalVariable(declared.name, ctype, constant, initial)


def _initial(declarations: Declarations, cursor: Cursor, ctype: CType) -> Operand | None:
    lib = declarations.unit.lib
    start: Cursor = lib.Cursor_getVarDeclInitializer(cursor)
    if not start.second or not is_scalar(ctype):
        return None
    return constant_operand(declarations, start, ctype)


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


_WRAPPERS = (kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR, kinds.CSTYLE_CAST_EXPR)
