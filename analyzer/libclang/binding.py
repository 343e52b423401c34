"""Typed handles on libclang's C interface: structures, function prototypes, the loaded library.

The handles belong to a `CDLL` of our own and not to `clang.cindex`: its result hooks cost several times the
call itself. Names are the C names without the ``clang_`` prefix. Does not decide what to ask.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
from collections.abc import Callable
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_int,
    c_longlong,
    c_uint,
    c_ulong,
    c_void_p,
)
from pathlib import Path
from typing import Any, Final, final

from analyzer.errors import MustfreeError


@final
class Cursor(Structure):
    """A node of the syntax tree, by value (`CXCursor` with its array taken apart).

    kind: see `kinds`. first: the declaration, for declarations. second: the node, for expressions and statements.
    A cursor is valid as long as its translation unit.
    """

    _fields_ = (
        ("kind", c_int),
        ("extra", c_int),
        ("first", c_void_p),
        ("second", c_void_p),
        ("unit", c_void_p),
    )
    kind: int
    first: int | None
    second: int | None


@final
class Type(Structure):
    """A C type (`CXType`). pointer: identifies the type together with its qualifiers."""

    _fields_ = (("kind", c_int), ("pointer", c_void_p), ("unit", c_void_p))
    kind: int
    pointer: int | None


@final
class Location(Structure):
    """A source location (`CXSourceLocation`). raw: libclang's own number for the position."""

    _fields_ = (("first", c_void_p), ("second", c_void_p), ("raw", c_uint))
    raw: int


@final
class Range(Structure):
    """A source range (`CXSourceRange`); begin and end are raw positions, the end is exclusive."""

    _fields_ = (("first", c_void_p), ("second", c_void_p), ("begin", c_uint), ("end", c_uint))
    first: int | None
    second: int | None
    begin: int
    end: int


@final
class RangeList(Structure):
    """Several source ranges, owned by libclang (`CXSourceRangeList`)."""

    _fields_ = (("count", c_uint), ("ranges", POINTER(Range)))


@final
class String(Structure):
    """A string owned by libclang (`CXString`)."""

    _fields_ = (("data", c_void_p), ("flags", c_uint))


@final
class UnsavedFile(Structure):
    """Contents that stand for a file (`CXUnsavedFile`)."""

    _fields_ = (("name", c_char_p), ("contents", c_char_p), ("length", c_ulong))


# int visitor(CXCursor cursor, CXCursor parent, CXClientData data)
Visitor = CFUNCTYPE(c_int, Cursor, Cursor, c_void_p)
# int visitor(CXCursor field, CXClientData data)
FieldVisitor = CFUNCTYPE(c_int, Cursor, c_void_p)
# void visitor(CXFile included, CXSourceLocation *stack, unsigned length, CXClientData data)
InclusionVisitor = CFUNCTYPE(None, c_void_p, POINTER(Location), c_uint, c_void_p)

_POSITION: Final = [
    Location,
    POINTER(c_void_p),
    POINTER(c_uint),
    POINTER(c_uint),
    POINTER(c_uint),
]

_PROTOTYPES: Final[dict[str, tuple[list[Any], Any]]] = {
    "createIndex": ([c_int, c_int], c_void_p),
    "disposeIndex": ([c_void_p], None),
    "parseTranslationUnit2FullArgv": (
        [
            c_void_p,
            c_char_p,
            POINTER(c_char_p),
            c_int,
            POINTER(UnsavedFile),
            c_uint,
            c_uint,
            POINTER(c_void_p),
        ],
        c_int,
    ),
    "disposeTranslationUnit": ([c_void_p], None),
    "getTranslationUnitCursor": ([c_void_p], Cursor),
    "getClangVersion": ([], String),
    "getCString": ([String], c_char_p),
    "disposeString": ([String], None),
    "getNumDiagnostics": ([c_void_p], c_uint),
    "getDiagnostic": ([c_void_p, c_uint], c_void_p),
    "disposeDiagnostic": ([c_void_p], None),
    "getDiagnosticSeverity": ([c_void_p], c_int),
    "getDiagnosticSpelling": ([c_void_p], String),
    "getDiagnosticLocation": ([c_void_p], Location),
    "getFile": ([c_void_p, c_char_p], c_void_p),
    "getFileName": ([c_void_p], String),
    "getInclusions": ([c_void_p, InclusionVisitor, c_void_p], None),
    "getAllSkippedRanges": ([c_void_p], POINTER(RangeList)),
    "disposeSourceRangeList": ([POINTER(RangeList)], None),
    "getLocationForOffset": ([c_void_p, c_void_p, c_uint], Location),
    "getExpansionLocation": (_POSITION, None),
    "getFileLocation": (_POSITION, None),
    "Location_isInSystemHeader": ([Location], c_int),
    "visitChildren": ([Cursor, Visitor, c_void_p], c_uint),
    "getCursorLocation": ([Cursor], Location),
    "getCursorExtent": ([Cursor], Range),
    "getCursorReferenced": ([Cursor], Cursor),
    "getCanonicalCursor": ([Cursor], Cursor),
    "getCursorDefinition": ([Cursor], Cursor),
    "getCursorSemanticParent": ([Cursor], Cursor),
    "isCursorDefinition": ([Cursor], c_uint),
    "getCursorSpelling": ([Cursor], String),
    "getCursorType": ([Cursor], Type),
    "getCursorResultType": ([Cursor], Type),
    "getCursorBinaryOperatorKind": ([Cursor], c_int),
    "getCursorUnaryOperatorKind": ([Cursor], c_int),
    "Cursor_getStorageClass": ([Cursor], c_int),
    "Cursor_hasVarDeclGlobalStorage": ([Cursor], c_int),
    "Cursor_getVarDeclInitializer": ([Cursor], Cursor),
    "Cursor_hasAttrs": ([Cursor], c_uint),
    "Cursor_isVariadic": ([Cursor], c_uint),
    "Cursor_getNumArguments": ([Cursor], c_int),
    "Cursor_getArgument": ([Cursor, c_uint], Cursor),
    "Cursor_getOffsetOfField": ([Cursor], c_longlong),
    "Cursor_isBitField": ([Cursor], c_uint),
    "Cursor_isAnonymous": ([Cursor], c_uint),
    "getFieldDeclBitWidth": ([Cursor], c_int),
    "getEnumConstantDeclValue": ([Cursor], c_longlong),
    "getEnumConstantDeclUnsignedValue": ([Cursor], ctypes.c_ulonglong),
    "getEnumDeclIntegerType": ([Cursor], Type),
    "getCursorPrintingPolicy": ([Cursor], c_void_p),
    "PrintingPolicy_setProperty": ([c_void_p, c_int, c_uint], None),
    "PrintingPolicy_dispose": ([c_void_p], None),
    "getCursorPrettyPrinted": ([Cursor, c_void_p], String),
    "Cursor_Evaluate": ([Cursor], c_void_p),
    "EvalResult_getKind": ([c_void_p], c_int),
    "EvalResult_getAsLongLong": ([c_void_p], c_longlong),
    "EvalResult_getAsDouble": ([c_void_p], c_double),
    "EvalResult_dispose": ([c_void_p], None),
    "getCanonicalType": ([Type], Type),
    "getTypeSpelling": ([Type], String),
    "getTypeDeclaration": ([Type], Cursor),
    "getPointeeType": ([Type], Type),
    "getArrayElementType": ([Type], Type),
    "getElementType": ([Type], Type),
    "getArraySize": ([Type], c_longlong),
    "getResultType": ([Type], Type),
    "getNumArgTypes": ([Type], c_int),
    "getArgType": ([Type, c_uint], Type),
    "getUnqualifiedType": ([Type], Type),
    "isConstQualifiedType": ([Type], c_uint),
    "isFunctionTypeVariadic": ([Type], c_uint),
    "Type_getSizeOf": ([Type], c_longlong),
    "Type_getOffsetOf": ([Type, c_char_p], c_longlong),
    "Type_getValueType": ([Type], Type),
    "Type_visitFields": ([Type, FieldVisitor, c_void_p], c_uint),
}


def _library_path() -> Path:
    """Where the wheel keeps the library; the package itself is not imported, which saves its start-up time."""
    spec = importlib.util.find_spec("clang")
    names = {"win32": "libclang.dll", "darwin": "libclang.dylib"}
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "native" / names.get(sys.platform, "libclang.so")
        if path.is_file():
            return path
    raise MustfreeError("libclang is missing; install it with: pip install libclang==18.1.1")


class Library:
    """libclang's functions as attributes, loaded once. Every attribute is a C function with its types set."""

    def __init__(self, path: Path) -> None:
        try:
            dll = CDLL(str(path))
        except OSError as error:
            raise MustfreeError(f"libclang cannot be loaded: {error}") from error
        for name, (arguments, result) in _PROTOTYPES.items():
            try:
                function = getattr(dll, "clang_" + name)
            except AttributeError as error:
                message = f"{path}: clang_{name} is missing; libclang 18.1.1 is needed (pip install libclang==18.1.1)"
                raise MustfreeError(message) from error
            function.argtypes = arguments
            function.restype = result
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(f"clang_{name} has no prototype in analyzer.libclang.binding")

    def text(self, string: String) -> str:
        """The string's characters; releases the string. Bytes that are not UTF-8 come as Latin-1."""
        data: bytes = self.getCString(string) or b""
        self.disposeString(string)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1")


_loaded: list[Library] = []


def library() -> Library:
    """The library, loaded at the first call. Raises MustfreeError when it is missing or another version."""
    if not _loaded:
        _loaded.append(Library(_library_path()))
    return _loaded[0]


def version() -> str:
    """The library's version line, like "clang version 18.1.1"."""
    lib = library()
    return lib.text(lib.getClangVersion())
