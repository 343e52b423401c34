from dataclasses import replace

import pytest

from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.report.summary import exit_status, last_line, shown_findings, summarise
from tests.report.samples import ESCAPED, LEAK, LEAKED, REPORT, UNSURE


def note(kind):
    return Notice(kind, "a.c", 1, "x")


def test_default_shows_high_and_medium_only():
    assert shown_findings(REPORT, everything=False) == (LEAK,)
    assert shown_findings(REPORT, everything=True) == (LEAK, UNSURE)


@pytest.mark.parametrize(
    ("report", "plain", "strict", "zero"),
    [
        (Report(), 0, 0, 0),
        (Report(findings=(LEAK,)), 1, 1, 0),
        (Report(findings=(UNSURE,)), 0, 0, 0),
        (Report(notices=(note(NoticeKind.NOT_ANALYSED),)), 3, 3, 0),
        (Report(findings=(LEAK,), notices=(note(NoticeKind.NOT_ANALYSED),)), 1, 1, 0),
        (Report(notices=(note(NoticeKind.DEGRADED),)), 0, 3, 0),
        (Report(notices=(note(NoticeKind.SKIPPED),)), 0, 3, 0),
        (Report(acquisitions=(ESCAPED,)), 0, 3, 0),
        (Report(acquisitions=(LEAKED,)), 0, 0, 0),
        (Report(notices=(note(NoticeKind.MISSING_HEADER), note(NoticeKind.FLAG))), 0, 0, 0),
        (Report(findings=(LEAK,), notices=(note(NoticeKind.BAD_INPUT),)), 2, 2, 2),
        (Report(findings=(LEAK,), notices=(note(NoticeKind.INTERNAL),)), 2, 2, 2),
    ],
)
def test_exit_status(report, plain, strict, zero):
    summary = summarise(report)
    assert exit_status(summary) == plain
    assert exit_status(summary, strict=True) == strict
    assert exit_status(summary, exit_zero=True) == zero


def test_low_confidence_counts_for_the_status_when_it_is_shown():
    assert exit_status(summarise(Report(findings=(UNSURE,)), everything=True)) == 1


def test_last_line_counts_everything():
    assert last_line(summarise(REPORT)) == (
        "1 finding in 2 files; 1 hidden for low confidence (--all shows them); 1 degraded; "
        "1 resource escaped; 1 file skipped; 1 not analysed; 2 failures"
    )


def test_last_line_of_a_clean_run_is_short():
    assert last_line(summarise(Report(files=3))) == "0 findings in 3 files"


def test_last_line_says_nothing_of_hidden_findings_that_are_shown():
    assert "hidden" not in last_line(summarise(replace(REPORT, notices=()), everything=True))
