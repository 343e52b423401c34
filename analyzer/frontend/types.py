"""C types of libclang as IR types, and the layout of records.

Everything is asked once per type and unit. Sizes and offsets are in bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, final

from analyzer.ir.types import UNKNOWN, VOID, CType, TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, FieldVisitor, Library, Type, Visitor

_ARRAYS: Final = frozenset({kinds.TYPE_CONSTANT_ARRAY, kinds.TYPE_INCOMPLETE_ARRAY, kinds.TYPE_VARIABLE_ARRAY})
_FUNCTIONS: Final = frozenset({kinds.TYPE_FUNCTION_PROTO, kinds.TYPE_FUNCTION_NO_PROTO})
_POINTERS: Final = frozenset({kinds.TYPE_POINTER, kinds.TYPE_BLOCK_POINTER, kinds.TYPE_NULLPTR})


@final
@dataclass(frozen=True, slots=True)
class Member:
    """A field of a record. offset: from the record's start, -1 unknown. width: of a bit-field, else 0."""

    name: str
    offset: int
    type: Type
    width: int
    anonymous: bool


def decayed(ctype: CType) -> CType:
    """The type as a parameter's: an array is a pointer to its elements."""
    if ctype.kind is not TypeKind.ARRAY:
        return ctype
    return replace(ctype, kind=TypeKind.POINTER, spelling=f"{ctype.pointee} *", bits=64)


@final
class Types:
    """Types of one translation unit."""

    def __init__(self, lib: Library) -> None:
        self._lib = lib
        self._known: dict[int | None, CType] = {}
        self._bits: dict[int | None, int] = {}
        self._members: dict[int | None, tuple[Member, ...]] = {}
        self._offsets: dict[tuple[int | None, str], int] = {}

    def of(self, cursor: Cursor) -> CType:
        """The type of an expression or declaration."""
        return self.convert(self._lib.getCursorType(cursor))

    def of_parameter(self, cursor: Cursor) -> CType:
        """The type of a parameter; libclang shows ``int fd[2]`` as it is written, but it is a pointer."""
        return decayed(self.of(cursor))

    def convert(self, type_: Type) -> CType:
        """A libclang type, typedefs resolved."""
        known = self._known.get(type_.pointer)
        if known is None:
            known = self._known[type_.pointer] = self._convert(type_)
        return known

    def canonical(self, type_: Type) -> Type:
        """The type without typedefs and without `_Atomic`."""
        canonical: Type = self._lib.getCanonicalType(type_)
        while canonical.kind == kinds.TYPE_ATOMIC:
            canonical = self._lib.getCanonicalType(self._lib.Type_getValueType(canonical))
        return canonical

    def bits(self, type_: Type) -> int:
        """The size of a type; 8 for `void` and functions as GNU C counts them, 0 when unknown."""
        known = self._bits.get(type_.pointer)
        if known is None:
            canonical = self.canonical(type_)
            if canonical.kind == kinds.TYPE_VOID or canonical.kind in _FUNCTIONS:
                known = 8
            else:
                known = max(0, self._lib.Type_getSizeOf(canonical)) * 8
            self._bits[type_.pointer] = known
        return known

    def pointee(self, type_: Type) -> Type:
        """What a pointer points to or an array holds."""
        canonical = self.canonical(type_)
        if canonical.kind in _ARRAYS:
            inner: Type = self._lib.getArrayElementType(canonical)
        else:
            inner = self._lib.getPointeeType(canonical)
        return inner

    def pointee_bits(self, cursor: Cursor) -> int:
        """Size of what the pointer or array expression points to."""
        return self.bits(self.pointee(self._lib.getCursorType(cursor)))

    def _kind(self, canonical: Type) -> TypeKind:
        number = canonical.kind
        if kinds.TYPE_FIRST_UNSIGNED <= number <= kinds.TYPE_LAST_SIGNED or number == kinds.TYPE_ENUM:
            return TypeKind.INT
        for group, kind in (
            (_POINTERS, TypeKind.POINTER),
            (_ARRAYS, TypeKind.ARRAY),
            (_FUNCTIONS, TypeKind.FUNCTION),
            (kinds.TYPE_FLOATS, TypeKind.FLOAT),
        ):
            if number in group:
                return kind
        single = {
            kinds.TYPE_VOID: TypeKind.VOID,
            kinds.TYPE_BOOL: TypeKind.BOOL,
            kinds.TYPE_RECORD: TypeKind.RECORD,
        }
        return single.get(number, TypeKind.UNKNOWN)

    def _convert(self, type_: Type) -> CType:
        lib = self._lib
        canonical = self.canonical(type_)
        kind = self._kind(canonical)
        if kind is TypeKind.VOID:
            return VOID
        if canonical.kind == 0 or canonical.kind == 26:  # no type, or one that depends on an error
            return UNKNOWN
        spelling = lib.text(lib.getTypeSpelling(lib.getUnqualifiedType(canonical)))
        bits = max(0, lib.Type_getSizeOf(canonical)) * 8
        if kind is TypeKind.FUNCTION:
            return CType(kind, spelling)
        if kind in (TypeKind.POINTER, TypeKind.ARRAY) and canonical.kind != kinds.TYPE_NULLPTR:
            inner = lib.getCanonicalType(self.pointee(canonical))
            return CType(
                kind,
                spelling,
                bits,
                pointee=lib.text(lib.getTypeSpelling(inner)),
                pointee_kind=self._kind(self.canonical(inner)),
                pointee_const=bool(lib.isConstQualifiedType(inner)),
            )
        return CType(kind, spelling, bits, signed=kind is TypeKind.INT and self._signed(canonical))

    def _signed(self, canonical: Type) -> bool:
        if canonical.kind == kinds.TYPE_ENUM:
            integer = self._lib.getEnumDeclIntegerType(self._lib.getTypeDeclaration(canonical))
            canonical = self._lib.getCanonicalType(integer)
        return kinds.TYPE_FIRST_SIGNED <= canonical.kind <= kinds.TYPE_LAST_SIGNED

    def enumerators(self, type_: Type) -> tuple[int, ...]:
        """The values of an enumeration's constants, none for another type."""
        canonical = self.canonical(type_)
        if canonical.kind != kinds.TYPE_ENUM:
            return ()
        lib = self._lib
        found: list[int] = []

        def visit(cursor: Cursor, _parent: Cursor, _data: object) -> int:
            if cursor.kind == kinds.ENUM_CONSTANT_DECL:
                found.append(lib.getEnumConstantDeclValue(cursor))
            return 1  # the next one

        lib.visitChildren(lib.getTypeDeclaration(canonical), Visitor(visit), None)
        return tuple(found)

    def members(self, type_: Type) -> tuple[Member, ...]:
        """The fields of a record in order; those of its anonymous members stand in the member's own type."""
        canonical = self.canonical(type_)
        known = self._members.get(canonical.pointer)
        if known is None:
            known = self._members[canonical.pointer] = self._ask_members(canonical)
        return known

    def _ask_members(self, record: Type) -> tuple[Member, ...]:
        lib = self._lib
        found: list[Cursor] = []

        def visit(field: Cursor, _data: object) -> int:
            found.append(field)
            return 1

        lib.Type_visitFields(record, FieldVisitor(visit), None)
        members = []
        for field in found:
            name = lib.text(lib.getCursorSpelling(field))
            width = lib.getFieldDeclBitWidth(field) if lib.Cursor_isBitField(field) else 0
            anonymous = not name or "(" in name
            if anonymous and width:
                continue  # padding between bit-fields is no member
            offset = lib.Cursor_getOffsetOfField(field)
            members.append(
                Member("" if anonymous else name, max(-1, offset), lib.getCursorType(field), width, anonymous)
            )
        return tuple(members)

    def is_union(self, type_: Type) -> bool:
        """Whether a record type is a union."""
        declaration: Cursor = self._lib.getTypeDeclaration(self.canonical(type_))
        return declaration.kind == kinds.UNION_DECL

    def offset(self, record: Type, name: str) -> int:
        """Offset of a named field, also one inside anonymous members; -1 when unknown."""
        key = (record.pointer, name)
        known = self._offsets.get(key)
        if known is None:
            known = self._offsets[key] = max(-1, self._lib.Type_getOffsetOf(self.canonical(record), name.encode()))
        return known

    def array_length(self, type_: Type) -> int:
        """Number of elements, -1 when the type does not say."""
        length: int = self._lib.getArraySize(self.canonical(type_))
        return length

    def is_array(self, type_: Type) -> bool:
        """Whether the type is an array."""
        return self.canonical(type_).kind in _ARRAYS

    def is_variable_array(self, type_: Type) -> bool:
        """Whether the size of the type is computed where it is declared."""
        while self.is_array(type_):
            if self.canonical(type_).kind == kinds.TYPE_VARIABLE_ARRAY:
                return True
            type_ = self.pointee(type_)
        return False

    def is_const(self, type_: Type) -> bool:
        """Whether an object of the type never changes (for arrays: its elements)."""
        canonical = self.canonical(type_)
        while canonical.kind in _ARRAYS:
            if self._lib.isConstQualifiedType(canonical):
                return True
            canonical = self.canonical(self._lib.getArrayElementType(canonical))
        return bool(self._lib.isConstQualifiedType(canonical))
