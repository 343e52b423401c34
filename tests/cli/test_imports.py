"""`mustfree rules import cppcheck`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli.rules import rules

CFG = '<?xml version="1.0"?>\n<def><memory><alloc>box_new</alloc><dealloc>box_drop</dealloc></memory></def>\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "box.cfg").write_text(CFG)
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "box.h").write_text('#include "more.h"\nstruct box *box_new(void);\n')
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "more.h").write_text("void box_drop(struct box *box);\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ("import", "cppcheck", *arguments))


def test_a_rule_file_that_passes_the_check(folder: Path):
    result = run("box.cfg", "include/box.h", "--", "-Imore")
    assert result.exit_code == 0
    assert result.stderr == "2 functions described, 0 known to a pack already, 0 in comments, as something is missing\n"
    assert 'library: "box"\nversion: "1"\nheaders: ["box.h"]\n' in result.stdout
    (folder / "box.yaml").write_text(result.stdout)
    assert CliRunner().invoke(rules, ("check", "box.yaml")).exit_code == 0


def test_a_name_for_the_library(folder: Path):
    assert 'library: "boxes"\n' in run("box.cfg", "--library", "boxes").stdout


def test_without_a_header_there_are_comments(folder: Path):
    result = run("box.cfg")
    assert result.exit_code == 0
    assert result.stderr.startswith("0 functions described, 0 known to a pack already, 2 in comments")


def test_files_that_cannot_be_used(folder: Path):
    result = run("none.cfg")
    assert (result.exit_code, result.stdout) == (2, "") and "none.cfg: cannot be read" in result.stderr
    result = run("box.cfg", "include/box.h")
    assert result.exit_code == 2 and "'more.h' file not found; name its folder behind --" in result.stderr
