"""What a file says of variables that other files share with it: their first values, and which of them it may change."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.frontend.constants import evaluate, is_integer
from analyzer.frontend.declarations import Declarations
from analyzer.ir.function import SharedVariable
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor


def shared_variables(
    declarations: Declarations, cursors: Iterable[Cursor], main: int | None, written: set[int | None]
) -> tuple[tuple[SharedVariable, ...], frozenset[str]]:
    """The integers with a constant initialiser that a file defines for others, and the names of those it may change.

    cursors: variables on the top level of the unit, declarations too. written: keys of the variables that some
    function may write, or whose address it takes; those whose address an initialiser takes are added.
    """
    unit, lib = declarations.unit, declarations.unit.lib
    external = [c for c in cursors if lib.Cursor_getStorageClass(c) != kinds.STORAGE_STATIC]
    own = [cursor for cursor in cursors if unit.place(lib.getCursorLocation(cursor))[0] == main]
    for cursor in own:
        for inner, _ in unit.descendants(cursor):
            declared = declarations.referenced(inner) if inner.kind == kinds.DECL_REF_EXPR else None
            if declared is not None and declared.kind == kinds.VAR_DECL:
                written.add(declared.key)
    changed = {lib.text(lib.getCursorSpelling(cursor)) for cursor in external if cursor.first in written}
    found: list[SharedVariable] = []
    defined = {cursor.first for cursor in own}
    for cursor in external:
        start: Cursor = lib.Cursor_getVarDeclInitializer(cursor)
        ctype = declarations.types.of(cursor)
        if not start.second or cursor.first not in defined or not is_integer(ctype):
            continue
        value = evaluate(lib, start, ctype)
        if value is not None:
            constant = declarations.types.is_const(lib.getCursorType(cursor))
            found.append(SharedVariable(lib.text(lib.getCursorSpelling(cursor)), value.value, constant))
    return tuple(found), frozenset(changed)
