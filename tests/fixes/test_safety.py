"""Where a release is kept from although the analysis has nothing against it."""

import pytest

from analyzer.fixes import find_fixes
from analyzer.fixes.safety import dominates
from analyzer.sources import LineIndex
from tests.fixes.test_cases import workspace
from tests.fixes.test_text import find, function

HEAD = """#include <stdlib.h>
#include <string.h>
int pick(int n);
struct part { char *name; int n; };
"""
STORED = """void f(char **out, int n)
{
	char *p = malloc(10);

	if (!p)
		return;
	if (pick(n)) {
		n++;
		*out = p;
	}
	return;
}
"""
STORED_AND_LEFT = """int f(char **out, int n)
{
	char *p = malloc(10);

	if (!p)
		return -1;
	if (pick(n)) {
		*out = p;
		return 0;
	}
	return -2;
}
"""
MEMBER_UNSET = """int f(int n)
{
	struct part part;

	while (pick(n)) {
		part.name = strdup("x");
		if (pick(n + 1))
			goto out;
		free(part.name);
	}
out:
	return n;
}
"""
MEMBER_SET = """int f(int n)
{
	struct part part;

	part.name = strdup("x");
	if (pick(n))
		goto out;
	free(part.name);
	return 0;
out:
	return n;
}
"""
CALLERS = """void f(char **out, const int *text, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (text[i])
			*out = strdup("x");
}
"""
GLOBAL = """static char *name = NULL;

void f(const int *text, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (text[i])
			name = strdup("x");
}
"""


def repaired(root, *texts):
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number}.c")
        (root / names[-1]).write_text(HEAD + text)
    space = workspace(root)
    report = space.analyse(names)
    assert report.findings
    return find_fixes(space, names, report, lambda finding: True).texts


@pytest.mark.parametrize("text", [STORED, MEMBER_UNSET, CALLERS])
def test_nothing_is_released_that_may_be_somebody_elses_or_nothing_at_all(tmp_path, text):
    assert repaired(tmp_path, text) == {}


@pytest.mark.parametrize("text", [STORED_AND_LEFT, MEMBER_SET, GLOBAL])
def test_what_only_looks_like_it_is_repaired(tmp_path, text):
    assert repaired(tmp_path, text)


@pytest.mark.parametrize("other", ['name = "literal";', "name = text + 1;", "take(&name);"])
def test_a_global_variable_that_also_gets_something_else_is_not_released(tmp_path, other):
    setter = f"\nvoid take(char **);\nvoid g(char *text)\n{{\n\t{other}\n}}\n"
    assert repaired(tmp_path, GLOBAL + setter) == {}


def test_a_global_variable_is_looked_for_in_the_whole_program(tmp_path):
    shared = GLOBAL.replace("static ", "")
    other = 'extern char *name;\nvoid g(void)\n{\n\tname = "x";\n}\n'
    assert repaired(tmp_path, shared, other) == {}
    assert repaired(tmp_path, shared, other.replace('"x"', 'strdup("x")'))


def test_what_a_call_may_leave_unset_starts_out_as_null(tmp_path):
    text = """static int get(char **value, int n)
{
	int len = 0;

	if (n == 1)
		return -1;
	if (n > 2) {
		*value = strdup("x");
		len = strlen(*value);
	}
	if (!len)
		return -2;
	return 0;
}

int f(int n)
{
	char *value;
	int err;

	err = get(&value, n);
	if (err)
		return err;
	free(value);
	return 0;
}
"""
    (found,) = repaired(tmp_path, text).values()
    assert b"char *value = NULL;" in found
    assert b"if (err) {\n\t\tfree(value);\n\t\treturn err;\n\t}" in found


PATHS = """int f(int n)
{
	if (n == 1)
		goto early;
	if ((a = get(n)) == 0)
		return 1;
	if (n == 2)
		goto late;
early:
	use(2);
late:
	use(3);
	while ((b = get(n)))
		use(4);
	switch (n) {
	case 1:
		c = get(n);
	case 2:
		use(5);
	}
	if (n)
		d = get(n);
	use(6);
}
"""


@pytest.mark.parametrize(
    ("source", "statement", "expected"),
    [
        ("(a = get", "return 1", True),
        ("(a = get", "goto late", True),
        ("(a = get", "use(2)", False),
        ("(a = get", "goto early", False),
        ("(b = get", "use(4)", True),
        ("(b = get", "use(6)", True),
        ("c = get", "use(5)", False),
        ("c = get", "use(6)", False),
        ("d = get", "use(6)", False),
    ],
)
def test_whether_all_ways_lead_over_it(source, statement, expected):
    text, _ = function(PATHS)
    offset = PATHS.index(source) + source.index("=") - 2
    assert dominates(text, offset, find(text, statement)) is expected
    assert LineIndex(text.data).lines == PATHS.count("\n") + 1
