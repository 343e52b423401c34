"""Variables that own something which nothing in the whole program ever releases."""

import json
from pathlib import Path

import jsonschema
import pytest

from analyzer.report.json_report import json_report
from analyzer.report.verdicts import global_owners_text
from analyzer.workspace import Settings, Workspace

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
SET = """#include <stdlib.h>
struct list { struct list *next; char *name; };
extern struct list box;
static char *mine;
char *held;
struct list box;
void look(const char *);
void keep(char *);
void set(void)
{
	%s = malloc(3);
}
int main(void)
{
	set();
	%s
	return 0;
}
"""


def analysed(root, variable, use, other="", **settings):
    (root / "a.c").write_text(SET % (variable, use))
    (root / "b.c").write_text("#include <stdlib.h>\n" + other)
    settings = {"jobs": 1, "guard": False, "global_owners": True, **settings}
    return Workspace(Settings(root=str(root), **settings)).analyse(["."])


def owners(report):
    return [name.rpartition(":")[2] for owner in report.global_owners for name in owner.held]


HARMLESS = ["", "look(held);", "if (held) return 1;", "return held[0];", "held[0] = 'x';", "char *c = held; look(c);"]


@pytest.mark.parametrize("use", HARMLESS)
def test_what_is_only_looked_at_is_never_released(tmp_path, use):
    report = analysed(tmp_path, "held", use)
    assert owners(report) == ["held"]
    assert global_owners_text(report) == (
        "a.c:11:9: `held` holds what malloc() hands out in set(), and nothing in the program ever releases it\n"
        "1 global owner that nothing releases\n"
    )


RELEASED = [
    ("held", "free(held);", ""),
    ("held", "char *c = held; free(c + 0);", ""),
    ("held", "keep(held);", ""),
    ("held", "", "extern char *held;\nchar *get(void) { return held; }\n"),
    ("held", "", "extern char *held;\nvoid end(void) { free(held); }\n"),
    ("held", "", "extern char *held;\nstatic void drop(char **p) { free(*p); }\nvoid end(void) { drop(&held); }\n"),
    ("held", "", "extern char *held;\nchar *two;\nvoid end(void) { two = held; }\n"),
    ("held", "held = realloc(held, 9);", ""),
    ("mine", "free(mine);", ""),
    ("box.name", "free(box.name);", ""),
    ("box.name", "struct list *l = &box; free(l->name);", ""),
]


@pytest.mark.parametrize(("variable", "use", "other"), RELEASED)
def test_what_may_be_released_somewhere_is_not_told(tmp_path, variable, use, other):
    assert owners(analysed(tmp_path, variable, use, other)) == []


def test_static_variables_and_members_are_told_by_their_names(tmp_path):
    assert owners(analysed(tmp_path, "mine", "")) == ["mine"]
    assert owners(analysed(tmp_path, "box.name", "")) == ["box"]
    other = "static char *mine;\nvoid end(void) { free(mine); }\n"  # another variable of that name
    assert owners(analysed(tmp_path, "mine", "", other)) == ["mine"]


def test_a_function_with_errors_may_release_what_it_mentions(tmp_path):
    broken = "extern char *held, *other;\nvoid end(void) { free(%s; }\n"
    assert owners(analysed(tmp_path, "held", "", broken % "held")) == []
    assert owners(analysed(tmp_path, "held", "", broken % "other")) == ["held"]


def test_only_the_whole_program_can_tell(tmp_path):
    report = analysed(tmp_path, "held", "")
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json_report(report)))
    (tmp_path / "a.c").write_text((SET % ("held", "")).replace("main", "other"))
    report = Workspace(Settings(root=str(tmp_path), jobs=1, global_owners=True)).analyse(["a.c"])
    assert report.global_owners == ()
    assert global_owners_text(report) == (
        "global owners are not known, for the whole program was not seen: no main() is defined in these files\n"
    )
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json_report(report)))
    (tmp_path / "c.cpp").write_text("int x;\n")
    report = analysed(tmp_path, "held", "")
    assert report.global_gaps == ("1 file was not analysed: c.cpp",)


def test_nobody_asked(tmp_path):
    report = analysed(tmp_path, "held", "", global_owners=False)
    assert report.global_owners is None
    assert json.loads(json_report(report))["global_owners"] is None


def test_workers_change_nothing(tmp_path):
    assert analysed(tmp_path, "held", "", jobs=3) == analysed(tmp_path, "held", "")
