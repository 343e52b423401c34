"""The two sides of a change as overlays over one tree on disk, whatever the change came as.

The compile database, generated headers and everything else that is on disk serve both sides.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path, PurePosixPath
from typing import final

from analyzer.change.patch import apply_patch
from analyzer.errors import MustfreeError
from analyzer.program.discovery import CPP_SUFFIXES, HEADER_SUFFIXES

_SIMILAR = 0.5
_BUILD = re.compile(
    r"(?:^|/)(?:[^/]*[Mm]akefile[^/]*|CMakeLists\.txt|meson(?:_options|\.build|\.options)?[^/]*|configure(?:\.ac|\.in)?|"
    r"compile_commands\.json|compile_flags\.txt|Kconfig[^/]*|BUILD(?:\.bazel)?|SConstruct|"
    r"[^/]*\.(?:mk|mak|cmake|am|m4|in|y|yy|l|ll|proto|gperf|bzl))$"
)


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """One file of the change. base, head: paths below the root, "" where it does not exist."""

    base: str
    head: str
    base_data: bytes = b""
    head_data: bytes = b""


@final
@dataclass(frozen=True, slots=True)
class Change:
    """A change, ready to be analysed.

    root: absolute; the tree on disk. base_name, head_name: what the user calls the sides.
    pairs: source files and headers that differ. base_files, head_files: all C files and headers of each side.
    base_overlay, head_overlay: path below the root -> contents where the side differs from the disk.
    build_files: changed files that may change flags or generated code. remarks: (file, what to say).
    base_names, head_names: all paths below the root at a side.
    base_read, head_read: contents at a side of any path below the root, None when it is not there.
    """

    root: str
    base_name: str
    head_name: str
    pairs: tuple[Pair, ...]
    base_files: tuple[str, ...]
    head_files: tuple[str, ...]
    base_overlay: Mapping[str, bytes]
    head_overlay: Mapping[str, bytes]
    base_read: Callable[[str], bytes | None]
    head_read: Callable[[str], bytes | None]
    base_names: Collection[str]
    head_names: Collection[str]
    build_files: tuple[str, ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()


def is_source(path: str) -> bool:
    """Whether a file can be part of a C program: a C file or a header."""
    return is_c(path) or PurePosixPath(path).suffix in HEADER_SUFFIXES


def is_c(path: str) -> bool:
    """Whether a file is analysed by itself."""
    return PurePosixPath(path).suffix == ".c"


def is_cpp(path: str) -> bool:
    """Whether a file is C++, which is not analysed."""
    return PurePosixPath(path).suffix in CPP_SUFFIXES


def is_build_file(path: str) -> bool:
    """Whether a file tends to decide on flags or on generated code."""
    return bool(_BUILD.search(path))


def paired(base: Mapping[str, bytes], head: Mapping[str, bytes]) -> tuple[Pair, ...]:
    """Files that differ, by name; what disappeared and what appeared are one file when they are similar."""
    pairs = [Pair(path, path, base[path], head[path]) for path in base.keys() & head.keys() if base[path] != head[path]]
    gone = {path: base[path] for path in sorted(base.keys() - head.keys())}
    for path in sorted(head.keys() - base.keys()):
        data = head[path]
        best = max(gone, key=lambda old: _similarity(old, gone[old], path, data), default="")
        if best and _similarity(best, gone[best], path, data) >= _SIMILAR:
            pairs.append(Pair(best, path, gone.pop(best), data))
        else:
            pairs.append(Pair("", path, b"", data))
    pairs += [Pair(path, "", data, b"") for path, data in gone.items()]
    return tuple(sorted(pairs, key=lambda pair: (pair.head or pair.base, pair.base)))


def _similarity(old: str, old_data: bytes, new: str, new_data: bytes) -> float:
    """From 0 to 1. Another kind of file is another file."""
    if PurePosixPath(old).suffix != PurePosixPath(new).suffix or not old_data or not new_data:
        return 0.0
    if old_data == new_data:
        return 1.0
    a, b = (old_data.splitlines(), new_data.splitlines())
    if 2 * min(len(a), len(b)) < _SIMILAR * (len(a) + len(b)):
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).quick_ratio()


def from_folders(base: str, head: str) -> Change:
    """Two trees. That of the head is the one whose generated files and flags serve both."""
    root = os.path.realpath(head)
    old, new = _tree(os.path.realpath(base)), _tree(root)
    if not any(is_c(path) for path in new | old):
        raise MustfreeError(f"{head}: no C files (*.c) in this folder")
    base_sources = _read_all(base, filter(is_source, old))
    head_sources = _read_all(head, filter(is_source, new))
    build = sorted(path for path in old | new if is_build_file(path) and _data(base, path) != _data(head, path))
    return Change(
        root=root,
        base_name=base,
        head_name=head,
        pairs=paired(base_sources, head_sources),
        base_files=tuple(sorted(filter(is_source, old))),
        head_files=tuple(sorted(filter(is_source, new))),
        base_overlay={path: data for path, data in base_sources.items() if head_sources.get(path) != data},
        head_overlay={},
        base_read=lambda path: _data(base, path),
        head_read=lambda path: _data(root, path),
        base_names=old,
        head_names=new,
        build_files=tuple(build),
    )


def _tree(root: str) -> set[str]:
    found: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.update(Path(folder, name).relative_to(root).as_posix() for name in files)
    return found


def _data(root: str, path: str) -> bytes | None:
    try:
        return Path(root, path).read_bytes()
    except OSError:
        return None


def _read_all(root: str, paths: Iterable[str]) -> dict[str, bytes]:
    found = {path: _data(root, path) for path in paths}
    return {path: data for path, data in found.items() if data is not None}


def from_patch(patch: str, root: str) -> Change:
    """A patch file against the tree at `root`, which is either the state before it or the one after it."""
    root = os.path.realpath(root)
    data = _data(".", patch)
    if data is None:
        raise MustfreeError(f"{patch}: cannot be read")
    applied = apply_patch(data, patch, lambda path: _data(root, path))
    names = _tree(root)
    files = set(filter(is_source, names))
    other = {path: text for path, text in applied.other.items() if is_source(path)}
    overlay = {path: text for path, text in other.items() if text is not None}
    disk = _read_all(root, other)
    files_there = (files - other.keys()) | overlay.keys()

    there_names = (names - applied.other.keys()) | {path for path, text in applied.other.items() if text is not None}

    def here(path: str) -> bytes | None:
        return _data(root, path)

    def there(path: str) -> bytes | None:
        return applied.other[path] if path in applied.other else here(path)

    base_first = applied.tree_is_base
    return Change(
        root=root,
        base_name=f"the tree before {patch}",
        head_name=f"the tree after {patch}",
        pairs=paired(disk, overlay) if base_first else paired(overlay, disk),
        base_files=tuple(sorted(files if base_first else files_there)),
        head_files=tuple(sorted(files_there if base_first else files)),
        base_overlay={} if base_first else overlay,
        head_overlay=overlay if base_first else {},
        base_read=here if base_first else there,
        head_read=there if base_first else here,
        base_names=names if base_first else there_names,
        head_names=there_names if base_first else names,
        build_files=tuple(sorted(path for path in applied.other if is_build_file(path))),
    )
