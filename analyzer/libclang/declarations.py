"""C declarations -> names, types and constant values. One parse, no include path, no function bodies.

    void nlmsg_free(struct nl_msg *msg);   ->   Declared("nlmsg_free", VOID, (struct nl_msg *,), ("msg",))

The text is parsed for one fixed target, so that the same text means the same on every machine. Types are
asked once per distinct type: a few thousand declarations cost some tens of milliseconds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, final

from clang import cindex

from analyzer.ir.types import CType, TypeKind

_FILE = "declarations.h"
_TARGET = "--target=x86_64-unknown-linux-gnu"
_FLAGS = ("-xc", "-std=gnu17", "-nostdinc", "-w", "-ferror-limit=0", _TARGET)
_SKIP_FUNCTION_BODIES_AND_KEEP_GOING = 0x40 | 0x200
_ENUM_CONSTANT, _FUNCTION = 7, 8
_CONTINUE, _RECURSE = 1, 2
_ENUM = 5
_ERROR = 3

_POINTER, _RECORD, _ENUM_TYPE = 101, 105, 106
_FUNCTION_NO_PROTOTYPE, _FUNCTION_PROTOTYPE = 110, 111
_ARRAYS = frozenset({112, 114, 115, 116})
_UNSIGNED = frozenset({4, 5, 6, 7, 8, 9, 10, 11, 12})
_SIGNED = frozenset({13, 14, 15, 16, 17, 18, 19, 20})
_FLOATS = frozenset({21, 22, 23, 30, 31, 32, 100})
_PLAIN_KINDS = {2: TypeKind.VOID, 3: TypeKind.BOOL, _POINTER: TypeKind.POINTER, _RECORD: TypeKind.RECORD}


@final
@dataclass(frozen=True, slots=True)
class Declared:
    """One function declaration. line: from 1, in the text parsed. prototyped: false for ``f()``."""

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
    """What a piece of C text declares, in its order. constants: enumerators and their values."""

    functions: tuple[Declared, ...]
    constants: Mapping[str, int]
    problems: tuple[Problem, ...]


def parse_declarations(text: str) -> Declarations:
    """Functions and enumerators that `text` declares, and every error in it.

    A syntax error never raises: it is listed, and what could be understood is there.
    """
    index = cindex.Index.create()
    unit = cindex.TranslationUnit.from_source(
        _FILE, list(_FLAGS), [(_FILE, text)], _SKIP_FUNCTION_BODIES_AND_KEEP_GOING, index
    )
    reader = _Reader(_library())
    functions, constants = reader.read(unit.cursor)
    problems = tuple(
        Problem(d.location.line, d.location.column, d.spelling)
        for d in unit.diagnostics
        if d.severity >= _ERROR
    )
    return Declarations(functions, constants, problems)


class _String(ctypes.Structure):
    """The C library's string, without the finalizer that the one of cindex has."""

    _fields_ = (("data", ctypes.c_void_p), ("flags", ctypes.c_uint))


_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "clang_getCString": (ctypes.c_char_p, [_String]),
    "clang_disposeString": (None, [_String]),
    "clang_getCursorSpelling": (_String, [cindex.Cursor]),
    "clang_getTypeSpelling": (_String, [cindex.Type]),
    "clang_getCursorType": (cindex.Type, [cindex.Cursor]),
    "clang_getCanonicalType": (cindex.Type, [cindex.Type]),
    "clang_getUnqualifiedType": (cindex.Type, [cindex.Type]),
    "clang_getPointeeType": (cindex.Type, [cindex.Type]),
    "clang_getArrayElementType": (cindex.Type, [cindex.Type]),
    "clang_getResultType": (cindex.Type, [cindex.Type]),
    "clang_getNumArgTypes": (ctypes.c_int, [cindex.Type]),
    "clang_getArgType": (cindex.Type, [cindex.Type, ctypes.c_uint]),
    "clang_Cursor_getArgument": (cindex.Cursor, [cindex.Cursor, ctypes.c_uint]),
    "clang_getTypeDeclaration": (cindex.Cursor, [cindex.Type]),
    "clang_getEnumDeclIntegerType": (cindex.Type, [cindex.Cursor]),
    "clang_getEnumConstantDeclValue": (ctypes.c_longlong, [cindex.Cursor]),
    "clang_Type_getSizeOf": (ctypes.c_longlong, [cindex.Type]),
    "clang_isConstQualifiedType": (ctypes.c_uint, [cindex.Type]),
    "clang_isFunctionTypeVariadic": (ctypes.c_uint, [cindex.Type]),
    "clang_getCursorLocation": (cindex.SourceLocation, [cindex.Cursor]),
}

_VISITOR = ctypes.CFUNCTYPE(ctypes.c_int, cindex.Cursor, cindex.Cursor, ctypes.c_void_p)


@cache
def _library() -> ctypes.CDLL:
    """A handle of our own: that of cindex checks and copies at every call."""
    library = ctypes.CDLL(cindex.conf.get_filename())
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.clang_visitChildren.argtypes = [cindex.Cursor, _VISITOR, ctypes.c_void_p]
    library.clang_getFileLocation.argtypes = [
        cindex.SourceLocation,
        ctypes.c_void_p,
        *[ctypes.POINTER(ctypes.c_uint)] * 3,
    ]
    return library


class _Reader:
    """One flat walk over the top level of a parsed text."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._lib = library
        self._types: dict[int, CType] = {}

    def read(self, root: cindex.Cursor) -> tuple[tuple[Declared, ...], dict[str, int]]:
        functions: list[Declared] = []
        constants: dict[str, int] = {}

        def visit(cursor: cindex.Cursor, _parent: cindex.Cursor, _data: object) -> int:
            kind = cursor._kind_id
            if kind == _FUNCTION:
                functions.append(self._declared(cursor))
            elif kind == _ENUM_CONSTANT:
                constants[self._name(cursor)] = self._lib.clang_getEnumConstantDeclValue(cursor)
            return _RECURSE if kind == _ENUM else _CONTINUE

        self._lib.clang_visitChildren(root, _VISITOR(visit), None)
        return tuple(functions), constants

    def _declared(self, cursor: cindex.Cursor) -> Declared:
        lib = self._lib
        of = lib.clang_getCanonicalType(lib.clang_getCursorType(cursor))
        count = max(0, lib.clang_getNumArgTypes(of))
        return Declared(
            self._name(cursor),
            self._line(cursor),
            self._type(lib.clang_getResultType(of)),
            tuple([self._type(lib.clang_getArgType(of, position)) for position in range(count)]),
            tuple([self._name(lib.clang_Cursor_getArgument(cursor, position)) for position in range(count)]),
            bool(lib.clang_isFunctionTypeVariadic(of)),
            of._kind_id != _FUNCTION_NO_PROTOTYPE,
        )

    def _type(self, canonical: cindex.Type) -> CType:
        key = canonical.data[0]
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = self._convert(canonical)
        return found

    def _convert(self, canonical: cindex.Type) -> CType:
        kind = self._kind(canonical)
        unqualified = self._lib.clang_getUnqualifiedType(canonical)
        spelling = self._text(self._lib.clang_getTypeSpelling(unqualified))
        bits = max(0, self._lib.clang_Type_getSizeOf(canonical)) * 8
        if kind is TypeKind.VOID or kind is TypeKind.FUNCTION:
            bits = 0
        inner = self._inner(kind, canonical)
        if inner is None:
            return CType(kind, spelling, bits, self._signed(canonical))
        inner_spelling = self._text(self._lib.clang_getTypeSpelling(inner))
        const = bool(self._lib.clang_isConstQualifiedType(inner))
        return CType(kind, spelling, bits, False, inner_spelling, self._kind(inner), const)

    def _inner(self, kind: TypeKind, canonical: cindex.Type) -> cindex.Type | None:
        if kind is TypeKind.POINTER:
            return self._lib.clang_getCanonicalType(self._lib.clang_getPointeeType(canonical))
        if kind is TypeKind.ARRAY:
            return self._lib.clang_getCanonicalType(self._lib.clang_getArrayElementType(canonical))
        return None

    def _kind(self, canonical: cindex.Type) -> TypeKind:
        number = canonical._kind_id
        if number in _PLAIN_KINDS:
            return _PLAIN_KINDS[number]
        if number == _ENUM_TYPE or number in _SIGNED or number in _UNSIGNED:
            return TypeKind.INT
        if number in _ARRAYS:
            return TypeKind.ARRAY
        if number in _FLOATS:
            return TypeKind.FLOAT
        if number in (_FUNCTION_PROTOTYPE, _FUNCTION_NO_PROTOTYPE):
            return TypeKind.FUNCTION
        return TypeKind.UNKNOWN

    def _signed(self, canonical: cindex.Type) -> bool:
        number = canonical._kind_id
        if number == _ENUM_TYPE:
            declaration = self._lib.clang_getTypeDeclaration(canonical)
            number = self._lib.clang_getCanonicalType(
                self._lib.clang_getEnumDeclIntegerType(declaration)
            )._kind_id
        return number in _SIGNED

    def _name(self, cursor: cindex.Cursor) -> str:
        return self._text(self._lib.clang_getCursorSpelling(cursor))

    def _line(self, cursor: cindex.Cursor) -> int:
        line = ctypes.c_uint()
        location = self._lib.clang_getCursorLocation(cursor)
        self._lib.clang_getFileLocation(location, None, ctypes.byref(line), None, None)
        return line.value

    def _text(self, string: _String) -> str:
        text: bytes = self._lib.clang_getCString(string) or b""
        self._lib.clang_disposeString(string)
        return text.decode("utf-8", "replace")
