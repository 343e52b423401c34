"""Settings of the commands beside `check`; of a change those of its base count: it cannot silence its own gate."""

import json

import pytest

from analyzer.project.files import Files
from tests.change.conftest import Repository
from tests.cli.conftest import CLEAN, LEAK
from tests.cli.test_settings import BOX, BUILT, RULES, STOPS, write

GOOD = LEAK.replace("return -2;", "goto out;").replace("\tfree(p);", "out:\n\tfree(p);")


@pytest.fixture
def repository(project):
    (project / "leak.c").write_text(GOOD)
    return Repository(project)


def committed(repository, **files):
    for name, text in files.items():
        path = {"settings": "mustfree.toml", "pyproject": "pyproject.toml"}.get(name, f"{name}.c")
        repository.put(path, text)
    repository.commit()


def test_settings_of_the_base_count(mustfree, repository):
    committed(repository, leak=GOOD)
    committed(repository, leak=LEAK, settings='checks = ["double-release"]\n')
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert (outcome.status, outcome.last) == (1, "1 introduced, 0 fixed, 0 unchanged in 1 file")
    said = "mustfree.toml: warning: this change adds settings: those of the base are used"
    assert outcome.err.startswith(f"{said} (--config-from head takes the new ones)\n")
    outcome = mustfree("diff", "--config-from", "head", "HEAD~1", "HEAD")
    assert outcome.last == "0 introduced, 0 fixed, 0 unchanged in 1 file; 1 switched off by the settings"
    assert outcome.status == 0
    assert outcome.err.startswith("mustfree.toml: warning: this change adds settings: those of the head are used\n")


def test_settings_that_stay_are_used_and_not_mentioned(mustfree, repository, project):
    committed(repository, leak=GOOD, settings='[levels]\nleak = "error"\n')
    committed(repository, leak=LEAK)
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert "error[leak]" in outcome.out
    assert "settings" not in outcome.err
    (project / "mustfree.toml").unlink()  # the work tree's own has nothing to say
    assert "error[leak]" in mustfree("diff", "HEAD~1", "HEAD").out
    assert "this change removes settings: those of the base" in mustfree("diff", "HEAD~1").err


def test_every_output_lists_changed_settings(mustfree, repository, project):
    committed(repository, leak=GOOD, settings="strict = false\n")
    committed(repository, leak=LEAK, settings="exit-zero = true\n")
    assert mustfree("diff", "HEAD~1", "--json", "r.json", "--sarif", "r.sarif", "--markdown", "r.md").status == 1
    notices = json.loads((project / "r.json").read_text())["notices"]
    assert [n["file"] for n in notices if "edits settings" in n["message"]] == ["mustfree.toml"]
    assert "this change edits settings" in (project / "r.sarif").read_text()
    assert "this change edits settings" in (project / "r.md").read_text()
    assert mustfree("diff", "--config-from", "head", "HEAD~1").status == 0


def test_of_a_pyproject_only_our_table_counts(mustfree, repository):
    committed(repository, leak=GOOD, pyproject="[tool.mustfree]\nexit-zero = true\n")
    committed(repository, leak=LEAK, pyproject="[project]\nname = 'x'\n[tool.mustfree]\nexit-zero = true\n")
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert (outcome.status, "settings" in outcome.err) == (0, False)
    committed(repository, pyproject="[tool.mustfree]\nexit-zero = false\n")
    outcome = mustfree("diff", "HEAD~2", "HEAD")
    assert (outcome.status, "pyproject.toml: warning: this change edits settings" in outcome.err) == (0, True)


def test_what_settings_extend_comes_from_the_base_too(mustfree, repository):
    repository.put("base/common.toml", "strict = true\n")
    committed(repository, leak=GOOD, settings='extends = "base/common.toml"\n')
    repository.put("base/common.toml", "exit-zero = true\n")
    committed(repository, leak=LEAK)
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert outcome.status == 1
    assert "base/common.toml: warning: this change edits settings" in outcome.err


def test_a_new_file_nearer_to_the_code_does_not_count(mustfree, repository):
    repository.put("src/a.c", GOOD)
    committed(repository)
    repository.put("src/a.c", LEAK)
    repository.put("src/mustfree.toml", "checks = []\n")
    committed(repository)
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert outcome.status == 1
    assert "src/mustfree.toml: warning: this change adds settings" in outcome.err
    assert mustfree("diff", "--config-from", "head", "HEAD~1", "HEAD").status == 0


@pytest.mark.parametrize("name", ["rules/own.yaml", "rules/*.yaml", "**/*.yaml"])
def test_rule_files_that_settings_name_come_from_the_base(mustfree, repository, name):
    repository.put("rules/own.yaml", RULES)
    committed(repository, box=CLEAN, settings=f'rules = ["{name}"]\n')
    (repository.root / "rules" / "own.yaml").unlink()
    committed(repository, box=BOX)
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert (outcome.status, "box_new" in outcome.out) == (1, True)
    assert "rules/own.yaml: warning: this change removes the rule file" in outcome.err


def test_a_toolchain_that_settings_name_comes_from_the_base(mustfree, repository):
    record = {
        "format": "mustfree-toolchain",
        "version": 1,
        "target": "arm-linux-gnueabihf",
        "include": [],
        "macros": {},
    }
    repository.put("arm.json", json.dumps(record))
    committed(repository, a=GOOD, settings='toolchain = "arm.json"\n')
    repository.put("arm.json", json.dumps({**record, "target": "mips-linux-gnu"}))
    committed(repository, a=BUILT.replace("#ifdef TLS", "#ifdef __arm__"))
    assert mustfree("diff", "HEAD~1", "HEAD").status == 1
    assert mustfree("diff", "--config-from", "head", "HEAD~1", "HEAD").status == 0


def test_two_folders_and_a_patch_read_the_base_too(mustfree, project):
    write(project, GOOD, "old/a.c")
    write(project, LEAK, "new/a.c")
    write(project, "exit-zero = true\n", "new/mustfree.toml")
    outcome = mustfree("diff", "old", "new")
    assert (outcome.status, "this change adds settings" in outcome.err) == (1, True)
    write(project, "exit-zero = true\n", "old/mustfree.toml")
    outcome = mustfree("diff", "old", "new")
    assert (outcome.status, "settings" in outcome.err) == (0, False)
    patch = "--- /dev/null\n+++ b/mustfree.toml\n@@ -0,0 +1 @@\n+exit-zero = true\n"
    patch += "--- a/leak.c\n+++ b/leak.c\n@@ -12,2 +12,1 @@\n \t\treturn -2;\n-\tfree(p);\n"
    write(project, patch, "p.patch")
    outcome = mustfree("diff", "p.patch")
    assert (outcome.status, "mustfree.toml: warning: this change adds settings" in outcome.err) == (1, True)


def test_generated_code_and_variants_in_a_change(mustfree, repository):
    settings = 'generated = ["gen.c"]\n[[variants]]\nname = "tls"\ndefine = ["TLS"]\n'
    committed(repository, gen=GOOD, built=GOOD.replace("f(int", "g(int"), settings=settings)
    committed(repository, gen=LEAK, built=BUILT.replace("f(int", "g(int"))
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert outcome.last.startswith("1 introduced, 0 fixed, 0 unchanged in ")
    assert "; 1 in generated code (--generated shows them)" in outcome.last
    assert "(only with variant `tls`)" in outcome.out
    assert mustfree("diff", "--generated", "--no-variants", "HEAD~1", "HEAD").last.startswith("1 introduced")
    assert mustfree("diff", "--generated", "HEAD~1", "HEAD").last.startswith("2 introduced")


def test_mistakes_in_the_settings_of_the_base(mustfree, repository):
    committed(repository, leak=GOOD, settings="strikt = true\n")
    committed(repository, leak=LEAK, settings="strict = true\n")
    outcome = mustfree("diff", "HEAD~1", "HEAD")
    assert outcome.status == 2
    assert "mustfree.toml:1: unknown key `strikt`; did you mean `strict`?" in outcome.err


def test_baseline_update_reads_settings(mustfree, project):
    write(project, STOPS, "stops.c")
    assert "1 loss points" in mustfree("baseline", "update", "b.json", "stops.c").out
    write(project, 'paths = ["stops.c", "leak.c"]\nnoreturn = ["stop_*"]\nchecks = []\nexclude = ["clean.c"]\n')
    assert "stops.c" in (project / "b.json").read_text()
    assert mustfree("baseline", "update", "b.json").out.startswith("b.json: 1 loss points; ")
    text = (project / "b.json").read_text()
    assert ("leak.c" in text, "stops.c" in text) == (True, False)
    write(project, "strikt = true\n")
    assert mustfree("baseline", "update", "b.json", "leak.c").status == 2


MAKE = """#include <stdlib.h>
void stop_now(void);
char *make(int n)
{
	if (n)
		stop_now();
	return malloc(3);
}
"""


def test_contracts_reads_settings(mustfree, project):
    write(project, MAKE, "make.c")
    assert "n == 0" not in mustfree("contracts", "make.c").out
    write(project, 'paths = ["make.c"]\nnoreturn = ["stop_now"]\n')
    out = mustfree("contracts").out
    assert "# make.c:3" in out
    assert "n == 0" in out
    write(project, "strikt = true\n")
    assert mustfree("contracts", "make.c").status == 2


def test_why_reads_settings(mustfree, project):
    write(project, STOPS, "stops.c")
    assert "verdict: leaked" in mustfree("why", "stops.c:7").out
    write(project, 'paths = ["."]\nnoreturn = ["stop_now"]\n')
    out = mustfree("why", "stops.c:7").out
    assert "verdict: held by a global or for the process's life" in out
    assert "only this file was looked at" not in out


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.yaml", ["a.yaml"]),
        ("r/*.yaml", ["r/b.yaml"]),
        ("**/*.yaml", ["a.yaml", "r/b.yaml", "r/s/c.yaml"]),
        ("r/**/c.yaml", ["r/s/c.yaml"]),
        ("?.yaml", ["a.yaml"]),
        ("r/[a-b].yaml", ["r/b.yaml"]),
        ("r/[!b].yaml", []),
        ("./*.yaml", ["a.yaml"]),
        ("r/[[]x.yaml", []),
    ],
)
def test_patterns_fit_the_same_on_disk_and_at_a_side(tmp_path, pattern, found):
    names = ["a.yaml", "r/b.yaml", "r/s/c.yaml", "r/b.yml"]
    for name in names:
        write(tmp_path, "", name)
    side = Files(str(tmp_path), lambda _: b"", names)
    expected = sorted(str(tmp_path / name) for name in found)
    assert side.fitting(tmp_path, pattern) == expected
    assert Files().fitting(tmp_path, pattern) == expected
    assert side.fitting(tmp_path / "r", "*.yaml") == [str(tmp_path / "r" / "b.yaml")]
