"""Whether a changed text does what a fix claims: the program is analysed with it, and compared with what was known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

from analyzer.cache import digest
from analyzer.change.matching import Files, match
from analyzer.change.sides import Pair
from analyzer.contracts import ContractTable
from analyzer.errors import MustfreeError
from analyzer.findings.model import Acquisition, Finding, Notice, NoticeKind, Report, Verdict
from analyzer.findings.points import loss_points
from analyzer.fixes.handing_out import hands_out_only
from analyzer.fixes.reach import Place
from analyzer.ir.function import Function
from analyzer.program.discovery import real
from analyzer.workspace import Workspace

# What a fix must not add: places that cannot be seen any more, and calls that fit nothing.
_WORSE = frozenset(
    (
        NoticeKind.BAD_INPUT,
        NoticeKind.NOT_ANALYSED,
        NoticeKind.DEGRADED,
        NoticeKind.MISSING_HEADER,
        NoticeKind.CONTRADICTION,
        NoticeKind.WRITTEN,
        NoticeKind.NAME_ONLY,
        NoticeKind.INTERNAL,
    )
)
_UNDECIDED = frozenset((Verdict.GAVE_UP, Verdict.UNPROVEN))
_LINE = re.compile(r"(?<=line )\d+")


@final
@dataclass(frozen=True, slots=True)
class Outcome:
    """What an analysis with changed texts shows.

    gone: numbers of the known loss points that are no longer there. new: those that were not there.
    worse: functions of which less is seen than before, without a name where it is the file.
    there: all loss points there are, as far as they lie on lines that have not changed: where these are in the text
        as it was.
    reached: the acquisitions that are not in unreachable code.
    escapes: functions, with the lines in the text as it was and the columns of the calls with which what they acquire
        goes out of sight; None where that is elsewhere, or on a line that has changed.
    """

    gone: frozenset[int]
    new: tuple[Finding, ...]
    worse: frozenset[Place]
    there: tuple[Finding, ...]
    reached: tuple[Acquisition, ...]
    escapes: frozenset[tuple[Place, tuple[int, int] | None]] = frozenset()


@final
class Prover:
    """Analyses a program with other texts for some of its files.

    known: the report on the program as it is; its loss points are numbered in `points`.
    """

    def __init__(self, workspace: Workspace, paths: Sequence[str], known: Report) -> None:
        self._workspace = workspace
        self._paths = tuple(paths)
        self._known = known
        self.points = _points(known)
        self.analyses = 0
        self._errors: dict[str, frozenset[str]] = {}
        self._texts: dict[str, bytes] = {}
        self._handing_out: dict[str, frozenset[str]] = {}
        self._digests = {file: name for file, name in known.digests if name}

    def text(self, file: str) -> bytes:
        """The text of a file as it was analysed. MustfreeError: it cannot be read, or holds something else by now."""
        if file not in self._texts:
            self._texts[file] = self._on_disk(file)
        return self._texts[file]

    def check_unchanged(self) -> None:
        """MustfreeError: a file of the program has changed since the analysis, so nothing is proved."""
        for file in sorted({*self._digests, *self._texts}):
            data = self._on_disk(file)
            if data != self._texts.get(file, data):
                raise _changed(file)

    def _on_disk(self, file: str) -> bytes:
        data = self._workspace.read(file)
        if data is None:
            raise MustfreeError(f"{file}: cannot be read any more; run the command again")
        if self._digests.get(file, digest((data,))) != digest((data,)):
            raise _changed(file)
        return data

    def outcome(self, texts: Mapping[str, bytes]) -> Outcome:
        """What the analysis shows with these texts: file as in the report -> contents."""
        self.analyses += 1
        root = self._workspace.root
        overlay = dict(self._workspace.overlay) | {real(file, root): data for file, data in texts.items()}
        settings = replace(self._workspace.settings, cache_read_only=True)
        report = Workspace(settings, overlay, self._workspace.rules).analyse(self._paths)
        files = Files([Pair(file, file, self.text(file), data) for file, data in texts.items()])
        points = _points(report)
        found = match(self.points, points, files)
        gone = frozenset(range(len(self.points))) - set(found.values())
        new = tuple(point for index, point in enumerate(points) if index not in found)
        there = tuple(moved for point in points if (moved := _at_base(point, files)) is not None)
        reached = tuple(one for one in report.acquisitions if one.verdict is not Verdict.UNREACHABLE)
        return Outcome(gone, new, self._worse(report), there, reached, _escapes(report, files))

    def _worse(self, report: Report) -> frozenset[Place]:
        before, after = _signs(self._known.notices), _signs(report.notices)
        found = {Place(file, function) for _, file, function, _ in after - before}
        found |= set(_undecided(report) - _undecided(self._known))
        return frozenset(found)

    def acquisitions(self, place: Place) -> Iterator[Acquisition]:
        """Those of a function of the program as it is."""
        return (one for one in self._known.acquisitions if Place(one.at.file, one.function) == place)

    @property
    def table(self) -> ContractTable:
        """What library functions do."""
        return self._workspace.table

    def lowered(self, place: Place, data: bytes) -> tuple[Function, ...]:
        """The operations of a function in a changed text of its file, in each configuration that has it."""
        path = real(place.file, self._workspace.root)
        overlay = dict(self._workspace.overlay) | {path: data}
        try:
            units = Workspace(self._workspace.settings, overlay, self._workspace.rules).lower_everywhere(place.file)
        except MustfreeError:
            return ()
        found = (one for unit in units for one in unit.functions if one.name == place.function and one.file == path)
        return tuple(found)

    def handing_out(self, file: str) -> frozenset[str]:
        """The functions in a file as it is, and in what it includes, that put nothing behind parameters but what they
        acquired, in each configuration. What other files define is not known.
        """
        if file not in self._handing_out:
            units = self._workspace.lower_everywhere(file)
            acquiring = self.table.acquiring_names
            functions = [one for unit in units for one in unit.functions]
            mixed = {one.name for one in functions if not hands_out_only(one, acquiring)}
            self._handing_out[file] = frozenset(one.name for one in functions) - mixed
        return self._handing_out[file]

    def parses(self, file: str, data: bytes) -> bool:
        """Whether the parser has nothing against a text that it has not against the file as it is.

        The analysis cannot tell: it makes up for what is not declared.
        """
        if file not in self._errors:
            self._errors[file] = self._parsed(file, self.text(file))
        return self._parsed(file, data) <= self._errors[file]

    def _parsed(self, file: str, data: bytes) -> frozenset[str]:
        overlay = dict(self._workspace.overlay) | {real(file, self._workspace.root): data}
        try:
            return Workspace(self._workspace.settings, overlay, self._workspace.rules).errors(file)
        except MustfreeError as error:
            return frozenset((str(error),))


def _escapes(report: Report, files: Files) -> frozenset[tuple[Place, tuple[int, int] | None]]:
    """See `Outcome`."""
    found = set()
    for one in report.acquisitions:
        for escape in one.escapes:
            at = escape.at
            lines = files.lines(at.file) if at is not None and at.file == one.at.file else None
            line = at.line if at is not None and at.file == one.at.file else 0
            line = lines.to_base(line) if lines is not None and line else line
            found.add((Place(one.at.file, one.function), (line, at.column) if at is not None and line else None))
    return frozenset(found)


def _changed(file: str) -> MustfreeError:
    return MustfreeError(f"{file}: changed while it was analysed; run the command again")


def _at_base(point: Finding, files: Files) -> Finding | None:
    lines = files.lines(point.at.file)
    line = lines.to_base(point.at.line) if lines is not None else 0
    return replace(point, at=replace(point.at, line=line, end_line=line)) if line else None


def _points(report: Report) -> tuple[Finding, ...]:
    return tuple(point for finding in report.findings for point in loss_points(finding))


def _signs(notices: Iterable[Notice]) -> Counter[tuple[NoticeKind, str, str, str]]:
    """Notices without their lines, which move."""
    return Counter(
        (notice.kind, notice.file, notice.function, _LINE.sub("", notice.message))
        for notice in notices
        if notice.kind in _WORSE
    )


def _undecided(report: Report) -> Counter[Place]:
    """By function, how many acquisitions nothing can be said about."""
    return Counter(Place(one.at.file, one.function) for one in report.acquisitions if one.verdict in _UNDECIDED)
