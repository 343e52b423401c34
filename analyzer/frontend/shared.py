"""What a file says of variables that others share with it: their first contents, and which of them it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from analyzer.frontend.constants import evaluate, is_integer
from analyzer.frontend.declarations import Declarations
from analyzer.ir.function import FunctionDeclaration, SharedVariable
from analyzer.ir.operands import FunctionAddress, Int, Operand
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor

Contents = Callable[[Cursor, Cursor], tuple[Mapping[int, Operand], bool]]


def shared_variables(
    declarations: Declarations,
    cursors: Iterable[Cursor],
    main: int | None,
    written: set[int | None],
    contents: Contents,
) -> tuple[tuple[SharedVariable, ...], frozenset[str]]:
    """The integers and tables of functions that a file defines for others with constant initialisers, and the names of
    the variables that it may change.

    cursors: variables on the top level of the unit, declarations too. written: keys of the variables that some
    function may write, or whose address it takes; those whose address an initialiser takes are added. contents: of an
    aggregate and its initialiser, as `globals.table_contents` says.
    """
    unit, lib = declarations.unit, declarations.unit.lib
    external = [c for c in cursors if lib.Cursor_getStorageClass(c) != kinds.STORAGE_STATIC]
    own = [cursor for cursor in cursors if unit.place(lib.getCursorLocation(cursor))[0] == main]
    with_functions: set[int | None] = set()
    for cursor in own:
        for inner, _ in unit.descendants(cursor):
            declared = declarations.referenced(inner) if inner.kind == kinds.DECL_REF_EXPR else None
            if declared is not None and declared.kind == kinds.VAR_DECL:
                written.add(declared.key)
            elif declared is not None and declared.kind == kinds.FUNCTION_DECL:
                with_functions.add(cursor.first)
    changed = {lib.text(lib.getCursorSpelling(cursor)) for cursor in external if cursor.first in written}
    found: list[SharedVariable] = []
    defined = {cursor.first for cursor in own}
    for cursor in external:
        start: Cursor = lib.Cursor_getVarDeclInitializer(cursor)
        if not start.second or cursor.first not in defined:
            continue
        ctype = declarations.types.of(cursor)
        name = lib.text(lib.getCursorSpelling(cursor))
        constant = declarations.types.is_const(lib.getCursorType(cursor))
        if is_integer(ctype):
            value = evaluate(lib, start, ctype)
            if value is not None:
                found.append(SharedVariable(name, constant, ((0, value.value),)))
        elif cursor.first in with_functions:
            table = _table(declarations, SharedVariable(name, constant), *contents(cursor, start))
            if table is not None:
                found.append(table)
    return tuple(found), frozenset(changed)


def _table(
    declarations: Declarations, variable: SharedVariable, contents: Mapping[int, Operand], whole: bool
) -> SharedVariable | None:
    """The table with its contents; None where a function in it is not declared."""
    numbers, functions = [], []
    for offset, value in sorted(contents.items()):
        if isinstance(value, Int):
            numbers.append((offset, value.value))
        elif isinstance(value, FunctionAddress):
            declared = declarations.functions.get(value.name)
            if declared is None:
                return None
            functions.append((offset, _for_others(declared)))
    complete = whole and len(numbers) + len(functions) == len(contents)
    return replace(variable, numbers=tuple(numbers), functions=tuple(functions), zeroed=complete)


def _for_others(declared: FunctionDeclaration) -> FunctionDeclaration:
    """What other units know of it. Where it stands would make results depend on the folder of the program."""
    return replace(declared, defined=False, file="")
