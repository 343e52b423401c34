"""Reads a library file of cppcheck (.cfg): what it says of memory, resources and functions.

The form: cppcheck's "Reference: .cfg format". A document type, and with it every entity of its own, is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final
from xml.parsers import expat

from analyzer.errors import MustfreeError

MOST_BYTES: Final = 32_000_000
_MOST_DEPTH: Final = 64
_C_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@final
@dataclass(slots=True)
class Element:
    """An XML element. text: all that stands directly in it, without blanks around."""

    name: str
    attributes: Mapping[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """The children of these names, in order."""
        return (child for child in self.children if child.name in names)


@final
@dataclass(frozen=True, slots=True)
class Member:
    """A function in a group. argument: position from 0 of what it allocates, reallocates or releases; -1: its result.

    old: of a reallocation, the position of the block that is replaced.
    """

    function: str
    argument: int
    line: int
    old: int = 0


@final
@dataclass(frozen=True, slots=True)
class Group:
    """``<memory>`` or ``<resource>``: who hands out, and who releases it."""

    resource: bool
    allocs: tuple[Member, ...]
    reallocs: tuple[Member, ...]
    deallocs: tuple[Member, ...]
    uses: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class LibraryFile:
    """What a library file says of ownership.

    borrowers: functions that take care of nothing (leak-ignore). ending: those that do not return. others: number of
    further functions (in C). unsaid: what else stands there, and how often.
    """

    groups: tuple[Group, ...]
    borrowers: tuple[str, ...]
    ending: tuple[str, ...]
    others: int
    unsaid: Mapping[str, int]


def read_library(file: Path) -> LibraryFile:
    """What the file says. Raises MustfreeError for one that cannot be read, with line and remedy."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise MustfreeError(f"{file}: larger than {MOST_BYTES // 1_000_000} MB; that is no library file")
        data = file.read_bytes()
    except OSError as error:
        raise MustfreeError(f"{file}: cannot be read: {error.strerror}") from error
    return parse_library(data, str(file))


def parse_library(data: bytes, shown: str) -> LibraryFile:
    """The same for the contents of a file; `shown` names it in messages."""
    root = parse_xml(data, shown)
    if root.name != "def":
        raise MustfreeError(f"{shown}:{root.line}: the outermost element is <{root.name}>, not <def>: no library file")
    unsaid: Counter[str] = Counter()
    groups = tuple(_group(element, unsaid, shown) for element in root.all("memory", "resource"))
    borrowers: dict[str, None] = {}
    ending: dict[str, None] = {}
    others = 0
    for element in root.children:
        if element.name == "function":
            names = _names(element.attributes.get("name", ""))
            ends = any(child.text == "true" for child in element.all("noreturn"))
            ignores = any(True for _ in element.all("leak-ignore"))
            unsaid.update(_details(element))
            for name in names:
                if ends:
                    ending[name] = None
                elif ignores:
                    borrowers[name] = None
            others += 0 if ends or ignores else len(names)
        elif element.name not in ("memory", "resource"):
            unsaid[element.name] += 1
    return LibraryFile(groups, tuple(borrowers), tuple(ending), others, dict(sorted(unsaid.items())))


def _group(element: Element, unsaid: Counter[str], shown: str) -> Group:
    unsaid.update(child.name for child in element.children if child.name not in ("alloc", "realloc", "dealloc", "use"))
    return Group(
        element.name == "resource",
        tuple(_members(element, "alloc", -1, shown)),
        tuple(_members(element, "realloc", -1, shown)),
        tuple(_members(element, "dealloc", 0, shown)),
        tuple(name for child in element.all("use") for name in _names(child.text)),
    )


def _members(group: Element, kind: str, usual: int, shown: str) -> Iterator[Member]:
    for child in group.all(kind):
        place = _position(child, "arg", usual, shown)
        old = _position(child, "realloc-arg", 0, shown)
        for name in _names(child.text):
            yield Member(name, place, child.line, old)


def _position(element: Element, attribute: str, usual: int, shown: str) -> int:
    text = element.attributes.get(attribute)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1000:
        raise MustfreeError(f"{shown}:{element.line}: {attribute}={text!r} is no position; they are numbered from 1")
    return int(text) - 1


def _names(text: str) -> list[str]:
    """The C functions among names that commas separate; those of C++ (`std::move`) are not for us."""
    return [name for name in (part.strip() for part in text.split(",")) if _C_NAME.fullmatch(name)]


def _details(function: Element) -> Iterator[str]:
    """What a function's description holds that says nothing about ownership."""
    for child in function.children:
        if child.name == "arg":
            yield from (detail.name for detail in child.children)
        elif child.name not in ("noreturn", "leak-ignore"):
            yield child.name


def parse_xml(data: bytes, shown: str) -> Element:
    """The outermost element. Raises MustfreeError for what is not well-formed, and for any document type."""
    parser = expat.ParserCreate()
    builder = _Builder(parser, shown)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.document_type
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise MustfreeError(f"{shown}:{error.lineno}: no XML: {expat.ErrorString(error.code)}") from error
    assert builder.root is not None  # the parser refuses an empty document
    return builder.root


@final
class _Builder:
    def __init__(self, parser: expat.XMLParserType, shown: str) -> None:
        self._parser = parser
        self._shown = shown
        self._open: list[Element] = []
        self.root: Element | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes, self._parser.CurrentLineNumber)
        if len(self._open) >= _MOST_DEPTH:
            raise MustfreeError(f"{self._shown}:{element.line}: more than {_MOST_DEPTH} elements in each other")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        element = self._open.pop()
        element.text = element.text.strip()

    def characters(self, text: str) -> None:
        self._open[-1].text += text

    def document_type(self, *_rest: object) -> None:
        line = self._parser.CurrentLineNumber
        raise MustfreeError(f"{self._shown}:{line}: a document type (<!DOCTYPE>) is refused; remove it")
