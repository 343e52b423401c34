"""C types as far as the analysis asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import final


class TypeKind(Enum):
    """The coarse class of a C type."""

    VOID = "void"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    POINTER = "pointer"
    ARRAY = "array"
    RECORD = "record"
    FUNCTION = "function"
    UNKNOWN = "unknown"


@final
@dataclass(frozen=True, slots=True)
class CType:
    """A type after typedefs are resolved.

    spelling: canonical C spelling without qualifiers of the outermost level.
    bits: size in bits, 0 when unknown (incomplete or stubbed).
    signed: for INT (enums have the sign of their underlying type).
    pointee: spelling of what a pointer points to or an array holds, "" otherwise; qualifiers kept.
    pointee_kind: its kind; a `char **` has pointee_kind POINTER.
    pointee_const: whether that is const-qualified.
    """

    kind: TypeKind
    spelling: str
    bits: int = 0
    signed: bool = False
    pointee: str = ""
    pointee_kind: TypeKind = TypeKind.UNKNOWN
    pointee_const: bool = False


VOID = CType(TypeKind.VOID, "void")
INT = CType(TypeKind.INT, "int", 32, True)
UNKNOWN = CType(TypeKind.UNKNOWN, "?")
