"""Changes as patch files and as folders."""

import pytest

from analyzer.change import ChangeOptions, analyse_change, from_folders, from_patch
from analyzer.change.patch import apply_patch
from analyzer.errors import MustfreeError
from tests.change.conftest import CODE, HEAD, by_state, settings
from tests.change.test_git import CLEAN


def report_on(change):
    return analyse_change(change, ChangeOptions(settings())).report


@pytest.fixture
def patch(repository, tmp_path):
    """A patch file for what the work tree holds, and the work tree it is about."""

    def make(before, after, *options):
        for name, text in before.items():
            repository.put(name, text)
        repository.commit()
        for name in before.keys() - after.keys():
            (repository.root / name).unlink()
        for name, text in after.items():
            repository.put(name, text)
        repository.git("add", "-A")
        file = tmp_path / "change.patch"
        file.write_text(repository.git("diff", "--cached", *options) + "\n")
        return str(file)

    return make


@pytest.mark.parametrize("tree", ["before", "after"])
def test_a_patch_fits_the_tree_before_and_after_it(repository, patch, tree):
    file = patch({"a.c": CLEAN, "b.c": HEAD}, {"a.c": CODE, "b.c": HEAD})
    if tree == "before":
        repository.git("reset", "-q", "--hard")
    report = report_on(from_patch(file, "."))
    assert by_state(report) == {"new": ["a.c:14"], "unchanged": [], "absent": []}
    assert report.head == f"the tree after {file}"


@pytest.mark.parametrize("tree", ["before", "after"])
@pytest.mark.parametrize(
    ("before", "after", "states"),
    [
        ({"a.c": HEAD}, {"a.c": HEAD, "new.c": CODE}, {"new": ["new.c:14"]}),
        ({"a.c": HEAD, "old.c": CODE}, {"a.c": HEAD}, {"absent": ["old.c:14"]}),
        ({"a.c": CODE}, {"b.c": CODE}, {"unchanged": ["b.c:14"]}),
        ({"a.c": CODE}, {"b.c": "\n" + CODE}, {"unchanged": ["b.c:15"]}),
        ({"a.c": CODE}, {"a.c": CODE.rstrip("\n")}, {"unchanged": ["a.c:14"]}),
    ],
    ids=["new", "removed", "renamed", "renamed and edited", "no end of line"],
)
def test_what_a_patch_can_do(repository, patch, before, after, states, tree):
    file = patch(before, after, "-M")
    if tree == "before":
        repository.git("reset", "-q", "--hard")
    assert by_state(report_on(from_patch(file, "."))) == {"new": [], "unchanged": [], "absent": []} | states


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no patch"),
        ("hello\n", "is no patch"),
        ("--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,1 @@\n x\n", "ends in the middle"),
        ("--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,1 @@\n x\n?\n", "line 5 is no line of a change"),
        ("--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-nothing like it\n+x\n", "a.c differs in line 1"),
        ("--- a/q.c\n+++ b/q.c\n@@ -1 +1 @@\n-x\n+y\n", "q.c is not there"),
        ("--- a/../q.c\n+++ b/../q.c\n@@ -1 +1 @@\n-x\n+y\n", "outside of the tree"),
        ("--- /dev/null\n+++ b/a.c\n@@ -0,0 +1 @@\n+y\n", "a.c is there already"),
    ],
)
def test_what_is_no_patch_for_this_tree(repository, text, told):
    repository.put("a.c", CODE)
    repository.put("change.patch", text)
    with pytest.raises(MustfreeError) as error:
        from_patch("change.patch", ".")
    assert told in str(error.value)


def test_a_plain_diff_with_dates():
    text = b"--- old/a.c\t2026-01-01 10:00:00\n+++ new/a.c\t2026-01-02 10:00:00\n@@ -2 +2 @@\n-b\n+B\n"
    applied = apply_patch(text, "p", {"a.c": b"a\nb\nc\n"}.get)
    assert (applied.tree_is_base, applied.other) == (True, {"a.c": b"a\nB\nc\n"})


def test_several_changes_of_a_file_and_one_that_ends_without_line_feed():
    text = b"--- a/a.c\n+++ b/a.c\n@@ -1,2 +1,3 @@\n+0\n a\n b\n@@ -5 +6 @@\n-e\n\\ No newline at end of file\n+E\n"
    before, after = b"a\nb\nc\nd\ne", b"0\na\nb\nc\nd\nE\n"
    assert apply_patch(text, "p", {"a.c": before}.get).other == {"a.c": after}
    assert apply_patch(text, "p", {"a.c": after}.get).other == {"a.c": before}


def test_folders_need_c_files(tmp_path):
    with pytest.raises(MustfreeError, match="no C files"):
        from_folders(str(tmp_path), str(tmp_path))
