"""Changes as git revisions: what is compared, what is refused, and that nothing of the repository is executed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.change import from_revisions
from analyzer.errors import MustfreeError
from analyzer.findings.model import NoticeKind
from tests.change.conftest import CODE, HEAD, Repository, by_state, of_revisions

CLEAN = CODE.replace("\t\treturn -3;", "\t{ free(p); return -3; }")


def test_two_revisions(repository):
    repository.commit(a_c=CLEAN)
    repository.commit(a_c=CODE)
    repository.commit(a_c=CLEAN)
    assert by_state(of_revisions("HEAD~2", "HEAD~1")) == {"new": ["a.c:14"], "unchanged": [], "absent": []}
    assert by_state(of_revisions("HEAD~1", "HEAD")) == {"new": [], "unchanged": [], "absent": ["a.c:14"]}
    assert by_state(of_revisions("HEAD~2..HEAD~1"))["new"] == ["a.c:14"]


def test_the_work_tree_is_the_head_when_none_is_named(repository):
    repository.commit(a_c=CLEAN)
    repository.write(a_c=CODE, new_c=CODE.replace("int f", "int g"))
    report = of_revisions("HEAD")
    assert by_state(report)["new"] == ["a.c:14", "new.c:14"]
    assert report.head == "the work tree"


def test_a_revision_is_analysed_as_it_was_and_not_as_it_lies_there(repository):
    repository.commit(a_c=CLEAN, b_c=HEAD)
    repository.commit(a_c=CODE)
    repository.commit(a_c="int x;\n")
    repository.git("rm", "-q", "b.c")
    repository.commit()
    report = of_revisions("HEAD~3", "HEAD~2")
    assert by_state(report)["new"] == ["a.c:14"]


def test_the_merge_base(repository):
    repository.commit(a_c=CLEAN, b_c=HEAD)
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit(b_c=CODE.replace("int f", "int g"))
    repository.git("checkout", "-q", "main")
    repository.commit(a_c=CODE)
    assert by_state(of_revisions("main...topic")) == {"new": ["b.c:14"], "unchanged": [], "absent": []}
    assert by_state(of_revisions("main", "topic"))["absent"] == ["a.c:14"]


def test_renamed_files_are_followed(repository):
    repository.commit(a_c=CODE)
    repository.git("mv", "a.c", "b.c")
    repository.put("b.c", CODE.replace("return -2", "return -22"))
    repository.commit()
    assert by_state(of_revisions("HEAD~1", "HEAD")) == {"new": [], "unchanged": ["b.c:14"], "absent": []}
    repository.git("checkout", "-q", "HEAD~1")
    assert by_state(of_revisions("HEAD", "main")) == {"new": [], "unchanged": ["b.c:14"], "absent": []}


def test_from_below_the_root_all_names_start_at_the_root(repository, monkeypatch):
    repository.put("sub/a.c", CLEAN)
    repository.commit()
    repository.put("sub/a.c", CODE)
    monkeypatch.chdir(repository.root / "sub")
    assert by_state(of_revisions("HEAD"))["new"] == ["sub/a.c:14"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("nowhere",), "nowhere: no such revision"),
        (("HEAD", "nowhere"), "nowhere: no such revision"),
        (("HEAD..HEAD", "HEAD"), "names both sides already"),
        (("--output=x",), "no such revision"),
    ],
)
def test_refusals(repository, names, told):
    repository.commit(a_c=CLEAN)
    with pytest.raises(MustfreeError, match=told):
        of_revisions(*names)


def test_outside_of_a_repository(tmp_path):
    with pytest.raises(MustfreeError, match="no work tree of a git repository"):
        from_revisions(str(tmp_path), "HEAD")


def test_unresolved_conflicts_are_refused(repository):
    repository.commit(a_c=CLEAN)
    repository.git("checkout", "-q", "-b", "topic")
    repository.commit(a_c=CLEAN.replace("-2", "-5"))
    repository.git("checkout", "-q", "main")
    repository.commit(a_c=CLEAN.replace("-2", "-6"))
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "-q", "topic")
    with pytest.raises(MustfreeError, match=r"unresolved merge conflicts in a\.c"):
        of_revisions("HEAD")
    assert by_state(of_revisions("main", "topic"))["new"] == []


def test_a_shallow_clone_says_so(repository, tmp_path, monkeypatch):
    repository.commit(a_c=CLEAN)
    repository.commit(a_c=CODE)
    repository.git("clone", "-q", "--depth=1", f"file://{repository.root}", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(MustfreeError, match="this clone is shallow: fetch more"):
        of_revisions("HEAD~1")


def test_a_submodule_that_changed_is_told(repository, tmp_path):
    (tmp_path / "inner").mkdir()
    inner = Repository(tmp_path / "inner")
    first, second = inner.commit(x_c=CODE), inner.commit(x_c=CLEAN)
    repository.commit(a_c=CLEAN)
    for commit in (first, second):
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},inner")
        repository.git("commit", "-q", "-m", "x")
    report = of_revisions("HEAD~1", "HEAD")
    (notice,) = report.notices
    assert (notice.kind, notice.file) == (NoticeKind.CHANGE, "inner")
    assert "submodule" in notice.message


def test_rule_files_of_the_base_count(repository):
    from analyzer.change import ChangeOptions, analyse_change
    from tests.change.conftest import settings

    rules = (
        "library: own\nversion: '1'\nkinds:\n  t: {release: [close_t], noun: thing}\ndeclare: |\n  struct t;\n"
        "functions:\n  - c: struct t *open_t(void)\n    outcomes:\n"
        "      - {when: ret != null, then: [fresh ret t]}\n      - {when: ret == null, then: []}\n"
        "  - c: void close_t(struct t *t)\n    then: [release t t]\n"
    )
    harmless = "library: own\nversion: '1'\ndeclare: |\n  struct t;\nborrows:\n  - struct t *open_t(void)\n"
    code = "struct t *open_t(void);\nvoid f(void) { struct t *t = open_t(); }\n"
    repository.put("own.yaml", rules)
    repository.commit(a_c="int x;\n")
    repository.put("own.yaml", harmless)
    repository.commit(a_c=code)

    def report(**options):
        change = from_revisions(".", "HEAD~1", "HEAD")
        return analyse_change(change, ChangeOptions(settings(rules=("own.yaml",)), **options)).report

    assert by_state(report())["new"] == ["a.c:2"]
    assert by_state(report(config_from_head=True))["new"] == []
    told = [[n.message for n in r.notices if n.file == "own.yaml"] for r in (report(), report(config_from_head=True))]
    assert ["edits the rule file: that of the base is used" in messages[0] for messages in told] == [True, False]
    assert "that of the head is used" in told[1][0]


@pytest.mark.skipif(sys.platform == "win32", reason="the traps are shell scripts")
def test_nothing_of_the_repository_is_executed(repository, monkeypatch, tmp_path):
    """Hooks, monitors, filters, diff programs and pagers that leave a mark when they run."""
    repository.commit(a_c=CLEAN)
    repository.put(".gitattributes", "*.c filter=trap diff=trap\n")
    repository.commit()
    repository.write(a_c=CODE)
    mark = tmp_path / "executed"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 $* >>{mark}\ncat\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.trap.textconv", "diff.trap.command",
        "filter.trap.clean", "filter.trap.smudge", "filter.trap.process", "core.sshCommand", "core.editor",
    ):  # fmt: skip
        repository.git("config", key, str(trap))
    hooks = repository.root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "pre-commit", "post-checkout", "fsmonitor-watchman"):
        shutil.copy(trap, hooks / name)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    index = (repository.root / ".git" / "index").read_bytes()
    assert by_state(of_revisions("HEAD"))["new"] == ["a.c:14"]
    assert by_state(of_revisions("HEAD~1", "HEAD"))["new"] == []
    assert not mark.exists()
    assert (repository.root / ".git" / "index").read_bytes() == index


def test_only_git_is_started(repository, monkeypatch):
    repository.commit(a_c=CLEAN)
    repository.write(a_c=CODE)
    started = []
    real = subprocess.Popen.__init__

    def note(self, arguments, *rest, **options):
        started.append(Path(arguments[0]).name)
        real(self, arguments, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", note)
    of_revisions("HEAD")
    assert set(started) == {"git"}


def test_odd_names(repository):
    name = "ä b\n.c" if os.name == "posix" else "ä b.c"
    repository.put(name, CLEAN)
    repository.commit()
    repository.put(name, CODE)
    assert by_state(of_revisions("HEAD"))["new"] == [f"{name}:14"]
