"""Reads the sources as text, before anything is parsed: which files can matter, which functions are defined.

A file is left out when it mentions no function that a contract speaks of, and no macro that leads to one.
The answer errs on the side of parsing. Knows no preprocessor: every `#define` of every file counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
MACRO = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n]*\\\r?\n)*[^\n]*)", re.MULTILINE)
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*(?:include|include_next|import)[ \t]*[<"]([^">\n]+)[">]', re.MULTILINE)
# A definition that begins in the first column: type words, the name, the parameters with two levels of
# brackets, attributes or K&R declarations, the opening brace.
FUNCTION_HEAD = re.compile(
    rb"^(?:[A-Za-z_][\w \t\r\n*]*[\s*])?([A-Za-z_]\w*)[ \t]*"
    rb"\((?:[^(){};]|\((?:[^(){};]|\([^(){};]*\))*\))*\)"
    rb"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*|__attribute__[ \t]*\(\((?:[^()]|\([^()]*\))*\)\)|[A-Z_]+\b)*"
    rb"(?:[a-z][\w \t*,\[\]]*;\s*)*\{",
    re.MULTILINE,
)
_NO_CODE = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
KEYWORDS = frozenset((b"if", b"while", b"for", b"switch", b"return", b"sizeof", b"else", b"do"))
_GUESSES = ("", "include", "../include", "..", "../..", "../../include")


@final
@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the text of one file says.

    macros: name -> identifiers of its body. pastes: macros whose body has ``##`` can form any name.
    odd: the text looks unlike C, so nobody should rely on this.
    """

    identifiers: frozenset[bytes]
    macros: dict[bytes, frozenset[bytes]]
    pastes: frozenset[bytes]
    includes: tuple[str, ...]
    defines: frozenset[str]
    odd: bool


Read = Callable[[str], FileFacts | None]


def file_facts(data: bytes) -> FileFacts:
    """Facts about a text, by regular expressions."""
    macros: dict[bytes, frozenset[bytes]] = {}
    pastes: set[bytes] = set()
    for match in MACRO.finditer(data):
        name, body = match.group(1), match.group(2)
        macros[name] = macros.get(name, frozenset()) | frozenset(_IDENTIFIER.findall(body))
        if b"##" in body:
            pastes.add(name)
    names = {name for name in FUNCTION_HEAD.findall(data) if name not in KEYWORDS}
    return FileFacts(
        identifiers=frozenset(_IDENTIFIER.findall(data)),
        macros=macros,
        pastes=frozenset(pastes),
        includes=tuple(name.decode("utf-8", "replace") for name in INCLUDE.findall(data)),
        defines=frozenset(name.decode("ascii") for name in names),
        odd=b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")),
    )


def definitions(data: bytes) -> Iterator[tuple[str, bool, frozenset[bytes]]]:
    """The functions that a text defines: name, whether it is static, and the identifiers from there to the next one.

    What stands between two functions counts as part of the first. Comments and strings do not count.
    """
    data = _NO_CODE.sub(b" ", data)
    found = [match for match in FUNCTION_HEAD.finditer(data) if match.group(1) not in KEYWORDS]
    ends = [*(match.start() for match in found[1:]), len(data)][: len(found)]
    for match, end in zip(found, ends, strict=True):
        static = b"static" in data[match.start() : match.start(1)].split()
        yield match.group(1).decode("ascii"), static, frozenset(_IDENTIFIER.findall(data, match.start(), end))


def include_folders(flags: Iterable[str], directory: str) -> tuple[str, ...]:
    """Folders that the flags add to the search for headers."""
    folders: list[str] = []
    wanted = False
    for flag in flags:
        if wanted:
            folders.append(flag)
            wanted = False
        elif flag in ("-I", "-iquote", "-isystem", "-idirafter", "-include", "-imacros"):
            wanted = flag not in ("-include", "-imacros")
        elif flag.startswith("-I"):
            folders.append(flag[2:])
    return tuple(str(Path(directory) / folder) for folder in folders)


@cache
def _guesses(folder: str) -> tuple[str, ...]:
    """Where headers tend to lie, seen from a source file."""
    return tuple(os.path.normpath(f"{folder}/{guess}") for guess in _GUESSES)


@final
class Prepass:
    """Decides for the files of one program.

    read: what the text of a file says, None when it cannot be read.
    relevant: names of the functions that contracts speak of.
    """

    def __init__(self, read: Read, relevant: Iterable[str]) -> None:
        self._read = read
        self._relevant = frozenset(name.encode() for name in relevant)
        self._facts: dict[str, FileFacts | None] = {}
        self._macros: dict[bytes, set[bytes]] = {}
        self._hot: set[bytes] = set()
        self._included: dict[str, set[str]] = {}
        self._wanted: set[str] = set()
        self._searched: dict[tuple[str, ...], dict[str, str]] = {}

    def _file(self, path: str) -> FileFacts | None:
        if path not in self._facts:
            self._facts[path] = self._read(path)
        return self._facts[path]

    def add_flags(self, flags: Iterable[str]) -> None:
        """Takes in the macros that flags define (``-Dxfree=free``)."""
        for flag in flags:
            name, _, body = flag.removeprefix("-D").partition("=")
            found = _IDENTIFIER.findall(body.encode("utf-8", "surrogateescape"))
            if found:
                self._macros.setdefault(name.partition("(")[0].encode(), set()).update(found)

    def add(self, path: str, folders: Iterable[str]) -> None:
        """Takes in a file and the headers it includes, as far as they are found."""
        # os.path, not pathlib: this runs once for every #include of every file.
        search = (
            *_guesses(os.path.dirname(path)),  # noqa: PTH120
            *(os.path.normpath(folder) for folder in folders),
        )
        waiting = [path]
        seen = {path}
        while waiting:
            current = waiting.pop()
            facts = self._file(current)
            if facts is None:
                continue
            for name in facts.includes:
                found = self._find(name, (os.path.dirname(current), *search))  # noqa: PTH120
                if found and found not in seen:
                    seen.add(found)
                    waiting.append(found)
        self._included[path] = seen

    def _find(self, name: str, folders: tuple[str, ...]) -> str:
        """The first file of that name in the folders, "" without one."""
        known = self._searched.setdefault(folders, {})
        if name not in known:
            paths = (f"{folder}/{name}" for folder in folders)
            known[name] = next((path for path in paths if self._file(path) is not None), "")
        return known[name]

    def finish(self, headers: Iterable[str] = ()) -> None:
        """After all files are in: which macros lead to a relevant name, however indirectly.

        headers: those whose own functions are to be analysed; one file that includes each must be parsed.
        """
        for facts in self._facts.values():
            if facts is None:
                continue
            for name, body in facts.macros.items():
                self._macros.setdefault(name, set()).update(body)
            self._hot.update(facts.pastes)
        self._hot |= self._relevant
        grown = True
        while grown:
            more = {name for name, body in self._macros.items() if name not in self._hot and body & self._hot}
            self._hot |= more
            grown = bool(more)
        for header in headers:
            self._cover(header)

    def _cover(self, header: str) -> None:
        facts = self._facts.get(header)
        if facts is None or not facts.defines or facts.identifiers.isdisjoint(self._hot):
            return
        includers = sorted(file for file, seen in self._included.items() if header in seen and file != header)
        if includers and not any(self.matters(file) for file in includers):
            self._wanted.add(includers[0])

    def matters(self, path: str) -> bool:
        """Whether the file must be parsed. In doubt: yes."""
        facts = self._facts.get(path)
        return path in self._wanted or facts is None or facts.odd or not facts.identifiers.isdisjoint(self._hot)

    def defined(self) -> frozenset[str]:
        """Names of all functions that the program defines, wide rather than exact."""
        return frozenset().union(*(facts.defines for facts in self._facts.values() if facts is not None))
