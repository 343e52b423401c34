"""The mutation finds the statements it should, and leaves the rest of the file as it was."""

from dataclasses import replace
from pathlib import Path

import pytest

RELEASES = {"free": 0, "close": 0, "munmap": 0, "put": 1}

CODE = """\
/* free(comment); */
#define DROP(x) free(x)
static int run(struct ctx *ctx, char *p)
{
	const char *s = "free(p);";
	if (p)
		free(p);
	else
		(void) close(ctx->fd);
	switch (*s) {
	case 1: put(ctx, &ctx->node);
	}
	int r = close(3);
	return close(ctx->fd) + r;
}
int table[] = { 1, 2 };
void many(void *a,
          void *b)
{
	free(a); free(
		(void *) b
	);
}
"""


def sites(text):
    import mutants

    return list(mutants.sites_of(text, 0, Path("a.c"), RELEASES))


def test_sites_are_statements_of_functions():
    found = [(s.line, s.function, s.release, s.argument) for s in sites(CODE)]
    assert found == [
        (7, "run", "free", "p"),
        (9, "run", "close", "ctx->fd"),
        (11, "run", "put", "&ctx->node"),
        (20, "many", "free", "a"),
        (20, "many", "free", "b"),
    ]


def test_a_function_that_releases_is_no_place_for_a_mutant():
    assert sites("void put(int a, char *b)\n{\n\tfree(b);\n}\n") == []


def test_unbalanced_conditional_code_spoils_one_function_only():
    text = "int a(void)\n{\n#if X\n\tif (1) {\n#else\n\tif (2) {\n#endif\n\t}\n}\n"
    text += "int b(char *p)\n{\n\tfree(p);\n}\n"
    assert [s.function for s in sites(text)] == ["b"]


@pytest.mark.parametrize("number", range(5))
def test_a_mutant_lacks_one_statement_and_keeps_the_lines(number):
    import mutants

    site = sites(CODE)[number]
    mutant = mutants.mutate(CODE, site)
    assert mutant.count("\n") == CODE.count("\n")
    assert mutant[: site.start] == CODE[: site.start]
    assert mutant.endswith(CODE[site.end :])
    assert len(sites(mutant)) == len(sites(CODE)) - 1


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (" p ", "p"),
        ("(void *) p", "p"),
        ("(char *)(p)", "p"),
        ("( ctx->buf )", "ctx->buf"),
        ("(*pp)", "*pp"),
        ("(*pp)->name", "(*pp)->name"),
        ("(FILE*)logh->magic", "logh->magic"),
        ("a[ i ]", "a[i]"),
    ],
)
def test_holders_compare_without_casts_and_spaces(text, key):
    from harness import holder_key

    assert holder_key(text) == key


def run_of(*acquisitions, findings=()):
    from harness import Checked

    known = [
        {"line": line, "callee": "strdup", "slot": "return value", "function": "run", "holder": "p"}
        | {"verdict": verdict, "reason": reason}
        for line, verdict, reason in acquisitions
    ]
    return Checked(0, list(findings), 0, known, [], 1, 1)


GLOBAL = "held by a global or for the process's life"
LOST = {
    "check": "leak",
    "kind": "exit",
    "fingerprint": "f",
    "function": "run",
    "resource": "p",
    "callee": "strdup",
    "message": "`p` is lost",
    "at": {"line": 12},
    "steps": [],
}


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        (run_of((3, "released", "")), run_of((3, "leaked", ""), findings=[LOST]), "found"),
        (run_of((3, "escaped", "f()")), run_of((3, "escaped", "f()")), "escaped"),
        (run_of((3, "released", "")), run_of((3, "unproven", "")), "missed"),
        (run_of((3, "released", "")), run_of((3, "leaked", "")), "missed"),
        (run_of((9, "handed to the caller", "")), run_of((9, "handed to the caller", "")), "outside"),
        (run_of((9, "released", "")), run_of((9, "handed to the caller", "")), "held"),
        (run_of((3, "released", "")), run_of((3, "released", "")), "equivalent"),
        (run_of((3, "released", "")), run_of((3, "maybe released", "")), "missed"),
        (run_of((3, "released", "")), run_of((3, GLOBAL, "end of main")), "equivalent"),
        (run_of((3, "released", "")), run_of((3, GLOBAL, "table")), "held"),
        (run_of(), run_of(), "outside"),
        (run_of(), run_of(findings=[LOST | {"function": "other"}]), "outside"),
        (run_of(), run_of(findings=[LOST | {"resource": "q", "message": "`q` is lost"}]), "outside"),
    ],
)
def test_a_mutant_has_one_state(before, after, state):
    import mutants

    site = mutants.Site(0, Path("a.c"), 0, 0, 7, "run", "char *x", "free", "p")
    assert mutants.silent(site, before)
    assert mutants.judge(site, before, after).state == state


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "-"), (5, 10, "50 % (24-76)"), (0, 20, "0 % (0-16)"), (20, 20, "100 % (84-100)")],
)
def test_shares_have_an_interval(part, whole, text):
    from harness import share

    assert share(part, whole) == text


def test_what_was_assigned_to_the_released_variable_counts_too():
    import mutants

    body = ["bigger = realloc(buf, 2);", "buf = (char *) bigger;", "free(buf);", "buf = later;"]
    text = "int a(void)\n{\n" + "\n".join(body) + "\n}\n"
    (site,) = sites(text)
    assert site.sources == {"bigger"}
    seen = run_of((3, "released", ""))
    seen.acquisitions[0]["function"] = "a"
    seen.acquisitions[0]["holder"] = "bigger"
    assert len(mutants.acquisitions(seen, site)) == 1


class Slow:
    """Stands for a shadow; `fails` says which of its two checks gives no result."""

    def __init__(self, fails):
        self.fails = fails
        self.checks = 0

    def check(self, file, text, timeout):
        import subprocess

        self.checks += 1
        if self.checks == self.fails:
            raise subprocess.TimeoutExpired("check", timeout)
        return run_of((3, "released", ""))

    def compiles(self, site, text, timeout):
        return True


@pytest.mark.parametrize(("fails", "state"), [(1, None), (2, "missed"), (0, "equivalent")])
def test_a_check_without_result_ends_no_run(tmp_path, fails, state):
    import mutants

    (tmp_path / "a.c").write_text(CODE)
    site = replace(sites(CODE)[0], file=tmp_path / "a.c")
    judging = mutants.Judge([], tmp_path, 1, 1.0)
    judging.free.get()
    judging.free.put([Slow(fails)])
    outcome = judging.judge(site)
    assert (outcome and outcome.state) == state
