"""Runs with a cache say, byte for byte, what runs without one say; and do less."""

import random
import re
import shutil
import sqlite3
from pathlib import Path
from zlib import crc32

import pytest

from analyzer.cache import Contents
from analyzer.cache.store import FILE
from analyzer.contracts import packs
from analyzer.program import unit

ROOT = Path(__file__).parents[2]
FILES = {
    "make.h": """#ifndef MAKE_H
#define MAKE_H
#include <stdlib.h>
char *make(int n);
void drop(char *p);
static inline char *twice(int n)
{
	return make(2 * n);
}
#endif
""",
    "make.c": """#include "make.h"

char *make(int n)
{
	return malloc(n);
}

void drop(char *p)
{
	free(p);
}
""",
    "use.c": """#include "make.h"
#include "gone.h"

int use(int n)
{
	char *p = twice(n);

	if (n > 3)
		return 1;
	drop(p);
	return 0;
}

int other(int n)
{
	return n + 1;
}
""",
    "main.c": """#include "make.h"

int use(int n);

int main(int argc, char **argv)
{
	char *q = make(argc);

	if (use(argc))
		return 1;
	drop(q);
	return 0;
}
""",
    "alone.c": """int alone(int n)
{
	return n;
}
""",
}
EDITS = [
    ("make.c", "return malloc(n);", "return n > 9 ? NULL : malloc(n);"),
    ("make.c", "\tfree(p);", "\t(void)p;"),
    ("make.h", "make(2 * n)", "make(3 * n)"),
    ("use.c", "\tif (n > 3)", "\n\tif (n > 4)"),
    ("main.c", "\tdrop(q);", "\tdrop(q); drop(q);"),
    ("alone.c", "return n;", "return n + alone(n - 1);"),
    ("make.c", "\t(void)p;", "\tfree(p);"),
    ("use.c", '#include "gone.h"\n', ""),
    ("make.c", "#include", "/* moved */\n#include"),
]


@pytest.fixture
def program(project):
    for name in ("leak.c", "clean.c"):
        (project / name).unlink()
    for name, text in FILES.items():
        (project / name).write_text(text)
    return project


@pytest.fixture
def checked(mustfree, tmp_path_factory):
    """Everything that one run says: status, text, JSON, SARIF."""
    folder = tmp_path_factory.mktemp("reports")

    def call(*options, command="check", paths=(".",)):
        out = [folder / "out.json", folder / "out.sarif"]
        done = mustfree(command, *paths, "-v", "--json", out[0], "--sarif", out[1], *options)
        timeless = re.sub(r"[\d.]+ s\b", "", done.out)
        return (done.status, timeless, done.err, *(file.read_text() for file in out))

    return call


@pytest.fixture
def work(monkeypatch):
    """What was parsed and analysed, in a run without workers."""
    done: list[str] = []
    lower, analyse = unit.lower_file, unit.analyse

    def lowered(path, options):
        done.append(Path(path).name)
        return lower(path, options)

    def analysed(function, *rest, **options):
        done.append(function.name)
        return analyse(function, *rest, **options)

    monkeypatch.setattr(unit, "lower_file", lowered)
    monkeypatch.setattr(unit, "analyse", analysed)

    def take():
        found = sorted(done)
        done.clear()
        return found

    return take


def cached(folder):
    return ("--cache-dir", folder / "c a c h e")


@pytest.mark.parametrize("jobs", [1, 2])
def test_after_each_edit_the_same_is_said(program, checked, tmp_path_factory, jobs):
    cache = cached(tmp_path_factory.mktemp("cache"))
    said = set()
    for name, old, new in [("make.c", "", ""), *EDITS]:
        text = (program / name).read_text()
        assert old in text
        (program / name).write_text(text.replace(old, new, 1))
        expected = checked("--no-cache", "-j", "1")
        assert checked(*cache, "-j", jobs) == expected
        assert checked(*cache, "-j", jobs) == expected
        said.add(expected)
    assert len(said) >= len(EDITS) - 2, "the edits change nothing that is said"


@pytest.mark.parametrize("seed", range(2))
def test_after_random_edits_the_same_is_said(program, checked, tmp_path_factory, seed):
    choose = random.Random(seed)
    cache = cached(tmp_path_factory.mktemp("cache"))
    changes = [(name, old, new) for name, old, new in EDITS] + [(name, new, old) for name, old, new in EDITS]
    for _ in range(10):
        name, old, new = choose.choice(changes)
        text = (program / name).read_text()
        (program / name).write_text(text.replace(old, new, 1))
        jobs = choose.choice((1, 2))
        assert checked(*cache, "-j", jobs) == checked("--no-cache", "-j", "1")


@pytest.mark.parametrize("part", ["units", "leak", "summaries", "use_after_release"])
def test_the_fixtures_say_the_same_cold_and_warm(mustfree, checked, project, tmp_path_factory, part):
    shutil.copytree(ROOT / "fixtures" / part, project / "fixtures")
    cache = cached(tmp_path_factory.mktemp("cache"))
    expected = checked("--no-cache", "--verdicts", "--exit-leaks")
    assert checked(*cache, "--verdicts", "--exit-leaks") == expected
    assert checked(*cache, "--verdicts", "--exit-leaks") == expected
    contracts = mustfree("contracts", ".", "--no-cache")
    assert contracts.out
    assert mustfree("contracts", ".", *cache) == contracts
    assert mustfree("contracts", ".", *cache) == contracts


def test_an_unchanged_program_is_neither_parsed_nor_are_rules_read(program, checked, work, monkeypatch):
    checked("-j1")
    assert "make.c" in work()
    monkeypatch.setattr(packs, "load_pack", None)
    checked("-j1")
    assert work() == []


def test_a_function_whose_contract_stays_leaves_its_callers_alone(program, checked, work):
    checked("-j1")
    work()
    text = (program / "make.c").read_text()
    (program / "make.c").write_text(text.replace("return malloc(n);", "/* why */ return malloc(n);"))
    checked("-j1")
    assert work() == ["drop", "make", "make.c"]


def test_a_changed_contract_reaches_its_callers_and_no_one_else(program, checked, work):
    checked("-j1")
    work()
    text = (program / "make.c").read_text()
    (program / "make.c").write_text(text.replace("\tfree(p);", "\t(void)p;"))
    checked("-j1")
    done = work()
    assert {"use", "main", "drop", "use.c", "main.c", "make.c"} <= set(done)
    assert not {"other", "twice", "alone", "alone.c"} & set(done)


@pytest.mark.parametrize("folder", ["", "include"], ids=["beside", "near"])
def test_a_header_that_appears_counts(program, checked, work, folder):
    first = checked("-j1")
    assert "gone.h" in first[2]
    work()
    (program / folder).mkdir(exist_ok=True)
    (program / folder / "gone.h").write_text("#define n 2\n")
    second = checked("-j1")
    assert "use.c" in work()
    assert "gone.h" not in second[2]
    assert second == checked("--no-cache")


def test_a_header_that_appears_in_a_folder_searched_earlier_counts(program, checked, work):
    for name in ("one", "two"):
        (program / name).mkdir()
    (program / "two" / "gone.h").write_text("\n")
    flags = ("--", "-Ione", "-Itwo")
    checked("-j1", *flags)
    work()
    (program / "one" / "gone.h").write_text("#define drop(p) ((void)(p))\n")
    second = checked("-j1", *flags)
    assert "use.c" in work()
    assert second == checked("--no-cache", *flags)
    (program / "one" / "gone.h").unlink()
    checked("-j1", *flags)
    assert work() == [], "what was known before is known again"


def test_flags_rules_limits_and_options_count(program, checked, work, tmp_path):
    rules = tmp_path.parent / "rules.yaml"
    rules.write_text("library: own\nversion: '1'\nfunctions:\n  - {c: void drop(char *p), then: [release p]}\n")
    checked("-j1")
    for options in (("--max-steps", "50"), ("--exit-leaks",), ("--rules", rules), ("--", "-DX=1")):
        work()
        found = checked("-j1", *options)
        assert work(), options
        assert found == checked("-j1", "--no-cache", *options)
    work()
    checked("-j1")
    assert work() == []


SETTINGS = [
    'checks = ["double-release"]',
    'levels = {leak = "error"}',
    'generated = ["use.c"]',
    'ignore-allocators = ["twice"]',
    'exclude = ["make.c"]',
    'rules = ["own.yaml"]',
    "max-steps = 1",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_of_the_project_counts(program, checked, setting):
    (program / "own.yaml").write_text(
        "library: own\nversion: '1'\nfunctions:\n  - {c: void drop(char *p), then: [escape p]}\n"
    )
    first = checked("--unlock", "--verdicts")
    (program / "mustfree.toml").write_text(f"{setting}\n")
    then = checked("--unlock", "--verdicts")
    assert then == checked("--unlock", "--verdicts", "--no-cache")
    assert then != first
    (program / "mustfree.toml").unlink()
    assert checked("--unlock", "--verdicts") == first


def test_why_says_the_same_beside_a_full_cache(program, mustfree):
    first = mustfree("why", "use.c:6", ".")
    mustfree("check", ".")
    assert mustfree("why", "use.c:6", ".") == first
    assert "make.c:" in first.out, "the contract's place, which the cache does not hold"


def test_a_cache_is_valid_in_another_folder(program, checked, work, tmp_path_factory, monkeypatch):
    flags = ("--", f"-I{program}")
    first = checked("-j1", *flags)
    other = tmp_path_factory.mktemp("other") / "place"
    shutil.copytree(program, other)
    monkeypatch.chdir(other)
    work()
    said = checked("-j1", "--", f"-I{other}")
    assert said == tuple(part.replace(str(program), str(other)) if isinstance(part, str) else part for part in first)
    assert work() == []


def test_a_read_only_cache_is_used_and_not_written(program, checked, work, tmp_path_factory):
    cache = cached(tmp_path_factory.mktemp("cache"))
    checked(*cache, "-j1")
    before = (cache[1] / FILE).read_bytes()
    work()
    text = (program / "alone.c").read_text()
    (program / "alone.c").write_text(text + "\n\n")
    checked(*cache, "-j1", "--cache-read-only")
    assert work() == ["alone", "alone.c"]
    assert (cache[1] / FILE).read_bytes() == before


def test_a_damaged_cache_is_made_anew_and_told(program, checked, tmp_path_factory):
    cache = cached(tmp_path_factory.mktemp("cache"))
    expected = checked(*cache)
    (cache[1] / FILE).write_bytes(b"nonsense" * 1000)
    found = checked(*cache)
    assert "was damaged and is made anew" in found[2]
    assert found[3:] == expected[3:]
    assert checked(*cache) == expected


def test_rows_that_are_json_but_not_ours_are_not_used(program, checked, tmp_path_factory):
    cache = cached(tmp_path_factory.mktemp("cache"))
    expected = checked(*cache)
    base = sqlite3.connect(cache[1] / FILE)
    for (key,) in base.execute("SELECT key FROM rows").fetchall():
        text = '[["x"], {}]'
        total = crc32(text.encode(), crc32(key.encode()))
        base.execute("UPDATE rows SET value = ?, sum = ? WHERE key = ?", (text, total, key))
    base.commit()
    base.close()
    assert checked(*cache) == expected


def test_without_a_cache_nothing_is_written(program, checked, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    checked("--no-cache")
    assert list(home.iterdir()) == []
    checked()
    assert [file.name for file in home.rglob("*.*")] == [FILE]
    assert not any(file.suffix == ".sqlite" for file in program.rglob("*"))


@pytest.mark.parametrize("options", [(), ("--cache-read-only",)])
def test_a_folder_that_cannot_be_used_is_an_error(program, mustfree, options):
    done = mustfree("check", ".", "--cache-dir", "make.c/below", *options)
    assert done.status == 2
    assert "--cache-dir make.c/below" in done.err
    assert "folder" in done.err


def test_a_mistake_of_ours_is_not_kept(program, checked, work, monkeypatch):
    good = unit.analyse

    def bad(function, *rest, **options):
        if function.name == "use":
            raise ValueError("a mistake")
        return good(function, *rest, **options)

    monkeypatch.setattr(unit, "analyse", bad)
    assert "a mistake" in checked("-j1")[2]
    monkeypatch.setattr(unit, "analyse", good)
    work()
    found = checked("-j1")
    assert "use" in work()
    assert found == checked("--no-cache")


def test_a_file_that_changes_during_the_run_is_not_kept_but_its_contract_counts(program, checked, work, monkeypatch):
    settled = Contents.is_settled
    monkeypatch.setattr(Contents, "is_settled", lambda self, path: not path.endswith("make.c") and settled(self, path))
    for text in ("\tfree(p);", "\t(void)p;", "\tfree(p);"):
        (program / "make.c").write_text(FILES["make.c"].replace("\tfree(p);", text))
        expected = checked("-j1", "--no-cache")
        assert checked("-j1") == expected
        work()
        assert checked("-j1") == expected
        assert work() == ["drop", "make", "make.c"]


def test_diff_uses_it_and_says_the_same(program, checked, work, tmp_path_factory):
    after = tmp_path_factory.mktemp("after") / "tree"
    shutil.copytree(program, after)
    text = (after / "make.c").read_text()
    (after / "make.c").write_text(text.replace("\tfree(p);", "\t(void)p;"))
    sides = (program, after)
    expected = checked("-j1", "--no-cache", command="diff", paths=sides)
    work()
    assert checked("-j1", command="diff", paths=sides) == expected
    assert work()
    assert checked("-j1", command="diff", paths=sides) == expected
    assert work() == []


def test_without_the_prepass_the_findings_are_the_same(project, checked, work):
    for number in range(9):
        (project / f"plain{number}.c").write_text(f"int plain{number}(int n)\n{{\n\treturn n;\n}}\n")
    plain = [f"plain{number}.c" for number in range(9)]
    first = checked("--no-cache", "-j1", paths=plain)
    assert work() == []
    second = checked("--no-cache", "--no-prepass", "-j1", paths=plain)
    assert len(work()) == 18
    assert (first[0], second[0]) == (0, 0)


@pytest.mark.parametrize("part", ["units", "leak", "double_release", "wrong_release", "uninitialized_release"])
def test_without_the_prepass_fixtures_have_the_same_findings(checked, project, part):
    shutil.copytree(ROOT / "fixtures" / part, project / "fixtures")
    assert checked("--no-cache", "--no-prepass", "--verdicts") == checked("--no-cache", "--verdicts")
