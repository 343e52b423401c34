"""Whether a loss persists is decided by lines and texts; then fingerprints are held against that."""

import pytest

from tests.change.conftest import CODE, Repository


def loss(line, mark, *, acquired=1, text="return-1;", check="leak", function="f", file="a.c"):
    from fingerprints import Loss, Place

    return Loss(check, function, "lost", Place(file, acquired, "p=malloc(n);"), Place(file, line, text), mark)


def ties(before, after, diff):
    from fingerprints import tie
    from history import parse_moves

    text = f"diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n{diff}" if diff else ""
    return [(one.before.fingerprint, one.after.fingerprint, one.how) for one in tie(before, after, parse_moves(text))]


@pytest.mark.parametrize(
    ("before", "after", "diff", "expected"),
    [
        pytest.param([loss(9, "x")], [loss(9, "x")], "", [("x", "x", "in place")], id="nothing changed"),
        pytest.param([loss(9, "x")], [loss(12, "y")], "@@ -5,0 +6,3 @@\n", [("x", "y", "in place")], id="lines above"),
        pytest.param([loss(9, "x")], [loss(9, "y")], "@@ -5,0 +6,3 @@\n", [], id="another line"),
        pytest.param([loss(9, "x")], [loss(9, "x", check="double-release")], "", [], id="another check"),
        pytest.param([loss(9, "x")], [loss(10, "x")], "@@ -9 +9,2 @@\n", [("x", "x", "rewritten")], id="rewritten"),
        pytest.param([loss(9, "x")], [loss(11, "x")], "@@ -9 +9,2 @@\n", [], id="not in what was rewritten"),
        pytest.param(
            [loss(9, "x", acquired=5)], [loss(9, "y", acquired=6)], "@@ -5 +5,2 @@\n@@ -8 +8,0 @@\n",
            [("x", "y", "rewritten")], id="the acquisition rewritten",
        ),
        pytest.param(
            [loss(9, "x", acquired=8)], [loss(2, "x", acquired=1, file="b.c")], "@@ -7,4 +6,0 @@\n",
            [("x", "x", "moved")], id="moved to another file",
        ),
        pytest.param(
            [loss(9, "x", acquired=8)], [loss(2, "x", acquired=1, text="return0;")], "@@ -7,4 +6,0 @@\n", [],
            id="another text",
        ),
        pytest.param(
            [loss(9, "x"), loss(9, "y")], [loss(9, "y"), loss(9, "z")], "",
            [("y", "y", "in place"), ("x", "z", "in place")], id="two in one line",
        ),
    ],
)  # fmt: skip
def test_what_persists(before, after, diff, expected):
    assert ties(before, after, diff) == expected


@pytest.fixture
def followed(tmp_path):
    """What was seen of a history of versions of one file."""

    def run(*versions):
        from fingerprints import follow
        from history import History

        root = tmp_path / "project"
        root.mkdir()
        origin = Repository(root)
        for text in versions:
            origin.commit(a_c=text)
        history = History(root, tmp_path / "work")
        return follow(history, history.commits(99, "HEAD"), tmp_path / "cache", 100)

    return run


def test_a_loss_keeps_its_fingerprint_through_a_history(followed):
    from fingerprints import overview

    seen = followed(CODE, "/* a comment */\n" + CODE, CODE.replace("-2", "-5"), CODE.replace("\t", "    "))
    assert [(len(life.marks), life.steps) for life in seen.lives] == [(1, 3)]
    assert seen.ties == {("in place", True): 3}
    assert not (seen.breaks or seen.gone or seen.come)
    row = overview([seen]).splitlines()[2]
    assert row.startswith("| project | 3 | 3 | 3 | 0 | 0 | 3 | 100 % ")


def test_a_break_is_seen_told_and_explained(followed, tmp_path):
    from fingerprints import break_table, overview, read_breaks

    seen = followed(CODE, CODE.replace("return -3", "return -(n)"))
    assert seen.ties == {("rewritten", False): 1}
    assert [len(life.marks) for life in seen.lives] == [2]
    commit, broken = seen.breaks[0]
    assert (broken.after.function, broken.after.lost.line) == ("f", 14)
    assert "not explained" in break_table([seen], {})
    file = tmp_path / "breaks.tsv"
    file.write_text(
        f"project\tcommit\tfile\tfunction\treason\nproject\t{commit}\ta.c\tf\tthe return has another shape\n"
    )
    assert "| the return has another shape |" in break_table([seen], read_breaks(file))
    assert "| 0 | 0 % " in overview([seen])
    file.write_text("project\tcommit\tfile\tfunction\treason\nproject\tx\ta.c\tf\t\n")
    with pytest.raises(SystemExit, match="not an explained break"):
        read_breaks(file)


def test_what_comes_and_goes_is_listed(followed):
    from fingerprints import turnover

    seen = followed(
        CODE,
        CODE.replace("\t\treturn -3;", "\t\tgoto out;").replace(
            "\tfree(p);\n\treturn 0", "out:\n\tfree(p);\n\treturn 0"
        ),
        CODE,
    )
    assert [len(each) for each in (seen.gone, seen.come, seen.lives)] == [1, 1, 2]
    assert [("gone" in row, "come" in row) for row in turnover([seen]).splitlines()[2:]].count((True, False)) == 1
