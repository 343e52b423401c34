"""Two reports -> one: what the change introduced, fixed and left, and what it took out of sight."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

from analyzer.change.aliases import Aliases
from analyzer.change.cause import Causes
from analyzer.change.matching import Files, match
from analyzer.change.migration import migration
from analyzer.change.sides import Change
from analyzer.contracts import ContractTable
from analyzer.findings.model import Finding, Notice, NoticeKind, Report, State
from analyzer.findings.points import finding_order, loss_points, merge

_LOST = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL)
_HARMLESS = (
    NoticeKind.DEGRADED,
    NoticeKind.SKIPPED,
    NoticeKind.MISSING_HEADER,
    NoticeKind.CONTRADICTION,
    NoticeKind.WRITTEN,
    NoticeKind.NAME_ONLY,
    NoticeKind.SUPPRESSION,
    NoticeKind.FLAG,
)
_NUMBER = re.compile(r"\d+")
Read = Callable[[str], bytes | None]


@final
@dataclass(frozen=True, slots=True)
class Sides:
    """What to compare. read: contents of a file of the head side. table: the contracts.

    trusted: comments that allow a finding count although the change wrote them.
    """

    change: Change
    base: Report
    head: Report
    read: Read
    table: ContractTable
    trusted: bool = False


def compare_sides(sides: Sides) -> Report:
    """The report on the change: the head side's, with a state for every finding."""
    return _Comparison(sides).report()


@final
class _Comparison:
    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._files = Files(sides.change.pairs)
        self._base_gaps = {
            (self._files.to_head(notice.file), notice.function)
            for notice in sides.base.notices
            if notice.kind in _LOST or notice.kind is NoticeKind.DEGRADED
        }
        self._head_gaps = {
            (notice.file, notice.function)
            for notice in sides.head.notices
            if notice.kind in _LOST or notice.kind is NoticeKind.DEGRADED
        }

    def report(self) -> Report:
        """The comparison."""
        base, head = _points(self._sides.base), _points(self._sides.head)
        found = match(base, head, self._files, Aliases(self._sides.change.pairs))
        introduced: list[Finding] = []
        unchanged: list[Finding] = []
        for index, point in enumerate(head):
            known = index in found or self._was_hidden(point)
            (unchanged if known else introduced).append(point)
        matched = set(found.values())
        gone = [point for index, point in enumerate(base) if index not in matched]
        fixed = [point for point in gone if not self._out_of_sight(point)]
        lost = [point for point in gone if self._out_of_sight(point)]
        causes = Causes(self._files, self._sides.read)
        new = [self._explained(causes.place(one)) for one in _merged(self._judged(point) for point in introduced)]
        findings = [
            *(replace(finding, state=State.NEW) for finding in new),
            *(replace(finding, state=State.UNCHANGED) for finding in _merged(unchanged)),
            *(replace(finding, state=State.ABSENT) for finding in _merged(fixed)),
        ]
        head_report = self._sides.head
        return replace(
            head_report,
            findings=tuple(sorted(findings, key=finding_order)),
            notices=tuple(dict.fromkeys((*self._notices(), *self._lost_sight(lost)))),
            base=self._sides.change.base_name,
            head=self._sides.change.head_name,
        )

    def _explained(self, finding: Finding) -> Finding:
        """With the sentence about a replaced function, when one was."""
        sentence = migration(finding, self._sides.change.pairs, self._files, self._sides.table)
        return replace(finding, change=sentence) if sentence else finding

    def _was_hidden(self, point: Finding) -> bool:
        """Whether the base side could not have seen it although all of its steps were there already."""
        gap = (point.at.file, point.function) in self._base_gaps or (point.at.file, "") in self._base_gaps
        return gap and not any(self._files.is_new(step.at.file, step.at.line) for step in point.steps)

    def _out_of_sight(self, point: Finding) -> bool:
        """Whether a base loss point that is gone may be there still."""
        file = self._files.to_head(point.at.file)
        return bool(file) and ((file, "") in self._head_gaps or (file, point.function) in self._head_gaps)

    def _judged(self, point: Finding) -> Finding:
        """Without a suppression that the change itself wrote."""
        allowed = point.suppression
        if allowed is None or self._sides.trusted:
            return point
        written = range(allowed.at.line, allowed.at.end_line + 1)
        if any(self._files.is_new(allowed.at.file, line) for line in written):
            return replace(point, suppression=None)
        return point

    def _notices(self) -> Iterator[Notice]:
        """Those of the head side; what was not analysed before either is no loss, and harmless things that stood
        already are marked."""
        before = {
            (notice.kind, self._files.to_head(notice.file), notice.function)
            for notice in self._sides.base.notices
            if notice.kind in _LOST
        }
        stood = Counter(_named(notice, self._files.to_head(notice.file)) for notice in self._sides.base.notices)
        for notice in self._sides.head.notices:
            name = _named(notice, notice.file)
            if (notice.kind, notice.file, notice.function) in before and notice.kind is NoticeKind.NOT_ANALYSED:
                yield replace(notice, kind=NoticeKind.GAP)
            elif notice.kind in _HARMLESS and stood[name]:
                stood[name] -= 1
                yield replace(notice, stood=True)
            else:
                yield notice

    def _lost_sight(self, lost: Iterable[Finding]) -> Iterator[Notice]:
        for point in lost:
            message = f"lost sight of: {point.message}; the function could be analysed before this change"
            at = self._files.line_to_head(point.at.file, point.at.line)
            yield Notice(NoticeKind.NOT_ANALYSED, self._files.to_head(point.at.file), at, message, point.function)
        seen = set(self._sides.head.seen)
        told = {notice.file for notice in self._sides.head.notices if notice.kind in _LOST}
        for file in self._sides.base.seen:
            head = self._files.to_head(file)
            if head and head not in seen and head not in told:
                yield Notice(NoticeKind.NOT_ANALYSED, head, 0, "lost sight of: analysed at the base, not at the head")


def _named(notice: Notice, file: str) -> tuple[object, ...]:
    """What a notice is about, wherever it stands: without line numbers, those in its message included."""
    return notice.kind, file, notice.function, _NUMBER.sub("", notice.message)


def _points(report: Report) -> list[Finding]:
    return [
        replace(point, suppression=finding.suppression) for finding in report.findings for point in loss_points(finding)
    ]


def _merged(points: Iterable[Finding]) -> list[Finding]:
    """Findings from loss points: those of one acquisition together, allowed ones apart."""
    groups: dict[object, list[Finding]] = {}
    for point in points:
        key = (point.at.file, point.function, point.fingerprint, point.suppression)
        groups.setdefault(key, []).append(point)
    return [_merge(group) for group in groups.values()]


def _merge(group: Sequence[Finding]) -> Finding:
    return replace(merge(group), suppression=group[0].suppression)
