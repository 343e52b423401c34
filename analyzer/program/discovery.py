"""Files and folders named by the user -> the C files to analyse. Reads no contents."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from analyzer.findings.model import Notice, NoticeKind

CPP_SUFFIXES = frozenset((".cc", ".cpp", ".cxx", ".c++", ".C", ".cp", ".hh", ".hpp", ".hxx", ".h++", ".H"))
NO_CPP = "C++ is not analysed"
HEADER_SUFFIXES = frozenset((".h", ".inc", ".def", ".tbl"))


@final
@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to analyse. named: the user wrote this very name, which matters to the prepass.

    path: absolute, symbolic links resolved.
    """

    path: str
    named: bool


@final
@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, sorted. headers: of the folders searched, for the prepass."""

    files: tuple[SourceFile, ...]
    headers: tuple[str, ...]
    notices: tuple[Notice, ...]


def display_path(path: str, root: str) -> str:
    """`path` as reports show it: relative with forward slashes below `root`, absolute elsewhere."""
    try:
        relative = os.path.relpath(path, root)
    except ValueError:  # another drive
        return Path(path).as_posix()
    if relative == os.pardir or relative.startswith(os.pardir + os.sep):
        return Path(path).as_posix()
    return Path(relative).as_posix()


def real(path: str, root: str) -> str:
    """The absolute name without symbolic links, as which a file is known inside the program."""
    return os.path.realpath(Path(root) / path)


def fits(path: str, patterns: Iterable[str]) -> bool:
    """Whether an absolute path fits one of the absolute patterns, or lies below a folder that does.

    `*` and `?` stand for slashes, too.
    """
    places = (path, *map(str, Path(path).parents))
    wanted = [os.path.normpath(pattern) for pattern in patterns]
    return any(fnmatch.fnmatchcase(place, pattern) for pattern in wanted for place in places)


@final
class _Search:
    def __init__(self, root: str, overlay: Mapping[str, bytes], exclude: Sequence[str]) -> None:
        self.root = root
        base = Path(os.path.realpath(root))
        self.exclude = [str(base / pattern) for pattern in exclude]
        self.overlay = {real(path, root) for path in overlay}
        self.files: dict[str, bool] = {}
        self.headers: set[str] = set()
        self.excluded = 0
        self.notices: list[Notice] = []

    def add(self, name: str) -> None:
        path = real(name, self.root)
        if Path(path).is_dir():
            self._folder(name, path)
        elif Path(path).exists() or path in self.overlay:
            self._file(path, named=True)
        else:
            self._note(NoticeKind.BAD_INPUT, name, "no such file or directory")

    def _note(self, kind: NoticeKind, name: str, message: str) -> None:
        self.notices.append(Notice(kind, display_path(real(name, self.root), self.root), 0, message))

    def _file(self, path: str, named: bool) -> bool:
        suffix = Path(path).suffix
        if suffix not in HEADER_SUFFIXES and fits(path, self.exclude):
            self.excluded += 1
            return False
        if suffix in CPP_SUFFIXES:
            if named:
                self._note(NoticeKind.BAD_INPUT, path, f"{NO_CPP}; name C files or folders")
            else:
                self._note(NoticeKind.SKIPPED, path, NO_CPP)
            return False
        if suffix == ".c" or named:
            self.files[path] = self.files.get(path, False) or named
            return True
        if suffix in HEADER_SUFFIXES:
            self.headers.add(path)
        return False

    def _folder(self, name: str, path: str) -> None:
        found, excluded = 0, self.excluded
        for folder, folders, files in os.walk(path, onerror=self._unreadable):
            folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
            for entry in sorted(files):
                found += self._file(os.path.realpath(Path(folder) / entry), named=False)
        inside = [file for file in sorted(self.overlay) if Path(file).is_relative_to(path)]
        found += sum(self._file(file, named=False) for file in inside if file not in self.files)
        if not found and excluded == self.excluded:
            self._note(NoticeKind.BAD_INPUT, name, "no C files (*.c) in this folder")

    def _unreadable(self, error: OSError) -> None:
        name = str(error.filename or "?")
        self._note(NoticeKind.NOT_ANALYSED, name, f"the folder cannot be read: {error.strerror}")


def discover(paths: Iterable[str], root: str, overlay: Mapping[str, bytes], exclude: Sequence[str] = ()) -> Discovery:
    """All C files that `paths` name or contain.

    root: folder that relative names refer to. A missing path is a notice; the others are still found.
    exclude: patterns of files and folders that are left out, even where they are named.
    """
    search = _Search(root, overlay, exclude)
    for path in paths:
        search.add(path)
    files = tuple(SourceFile(path, named) for path, named in sorted(search.files.items()))
    notices = tuple(sorted(set(search.notices), key=lambda notice: (notice.file, notice.message)))
    return Discovery(files, tuple(sorted(search.headers)), notices)
