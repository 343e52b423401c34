"""Declarations for names that a missing header would have supplied, read off the parser's messages.

A stub says that a name exists and nothing more: a type is `long`, a constant a number of its own, a structure has the
members that were asked for. Good enough to keep statements; wrong about values, which nobody knows. What ISO C and
POSIX fix is right all the same: NULL is null, and `size_t` is unsigned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, final

_NAME: Final = r"'(?:(struct|union|enum) )?([A-Za-z_]\w*)(?: \*+)?'"
_UNKNOWN_TYPE: Final = re.compile(rf"unknown type name {_NAME}")
_UNDECLARED: Final = re.compile(rf"use of undeclared identifier {_NAME}")
_INCOMPLETE: Final = re.compile(
    r"(?:incomplete (?:definition of )?type|sizeof' to an incomplete type|incomplete type) "
    rf"{_NAME}|(?:has|to an|of) incomplete type {_NAME}"
)
_NO_MEMBER: Final = re.compile(rf"no member named '(\w+)' in {_NAME}")
_STANDARD_TYPES: Final = {
    **dict.fromkeys(("size_t", "uint64_t", "uintptr_t", "uintmax_t", "ino_t", "dev_t"), "unsigned long"),
    **dict.fromkeys(("uint32_t", "uid_t", "gid_t", "mode_t", "socklen_t", "u_int"), "unsigned int"),
    **dict.fromkeys(("uint8_t", "u_char", "u_int8_t"), "unsigned char"),
    **dict.fromkeys(("uint16_t", "u_short", "u_int16_t"), "unsigned short"),
    **dict.fromkeys(("int32_t", "pid_t", "wchar_t"), "int"),
    "int8_t": "signed char",
    "int16_t": "short",
    "bool": "_Bool",
    "va_list": "__builtin_va_list",
    "FILE": "struct _IO_FILE",
    "DIR": "struct __dirstream",
}
_STANDARD_VALUES: Final = {
    "NULL": "((void *)0)",
    "EOF": "(-1)",
    "EXIT_SUCCESS": "0",
    "EXIT_FAILURE": "1",
    **dict.fromkeys(("false", "FALSE", "O_RDONLY", "STDIN_FILENO", "SEEK_SET", "LC_CTYPE"), "0"),
    **dict.fromkeys(("true", "TRUE", "O_WRONLY", "STDOUT_FILENO", "SEEK_CUR"), "1"),
    **dict.fromkeys(("O_RDWR", "STDERR_FILENO", "SEEK_END"), "2"),
    "MAP_FAILED": "((void *)-1)",
    "INT_MAX": "2147483647",
    "INT_MIN": "(-2147483647 - 1)",
    "UINT_MAX": "4294967295U",
    "LONG_MAX": "9223372036854775807L",
    "SIZE_MAX": "18446744073709551615UL",
}
_STANDARD_VARIABLES: Final = {
    **dict.fromkeys(("stdin", "stdout", "stderr"), "struct _IO_FILE *"),
    "errno": "int ",
    "environ": "char **",
    "optarg": "char *",
    "optind": "int ",
}
_KEYWORDS: Final = frozenset({"struct", "union", "enum", "if", "else", "while", "for", "return", "int"})


@final
@dataclass(slots=True)
class Stubs:
    """The stubs so far."""

    types: dict[str, None] = field(default_factory=dict)
    constants: dict[str, None] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    records: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)

    def learn(self, messages: Iterable[str], functions: Iterable[str] = ()) -> None:
        """Add stubs for what the messages miss. functions: names that are declared elsewhere by now."""
        for message in messages:
            self._message(message)
        for name in functions:
            self.variables.pop(name, None)
            self.constants.pop(name, None)

    def _message(self, message: str) -> None:
        if match := _UNKNOWN_TYPE.search(message):
            self._type(match.group(2))
        elif match := _UNDECLARED.search(message):
            self._value(match.group(2))
        elif match := _NO_MEMBER.search(message):
            record = (match.group(2) or "struct", match.group(3))
            if record in self.records:
                self.records[record][match.group(1)] = None
        elif match := _INCOMPLETE.search(message):
            kind, name = match.group(1) or match.group(3), match.group(2) or match.group(4)
            if kind in ("struct", "union") and name:
                self.records.setdefault((kind, name), {})

    def _type(self, name: str) -> None:
        # A name that was taken for a value first is a type after all.
        self.variables.pop(name, None)
        self.constants.pop(name, None)
        if name not in _KEYWORDS:
            self.types[name] = None

    def _value(self, name: str) -> None:
        if name in self.types or name in _KEYWORDS:
            return
        if name.upper() == name or name in _STANDARD_VALUES:
            self.constants[name] = None
        else:
            self.variables[name] = None

    def text(self) -> str:
        """The header with all stubs, "" without any."""
        lines = [f"typedef {_STANDARD_TYPES.get(name, 'long')} {name};" for name in self.types]
        for (kind, name), members in self.records.items():
            fields = "".join(f" long {member};" for member in members)
            lines.append(f"{kind} {name} {{ long mustfree_unknown;{fields} }};")
        known = [name for name in self.constants if name in _STANDARD_VALUES]
        others = [name for name in self.constants if name not in _STANDARD_VALUES]
        lines += [f"#define {name} {_STANDARD_VALUES[name]}" for name in known]
        lines += [f"enum {{ {name} = {1000 + number} }};" for number, name in enumerate(others)]
        lines += [f"extern {_STANDARD_VARIABLES.get(name, 'long ')}{name};" for name in self.variables]
        return "".join(line + "\n" for line in lines)
