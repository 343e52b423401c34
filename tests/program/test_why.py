"""Explanations: of an acquisition, of a line where something is lost, and of a line without either."""

import json
from pathlib import Path

import jsonschema
import pytest

from analyzer.errors import MustfreeError
from analyzer.findings.model import Verdict
from analyzer.report.why import why_json, why_text
from analyzer.workspace import Settings, Workspace

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "why.schema.json").read_text())
HELPER = """#include <stdlib.h>
void keep(char *);
char *make(int n) { return malloc(n); }
void give(char *p) { keep(p); }
void done(char *p) { free(p); }
"""
MAIN = """#include <stdlib.h>
char *make(int n);
void give(char *p);
void done(char *p);
void log_it(const char *text);
int one(int n)
{
	char *p = make(n);
	char *q;

	if (!p)
		return -1;
	log_it(p);
	q = p;
	if (n > 3)
		return -2;
	done(q);
	return 0;
}
void two(void)
{
	give(make(3));
}
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "main.c").write_text(MAIN)
    (tmp_path / "helper.c").write_text(HELPER)
    return tmp_path


def explained(root, place, *paths, **settings):
    file, _, line = place.partition(":")
    workspace = Workspace(Settings(root=str(root), jobs=1, guard=False, **settings))
    explanation = workspace.why(file, int(line), paths)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(why_json(explanation)))
    return explanation


def only(explanation):
    (one,) = explanation.acquisitions
    return one


def test_the_way_that_decides_comes_first_with_its_states(root):
    one = only(explained(root, "main.c:8", "."))
    assert one.acquisition.verdict is Verdict.LEAKED
    assert [path.verdict for path in one.paths] == [Verdict.LEAKED, Verdict.RELEASED]
    steps = one.paths[0].steps
    assert [step.state for step in steps if step.state] == ["owned, held by `p`", "owned, held by `p`, `q`"]
    assert steps[0].at.line == 8
    assert any(step.message == "`n > 3` is true" for step in steps)
    assert one.paths[0].ending == "lost: its last holder goes, in 16:3"
    assert one.paths[1].ending == "it is released by done(), in 17:2"
    assert one.complete


def test_every_contract_has_its_source(root):
    (root / "own.yaml").write_text('library: own\nversion: "1"\nborrows:\n  - void log_it(const char *text)\n')
    one = only(explained(root, "main.c:8", ".", rules=(str(root / "own.yaml"),)))
    known = {used.function: used for used in one.contracts}
    assert [(used.origin, used.source) for used in (known["make()"], known["done()"])] == [
        ("inferred", "helper.c:3"),
        ("inferred", "helper.c:5"),
    ]
    assert (known["log_it()"].origin, known["log_it()"].source) == ("project", f"{root}/own.yaml:4")
    assert known["done()"].says == ("always: p is released",)
    alone = only(explained(root, "helper.c:3"))
    (used,) = alone.contracts
    assert (used.origin, used.function) == ("pack", "malloc()")
    assert used.source.startswith("rules/libc.yaml:")


def test_what_an_unknown_function_is_taken_to_do(root):
    known = {used.function: used for used in only(explained(root, "main.c:8", ".")).contracts}
    assert known["log_it()"].origin == "unknown"
    assert known["log_it()"].says == ("taken to borrow, because its name speaks of looking only",)
    (root / "a.c").write_text("#include <stdlib.h>\nvoid eat(char *);\nvoid f(void)\n{\n\teat(malloc(3));\n}\n")
    one = only(explained(root, "a.c:5"))
    assert one.contracts[1].says == ("escapes, because `eat` has no contract and no definition in these files",)
    assert one.paths[0].ending == "it goes out of sight (eat()), in 5:2"
    assert "a contract for eat() in a rule file (--rules): void eat(char *arg1)" in one.changes


def test_behind_a_function_of_the_program(root):
    one = only(explained(root, "main.c:22", "."))
    give = next(used for used in one.contracts if used.function == "give()")
    assert give.says == ("always: p goes out of sight", "p goes on to keep()")
    assert any(change.startswith("a contract for keep()") for change in one.changes)


def test_without_the_program_its_functions_are_unknown(root):
    told = explained(root, "main.c:8")
    assert told.acquisitions == ()
    assert told.notes == ("make() has no contract and no known definition: what it hands out is not known",)
    assert (
        "only this file was looked at; functions of other files are unknown"
        in only(explained(root, "helper.c:3")).assumptions
    )


def test_bodies_that_are_followed_are_said(root):
    text = "#include <stdlib.h>\nstatic char *held;\nstatic void set(char *p) { held = p; }\n"
    text += "static char *take(void) { char *p = held; held = NULL; return p; }\n"
    text += "void f(void) { char *p = malloc(3), *q; if (!p) return; set(p); q = take(); *q = 1; }\n"
    text += "void g(void) { free(malloc(3)); }\n"
    (root / "set.c").write_text(text)
    says = "no contract says as much as the bodies do, so these are followed step by step: set(), take()"
    assert says in only(explained(root, "set.c:5")).assumptions
    assert not any("bodies" in line for line in only(explained(root, "set.c:6")).assumptions)


def test_a_line_where_it_is_lost(root):
    told = explained(root, "main.c:16", ".")
    assert told.notes[0].startswith("line 16 is where it goes wrong: `p` from make() is not freed")
    assert only(told).acquisition.at.line == 8


def test_another_line_of_the_function_leads_to_the_nearest(root):
    told = explained(root, "main.c:13", ".")
    assert told.notes[0] == "nothing is acquired in line 13; the nearest in one() is in line 8"
    assert told.notes[1] == "log_it() has no contract and no known definition: what it hands out is not known"
    assert only(told).acquisition.at.line == 8


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("int f(int n)\n{\n\treturn n;\n}\n", 3, "line 3 of f() calls no function"),
        ("int x;\n", 1, "line 1 lies in no function that was read"),
        ("int x;\n", 9, "the file has 2 lines"),
        ("#include <stdlib.h>\nvoid f(void *p)\n{\n\tfree(p);\n}\n", 4, "free() hands nothing out, by its contract in"),
        ("void f(void (*p)(void))\n{\n\tp();\n}\n", 3, "a call through a pointer: which function it leads to"),
        (
            "#include <stdlib.h>\nvoid f(void)\n{\n#ifdef OTHER\n\tfree(malloc(3));\n#endif\n}\n",
            5,
            "not compiled under these flags: `#ifdef OTHER` in line 4",
        ),
        (
            "#include <stdlib.h>\n#if 1\nint x;\n#else\nvoid f(void) { free(malloc(3)); }\n#endif\n",
            5,
            "not compiled under these flags: `#else of #if 1` in line 4",
        ),
    ],
)
def test_why_nothing_is_acquired(root, text, line, reason):
    (root / "n.c").write_text(text)
    told = explained(root, f"n.c:{line}")
    assert told.acquisitions == ()
    assert told.notes[-1].startswith(reason)


def test_compiled_code_below_a_condition_is_not_called_dropped(root):
    (root / "n.c").write_text("#if 1\nint f(int n)\n{\n\treturn n;\n}\n#endif\n")
    assert explained(root, "n.c:4").notes == ("line 4 of f() calls no function",)


def test_files_that_check_does_not_parse(root):
    for number in range(9):
        (root / f"plain{number}.c").write_text("int x;\n")
    (root / "main.c").unlink()
    (root / "helper.c").unlink()
    told = explained(root, "plain0.c:1", *(f"plain{number}.c" for number in range(9)))
    assert "`check` does not parse these files" in told.notes[0]


def test_a_function_of_a_header(root):
    (root / "own.h").write_text("#include <stdlib.h>\nstatic inline void h(void)\n{\n\tfree(malloc(3));\n}\n")
    (root / "user.c").write_text('#include "own.h"\nvoid u(void) { h(); }\n')
    assert only(explained(root, "own.h:4", ".")).acquisition.verdict is Verdict.RELEASED


def test_what_is_taken_for_granted(root):
    (root / "d.c").write_text(
        "#include <stdlib.h>\n#include <nowhere.h>\n"
        "void f(void)\n{\n\tchar *p = malloc(3);\n\tp = = 0;\n\tfree(p);\n}\n"
    )
    one = only(explained(root, "d.c:5", flags=("-Dx",)))
    assert "header not found, its names are replaced by stand-ins: nowhere.h" in one.assumptions
    assert any("parsed with errors" in said for said in one.assumptions)
    assert not any("no build flags" in said for said in one.assumptions)
    assert "no build flags: macros and include folders are guessed" in only(explained(root, "d.c:5")).assumptions


def test_a_loop_without_end_ends_the_search(root):
    (root / "l.c").write_text(
        "#include <stdlib.h>\nvoid use(const char *);\nint more(int);\nvoid f(int n)\n{\n"
        "\tchar *p = malloc(3);\n\twhile (more(n)) {\n\t\tn = more(n + 1);\n\t\tuse(p);\n\t}\n\tfree(p);\n}\n"
    )
    one = only(explained(root, "l.c:6"))
    assert one.paths[0].verdict is one.acquisition.verdict
    assert one.complete == ("not every way" not in why_text(explained(root, "l.c:6")))


def test_a_file_that_is_not_there(root):
    with pytest.raises(MustfreeError):
        explained(root, "nowhere.c:1")


def test_states_of_a_program_follow_its_own_functions(root):
    workspace = Workspace(Settings(root=str(root), jobs=1, guard=False))
    unit = workspace.lower("main.c")
    (one,) = (function for function in unit.functions if function.name == "one")
    alone = workspace.states(one, unit, workspace.link(["main.c"]))
    whole = workspace.states(one, unit, workspace.link(["."]))
    assert alone.acquisitions == ()
    assert [found.verdict for found in whole.acquisitions] == [Verdict.LEAKED]
    assert any("OWNED" in line for _, lines in whole.states for line in lines)


def test_a_choice_between_the_targets_of_a_pointer_is_no_step(root):
    text = """#include <stdlib.h>
static void look(char *p) { p[0] = 1; }
static void drop(char *p) { free(p); }
void f(int quick)
{
	void (*done)(char *) = quick ? look : drop;
	char *p = malloc(3);

	if (p)
		done(p);
}
"""
    (root / "choice.c").write_text(text)
    told = only(explained(root, "choice.c:7", "choice.c"))
    assert told.acquisition.verdict is Verdict.LEAKED
    lines = {step.at.line for path in told.paths for step in path.steps}
    assert lines and min(lines) >= 7
