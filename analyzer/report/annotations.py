"""GitHub workflow commands: findings as annotations of the lines of a change.

    ::warning file=src/a.c,line=6,endLine=6,col=3,endColumn=12,title=leak::`p` from malloc() is not freed ...

GitHub shows ten errors and ten warnings of a step; the SARIF log has no such limit.
"""

from __future__ import annotations

from analyzer.findings.model import Finding, Level, Report
from analyzer.report.growth import growth_sentence
from analyzer.report.plain import plain
from analyzer.report.summary import shown_findings

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def github_annotations(report: Report, everything: bool = False) -> str:
    """One line for each shown finding."""
    return "".join(_annotation(finding) for finding in shown_findings(report, everything))


def sentences(finding: Finding) -> str:
    """What a finding says, as sentences on one line."""
    growth = f"growth: {growth_sentence(finding)}" if finding.growth else ""
    said = [finding.message, growth, finding.change, f"remedy: {finding.advice}" if finding.advice else ""]
    return " ".join(plain(one[0].upper() + one[1:]) + "." for one in said if one)


def _annotation(finding: Finding) -> str:
    at = finding.at
    properties = {
        "file": plain(at.file),
        "line": str(at.line),
        "endLine": str(at.end_line),
        "col": str(at.column),
        "endColumn": str(at.end_column),
        "title": f"mustfree: {finding.check}",
    }
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.level]} {written}::{_data(sentences(finding))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
