"""What a project says of functions in a word, without a contract for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Outcome, Provenance, Signature
from analyzer.ir.function import FunctionDeclaration

ESCAPE, BORROW = "escape", "borrow"
_PATTERN = re.compile(r"[\w*?\[\]!-]+")


@final
@dataclass(frozen=True, slots=True)
class Beliefs:
    """noreturn: names and patterns of functions that never return.

    lends: a function of which nothing is known borrows what it is given, unless its name speaks of keeping or
        releasing.
    """

    noreturn: tuple[str, ...] = ()
    lends: bool = False

    def never_returns(self, name: str) -> bool:
        """Whether a function of this name is one that never returns."""
        return any(fnmatchcase(name, pattern) for pattern in self.noreturn)

    def unmet(self, names: Iterable[str]) -> tuple[str, ...]:
        """The patterns that none of these names fits."""
        names = list(names) if self.noreturn else []
        return tuple(p for p in self.noreturn if not any(fnmatchcase(name, p) for name in names))


def pattern_mistake(text: str) -> str:
    """What is wrong with a name or pattern for `noreturn`, "" when nothing is."""
    if _PATTERN.fullmatch(text):
        return ""
    return f'"{text}" is no name of a function; write fatal, or a pattern such as fatal_*'


def ending_contract(declaration: FunctionDeclaration) -> FunctionContract:
    """The contract of a function that never returns."""
    names = declaration.parameter_names
    return FunctionContract(
        declaration.name,
        Signature(declaration.result, declaration.parameters, names, declaration.variadic),
        (Outcome((), (Effect(EffectKind.NORETURN),)),),
        Provenance.PROJECT,
        source="noreturn",
        noreturn=True,
    )
