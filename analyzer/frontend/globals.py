"""Variables with static storage, as far as functions mention them, with the contents of constant ones."""

from __future__ import annotations

from typing import Final

from analyzer.frontend.body import Body, Tables
from analyzer.frontend.declarations import Declarations, Declared, is_scalar
from analyzer.frontend.operands import constant_operand
from analyzer.frontend.positions import FileText, Positions
from analyzer.frontend.tree import Tree
from analyzer.ir.function import GlobalVariable
from analyzer.ir.operands import Field, FunctionAddress, GlobalBase, Index, Int, Operand, Place, Str
from analyzer.ir.ops import Store, Zero
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor

_LARGEST_TABLE: Final = 4096  # nodes of an initialiser


def global_variable(
    declarations: Declarations,
    declared: Declared,
    written: set[int | None],
    text: FileText,
    tables: Tables,
    whole: bool,
) -> GlobalVariable:
    """A global as the IR lists it.

    written: keys of the variables that some function of the unit may write. text: any file of the unit.
    whole: all of it could be parsed, so no statement that writes a member is missing.
    """
    lib = declarations.unit.lib
    cursor: Cursor = lib.getCursorDefinition(declared.cursor)
    if not cursor.first:
        cursor = declared.cursor
    ctype = declarations.types.of(cursor)
    static = lib.Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC
    constant = declarations.types.is_const(lib.getCursorType(cursor))
    if not constant and static and (whole or is_scalar(ctype)):
        constant = declared.key not in written and cursor.first not in written
    initial: dict[int, Operand] = {}
    start: Cursor = lib.Cursor_getVarDeclInitializer(cursor)
    if constant and start.second and is_scalar(ctype):
        value = constant_operand(declarations, start, ctype)
        if value is not None:
            initial[0] = value
    elif constant and start.second:
        initial, whole = table_contents(declarations, cursor, start, text, tables)
        return GlobalVariable(declared.name, ctype, constant, initial, zeroed=whole)
    return GlobalVariable(declared.name, ctype, constant, initial, constant and static and not start.second)


def table_contents(
    declarations: Declarations, cursor: Cursor, start: Cursor, text: FileText, tables: Tables
) -> tuple[dict[int, Operand], bool]:
    """The constant scalars in an aggregate: its initialiser is lowered like a local's, and the stores are read.

    True: they are all that is not zero.
    """
    rows = declarations.unit.descendants(cursor)
    if len(rows) > _LARGEST_TABLE:
        return {}, False
    tree = Tree(cursor, rows)
    node = tree.index.get(start.second)
    if node is None:
        return {}, False
    body = Body(tree, declarations, Positions(text, 0, 0), tables)
    place = Place(GlobalBase(""))
    body.initialise(place, declarations.unit.lib.getCursorType(cursor), node)
    found: dict[int, Operand] = {}
    whole, known = False, True
    for op in body.builder.ops:
        if isinstance(op, Zero):
            whole = whole or op.place == place
            continue
        offset = _offset(op.place) if isinstance(op, Store) and op.place.base == place.base else None
        if isinstance(op, Store) and offset is not None and isinstance(op.value, Int | Str | FunctionAddress):
            found[offset] = op.value
        else:
            known = False
    return found, whole and known


def _offset(place: Place) -> int | None:
    """Bits from the start of the object, None when they are not constant."""
    total = 0
    for selector in place.selectors:
        match selector:
            case Field(offset=offset) if offset >= 0:
                total += offset
            case Index(index=Int(value), element_bits=bits) if bits:
                total += value * bits
            case _:
                return None
    return total
