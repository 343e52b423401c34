"""`mustfree rules compare`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli.rules import rules
from tests.trials.test_trial import PACK

SOURCE = """\
#include <stdlib.h>
#include "parcel.h"
int parcel_fetch(int counter, struct parcel **out)
{ if (counter < 1) return 0; *out = malloc(8); return *out ? 1 : -1; }
void parcel_drop(struct parcel *parcel) { free(parcel); }
int parcel_weight(const struct parcel *parcel) { return parcel->weight; }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "post.yaml").write_text(PACK)
    (tmp_path / "src").mkdir()
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "parcel.h").write_text("struct parcel { int weight; };\n")
    (tmp_path / "src" / "post.c").write_text(SOURCE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ("compare", *arguments, "--sources", "src", "--", "-Iinclude"))


def test_a_pack_that_agrees(folder: Path):
    result = run("post.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (
        0,
        "post.yaml against 1 file of src\n  3 of 3 functions compared\n      3 agree\n",
        "",
    )


UNKNOWN = "void unknown(void *); unknown(parcel)"
WRONG = "post.yaml:5: parcel_fetch: contradicts: the body hands `*out` out when ret == 1"
LATE = PACK.replace("ret > 0", "ret > 1").replace("ret <= 0", "ret <= 1")


def test_a_contradiction_and_its_reason(folder: Path):
    (folder / "post.yaml").write_text(LATE)
    result = run("post.yaml")
    assert result.exit_code == 1
    assert WRONG in result.stdout and "contract says that it hands out nothing in it\n" in result.stdout
    assert "      2 agree\n      1 contradict the body\n" in result.stdout
    (folder / "post.explained.yaml").write_text('parcel_fetch:\n  "*out": For a reason.\n')
    result = run("post.yaml", "-v")
    assert (result.exit_code, result.stdout.count("    explained: For a reason.\n")) == (0, 1)
    assert "      1 contradict the body, with a reason\n" in result.stdout
    assert WRONG not in run("post.yaml").stdout
    (folder / "elsewhere.yaml").write_text("")
    assert run("post.yaml", "--explained", "elsewhere.yaml").exit_code == 1


def test_a_reason_for_nothing(folder: Path):
    (folder / "post.explained.yaml").write_text("parcel_drop:\n  parcel: For a reason.\n")
    result = run("post.yaml")
    assert result.exit_code == 1
    assert result.stdout.endswith(
        "  post.explained.yaml: parcel_drop: `parcel` is explained, but contradicts nothing; remove the reason\n"
    )


def test_less_is_told_on_request(folder: Path):
    (folder / "src" / "post.c").write_text(SOURCE.replace("free(parcel)", UNKNOWN))
    assert run("post.yaml").stdout.endswith("      2 agree\n      1 agree as far as the body tells\n")
    told = "  post.yaml:9: parcel_drop: tells less: the body puts `parcel` out of sight, the contract says"
    assert told in run("post.yaml", "-v").stdout


def test_what_is_not_compared_is_said(folder: Path):
    (folder / "src" / "post.c").write_text(
        SOURCE.replace("int parcel_weight(const", "int parcel_weight(int more, const")
    )
    result = run("post.yaml")
    assert result.exit_code == 1
    assert "parcel_weight: is declared differently: it has 2 parameters, not 1\n" in result.stdout
    assert "      1 are declared differently\n" in result.stdout
    (folder / "src" / "post.c").write_text(SOURCE.replace("parcel_weight(", "other("))
    result = run("post.yaml")
    assert (result.exit_code, result.stdout.splitlines()[1]) == (0, "  2 of 3 functions compared")
    assert result.stdout.endswith("      1 not compared: not defined in these sources\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["post"], "post: neither a rule file (.yaml), nor a C file, nor the name of a shipped pack\n"),
        (["post.yaml", "--sources", "nothing"], "nothing: no such file or folder; name the library's sources\n"),
        (["libmnl"], "rules/libmnl.yaml: src defines none of its functions; name the library's sources\n"),
        (["post.yaml", "--explained", "no.yaml"], "no.yaml:1:1: cannot be read: No such file or directory; name a"),
    ],
)
def test_bad_input(folder: Path, arguments: list[str], message: str):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


def test_sources_that_cannot_be_analysed(folder: Path):
    (folder / "src" / "link.c").symlink_to("nowhere.c")
    result = run("post.yaml")
    assert result.exit_code == 3
    assert "src/nowhere.c: warning: no such file" in result.stderr and "3 of 3 functions compared" in result.stdout
