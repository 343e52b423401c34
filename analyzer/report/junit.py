"""JUnit XML, which every build server can show: a failed test for each finding, a passed one for each clean file."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from analyzer.findings.model import Finding, NoticeKind, Report
from analyzer.report.annotations import sentences
from analyzer.report.plain import plain
from analyzer.report.summary import shown_findings

_ERRORS = (NoticeKind.BAD_INPUT, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL)


def junit(report: Report, everything: bool = False) -> str:
    """The report as XML with a final line feed. What was not analysed is an error."""
    shown = shown_findings(report, everything)
    gaps = [notice for notice in report.notices if notice.kind in _ERRORS]
    clean = sorted(set(report.seen) - {one.at.file for one in shown} - {notice.file for notice in gaps})
    counts = {"tests": str(len(shown) + len(gaps) + len(clean)), "failures": str(len(shown)), "errors": str(len(gaps))}
    suites = ET.Element("testsuites", {"name": "mustfree", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": "mustfree", **counts})
    for finding in shown:
        _failed(suite, finding)
    for notice in gaps:
        case = _case(suite, notice.file, f"analysis of {notice.function}()" if notice.function else "analysis")
        ET.SubElement(case, "error", {"message": plain(notice.message), "type": notice.kind.value})
    for file in clean:
        _case(suite, file, "no finding")
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, file: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": plain(file), "name": plain(name)})


def _failed(suite: ET.Element, finding: Finding) -> None:
    at = finding.at
    case = _case(suite, at.file, f"{finding.check} in {finding.function}(), line {at.line}: {finding.resource}")
    failure = ET.SubElement(case, "failure", {"message": sentences(finding), "type": finding.check})
    steps = [f"{plain(s.at.file)}:{s.at.line}:{s.at.column}: {plain(s.message)}" for s in finding.steps]
    failure.text = "\n".join((f"{plain(at.file)}:{at.line}:{at.column}", *steps))
