import os
import stat

import pytest

from analyzer.errors import MustfreeError
from analyzer.report import output
from analyzer.report.output import write_file


def test_writes_and_replaces_whole_files(tmp_path):
    path = tmp_path / "out"
    write_file(path, "one")
    write_file(path, "two")
    assert path.read_text() == "two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_keeps_the_permissions_of_the_file_it_replaces(tmp_path):
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_ordinary_permissions(tmp_path):
    old = os.umask(0o022)
    try:
        write_file(tmp_path / "out", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["missing/out", "."])
def test_says_which_file_cannot_be_written(tmp_path, name):
    with pytest.raises(MustfreeError, match="cannot be written"):
        write_file(tmp_path / name, "x")


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.write_text("old")

    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(output, "_mode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_writes_through_a_symbolic_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_file(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"
