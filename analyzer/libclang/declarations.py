"""C declarations -> names, types and constant values. One parse, no include path, no function bodies.

    void nlmsg_free(struct nl_msg *msg);   ->   Declared("nlmsg_free", VOID, (struct nl_msg *,), ("msg",))

The text is parsed for one fixed target, so that the same text means the same on every machine. Types are
asked once per distinct type: a few thousand declarations cost some tens of milliseconds.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from analyzer.ir.types import CType, TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, Library, Type
from analyzer.libclang.environment import parse_environment
from analyzer.libclang.parse import Unit, parsed
from analyzer.libclang.stack import run_with_big_stack

_FILE = "/declarations.h"
_TARGET = "--target=x86_64-unknown-linux-gnu"
_FLAGS = ("-xc", "-std=gnu17", "-nostdinc", _TARGET)
_ARRAYS = frozenset({kinds.TYPE_CONSTANT_ARRAY, kinds.TYPE_INCOMPLETE_ARRAY, kinds.TYPE_VARIABLE_ARRAY})
_PLAIN_KINDS = {
    kinds.TYPE_VOID: TypeKind.VOID,
    kinds.TYPE_BOOL: TypeKind.BOOL,
    kinds.TYPE_POINTER: TypeKind.POINTER,
    kinds.TYPE_RECORD: TypeKind.RECORD,
    kinds.TYPE_ENUM: TypeKind.INT,
    kinds.TYPE_FUNCTION_PROTO: TypeKind.FUNCTION,
    kinds.TYPE_FUNCTION_NO_PROTO: TypeKind.FUNCTION,
}


@final
@dataclass(frozen=True, slots=True)
class Declared:
    """One function declaration. line: from 1, in the text parsed. prototyped: false for ``f()``.

    names: of the parameters, "" for one without; () when they were not asked for.
    """

    name: str
    line: int
    result: CType
    parameters: tuple[CType, ...]
    names: tuple[str, ...]
    variadic: bool
    prototyped: bool


@final
@dataclass(frozen=True, slots=True)
class Problem:
    """What the C parser did not understand; line and column from 1, in the text parsed."""

    line: int
    column: int
    message: str


@final
@dataclass(frozen=True, slots=True)
class Declarations:
    """What a piece of C text declares, in its order. constants: enumerators and their values.

    members: of structs that it lays out: (type as C spells it, member) -> bits from the start.
    """

    functions: tuple[Declared, ...]
    constants: Mapping[str, int]
    problems: tuple[Problem, ...]
    members: Mapping[tuple[str, str], int]


def parse_declarations(text: str, nameless_from: int = sys.maxsize) -> Declarations:
    """Functions and enumerators that `text` declares, and every error in it.

    A syntax error never raises: it is listed, and what could be understood is there.
    nameless_from: parameter names of functions from this line on are left out; they take half the time.
    """
    with parse_environment():
        return run_with_big_stack(lambda: _parse(text, nameless_from))


def header_declarations(text: str, flags: Sequence[str]) -> Declarations:
    """The same for C text that includes headers, with the compiler's include path and these flags."""
    with parse_environment():
        return run_with_big_stack(lambda: _parse_with(text, ("-xc", "-std=gnu17", "-D_GNU_SOURCE", *flags)))


def _parse_with(text: str, flags: Sequence[str], nameless_from: int = sys.maxsize) -> Declarations:
    with parsed(_FILE, tuple(flags), {_FILE: text.encode()}) as unit:
        reader = _Reader(unit, nameless_from)
        functions, constants = reader.read()
        problems = tuple(Problem(error.line, error.column, error.text) for error in unit.errors())
    return Declarations(functions, constants, problems, reader.members)


def _parse(text: str, nameless_from: int) -> Declarations:
    return _parse_with(text, _FLAGS, nameless_from)


class _Reader:
    """One flat walk over the top level of a parsed text."""

    def __init__(self, unit: Unit, nameless_from: int) -> None:
        self._nameless_from = nameless_from
        self._unit = unit
        self._lib: Library = unit.lib
        self._types: dict[int | None, CType] = {}
        self._line = ctypes.c_uint()
        self.members: dict[tuple[str, str], int] = {}

    def read(self) -> tuple[tuple[Declared, ...], dict[str, int]]:
        """All functions and enumerators."""
        functions: list[Declared] = []
        constants: dict[str, int] = {}

        def visit(cursor: Cursor, parent: Cursor) -> int:
            kind = cursor.kind
            if kind == kinds.FUNCTION_DECL:
                functions.append(self._declared(cursor))
            elif kind == kinds.ENUM_CONSTANT_DECL:
                constants[self._name(cursor)] = self._lib.getEnumConstantDeclValue(cursor)
            elif kind == kinds.FIELD_DECL:
                self._field(cursor, parent)
            return kinds.RECURSE if kind in (kinds.ENUM_DECL, kinds.STRUCT_DECL) else kinds.CONTINUE

        self._unit.visit(self._unit.root(), visit)
        return tuple(functions), constants

    def _field(self, cursor: Cursor, parent: Cursor) -> None:
        lib = self._lib
        offset = lib.Cursor_getOffsetOfField(cursor)
        if offset >= 0:
            spelling = lib.text(lib.getTypeSpelling(lib.getCanonicalType(lib.getCursorType(parent))))
            self.members[(spelling, self._name(cursor))] = offset

    def _declared(self, cursor: Cursor) -> Declared:
        lib = self._lib
        of: Type = lib.getCanonicalType(lib.getCursorType(cursor))
        count = max(0, lib.getNumArgTypes(of))
        lib.getFileLocation(lib.getCursorLocation(cursor), None, self._line, None, None)
        line = self._line.value
        named = range(count) if line < self._nameless_from else ()
        return Declared(
            self._name(cursor),
            line,
            self._type(lib.getResultType(of)),
            tuple([self._type(lib.getArgType(of, position)) for position in range(count)]),
            tuple([self._name(lib.Cursor_getArgument(cursor, position)) for position in named]),
            bool(lib.isFunctionTypeVariadic(of)),
            of.kind != kinds.TYPE_FUNCTION_NO_PROTO,
        )

    def _type(self, canonical: Type) -> CType:
        found = self._types.get(canonical.pointer)
        if found is None:
            found = self._types[canonical.pointer] = self._convert(canonical)
        return found

    def _convert(self, canonical: Type) -> CType:
        lib = self._lib
        kind = _kind(canonical)
        spelling = lib.text(lib.getTypeSpelling(lib.getUnqualifiedType(canonical)))
        sized = kind not in (TypeKind.VOID, TypeKind.FUNCTION)
        bits = max(0, lib.Type_getSizeOf(canonical)) * 8 if sized else 0
        inner = self._inner(kind, canonical)
        if inner is None:
            return CType(kind, spelling, bits, self._signed(canonical))
        pointee = lib.text(lib.getTypeSpelling(inner))
        const = bool(lib.isConstQualifiedType(inner))
        return CType(kind, spelling, bits, False, pointee, _kind(inner), const)

    def _inner(self, kind: TypeKind, canonical: Type) -> Type | None:
        lib = self._lib
        inner: Type
        if kind is TypeKind.POINTER:
            inner = lib.getCanonicalType(lib.getPointeeType(canonical))
        elif kind is TypeKind.ARRAY:
            inner = lib.getCanonicalType(lib.getArrayElementType(canonical))
        else:
            return None
        return inner

    def _signed(self, canonical: Type) -> bool:
        number = canonical.kind
        if number == kinds.TYPE_ENUM:
            declaration = self._lib.getTypeDeclaration(canonical)
            number = self._lib.getCanonicalType(self._lib.getEnumDeclIntegerType(declaration)).kind
        return kinds.TYPE_FIRST_SIGNED <= number <= kinds.TYPE_LAST_SIGNED

    def _name(self, cursor: Cursor) -> str:
        return self._lib.text(self._lib.getCursorSpelling(cursor))


def _kind(canonical: Type) -> TypeKind:
    number = canonical.kind
    if number in _PLAIN_KINDS:
        return _PLAIN_KINDS[number]
    if kinds.TYPE_FIRST_UNSIGNED <= number <= kinds.TYPE_LAST_SIGNED:
        return TypeKind.INT
    if number in _ARRAYS:
        return TypeKind.ARRAY
    return TypeKind.FLOAT if number in kinds.TYPE_FLOATS else TypeKind.UNKNOWN
