"""Declarations for names that a missing header would have supplied, read off the parser's messages.

A stub says that a name exists and nothing more: a type is `long`, a constant a number of its own, a structure has the
members that were asked for. Good enough to keep statements; wrong about values, which nobody knows.
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
_KEYWORDS: Final = frozenset({"struct", "union", "enum", "if", "else", "while", "for", "return", "int"})


@final
@dataclass(slots=True)
class Stubs:
    """The stubs so far."""

    types: dict[str, None] = field(default_factory=dict)
    constants: dict[str, None] = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    records: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)

    def learn(self, messages: Iterable[str]) -> bool:
        """Add stubs for what the messages miss; whether anything is new."""
        before = self.text()
        for message in messages:
            self._message(message)
        return self.text() != before

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
        if name.upper() == name:
            self.constants[name] = None
        else:
            self.variables[name] = None

    def text(self) -> str:
        """The header with all stubs, "" without any."""
        lines = [f"typedef long {name};" for name in self.types]
        for (kind, name), members in self.records.items():
            fields = "".join(f" long {member};" for member in members)
            lines.append(f"{kind} {name} {{ long mustfree_unknown;{fields} }};")
        lines += [f"enum {{ {name} = {1000 + number} }};" for number, name in enumerate(self.constants)]
        lines += [f"extern long {name};" for name in self.variables]
        return "".join(line + "\n" for line in lines)
