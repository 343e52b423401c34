"""Which loss point of the head side is which one of the base side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

from analyzer.change.aliases import Aliases
from analyzer.change.lines import SAME, LineMap, line_map
from analyzer.change.sides import Pair
from analyzer.checks.fingerprint import shape
from analyzer.findings.model import Finding, Step, StepKind


@final
class Files:
    """How files and lines of the base side are found again at the head side."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._to_head = {pair.base: pair.head for pair in pairs if pair.base}
        self._to_base = {pair.head: pair.base for pair in pairs if pair.head}
        self._maps = {pair.head: line_map(pair.base_data, pair.head_data) for pair in pairs if pair.base and pair.head}

    def to_head(self, file: str) -> str:
        """The name at the head side, "" for a file that is gone."""
        return self._to_head.get(file, file)

    def to_base(self, file: str) -> str:
        """The name at the base side, "" for a new file."""
        return self._to_base.get(file, file)

    def lines(self, head_file: str) -> LineMap | None:
        """How the lines of a file moved, by its name at the head side; None for a new file."""
        if head_file in self._maps:
            return self._maps[head_file]
        return SAME if self.to_base(head_file) else None

    def is_new(self, head_file: str, line: int) -> bool:
        """Whether a line of the head side is new or changed."""
        lines = self.lines(head_file)
        return lines is None or line in lines.added

    def line_to_head(self, base_file: str, line: int) -> int:
        """The line at the head side, 0 when it is gone."""
        head = self.to_head(base_file)
        lines = self.lines(head) if head else None
        return lines.to_head(line) if lines else 0

    def passage_of_base(self, base_file: str, line: int) -> int:
        """The rewritten passage of the head side that took the place of a base line, 0 without one."""
        head = self.to_head(base_file)
        lines = self.lines(head) if head else None
        return lines.rewritten(line) if lines else 0

    def passage_of_head(self, head_file: str, line: int) -> int:
        """The rewritten passage in which a head line stands, 0 without one."""
        lines = self.lines(head_file)
        return lines.rewrites(line) if lines else 0


_Key = tuple[object, ...]
_Line = tuple[str, int]


@final
@dataclass(frozen=True, slots=True)
class _Spot:
    """A place that both sides have, named as at the head side: a line that only moved, or (line 0) a rewritten passage
    by its first line."""

    file: str
    line: int
    passage: int


_SpotOf = Callable[[_Line], _Spot | None]


def match(
    base: Sequence[Finding], head: Sequence[Finding], files: Files, aliases: Aliases | None = None
) -> dict[int, int]:
    """Index of a head loss point -> index of the base one it is.

    First by place: the same sort of loss of the same acquisition, both on lines that only moved. What is left by
    fingerprint, in the same file before any other. Then by place again, where one of the two lines was rewritten: a
    renamed variable, another number returned.

    Without aliases that is all: who gives none asks about one edit, and wants no kindness. With them go on: both lines
    were rewritten and say the same but for names; the same is said of one acquisition, whose function may have got
    another name; another function hands it out (g_malloc() instead of malloc()); it is lost behind the same branch, but
    a `goto` became a `return`. At last the acquiring call has become another one, of a helper that was made of it, say.
    """
    found: dict[int, int] = {}
    used: set[int] = set()
    base_spot, head_spot = partial(_spot_of_base, files), partial(_spot_of_head, files)

    def pass_by(of_base: Callable[[Finding], _Key | None], of_head: Callable[[Finding], _Key | None]) -> None:
        places: dict[_Key, list[int]] = {}
        for index, point in enumerate(base):
            key = of_base(point)
            if index not in used and key is not None:
                places.setdefault(key, []).append(index)
        for index, point in enumerate(head):
            candidates = places.get(of_head(point) or (), [])
            if index not in found and candidates:
                found[index] = candidates.pop(0)
                used.add(found[index])

    pass_by(lambda point: _moved_place(point, files), _place)
    pass_by(lambda point: (point.point, files.to_head(point.at.file)), lambda point: (point.point, point.at.file))
    pass_by(lambda point: (point.point,), lambda point: (point.point,))
    pass_by(partial(_rewritten, spot=base_spot), partial(_rewritten, spot=head_spot))
    if aliases is None:
        return found
    pass_by(lambda point: _both_rewritten(point, files), lambda point: _both_rewrite(point, files))
    pass_by(partial(_said, spot=base_spot), partial(_said, spot=head_spot))
    for key in (_renewed, _way):
        pass_by(partial(key, spot=base_spot), partial(key, spot=head_spot))
    for index, point in enumerate(head):
        if index not in found:
            same = (n for n, old in enumerate(base) if n not in used and _is_renamed(old, point, files, aliases))
            known = next(same, None)
            if known is not None:
                found[index] = known
                used.add(known)
    return found


def _sort(point: Finding) -> _Key:
    return (point.check, point.kind, point.callee, point.slot)


def _acquired(point: Finding) -> _Line:
    first = next((step.at for step in point.steps if step.kind is StepKind.ACQUIRE), point.at)
    return first.file, first.line


def _branch(point: Finding) -> Step | None:
    """The last branch before the loss."""
    return next((step for step in reversed(point.steps) if step.kind is StepKind.BRANCH), None)


def _place(point: Finding) -> _Key | None:
    return (*_sort(point), point.at.file, point.at.line, *_acquired(point))


def _moved_place(point: Finding, files: Files) -> _Key | None:
    """The place at the head side of a base loss point, None when one of its lines is gone."""
    file, line = _acquired(point)
    lost, acquired = files.line_to_head(point.at.file, point.at.line), files.line_to_head(file, line)
    if not lost or not acquired:
        return None
    return (*_sort(point), files.to_head(point.at.file), lost, files.to_head(file), acquired)


def _spot_of_base(files: Files, at: _Line) -> _Spot | None:
    """Where a base line is found at the head side, None when it was deleted."""
    file, line = at
    moved = files.line_to_head(file, line)
    passage = 0 if moved else files.passage_of_base(file, line)
    return _Spot(files.to_head(file), moved, passage) if moved or passage else None


def _spot_of_head(files: Files, at: _Line) -> _Spot:
    file, line = at
    passage = files.passage_of_head(file, line)
    return _Spot(file, 0 if passage else line, passage)


def _rewritten(point: Finding, spot: _SpotOf) -> _Key | None:
    """The same sort of loss of the same acquisition; one of the two lines was rewritten, the other only moved."""
    lost, acquired = spot((point.at.file, point.at.line)), spot(_acquired(point))
    if lost is None or acquired is None or bool(lost.line) is bool(acquired.line):
        return None
    return (*_sort(point), lost, acquired)


def _renewed(point: Finding, spot: _SpotOf) -> _Key | None:
    """The same holder in the same function, lost in the same way; both lines may be rewritten, and another function
    may hand it out now."""
    lost, acquired = spot((point.at.file, point.at.line)), spot(_acquired(point))
    if lost is None or acquired is None or (lost.line and acquired.line):
        return None
    return (point.check, point.kind, point.function, point.resource, lost, acquired)


def _way(point: Finding, spot: _SpotOf) -> _Key | None:
    """The same holder, lost behind the same branch: further on, or less far, or in another manner."""
    branch = _branch(point)
    acquired = spot(_acquired(point))
    if branch is None or acquired is None:
        return None
    at = spot((branch.at.file, branch.at.line))
    return (point.check, point.resource, acquired, branch.message, at) if at is not None else None


def _both_rewritten(point: Finding, files: Files) -> _Key | None:
    """The rewritten passage in which a base loss point was, and the shape of its lines."""
    passage = files.passage_of_base(point.at.file, point.at.line)
    return (*_sort(point), files.to_head(point.at.file), passage, *_shapes(point)) if passage else None


def _both_rewrite(point: Finding, files: Files) -> _Key | None:
    """The same for a head loss point."""
    passage = files.passage_of_head(point.at.file, point.at.line)
    return (*_sort(point), point.at.file, passage, *_shapes(point)) if passage else None


def _shapes(point: Finding) -> tuple[str, str]:
    """What the lines of loss and acquisition say, without names."""
    first = next((step.at for step in point.steps if step.kind is StepKind.ACQUIRE), point.at)
    return shape(point.at.text), shape(first.text)


def _said(point: Finding, spot: _SpotOf) -> _Key | None:
    """What is said of it, where the acquisition only moved; and the branch before it, unless that was rewritten."""
    acquired = spot(_acquired(point))
    if acquired is None or not acquired.line:
        return None
    branch = _branch(point)
    at = spot((branch.at.file, branch.at.line)) if branch is not None else None
    return (*_sort(point), acquired, _sentence(point), at if at is not None and at.line else None)


def _sentence(point: Finding) -> str:
    """What is said of it; the end of a function is as good as a return."""
    return point.message.replace("the function ends", "the function returns")


def _is_renamed(old: Finding, new: Finding, files: Files, aliases: Aliases) -> bool:
    """Whether a loss point is the same but for the function that acquires, which the change made of the old one."""
    if (old.check, old.kind) != (new.check, new.kind) or old.callee == new.callee:
        return False
    moved = files.line_to_head(old.at.file, old.at.line) == new.at.line
    there = moved and files.to_head(old.at.file) == new.at.file
    alike = old.function == new.function and _without_callee(old) == _without_callee(new)
    return (there or alike) and aliases.same(old.callee, new.callee)


def _without_callee(point: Finding) -> str:
    return point.message.replace(f"{point.callee}()", "()")
