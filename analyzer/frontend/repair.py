"""Parses a file, and again with what it misses: headers that lie near, stand-ins for headers, stubs for names.

1. A header that is not found is looked for in the file's folder, its parents, and `include` in them.
2. Else the text of a contract pack stands in for it, when a pack names that header.
3. Else the program's own headers are searched, all of them; the folder of what is found comes last on the path.
4. Names that are still unknown get stubs, read off the parser's errors, a few rounds; macros that would have been a
   `cleanup` attribute become one.

Each step only when the one before left errors, so a file with its headers is parsed once. Headers that can be told
to be missing from the text alone are looked for before the first parse.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Final, final

from analyzer.frontend.cleanups import Cleanups
from analyzer.frontend.foresight import Foresight
from analyzer.frontend.options import FrontendOptions
from analyzer.frontend.stubs import Stubs
from analyzer.libclang.flags import choose_flags
from analyzer.libclang.parse import VIRTUAL_DIR, ParserMessage, Unit, parsed
from analyzer.sources import SourceView
from analyzer.sources.view import absolute

PARENTS: Final = 4
ROUNDS: Final = 8


@final
@dataclass(frozen=True, slots=True)
class Repaired:
    """A parsed unit and how it came to be.

    errors: those that are left. missing: headers that were not found and that no pack stands in for. contents:
    text by libclang's file name for files that are not on disk. flags: those dropped, with the reason. read: names
    of all files that were looked into on the way.
    """

    unit: Unit
    errors: tuple[ParserMessage, ...]
    missing: tuple[str, ...]
    contents: Mapping[str, bytes]
    flags: tuple[tuple[str, str], ...]
    read: tuple[str, ...]


@contextmanager
def parse_repaired(
    path: str, data: bytes, view: SourceView, options: FrontendOptions, *, stubs: bool = True
) -> Iterator[Repaired]:
    """Parse the file as well as it can be. stubs: also with stand-ins for single names."""
    main = absolute(path)
    passed, dropped = choose_flags(options.flags, options.directory)
    attempt = _Attempt(main, passed, {**view.overlay, main: data}, options.virtual_headers, options.headers)
    attempt.learns = stubs
    attempt.foresee()
    for round_ in range(ROUNDS + 1):
        with parsed(main, attempt.arguments(), attempt.files, bool(options.sought)) as unit:
            errors = tuple(unit.errors())
            attempt.read.update(dict.fromkeys(unit.included()))
            if round_ == ROUNDS or not attempt.improve(errors):
                read = tuple(attempt.read)
                yield Repaired(unit, attempt.left(errors), attempt.missing(), attempt.files, dropped, read)
                return


@final
@dataclass(slots=True)
class _Attempt:
    """What the next parse adds to the flags."""

    main: str
    flags: tuple[str, ...]
    files: dict[str, bytes]
    virtual: Mapping[str, str]
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    last_folders: list[str] = field(default_factory=list)  # searched after the system's
    folders: list[str] = field(default_factory=list)
    wanted: dict[str, bool] = field(default_factory=dict)
    stubs: Stubs = field(default_factory=Stubs)
    cleanups: Cleanups = field(default_factory=Cleanups)
    learns: bool = True
    read: dict[str, None] = field(default_factory=dict)

    def foresee(self) -> None:
        """Look for headers that the first parse is sure to miss, and for those that these miss."""
        foresight = Foresight(self.flags, self.files)
        while foresight.usable:
            names = [name for name in foresight.missing(self.main, self.folders) if name not in self.wanted]
            found = [self._supplied(name) for name in names]
            if not any(found):
                break
        self.read.update(foresight.read)

    def arguments(self) -> tuple[str, ...]:
        """The compiler flags of this attempt."""
        added: list[str] = []
        for folder in self.folders:
            added += ["-I", folder]
        for folder in self.last_folders:
            added += ["-idirafter", folder]
        if any(self.wanted.values()):
            added += ["-idirafter", str(VIRTUAL_DIR)]
        if self._stand_ins():
            added += ["-include", str(VIRTUAL_DIR / "mustfree-stubs.h")]
        return (*self.flags, *added)

    def missing(self) -> tuple[str, ...]:
        """Headers nobody has."""
        return tuple(name for name, supplied in self.wanted.items() if not supplied)

    def left(self, errors: tuple[ParserMessage, ...]) -> tuple[ParserMessage, ...]:
        """Errors that stay: a missing header is none, and neither is what stands in our own stubs."""
        ours = str(VIRTUAL_DIR)
        return tuple(e for e in errors if not e.missing_header() and not e.file.startswith(ours))

    def improve(self, errors: tuple[ParserMessage, ...]) -> bool:
        """Prepare a better attempt; False when nothing more can be done about the errors."""
        if not errors:
            return False
        headers = [name for name in (error.missing_header() for error in errors) if name]
        new = [name for name in dict.fromkeys(headers) if name not in self.wanted]
        found = [self._find(name) for name in new]
        if any(found):
            return True
        if not self.learns:
            return False
        before = self._stand_ins()
        others = self.cleanups.learn(self.left(errors), self.files)
        self.stubs.learn(dict.fromkeys(error.text for error in others), self.cleanups.functions)
        text = self._stand_ins()
        self.files[str(VIRTUAL_DIR / "mustfree-stubs.h")] = text.encode()
        return text != before

    def _stand_ins(self) -> str:
        """Declarations for names that nobody has, "" without any."""
        return self.stubs.text() + self.cleanups.text()

    def _find(self, name: str) -> bool:
        """Look for a missing header; True when the next parse will have more."""
        if self._supplied(name):
            return True
        if self._near(name) is None:
            self.wanted[name] = False
        return False

    def _supplied(self, name: str) -> bool:
        """Look for a missing header; True when something new was found for it."""
        folder = self._near(name)
        if folder is not None:
            if folder in self.folders:
                return False
            self.folders.append(folder)
            return True
        for pattern, text in self.virtual.items():
            if fnmatchcase(name, pattern):
                self._supply(name, pattern, text)
                return True
        folder = elsewhere(name, self.main, self.headers)
        if folder is not None and folder not in self.last_folders:
            self.last_folders.append(folder)
            return True
        return False

    def _near(self, name: str) -> str | None:
        """The folder below which a header of that name lies near the file."""
        return next((folder for folder in near_folders(self.main) if Path(folder, name).is_file()), None)

    def _supply(self, name: str, pattern: str, text: str) -> None:
        # Headers of one pack share its text; it stands in one file, which guards itself.
        pack = VIRTUAL_DIR / f"mustfree-pack-{hash_text(text)}.h"
        self.files[str(pack)] = b"#pragma once\n" + text.encode()
        self.files[str(VIRTUAL_DIR / name)] = f'#include "{pack}"\n'.encode()
        self.wanted[name] = True


def elsewhere(name: str, main: str, headers: Mapping[str, tuple[str, ...]]) -> str | None:
    """The folder below which the program has a header of that name; of several the one nearest to the file."""
    name = name.removeprefix("./")
    if not name or name.startswith(("../", "/")):
        return None
    paths = [path for path in headers.get(name.rpartition("/")[2], ()) if path.endswith(f"/{name}")]
    best = sorted(((len(os.path.commonpath([main, path])), path) for path in paths), reverse=True)
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return None
    return best[0][1].removesuffix(f"/{name}")


@lru_cache(maxsize=4096)
def near_folders(main: str) -> tuple[str, ...]:
    """The folders near a file below which missing headers are looked for, in this order."""
    folders = []
    place = Path(main).parent
    for _ in range(PARENTS + 1):
        folders += [str(place), str(place / "include"), str(place / "src")]
        if place.parent == place:
            break
        place = place.parent
    return tuple(folders)


def hash_text(text: str) -> str:
    """A short name for a text, the same in every process."""
    value = 0
    for character in text[:4096]:
        value = (value * 31 + ord(character)) % 0xFFFFFFFF
    return f"{value:08x}{len(text):x}"
