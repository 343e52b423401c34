"""A report against a baseline, loss point by loss point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from analyzer.baseline.file import Baseline, Entry
from analyzer.findings.model import Finding, Notice, NoticeKind, Region, Report, State
from analyzer.findings.points import finding_order, loss_points, split

_GAPS = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT)

Exists = Callable[[str], bool]


def compare(report: Report, baseline: Baseline, exists: Exists, name: str) -> Report:
    """The report with the state of every finding: new, unchanged, or absent for what is known and gone.

    A finding with known and new loss points becomes two. Nothing is called absent that was not looked for: in
    files that took no part or were not analysed completely. exists: whether a file is still there.
    name: what to call the baseline.
    """
    known, gone = _matched(report.findings, baseline)
    findings: list[Finding] = []
    for finding in report.findings:
        old, new = split(finding, lambda point: id(point) in known)
        for part, state in ((old, State.UNCHANGED), (new, State.NEW)):
            findings += [replace(part, state=state, suppression=finding.suppression)] if part else []
    findings += [_absent(entry) for entry in gone if _looked_for(entry, report, exists)]
    notices = [*report.notices, *_versions_differ(report, baseline, name)]
    return replace(report, findings=tuple(sorted(findings, key=finding_order)), notices=tuple(notices))


def updated(report: Report, before: Baseline, exists: Exists) -> Baseline:
    """The baseline that accepts a report. Entries of files that were not looked at are kept."""
    entries = {
        Entry(point.at.file, point.function, point.check, point.point, point.message)
        for finding in report.findings
        if finding.suppression is None
        for point in loss_points(finding)
    }
    kept = {entry for entry in before.entries if not _looked_for(entry, report, exists)}
    return Baseline(tuple(sorted(entries | kept)), report.versions)


def _matched(findings: Iterable[Finding], baseline: Baseline) -> tuple[set[int], list[Entry]]:
    """Identities of the known loss points, and the entries that none of them is. Each entry counts once; one of
    the same file goes first, so that a function that moved takes nothing from its twin."""
    left: dict[str, list[Entry]] = {}
    for entry in baseline.entries:
        left.setdefault(entry.fingerprint, []).append(entry)
    points = [point for finding in findings for point in loss_points(finding)]
    known: set[int] = set()
    for same_file in (True, False):
        for point in points:
            entries = left.get(point.point, [])
            match = next((e for e in entries if not same_file or e.file == point.at.file), None)
            if match is not None and id(point) not in known:
                entries.remove(match)
                known.add(id(point))
    return known, sorted(entry for entries in left.values() for entry in entries)


def _looked_for(entry: Entry, report: Report, exists: Exists) -> bool:
    gaps = {notice.file for notice in report.notices if notice.kind in _GAPS}
    if entry.file in gaps:
        return False
    return entry.file in report.seen or not exists(entry.file)


def _absent(entry: Entry) -> Finding:
    return Finding(
        check=entry.check,
        kind="",
        message=entry.message,
        at=Region(entry.file, 0, 0, 0, 0),
        function=entry.function,
        resource="",
        callee="",
        steps=(),
        point=entry.fingerprint,
        state=State.ABSENT,
    )


def _versions_differ(report: Report, baseline: Baseline, name: str) -> Iterator[Notice]:
    mine, theirs = dict(report.versions), dict(baseline.versions)
    different = [
        f"{what} {theirs.get(what, 'none')} instead of {mine.get(what, 'none')}"
        for what in dict.fromkeys((*mine, *theirs))
        if mine.get(what) != theirs.get(what)
    ]
    if different:
        message = f"written with {', '.join(different)}: what is new may be new for that reason"
        yield Notice(NoticeKind.BASELINE, name, 0, f"{message}; `mustfree baseline update {name}` accepts it")
