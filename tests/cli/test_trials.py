"""`mustfree rules test`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from analyzer.cli.rules import rules
from tests.trials.test_trial import FIXTURE, PACK


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "post.yaml").write_text(PACK.replace("declare:", 'headers: ["post.h"]\ndeclare:'))
    (tmp_path / "post.c").write_text(FIXTURE)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ("test", *arguments))


def test_a_pack_that_passes(folder: Path):
    result = run("post.yaml")
    assert (result.exit_code, result.stdout) == (
        0,
        "post.yaml on post.c\n"
        "  2 functions with effects, 2 used wrongly and rightly, 0 not called\n"
        "  1 functions that only borrow, 1 called\n"
        "  4 weakened contracts, 4 noticed by a mark\n",
    )
    assert result.stderr.startswith("post.yaml: ") and result.stderr.endswith(" s\n")
    assert "  parcel_fetch      2      1  acquires\n" in run("-v", "post.yaml").stdout


def test_the_fixture_may_lie_elsewhere(folder: Path):
    (folder / "post.c").rename(folder / "uses.c")
    assert run("post.yaml", "uses.c").exit_code == 0
    result = run("post.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "post.yaml: no fixture: there is no post.c; name one: mustfree rules test post.yaml FILE.c\n"
    )


def test_survivors_are_listed(folder: Path):
    (folder / "post.c").write_text(FIXTURE[: FIXTURE.index("int fetch_ok")] + FIXTURE[FIXTURE.index("int fetch_bad") :])
    (folder / "post.yaml").write_text(
        (folder / "post.yaml").read_text() + "  - int parcel_size(struct parcel *parcel)\n"
    )
    more = "  - c: void parcel_give(struct parcel *parcel)\n    then: [take parcel]\nborrows:"
    (folder / "post.yaml").write_text((folder / "post.yaml").read_text().replace("borrows:", more))
    result = run("post.yaml")
    assert result.exit_code == 1
    assert "    not noticed: parcel_give: without `take parcel`\n" in result.stdout
    assert "  parcel_give       0      0  takes over\n" in result.stdout


def test_other_findings_than_marked(folder: Path):
    (folder / "post.c").write_text(FIXTURE.replace("//~ leak: parcel", ""))
    result = run("post.yaml")
    assert result.exit_code == 1
    assert "  line 20: unexpected //~ leak: parcel" in result.stdout
    assert "nothing was weakened" in result.stdout


def test_what_cannot_be_used(folder: Path):
    assert "other.c: a fixture without a pack" in run("other.c").stderr
    result = run("nothing")
    assert result.exit_code == 2 and "nor the name of a shipped pack" in result.stderr
    (folder / "post.yaml").write_text("library: 1\n")
    result = run("post.yaml")
    assert result.exit_code == 2 and "post.yaml:1:10: YAML reads `1` as a number" in result.stderr


def test_a_shipped_pack_by_name():
    result = run("libnetfilter_log")
    assert "rules/libnetfilter_log.yaml on fixtures/contracts/libnetfilter_log.c\n" in result.stdout
