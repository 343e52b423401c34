"""Which headers a parse will miss, read off the text before it: each one known spares a parse.

Only includes outside of all conditions are looked at, and nothing is concluded where the search path is not known
for sure. What is not foreseen here the parser says, so an answer may hold too little.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, final

from analyzer.libclang.parse import RESOURCE_DIR

_DIRECTIVE: Final = re.compile(
    rb'^[ \t]*#[ \t]*(?:(if|ifdef|ifndef|endif|define)\b[ \t]*(\w*)|include[ \t]*(["<])([^">\n]+)[">])', re.MULTILINE
)
_COMMENT: Final = re.compile(rb"/\*.*?\*/", re.DOTALL)
_UNUSUAL: Final = ("--sysroot", "-isysroot", "-nostd", "-target", "--target", "-m32", "-mx32", "-include", "-imacros")
_SEARCHED: Final = ("-iquote", "-I", "-isystem", "-idirafter")

Include = tuple[bool, str]  # whether in quotes; the name


def includes(data: bytes) -> tuple[Include, ...]:
    """The includes of a text that no condition governs, its own include guard aside."""
    found: list[Include] = []
    depth, guard, first = 0, b"", True
    for keyword, name, bracket, header in _DIRECTIVE.findall(_COMMENT.sub(b"", data)):
        if bracket:
            if depth == 0:
                found.append((bracket == b'"', header.decode("utf-8", "surrogateescape")))
        elif keyword == b"define":
            depth -= bool(guard) and name == guard
            guard = b""
        elif keyword == b"endif":
            depth -= 1
        else:
            guard = name if first and keyword == b"ifndef" else b""
            depth += 1
        first = False
    return tuple(found)


@lru_cache(maxsize=8192)
def _includes_of(path: str, _changed: int, _size: int) -> tuple[Include, ...]:
    return includes(Path(path).read_bytes())


@lru_cache(maxsize=1)
def system_folders() -> tuple[str, ...]:
    """Where the parser looks last; () where that is not known."""
    if sys.platform != "linux":
        return ()
    several = sysconfig.get_config_var("MULTIARCH")
    folders = ["/usr/local/include", *([f"/usr/include/{several}"] if several else []), "/usr/include"]
    return (str(RESOURCE_DIR / "include"), *folders)


def searches_as_usual(flags: Sequence[str]) -> bool:
    """Whether the parser looks for headers in the folders of `given_folders`, then in `system_folders`."""
    return bool(system_folders()) and not any(flag.startswith(_UNUSUAL) for flag in flags)


@final
class Foresight:
    """Foresees for one file.

    files: contents by path that stand for files or replace them. read: all files that were looked into.
    """

    def __init__(self, flags: Sequence[str], files: Mapping[str, bytes]) -> None:
        self._files = files
        self._known: dict[tuple[str, str], str] = {}
        self._quoted, self._folders = given_folders(flags)
        self.read: dict[str, None] = {}
        self.usable = searches_as_usual(flags)

    def missing(self, main: str, added: Sequence[str]) -> list[str]:
        """Names of headers that will not be found, in the order of their includes. added: folders for `-I`."""
        self._known.clear()
        folders = (*self._folders, *added)
        found: dict[str, None] = {}
        seen = {main}
        stack = [(main, iter(self._read(main)))]
        while stack:
            path, rest = stack[-1]
            for quoted, name in rest:
                near = (os.path.dirname(path), *self._quoted) if quoted else ()  # noqa: PTH120 - runs often
                header = self._find(name, near, folders)
                if not header:
                    found[name] = None
                elif header not in seen and not header.startswith(system_folders()):
                    seen.add(header)
                    stack.append((header, iter(self._read(header))))
                    break
            else:
                stack.pop()
        return list(found)

    def _read(self, path: str) -> tuple[Include, ...]:
        self.read[path] = None
        if path in self._files:
            return includes(self._files[path])
        try:
            status = os.stat(path)  # noqa: PTH116 - runs often
            return _includes_of(path, status.st_mtime_ns, status.st_size)
        except OSError:
            return ()

    def _find(self, name: str, near: tuple[str, ...], folders: tuple[str, ...]) -> str:
        key = (name, near[0] if near else "")
        if key not in self._known:
            paths = (os.path.normpath(f"{folder}/{name}") for folder in (*near, *folders, *system_folders()))
            self._known[key] = next((path for path in paths if self._exists(path)), "")
        return self._known[key]

    def _exists(self, path: str) -> bool:
        return path in self._files or os.path.isfile(path)  # noqa: PTH113 - runs often


def given_folders(flags: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders that the flags add, in their order: for names in quotes, and for all."""
    quoted: list[str] = []
    others: list[str] = []
    rest = iter(flags)
    for flag in rest:
        option = next((option for option in _SEARCHED if flag.startswith(option)), None)
        if option is not None:
            folder = flag.removeprefix(option) or next(rest, "")
            (quoted if option == "-iquote" else others).append(folder)
    return tuple(quoted), tuple(others)
