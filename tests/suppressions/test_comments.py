"""What allowing comments say: their form, their reach, and what is wrong with the wrong ones."""

from datetime import date

import pytest

from analyzer.suppressions.comments import Scope, read_comments

CHECKS = ("leak", "double-release")


def one(text):
    comments = read_comments(text.encode(), "a.c", CHECKS)
    assert comments.mistakes == ()
    (allowance,) = comments.allowances
    return allowance


@pytest.mark.parametrize(
    ("comment", "checks", "scope", "reason", "until"),
    [
        ("/* mustfree: allow leak(buf) because x y */", [("leak", "buf")], Scope.LINE, "x y", None),
        ("// mustfree: allow leak because it is so", [("leak", "")], Scope.LINE, "it is so", None),
        ("/*mustfree:allow leak(f(a, (b))) because x*/", [("leak", "f(a, (b))")], Scope.LINE, "x", None),
        (
            "/* mustfree: allow leak(p), double-release in function because\n * two\n * lines */",
            [("leak", "p"), ("double-release", "")],
            Scope.FUNCTION,
            "two lines",
            None,
        ),
        ("/* mustfree: allow leak in file because x */", [("leak", "")], Scope.FILE, "x", None),
        ("/* mustfree: allow leak until 2027-01-31 because x */", [("leak", "")], Scope.LINE, "x", date(2027, 1, 31)),
        ("/* mustfree: allow leak because x until 2027-01-31 */", [("leak", "")], Scope.LINE, "x", date(2027, 1, 31)),
        (
            "/* mustfree: allow leak because we wait until then */",
            [("leak", "")],
            Scope.LINE,
            "we wait until then",
            None,
        ),
    ],
)
def test_forms(comment, checks, scope, reason, until):
    found = one(comment)
    assert (list(found.checks), found.scope, found.reason, found.until) == (checks, scope, reason, until)


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("/* mustfree: allow leak(buf) */", "a reason is missing"),
        ("/* mustfree: allow leak because . */", "a reason is missing"),
        ("/* mustfree: ignore leak because x */", "not followed by `allow`"),
        ("/* mustfree: allow because x */", "no check is named; known: leak, double-release"),
        ("/* mustfree: allow in file because x */", "unknown check `in`"),
        ("/* mustfree: allow leek because x */", "unknown check `leek`; known: leak"),
        ("/* mustfree: allow leak(buf because x */", "a `)` is missing"),
        ("/* mustfree: allow leak in module because x */", "`in module` is not understood"),
        ("/* mustfree: allow leak until 2027-02-30 because x */", "`2027-02-30` is no date"),
        ("/* mustfree: allow leak until soon because x */", "`soon` is no date"),
    ],
)
def test_mistakes(comment, told):
    comments = read_comments(b"\n" + comment.encode(), "a.c", CHECKS)
    assert comments.allowances == ()
    ((line, what),) = comments.mistakes
    assert line == 2
    assert told in what


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("f();\n/* C */\nreturn;\n", 3),
        ("f();\n/* C */\n\n/* more */\n// and more\nreturn;\n", 6),
        ("f();\nreturn; /* C */\ng();\n", 2),
        ("f();\nreturn; // C\ng();\n", 2),
        ("f();\n/* C */ return;\ng();\n", 2),
    ],
)
def test_the_line_it_speaks_of(text, line):
    assert one(text.replace("C", "mustfree: allow leak because x")).line == line


def test_only_comments_count():
    text = (
        b'char *s = "/* mustfree: allow leak because x */";\n/* see mustfree: allow leak because x */\nchar q = \'"\';'
    )
    assert read_comments(text, "a.c", CHECKS).allowances == ()
    assert one("char q = '\"'; /* mustfree: allow leak because x */").line == 1


def test_the_place_of_the_comment():
    at = one("\n\tf(); /* mustfree: allow leak because x */\n").at
    assert (at.file, at.line, at.column, at.end_line, at.end_column) == ("a.c", 2, 7, 2, 43)
