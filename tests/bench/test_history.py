"""Lines are followed from commit to commit, and a history is walked in order."""

from pathlib import Path

import pytest

from tests.change.conftest import Repository

TEXT = [f"line {number}" for number in range(1, 21)]


@pytest.fixture
def origin(tmp_path):
    root = tmp_path / "owner+project"
    root.mkdir()
    return Repository(root)


def written(lines):
    return "\n".join(lines) + "\n"


def moved(origin, tmp_path, before, after, *, name="a.c", rename=""):
    from history import History

    origin.put(name, written(before))
    first = origin.commit()
    if rename:
        origin.git("mv", name, rename)
    origin.put(rename or name, written(after))
    second = origin.commit()
    return History(origin.root, tmp_path / "work").moves(first, second)


@pytest.mark.parametrize(
    "after",
    [
        ["new", *TEXT],
        [*TEXT[:4], "new", "new", *TEXT[4:]],
        TEXT[3:],
        [*TEXT[:4], *TEXT[9:]],
        [*TEXT[:4], "other", *TEXT[6:10], "x", "y", "z", *TEXT[11:15], "new", *TEXT[15:18]],
        [*TEXT, "new"],
        TEXT[:7],
    ],
)
def test_each_line_is_found_again_or_gone(origin, tmp_path, after):
    moves = moved(origin, tmp_path, TEXT, after)
    for number, text in enumerate(TEXT, 1):
        assert moves.line("a.c", number) == (after.index(text) + 1 if text in after else 0), text


def test_a_rewritten_line_has_successors(origin, tmp_path):
    moves = moved(origin, tmp_path, TEXT, [*TEXT[:4], "x", "y", *TEXT[5:9], *TEXT[10:]])
    assert list(moves.rewritten("a.c", 5)) == [5, 6]
    assert list(moves.rewritten("a.c", 10)) == []
    assert list(moves.rewritten("a.c", 7)) == []


def test_white_space_does_not_count(origin, tmp_path):
    moves = moved(origin, tmp_path, TEXT, ["new", *(f"\t{text}" for text in TEXT)])
    assert [moves.line("a.c", number) for number in (1, 20)] == [2, 21]


def test_a_renamed_file_is_followed_and_one_that_is_gone_is_none(origin, tmp_path):
    origin.put("gone.c", "int gone;\n")
    moves = moved(origin, tmp_path, TEXT, ["new", *TEXT], rename="b.c")
    assert (moves.file("a.c"), moves.line("a.c", 3), moves.file("other.c")) == ("b.c", 4, "other.c")
    origin.git("rm", "-q", "gone.c")
    first, second = origin.git("rev-parse", "HEAD"), origin.commit()
    from history import History

    assert History(origin.root, tmp_path / "again").moves(first, second).file("gone.c") == ""


def test_lines_of_code_that_look_like_headers_of_a_diff(origin, tmp_path):
    """`--- x` in a hunk is a removed `-- x`."""
    before = ["-- a/other.c", "int kept;", "++ b/other.c"]
    moves = moved(origin, tmp_path, before, ["int kept;"])
    assert [moves.line("a.c", number) for number in (1, 2, 3)] == [0, 1, 0]
    assert moves.line("other.c", 2) == 2


def test_the_commits_that_touch_c_are_walked_the_oldest_first(origin, tmp_path):
    from history import History

    commits = [origin.commit(**{name: "int x;\n"}) for name in ("a_c", "notes_txt", "b_h", "c_c")]
    history = History(origin.root, tmp_path / "work")
    assert history.name == "project"
    assert history.commits(2, "HEAD") == [commits[2], commits[3]]
    assert history.commits(9, "HEAD~1") == [commits[0], commits[2]]
    history.check_out(commits[0])
    assert sorted(path.name for path in Path(history.root).glob("*.[ch]")) == ["a.c"]
    assert not list(origin.root.glob("work"))
