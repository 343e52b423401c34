"""A fix releases what its finding is about and nothing else, and nothing that somebody still needs."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from analyzer.fixes import find_fixes
from analyzer.program.variants import Variant
from analyzer.workspace import Workspace
from tests.fixes.test_cases import workspace

HEAD = """#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct conf { char *name; };
struct node { struct node *self; char *name; const char *text; };
extern struct conf conf;
char *get(void);
int look(const char *text);
void take(char *text);
void fill(char **place);
static char *g;
static void pass(char *text) { take(text); }
static int choose(int a, char **out)
{
	if (a)
		*out = conf.name;
	else
		*out = strdup("x");
	return 0;
}
"""


def patched(root, body, signature="int f(int a, char *in, struct conf *c, char **out)"):
    """The text after all fixes; "" when there is none."""
    (root / "a.c").write_text(f"{HEAD}\n{signature}\n{{\n{body}}}\n")
    space = workspace(root)
    report = space.analyse(["a.c"])
    assert report.findings
    return find_fixes(space, ["a.c"], report, lambda finding: True).texts.get("a.c", b"").decode()


MADE = '\tp = strdup("x");\n\tif (!p)\n\t\treturn -1;\n'
LOSS = "\tif (a > 7)\n\t\treturn 1;\n\tfree(p);\n\treturn 0;\n"


@pytest.mark.parametrize(
    "other",
    [
        "in",
        "c->name",
        "get()",
        'getenv("HOME")',
        "conf.name",
        "*out",
        "in + 1",
    ],
)
def test_what_may_come_from_elsewhere_is_not_released(other, tmp_path):
    assert (
        patched(tmp_path, f"\tchar *p = {other};\n\n\tif (a > 3)\n\t\tp = strdup(in);\n\tlook(p);\n\treturn 0;\n") == ""
    )


@pytest.mark.parametrize("other", ["NULL", "malloc(4)", "a ? NULL : strdup(in)"])
def test_what_comes_from_acquisitions_or_is_null_is_released(other, tmp_path):
    text = f"\tchar *p;\n\n\tif (a > 3)\n\t\tp = strdup(in);\n\telse\n\t\tp = {other};\n\tlook(p);\n\treturn 0;\n"
    assert "free(p);" in patched(tmp_path, text)


@pytest.mark.parametrize(
    ("before", "offered"),
    [
        ("\tif (!p) {\n\t\tp = strdup(in);\n\t}\n", False),
        ("\tif (p)\n\t\treturn 0;\n\tp = strdup(in);\n", True),
        ("\tif (p != NULL)\n\t\treturn 0;\n\tif (a)\n\t\tp = strdup(in);\n", True),
    ],
)
def test_a_condition_that_leaves_nothing_counts(before, offered, tmp_path):
    text = patched(tmp_path, f"\tchar *p = c->name;\n\n{before}\tlook(p);\n\treturn 0;\n")
    assert ("free(p);" in text) is offered


@pytest.mark.parametrize(
    ("call", "offered"),
    [("fill(&p)", False), ("choose(a, &p)", False), ('fscanf(stdin, "%d", &a)', True)],
)
def test_a_function_may_set_the_variable(call, offered, tmp_path):
    text = f"\tchar *p = NULL;\n\n\tif (a > 3)\n\t\t{call};\n\telse\n\t\tp = strdup(in);\n\tlook(p);\n\treturn 0;\n"
    assert ("free(p);" in patched(tmp_path, text)) is offered


@pytest.mark.parametrize(("call", "offered"), [("take(p)", False), ("pass(p)", False), ("look(p)", True)])
def test_what_somebody_may_have_taken_over_is_not_released(call, offered, tmp_path):
    text = f"\tchar *p;\n\n{MADE}\tif (a)\n\t\t{call};\n\tlook(in);\n\treturn 0;\n"
    assert ("free(p);" in patched(tmp_path, text)) is offered


def test_a_descriptor_that_is_also_a_constant_is_not_closed(tmp_path):
    text = "\tint fd = {};\n\n\tif (a)\n\t\tfd = open(in, O_RDONLY);\n\tif (fd < 0)\n\t\treturn -1;\n"
    text += "\tlook(in);\n\treturn 0;\n"
    assert patched(tmp_path, text.replace("{}", "0")) == ""
    assert "close(fd);" in patched(tmp_path, text.replace("{}", "-1"))


@pytest.mark.parametrize(
    "store",
    [
        "\tg = strchr(p, ',');\n\tif (g)\n\t\tlook(g);\n",
        "\tc->name = strchr(p, ',');\n\tif (c->name)\n\t\tlook(c->name);\n",
        '\tfor (t = strtok(p, ","); t; t = strtok(NULL, ","))\n\t\tout[a++] = t;\n',
        '\twhile ((t = strsep(&s, ",")))\n\t\tout[a++] = t;\n',
    ],
)
def test_what_a_pointer_into_it_outlives_is_not_released(store, tmp_path):
    text = f"\tchar *p, *t, *s, *save;\n\n{MADE}\ts = p;\n{store}{LOSS}"
    assert patched(tmp_path, text) == ""


@pytest.mark.parametrize(
    "store",
    [
        "\tt = strchr(p, ',');\n\tlook(t);\n",
        "\tg = strchr(p, ',');\n\tg = NULL;\n",
        "\tn.name = strchr(p, ',');\n\tlook(n.name);\n",
        "\tlook(p);\n\tn.self = &n;\n",
    ],
)
def test_a_pointer_into_it_that_ends_with_the_function_does_no_harm(store, tmp_path):
    text = f"\tstruct node n;\n\tchar *p, *t;\n\n{MADE}{store}{LOSS}"
    assert "\t\tfree(p);\n\t\treturn 1;" in patched(tmp_path, text)


def test_what_is_stored_in_memory_that_is_released_too_does_no_harm(tmp_path):
    text = (
        f"\tstruct node *n;\n\tchar *p;\n\n{MADE}\tn = malloc(sizeof(*n));\n\tif (!n) {{\n\t\tfree(p);\n"
        "\t\treturn -1;\n\t}\n\tn->self = n;\n\tn->text = strchr(p, 'x');\n\tlook(n->text);\n\tfree(n);\n" + LOSS
    )
    assert "\t\tfree(p);\n\t\treturn 1;" in patched(tmp_path, text)


READ = """	DIR *dir = opendir(name);
	struct dirent *e;

	if (!dir)
		return NULL;
	e = readdir(dir);
	if (e)
		return {};
	closedir(dir);
	return NULL;
"""


def test_what_does_not_lie_in_it_may_be_returned(tmp_path):
    assert "closedir(dir);\n\t\treturn name;" in patched(
        tmp_path, READ.replace("{}", "name"), "const char *f(const char *name)"
    )


def test_one_folder_that_is_read_is_not_another(tmp_path):
    text = """	DIR *dir = opendir(in), *sub;
	struct dirent *e, *s;

	if (!dir)
		return -1;
	while ((e = readdir(dir))) {
		sub = opendir(e->d_name);
		if (!sub)
			continue;
		while ((s = readdir(sub)))
			look(s->d_name);
	}
	closedir(dir);
	return 0;
"""
    assert "closedir(sub);" in patched(tmp_path, text)


def test_null_takes_the_place_of_what_is_released(tmp_path):
    text = f"\tchar *p;\n\n{MADE}\tif (a)\n\t\tp = NULL;\n\treturn p;\n".replace("return -1", "return NULL")
    assert "free(p);\n\t\tp = NULL;" in patched(tmp_path, text, "char *f(int a)")


def test_a_label_does_not_release_what_is_not_ours_there(tmp_path):
    text = (
        "\tchar *q = NULL, *p;\n\tint ret = -1;\n\n"
        + MADE
        + "\tq = {};\n\tif (!q)\n\t\tgoto out;\n\tif (a)\n\t\treturn -1;\n"
        "\tq = strdup(in);\n\tret = 0;\nout:\n\tfree(q);\n\tfree(p);\n\treturn ret;\n"
    )
    assert "if (a) {\n\t\tfree(p);\n\t\treturn -1;\n\t}" in patched(tmp_path, text.replace("{}", "c->name"))
    assert "\t\tgoto out;\n\t}\n\tq = strdup(in)" in patched(tmp_path, text.replace("{}", "strdup(in)"))


def test_the_old_block_of_a_caller_is_not_released_where_realloc_fails(tmp_path):
    text = "\tin = realloc(in, 10);\n\tif (!in)\n\t\treturn -1;\n\tfree(in);\n\treturn 0;\n"
    found = patched(tmp_path, f"\tchar *p = strdup(c->name);\n\n\tif (!p)\n\t\treturn -1;\n{text.replace('in', 'p')}")
    assert "free(p);\n\t\treturn -1;" in found


DROPPED = """	char *p = NULL;

#ifdef FOO
	{}
#endif
	p = strdup(in);
	if (!p)
		return -1;
"""


@pytest.mark.parametrize(("dropped", "offered"), [("p = c->name;", False), ("look(in);", True)])
def test_text_that_is_not_compiled_counts(dropped, offered, tmp_path):
    text = patched(tmp_path, DROPPED.replace("{}", dropped) + LOSS)
    assert ("free(p);\n\t\treturn 1;" in text) is offered


def test_each_configuration_is_asked(tmp_path):
    text = f"{HEAD}\n#ifdef X\n#define FROM c->name\n#else\n#define FROM NULL\n#endif\n"
    text += "int f(struct conf *c, int a, char *in)\n"
    (tmp_path / "a.c").write_text(
        text + "{\n\tchar *p = FROM;\n\n\tif (a > 3)\n\t\tp = strdup(in);\n\tlook(p);\n\treturn 0;\n}\n"
    )
    for variants, offered in (((), True), ((Variant("x", ("X",)),), False)):
        space = Workspace(replace(workspace(tmp_path).settings, variants=variants))
        report = space.analyse(["a.c"])
        found = find_fixes(space, ["a.c"], report, lambda finding: True)
        assert ("a.c" in found.texts) is offered


CONST = """	{} = strdup(in);

	if (!p)
		return -1;
	if (look(p))
		return -2;
	return 0;
"""


@pytest.mark.parametrize(
    ("declared", "call"),
    [
        ("const char *p", "free((char *)p);"),
        ("char const *p", "free((char *)p);"),
        ("char *const p", "free(p);"),
        ("char *p", "free(p);"),
        ("const char *q, *p", "free((char *)p);"),
    ],
)
def test_a_pointer_to_const_is_released_without_a_warning(declared, call, tmp_path):
    text = patched(tmp_path, CONST.replace("{}", declared))
    assert text.count(call) == 2
    if shutil.which("gcc"):
        (tmp_path / "b.c").write_text(text)
        done = subprocess.run(
            ["gcc", "-fsyntax-only", "-Werror=discarded-qualifiers", "b.c"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_a_member_that_points_to_const_has_no_fix(tmp_path):
    text = "\tstruct node n;\n\n\tn.text = strdup(in);\n\tif (!n.text)\n\t\treturn -1;\n\tlook(n.text);\n\treturn 0;\n"
    assert patched(tmp_path, text) == ""
    assert "free(n.name);" in patched(tmp_path, text.replace(".text", ".name"))


MIXED = """static int hand(int a, char **out)
{
	if (a < 0)
		return -1;
	if (a) {
		*out = %s;
		return 1;
	}
	*out = strdup("x");
	return 0;
}
"""


@pytest.mark.parametrize(
    ("other", "offered"), [("conf.name", False), ("get()", False), ('strdup("y")', True), ("NULL", True)]
)
def test_what_a_function_hands_out_in_another_case_counts(other, offered, tmp_path):
    body = "\tchar *p = NULL;\n\n\tif (a > 3)\n\t\thand(a, &p);\n\telse\n\t\tp = strdup(in);\n\tlook(p);\n\treturn 0;\n"
    text = f"{HEAD}{MIXED % other}int f(int a, char *in)\n{{\n{body}}}\n"
    (tmp_path / "a.c").write_text(text)
    space = workspace(tmp_path)
    report = space.analyse(["a.c"])
    assert report.findings
    found = find_fixes(space, ["a.c"], report, lambda finding: True).texts.get("a.c", b"").decode()
    assert ("free(p);" in found) is offered
