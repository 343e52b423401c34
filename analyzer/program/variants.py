"""Further configurations of a program: what is defined in each, and which files that can change.

The program is analysed under each besides the given one. Where a file and everything it reads mention none of the
macros that a configuration is about, its text is the same in both, and it is not read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from analyzer.errors import MustfreeError
from analyzer.sources import SourceView

_DEFINITION = re.compile(r"([A-Za-z_]\w*)(\([\w\s,.]*\))?(=[^\n\r]*)?")
_NAME = re.compile(r"[A-Za-z_]\w*")
_PASTED = re.compile(rb"([A-Za-z_]\w*)(?=[ \t]*##)|(?<=##)[ \t]*(\w+)")


@final
@dataclass(frozen=True, slots=True)
class Variant:
    """A further configuration. name: for readers, unique. define: "NAME" or "NAME=VALUE". undefine: names.

    flags: more compiler flags, file names in them absolute. file, line: where it is written.
    """

    name: str
    define: tuple[str, ...] = ()
    undefine: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    file: str = "--define"
    line: int = 0

    def arguments(self) -> tuple[str, ...]:
        """What comes after the flags of each file. A macro that is defined with another value there is redefined."""
        own = [flag for text in self.define for flag in (f"-U{macro_name(text)}", f"-D{text}")]
        return (*self.flags, *own, *(f"-U{name}" for name in self.undefine))

    @property
    def macros(self) -> tuple[str, ...]:
        """The names that it is about."""
        return tuple(dict.fromkeys((*map(macro_name, self.define), *self.undefine)))


def macro_name(definition: str) -> str:
    """The name in "NAME", "NAME=VALUE" or "NAME(a,b)=VALUE"."""
    return re.split(r"[(=]", definition, maxsplit=1)[0]


def definition_mistake(text: str) -> str:
    """What is wrong with a definition, "" when nothing is."""
    if _DEFINITION.fullmatch(text):
        return ""
    return f'"{text}" defines no macro; write NAME, NAME=VALUE or NAME(a,b)=VALUE'


def name_mistake(text: str) -> str:
    """What is wrong with the name of a macro, "" when nothing is."""
    if _NAME.fullmatch(text):
        return ""
    return f'"{text}" is no name of a macro; write NAME'


def defined_together(texts: Iterable[str]) -> tuple[Variant, ...]:
    """The configurations that texts such as "TLS DEBUG=2" on the command line name, each after its text.

    MustfreeError: one of them is no list of definitions, or is there twice.
    """
    found: dict[str, Variant] = {}
    for text in texts:
        words = tuple(text.split())
        wrong = next(filter(None, map(definition_mistake, words)), "" if words else "takes NAME or NAME=VALUE")
        name = " ".join(words)
        if not wrong and name in found:
            wrong = f'"{name}" is there twice; leave one out'
        if wrong:
            raise MustfreeError(f"--define: {wrong}")
        found[name] = Variant(name, words)
    return tuple(found.values())


@final
class Mentions:
    """Tells which files can look different in a configuration."""

    def __init__(self, variants: Iterable[Variant], view: SourceView) -> None:
        self._variants = {variant.name: variant for variant in variants}
        self._view = view
        names = {name.encode() for variant in self._variants.values() for name in variant.macros}
        self._names = re.compile(rb"\b(?:" + b"|".join(sorted(names)) + rb")\b") if names else None
        self._macros = tuple(sorted(names))
        self._found: dict[str, frozenset[bytes]] = {}

    def differs(self, configuration: str, read: Iterable[str]) -> bool:
        """Whether a unit that read these files can be another one in the configuration."""
        variant = self._variants[configuration]
        if variant.flags:
            return True
        wanted = {name.encode() for name in variant.macros}
        return any(not wanted.isdisjoint(self._in_file(path)) for path in read)

    def _in_file(self, path: str) -> frozenset[bytes]:
        known = self._found.get(path)
        if known is None:
            known = self._found[path] = self._search(path)
        return known

    def _search(self, path: str) -> frozenset[bytes]:
        try:
            data = self._view.read(path)
        except MustfreeError:  # it exists in memory only: the stand-in for a header
            return frozenset()
        assert self._names is not None
        found = set(self._names.findall(data))
        if b"##" in data:  # CONFIG_##x makes every name that begins so
            for first, last in _PASTED.findall(data):
                found |= {name for name in self._macros if (first and name.startswith(first))}
                found |= {name for name in self._macros if (last and name.endswith(last))}
        return frozenset(found)
