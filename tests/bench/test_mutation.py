"""Each operator makes the change that its name says, and the trial judges what comes of it."""

import random
from pathlib import Path

import pytest

CODE = """#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
void use(const char *text);

int run(const char *name, int n)
{
	char *p = NULL;
	int fd = -1, rc = -1;

	p = strdup(name);
	if (!p)
		goto out;
	if (n > 3) {
		free(p);
		return -2;
	}
	fd = open(name, O_RDONLY);
	if (fd < 0)
		goto fail;
	if (fd >= 0)
		close(fd);
	rc = 0;
fail:
	free(p);
out:
	return rc;
}

int rounds(const char *name, int n)
{
	char *copy;
	while (n-- > 0) {
		copy = strdup(name);
		if (!copy)
			return -1;
		free(copy);
	}
	return 0;
}
"""
RELEASES = {"free": 0, "close": 0}


def spot(line, text=CODE, **more):
    from c_source import read_source
    from mutants import sites_of
    from operators import Spot

    source = read_source("a.c", text, plain_only=False)
    sites = list(sites_of(text, 0, Path("a.c"), RELEASES))
    site = next(one for one in sites if one.line == line)
    function = next(one for one in source.functions if one.title == site.function)
    return Spot(source, function, site, [one for one in sites if one.function == site.function], **more)


def changed(name, line, **more):
    from mutation import mutate
    from operators import LOSING, SILENT

    place = spot(line, **more)
    edits = {**LOSING, **SILENT}[name](place, random.Random(1))
    return None if edits is None else mutate(CODE, edits).decode()


@pytest.mark.parametrize(
    ("name", "line", "gone", "there", "more"),
    [
        ("M1 one release deleted", 16, "\t\tfree(p);\n\t\treturn -2", "\t\t;\n\t\treturn -2", {}),
        ("M2 all releases deleted", 16, "free(p)", "fail:\n\t;", {}),
        ("M3 return for goto", 26, "goto fail;", "return rc;\n\tif (fd >= 0)", {}),
        ("M4 jump to a later label", 26, "goto fail;", "goto out;\n\tif (fd >= 0)", {}),
        ("M5 early return", 26, "strdup(name);\n\tif", "if (gives_up_()) return -1;", {}),
        ("M6 holder overwritten", 23, "\t\tclose(fd);\n", "{ fd = -1; close(fd); }", {"number": True}),
        ("M7 release behind the loop", 38, "\t\tfree(copy);", "} free(copy);\n\treturn 0", {}),
        ("M9 share kept", 38, "free(copy)", "\t\t;\n\t}", {"share": True}),
        ("M10 weaker guard", 23, "fd >= 0", "if (fd > 0)\n\t\tclose(fd)", {}),
        ("M10 weaker guard", 16, "n > 3", None, {}),
        ("N1 null guard", 26, "fail:\n\tfree(p)", "fail:\n\tif (p) free(p)", {}),
        ("N2 release in a helper", 26, "fail:\n\tfree(p)", "static void run_drop_(char *x) { free(x); }", {}),
        ("N3 cleanup twice", 26, None, None, {}),
        ("N4 release and reset in a helper", 26, "fail:\n\tfree(p)", "fail:\n\trun_clear_(&p)", {}),
    ],
)
def test_operators(name, line, gone, there, more):
    text = changed(name, line, **more)
    if there is None:
        assert text is None
        return
    assert gone in CODE and gone not in text
    assert there in text and there not in CODE


def test_the_cleanup_twice():
    from mutation import mutate
    from operators import SILENT

    code = CODE.replace("out:\n", "").replace("goto out", "goto fail")
    edits = SILENT["N3 cleanup twice"](spot(26, code), random.Random(1))
    text = mutate(code, edits).decode()
    assert text.count("goto fail_again_;") == 1 and "fail_again_:\n\tfree(p);\n\treturn rc;\n}" in text


def test_an_operator_without_a_place_says_so():
    assert changed("M3 return for goto", 38) is None
    assert changed("M7 release behind the loop", 26) is None
    assert changed("M9 share kept", 26) is None
    assert changed("M8 cleanup attribute dropped", 26) is None


def test_variables_with_a_cleanup_attribute():
    from c_source import read_source
    from mutation import mutate
    from operators import LOSING, Spot, cleanups_of

    text = "void f(void)\n{\n\tg_autofree char *a = make();\n\tg_autoptr(GError) e = NULL;\n"
    text += "\t_cleanup_free_ char *c;\n}\n"
    source = read_source("a.c", text)
    found = list(cleanups_of(source))
    assert [(one.line, one.argument) for one in found] == [(3, "a"), (4, "e"), (5, "c")]
    edits = [
        edit
        for one in found
        for edit in LOSING["M8 cleanup attribute dropped"](Spot(source, source.functions[0], one, []), random.Random(1))
    ]
    assert "{\n\t char *a = make();\n\tGError * e = NULL;\n\t char *c;\n}" in mutate(text, edits).decode()


def test_a_trial_finds_what_was_lost_and_is_silent_about_the_rest(tmp_path):
    from mutation import Trial, prepare, tables

    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.c").write_text(CODE)
    (tree / "b.c").write_text(
        "#include <stdlib.h>\nstruct ctx { char *name; };\n"
        "void ctx_fini(struct ctx *c)\n{\n\tfree(c->name);\n}\n"
        "int ctx_run(void)\n{\n\tstruct ctx c;\n\tc.name = malloc(9);\n\tctx_fini(&c);\n\treturn 0;\n}\n"
    )
    outcomes = Trial([prepare(tree, str(tmp_path / "cache"))], 6, 2, str(tmp_path / "cache")).all()
    states = {one.state for one in outcomes}
    assert states <= {"found", "silent", "equivalent"} and "found" in states
    helper = [one for one in outcomes if one.mutation.site.function == "ctx_fini" and one.state == "found"]
    assert helper and {one.reason for one in helper} == {"elsewhere"}
    assert "| all |" in tables(outcomes)
