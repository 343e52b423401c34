"""The JSON report, version 1: described by docs/report.schema.json."""

from __future__ import annotations

import json
from typing import Any

from analyzer.findings.model import Finding, Region, Report, State
from analyzer.findings.points import loss_points
from analyzer.report.plain import plain
from analyzer.report.summary import exit_status, is_known, shown_findings, summarise
from analyzer.report.unlocks import unlock_json
from analyzer.report.verdicts import acquisition_json, every_acquisition, totals

VERSION = 1


def _region(at: Region) -> dict[str, Any]:
    return {
        "file": plain(at.file),
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
        "text": at.text,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "kind": finding.kind,
        "level": finding.level.value,
        "confidence": finding.confidence.value,
        "confidence_reason": finding.confidence_reason,
        "message": plain(finding.message),
        "at": _region(finding.at),
        "function": finding.function,
        "resource": finding.resource,
        "callee": finding.callee,
        "steps": [
            {"kind": step.kind.value, "message": plain(step.message), "at": _region(step.at)} for step in finding.steps
        ],
        "related": [{"message": plain(other.message), "at": _region(other.at)} for other in finding.related],
        "advice": finding.advice,
        "growth": finding.growth.value if finding.growth else "",
        "growth_reason": plain(finding.growth_reason),
        "cost": plain(finding.cost),
        "cwe": finding.cwe,
        "fingerprint": finding.fingerprint,
        "change": plain(finding.change),
        "state": finding.state.value if finding.state else "",
        "variants": list(finding.variants),
        "loss_points": [
            {
                "fingerprint": point.point,
                "at": _region(point.at),
                "variants": list(point.variants),
                "growth": point.growth.value if point.growth else "",
            }
            for point in loss_points(finding)
        ],
    }


def _gone(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "message": plain(finding.message),
        "file": plain(finding.at.file),
        "function": finding.function,
        "loss_points": [point.point for point in loss_points(finding)],
    }


def _suppressed(finding: Finding) -> dict[str, Any]:
    allowed = finding.suppression
    assert allowed is not None
    return {
        **_finding(finding),
        "suppression": {"reason": plain(allowed.reason), "until": allowed.until, "at": _region(allowed.at)},
    }


def json_report(report: Report, everything: bool = False, strict: bool = False, exit_zero: bool = False) -> str:
    """The report as JSON text with a final line feed. everything: with low confidence."""
    summary = summarise(report, everything)
    content = {
        "format": "mustfree-report",
        "version": VERSION,
        "tool": {name: plain(version) for name, version in report.versions},
        "summary": {
            "shown": summary.shown,
            "spared": summary.spared,
            "hidden": summary.hidden,
            "degraded": summary.degraded,
            "escaped": summary.escaped,
            "skipped": summary.skipped,
            "not_analysed": summary.not_analysed,
            "failed": summary.failed,
            "suppressed": summary.suppressed,
            "known": summary.known,
            "gone": summary.gone,
            "generated": summary.generated,
            "off": summary.off,
            "not_compiled": summary.not_compiled,
            "files": summary.files,
            "functions": summary.functions,
            "exit_status": exit_status(summary, strict, exit_zero),
            "verdicts": dict(totals(report)),
        },
        "change": {"base": plain(report.base), "head": plain(report.head)} if report.base else None,
        "findings": [_finding(finding) for finding in shown_findings(report, everything)],
        "suppressed": [_suppressed(finding) for finding in report.findings if finding.suppression],
        "known": [_finding(finding) for finding in report.findings if is_known(finding)],
        "gone": [_gone(finding) for finding in report.findings if finding.state is State.ABSENT],
        "acquisitions": [acquisition_json(acquisition) for acquisition in every_acquisition(report)],
        "notices": [
            {
                "kind": notice.kind.value,
                "file": plain(notice.file),
                "line": notice.line,
                "function": notice.function,
                "message": plain(notice.message),
                "stood": notice.stood,
            }
            for notice in report.notices
        ],
        "global_owners": None
        if report.global_owners is None
        else {
            "acquisitions": [acquisition_json(owner) for owner in report.global_owners],
            "gaps": [plain(gap) for gap in report.global_gaps],
        },
        "unlocks": [unlock_json(unlock) for unlock in report.unlocks],
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"
