import os

import pytest

from analyzer.findings.model import NoticeKind
from analyzer.program.discovery import discover, display_path


def names(found, root):
    return [display_path(file.path, root) for file in found.files]


def write(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("int x;\n")


def test_folders_give_their_c_files_sorted_and_once(tmp_path):
    write(tmp_path, "src/b.c", "src/a.c", "src/sub/c.c", "src/h.h", "src/.hidden/d.c", "src/readme.txt")
    found = discover(["src", "src/a.c", "src/../src"], str(tmp_path), {})
    assert names(found, tmp_path) == ["src/a.c", "src/b.c", "src/sub/c.c"]
    assert [file.named for file in found.files] == [True, False, False]
    assert [display_path(header, str(tmp_path)) for header in found.headers] == ["src/h.h"]
    assert found.notices == ()


def test_a_missing_path_is_said_and_the_others_are_found(tmp_path):
    write(tmp_path, "a.c")
    found = discover(["nope.c", "a.c"], str(tmp_path), {})
    assert names(found, tmp_path) == ["a.c"]
    (notice,) = found.notices
    assert (notice.kind, notice.file) == (NoticeKind.BAD_INPUT, "nope.c")


def test_a_folder_without_c_files_is_a_mistake(tmp_path):
    (tmp_path / "empty").mkdir()
    (notice,) = discover(["empty"], str(tmp_path), {}).notices
    assert notice.kind is NoticeKind.BAD_INPUT
    assert "no C files" in notice.message


@pytest.mark.parametrize("name", ["a.cc", "a.cpp", "a.cxx", "a.C", "a.hpp"])
def test_cpp_is_skipped_aloud(tmp_path, name):
    write(tmp_path, name, "b.c")
    found = discover(["."], str(tmp_path), {})
    assert names(found, tmp_path) == ["b.c"]
    assert [notice.kind for notice in found.notices] == [NoticeKind.SKIPPED]
    named = discover([name, "b.c"], str(tmp_path), {})
    assert names(named, tmp_path) == ["b.c"]
    assert [notice.kind for notice in named.notices] == [NoticeKind.BAD_INPUT]


def test_a_named_file_is_taken_whatever_its_name(tmp_path):
    write(tmp_path, "code.inc")
    assert names(discover(["code.inc"], str(tmp_path), {}), tmp_path) == ["code.inc"]


def test_links_are_resolved_so_nothing_is_analysed_twice(tmp_path):
    write(tmp_path, "real.c")
    (tmp_path / "link.c").symlink_to(tmp_path / "real.c")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(discover(["."], str(tmp_path), {}), tmp_path) == ["real.c"]


def test_a_file_may_exist_in_the_overlay_only(tmp_path):
    path = os.path.realpath(tmp_path / "new.c")
    assert names(discover(["new.c"], str(tmp_path), {path: b""}), tmp_path) == ["new.c"]
    (tmp_path / "old.c").write_text("")
    assert names(discover(["."], str(tmp_path), {path: b""}), tmp_path) == ["new.c", "old.c"]


def test_an_unreadable_folder_is_a_gap(tmp_path, monkeypatch):
    write(tmp_path, "a.c")

    def walk(path, onerror):
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "secret")))
        yield str(tmp_path), [], ["a.c"]

    monkeypatch.setattr(os, "walk", walk)
    found = discover(["."], str(tmp_path), {})
    assert names(found, tmp_path) == ["a.c"]
    assert [(notice.kind, notice.file) for notice in found.notices] == [(NoticeKind.NOT_ANALYSED, "secret")]


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/work/a/b.c", "a/b.c"), ("/other/b.c", "/other/b.c"), ("/work/..x/b.c", "..x/b.c")],
)
def test_paths_are_shown_relative_below_the_root(path, shown):
    assert display_path(path, "/work") == shown
