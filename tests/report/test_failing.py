"""Which findings decide about exit status 1."""

from dataclasses import replace

import pytest

from analyzer.findings.model import Growth, Level, Report
from analyzer.report.failing import FAIL_ON, decides
from analyzer.report.summary import exit_status, last_line, summarise
from tests.report.samples import LEAK


def finding(level: str, growth: str = ""):
    return replace(LEAK, level=Level(level), growth=Growth(growth) if growth else None)


LEAKS = [
    finding("error", "per message"),
    finding("error", "per call"),
    finding("warning", "per call"),
    finding("warning", "per error"),
    finding("note", "once"),
]
OTHERS = [finding("error"), finding("warning")]


@pytest.mark.parametrize(
    ("words", "leaks", "others"),
    [
        ((), [1, 1, 1, 1, 1], [1, 1]),
        (("error",), [1, 1, 0, 0, 0], [1, 0]),
        (("warning",), [1, 1, 1, 1, 0], [1, 1]),
        (("note",), [1, 1, 1, 1, 1], [1, 1]),
        (("per-message",), [1, 0, 0, 0, 0], [1, 1]),
        (("per-call",), [1, 1, 1, 0, 0], [1, 1]),
        (("per-error",), [1, 1, 1, 1, 0], [1, 1]),
        (("once",), [1, 1, 1, 1, 1], [1, 1]),
        (("per-message", "error"), [1, 1, 0, 0, 0], [1, 0]),
        (("error", "per-error"), [1, 1, 1, 1, 0], [1, 0]),
        (("error", "warning"), [1, 1, 1, 1, 0], [1, 1]),
    ],
)
def test_what_decides(words, leaks, others):
    assert [decides(one, words) for one in LEAKS] == [bool(one) for one in leaks]
    assert [decides(one, words) for one in OTHERS] == [bool(one) for one in others]


def test_every_word_is_tried():
    assert FAIL_ON == ("error", "warning", "note", "per-message", "per-call", "per-error", "once")


def test_the_exit_status_and_the_last_line():
    report = Report(findings=(LEAKS[0], LEAKS[3]), files=1, functions=1)
    for words, status, more in (
        ((), 1, ""),
        (("error",), 1, "; 1 of them does not fail (--fail-on)"),
        (("once",), 1, ""),
    ):
        summary = summarise(replace(report, fail_on=words))
        assert (exit_status(summary), last_line(summary)) == (status, f"2 findings in 1 file{more}")
    summary = summarise(replace(report, findings=LEAKS[3:], fail_on=("error",)))
    assert (exit_status(summary), last_line(summary)) == (0, "2 findings in 1 file; 2 of them do not fail (--fail-on)")
