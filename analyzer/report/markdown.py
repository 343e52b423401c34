"""A summary on one screen, for a comment on a merge request or a job's page."""

from __future__ import annotations

import re

from analyzer.findings.model import Finding, NoticeKind, Report
from analyzer.report.annotations import sentences
from analyzer.report.plain import plain
from analyzer.report.summary import last_line, shown_findings, summarise

_MOST = 20
_MARKS = re.compile(r"[\\`*_{}\[\]()#+!|~<>&@:\"']")
_TOLD = (NoticeKind.BAD_INPUT, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.CHANGE)


def markdown(report: Report, everything: bool = False) -> str:
    """The counts, up to twenty findings, and what a reviewer must know about the run."""
    shown = shown_findings(report, everything)
    lines = ["### mustfree", "", _text(last_line(summarise(report, everything))), ""]
    if report.base:
        lines[2] += f" ({_text(report.base)} to {_text(report.head)})"
    if shown:
        lines += ["| | where | what |", "|---|---|---|", *(_row(finding) for finding in shown[:_MOST]), ""]
    if len(shown) > _MOST:
        lines += [f"... and {len(shown) - _MOST} more.", ""]
    told = [notice for notice in report.notices if notice.kind in _TOLD]
    for notice in told[:_MOST]:
        place = f"{notice.file}, line {notice.line}" if notice.line else notice.file
        lines.append(f"* {_text(place)}: {_text(notice.message)}")
    if len(told) > _MOST:
        lines.append(f"* ... and {len(told) - _MOST} more notices")
    return "\n".join(lines).rstrip() + "\n"


def _row(finding: Finding) -> str:
    where = f"{finding.at.file}, line {finding.at.line}, in {finding.function}()"
    return f"| {finding.level.value} | {_text(where)} | {_spans(sentences(finding))} |"


def _text(text: str) -> str:
    """Other people's text: no mark of it means anything, no mention calls anybody."""
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", plain(text))


def _spans(text: str) -> str:
    """The same, but what stands between backquotes is set as code."""
    parts = text.split("`")
    return "".join(f"<code>{_text(part)}</code>" if number % 2 else _text(part) for number, part in enumerate(parts))
