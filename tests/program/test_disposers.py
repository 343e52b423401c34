"""Where the program has a function of its own for a lost structure, the help proposes that one."""

from dataclasses import replace

import pytest

from analyzer.workspace import Settings, Workspace

HEAD = """#include <stdlib.h>
#include <string.h>
struct conn { char *name; int users; };
struct conn *conn_new(void);
"""
NEW = """struct conn *conn_new(void)
{
	struct conn *c = malloc(sizeof(*c));
	if (c)
		c->name = strdup("x");
	return c;
}
"""
DELETE = """void conn_delete(struct conn *c)
{
	if (!c)
		return;
	free(c->name);
	free(c);
}
"""
USE = """int use(int n)
{
	struct conn *c = conn_new();
	if (!c)
		return -1;
	if (n)
		return -2;
	conn_delete(c);
	return 0;
}
"""
PROTOTYPE = "void conn_delete(struct conn *c);\n"


def settings(root, **changes):
    return replace(Settings(root=str(root), jobs=1, prepass=False), **changes)


def advice(root, *files, **changes):
    for number, text in enumerate(files):
        (root / f"f{number}.c").write_text(HEAD + text)
    report = Workspace(settings(root, **changes)).analyse([str(root)])
    return {finding.resource: finding.advice for finding in report.findings}


@pytest.mark.parametrize(
    "files", [(NEW + DELETE + USE,), (NEW + DELETE, PROTOTYPE + USE), (PROTOTYPE + USE, NEW + DELETE)]
)
def test_the_programs_own_function_is_proposed(tmp_path, files):
    assert advice(tmp_path, *files)["c"] == "call conn_delete(c) before this point"


def test_what_hangs_below_has_its_own_release(tmp_path):
    use = USE.replace("conn_delete(c)", "free(c)") + "void o(struct conn *c) { conn_delete(c); }\n"
    assert advice(tmp_path, NEW + DELETE + use)["c->name"] == "call free(c->name) before this point"


@pytest.mark.parametrize(
    "more",
    [
        "void conn_end(struct conn *c) { free(c->name); free(c); }\nvoid o(struct conn *c) { conn_end(c); }\n",
        "static void conn_end(struct conn *c) { free(c->name); free(c); }\nvoid o(struct conn *c) { conn_end(c); }\n",
    ],
)
def test_of_two_functions_none_is_proposed(tmp_path, more):
    assert advice(tmp_path, NEW + DELETE + more + USE)["c"] == "call free(c) before this point"


def test_a_static_function_of_another_file_cannot_be_called(tmp_path):
    static = DELETE.replace("void conn", "static void conn") + "void o(struct conn *c) { conn_delete(c); }\n"
    use = USE.replace("conn_delete(c)", "free(c->name); free(c)")
    assert advice(tmp_path, NEW + static, use.replace("free(c->name); ", ""))["c"] == "call free(c) before this point"


@pytest.mark.parametrize(
    "delete",
    [
        DELETE.replace("\tfree(c->name)", "\tif (--c->users > 0)\n\t\treturn;\n\tfree(c->name)"),  # counts
        "int conn_delete(struct conn *c) { if (rand()) return -1; free(c->name); free(c); return 0; }\n",  # may fail
        DELETE.replace("struct conn *c", "struct conn *c, int deep"),  # needs more than c
        DELETE.replace("\tfree(c);\n", ""),  # the members alone
    ],
)
def test_a_function_that_does_something_else_is_not(tmp_path, delete):
    call = "void o(struct conn *c) { conn_delete(c); }\n"
    if "deep" in delete:
        call = call.replace("(c)", "(c, 1)")
    use = USE.replace("conn_delete(c)", "free(c)")
    assert advice(tmp_path, NEW + delete + call + use)["c"] == "call free(c) before this point"


@pytest.mark.parametrize(
    "use",
    [
        USE.replace("\tif (n)\n", "\tif (n) {\n\t\tfree(c->name);\n").replace("-2;\n", "-2;\n\t}\n"),  # taken apart
        USE.replace("conn_new()", "malloc(sizeof(*c))"),  # its members are not set yet
        "static void *grab(size_t n) { return malloc(n); }\n" + USE.replace("conn_new()", "grab(sizeof(*c))"),
    ],
)
def test_an_object_that_is_not_whole_is_not_given_to_it(tmp_path, use):
    assert advice(tmp_path, NEW + DELETE + use)["c"] == "call free(c) before this point"


def test_what_a_library_made_goes_back_to_it(tmp_path):
    code = """#include <stdio.h>
static void shut(FILE *f) { fclose(f); }
int use(int n) { FILE *f = fopen("a", "r"); if (!f || n) return 1; shut(f); return 0; }
"""
    assert advice(tmp_path, code)["f"] == "call fclose(f) before this point"


def test_the_function_itself_is_no_remedy_for_its_own_loss(tmp_path):
    other = DELETE.replace("\tfree(c->name)", "\tstruct conn *c2 = conn_new();\n\tfree(c->name)")
    found = advice(tmp_path, NEW + other + "void o(struct conn *c) { conn_delete(c); }\n")
    assert found["c2"] == "call free(c2) before this point"


def test_what_is_remembered_proposes_the_same(tmp_path):
    kept = {"cache": str(tmp_path / "kept")}
    first = advice(tmp_path, NEW + DELETE, PROTOTYPE + USE, **kept)
    assert first == advice(tmp_path, NEW + DELETE, PROTOTYPE + USE, **kept)
    # The user's file is as it was: its finding is remembered, what to propose is not.
    reference = DELETE.replace("\tfree(c->name)", "\tif (--c->users > 0)\n\t\treturn;\n\tfree(c->name)")
    assert advice(tmp_path, NEW + reference, PROTOTYPE + USE, **kept)["c"] == "call free(c) before this point"
    assert advice(tmp_path, NEW + DELETE, PROTOTYPE + "\n" + USE, **kept) == first
