"""Files by their contents: what they are called everywhere, and which of them stood still."""

import os
import time

import pytest

from analyzer.cache import Contents
from analyzer.cache.contents import ABSENT, ON_DISK, OVER


@pytest.fixture
def contents(tmp_path):
    (tmp_path / "root" / "folder.h").mkdir(parents=True)
    (tmp_path / "root" / "a.h").write_text("a")
    return Contents(str(tmp_path / "root"), {str(tmp_path / "root" / "over.h"): b"over"})


@pytest.mark.parametrize("name", ["a.h", "sub/b.h", ""])
def test_labels_below_the_root(contents, tmp_path, name):
    path = os.path.normpath(tmp_path / "root" / name)
    label = contents.label(path)
    assert label == contents.label_around(path) == f"./{name}"
    assert contents.path(label) == path


def test_labels_beside_the_root(contents, tmp_path):
    for path, label in ((tmp_path, ".."), (tmp_path / "x", "../x"), (tmp_path.parent / "y", "../../y")):
        assert contents.label_around(str(path)) == label
        assert contents.path(label) == str(path)
        assert contents.label(str(path)) == str(path)
    assert contents.label_around("/usr/include") == "/usr/include" == contents.path("/usr/include")


def test_what_exists(contents, tmp_path):
    names = ("a.h", "over.h", "folder.h", "none.h")
    assert [contents.exists(str(tmp_path / "root" / name)) for name in names] == [ON_DISK, OVER, ABSENT, ABSENT]


def test_a_file_that_is_replaced_by_an_older_one_is_not_settled(contents, tmp_path):
    path = tmp_path / "root" / "a.h"
    os.utime(path, (1, 1))
    time.sleep(0.1)
    late = Contents(str(tmp_path), {})
    assert late.is_settled(str(path))
    time.sleep(0.05)
    path.write_text("b")
    os.utime(path, (1, 1))
    assert not late.is_settled(str(path))


def test_a_file_that_is_gone_is_not_settled(contents, tmp_path):
    assert contents.is_settled(str(tmp_path / "root" / "over.h"))
    assert not contents.is_settled(str(tmp_path / "root" / "none.h"))
