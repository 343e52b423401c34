"""The forms of a report that other programs show: annotations, Code Quality, JUnit, Markdown."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from analyzer.findings.model import Level, Notice, NoticeKind, Report, State, Suppression
from analyzer.findings.points import merge
from analyzer.report.annotations import github_annotations
from analyzer.report.code_quality import code_quality
from analyzer.report.junit import junit
from analyzer.report.markdown import markdown
from analyzer.report.sarif import SarifOptions, sarif_report
from tests.report.samples import ACQUIRED, EMPTY, LEAK, LOST, REPORT, SOURCE

ALLOWED = replace(LEAK, suppression=Suppression(LEAK.at, "x"), resource="allowed")
KNOWN = replace(LEAK, state=State.UNCHANGED, resource="known")
GONE = replace(LEAK, state=State.ABSENT, resource="gone")
MIXED = replace(EMPTY, findings=(LEAK, ALLOWED, KNOWN, GONE))
TEXT = "`p` from malloc() is not freed on this path: the function returns when `bad()`."
GROWTH = "Growth: 3 bytes per message: lost in a loop that waits for an event in poll()."


def test_an_annotation_is_one_line_with_its_place():
    assert github_annotations(REPORT) == (
        "::warning file=src/a.c,line=6,endLine=6,col=3,endColumn=12,title=mustfree%3A leak::"
        f"{TEXT} {GROWTH} Remedy: call free(p) before this point.\n"
    )


@pytest.mark.parametrize(("level", "command"), [(Level.ERROR, "error"), (Level.NOTE, "notice")])
def test_the_command_is_the_level(level, command):
    assert github_annotations(Report(findings=(replace(LEAK, level=level),))).startswith(f"::{command} file=")


def test_an_annotation_cannot_be_broken_out_of():
    hostile = replace(LEAK, at=replace(LEAK.at, file="a,b:c%\n.c"), message="x\n::error::y %0A", advice="")
    (line,) = github_annotations(Report(findings=(hostile,))).splitlines()
    assert "file=a%2Cb%3Ac%25\\x0a.c,line" in line
    assert line.endswith(f"::X\\x0a::error::y %250A. {GROWTH}")


def test_code_quality_has_an_issue_for_each_loss_point():
    points = [replace(LEAK, point="1" * 64), replace(LEAK, point="2" * 64, at=ACQUIRED)]
    issues = json.loads(code_quality(Report(findings=(merge(points),))))
    assert [issue["location"]["lines"]["begin"] for issue in issues] == [3, 6]
    assert [issue["fingerprint"][0] for issue in issues] == ["2", "1"]
    assert all(issue["description"].startswith(TEXT) for issue in issues)
    assert {(issue["check_name"], issue["severity"], issue["location"]["path"]) for issue in issues} == {
        ("leak", "major", "src/a.c")
    }


def test_code_quality_fingerprints_differ_and_know_no_line():
    same = (replace(LEAK, point="1" * 64), replace(LEAK, point="1" * 64, at=replace(LOST, file="src/b.c")))
    first, second = json.loads(code_quality(Report(findings=same)))
    assert (first["fingerprint"], second["fingerprint"]) == ("1" * 64, "1" * 64 + "-2")


def test_junit_fails_for_findings_and_errs_for_gaps():
    gap = Notice(NoticeKind.NOT_ANALYSED, "src/c.c", 3, "analysed in part", "g")
    report = replace(EMPTY, findings=(LEAK,), notices=(gap,), seen=("src/a.c", "src/b.c", "src/c.c"))
    (suite,) = ET.fromstring(junit(report))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    failed, error, passed = suite
    assert (failed.get("classname"), failed.get("name")) == ("src/a.c", "leak in f(), line 6: p")
    assert failed[0].get("message").startswith(TEXT)
    assert failed[0].text.splitlines()[-1] == "src/a.c:6:3: lost: the function returns"
    assert (error[0].tag, error[0].get("message")) == ("error", "analysed in part")
    assert (passed.get("classname"), len(passed)) == ("src/b.c", 0)


def test_junit_is_xml_whatever_the_names_are():
    hostile = replace(LEAK, at=replace(LEAK.at, file='<a>&"\x01\udcff.c'), message="]]> \x00")
    ET.fromstring(junit(Report(findings=(hostile,))))


def test_markdown_is_one_screen():
    many = tuple(replace(LEAK, at=replace(LOST, line=line)) for line in range(1, 60))
    text = markdown(replace(EMPTY, findings=many))
    assert text.startswith("### mustfree\n\n59 findings in 1 file\n")
    assert len(re.findall(r"^\| warning ", text, re.MULTILINE)) == 20
    assert "... and 39 more." in text
    assert "<code>p</code> from malloc&#40;&#41; is not freed" in text


def test_markdown_tells_the_sides_and_what_a_reviewer_must_know():
    allowed = Notice(NoticeKind.CHANGE, "a.c", 3, "this change allows leak in one line: x")
    text = markdown(replace(EMPTY, base="main", head="topic", notices=(allowed,)))
    assert "0 introduced, 0 fixed, 0 unchanged in 1 file &#40" not in text
    assert "0 introduced, 0 fixed, 0 unchanged in 1 file (main to topic)" in text
    assert "* a.c, line 3&#58; this change allows leak in one line" not in text
    assert "* a.c, line 3: this change allows leak in one line&#58; x" in text


def test_markdown_of_others_does_nothing():
    hostile = replace(LEAK, message="`a` | @all <img src=x> [x](http://y) `**b**", advice="")
    (row,) = [line for line in markdown(replace(EMPTY, findings=(hostile,))).splitlines() if "all" in line]
    assert row.count("|") == 4
    assert not re.search(r"@|<img|\]\(|\*\*|http:", row)


@pytest.mark.parametrize("write", [github_annotations, code_quality, junit, markdown])
def test_only_what_counts_is_shown(write):
    assert write(MIXED).count("is not freed on this path") == 1
    assert write(REPORT) == write(REPORT)
    assert "freed a second time" not in write(REPORT)
    assert "freed a second time" in write(REPORT, everything=True)


def test_a_sarif_log_for_consumers_that_know_no_suppressions():
    def resources(**options):
        text = sarif_report(MIXED, SarifOptions("/project", lambda file: SOURCE, **options))
        return [result["properties"]["resource"] for result in json.loads(text)["runs"][0]["results"]]

    assert resources() == ["p", "allowed", "known", "gone"]
    assert resources(active_only=True) == ["p", "known"]
