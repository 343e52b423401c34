"""Operands (values without effects) and places (what can be read or written)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final


@final
@dataclass(frozen=True, slots=True)
class Temp:
    """The result of the one operation of the function that names it. Text: ``%7``.

    A temp is written by exactly one operation, so it has one value per execution of that operation.
    Values that differ by path (``?:``, ``&&``) travel in synthetic local variables instead.
    """

    id: int


@final
@dataclass(frozen=True, slots=True)
class Int:
    """An integer constant; the null pointer is ``Int(0)``. Text: ``42``."""

    value: int


@final
@dataclass(frozen=True, slots=True)
class Str:
    """The address of a string literal. Text: ``"abc"``."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class FunctionAddress:
    """The address of a function. Text: ``&f()``."""

    name: str


@final
@dataclass(frozen=True, slots=True)
class Unknown:
    """A value about which nothing is known (floating point, assembler output, lost code). Text: ``?``.

    Two occurrences of Unknown are different values.
    """


Operand = Temp | Int | Str | FunctionAddress | Unknown


@final
@dataclass(frozen=True, slots=True)
class LocalBase:
    """The memory of local variable or parameter number `index`. Text: ``buf`` (its name)."""

    index: int


ERRNO: Final = "errno"  # the variable that says why a call of the C library failed (ISO C, 7.5), whatever it is


@final
@dataclass(frozen=True, slots=True)
class GlobalBase:
    """The memory of a global, file-static or function-static variable. Text: ``@name``.

    Names are unique in the program: statics are ``file:name`` or ``file:function:name``.
    """

    name: str


@final
@dataclass(frozen=True, slots=True)
class DerefBase:
    """The memory that `pointer` points to. Text: ``*(%7)``."""

    pointer: Operand


Base = LocalBase | GlobalBase | DerefBase


@final
@dataclass(frozen=True, slots=True)
class Field:
    """A member of a struct or union. Text: ``.name@64``.

    offset: in bits from the start of the enclosing record; members of a union all have offset 0 and so
        are one place. -1 when unknown (incomplete type): then the name identifies the member.
    """

    name: str
    offset: int


@final
@dataclass(frozen=True, slots=True)
class Index:
    """An array element. Text: ``[%3 x 64]``, ``[%3 x 64 of 4]``. element_bits: 0 when unknown.

    elements: how many the array has, 0 behind a pointer, and where a member at the end may be longer than it says.
    """

    index: Operand
    element_bits: int
    elements: int = 0


Selector = Field | Index


@final
@dataclass(frozen=True, slots=True)
class Place:
    """A piece of memory: a base and the way from there. No selectors: the whole object at the base."""

    base: Base
    selectors: tuple[Selector, ...] = ()
