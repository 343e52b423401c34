"""`mustfree fix` and `mustfree check --fixes`: what is printed and written, and the exit status."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.errors import MustfreeError
from analyzer.fixes.patch import unified_diff, write_texts
from analyzer.fixes.writing import write_files
from analyzer.workspace import Workspace
from tests.cli.conftest import CLEAN, LEAK

FIXED = LEAK.replace("\tif (n > 3)\n\t\treturn -2;\n", "\tif (n > 3) {\n\t\tfree(p);\n\t\treturn -2;\n\t}\n")
INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident" / "leaking"
NOT_KEPT = "#include <stdlib.h>\n\nvoid k(void)\n{\n\tmalloc(3);\n}\n"


def test_a_patch_is_printed_and_nothing_written(mustfree, project):
    outcome = mustfree("fix", "leak.c", "clean.c")
    assert outcome.status == 0
    assert outcome.out == (
        "--- a/leak.c\n+++ b/leak.c\n@@ -8,8 +8,10 @@\n \n \tif (!p)\n \t\treturn -1;\n-\tif (n > 3)\n+\tif (n > 3) {\n"
        "+\t\tfree(p);\n \t\treturn -2;\n+\t}\n \tfree(p);\n \treturn 0;\n }\n"
    )
    assert outcome.err == "1 of 1 finding fixed in 1 file\n"
    assert (project / "leak.c").read_text() == LEAK


def test_the_patch_is_one_for_git(mustfree, project):
    (project / "more.c").write_bytes(LEAK.replace("f(", "h(").replace("\n", "\r\n").encode().removesuffix(b"\r\n"))
    (project / "fix.patch").write_bytes(mustfree("fix", ".").out.encode())
    patch = subprocess.run(["git", "apply", "fix.patch"], cwd=project, capture_output=True, text=True, check=False)
    assert patch.returncode == 0, patch.stderr
    assert (project / "leak.c").read_text() == FIXED


def test_files_are_changed_when_asked_for(mustfree, project):
    (project / "leak.c").chmod(0o640)
    outcome = mustfree("fix", "--apply", ".")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == "1 of 1 finding fixed in 1 file, written\n"
    assert (project / "leak.c").read_text() == FIXED
    assert (project / "leak.c").stat().st_mode & 0o777 == 0o640
    assert (project / "clean.c").read_text() == CLEAN
    assert sorted(path.name for path in project.iterdir()) == ["clean.c", "leak.c"]
    assert mustfree("check", ".").status == 0


def test_the_incident_is_repaired(mustfree, project):
    shutil.copytree(INCIDENT, project / "incident")
    outcome = mustfree("fix", "--apply", "incident")
    assert outcome.status == 0
    assert outcome.err.endswith("3 of 3 findings fixed in 2 files, written\n")
    assert mustfree("check", "incident").status == 0


def test_what_has_no_fix_is_named(mustfree, project):
    (project / "kept.c").write_text(NOT_KEPT)
    outcome = mustfree("fix", ".")
    assert outcome.status == 1
    assert outcome.err == (
        "kept.c:5:2: no fix: the block of memory from malloc() is not kept, so it can never be freed\n"
        "1 of 2 findings fixed in 1 file\n"
    )
    assert mustfree("fix", ".", "-q").err == ""


def test_only_what_is_shown_is_fixed(mustfree, project):
    allowed = LEAK.replace("return -2;", "return -2; /* mustfree: allow leak because of reasons */")
    (project / "leak.c").write_text(allowed)
    (project / "sub").mkdir()
    (project / "sub" / "more.c").write_text(LEAK.replace("f(", "h("))
    assert "+++ b/sub/more.c\n" in mustfree("fix", ".").out
    assert mustfree("fix", "--only", "clean.c", ".").out == ""
    (project / "mustfree.toml").write_text('generated = ["sub/*"]\n')
    outcome = mustfree("fix", ".")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err.endswith(
        "0 of 0 findings fixed in 0 files; 1 in generated code (--generated shows them); 1 suppressed\n"
    )
    assert "+++ b/sub/more.c\n" in mustfree("fix", "--generated", ".").out
    (project / "mustfree.toml").write_text('checks = ["double-release"]\n')
    assert mustfree("fix", ".").err.endswith("0 files; 1 switched off by the settings; 1 suppressed\n")


def test_what_a_baseline_holds_is_left_alone(mustfree, project):
    assert mustfree("baseline", "update", "known.json", ".").status == 0
    (project / "more.c").write_text(LEAK.replace("f(", "h("))
    outcome = mustfree("fix", "--baseline", "known.json", ".")
    assert outcome.status == 0
    assert "+++ b/more.c\n" in outcome.out
    assert "leak.c" not in outcome.out
    assert outcome.err.endswith("1 of 1 finding fixed in 1 file; 1 known\n")
    (project / "mustfree.toml").write_text('baseline = "known.json"\n')
    assert mustfree("fix", ".").out == outcome.out


def test_the_options_that_say_what_the_program_is(mustfree, project):
    (project / "more.c").write_text("#ifdef MORE\n" + LEAK.replace("f(", "h(") + "#endif\n")
    assert "more.c" not in mustfree("fix", ".").out
    assert "+++ b/more.c\n" in mustfree("fix", "--define", "MORE", ".").out
    end = LEAK.replace("return -2;", "{ stop(); return -2; }").replace("int use", "void stop(void);\nint use")
    (project / "leak.c").write_text(end)
    assert "+++ b/leak.c\n" in mustfree("fix", "leak.c").out
    assert mustfree("fix", "--noreturn", "stop", "leak.c").out == ""


@pytest.mark.parametrize("options", [("--no-cache",), ("--cache-dir", "kept"), ("-j", "2")])
def test_the_same_patch_with_any_cache_and_any_number_of_workers(mustfree, options):
    assert mustfree("fix", ".", *options).out == mustfree("fix", ".").out


def test_bad_input_changes_no_file(mustfree, project):
    outcome = mustfree("fix", "--apply", "leak.c", "missing.c")
    assert outcome.status == 2
    assert "missing.c: error: no such file" in outcome.err
    assert (project / "leak.c").read_text() == LEAK
    assert mustfree("fix").status == 2


def test_a_gap_is_told(mustfree, project):
    (project / "broken.c").write_text("%%% no C at all\n")
    assert mustfree("fix", "--apply", ".").status == 3


def test_all_files_are_written_or_none(project):
    with pytest.raises(MustfreeError, match="cannot be written"):
        write_files({project / "clean.c": b"new", project / "nowhere" / "x.c": b"new"})
    assert (project / "clean.c").read_text() == CLEAN
    assert sorted(path.name for path in project.iterdir()) == ["clean.c", "leak.c"]


def test_a_file_that_has_changed_meanwhile_is_left_alone(project):
    with pytest.raises(MustfreeError, match=r"leak\.c: changed while it was analysed; run the command again"):
        write_texts(str(project), {"leak.c": b"before"}, {"leak.c": b"after"})
    assert (project / "leak.c").read_text() == LEAK


@pytest.mark.parametrize("mode", ["--apply", "--diff"])
@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_file_that_changes_during_the_run_is_left_alone(mustfree, project, monkeypatch, mode, moment):
    real, runs = Workspace.analyse, []

    def analyse(self, *arguments):
        report = real(self, *arguments)
        runs.append(report)
        if len(runs) == moment:
            (project / "leak.c").write_text("/* a line above */\n" + LEAK)
        return report

    monkeypatch.setattr(Workspace, "analyse", analyse)
    outcome = mustfree("fix", mode, ".")
    assert (outcome.status, outcome.out) == (2, "")
    assert "leak.c: changed while it was analysed; run the command again" in outcome.err
    assert (project / "leak.c").read_text() == "/* a line above */\n" + LEAK


def test_where_one_file_cannot_be_written_the_others_are_as_before(project, monkeypatch):
    (project / "linked.c").write_text("linked")
    os.link(project / "linked.c", project / "other name.c")
    real = Path.replace

    def replace(self, target):
        if Path(target).name == "leak.c":
            raise PermissionError(1, "Operation not permitted")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(MustfreeError, match=r"leak\.c: cannot be written: .*; no file was changed"):
        write_files({project / name: b"new" for name in ("clean.c", "linked.c", "leak.c")})
    assert (project / "clean.c").read_text() == CLEAN
    assert (project / "linked.c").read_text() == "linked"
    assert len(list(project.iterdir())) == 4


def test_what_cannot_be_taken_back_is_named(project, monkeypatch):
    real, done = Path.replace, []

    def replace(self, target):
        if done:
            raise OSError(28, "No space left on device")
        done.append(target)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(
        MustfreeError, match=r"leak\.c: cannot be written: No space.*; these stay changed, too: .*clean\.c$"
    ):
        write_files({project / "clean.c": b"new", project / "leak.c": b"new"})
    assert (project / "clean.c").read_text() == "new"


def test_a_file_with_two_names_keeps_both(mustfree, project):
    os.link(project / "leak.c", project / "same.txt")
    assert mustfree("fix", "--apply", "leak.c").status == 0
    assert (project / "same.txt").read_text() == FIXED
    assert (project / "leak.c").samefile(project / "same.txt")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(mustfree, project):
    os.chown(project / "leak.c", 1234, 1234)
    assert mustfree("fix", "--apply", "leak.c").status == 0
    status = (project / "leak.c").stat()
    assert (status.st_uid, status.st_gid) == (1234, 1234)
    assert (project / "leak.c").read_text() == FIXED


def test_lines_without_an_end_and_far_apart():
    old = b"".join(b"%d\n" % number for number in range(40)) + b"end"
    new = old.replace(b"\n3\n", b"\n3\nthree\n").replace(b"end", b"the end")
    patch = unified_diff({"a.c": old}, {"a.c": new})
    assert patch.count(b"@@ -") == 2
    assert patch.endswith(b"-end\n\\ No newline at end of file\n+the end\n\\ No newline at end of file\n")


def test_fixes_in_the_sarif_log(mustfree, project):
    (project / "kept.c").write_text(NOT_KEPT)
    assert mustfree("check", ".", "--fixes", "--sarif", "a.sarif").status == 1
    kept, leak = json.loads((project / "a.sarif").read_text())["runs"][0]["results"]
    assert "fixes" not in kept
    (fix,) = leak["fixes"]
    assert fix["description"]["text"] == "call free(p) before its last holder goes"
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "leak.c"
    assert change["replacements"][0] == {
        "deletedRegion": {"startLine": 11, "startColumn": 12, "endLine": 11, "endColumn": 12},
        "insertedContent": {"text": " {"},
    }
    mustfree("check", ".", "--sarif", "b.sarif")
    assert '"fixes"' not in (project / "b.sarif").read_text()


def test_fixes_need_a_place_to_go(mustfree):
    outcome = mustfree("check", ".", "--fixes")
    assert outcome.status == 2
    assert "--fixes goes into the SARIF log; add --sarif FILE, or use `mustfree fix`" in outcome.err
