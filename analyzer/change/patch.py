"""Unified diffs: read, and applied strictly. No fuzz: a patch that does not fit exactly is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import final

from analyzer.errors import MustfreeError

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_RENAME = re.compile(rb"rename (from|to) (.*)")
_NO_END = b"\\ No newline at end of file"

Read = Callable[[str], bytes | None]


@final
@dataclass(slots=True)
class _Hunk:
    """start: line of the old side from 1. Lines keep their mark and their end."""

    old_start: int
    new_start: int
    lines: list[bytes] = field(default_factory=list)

    def side(self, old: bool) -> list[bytes]:
        """What the hunk expects, or leaves behind."""
        marks = b" -" if old else b" +"
        return [line[1:] for line in self.lines if line[:1] in (marks[:1], marks[1:])]


@final
@dataclass(slots=True)
class _FilePatch:
    old: str = ""
    new: str = ""
    hunks: list[_Hunk] = field(default_factory=list)


@final
@dataclass(frozen=True, slots=True)
class Applied:
    """other: the contents of the other side for each file of the patch, None where it does not exist there.

    tree_is_base: the tree is the state before the patch, so the other side is the one after it.
    """

    tree_is_base: bool
    other: dict[str, bytes | None]


def apply_patch(data: bytes, name: str, read: Read) -> Applied:
    """Fits a patch to a tree, forwards or backwards. MustfreeError: it is no patch, or fits neither way."""
    patches = list(_read(data, name))
    if not patches:
        raise MustfreeError(f"{name}: is no patch: no file with changes in it; write one with `git diff` or `diff -ru`")
    problems: list[str] = []
    for forwards in (True, False):
        try:
            return Applied(forwards, _apply(patches, read, forwards))
        except MustfreeError as error:
            problems.append(str(error))
    before, after = problems
    raise MustfreeError(f"{name}: does not fit this tree, neither as what comes ({before}) nor as what came ({after})")


def _read(data: bytes, name: str) -> Iterator[_FilePatch]:
    current: _FilePatch | None = None
    lines = data.removesuffix(b"\n").split(b"\n")
    index = 0
    while index < len(lines):
        line = lines[index].removesuffix(b"\r")
        index += 1
        if line.startswith(b"diff --git ") or (line.startswith(b"--- ") and (current is None or current.hunks)):
            if current is not None:
                yield current
            current = _FilePatch()
        if line.startswith((b"GIT binary patch", b"Binary files ")) and current is not None:
            current = None
        if current is None:
            continue
        if line.startswith(b"--- "):
            current.old = _path(line[4:], name)
        elif line.startswith(b"+++ "):
            current.new = _path(line[4:], name)
        elif renamed := _RENAME.fullmatch(line):
            path = _checked(_decode(renamed[2]), name)
            current.old, current.new = (path, current.new) if renamed[1] == b"from" else (current.old, path)
        elif hunk := _HUNK.match(line):
            index = _hunk(hunk, lines, index, current, name)
    if current is not None:
        yield current


def _hunk(head: re.Match[bytes], lines: list[bytes], index: int, patch: _FilePatch, name: str) -> int:
    """Reads one hunk; the index of the line after it."""
    old, new = (int(head[number] or b"1") if head[number] is not None else 1 for number in (2, 4))
    hunk = _Hunk(int(head[1]), int(head[3]))
    while old > 0 or new > 0:
        if index >= len(lines):
            raise MustfreeError(f"{name}: ends in the middle of a change")
        line = lines[index]
        index += 1
        mark = line[:1] or b" "
        if mark == b"\\":
            continue
        if mark not in b" +-":
            raise MustfreeError(f"{name}: line {index} is no line of a change")
        old -= mark in b" -"
        new -= mark in b" +"
        hunk.lines.append((line or b" ") + b"\n")
        if index < len(lines) and lines[index].startswith(_NO_END):
            hunk.lines[-1] = hunk.lines[-1][:-1]
            index += 1
    patch.hunks.append(hunk)
    return index


def _decode(path: bytes) -> str:
    text = path.partition(b"\t")[0].strip()
    if text.startswith(b'"') and text.endswith(b'"'):
        text = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), text[1:-1]).replace(b'\\"', b'"')
    return text.decode("utf-8", "surrogateescape")


def _path(text: bytes, name: str) -> str:
    """Without the first folder (``a/``, ``b/``), "" for /dev/null."""
    path = _decode(text)
    if path == "/dev/null":
        return ""
    first, slash, rest = path.partition("/")
    return _checked(rest if slash and first else path, name)


def _checked(path: str, name: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise MustfreeError(f"{name}: names a file outside of the tree: {path}")
    return path


def _apply(patches: list[_FilePatch], read: Read, forwards: bool) -> dict[str, bytes | None]:
    other: dict[str, bytes | None] = {}
    for patch in patches:
        here, there = (patch.old, patch.new) if forwards else (patch.new, patch.old)
        data = read(here) if here else b""
        if data is None:
            raise MustfreeError(f"{here} is not there")
        if not here and read(there) is not None:
            raise MustfreeError(f"{there} is there already")
        if here and here != there:
            other[here] = None
        patched = _patched(data, patch, forwards, here or there)
        if there:
            other[there] = patched
        elif patched:
            raise MustfreeError(f"{here} has more than what is removed")
    return other


def _patched(data: bytes, patch: _FilePatch, forwards: bool, path: str) -> bytes:
    lines = data.splitlines(keepends=True)
    result: list[bytes] = []
    done = 0
    for hunk in patch.hunks:
        expected = hunk.side(forwards)
        start = (hunk.old_start if forwards else hunk.new_start) - bool(expected)
        if start < done or lines[start : start + len(expected)] != expected:
            raise MustfreeError(f"{path} differs in line {start + 1}")
        result += lines[done:start]
        result += hunk.side(not forwards)
        done = start + len(expected)
    return b"".join(result + lines[done:])
