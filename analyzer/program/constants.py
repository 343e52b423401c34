"""Variables of a program that never change: what one unit defines, and none writes, is a constant in all of them.

So are the tables of functions among them: a call through a member of one that another unit defines is a call by name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

from analyzer.frontend.indirect import resolve_calls
from analyzer.ir.function import FunctionDeclaration, GlobalVariable, SharedVariable, TranslationUnit
from analyzer.ir.operands import FunctionAddress, Int, Operand
from analyzer.program.calls import FunctionCalls

Constants = tuple[SharedVariable, ...]


@final
@dataclass(frozen=True, slots=True)
class SharedUse:
    """What one unit says of variables that it shares with others. Names are sorted.

    defined: integers and tables with their first contents. written: those that it may change. read: those that its
    functions mention and of which it does not know the contents itself.
    """

    defined: tuple[SharedVariable, ...] = ()
    written: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def shared_use(unit: TranslationUnit) -> SharedUse:
    """What a lowered unit says."""
    read = sorted(name for name, one in unit.globals.items() if ":" not in name and not one.initial)
    return SharedUse(unit.shared, tuple(sorted(unit.written)), tuple(read))


def program_constants(uses: Iterable[SharedUse], closed: bool) -> Mapping[str, SharedVariable]:
    """By name. closed: all of the program is here; else only const variables are believed never to change."""
    uses = list(uses)
    written = {name for use in uses for name in use.written}
    found: dict[str, set[SharedVariable]] = {}
    changing: set[str] = set()
    for one in (one for use in uses for one in use.defined):
        found.setdefault(one.name, set()).add(replace(one, constant=True))
        if not one.constant and (not closed or one.name in written):
            changing.add(one.name)
    return {name: ones.pop() for name, ones in found.items() if len(ones) == 1 and name not in changing}


def of_unit(use: SharedUse, constants: Mapping[str, SharedVariable]) -> Constants:
    """The constants that concern a unit."""
    return tuple(constants[name] for name in use.read if name in constants)


def with_constants(unit: TranslationUnit, constants: Constants) -> TranslationUnit:
    """The unit, where these variables are constants."""
    if not constants:
        return unit
    changed: dict[str, GlobalVariable] = dict(unit.globals)
    declarations: dict[str, FunctionDeclaration] = dict(unit.declarations)
    for one in constants:
        if one.name not in changed or any(_is_another(each, declarations) for _, each in one.functions):
            continue
        contents: dict[int, Operand] = {offset: Int(value) for offset, value in one.numbers}
        contents.update({offset: FunctionAddress(each.name) for offset, each in one.functions})
        changed[one.name] = replace(changed[one.name], constant=True, initial=contents, zeroed=one.zeroed)
        for _, each in one.functions:
            declarations.setdefault(each.name, replace(each, static=False))
    functions = unit.functions
    if any(one.functions for one in constants):
        functions = tuple(resolve_calls(function, changed) for function in functions)
    return replace(unit, functions=functions, globals=changed, declarations=declarations)


def with_tables(function: FunctionCalls, constants: Constants) -> FunctionCalls:
    """What a function calls, where it may call what these tables hold."""
    names = {each.name for one in constants if one.name in function.tables for _, each in one.functions}
    return replace(function, followed=tuple(sorted({*function.followed, *names}))) if names else function


def static_functions(use: SharedUse, tables: Container[str]) -> Iterator[str]:
    """The static functions of a unit to which its tables of these names lead."""
    for one in use.defined:
        yield from (each.name for _, each in one.functions if each.static and one.name in tables)


def _is_another(function: FunctionDeclaration, here: Mapping[str, FunctionDeclaration]) -> bool:
    """Whether the name means another function in this unit."""
    known = here.get(function.name)
    return known is not None and (function.static or known.static)
