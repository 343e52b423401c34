"""Does a declaration seen in a program look like the function a contract was written for?

Compared: number of parameters, variadic or not, and the class of the result and of each parameter (pointer,
integer, float, record). Pointers need the same depth, and the same tag where both lead to structs. Not
compared: const, integer widths and signs, and what `void *` and `char *` lead to; they differ between
versions of a library.
"""

from __future__ import annotations

import re
from functools import cache

from analyzer.contracts.model import Signature
from analyzer.ir.function import FunctionDeclaration
from analyzer.ir.types import CType, TypeKind

_INTEGERS = frozenset({TypeKind.INT, TypeKind.BOOL})
_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|_Atomic|__restrict)\b")
_POINTERS = frozenset({TypeKind.POINTER, TypeKind.ARRAY, TypeKind.FUNCTION})
_BYTES = frozenset({"void", "char", "unsigned char", "signed char"})


def mismatch(wanted: Signature, declared: FunctionDeclaration) -> str:
    """Why the declaration is another function, in words; "" when it fits."""
    if len(wanted.parameters) != len(declared.parameters):
        return f"it has {_count(len(declared.parameters))}, not {len(wanted.parameters)}"
    if wanted.variadic != declared.variadic:
        return "it takes variable arguments" if declared.variadic else "it takes no variable arguments"
    if not fits(wanted.result, declared.result):
        return f"it returns {declared.result.spelling}, not {wanted.result.spelling}"
    pairs = zip(wanted.parameters, declared.parameters, strict=True)
    for number, (expected, found) in enumerate(pairs, 1):
        if not fits(expected, found):
            return f"its parameter {number} is {found.spelling}, not {expected.spelling}"
    return ""


def narrower(wanted: Signature, declared: FunctionDeclaration) -> str:
    """Why a static function with a body is another one though it fits: it takes structs where any memory was wanted."""
    if not (declared.static and declared.defined):
        return ""
    for number, (expected, found) in enumerate(zip(wanted.parameters, declared.parameters, strict=True), 1):
        if _taken_apart(expected) == (1, "void") and _is_record(found, _taken_apart(found)[1]):
            return f"its parameter {number} is {found.spelling}, not {expected.spelling}"
    return ""


def _count(parameters: int) -> str:
    return "1 parameter" if parameters == 1 else f"{parameters} parameters"


def fits(wanted: CType, found: CType) -> bool:
    """Whether the two types are of the same class; a type nothing is known about fits any."""
    if TypeKind.UNKNOWN in (wanted.kind, found.kind):
        return True
    if wanted.kind in _INTEGERS:
        return found.kind in _INTEGERS
    if wanted.kind in _POINTERS and found.kind in _POINTERS:
        return _pointers_fit(wanted, found)
    if TypeKind.RECORD in (wanted.kind, found.kind) and wanted.kind is not found.kind:
        # A transparent union: glibc declares bind(int, __CONST_SOCKADDR_ARG, socklen_t) so.
        record, other = (wanted, found) if wanted.kind is TypeKind.RECORD else (found, wanted)
        return other.kind is TypeKind.POINTER and _tag(record.spelling).startswith("__")
    if wanted.kind is TypeKind.RECORD:
        return _tags_fit(wanted.spelling, found.spelling)
    return wanted.kind is found.kind


@cache
def _pointers_fit(wanted: CType, found: CType) -> bool:
    wanted_depth, wanted_base = _taken_apart(wanted)
    found_depth, found_base = _taken_apart(found)
    if "?" in (wanted_base, found_base):
        return True
    if wanted_depth != found_depth:
        return False
    if wanted_base == found_base:
        return True
    if "()" in (wanted_base, found_base):
        return False
    if wanted_base in _BYTES or found_base in _BYTES:
        return True
    wanted_record, found_record = _is_record(wanted, wanted_base), _is_record(found, found_base)
    if wanted_record and found_record:
        return _tags_fit(wanted_base, found_base)
    return wanted_record is found_record


def _taken_apart(of: CType) -> tuple[int, str]:
    """Number of stars and what stands at their end: "()" for a function, "?" when unknown."""
    spelling = _QUALIFIERS.sub("", of.spelling)
    if of.kind is TypeKind.FUNCTION:
        return 1, "()"
    if "(" in spelling and "(unnamed" not in spelling and "(anonymous" not in spelling:
        stars = re.search(r"\(([\s*]+)\)", spelling)
        return (stars[1].count("*") if stars else 1), "()"
    depth = spelling.count("*") + spelling.count("[")
    base = " ".join(re.sub(r"\*|\[[^\]]*\]", " ", spelling).split())
    return depth, base or "?"


def _is_record(of: CType, base: str) -> bool:
    if base.startswith(("struct ", "union ")):
        return True
    return of.pointee_kind is TypeKind.RECORD


def _tags_fit(left: str, right: str) -> bool:
    """Same tag; a reserved name (``struct _IO_FILE``) is the C library's affair and fits any."""
    one, other = _tag(left), _tag(right)
    if not one or not other or "(" in one or "(" in other:
        return True
    return one == other or one.startswith("_") or other.startswith("_")


def _tag(spelling: str) -> str:
    return re.sub(r"^(?:struct|union)\s+", "", _QUALIFIERS.sub("", spelling).strip())
