"""By which functions resources go out of sight, and what a contract for one of them brings back."""

import pytest

from analyzer.findings.model import Verdict
from analyzer.report.unlocks import FILL_IN, unlocks_text
from analyzer.workspace import Settings, Workspace

START = """#include <stdlib.h>
void keep(char *text, const char *name);
void swallow(int, void *);
void use(char *text, const char *name);
"""


def analysed(root, rules=(), **files):
    for name, text in files.items():
        (root / f"{name}.c").write_text(START + text)
    settings = Settings(root=str(root), jobs=1, guard=False, rules=tuple(map(str, rules)))
    return Workspace(settings).analyse(["."])


def counts(report):
    return {unlock.escape.what: (unlock.acquisitions, unlock.decides) for unlock in report.unlocks}


def test_a_call_of_an_unknown_function(tmp_path):
    report = analysed(
        tmp_path, a="void f(void)\n{\n\tuse(malloc(3), 0);\n}\n", b="void g(void) { use(malloc(4), 0); }\n"
    )
    (unlock,) = report.unlocks
    assert (unlock.acquisitions, unlock.decides) == (2, 2)
    escape = unlock.escape
    assert (escape.function, escape.what, escape.defined) == ("use", "use()", False)
    assert (escape.at.file, escape.at.line, escape.at.column) == ("a.c", 7, 2)
    assert escape.prototype == "void use(char *text, const char *name)"
    assert escape.takers == ("text",)


def test_what_a_helper_hands_on_is_counted_for_the_function_at_the_end(tmp_path):
    helper = "void two(char *p) { keep(p, 0); }\nvoid one(char *p) { two(p); }\n"
    report = analysed(tmp_path, helper=helper, user="void one(char *p);\nvoid f(void) { one(malloc(3)); }\n")
    assert counts(report) == {"keep()": (1, 1)}
    assert report.unlocks[0].escape.at.file == "helper.c"
    assert report.acquisitions[0].reason == "one()"


def test_members_below_a_parameter_and_globals_are_followed_to_the_end_too(tmp_path):
    text = (
        "struct in { char *p; }; struct out { struct in *in; };\n"
        "static void deep(struct out *o) { keep(o->in->p, 0); }\n"
        "void f(void) { struct in in = { malloc(3) }; struct out o = { &in }; deep(&o); }\n"
        "char *shared;\n"
        "static void anything(void) { swallow(1, 0); }\n"
        "void g(void) { shared = malloc(4); anything(); shared = 0; }\n"
    )
    assert counts(analysed(tmp_path, a=text)) == {"keep()": (1, 1), "swallow()": (1, 1)}


def test_two_ways_out_are_decided_by_neither_alone(tmp_path):
    text = "void f(int n) { char *p = malloc(3); if (n) keep(p, 0); else swallow(n, p); }\n"
    report = analysed(tmp_path, a=text, b="void g(void) { keep(malloc(4), 0); }\n")
    assert counts(report) == {"keep()": (2, 1), "swallow()": (1, 0)}
    assert [unlock.escape.function for unlock in report.unlocks] == ["keep", "swallow"]


def test_a_function_whose_body_does_not_tell_is_named_itself(tmp_path):
    text = "struct l { char *p; } *list;\nvoid add(char *p) { while (list->p) list++; list->p = p; }\n"
    text += "void f(void) { add(malloc(3)); }\n"
    (unlock,) = analysed(tmp_path, a=text).unlocks
    assert (unlock.escape.function, unlock.escape.defined, unlock.decides) == ("add", True, 1)
    assert "its body does not tell" in unlocks_text(analysed(tmp_path))


def test_ways_that_no_contract_mends(tmp_path):
    text = "void f(void (*use)(char *)) { use(malloc(3)); }\n"
    report = analysed(tmp_path, a=text)
    assert counts(report) == {"a call through a pointer": (1, 1)}
    assert report.unlocks[0].escape.function == ""
    assert unlocks_text(report) == "functions:\n  # no contract helps with a call through a pointer: 1 acquisition\n"


def test_without_a_way_out_there_is_nothing(tmp_path):
    report = analysed(tmp_path, a="void f(void) { free(malloc(3)); }\n")
    assert report.unlocks == ()
    assert unlocks_text(report) == "  # nothing goes out of sight\n"


@pytest.mark.parametrize(("effect", "verdict"), [("release", Verdict.RELEASED), ("borrow", Verdict.LEAKED)])
def test_a_filled_in_skeleton_decides_as_many_as_it_said(tmp_path, effect, verdict):
    report = analysed(tmp_path, a="void f(void) { keep(malloc(3), 0); }\nvoid g(void) { keep(malloc(4), 0); }\n")
    rules = tmp_path / "own.yaml"
    text = 'library: own\nversion: "1"\n' + unlocks_text(report)
    rules.write_text(text.replace(FILL_IN, effect))
    report = analysed(tmp_path, [rules])
    assert [one.verdict for one in report.acquisitions] == [verdict, verdict]
    assert report.unlocks == ()


def test_a_skeleton_is_refused_until_it_is_filled_in(tmp_path):
    from analyzer.errors import ContractError

    report = analysed(tmp_path, a="void f(void) { swallow(1, malloc(3)); }\n")
    assert "void swallow(int arg1, void *arg2)" in unlocks_text(report)
    (tmp_path / "own.yaml").write_text('library: own\nversion: "1"\n' + unlocks_text(report))
    with pytest.raises(ContractError, match=FILL_IN):
        analysed(tmp_path, [tmp_path / "own.yaml"])


def test_the_order_of_the_workers_changes_nothing(tmp_path):
    for name in "abcdef":
        (tmp_path / f"{name}.c").write_text(START + f"void f{name}(void) {{ keep(malloc(3), 0); }}\n")
    alone, many = (Workspace(Settings(root=str(tmp_path), jobs=jobs)).analyse(["."]) for jobs in (1, 3))
    assert alone == many
    assert alone.unlocks[0].escape.at.file == "a.c"
