"""How the lines of a file moved between two versions of it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Deletion:
    """Lines that are gone. before: line of the head side that now stands in their place. texts: what they said.

    first: the first of them, at the base side. replaced: number of head lines that took their place.
    """

    before: int
    texts: tuple[str, ...]
    first: int
    replaced: int


@final
@dataclass(frozen=True, slots=True)
class LineMap:
    """From lines of the base side to lines of the head side, both from 1.

    moved: (first base line, first head line, count) of the runs that are equal, in order; None: all are.
    added: head lines that are new or changed. deletions: base lines without successor.
    """

    moved: tuple[tuple[int, int, int], ...] | None = None
    added: frozenset[int] = frozenset()
    deletions: tuple[Deletion, ...] = field(default=())

    def to_head(self, line: int) -> int:
        """The same line at the head side, 0 when it is gone or changed."""
        if self.moved is None:
            return line
        index = bisect_left(self.moved, (line + 1,)) - 1
        if index < 0:
            return 0
        base, head, count = self.moved[index]
        return head + line - base if line < base + count else 0

    def to_base(self, line: int) -> int:
        """The line of the base side that a head line is, 0 when it is new or changed."""
        if self.moved is None:
            return line
        run = next((one for one in reversed(self.moved) if one[1] <= line), None)
        return run[0] + line - run[1] if run is not None and line < run[1] + run[2] else 0

    def rewritten(self, line: int) -> int:
        """The first of the head lines that took the place of a base line, 0 when none did."""
        for one in self.deletions:
            if one.first <= line < one.first + len(one.texts):
                return one.before if one.replaced else 0
        return 0

    def rewrites(self, line: int) -> int:
        """The first line of the rewritten passage in which a head line stands, 0 when it is in none."""
        return next((one.before for one in self.deletions if one.before <= line < one.before + one.replaced), 0)

    @property
    def unchanged(self) -> bool:
        """Whether both sides are the same text."""
        return self.moved is None


SAME = LineMap()


def line_map(base: bytes, head: bytes) -> LineMap:
    """Compares two versions; line ends and trailing blanks do not count."""
    if base == head:
        return SAME
    old, new = (_lines(side) for side in (base, head))
    moved: list[tuple[int, int, int]] = []
    added: set[int] = set()
    deletions: list[Deletion] = []
    for tag, base_from, base_to, head_from, head_to in _opcodes(old, new):
        if tag == "equal":
            moved.append((base_from + 1, head_from + 1, base_to - base_from))
            continue
        added.update(range(head_from + 1, head_to + 1))
        if base_to > base_from:
            texts = tuple(line.decode("utf-8", "replace") for line in old[base_from:base_to])
            deletions.append(Deletion(head_from + 1, texts, base_from + 1, head_to - head_from))
    return LineMap(tuple(moved), frozenset(added), tuple(deletions))


def _lines(data: bytes) -> list[bytes]:
    return [line.rstrip() for line in data.split(b"\n")]


def _opcodes(old: list[bytes], new: list[bytes]) -> list[tuple[str, int, int, int, int]]:
    """Those of difflib, without giving it the common beginning and end, over which it is slow."""
    start = 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end], autojunk=False)
    codes = [("equal", 0, start, 0, start)] if start else []
    codes += [(tag, a + start, b + start, c + start, d + start) for tag, a, b, c, d in inner.get_opcodes()]
    if end:
        codes.append(("equal", len(old) - end, len(old), len(new) - end, len(new)))
    return codes
