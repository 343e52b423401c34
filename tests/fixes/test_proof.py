"""What is offered was proved: wrong repairs are tried like right ones, and fall."""

import pytest

from analyzer.fixes import find_fixes, run
from analyzer.fixes.candidates import Candidate
from analyzer.fixes.changes import Before, Line, Swap
from analyzer.fixes.proof import Prover
from analyzer.fixes.reach import Place, Reach
from tests.fixes.test_cases import workspace

HEAD = "#include <stdlib.h>\n#include <stdio.h>\nint pick(int n);\n"
LEAK = """int f(int n)
{
	char *p = malloc(10);

	if (!p)
		return -1;
	if (n > 3)
		return -2;
	free(p);
	return 0;
}
"""
TAKES = """static int eat(char *p, int n)
{
	if (n)
		return -1;
	free(p);
	return 0;
}

int g(int n)
{
	char *p = malloc(10);

	if (!p)
		return -1;
	if (eat(p, n))
		free(p);
	return 0;
}

int h(int n)
{
	char *p = malloc(10);

	if (!p)
		return -1;
	return eat(p, n);
}
"""


def search(root, text, **changes):
    (root / "a.c").write_text(HEAD + text)
    space = workspace(root)
    report = space.analyse(["a.c"])
    return find_fixes(space, ["a.c"], report, lambda finding: True, **changes)


def only(*texts):
    """Candidates that put these statements before the loss, instead of what would be tried."""

    def candidates(site, table):
        statement = site.statement(site.points[0].at)
        for text in texts:
            yield Candidate(text, (Before(statement, (Line(text),)),))

    return candidates


@pytest.mark.parametrize(
    "wrong",
    [
        "free(p); free(p);",  # a new finding
        "free(p) return 0;",  # does not parse
        "free(p); q = 3;",  # not declared
        "fclose((FILE *)p);",  # the wrong function
        "p = NULL;",  # lost earlier
        "n++;",  # nothing
        "return -2;",  # the same loss in another place
    ],
)
def test_a_wrong_repair_is_not_offered(wrong, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "candidates", only(wrong))
    found = search(tmp_path, LEAK)
    assert (found.texts, len(found.without)) == ({}, 1)
    assert found.analyses >= 1


def test_the_next_candidate_gets_its_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "candidates", only("n++;", "free(p); free(p);", "free(p);"))
    assert b"free(p);\n\t\treturn -2;" in search(tmp_path, LEAK).texts["a.c"]


def test_a_repair_that_breaks_a_caller_is_not_offered(tmp_path, monkeypatch):
    def in_the_callee(site, table):
        text = site.function.data.index(b"return -1;")
        yield Candidate("", (Swap(text, text, "{ free(p); "), Swap(text + 10, text + 10, " }")))

    monkeypatch.setattr(run, "candidates", in_the_callee)
    assert search(tmp_path, TAKES).texts == {}


def test_functions_are_tried_at_once_and_judged_by_themselves(tmp_path, monkeypatch):
    def candidates(site, table):
        statement = site.statement(site.points[0].at)
        first = site.findings[0].function == "f"
        for text in ("free(p);", "n++;") if first else ("free(p); free(p);", "free(p);"):
            yield Candidate(text, (Before(statement, (Line(text),)),))

    monkeypatch.setattr(run, "candidates", candidates)
    found = search(tmp_path, LEAK + LEAK.replace("f(", "f2("))
    assert found.fixed == 2
    assert found.analyses == 3  # both; the other one again; together


def test_what_does_not_go_together_is_left_for_another_run(tmp_path, monkeypatch):
    def candidates(site, table):
        at = site.function.data.index(b"return -2;")
        yield Candidate("", (Swap(at, at, f"free({site.findings[0].resource}); "),))

    monkeypatch.setattr(run, "candidates", candidates)
    two = """int f(int n)
{
	char *p = malloc(10), *q = malloc(20);

	if (n > 3) { return -2; }
	free(p);
	free(q);
	return 0;
}
"""
    found = search(tmp_path, two)
    assert (found.fixed, len(found.left), found.left_findings, found.without) == (1, 1, 1, ())
    assert all(finding.fixes for finding in found.report.findings)


def test_each_loss_point_must_go(tmp_path):
    text = HEAD + LEAK.replace("\tfree(p);", "\tif (n == 2)\n\t\treturn -3;\n\tfree(p);")
    (tmp_path / "a.c").write_text(text)
    space = workspace(tmp_path)
    prover = Prover(space, ["a.c"], space.analyse(["a.c"]))
    assert len(prover.points) == 2
    half = text.replace("return -2;", "{ free(p); return -2; }").encode()
    outcome = prover.outcome({"a.c": half})
    assert (len(outcome.gone), outcome.new, outcome.worse) == (1, (), frozenset())


def test_what_nothing_declares_is_seen_although_the_analysis_makes_up_for_it(tmp_path):
    text = HEAD + LEAK.replace("\tfree(p);", "\tunknown_t u = 3;\n\tfree(p);")
    (tmp_path / "a.c").write_text(text)
    space = workspace(tmp_path)
    prover = Prover(space, ["a.c"], space.analyse(["a.c"]))
    better = text.replace("return -2;", "{ free(p); return -2; }")
    assert prover.parses("a.c", better.encode())
    assert not prover.parses("a.c", better.replace("return 0;", "return no_such_name;").encode())


def test_reach_follows_calls_by_text():
    texts = {
        "a.c": b"static int one(void)\n{\n\treturn 1;\n}\nint two(void)\n{\n\treturn one();\n}\n",
        "b.c": b"int three(void)\n{\n\treturn two();\n}\nstatic int one(void)\n{\n\treturn 2;\n}\n",
    }
    reach = Reach(texts, lambda file: texts[file])
    one, two, three = Place("a.c", "one"), Place("a.c", "two"), Place("b.c", "three")
    assert reach.of(one) == {one, two, three}
    assert reach.of(three) == {three}
    assert reach.related(three, one)
    assert not reach.related(Place("b.c", "one"), two)
