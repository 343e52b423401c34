"""What a project says of functions in a word: those that never return, and what unknown ones do."""

import os

import pytest

from analyzer.contracts.beliefs import Beliefs, pattern_mistake
from analyzer.findings.model import Confidence, NoticeKind, Verdict
from analyzer.workspace import Settings, Workspace

HEAD = """#include <stdlib.h>
struct box { char *text; };
void stop_now(int code);
void use(char *p);
void put_away(char *p);
void change(char **p);
void whole(struct box *b);
void look(const char *p);
extern struct box *shared;
"""
STOPS = (
    "int f(int n)\n{\n\tchar *p = malloc(n);\n\tif (n > 3)\n\t\tstop_now(1);\n\telse\n\t\tfree(p);\n\treturn 0;\n}\n"
)
BOX_RULES = """library: own
version: "1"
functions:
  - c: void stop_now(int code)
    then: []
"""


def analysed(root, text="", **settings):
    if text:
        (root / "a.c").write_text(HEAD + text)
    settings = {"jobs": 1, "guard": False, **settings}
    return Workspace(Settings(root=str(root), **settings)).analyse(["."])


def verdicts(report):
    return [one.verdict for one in report.acquisitions]


def unmet(report):
    return [f"{n.file}: {n.message}" for n in report.notices if n.kind is NoticeKind.SETTINGS]


@pytest.mark.parametrize("name", ["stop_now", "stop_*", "*_now", "stop_no?"])
def test_an_unknown_function_that_never_returns(tmp_path, name):
    assert verdicts(analysed(tmp_path, STOPS)) == [Verdict.LEAKED]
    report = analysed(tmp_path, noreturn=(name,))
    assert (verdicts(report), unmet(report)) == ([Verdict.HELD], [])


def test_a_name_that_fits_nothing_is_told(tmp_path):
    report = analysed(tmp_path, STOPS, noreturn=("stop", "stop_*"))
    assert unmet(report) == ["noreturn: `stop` fits no function that is called in what was read"]
    assert verdicts(analysed(tmp_path, noreturn=("stop",))) == [Verdict.LEAKED]


def test_a_function_of_the_program_that_never_returns(tmp_path):
    body = "extern int stopped;\nvoid stop_now(int code) { stopped = code; }\n"
    assert verdicts(analysed(tmp_path, body + STOPS)) == [Verdict.LEAKED]
    assert verdicts(analysed(tmp_path, noreturn=("stop_now",))) == [Verdict.HELD]


def test_a_wrapper_of_one_never_returns_either(tmp_path):
    wrapped = "static void quit(void) { stop_now(2); }\n" + STOPS.replace("stop_now(1)", "quit()")
    assert verdicts(analysed(tmp_path, wrapped)) == [Verdict.LEAKED]
    assert verdicts(analysed(tmp_path, noreturn=("stop_now",))) == [Verdict.HELD]


def test_a_rule_file_of_the_project_wins(tmp_path):
    (tmp_path / "own.yaml").write_text(BOX_RULES)
    report = analysed(tmp_path, STOPS, noreturn=("stop_now",), rules=(str(tmp_path / "own.yaml"),))
    assert verdicts(report) == [Verdict.LEAKED]


CALL = """int f(int n)
{
	char *p = malloc(n);
	if (!p)
		return 1;
	%s;
	if (n > 3)
		return 2;
	free(p);
	return 0;
}
"""


@pytest.mark.parametrize(
    ("call", "escape", "borrow"),
    [
        ("use(p)", Verdict.ESCAPED, Verdict.LEAKED),
        ("use(p + 1)", Verdict.ESCAPED, Verdict.LEAKED),
        ("never_declared(p, n)", Verdict.ESCAPED, Verdict.LEAKED),
        ("put_away(p)", Verdict.ESCAPED, Verdict.ESCAPED),
        ("change(&p)", Verdict.ESCAPED, Verdict.ESCAPED),
        ("((void (*)(char *))(long)n)(p)", Verdict.ESCAPED, Verdict.ESCAPED),
        ("look(p)", Verdict.LEAKED, Verdict.LEAKED),
    ],
)
def test_what_an_unknown_function_does(tmp_path, call, escape, borrow):
    assert verdicts(analysed(tmp_path, CALL % call)) == [escape]
    assert verdicts(analysed(tmp_path, unknown_calls="borrow")) == [borrow]


def test_findings_that_rely_on_it_say_so(tmp_path):
    (finding,) = analysed(tmp_path, CALL % "use(p)", unknown_calls="borrow").findings
    assert finding.confidence is Confidence.MEDIUM
    said = "nothing is known about use(), called on this path; unknown-calls = borrow takes use() to borrow"
    assert finding.confidence_reason == said
    (finding,) = analysed(tmp_path, CALL % "look(p)", unknown_calls="borrow").findings
    assert finding.confidence_reason == "nothing is known about look(), called on this path"
    (finding,) = analysed(tmp_path, CALL % "(void)p", unknown_calls="borrow").findings
    assert (finding.confidence, finding.confidence_reason) == (Confidence.HIGH, "")


@pytest.mark.parametrize("call", ["whole(&b)", "whole(b)"])
def test_what_hangs_below_an_argument_is_borrowed_too(tmp_path, call):
    text = "int f(void)\n{\n\tstruct box a, *b = &a;\n\ta.text = malloc(3);\n\t%s;\n\treturn 0;\n}\n"
    text = text % call.replace("&b", "&a")
    assert verdicts(analysed(tmp_path, text)) == [Verdict.ESCAPED]
    (finding,) = analysed(tmp_path, unknown_calls="borrow").findings
    assert "takes whole() to borrow" in finding.confidence_reason


def test_wrappers_of_unknown_functions_borrow_as_they_do(tmp_path):
    text = "static void wrap(char *p) { use(p); }\n" + CALL % "wrap(p)"
    assert verdicts(analysed(tmp_path, text)) == [Verdict.MAYBE_RELEASED]
    assert verdicts(analysed(tmp_path, unknown_calls="borrow")) == [Verdict.LEAKED]


def test_the_cache_knows_the_answers_apart(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text(HEAD + STOPS + (CALL % "use(p)").replace("f(", "g("))
    os.utime(tree / "a.c", (1, 1))
    every = [{}, {"unknown_calls": "borrow"}, {"noreturn": ("stop_now",)}, {"noreturn": ("stop",)}, {}]
    for settings in every:
        plain = analysed(tree, **settings)
        for _ in range(2):
            assert analysed(tree, cache=str(tmp_path / "c"), **settings) == plain
    assert analysed(tree, unknown_calls="borrow", jobs=2) == analysed(tree, unknown_calls="borrow")


def test_why_says_on_what_it_relies(tmp_path):
    (tmp_path / "a.c").write_text(HEAD + CALL % "use(p)")
    space = Workspace(Settings(root=str(tmp_path), jobs=1, unknown_calls="borrow"))
    (one,) = space.why("a.c", 12, ["."]).acquisitions
    says = {used.function: used.says for used in one.contracts}
    assert says["use()"] == (
        "taken to borrow, because unknown-calls says so of functions about which nothing is known",
    )


@pytest.mark.parametrize("text", ["fatal", "fatal_*", "*die", "x[ab]", "x[!a-c]?"])
def test_names_of_functions(text):
    assert pattern_mistake(text) == ""


@pytest.mark.parametrize("text", ["", "fatal()", "a b", "a,b", "./x"])
def test_what_is_no_name_of_a_function(text):
    assert "is no name of a function; write fatal, or a pattern such as fatal_*" in pattern_mistake(text)


def test_patterns_that_fit_nothing():
    assert Beliefs(("a*", "b")).unmet(["ab", "c"]) == ("b",)
