"""What is shown, the counts of the last line, and the exit status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.findings.model import Confidence, Finding, NoticeKind, Report, State, Verdict, Withheld
from analyzer.report.failing import decides

_FAILED = (NoticeKind.BAD_INPUT, NoticeKind.INTERNAL)


@final
@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of one run.

    degraded: functions parsed with errors, and files with errors outside of functions.
    hidden: findings of low confidence that are not shown. failed: things that were asked for and could not be
    done. not_analysed: files and functions. suppressed: allowed by comments. known, gone: after a comparison with a
    baseline, findings that it holds: still there, and no longer. changed: the run is about a change.
    spared: findings that are shown and do not decide about the exit status (`Report.fail_on`).
    generated, off: kept back by the settings, as in `Withheld`. not_compiled: calls of acquiring functions that no
    configuration compiles.
    """

    shown: int
    hidden: int
    degraded: int
    escaped: int
    not_analysed: int
    skipped: int
    failed: int
    files: int
    functions: int
    suppressed: int = 0
    known: int = 0
    gone: int = 0
    changed: bool = False
    generated: int = 0
    off: int = 0
    not_compiled: int = 0
    spared: int = 0


def confident_findings(report: Report, everything: bool) -> tuple[Finding, ...]:
    """High and medium confidence; all of them with `everything`. Also those that comments allow.

    Never what the settings withhold.
    """
    return tuple(
        finding
        for finding in report.findings
        if finding.withheld is None and (everything or finding.confidence is not Confidence.LOW)
    )


def shown_findings(report: Report, everything: bool) -> tuple[Finding, ...]:
    """What counts: sure enough, not allowed by a comment, not known before."""
    return tuple(finding for finding in confident_findings(report, everything) if counts(finding))


def counts(finding: Finding) -> bool:
    """Whether a finding is neither allowed by a comment nor known before nor gone."""
    return finding.suppression is None and finding.state in (None, State.NEW)


def is_known(finding: Finding) -> bool:
    """Whether a baseline holds it, and no comment allows it."""
    return finding.suppression is None and finding.state is State.UNCHANGED and finding.withheld is None


def summarise(report: Report, everything: bool = False) -> Summary:
    """Counts a report. everything: low confidence is shown too."""
    shown = shown_findings(report, everything)
    withheld = [finding.withheld for finding in report.findings if counts(finding)]
    kinds = [notice.kind for notice in report.notices]
    return Summary(
        shown=len(shown),
        hidden=withheld.count(None) + withheld.count(Withheld.UNSURE) - len(shown),
        degraded=kinds.count(NoticeKind.DEGRADED),
        escaped=sum(acquisition.verdict is Verdict.ESCAPED for acquisition in report.acquisitions),
        not_analysed=kinds.count(NoticeKind.NOT_ANALYSED),
        skipped=kinds.count(NoticeKind.SKIPPED),
        failed=sum(kind in _FAILED for kind in kinds),
        files=report.files,
        functions=report.functions,
        suppressed=sum(finding.suppression is not None for finding in report.findings),
        known=sum(is_known(finding) for finding in report.findings),
        changed=bool(report.base),
        generated=withheld.count(Withheld.GENERATED),
        off=withheld.count(Withheld.OFF),
        not_compiled=len(report.not_compiled),
        gone=sum(finding.state is State.ABSENT for finding in report.findings),
        spared=sum(not decides(finding, report.fail_on) for finding in shown),
    )


def exit_status(summary: Summary, strict: bool = False, exit_zero: bool = False) -> int:
    """The highest that applies in the order 2, 1, 3, 0.

    strict: degraded functions, escaped resources and skipped files count as not analysed.
    exit_zero: findings and gaps are only reported; what could not be done stays 2.
    """
    if summary.failed:
        return 2
    if exit_zero:
        return 0
    if summary.shown > summary.spared:
        return 1
    notes = summary.degraded + summary.escaped + summary.skipped
    return 3 if summary.not_analysed or (strict and notes) else 0


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def last_line(summary: Summary) -> str:
    """The counts as one line, without line feed."""
    if summary.changed:
        return "; ".join([_change(summary), *_spared(summary), *_withheld(summary), *_gaps(summary)])
    found = f"{_count(summary.shown, 'finding')} in {_count(summary.files, 'file')}"
    parts = [found, *_spared(summary), *kept_back(summary)]
    if summary.gone:
        parts.append(f"{summary.gone} gone since the baseline")
    return "; ".join([*parts, *_gaps(summary)])


def _change(summary: Summary) -> str:
    files = _count(summary.files, "file")
    return f"{summary.shown} introduced, {summary.gone} fixed, {summary.known} unchanged in {files}"


def _spared(summary: Summary) -> list[str]:
    """Findings that are only shown."""
    does = "does" if summary.spared == 1 else "do"
    return [f"{summary.spared} of them {does} not fail (--fail-on)"] if summary.spared else []


def kept_back(summary: Summary) -> list[str]:
    """What the settings, the confidence and a baseline keep from being shown, counted."""
    return [*_withheld(summary), *([f"{summary.known} known"] if summary.known else [])]


def _withheld(summary: Summary) -> list[str]:
    kept = (
        (summary.hidden, "hidden for low confidence (--all shows them)"),
        (summary.generated, "in generated code (--generated shows them)"),
        (summary.off, "switched off by the settings"),
    )
    return [f"{number} {why}" for number, why in kept if number]


def _gaps(summary: Summary) -> list[str]:
    gaps = (
        (summary.suppressed, f"{summary.suppressed} suppressed"),
        (summary.degraded, f"{summary.degraded} degraded"),
        (summary.escaped, _count(summary.escaped, "resource") + " escaped"),
        (summary.not_compiled, _count(summary.not_compiled, "acquisition") + " not compiled"),
        (summary.skipped, _count(summary.skipped, "file") + " skipped"),
        (summary.not_analysed, f"{summary.not_analysed} not analysed"),
        (summary.failed, _count(summary.failed, "failure")),
    )
    return [text for number, text in gaps if number]
