"""A C file as text: its functions, where names are used, which statements stand in a block.

Read with regular expressions, on a copy in which comments, literals and directives are blank.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from mutants import arguments, blank, functions

T = TypeVar("T")

Files = dict[str, str]
"""Name below the source tree -> text. The file that is left out of it is gone."""

TYPE = r"(?:(?:const|unsigned|signed|struct|enum|union|long|short)\s+)*[A-Za-z_]\w*(?:\s+(?:int|long|char))?"
LOCAL = re.compile(rf"^[ \t]+({TYPE})(\s+\**|\s*\*+)([A-Za-z_]\w*)\s*(=|;|,|\[)", re.M)
NO_TYPE = frozenset(("return", "goto", "else", "case", "typedef", "static", "extern", "sizeof", "break"))
_STATEMENT = re.compile(r"(?<=[;{}])(\s*\n)([ \t]+)([A-Za-z_(*][^;{}]*;)[ \t]*(?=\n)")
_NO_STATEMENT = re.compile(r"(?:while|else|case|default|do|static|extern|typedef|enum|struct|for|if|switch)\b|\w+\s*:")


@dataclass(frozen=True)
class Function:
    """A definition. head: where its return type begins; name: where its name stands; start, end: its braces."""

    title: str
    parameters: str
    head: int
    name: int
    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A C file. code: its text with what is no code blanked; offsets are the same."""

    path: str
    text: str
    code: str
    functions: tuple[Function, ...]

    def body(self, function: Function) -> str:
        """The code between the braces, the first one included."""
        return self.code[function.start : function.end]

    def prototype(self, function: Function) -> str:
        """Its declaration."""
        return self.text[function.head : function.start].rstrip() + ";"

    def static(self, function: Function) -> bool:
        """Whether other files do not see it."""
        return re.search(r"\bstatic\b", self.code[function.head : function.name]) is not None

    def changed(self, *edits: tuple[int, int, str]) -> Files:
        """The file with some stretches replaced."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return {self.path: text}


Rewriting = Callable[[Source, Function, random.Random], Files | None]


def read_source(path: str, text: str, plain_only: bool = True) -> Source:
    """Finds the functions of a file; plain_only: without those with a directive inside, or between conditionals."""
    code = blank(text)
    found = []
    for title, parameters, start, end in functions(code):
        name = code.rfind(title, 0, start - len(parameters))
        head = max(code.rfind(";", 0, name), code.rfind("}", 0, name), text.rfind("\n#", 0, name)) + 1
        if head and text[head] == "#":
            head = text.find("\n", head) + 1
        head += len(code[head:name]) - len(code[head:name].lstrip())
        plain = "\n#" not in text[head : end + 1] and head < name and _depth(text[:head]) == 0
        if (plain or not plain_only) and head < name and re.search(r"\w", code[head:name]):
            found.append(Function(title, parameters, head, name, start, end))
    return Source(path, text, code, tuple(found))


def _depth(before: str) -> int:
    """Conditionals that are open, the guard of a header and the like included."""
    opened = len(re.findall(r"^[ \t]*#[ \t]*if", before, re.M))
    return opened - len(re.findall(r"^[ \t]*#[ \t]*endif", before, re.M))


def locals_of(source: Source, function: Function) -> dict[str, str]:
    """Local variable -> type as it is written before its name; without arrays."""
    found = {}
    for match in LOCAL.finditer(source.body(function)):
        if match[1].split()[0] not in NO_TYPE and match[4] != "[":
            stars = match[2].strip()
            found[match[3]] = f"{' '.join(match[1].split())} {stars}"
    return found


def parameters_of(function: Function) -> dict[str, str]:
    """Parameter -> type; empty where one is a function, an array or a `...`."""
    found = {}
    for part in arguments(function.parameters):
        match = re.fullmatch(r"\s*(.*?[\s*])([A-Za-z_]\w*)\s*", part, re.DOTALL)
        if match is None:
            return {}
        found[match[2]] = " ".join(match[1].split()) + (" " if not match[1].rstrip().endswith("*") else "")
    return found


def uses(source: Source, name: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a variable or function is named; members of that name are left out."""
    for match in re.compile(rf"(?<![\w.])(?<!->){re.escape(name)}(?!\w)").finditer(source.code, start, end):
        yield match.span()


def statements(source: Source, function: Function) -> list[tuple[int, int, str, str]]:
    """(start of its line, end, indentation, code) of each simple statement that stands in a block."""
    found = []
    for match in _STATEMENT.finditer(source.code, function.start, function.end):
        local = LOCAL.match(match[2] + match[3])
        declares = local is not None and local[1].split()[0] not in NO_TYPE
        if not _NO_STATEMENT.match(match[3]) and not declares:
            found.append((match.start(2), match.end(3), match[2], match[3]))
    return found


def pick(chance: random.Random, items: list[T]) -> T | None:
    """One of them, None of none."""
    return chance.choice(items) if items else None


def before(function: Function, text: str) -> tuple[int, int, str]:
    """An edit: this text in front of a function."""
    return (function.head, function.head, text + "\n\n")


def void(kind: str) -> bool:
    """Whether a function of this type returns nothing."""
    return kind.split() == ["void"]


def renamed(source: Source, name: str, new: str, start: int, end: int) -> Files | None:
    """The file with another name for something between two offsets; None where the new name is taken."""
    if re.search(rf"(?<!\w){new}(?!\w)", source.text):
        return None
    return source.changed(*((a, b, new) for a, b in uses(source, name, start, end)))
