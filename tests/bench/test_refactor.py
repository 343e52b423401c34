"""Rewritings give C that says the same; what came of a change is read by the written rule."""

import random
import subprocess

import pytest

CODE = """#include <stdlib.h>
#include <stdio.h>

static int twice(int n)
{
	return 2 * n;
}

struct item { int size; };

int load(struct item *it, int n)
{
	char *buf = malloc(16), *other;
	int i;
	int wide = twice(n);

	if (!buf)
		return -1;
	if (n > 3 && wide > 4) {
		n = 2;
	}
	if (n == 4) {
		buf[0] = 1;
	} else {
		buf[1] = 2;
	}
	for (i = 0; i < n; i++) {
		buf[i] = 0;
	}
	while (n > 0) {
		n--;
	}
	if (it->size > 3)
		goto out;
	other = buf;
	printf("%d %d", wide, n);
	printf("%d %d", n,
		wide);
out:
	free(buf);
	return twice(n);
}

void quiet(int *n)
{
	if (!n)
		return;
	free(n);
}
"""


@pytest.fixture
def source():
    from c_source import read_source

    return read_source("a.c", CODE)


def rewritings():
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
    from rewrites import REWRITINGS

    return REWRITINGS


@pytest.mark.parametrize("name", rewritings())
def test_each_rewriting_has_a_place_and_gives_c_that_parses(source, name, tmp_path):
    from c_source import read_source

    made = (
        files
        for function in reversed(source.functions)
        if (files := rewritings()[name](source, function, random.Random(1))) is not None
    )
    files = next(made, None)
    assert files is not None, "no place for it in the example"
    assert files != {"a.c": CODE}
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    for file in files:
        if file.endswith(".c"):
            assert errors(tmp_path / file) == []
            assert read_source(file, (tmp_path / file).read_text()).functions


def errors(path):
    from analyzer.workspace import Settings, Workspace

    return sorted(Workspace(Settings(root=str(path.parent), jobs=1, guard=False)).errors(path.name))


def one(source, name, function, seed=1):
    found = next(f for f in source.functions if f.title == function)
    return rewritings()[name](source, found, random.Random(seed))


def test_renaming_leaves_members_and_strings_alone():
    from c_source import read_source

    text = 'int f(struct s *p)\n{\n\tint size = p->size;\n\n\tputs("size");\n\treturn size;\n}\n'
    files = one(read_source("a.c", text), "a local variable renamed", "f")
    assert files["a.c"] == text.replace("int size", "int size_now").replace("return size", "return size_now")


def test_branches_change_places_with_the_opposite_condition(source):
    text = one(source, "if and else swapped", "load")["a.c"]
    assert "if (n != 4) {\n\t\tbuf[1] = 2;\n\t} else {\n\t\tbuf[0] = 1;\n\t}" in text


def test_a_moved_function_leaves_a_declaration(source):
    files = one(source, "moved to another file", "quiet")
    assert "void quiet(int *n);" in files["a.c"]
    assert "free(n);" in files["a_quiet.c"]
    assert one(source, "moved to another file", "twice") is None, "what is static stays"


def test_what_sets_a_variable_is_not_extracted(source):
    for seed in range(20):
        text = one(source, "statements extracted", "load", seed)["a.c"]
        helper = text[text.index("load_part(") : text.index("int load(")]
        assert "=" not in helper
        assert "return" not in helper


def finding(state, line=3):
    return {"state": state, "at": {"file": "a.c", "line": line}, "message": "m", "change": "c"}


@pytest.mark.parametrize(
    ("states", "expected"),
    [([], "quiet"), (["unchanged"], "quiet"), (["absent"], "lost"), (["absent", "new"], "introduced")],
)
def test_outcome(tmp_path, states, expected):
    from refactor import Tree, outcome

    tree = Tree("t", tmp_path, tmp_path, tmp_path)
    report = {"findings": [finding(state) for state in states], "notices": []}
    assert outcome("r", tree, ("a.c", "f"), report).state == expected


def test_a_change_that_parses_less_well_is_thrown_away(tmp_path):
    from refactor import Tree, outcome

    tree = Tree("t", tmp_path, tmp_path, tmp_path, worse={("a.c", "g")})
    notice = {"kind": "degraded", "file": "a.c", "function": "f"}
    assert outcome("r", tree, ("a.c", "f"), {"findings": [finding("new")], "notices": [notice]}) is None
    known = {"findings": [], "notices": [notice | {"function": "g"}]}
    assert outcome("r", tree, ("a.c", "f"), known).state == "quiet"


def test_a_change_is_undone(tmp_path, monkeypatch):
    import refactor

    (tmp_path / "a.c").write_text(CODE)
    tree = refactor.copies(tmp_path / "a.c", tmp_path / "work")
    monkeypatch.setattr(refactor, "run", lambda tree, *_: sorted(p.name for p in tree.after.iterdir()))
    assert refactor.change(tree, {"b.c": "x"}, "a.c") == ["b.c"]
    assert [p.read_text() for p in tree.after.iterdir()] == [CODE]


def test_functions_with_findings_come_first_and_trees_take_turns(tmp_path):
    from refactor import Tree, drawn

    trees = [
        Tree(
            name, tmp_path, tmp_path, tmp_path, [(name, f"f{n}") for n in range(4)], [(name, f"g{n}") for n in range(2)]
        )
        for name in "ab"
    ]
    order = [(tree.name, place[1][0]) for tree, place in drawn(trees, random.Random(1))]
    assert len(order) == 12
    assert {name for name, _ in order[:2]} == {"a", "b"}
    assert [sort for name, sort in order if name == "a"] == list("ffgffg")


def test_the_program_runs(tmp_path):
    import sys
    from pathlib import Path

    script = Path(__file__).resolve().parents[2] / "bench" / "refactor.py"
    (tmp_path / "a.c").write_text(CODE.replace("\tfree(buf);\n\treturn", "\treturn"))
    done = subprocess.run(
        [
            sys.executable,
            str(script),
            "--count",
            "2",
            "--rewriting",
            "empty",
            "--rewriting",
            "log",
            str(tmp_path / "a.c"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "| together | 2 | 0 | 0 | 2 |" in done.stdout
