"""Variables that one file defines and none changes are constants in all files of the program."""

import pytest

from analyzer.findings.model import Verdict
from analyzer.workspace import Settings, Workspace

SHARED = "int five = 5;\nint on = 1, changed = 1, told = 1, twice = 1;\nconst int fixed = 3;\nint unset;\n"
OTHER = (
    "extern int changed, told;\nvoid flip(void) { changed = 0; }\nint *tell(void) { return &told; }\nint twice = 2;\n"
)
MAIN = "int main(void) { return 0; }\n"


def leaks(root, condition, main=MAIN, shared=SHARED, named=False):
    use = "#include <stdlib.h>\nextern int five, on, changed, told, twice, unset, nowhere;\nextern const int fixed;\n"
    use += f"void f(void) {{ char *p = malloc(3); if ({condition}) free(p); }}\n"
    for name, text in (("use.c", use), ("shared.c", shared), ("other.c", OTHER), ("main.c", main)):
        (root / name).write_text(text)
    paths = [str(path) for path in sorted(root.glob("*.c"))] if named else [str(root)]
    report = Workspace(Settings(root=str(root), jobs=1, prepass=False)).analyse(paths)
    (one,) = (found for found in report.acquisitions if found.function == "f")
    return one.verdict is Verdict.LEAKED


@pytest.mark.parametrize("condition", ["five == 5", "on", "five > on", "fixed == 3"])
def test_constants_decide(tmp_path, condition):
    assert not leaks(tmp_path, condition)
    assert leaks(tmp_path, f"!({condition})")


@pytest.mark.parametrize("condition", ["changed", "told", "twice == 1", "unset == 0", "nowhere"])
def test_what_may_change_or_is_not_known_does_not(tmp_path, condition):
    assert leaks(tmp_path, condition)
    assert leaks(tmp_path, f"!({condition})")


def test_in_some_files_of_a_program_only_const_is_believed(tmp_path):
    assert leaks(tmp_path, "five == 5", main="", named=True)
    assert not leaks(tmp_path, "fixed == 3", main="", named=True)
    assert not leaks(tmp_path, "five == 5", main="", named=False)
    assert not leaks(tmp_path, "five == 5", named=True)


@pytest.mark.parametrize(
    "text",
    [
        "int five = 5;\nint *where = &five;\n",
        "int five = 5;\nvoid set(int n) { five = n; }\n",
        "int five = 5;\nvoid more(void) { five++; }\n",
        "int five = 5;\nvoid read_it(int *); void ask(void) { read_it(&five); }\n",
        "int start(void);\nint five = 5 + sizeof(start());\nvoid g(void) { five |= 1; }\n",
    ],
)
def test_all_ways_to_change_it(tmp_path, text):
    assert leaks(tmp_path, "five == 5", shared=text)


def test_declared_inside_a_function_it_may_be_changed_there(tmp_path):
    shared = SHARED + "void inner(void) { extern int on; on = 0; }\n"
    assert leaks(tmp_path, "on", shared=shared)


TABLE = """
#include <stdlib.h>
struct ops {{ int n; char *(*get)(void); void (*put)(char *); }};
static char *get(void) {{ return malloc(3); }}
static void put(char *p) {{ free(p); }}
{const}struct ops ops = {{ 2, get, put }};
{more}
"""
USER = """
struct ops {{ int n; char *(*get)(void); void (*put)(char *); }};
extern {const}struct ops ops;
{more}
void f(int n) {{ char *p = ops.get(); if (p && n) ops.put(p); }}
"""


def behind_a_table(root, const="const ", table="", user="", main=MAIN):
    (root / "table.c").write_text(TABLE.format(const=const, more=table))
    (root / "use.c").write_text(USER.format(const=const, more=user))
    (root / "main.c").write_text(main)
    paths = [str(path) for path in sorted(root.glob("*.c"))]
    report = Workspace(Settings(root=str(root), jobs=1, prepass=False)).analyse(paths)
    return [one.verdict for one in report.acquisitions if one.function == "f"]


@pytest.mark.parametrize("const", ["const ", ""])
def test_functions_behind_a_table_of_another_file_are_known(tmp_path, const):
    assert behind_a_table(tmp_path, const) == [Verdict.LEAKED]


def test_tables_that_may_change_are_not(tmp_path):
    assert behind_a_table(tmp_path, "", table="void set(void) { ops.get = 0; }") == []
    assert behind_a_table(tmp_path, "", user="void set(struct ops *); void g(void) { set(&ops); }") == []


def test_a_name_that_means_another_function_here_is_not(tmp_path):
    assert behind_a_table(tmp_path, user="static char *get(void) { return 0; } char *h(void) { return get(); }") == []


def test_of_two_static_functions_with_one_name_neither_is(tmp_path):
    second = "#include <stdlib.h>\nstruct ops { int n; char *(*get)(void); void (*put)(char *); };\n"
    second += "static char *kept; static char *get(void) { kept = malloc(3); return kept; }\n"
    second += "const struct ops others = { 1, get, free };\n" + MAIN
    user = "extern const struct ops others; int g(void) { return others.get() != 0; }"
    assert behind_a_table(tmp_path, user=user, main=second) == []
