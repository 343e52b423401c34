"""A tiny C, made for generating programs: conditions, statements, programs (programs.py lowers them)."""

from __future__ import annotations

from dataclasses import dataclass

# -- conditions


@dataclass(frozen=True)
class Compare:
    """``name operator value``; a name for value compares two variables."""

    name: str
    operator: str
    value: int | str


@dataclass(frozen=True)
class Truth:
    """``name`` or ``!name``."""

    name: str
    negated: bool = False


@dataclass(frozen=True)
class Both:
    """``left && right``."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Either:
    """``left || right``."""

    left: Condition
    right: Condition


@dataclass(frozen=True)
class Env:
    """``env() > 0``: the environment decides."""


Condition = Compare | Truth | Both | Either | Env

# -- statements


@dataclass(frozen=True)
class Acquire:
    """``result = function(...)``; target and creds are out-parameters for recv_msg and get_line."""

    function: str
    result: str = ""
    target: str = ""
    creds: str = ""


@dataclass(frozen=True)
class Realloc:
    """``result = re_alloc(pointer, 2)``."""

    result: str
    pointer: str


@dataclass(frozen=True)
class Release:
    """``free_it(name)``, ``close_it(name)`` or ``close_file(name)``."""

    name: str


@dataclass(frozen=True)
class Assign:
    """``target = source``: a variable, or an integer."""

    target: str
    source: str | int


@dataclass(frozen=True)
class Keep:
    """``target = condition``, without a branch (a comparison or a negation)."""

    target: str
    condition: Compare | Truth


@dataclass(frozen=True)
class Touch:
    """``*name = 1``: the memory is used."""

    name: str


@dataclass(frozen=True)
class Point:
    """``w = &target``; then ``*w`` is another name of the variable."""

    target: str


@dataclass(frozen=True)
class CopyPair:
    """``t = s``: both fields."""


@dataclass(frozen=True)
class If:
    """A branch."""

    condition: Condition
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Loop:
    """``while (condition) body``, or ``do body while (condition)``."""

    condition: Condition
    body: tuple[Statement, ...]
    at_least_once: bool = False


@dataclass(frozen=True)
class Count:
    """``for (variable = 0; variable < rounds; variable++) body``."""

    variable: str
    rounds: int
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Choose:
    """``switch (name) { case v: body [break;] ... }``; falls through where breaks is false."""

    name: str
    cases: tuple[tuple[int, tuple[Statement, ...], bool], ...]
    default: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Scope:
    """``{ T *inner = NULL; body }``."""

    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Leave:
    """``goto``: to label number `label` of the program (modulo their number)."""

    label: int


@dataclass(frozen=True)
class Break:
    """``break`` or ``continue``; nothing outside a loop."""

    goes_on: bool = False


@dataclass(frozen=True)
class Give:
    """``return value``: a variable or an integer."""

    value: str | int


@dataclass(frozen=True)
class Help:
    """A call of a helper, as C. The IR has no such call: for programs that are compiled only."""

    line: str


Statement = (
    Help | Acquire | Realloc | Release | Assign | Keep | Touch | Point | CopyPair
    | If | Loop | Count | Choose | Scope | Leave | Break | Give
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """body, then the labels' statements one after the other; returns `value` at the end.

    unset: pointers that are declared without a value.
    """

    body: tuple[Statement, ...]
    labels: tuple[tuple[Statement, ...], ...] = ()
    value: str | int = 0
    unset: tuple[str, ...] = ()
    gives_pointer: bool = False


POINTERS = ("p", "q", "r", "s.a", "s.b", "t.a", "t.b")
PLACES = (*POINTERS, "inner", "shelf", "*out")
DESCRIPTORS = ("fd", "dd")
FILES = ("fp", "gp")
INTEGERS = ("n", "m", "flag")
PARAMETERS = ("a", "b")


def is_integer(name: str) -> bool:
    """Whether the variable is an int."""
    return name in DESCRIPTORS or name in INTEGERS or name in PARAMETERS or name == "i"
