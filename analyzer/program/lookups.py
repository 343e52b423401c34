"""What a parse depends on beside the contents of the files it read: where names of headers were looked for.

A header that appears in a folder that is searched earlier, or that was missing altogether, changes the parse though
no file changed. So a unit's key holds, for each include of each file that it read, in which place the name is found.
Reads the text only: what stands in an include by way of a macro is told by the names that were found in the end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, final

from analyzer.cache import Contents
from analyzer.errors import MustfreeError
from analyzer.frontend.foresight import given_folders, searches_as_usual, system_folders
from analyzer.frontend.repair import elsewhere, near_folders
from analyzer.libclang.flags import choose_flags
from analyzer.libclang.parse import VIRTUAL_DIR
from analyzer.sources import SourceView

_INCLUDE: Final = re.compile(
    rb'^[ \t]*#[ \t]*(include|include_next|import)[ \t]*([<"])([^">\n]+)[">]'
    rb'|__has_(include|include_next)[ \t]*\([ \t]*([<"])([^">\n]+)[">]',
    re.MULTILINE,
)
_SYSROOT: Final = ("--sysroot", "-isysroot")
_BELOW_SYSROOT: Final = ("usr/local/include", "usr/include", "include")

_NOWHERE: Final = "[]"
Wanted = tuple[str, bool, bool]  # name, in quotes, whether every folder counts (include_next)


@lru_cache(maxsize=16384)
def _wanted(text: bytes) -> tuple[Wanted, ...]:
    found: dict[Wanted, None] = {}
    for word, mark, name, has, has_mark, has_name in _INCLUDE.findall(text):
        spelled = (name or has_name).decode("utf-8", "surrogateescape")
        found[(spelled, (mark or has_mark) == b'"', b"next" in (word or has))] = None
    return tuple(found)


@final
class Flags:
    """A unit's flags as the parser gets them, and the folders in which it looks.

    key: what tells them from other flags, the same in every folder. macros: flags as given, likewise.
    """

    def __init__(self, flags: Sequence[str], directory: str, contents: Contents) -> None:
        passed, dropped = choose_flags(flags, directory)
        self.usual = searches_as_usual(passed)
        self.quoted, others = given_folders(passed)
        system = system_folders()
        roots = _sysroots(passed)
        self.quoted = tuple(_below(folder, roots) for folder in self.quoted)
        given = [_below(folder, roots) for folder in others if folder not in system]
        self.folders = (*given, *(f"{root}/{end}" for root in roots for end in _BELOW_SYSROOT), *system)
        labels = [contents.label(flag) for flag in passed]
        labels += ["", *map(contents.label, system)]
        self.key = "\0".join([*labels, "", *(f"{flag}\1{reason}" for flag, reason in dropped)])
        rest = iter(passed)
        self.forced = tuple(next(rest, "") for flag in rest if flag in ("-include", "-imacros"))


def _sysroots(flags: Sequence[str]) -> tuple[str, ...]:
    found = []
    rest = iter(flags)
    for flag in rest:
        if flag in _SYSROOT:
            found.append(next(rest, ""))
        elif flag.startswith("--sysroot="):
            found.append(flag.partition("=")[2])
    return tuple(found)


def _below(folder: str, roots: Sequence[str]) -> str:
    return f"{roots[-1]}{folder[1:]}" if folder.startswith("=") and roots else folder


Places = tuple[str, tuple[str, ...]]  # where names are found, as a text; the names that are nowhere there


@final
class Lookups:
    """Looks where the includes of files lead, each once. headers: the program's own, see FrontendOptions."""

    def __init__(self, contents: Contents, view: SourceView, headers: Mapping[str, tuple[str, ...]]) -> None:
        self._contents = contents
        self._view = view
        self._headers = headers
        self._known: dict[tuple[str, Flags, str], Places] = {}
        self._nearby: dict[tuple[str, str], str] = {}
        self._folders: dict[str, tuple[str, ...]] = {}
        self._found: set[str] = set()

    def are_settled(self) -> bool:
        """Whether all headers that were found were there when the run began; else a parse may have missed them."""
        return all(map(self._contents.is_settled, self._found))

    def _exists(self, path: str) -> int:
        found = self._contents.exists(path)
        if found:
            self._found.add(path)
        return found

    def parts(self, main: str, read: Iterable[str], missing: Iterable[str], flags: Flags) -> list[str]:
        """What the parse of `main` depends on: its flags, the files it read, and where names were looked for.

        missing: names of headers that were not found.
        """
        home = os.path.dirname(main)  # noqa: PTH120 - runs often
        self._folders[home] = near_folders(main)
        parts = [self._contents.label(main), flags.key]
        nowhere: dict[str, None] = {}
        for path in read:
            if self.is_real(path):
                places, lost = self._of(path, flags, home)
                parts += (self._contents.label(path), self._contents.digest(path), places)
                nowhere.update(dict.fromkeys(lost))
        places, lost = self._places([(name, True, True) for name in (*missing, *flags.forced)], home, flags, home)
        return [*parts, places, *self._elsewhere(main, (*nowhere, *lost))]

    def is_real(self, path: str) -> bool:
        """Whether a file that a unit read lies on the disk, or in the overlay; others follow from the rule files."""
        return not path.startswith(str(VIRTUAL_DIR)) or path in self._view.overlay

    def _elsewhere(self, main: str, names: Iterable[str]) -> list[str]:
        """Where the program's own headers have these names, and which of them the folders found so have, too."""
        found: dict[str, str] = {}
        for name in names:
            folder = elsewhere(name, main, self._headers)
            if folder is not None:
                found[name] = folder
        folders = dict.fromkeys(found.values())
        parts: list[str] = []
        for name in names if folders else ():
            places = [self._contents.label(folder) for folder in folders if self._exists(_joined(folder, name))]
            parts += (name, self._contents.label(found.get(name, "")), *places, "")
        return parts

    def _of(self, path: str, flags: Flags, home: str) -> Places:
        key = (path, flags, home)
        known = self._known.get(key)
        if known is None:
            try:
                wanted = _wanted(self._view.read(path))
            except MustfreeError:
                wanted = ()
            # Under these names it was found, whatever an include looked like.
            names = [(path[len(folder) + 1 :], False, False) for folder in flags.folders if _lies_in(path, folder)]
            known = self._known[key] = self._places((*wanted, *names), os.path.dirname(path), flags, home)  # noqa: PTH120
        return known

    def _places(self, wanted: Iterable[Wanted], own: str, flags: Flags, home: str) -> Places:
        """For each name the number of the first folder that has it; of all folders where their order is not sure."""
        exists = self._exists
        found = []
        nowhere = []
        for name, quoted, every in wanted:
            folders = (own, *flags.quoted, *flags.folders) if quoted else flags.folders
            numbers = ((n, e) for n, folder in enumerate(folders) if (e := exists(_joined(folder, name))))
            places = [next(numbers, None)] if flags.usual and not every else list(numbers)
            near = self._near(name, home)
            found.append(f"{places}{near}")
            if places in ([], [None]) and near == _NOWHERE:
                nowhere.append(name)
        return ",".join(found), tuple(nowhere)

    def _near(self, name: str, home: str) -> str:
        """In which of the folders near the unit a name is found; one that helped once is searched for all names."""
        key = (name, home)
        known = self._nearby.get(key)
        if known is None:
            exists = self._exists
            numbers = ((n, e) for n, folder in enumerate(self._folders[home]) if (e := exists(_joined(folder, name))))
            known = self._nearby[key] = str(list(numbers))
        return known


def _lies_in(path: str, folder: str) -> bool:
    return path.startswith(folder) and path[len(folder) : len(folder) + 1] == os.sep


def _joined(folder: str, name: str) -> str:
    path = name if name.startswith(os.sep) else f"{folder}{os.sep}{name}"
    return os.path.normpath(path) if "." + os.sep in path or os.sep * 2 in path else path
