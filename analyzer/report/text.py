"""Findings for people, in the manner of a compiler: sentence, source line, the path as numbered steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import final

from analyzer.findings.model import Confidence, Finding, Notice, NoticeKind, Region, Report, State
from analyzer.report.growth import growth_sentence
from analyzer.report.plain import plain, plain_source, split_utf16, width
from analyzer.report.summary import last_line, shown_findings, summarise

_COLOURS = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;35m",
    "note": "\x1b[1;36m",
    "bold": "\x1b[1m",
    "caret": "\x1b[1;32m",
    "dim": "\x1b[2m",
}
_RESET = "\x1b[0m"
_GUTTER = 5
SERIOUS = (NoticeKind.BAD_INPUT, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL)
_LEVELS = {
    NoticeKind.BAD_INPUT: "error",
    NoticeKind.INTERNAL: "error",
    NoticeKind.NOT_ANALYSED: "warning",
    NoticeKind.SUPPRESSION: "warning",
    NoticeKind.CHANGE: "warning",
    NoticeKind.WRITTEN: "warning",
    NoticeKind.SETTINGS: "warning",
}
_SHOWN_PER_KIND = 5
_ONE_LINE = (NoticeKind.MISSING_HEADER, NoticeKind.SKIPPED)


@final
class TextWriter:
    """Writes findings and notices as text. colour: with terminal escapes of ours (never of the input's)."""

    def __init__(self, colour: bool = False) -> None:
        self._colour = colour

    def _paint(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self._colour else text

    def _place(self, at: Region) -> str:
        return f"{plain(at.file)}:{at.line}:{at.column}"

    def _source(self, at: Region) -> list[str]:
        """The line, and a caret line under the region."""
        if not at.text.strip():
            return []
        before = split_utf16(at.text, at.column)
        until = split_utf16(at.text, at.end_column) if at.end_line == at.line else at.text
        left = width(plain_source(before))
        length = max(1, width(plain_source(until).rstrip()) - left)
        gutter = " " * _GUTTER
        mark = self._paint("caret", "^" + "~" * (length - 1))
        return [f"{at.line:>{_GUTTER}} | {plain_source(at.text).rstrip()}", f"{gutter} | {' ' * left}{mark}"]

    def finding(self, finding: Finding) -> str:
        """One finding, several lines, with a line feed at the end."""
        level = self._paint(finding.level.value, f"{finding.level.value}[{finding.check}]:")
        head = f"{self._paint('bold', self._place(finding.at) + ':')} {level} {plain(finding.message)}"
        lines = [head, *self._source(finding.at)]
        if finding.change:
            lines.append(f"  {self._paint('note', 'change:')} {plain(finding.change)}")
        if finding.steps:
            lines.append(f"  the path, in {plain(finding.function)}():")
        for number, step in enumerate(finding.steps, 1):
            where = "" if step.at.file == finding.at.file else f"{plain(step.at.file)}:"
            lines.append(f"  {number}. {where}{step.at.line}:{step.at.column}: {plain(step.message)}")
            lines += [f"  {line}" for line in self._source(step.at)]
        acquired = 1 if finding.callee else 0
        for related in finding.related[acquired:]:
            lines.append(f"  {self._paint('note', 'note:')} {self._place(related.at)}: {plain(related.message)}")
        if finding.advice:
            lines.append(f"  {self._paint('note', 'help:')} {plain(finding.advice)}")
        if finding.growth is not None:
            lines.append(f"  {self._paint('note', 'growth:')} {plain(growth_sentence(finding))}")
        if finding.confidence is not Confidence.HIGH:
            reason = f"{finding.confidence.value}: {plain(finding.confidence_reason)}"
            lines.append(f"  {self._paint('note', 'confidence:')} {reason}")
        return "\n".join(lines) + "\n"

    def _fixed(self, finding: Finding) -> str:
        """One line for what a change has mended; the line is that of the base side."""
        label = self._paint("note", f"fixed[{finding.check}]:")
        return f"{plain(finding.at.file)}: {label} in {plain(finding.function)}(): {plain(finding.message)}\n"

    def report(self, report: Report, everything: bool = False) -> str:
        """All shown findings and the line of counts."""
        texts = [self.finding(finding) + "\n" for finding in shown_findings(report, everything)]
        if report.base:
            texts += [self._fixed(finding) for finding in report.findings if finding.state is State.ABSENT]
        return "".join(texts) + last_line(summarise(report, everything)) + "\n"

    def notice(self, notice: Notice) -> str:
        """One notice on one line."""
        level = _LEVELS.get(notice.kind, "note")
        place = plain(notice.file) + (f":{notice.line}" if notice.line else "")
        where = f"in {plain(notice.function)}(): " if notice.function else ""
        prefix = f"{place}: " if place else ""
        return f"{prefix}{self._paint(level, level + ':')} {where}{plain(notice.message)}"

    def notices(self, report: Report, verbose: bool = False, quiet: bool = False) -> list[str]:
        """What is said about a run besides the findings.

        verbose: all of it; otherwise a few of each harmless kind, and of a change nothing that stood before it.
        quiet: only what affects the exit status.
        """
        lines: list[str] = []
        seen: dict[NoticeKind, int] = {}
        told = [notice for notice in report.notices if not notice.stood]
        for notice in report.notices if verbose else _one_per_header(told):
            serious = notice.kind in SERIOUS
            seen[notice.kind] = seen.get(notice.kind, 0) + 1
            if serious or verbose or (not quiet and seen[notice.kind] <= _SHOWN_PER_KIND):
                lines.append(self.notice(notice))
        more = sum(
            count - _SHOWN_PER_KIND for kind, count in seen.items() if kind not in SERIOUS and count > _SHOWN_PER_KIND
        )
        if more and not verbose and not quiet:
            lines.append(f"{self._paint('note', 'note:')} {more} more notices (-v shows them)")
        stood = len(report.notices) - len(told)
        if stood and not verbose and not quiet:
            notices = "1 notice" if stood == 1 else f"{stood} notices"
            lines.append(f"{self._paint('note', 'note:')} {notices} that stood before this change (-v shows them)")
        return lines


def _one_per_header(notices: Sequence[Notice]) -> list[Notice]:
    """A header that many files miss is one line, and so are files that are skipped for one reason."""
    headers = [notice for notice in notices if notice.kind in _ONE_LINE]
    counts = Counter(notice.message for notice in headers)
    kept: list[Notice] = []
    for notice in notices:
        count = counts.pop(notice.message, 0) if notice.kind in _ONE_LINE else 1
        if count > 1:
            others = "1 more file" if count == 2 else f"{count - 1} more files"
            where = "in " if notice.kind is NoticeKind.MISSING_HEADER else ""
            notice = replace(notice, message=f"{notice.message} (and {where}{others})")
        if count:
            kept.append(notice)
    return kept
