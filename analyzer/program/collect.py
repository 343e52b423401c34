"""What all units of a program say, as one: each thing once, sorted, whatever the order in which it came.

A header's function is seen by every file that includes it, a file may be compiled in several ways, and the program
may be analysed in several configurations: what they say of one place is put together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import final

from analyzer.contracts.model import Route
from analyzer.findings.model import Acquisition, Finding, Notice, NoticeKind, StepKind, Summary, Verdict
from analyzer.findings.points import finding_order, loss_points, merge
from analyzer.program.disposers import Disposer, advised
from analyzer.program.growth import Growths
from analyzer.program.memory import Whole
from analyzer.program.not_compiled import Dropped, nowhere_compiled
from analyzer.program.tasks import configuration_of, file_of
from analyzer.program.unit import UnitResult, UnitScan
from analyzer.program.unlocks import Places, escape_of
from analyzer.sources import SourceView

_NOTICE_ORDER = {kind: number for number, kind in enumerate(NoticeKind)}
_VERDICT_ORDER = {verdict: number for number, verdict in enumerate(Verdict)}
_Key = tuple[str | int, ...]


def collected(
    scans: Iterable[UnitScan],
    results: Iterable[UnitResult],
    configurations: Sequence[str],
    growths: Growths,
    view: SourceView,
    root: str,
) -> tuple[Whole, frozenset[str]]:
    """What all units say, and the files that were not analysed. configurations: their names, "" first."""
    everything = _Collection(configurations, growths)
    for scan in scans:
        everything.scan(scan)
    rank = {name: number for number, name in enumerate(configurations)}
    for result in sorted(results, key=lambda result: rank[configuration_of(result.path)]):
        everything.result(result)
    return everything.whole(view, root), frozenset(everything.failed)


@final
class _Collection:
    """Fills up unit by unit; those of the given configuration come first."""

    def __init__(self, configurations: Sequence[str], growths: Growths) -> None:
        self._growths = growths
        self._findings = _Findings()
        self._acquisitions: dict[_Key, tuple[Acquisition, tuple[Route, ...]]] = {}
        self._notices: dict[str, list[Notice]] = {name: [] for name in configurations}
        self._starts: dict[tuple[str, str], int] = {}
        self._functions = 0
        self._has_main = False
        self._loose: set[str] = set()
        self._disposers: list[Disposer] = []
        self._summaries: dict[_Key, Summary] = {}
        self._dropped: list[tuple[tuple[str, ...], tuple[Dropped, ...]]] = []
        self.failed: set[str] = set()

    def scan(self, scan: UnitScan) -> None:
        """What reading a unit brought."""
        configuration = configuration_of(scan.path)
        self._notices[configuration] += scan.notices
        self._functions += 0 if configuration else scan.functions
        self._has_main = self._has_main or any(function.name == "main" for function in scan.calls)
        for function in scan.calls:
            place = (function.file, function.body)
            self._starts[place] = min(function.at, self._starts.get(place, function.at))
        self._dropped.append((scan.read, scan.dropped))
        if not scan.analysed:
            self.failed.add(file_of(scan.path))

    def result(self, result: UnitResult) -> None:
        """What functions of a unit have to say."""
        configuration = configuration_of(result.path)
        seen: Counter[_Key] = Counter()  # a macro may acquire twice at one place
        for finding in result.findings:
            subject = _subject(finding)
            judged = self._growths.judged(result.path, finding)
            self._findings.add((*subject, seen[subject]), judged, configuration)
            seen[subject] += 1
        for one in zip(result.acquisitions, result.routes, strict=True):
            key = _acquisition_order(one[0])
            self._acquisitions[key] = min(self._acquisitions.get(key, one), one, key=lambda pair: _gravity(pair[0]))
        self._notices[configuration] += result.notices
        self._loose |= result.loose
        self._disposers += result.disposers
        for summary in result.summaries:
            self._summaries.setdefault((summary.at.file, summary.at.line, summary.at.column), summary)
        if not result.analysed:
            self.failed.add(file_of(result.path))

    def whole(self, view: SourceView, root: str) -> Whole:
        """All of it."""
        places = Places(view, root, self._starts)
        acquisitions = [
            replace(acquisition, escapes=tuple(escape_of(route, places) for route in routes)) if routes else acquisition
            for acquisition, routes in (self._acquisitions[key] for key in sorted(self._acquisitions))
        ]
        return Whole(
            functions=self._functions,
            findings=advised(self._findings.all(), self._disposers),
            acquisitions=tuple(acquisitions),
            notices=sorted_notices(_named_notices(self._notices)),
            summaries=tuple(self._summaries[key] for key in sorted(self._summaries)),
            has_main=self._has_main,
            loose=tuple(sorted(self._loose)),
            not_compiled=nowhere_compiled(self._dropped),
        )


@final
class _Findings:
    """Findings by what they are about: those of several units are one, with the loss points of all."""

    def __init__(self) -> None:
        self._findings: dict[_Key, list[Finding]] = {}
        self._points: dict[_Key, dict[_Key, tuple[Finding, dict[str, None]]]] = {}

    def add(self, key: _Key, finding: Finding, configuration: str) -> None:
        """One that a unit of a configuration brings. key: what it is about."""
        points = self._points.setdefault(key, {})
        more = False
        for point in loss_points(finding):
            place = (point.at.line, point.at.column, point.resource)
            more = more or place not in points
            points.setdefault(place, (point, {}))[1][configuration] = None
        if more:
            self._findings.setdefault(key, []).append(finding)

    def all(self) -> tuple[Finding, ...]:
        """All of them, sorted."""
        return tuple(sorted(map(self._one, self._findings), key=finding_order))

    def _one(self, key: _Key) -> Finding:
        points = self._points[key].values()
        same = list(dict.fromkeys(tuple(names) for _, names in points))
        first, *others = self._findings[key]
        if not others and len(same) == 1:
            return _named(first, same[0])
        print_ = first.fingerprint
        return merge([replace(_named(point, tuple(names)), fingerprint=print_) for point, names in points])


def _subject(finding: Finding) -> _Key:
    """What a finding is about: what it speaks of was acquired at one place, or goes wrong in one way."""
    first = finding.steps[0]
    anchor: _Key = (first.at.line, first.at.column) if first.kind is StepKind.ACQUIRE else (finding.fingerprint,)
    sort = (finding.at.file, finding.function, finding.check, finding.kind, finding.callee, finding.slot)
    return (*sort, *anchor)


def _named(finding: Finding, configurations: tuple[str, ...]) -> Finding:
    """A finding that says in which configurations alone it shows."""
    if "" in configurations:
        return finding
    points = tuple(_named(point, configurations) for point in finding.points)
    message = f"{finding.message} ({_only_with(configurations)})"
    return replace(finding, message=message, variants=configurations, points=points)


def _named_notices(by_configuration: Mapping[str, Iterable[Notice]]) -> list[Notice]:
    """Notices; those that do not show in the given configuration say in which."""
    found: dict[Notice, dict[str, None]] = {}
    for name, notices in by_configuration.items():
        for notice in notices:
            found.setdefault(notice, {})[name] = None
    return [
        notice if "" in names else replace(notice, message=f"{notice.message} ({_only_with(tuple(names))})")
        for notice, names in found.items()
    ]


def _only_with(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"only with variant{'s' if len(names) > 1 else ''} {listed}"


def _acquisition_order(acquisition: Acquisition) -> tuple[str | int, ...]:
    at = acquisition.at
    return (at.file, at.line, at.column, acquisition.function, acquisition.callee, acquisition.slot, acquisition.holder)


def _gravity(acquisition: Acquisition) -> int:
    """Of a header's function, or a file compiled in several ways, the verdict that says the most."""
    return _VERDICT_ORDER[acquisition.verdict]


def sorted_notices(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Without duplicates, the serious kinds first."""
    return tuple(
        sorted(
            set(notices),
            key=lambda notice: (
                _NOTICE_ORDER[notice.kind],
                notice.file,
                notice.line,
                notice.function,
                notice.message,
            ),
        )
    )
