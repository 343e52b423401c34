"""Functions that headers declare, as C declarations that need no header."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from analyzer.contracts.headers import declarator
from analyzer.errors import MustfreeError
from analyzer.ir.types import CType, TypeKind
from analyzer.libclang.declarations import Declared, header_declarations

_TAG: Final = re.compile(
    r"\b(?:struct|union|enum)\s+\w+|\b(?:const|volatile|restrict|unsigned|signed|_Bool|__restrict)\b"
)
_BUILT_IN: Final = frozenset({"void", "char", "short", "int", "long", "float", "double", "_Complex", "__int128"})
_WORD: Final = re.compile(r"[A-Za-z_]\w*")


@final
@dataclass(frozen=True, slots=True)
class Prototype:
    """One function. text: its declaration, without semicolon. names: of the parameters, each with one.

    types: typedefs that the text needs, as C.
    """

    declared: Declared
    text: str
    names: tuple[str, ...]
    types: tuple[str, ...]


def prototypes(headers: Sequence[str], flags: Sequence[str]) -> Mapping[str, Prototype]:
    """By name, in the order of the headers and what these include. Functions that take or return structs are left out.

    headers: files, or names as one writes them in <>. Raises MustfreeError where one is not found.
    """
    lines = [f'#include "{Path(name).resolve()}"' if Path(name).is_file() else f"#include <{name}>" for name in headers]
    found = header_declarations("".join(line + "\n" for line in lines), flags)
    for problem in found.problems:
        if "file not found" in problem.message:
            raise MustfreeError(f"{problem.message}; name its folder behind --: -- -Iinclude")
    return {function.name: made for function in found.functions if (made := _prototype(function)) is not None}


def _prototype(function: Declared) -> Prototype | None:
    if not function.prototyped or not all(map(_can_be_written, (function.result, *function.parameters))):
        return None
    given = function.names or ("",) * len(function.parameters)
    names = tuple(name or f"p{number}" for number, name in enumerate(given, 1))
    parameters = [declarator(_plain(of), name) for of, name in zip(function.parameters, names, strict=True)]
    if function.variadic:
        parameters.append("...")
    text = declarator(_plain(function.result), f"{function.name}({', '.join(parameters) or 'void'})")
    return Prototype(function, text, names, tuple(_typedefs(text, {function.name, *names})))


def _can_be_written(of: CType) -> bool:
    return of.kind is not TypeKind.RECORD and "(unnamed" not in of.spelling and "(anonymous" not in of.spelling


def _plain(of: CType) -> CType:
    """An enumeration is an integer."""
    return CType(TypeKind.INT, "int", 32, True) if of.spelling.startswith("enum ") and "*" not in of.spelling else of


def _typedefs(text: str, known: set[str]) -> list[str]:
    words = dict.fromkeys(_WORD.findall(_TAG.sub(" ", text)))
    return [f"typedef struct {word} {word};" for word in words if word not in known and word not in _BUILT_IN]
