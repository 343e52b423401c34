"""What allowing comments do to a report."""

from datetime import date

import pytest

from analyzer.findings.model import NoticeKind
from analyzer.report.summary import exit_status, shown_findings, summarise
from analyzer.workspace import Settings, Workspace

TODAY = date(2026, 11, 25)
CODE = """#include <stdlib.h>
/*FILE*/
int use(const char *text);

/*ABOVE*/
int f(int n)
{
	/*INSIDE*/
	char *p = malloc(n);

	if (!p)
		return -1;
	/*OVER FIRST*/
	if (n > 3)
		return -2; /*FIRST*/
	if (n > 2)
		return -3; /*SECOND*/
	free(p);
	return 0;
}

int g(int n)
{
	char *p = malloc(n);

	if (n > 3)
		return -2;
	free(p);
	return 0;
}
"""
FIRST, SECOND, OTHER = 15, 17, 27


@pytest.fixture
def report_of(tmp_path):
    def report(texts, code=CODE, today=TODAY):
        for place, text in texts.items():
            assert f"/*{place}*/" in code
            code = code.replace(f"/*{place}*/", f"/* mustfree: {text} */")
        (tmp_path / "a.c").write_text(code)
        settings = Settings(root=str(tmp_path), jobs=1, guard=False, today=today)
        return Workspace(settings).analyse(["a.c"])

    return report


def lines(findings):
    return sorted(point.at.line for finding in findings for point in finding.points or (finding,))


def suppressed(report):
    return [finding for finding in report.findings if finding.suppression]


def told(report):
    return [(n.line, n.message) for n in report.notices if n.kind is NoticeKind.SUPPRESSION]


def test_without_comments_all_is_reported(report_of):
    report = report_of({})
    assert lines(report.findings) == [FIRST, SECOND, OTHER]
    assert len(report.findings) == 2


@pytest.mark.parametrize(
    ("place", "text", "hidden"),
    [
        ("FIRST", "allow leak(p) because x", [FIRST]),
        ("SECOND", "allow leak(p) because x", [SECOND]),
        ("FIRST", "allow leak because x", [FIRST]),
        ("FIRST", "allow double-release, leak because x", [FIRST]),
        ("INSIDE", "allow leak(p) in function because x", [FIRST, SECOND]),
        ("ABOVE", "allow leak(p) in function because x", [FIRST, SECOND]),
        ("FIRST", "allow leak(p) in function because x", [FIRST, SECOND]),
        ("FILE", "allow leak(p) in file because x", [FIRST, SECOND, OTHER]),
        ("FIRST", "allow leak in file because x", [FIRST, SECOND, OTHER]),
        ("FIRST", "allow leak(q) because x", []),
        ("FIRST", "allow double-release because x", []),
        ("INSIDE", "allow leak(p) because x", []),  # the acquiring line: not where it is lost
        ("FILE", "allow leak(p) in function because x", []),  # a declaration stands between
        ("FIRST", "allow leak(p) until 2026-11-25 because x", [FIRST]),
        ("FIRST", "allow leak(p) until 2026-11-24 because x", []),
        ("FIRST", "allow leak(p)", []),
    ],
)
def test_reach(report_of, place, text, hidden):
    report = report_of({place: text})
    assert lines(suppressed(report)) == hidden
    rest = sorted({FIRST, SECOND, OTHER} - set(hidden))
    assert lines(shown_findings(report, everything=True)) == rest
    assert summarise(report).shown == len(shown_findings(report, everything=False))


def test_a_partly_allowed_finding_speaks_of_the_rest_alone(report_of):
    report = report_of({"FIRST": "allow leak(p) because the caller keeps it"})
    (allowed,) = suppressed(report)
    assert allowed.suppression.reason == "the caller keeps it"
    assert allowed.suppression.at.line == FIRST
    rest = next(finding for finding in shown_findings(report, everything=False) if finding.function == "f")
    assert rest.at.line == SECOND
    assert "more place" not in rest.message
    assert not any("also here" in related.message for related in rest.related)


def test_only_suppressed_findings_are_success(report_of):
    summary = summarise(report_of({"FILE": "allow leak in file because x"}))
    assert (summary.shown, summary.suppressed, exit_status(summary)) == (0, 2, 0)


def test_unused_comments_are_told(report_of):
    report = report_of(
        {"FIRST": "allow leak(p), double-release because x", "INSIDE": "allow leak(q) in function because x"}
    )
    assert told(report) == [
        (8, "suppression: there is no leak(q) in this function; remove it"),
        (FIRST, "suppression: there is no double-release reported on this line; remove it"),
    ]


def test_used_comments_are_not(report_of):
    assert told(report_of({"FIRST": "allow leak(p) because x", "SECOND": "allow leak because x"})) == []


def test_expired_comments_are_told(report_of):
    ((line, message),) = told(report_of({"FIRST": "allow leak(p) until 2026-01-01 because x"}))
    assert line == FIRST
    assert "expired on 2026-01-01" in message


def test_wrong_comments_are_told(report_of):
    ((line, message),) = told(report_of({"FIRST": "allow leek because x"}))
    assert (line, "unknown check `leek`" in message) == (FIRST, True)


def test_unused_comments_are_told_in_files_without_findings(report_of):
    code = "int x; /* mustfree: allow leak because x */\n"
    assert [line for line, _ in told(report_of({}, code))] == [1]


def test_a_file_that_was_not_analysed_has_no_unused_comments(report_of):
    code = "int f( { /* mustfree: allow leak because x */\n"
    report = report_of({}, code)
    assert any(notice.kind is NoticeKind.NOT_ANALYSED for notice in report.notices)
    assert told(report) == []
