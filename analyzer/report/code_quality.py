"""GitLab Code Quality: the report that GitLab compares between the branches of a merge request.

GitLab knows an issue again by its fingerprint alone, so each loss point is an issue of its own and its fingerprint,
which has no line in it, is used.
"""

from __future__ import annotations

import json

from analyzer.findings.model import Finding, Level, Report
from analyzer.findings.points import loss_points
from analyzer.report.annotations import sentences
from analyzer.report.plain import plain
from analyzer.report.summary import shown_findings

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "major", Level.NOTE: "minor"}


def code_quality(report: Report, everything: bool = False) -> str:
    """The issues as JSON with a final line feed."""
    seen: dict[str, int] = {}
    issues = [
        _issue(finding, point, seen) for finding in shown_findings(report, everything) for point in loss_points(finding)
    ]
    return json.dumps(issues, indent=1, ensure_ascii=True) + "\n"


def _issue(finding: Finding, point: Finding, seen: dict[str, int]) -> dict[str, object]:
    at = point.at if finding.points else finding.at
    identity = point.point or point.fingerprint
    seen[identity] = seen.get(identity, 0) + 1
    number = seen[identity]
    return {
        "type": "issue",
        "check_name": finding.check,
        "description": sentences(point if finding.points else finding),
        "fingerprint": identity if number == 1 else f"{identity}-{number}",
        "severity": _SEVERITIES[finding.level],
        "location": {"path": plain(at.file), "lines": {"begin": at.line}},
    }
