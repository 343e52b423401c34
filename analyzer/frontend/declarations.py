"""What a unit declares, as far as its functions mention it: names, kinds, types; each asked once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, final

from analyzer.frontend.types import Types, decayed
from analyzer.ir.function import FunctionDeclaration
from analyzer.ir.operands import Int
from analyzer.ir.types import CType, TypeKind
from analyzer.libclang import kinds
from analyzer.libclang.binding import Cursor, Type
from analyzer.libclang.parse import Unit

NORETURN: Final = frozenset(
    {
        "_Exit", "__assert", "__assert_fail", "__assert_perror_fail", "__builtin_abort", "__builtin_exit",
        "__builtin_longjmp", "__builtin_trap", "__builtin_unreachable", "__longjmp_chk", "_exit", "_longjmp",
        "abort", "exit", "longjmp", "pthread_exit", "quick_exit", "siglongjmp", "thrd_exit",
    }
)  # fmt: skip
"""Functions of ISO C, POSIX and the compiler that never return, for units that do not declare them so."""

_ATTRIBUTE: Final = re.compile(r"(?:__attribute__\(\(|\[\[(?:gnu::|clang::)?)(.*?)(?:\)\)|\]\])(?=\s|;|$|\{)")
_OF_INTEREST: Final = re.compile(
    r"\b(?:malloc|ownership_\w+|alloc_size|nonnull|returns_nonnull|cleanup|warn_unused_result)\b"
)
# The type of a function that never returns, or of a pointer to one, ends so; a parameter's type does not.
_NORETURN_TYPE: Final = re.compile(r"__attribute__\(\(noreturn\)\)(?: __attribute__\(\(.*?\)\))*$")
_NORETURN_WORD: Final = re.compile(r"\b_Noreturn\b|\[\[(?:gnu::)?(?:__noreturn__|noreturn|_Noreturn)\b")
_CLEANUP: Final = re.compile(r"\bcleanup\((\w+)\)")


@final
class Declared:
    """A declaration that code refers to. key: the address that identifies it."""

    __slots__ = ("_ctype", "_name", "_owner", "_type", "cursor", "key", "kind")

    def __init__(self, owner: Declarations, cursor: Cursor) -> None:
        self._owner = owner
        self.cursor = cursor
        self.key = cursor.first
        self.kind = cursor.kind
        self._name: str | None = None
        self._type: Type | None = None
        self._ctype: CType | None = None

    @property
    def name(self) -> str:
        """As spelled; "" for what has no name."""
        if self._name is None:
            lib = self._owner.unit.lib
            self._name = lib.text(lib.getCursorSpelling(self.cursor))
        return self._name

    @property
    def type(self) -> Type:
        """libclang's type of it."""
        if self._type is None:
            self._type = self._owner.unit.lib.getCursorType(self.cursor)
        return self._type

    @property
    def ctype(self) -> CType:
        """Its type in the IR."""
        if self._ctype is None:
            self._ctype = self._owner.types.convert(self.type)
            if self.kind == kinds.PARM_DECL:
                self._ctype = decayed(self._ctype)
        return self._ctype


@final
class Declarations:
    """The declarations of one unit. run_name: turns a file name of libclang into the run's name for it."""

    def __init__(self, unit: Unit, types: Types, run_name: Callable[[str], str]) -> None:
        self.unit = unit
        self.types = types
        self.run_name = run_name
        self.defined: set[str] = set()
        self.dropped: Mapping[str, tuple[str, ...]] = {}  # function -> attributes that the parser does not know
        self.functions: dict[str, FunctionDeclaration] = {}
        self._known: dict[int | None, Declared] = {}
        self._implicit: set[int | None] = set()
        self._constants: dict[int | None, int] = {}
        self._by_name: dict[str, Cursor] | None = None

    def referenced(self, cursor: Cursor) -> Declared | None:
        """What a reference (DECL_REF_EXPR, MEMBER_REF_EXPR ...) names; None when the parser does not know."""
        lib = self.unit.lib
        target = lib.getCursorReferenced(cursor)
        known = self._known.get(target.first)
        if known is None:
            if not target.first or target.kind > kinds.LAST_DECL:
                return None
            known = self._known[target.first] = Declared(self, target)
            if known.kind == kinds.FUNCTION_DECL:
                here, there = lib.getCursorLocation(cursor).raw, lib.getCursorLocation(target).raw
                if here == there:  # the parser declares an undeclared function at its first call
                    self._implicit.add(known.key)
        return known

    def of(self, cursor: Cursor) -> Declared:
        """The entry of a declaration's own cursor."""
        known = self._known.get(cursor.first)
        if known is None:
            known = self._known[cursor.first] = Declared(self, cursor)
        return known

    def constant(self, declared: Declared) -> Int:
        """The value of an enumerator."""
        known = self._constants.get(declared.key)
        if known is None:
            lib = self.unit.lib
            if declared.ctype.signed or not declared.ctype.bits:
                known = lib.getEnumConstantDeclValue(declared.cursor)
            else:
                known = lib.getEnumConstantDeclUnsignedValue(declared.cursor)
            self._constants[declared.key] = known
        return Int(known)

    def file_of(self, cursor: Cursor) -> str:
        """The run's name of the file in which a declaration stands."""
        unit = self.unit
        return self.run_name(unit.file_name(unit.place(unit.lib.getCursorLocation(cursor))[0]))

    def function(self, declared: Declared) -> FunctionDeclaration:
        """What is known about a function; kept for the unit's list."""
        known = self.functions.get(declared.name)
        if known is None:
            known = self.functions[declared.name] = self._function(declared)
        return known

    def cleanup(self, variable: Cursor) -> str:
        """The function of a variable's `cleanup` attribute, "" without one."""
        found = _CLEANUP.search(self.unit.printed(variable))
        if found and found.group(1) not in self.functions:
            cursor = self._function_named(found.group(1))
            if cursor is not None:
                self.function(self.of(cursor))
        return found.group(1) if found else ""

    def _function_named(self, name: str) -> Cursor | None:
        """The last declaration of a function, which no reference leads to."""
        if self._by_name is None:
            lib = self.unit.lib
            self._by_name = {lib.text(lib.getCursorSpelling(cursor)): cursor for cursor in self.unit.functions()}
        return self._by_name.get(name)

    def never_returns(self, function_type: Type) -> bool:
        """Whether a function type, or what such a pointer points to, has the noreturn attribute."""
        lib = self.unit.lib
        return bool(_NORETURN_TYPE.search(lib.text(lib.getTypeSpelling(lib.getCanonicalType(function_type)))))

    def _function(self, declared: Declared) -> FunctionDeclaration:
        unit, lib, types = self.unit, self.unit.lib, self.types
        cursor = declared.cursor
        type_ = types.canonical(declared.type)
        prototyped = type_.kind == kinds.TYPE_FUNCTION_PROTO
        count = max(0, lib.Cursor_getNumArguments(cursor))
        arguments = [lib.Cursor_getArgument(cursor, number) for number in range(count)]
        printed = unit.printed(cursor, terse=True) if lib.Cursor_hasAttrs(cursor) else ""
        static = lib.Cursor_getStorageClass(cursor) == kinds.STORAGE_STATIC
        implicit = declared.key in self._implicit
        return FunctionDeclaration(
            name=declared.name,
            result=types.convert(lib.getResultType(type_)),
            parameters=tuple(types.of_parameter(argument) for argument in arguments),
            parameter_names=tuple(lib.text(lib.getCursorSpelling(argument)) for argument in arguments),
            variadic=prototyped and bool(lib.isFunctionTypeVariadic(type_)),
            prototyped=prototyped,
            implicit=implicit,
            defined=declared.name in self.defined,
            static=static,
            noreturn=self._noreturn(declared, printed, static=static),
            system=not implicit and bool(lib.Location_isInSystemHeader(lib.getCursorLocation(cursor))),
            file=self.file_of(cursor),
            attributes=(*_attributes(printed), *self.dropped.get(declared.name, ())),
        )

    def _noreturn(self, declared: Declared, printed: str, *, static: bool) -> bool:
        if declared.name in NORETURN and not static and declared.name not in self.defined:
            return True
        if _NORETURN_WORD.search(printed):
            return True
        return self.never_returns(declared.type)


def _attributes(printed: str) -> tuple[str, ...]:
    """The attributes of a printed declaration that say something about ownership, as spelled."""
    found = (match.group(1).strip() for match in _ATTRIBUTE.finditer(printed))
    return tuple(dict.fromkeys(text for text in found if _OF_INTEREST.search(text)))


def is_scalar(type_: CType) -> bool:
    """Whether values of the type are read and written in one piece."""
    return type_.kind not in (TypeKind.VOID, TypeKind.ARRAY, TypeKind.RECORD, TypeKind.FUNCTION)
