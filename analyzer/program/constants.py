"""Variables of a program that never change: what one unit defines, and none writes, is a constant in all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import final

from analyzer.ir.function import GlobalVariable, SharedVariable, TranslationUnit
from analyzer.ir.operands import Int

Constants = tuple[tuple[str, int], ...]


@final
@dataclass(frozen=True, slots=True)
class SharedUse:
    """What one unit says of variables that it shares with others. Names are sorted.

    defined: integers with their first values. written: those that it may change. read: those that its functions
    mention and of which it does not know the value itself.
    """

    defined: tuple[SharedVariable, ...] = ()
    written: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def shared_use(unit: TranslationUnit) -> SharedUse:
    """What a lowered unit says."""
    read = sorted(name for name, one in unit.globals.items() if ":" not in name and not one.initial)
    return SharedUse(unit.shared, tuple(sorted(unit.written)), tuple(read))


def program_constants(uses: Iterable[SharedUse], closed: bool) -> Mapping[str, int]:
    """Name -> value. closed: all of the program is here; else only const variables are believed never to change."""
    uses = list(uses)
    written = {name for use in uses for name in use.written}
    values: dict[str, set[int]] = {}
    for one in (one for use in uses for one in use.defined):
        known = one.constant or (closed and one.name not in written)
        values.setdefault(one.name, set()).update((one.value,) if known else (one.value, one.value + 1))
    return {name: min(found) for name, found in values.items() if len(found) == 1}


def of_unit(use: SharedUse, constants: Mapping[str, int]) -> Constants:
    """The constants that concern a unit."""
    return tuple((name, constants[name]) for name in use.read if name in constants)


def with_constants(unit: TranslationUnit, constants: Constants) -> TranslationUnit:
    """The unit, where these variables are constants."""
    if not constants:
        return unit
    changed: dict[str, GlobalVariable] = dict(unit.globals)
    for name, value in constants:
        if name in changed:
            changed[name] = replace(changed[name], constant=True, initial={0: Int(value)})
    return replace(unit, globals=changed)
