"""What a function that no contract describes may do with an argument: borrow it, or anything.

The rule: a pointer to const is borrowed unless the name speaks of keeping or releasing; functions whose name
says that they print, compare or measure borrow, and so do those that read or write bytes, of a buffer that is
given with its size; everything else lets the argument escape. Names are evidence of the weak sort, so a finding
that relies on one is never of high confidence.
"""

from __future__ import annotations

import re
from functools import cache

from analyzer.ir.types import CType, TypeKind

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_KEEPING = """
    add insert append prepend push set register enqueue attach link queue save store keep put own take
    assign install submit send post schedule defer track manage adopt move transfer hold give watch
"""
_RELEASING = """
    free destroy release delete del close put unref drop dispose cleanup clean clear deinit fini term
    destruct kill purge remove reset shutdown discard finish end exit teardown zap dealloc deref
"""
_OBSERVING = """
    print printf fprintf snprintf vprintf dump log logf debug dbg trace warn warning error err info notice
    perror show display format compare cmp equal equals eq hash crc checksum strlen length size count
    hexdump validate verify check is has assert
"""
_MOVING_BYTES = """
    read recv receive write fill copy encode decode parse crypt encrypt decrypt scan
"""
_COMPARING = """
    eq ne lt le gt ge equal equals null false not str string strings mem memory int integer uint float double
"""
_ENDING = """
    fatal fatalx die panic xerr xerrx
"""
_SAYING = """
    error err errno msg usage oom exit with failure bad args
"""
TRUSTED = "!"  # behind a name: it is taken to borrow because the project says so of all unknown functions
TAKING = frozenset(_KEEPING.split()) | frozenset(_RELEASING.split())
OBSERVING = frozenset(_OBSERVING.split())
MOVING_BYTES = frozenset(_MOVING_BYTES.split())
COMPARING = frozenset(_COMPARING.split())
ENDING = frozenset(_ENDING.split())
SAYING = frozenset(_SAYING.split())


def words(name: str) -> tuple[str, ...]:
    """The words of an identifier, lower case: ``nl_cacheAdd`` gives nl, cache, add."""
    return tuple(part.lower() for part in _PARTS.findall(name))


@cache
def name_suggests_taking(name: str) -> bool:
    """Whether the name speaks of keeping or releasing."""
    return any(word in TAKING for word in words(name))


@cache
def name_suggests_observing(name: str) -> bool:
    """Whether the name speaks of printing, comparing or measuring, and of nothing else."""
    return any(word in OBSERVING for word in words(name)) and not name_suggests_taking(name)


@cache
def name_suggests_ending(name: str) -> bool:
    """Whether the name says that the process ends there: ``fatal()``, ``my_die()``, ``exit_with_usage()``."""
    found = words(name)
    if not found:
        return False
    says = len(found) > 1 and all(word in SAYING for word in found[1:])
    return found[-1] in ENDING or (says and (found[0] in ENDING or found[0] == "exit"))


@cache
def name_suggests_asserting(name: str) -> bool:
    """Whether the name speaks of a condition, the first argument, without which nothing goes on."""
    found = words(name)
    return "assert" in found and not any(word in COMPARING for word in found)


@cache
def name_suggests_moving_bytes(name: str) -> bool:
    """Whether the name speaks of reading or writing, and of nothing else: ``must_read()``."""
    return any(word in MOVING_BYTES for word in words(name)) and not name_suggests_taking(name)


def is_sized_buffer(name: str | None, parameter: CType, following: CType | None) -> bool:
    """Whether the argument is a buffer, the next one its size, and the function there to read or write bytes."""
    if name is None or following is None or following.kind is not TypeKind.INT or not name_suggests_moving_bytes(name):
        return False
    byte = parameter.pointee.rsplit(" ", 1)[-1] in ("char", "void")
    return parameter.kind is TypeKind.POINTER and byte


def is_number_of(parameter: CType, argument: str) -> bool:
    """Whether the argument is the address of a number, ``&entry->count``: that is for reading or writing it."""
    number = parameter.pointee_kind in (TypeKind.INT, TypeKind.BOOL, TypeKind.FLOAT)
    byte = parameter.pointee.rsplit(" ", 1)[-1] == "char"
    return parameter.kind is TypeKind.POINTER and number and not byte and argument.startswith("&")


def may_lend(name: str) -> bool:
    """Whether a project can mean this function when it says that unknown ones borrow."""
    return bool(name) and not name_suggests_taking(name)


def borrows(name: str, parameter: CType, variadic_tail: bool) -> bool:
    """Whether an unknown function only borrows this argument. name: of a call through a pointer, the pointer's."""
    if not name:
        return False
    if name_suggests_observing(name):
        return not (parameter.kind is TypeKind.POINTER and parameter.pointee_kind is TypeKind.POINTER)
    if variadic_tail:
        return False
    if parameter.kind is TypeKind.POINTER:
        return parameter.pointee_const and not name_suggests_taking(name)
    return False
