from dataclasses import replace

from analyzer.findings.model import Growth, Notice, NoticeKind, Region, Related, Report
from analyzer.report.text import TextWriter
from tests.report.samples import LEAK, REPORT, UNSURE


def test_a_finding_reads_like_a_compilers():
    assert TextWriter().finding(LEAK) == (
        "src/a.c:6:3: warning[leak]: `p` from malloc() is not freed on this path: the function returns "
        "when `bad()`\n"
        "    6 |                 return -1;\n"
        "      |                 ^~~~~~~~~\n"
        "  the path, in f():\n"
        "  1. 3:12: malloc() hands out a memory block\n"
        "      3 |         char *p = malloc(3);\n"
        "        |                   ^~~~~~~~~\n"
        "  2. 5:6: `bad()` is true\n"
        "      5 |         if (bad())\n"
        "        |             ^~~~~\n"
        "  3. 6:3: lost: the function returns\n"
        "      6 |                 return -1;\n"
        "        |                 ^~~~~~~~~\n"
        "  help: call free(p) before this point\n"
        "  growth: 3 bytes per message: lost in a loop that waits for an event in poll()\n"
    )


def test_how_often_is_said_of_leaks_alone():
    assert "growth:" not in TextWriter().finding(UNSURE)
    assert "  growth: once: why\n" in TextWriter().finding(
        replace(LEAK, growth=Growth.ONCE, growth_reason="why", cost="")
    )


def test_less_than_high_confidence_is_explained():
    assert "  confidence: low: one; two\n" in TextWriter().finding(UNSURE)


def test_further_places_are_named_but_not_the_acquisition_again():
    more = replace(LEAK, related=(*LEAK.related, Related(Region("src/a.c", 9, 1, 9, 2), "also here: x")))
    text = TextWriter().finding(more)
    assert "note: src/a.c:9:1: also here: x" in text
    assert "note: src/a.c:3:12" not in text


def test_colours_only_when_asked_for():
    assert "\x1b" not in TextWriter().report(REPORT)
    assert "\x1b[1;35mwarning[leak]:\x1b[0m" in TextWriter(colour=True).report(REPORT)


def test_hostile_text_is_escaped_even_with_colours():
    hostile = replace(LEAK, at=replace(LEAK.at, file="\x1b]0;x\x07.c", text="\x1b[2J"), message="\x1b[31m")
    text = TextWriter().finding(hostile)
    assert "\x1b" not in text
    assert "\\x1b]0;x\\x07.c:6:3" in text


def test_the_caret_stands_below_wide_characters():
    at = Region("a.c", 1, 8, 1, 9, 's = "中"; x')
    lines = TextWriter().finding(replace(LEAK, at=at, steps=())).splitlines()
    assert lines[1].index(";") + 1 == lines[2].index("^")  # one column more: the character is two wide


def test_the_report_ends_with_the_counts():
    assert TextWriter().report(REPORT).splitlines()[-1].startswith("1 finding in 2 files; 1 hidden")
    assert "double-release" not in TextWriter().report(REPORT)
    assert "double-release" in TextWriter().report(REPORT, everything=True)


def test_what_stood_before_a_change_is_counted():
    old = tuple(Notice(NoticeKind.DEGRADED, "a.c", n, f"line {n}", stood=True) for n in range(2))
    report = Report(notices=(*old, Notice(NoticeKind.DEGRADED, "b.c", 1, "new")))
    told = ["b.c:1: note: new", "note: 2 notices that stood before this change (-v shows them)"]
    assert TextWriter().notices(report) == told
    assert TextWriter().notices(Report(notices=old[:1])) == [
        "note: 1 notice that stood before this change (-v shows them)"
    ]
    assert len(TextWriter().notices(report, verbose=True)) == 3
    assert TextWriter().notices(report, quiet=True) == []


def test_notices_are_cut_unless_they_matter_or_are_asked_for():
    harmless = tuple(Notice(NoticeKind.DEGRADED, "a.c", n, f"d{n}") for n in range(9))
    serious = tuple(Notice(NoticeKind.NOT_ANALYSED, "a.c", n, f"n{n}") for n in range(9))
    report = Report(notices=harmless + serious)
    assert len(TextWriter().notices(report, verbose=True)) == 18
    assert len(TextWriter().notices(report, quiet=True)) == 9
    default = TextWriter().notices(report)
    assert len(default) == 5 + 9 + 1
    assert default[-1] == "note: 4 more notices (-v shows them)"
    assert default[5] == "a.c: warning: n0"
    assert default[6] == "a.c:1: warning: n1"


def test_a_header_that_many_files_miss_is_one_line():
    missing = [Notice(NoticeKind.MISSING_HEADER, f"{name}.c", 0, "header not found: x.h") for name in "abc"]
    report = Report(notices=(*missing, Notice(NoticeKind.MISSING_HEADER, "a.c", 0, "header not found: y.h")))
    assert TextWriter().notices(report) == [
        "a.c: note: header not found: x.h (and in 2 more files)",
        "a.c: note: header not found: y.h",
    ]
    assert len(TextWriter().notices(report, verbose=True)) == 4
