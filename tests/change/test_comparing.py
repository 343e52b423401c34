"""What a change introduces, fixes and leaves, and where that is shown."""

import re

import pytest

from analyzer.findings.model import NoticeKind
from analyzer.report.summary import exit_status, shown_findings, summarise
from tests.change.conftest import CODE, HEAD, by_state

LOSS = 14


def new(report):
    return shown_findings(report, everything=False)


def status(report):
    return exit_status(summarise(report))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda code: code, LOSS),
        (lambda code: "/* new */\n\n" + code, LOSS + 2),
        (lambda code: code.replace("\t", "    "), LOSS),
        (lambda code: code.replace("\n", "\r\n"), LOSS),
        (lambda code: code.replace("int f(", "int renamed("), LOSS),
        (lambda code: re.sub(r"\bp\b", "buffer", code), LOSS),
        (lambda code: code.replace("odd(n + 1)", "n == 77"), LOSS),
        (lambda code: code.replace("return -3", "return -33"), LOSS),
        (lambda code: code + "int g(void) { return 3; }\n", LOSS),
        (lambda code: HEAD + "int g(void) { return 3; }\n" + code.removeprefix(HEAD), LOSS + 1),
        (lambda code: code.replace("\tif (odd(n + 1))", "\tif (n > 4)\n\t\tn++;\n\tif (odd(n + 1))"), LOSS + 2),
    ],
    ids=[
        "none",
        "moved",
        "format",
        "line ends",
        "function",
        "holder",
        "condition",
        "value",
        "after",
        "before",
        "inside",
    ],
)
def test_a_harmless_change_introduces_nothing(changed, change, line):
    report = changed(CODE, change(CODE) + "/* . */\n")
    assert by_state(report) == {"new": [], "unchanged": [f"a.c:{line}"], "absent": []}
    assert status(report) == 0
    assert new(report) == ()


def test_a_function_that_moves_to_another_file_introduces_nothing(changed):
    report = changed({"a.c": CODE, "b.c": HEAD}, {"a.c": HEAD, "b.c": CODE})
    assert by_state(report) == {"new": [], "unchanged": ["b.c:14"], "absent": []}


def with_helper(code):
    """The allocation goes into a function of its own."""
    helper = "static char *get(int n)\n{\n\treturn malloc(n);\n}\n"
    return HEAD + helper + code.removeprefix(HEAD).replace("malloc(n)", "get(n)")


def with_wrapper(code):
    """The whole body goes into a function of its own."""
    return code.replace("int f(", "static int inner(") + "int f(int n)\n{\n\treturn inner(n);\n}\n"


GUARD = HEAD + "void f(int n)\n{\n\tchar *p = malloc(n);\n\n\tif (n > 3)\n\t\treturn;\n\todd(n);\n\tfree(p);\n}\n"
OVERWRITTEN = HEAD + "void f(int n)\n{\n\tchar *p = malloc(n);\n\n\tp = NULL;\n}\n"
ENDS = HEAD + "void f(int n)\n{\n\tchar *p = malloc(n);\n\n\tif (odd(n))\n\t\tfree(p);\n}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CODE, with_helper(CODE)),
        (with_helper(CODE), CODE),
        (with_helper(CODE), with_helper(CODE).replace("get(", "obtain(")),
        (CODE, with_wrapper(CODE)),
        (ENDS, ENDS.replace("void f(", "static void inner(") + "void f(int n)\n{\n\tinner(n);\n}\n"),
        (
            GUARD,
            GUARD.replace("if (n > 3)\n\t\treturn;\n", "if (!(n > 3)) {\n").replace(
                "\tfree(p);\n", "\tfree(p);\n\t}\n"
            ),
        ),
        (OVERWRITTEN, re.sub(r"\bp\b", "q", OVERWRITTEN)),
    ],
    ids=[
        "helper",
        "no helper",
        "renamed helper",
        "wrapper",
        "wrapper around the end",
        "guard turned round",
        "both lines rewritten",
    ],
)
def test_what_only_got_another_name_or_place_is_not_introduced(changed, before, after):
    states = by_state(changed(before, after))
    assert (states["new"], len(states["unchanged"]), states["absent"]) == ([], 1, [])


def test_a_helper_does_not_hide_another_loss(changed):
    after = with_helper(CODE).replace("\t\tfree(p);\n\t\treturn -2;", "\t\treturn -2;")
    states = by_state(changed(CODE, after))
    assert (len(states["new"]), len(states["unchanged"])) == (1, 1)


def test_the_same_holder_from_a_helper_that_was_there_is_the_same_loss(changed):
    both = with_helper(CODE)
    states = by_state(changed(both.replace("= get(n)", "= malloc(n)"), both))
    assert (len(states["new"]), len(states["absent"])) == (0, 0)


def test_a_renamed_file_introduces_nothing(changed):
    report = changed({"a.c": CODE}, {"src/b.c": CODE.replace("-2", "-22")})
    assert by_state(report) == {"new": [], "unchanged": ["src/b.c:14"], "absent": []}


@pytest.mark.parametrize(
    ("old", "put", "line", "said"),
    [
        ("\t\tfree(p);\n", "", 10, "this change removed `free(p);` here"),
        ("\tfree(p);\n\treturn 0;", "\tif (odd(n + 2))\n\t\treturn -4;\n\tfree(p);\n\treturn 0;", 16, ""),
        ("if (odd(n)) {", "if (odd(n + 9))\n\t\treturn -9;\n\tif (odd(n)) {", 10, ""),
        (
            "\t\tfree(p);\n\t\treturn -2",
            "\t\tif (odd(3))\n\t\t\tfree(p);\n\t\treturn -2",
            10,
            "wrote this step of the path",
        ),
    ],
    ids=["deleted free", "early return", "another early return", "changed condition"],
)
def test_what_a_change_introduces_stands_at_its_step(changed, old, put, line, said):
    assert CODE.count(old) == 1
    report = changed(CODE, CODE.replace(old, put))
    (finding,) = new(report)
    assert (finding.at.file, finding.at.line) == ("a.c", line)
    assert said in finding.change
    assert bool(said) is bool(finding.change)
    assert len(by_state(report)["unchanged"]) == 1
    assert status(report) == 1


def test_a_new_way_to_lose_what_is_lost_already_is_introduced(changed):
    report = changed(CODE, CODE.replace("\tfree(p);\n\treturn 0;", "\treturn 0;"))
    (finding,) = new(report)
    assert finding.at.line == 15
    assert "more place" not in finding.message
    assert by_state(report)["unchanged"] == [f"a.c:{LOSS}"]


GOTO = (
    HEAD
    + """int f(int n)
{
	char *other = malloc(9);
	char *p = malloc(n);
	int ret = 0;

	if (!other || !p)
		exit(1);
	if (odd(n)) {
		ret = -1;
		goto out;
	}
	free(p);
out:
	free(other);
	return ret;
}
"""
)
RETURN = GOTO.replace("if (odd(n)) {\n\t\tret = -1;\n\t\tgoto out;\n\t}", "if (odd(n))\n\t\treturn -1;")


def test_a_loss_that_ends_elsewhere_behind_the_same_branch_is_the_same(changed):
    clean = [
        text.replace("char *other = malloc(9)", "char *other = NULL").replace("!other || ", "")
        for text in (GOTO, RETURN)
    ]
    assert by_state(changed(*clean)) == {"new": [], "unchanged": ["a.c:12"], "absent": []}


def test_what_is_lost_by_that_for_the_first_time_is_introduced(changed):
    report = changed(GOTO, RETURN)
    assert [finding.resource for finding in new(report)] == ["other"]
    assert by_state(report) == {"new": ["a.c:12"], "unchanged": ["a.c:12"], "absent": []}


def test_another_branch_with_the_same_words_is_another_way(changed):
    twice = CODE.replace(
        "\tif (odd(n + 1))", "\tif (odd(n)) {\n\t\tn = 3;\n\t\tfree(p);\n\t\treturn -4;\n\t}\n\tif (odd(n + 1))"
    )
    before = twice.replace("\t\tn = 3;\n\t\tfree(p);\n", "").replace("\treturn -3;", "\tn--;")
    after = twice.replace("\t\tfree(p);\n\t\treturn -2;", "\t\treturn -2;").replace("\treturn -3;", "\tn--;")
    assert [len(places) for places in by_state(changed(before, after)).values()] == [1, 0, 1]


def test_a_new_file(changed):
    report = changed({"b.c": HEAD}, {"b.c": HEAD, "a.c": CODE})
    assert by_state(report)["new"] == ["a.c:14"]


def test_a_deleted_file_and_a_mended_loss_are_fixed(changed):
    mended = CODE.replace("\t\treturn -3;", "\t{ free(p); return -3; }")
    for after in ({"a.c": mended}, {"b.c": HEAD}):
        report = changed({"a.c": CODE, "b.c": HEAD}, after | {"b.c": HEAD})
        assert by_state(report) == {"new": [], "unchanged": [], "absent": ["a.c:14"]}
        assert status(report) == 0


STREAM = """#include <stdio.h>
int f(const char *name)
{
	FILE *p = popen(name, "r");
	if (!p)
		return -1;
	return fgetc(p);
}
"""


def test_another_resource_lost_on_the_same_line_is_introduced(changed):
    other = STREAM.replace("popen", "fopen").replace("*p", "*q").replace("(!p)", "(!q)").replace("(p)", "(q)")
    assert by_state(changed(STREAM, other)) == {"new": ["a.c:7"], "unchanged": [], "absent": ["a.c:7"]}


@pytest.mark.parametrize("source", ["tmpfile()", 'fopen(name, "r")'], ids=["same release", "another"])
@pytest.mark.parametrize("loss", ["return fgetc(p);", "return 2 * fgetc(p);"])
def test_the_same_from_another_function_is_not(changed, source, loss):
    report = changed(STREAM, STREAM.replace('popen(name, "r")', source).replace("return fgetc(p);", loss))
    assert by_state(report) == {"new": [], "unchanged": ["a.c:7"], "absent": []}


def test_what_is_overwritten_instead_of_left_behind_the_same_branch_is_not(changed):
    before = (
        HEAD
        + """int f(int n)
{
	if (n) {
		char *p = malloc(9);

		if (odd(n))
			free(p);
	}
	return 0;
}
"""
    )
    after = (
        before.replace("\t\tchar *p", "\t\tp")
        .replace("\tif (n) {", "\tchar *p;\n\tif (n) {")
        .replace("\t}", "\t\tp = NULL;\n\t}")
    )
    report = changed(before, after)
    assert by_state(report) == {"new": [], "unchanged": ["a.c:11"], "absent": []}
    assert [finding.kind for finding in report.findings] == ["overwritten"]


def test_what_is_acquired_anew_is_shown_there_and_not_at_a_branch(changed):
    """Both are new; the branch would be the later step."""
    before = STREAM.replace("\tFILE *p", "\tFILE *p = NULL;\n\tint n = 0;\n\tp").replace(
        'p = popen(name, "r")', "odd(&p)"
    )
    report = changed(
        before.replace("\tif (!p)", "\tif (n)"),
        before.replace("odd(&p)", 'p = fopen(name, "r")').replace("odd(p);", ""),
    )
    (finding,) = new(report)
    assert (finding.at.line, finding.change) == (6, "this change acquires it here")


def test_a_changed_header_reaches_those_who_include_it(changed):
    user = '#include "sub/own.h"\n' + HEAD + "int f(int n)\n{\n\tchar *p = malloc(n);\n\tDONE(p);\n\treturn 0;\n}\n"
    good, bad = "#define DONE(p) free(p)\n", "#define DONE(p) (void)(p)\n"
    report = changed({"a.c": user, "sub/own.h": good}, {"a.c": user, "sub/own.h": bad})
    (finding,) = new(report)
    assert finding.at.file == "a.c"
    assert finding.change == "a change outside of this function leads to it"


def test_unreached_files_are_not_analysed(changed):
    other = CODE.replace("int f(", "static int helper(") + "int other(void) { return helper(3); }\n"
    report = changed({"a.c": CODE, "b.c": other}, {"a.c": CODE + "\n", "b.c": other})
    assert report.seen == ("a.c",)


def test_what_calls_the_changed_function_is_reached_and_what_that_needs(changed):
    caller = "int f(int n);\nint aid(int);\nint caller(void) { return f(aid(3)); }\n"
    aid = "int aid(int n) { return n; }\n"
    files = {"a.c": CODE, "b.c": caller, "c.c": aid, "d.c": "int nobody(void) { return 3; }\n"}
    after = files | {"a.c": CODE.replace("-3", "-33")}
    assert changed(files, after).seen == ("a.c", "b.c", "c.c")
    assert changed(files, after, calls=False).seen == ("a.c",)


BROKEN = "int f( { malloc(3);\n"


def test_what_gets_out_of_sight_is_told(changed):
    report = changed(CODE, BROKEN)
    assert by_state(report) == {"new": [], "unchanged": [], "absent": []}
    messages = [notice.message for notice in report.notices if notice.kind is NoticeKind.NOT_ANALYSED]
    assert any(message.startswith("lost sight of: `p` from malloc()") for message in messages)
    assert status(report) == 3


def test_a_function_that_no_longer_parses_hides_its_findings(changed):
    report = changed(CODE, CODE.replace("\tif (odd(n + 1))\n", "\tif (odd(n + 1)\n"))
    assert by_state(report)["absent"] == []


def test_what_was_never_seen_is_no_loss(changed):
    report = changed({"a.c": BROKEN, "b.c": HEAD}, {"a.c": BROKEN + "\n", "b.c": HEAD})
    assert NoticeKind.GAP in [notice.kind for notice in report.notices]
    assert status(report) == 0


def test_what_becomes_visible_is_not_introduced(changed):
    header = '#include "own.h"\n'
    user = header + CODE.replace("char *p", "OWN *p")
    report = changed({"a.c": user, "own.h": "x y z\n"}, {"a.c": user, "own.h": "#define OWN char\n"})
    assert by_state(report)["new"] == []


ALLOWED = CODE.replace("return -3;", "return -3; /* mustfree: allow leak(p) because x */")


def test_a_comment_of_the_base_counts(changed):
    assert by_state(changed(ALLOWED, ALLOWED + "\n"))["new"] == []


@pytest.mark.parametrize("reach", ["", " in function", " in file"])
def test_a_change_cannot_allow_its_own_finding(changed, reach):
    before = CODE.replace("\tif (odd(n + 1))\n\t\treturn -3;\n", "")
    after = ALLOWED.replace("leak(p)", "leak(p)" + reach)
    report = changed(before, after)
    (finding,) = new(report)
    assert finding.suppression is None
    (notice,) = [notice for notice in report.notices if notice.kind is NoticeKind.CHANGE]
    assert notice.message.startswith("this change allows leak(p) in ")
    assert status(report) == 1


def test_unless_the_head_is_trusted(changed):
    before = CODE.replace("\tif (odd(n + 1))\n\t\treturn -3;\n", "")
    report = changed(before, ALLOWED, config_from_head=True)
    assert new(report) == ()
    assert summarise(report).suppressed == 1
    assert NoticeKind.CHANGE in [notice.kind for notice in report.notices]


def test_a_moved_comment_does_not_cover_another_loss(changed):
    comment = " /* mustfree: allow leak(p) because x */"
    after = ALLOWED.replace(comment, "").replace("\t\tfree(p);\n\t\treturn -2;", "\t\treturn -2;" + comment)
    (finding,) = new(changed(ALLOWED, after))
    assert finding.message.endswith("when `odd(n)`")


def test_changed_build_files_are_told(changed):
    report = changed({"a.c": CODE, "Makefile": "a"}, {"a.c": CODE, "Makefile": "b"})
    (notice,) = [notice for notice in report.notices if notice.kind is NoticeKind.CHANGE]
    assert (notice.file, "flags and generated files of the head" in notice.message) == ("Makefile", True)


def test_a_changed_helper_in_another_file_makes_its_callers_lose(changed):
    caller = HEAD + "void done(char *p);\nvoid f(int n)\n{\n\tchar *p = malloc(n);\n\tdone(p);\n}\n"
    good = "#include <stdlib.h>\nvoid done(char *p)\n{\n\tfree(p);\n}\n"
    bad = "#include <stdlib.h>\nvoid done(char *p)\n{\n\tif (p)\n\t\tp[0] = 0;\n}\n"
    report = changed({"a.c": caller, "b.c": good}, {"a.c": caller, "b.c": bad})
    (finding,) = new(report)
    assert (finding.at.file, finding.function) == ("a.c", "f")
    assert finding.change == "a change outside of this function leads to it"
    assert status(report) == 1


DEGRADED = HEAD + "int broken(void)\n{\n\tint x = ;\n\tfree(malloc(1));\n\treturn x;\n}\n"


def test_a_harmless_notice_that_stood_before_is_marked(changed):
    report = changed(DEGRADED, "\n\n" + DEGRADED)
    (notice,) = [notice for notice in report.notices if notice.kind is NoticeKind.DEGRADED]
    assert (notice.line, notice.stood) == (5, True)


def test_a_harmless_notice_that_is_new_is_not(changed):
    again = DEGRADED.partition("\n")[2].partition("\n")[2].replace("broken", "another")
    report = changed(DEGRADED, DEGRADED + again)
    found = [(notice.function, notice.stood) for notice in report.notices if notice.kind is NoticeKind.DEGRADED]
    assert found == [("broken", True), ("another", False)]


def test_what_is_not_analysed_never_counts_as_stood(changed):
    notices = changed(BROKEN, BROKEN + "\n").notices
    assert notices and not any(notice.stood for notice in notices)
