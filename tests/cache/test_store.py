"""The file of the cache: it keeps, it forgets, and whatever befalls it costs no more than time."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from analyzer.cache import Store, StoreOptions, default_folder
from analyzer.cache.store import FILE, FORMAT

ROOT = Path(__file__).parents[2]


def store(folder, version="1", **options):
    return Store(StoreOptions(str(folder), version, **options))


def filled(folder, rows=(("a", "one"), ("b", "two")), **options):
    first = store(folder, **options)
    first.put(rows)
    first.close()
    return folder / FILE


def test_rows_come_back(tmp_path):
    filled(tmp_path / "new" / "folder")
    again = store(tmp_path / "new" / "folder")
    assert (again.get("a"), again.get("b"), again.get("c")) == ("one", "two", None)
    assert again.remarks == []


def test_it_is_opened_again_after_it_was_closed(tmp_path):
    one = store(tmp_path)
    one.put([("a", "1")])
    one.close()
    assert one.get("a") == "1"
    one.put([("a", "2")])
    one.close()
    assert store(tmp_path).get("a") == "2"


def test_rows_of_another_version_are_dropped_and_that_is_said(tmp_path):
    filled(tmp_path)
    other = store(tmp_path, "2")
    assert other.get("a") is None
    assert [remark for remark in other.remarks if "another version" in remark]
    other.put([("a", "new")])
    other.close()
    assert store(tmp_path, "2").get("a") == "new"


def test_another_format_is_dropped_and_that_is_said(tmp_path):
    base = sqlite3.connect(filled(tmp_path))
    base.execute(f"PRAGMA user_version = {FORMAT + 1}")
    base.commit()
    base.close()
    other = store(tmp_path)
    assert other.get("a") is None
    assert other.remarks
    other.close()
    assert store(tmp_path).remarks == []


@pytest.mark.parametrize("text", [b"no database at all" * 400, b"\0" * 5000], ids=["text", "zeros"])
def test_a_file_that_is_no_database_is_made_anew(tmp_path, text):
    (tmp_path / FILE).write_bytes(text)
    one = store(tmp_path)
    assert one.get("a") is None
    assert len(one.remarks) == 1
    one.put([("a", "1")])
    one.close()
    assert store(tmp_path).get("a") == "1"


def test_a_page_that_was_overwritten_costs_rows_only(tmp_path):
    rows = [(f"key{number}", "x" * 500) for number in range(200)]
    file = filled(tmp_path, rows)
    data = bytearray(file.read_bytes())
    data[8192:16384] = os.urandom(8192)
    file.write_bytes(bytes(data))
    one = store(tmp_path)
    found = [one.get(key) for key, _ in rows]
    assert set(found) <= {"x" * 500, None}
    assert one.remarks
    one.close()
    later = store(tmp_path)
    later.put([("a", "1")])
    later.close()
    assert store(tmp_path).get("a") == "1"


def test_a_changed_row_is_not_believed(tmp_path):
    base = sqlite3.connect(filled(tmp_path))
    base.execute("UPDATE rows SET value = 'other' WHERE key = 'a'")
    base.commit()
    base.close()
    one = store(tmp_path)
    assert (one.get("a"), one.get("b")) == (None, "two")
    assert len(one.remarks) == 1


def test_read_only_reads_and_writes_nothing(tmp_path):
    file = filled(tmp_path)
    before = file.read_bytes()
    one = store(tmp_path, read_only=True)
    assert one.get("a") == "one"
    assert not one.writes
    one.put([("c", "3")])
    one.close()
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_read_only_makes_no_file(tmp_path):
    one = store(tmp_path / "none", read_only=True)
    assert one.get("a") is None
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("damage", ["version", "text"])
def test_read_only_leaves_a_file_alone_that_it_cannot_use(tmp_path, damage):
    file = filled(tmp_path, version="0" if damage == "version" else "1")
    if damage == "text":
        file.write_bytes(b"no database at all" * 400)
    before = file.read_bytes()
    one = store(tmp_path, read_only=True)
    assert one.get("a") is None
    assert len(one.remarks) == 1
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path):
    (tmp_path / "file").write_text("")
    one = store(tmp_path / "file" / "below")
    assert one.get("a") is None
    one.put([("a", "1")])
    one.close()
    assert len(one.remarks) == 1


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    big = "x" * 350_000
    file = filled(tmp_path, [("old", big), ("used", big)], megabytes=1)
    base = sqlite3.connect(file)
    base.execute("UPDATE rows SET used = 1")
    base.commit()
    base.close()
    one = store(tmp_path, megabytes=1)
    assert one.get("used") == big
    one.put([("new", big)])
    one.close()
    assert file.stat().st_size < 1 << 20
    last = store(tmp_path)
    assert (last.get("old"), last.get("used"), last.get("new")) == (None, big, big)


def test_runs_at_the_same_time_share_it(tmp_path):
    def write(name):
        one = store(tmp_path)
        for number in range(30):
            one.put([(f"{name}{number}", name), ("both", "same")])
            assert one.get("both") == "same"
        one.close()
        remarks.extend(one.remarks)

    remarks: list[str] = []
    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert remarks == []
    one = store(tmp_path)
    assert all(one.get(f"{name}{number}") == name for name in "abcd" for number in range(30))


def test_a_writer_that_is_killed_leaves_the_rows_before(tmp_path):
    filled(tmp_path)
    code = (
        "import os, sys; from analyzer.cache import Store, StoreOptions\n"
        "one = Store(StoreOptions(sys.argv[1], '1')); one.get('a')\n"
        "one._base.execute('BEGIN IMMEDIATE'); one._base.execute('DELETE FROM rows'); os._exit(9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=False).returncode == 9
    one = store(tmp_path)
    assert (one.get("a"), one.remarks) == ("one", [])


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/mustfree"),
        ("linux", {"HOME": "/h", "XDG_CACHE_HOME": "relative"}, "/h/.cache/mustfree"),
        ("linux", {"HOME": "/h"}, "/h/.cache/mustfree"),
        ("darwin", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/h/Library/Caches/mustfree"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/mustfree/Cache"),
        ("win32", {}, None),
    ],
)
def test_default_folder(platform, environment, folder):
    assert default_folder(environment, platform) == (Path(folder) if folder else None)
