"""Loss points: their fingerprints, and findings put together and taken apart."""

from dataclasses import replace

import pytest

from analyzer.checks.fingerprint import decision, shape
from analyzer.findings.model import Confidence, Level, StepKind
from analyzer.findings.points import loss_points, merge, split
from analyzer.workspace import Settings, Workspace
from tests.report.samples import LEAK

CODE = """#include <stdlib.h>
struct s { int kind; }; int odd(int);
int f(struct s *s, int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
	if (s->kind == 3)
		return -2;
	if (n > 3)
		return -2;
	if (n > 2)
		return n - 2;
	if (odd(n))
		return -2;
	if (odd(n))
		return -2;
	free(p);
	return 0;
}
"""


@pytest.fixture
def points(tmp_path):
    """Line -> fingerprint of the loss points in a text."""

    def found(code, file="a.c"):
        (tmp_path / file).write_text(code)
        report = Workspace(Settings(root=str(tmp_path), jobs=1, guard=False)).analyse([file])
        return {point.at.line: point.point for finding in report.findings for point in loss_points(finding)}

    return found


def test_each_loss_point_has_its_own(points):
    found = points(CODE)
    assert sorted(found) == [10, 12, 14, 16, 18]
    assert len(set(found.values())) == 5
    assert all(len(print_) == 64 for print_ in found.values())


@pytest.mark.parametrize(
    ("change", "shift"),
    [
        (lambda code: "\n\nstatic int other;\n" + code, 3),
        (lambda code: code.replace("\t", "        ").replace(" > ", ">"), 0),
        (lambda code: code.replace("kind", "type").replace("*s,", "*what,").replace("s->", "what->"), 0),
        (lambda code: code.replace("\tif (!p)", "\tfree(malloc(3));\n\tif (!p)"), 1),
        (lambda code: code.replace("\treturn 0;", "\tn = 5;\n\treturn 0;"), 0),
        (lambda code: code.replace("if (odd(n))", "if (odd(n + 1) > 0)"), 0),
    ],
    ids=["elsewhere", "format", "renamed", "another call before it", "after it", "what a called function is given"],
)
def test_it_survives(points, change, shift):
    before, after = points(CODE), points(change(CODE))
    assert sorted(after.values()) == sorted(before.values())
    assert after == {line + shift: name for line, name in before.items()}


MACRO = """#include <stdlib.h>
extern int verbose; int puts(const char *);
#define SAY(text) do { if (verbose) puts(text); } while (0)
int f(int n)
{
	char *p = malloc(n);

	if (n > 3)
		SAY("large");
	return 0;
}
"""


def test_it_survives_an_edit_of_a_macro(points):
    other = MACRO.replace("if (verbose)", "if (verbose > 3) puts(text); else if (verbose)")
    assert points(other) == points(MACRO)
    assert points(MACRO.replace("n > 3", "n > 4")) != points(MACRO)


@pytest.mark.parametrize(
    ("condition", "asks"),
    [
        ("connect(fd, &addr, sizeof(addr)) < 0", "connect"),
        ("(ok(a, odd(b)) && !(bad(c)))", "ok bad"),
        ("sizeof(x) > 3", shape("sizeof(x) > 3")),
        ("n > 3", "v>3"),
        ("strncmp(token, name, strlen(na...", "strncmp"),
        ("broken )", shape("broken )")),
    ],
)
def test_a_condition_is_known_by_the_functions_that_it_asks(condition, asks):
    assert decision(condition) == asks


def test_it_survives_a_move_to_another_file(points):
    code = CODE.replace("int f", "static int f") + "int h(struct s *s) { return f(s, 3); }\n"
    assert points(code) == points(code, "b.c")


@pytest.mark.parametrize(
    ("old", "new"),
    [("int f(", "int g("), ("*p", "*q"), ("malloc(n)", "calloc(n, 1)")],
)
def test_another_function_holder_or_call_is_another(points, old, new):
    after = points(
        CODE.replace(old, new)
        .replace("!p", "!q" if "q" in new else "!p")
        .replace("(p)", f"({new[-1]})" if "q" in new else "(p)")
    )
    assert set(after.values()).isdisjoint(points(CODE).values())


def test_a_mended_loss_leaves_the_others_theirs(points):
    before = points(CODE)
    after = points(
        CODE.replace("\tif (s->kind == 3)\n\t\treturn -2;", "\tif (s->kind == 3) {\n\t\tfree(p);\n\t\treturn -2; }")
    )
    assert sorted(after.values()) == sorted(name for line, name in before.items() if line != 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [("n > 3", "count>3"), ("!ok(a, b)", "! ok (x, y)"), ("p == NULL", "q==NULL"), ("a->b.c", "d->e.f")],
)
def test_equal_shapes(one, other):
    assert shape(one) == shape(other)


@pytest.mark.parametrize(
    ("one", "other"), [("n > 3", "n > 4"), ("ok(a)", "bad(a)"), ("p == NULL", "p == q"), ("0x1f", "0xv")]
)
def test_different_shapes(one, other):
    assert shape(one) != shape(other)


def sample(line, **changes):
    return replace(LEAK, at=replace(LEAK.at, line=line), **changes)


def test_merging_takes_the_surest_and_the_worst():
    unsure = sample(1, confidence=Confidence.MEDIUM, level=Level.ERROR)
    merged = merge([unsure, sample(4), sample(3)])
    assert merged.at.line == 3
    assert merged.level is Level.ERROR
    assert merged.message.endswith("(and in 2 more places)")
    assert [point.at.line for point in loss_points(merged)] == [3, 1, 4]
    assert [related.at.line for related in merged.related[1:]] == [1, 4]
    assert all(step.kind is not None for step in merged.steps if step.kind is StepKind.LOST)


def test_splitting_undoes_merging():
    merged = merge([sample(1), sample(2), sample(3)])
    inside, outside = split(merged, lambda point: point.at.line == 2)
    assert inside == sample(2)
    assert outside == merge([sample(1), sample(3)])
    assert split(merged, lambda point: True) == (merged, None)
    assert split(merged, lambda point: False) == (None, merged)
