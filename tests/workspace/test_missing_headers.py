"""Trees without build flags: headers that lie somewhere in them, and names that no header supplies."""

from pathlib import Path

from analyzer.findings.model import NoticeKind, Report
from analyzer.workspace import Settings, Workspace

TAKEN = """
#include "parts/thing.h"

void *malloc(unsigned long size);

int taken(void)
{
	struct thing *thing = malloc(sizeof(struct thing));

	return thing ? thing->number : 0;
}
"""
THING = "struct thing { int number; };\n"


def check(folder: Path, **files: str) -> Report:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_h", ".h").replace("_c", ".c")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Workspace(Settings(root=str(folder), jobs=1, guard=False)).analyse([str(folder)])


def test_a_header_lies_elsewhere_in_the_tree(tmp_path: Path):
    report = check(tmp_path, app__main_c=TAKEN, lib__deep__parts__thing_h=THING)
    assert [finding.resource for finding in report.findings] == ["thing"]
    assert not report.notices


def test_of_two_the_one_nearer_to_the_file_counts(tmp_path: Path):
    other = THING.replace("int number", "int weight")
    files = {"one__app__main_c": TAKEN, "one__lib__parts__thing_h": THING, "two__lib__parts__thing_h": other}
    assert not check(tmp_path, **files).notices


def test_two_equally_near_are_not_guessed_at(tmp_path: Path):
    report = check(tmp_path, app__main_c=TAKEN, lib__parts__thing_h=THING, old__parts__thing_h=THING)
    assert NoticeKind.MISSING_HEADER in [notice.kind for notice in report.notices]


def test_a_header_of_the_tree_hides_none_of_the_system(tmp_path: Path):
    main = '#include "ours.h"\n#include <stdlib.h>\nint f(int n) { free(malloc(n)); return EXIT_SUCCESS; }\n'
    files = {"app__main_c": main, "compat__win__ours_h": "\n", "compat__win__stdlib_h": "#error not this one\n"}
    assert not check(tmp_path, **files).notices


UNDECLARED = """
#include "nowhere.h"

int size(const char *text, bool strict)
{
	char *copy = malloc(strlen(text) + 1);

	if (copy == NULL)
		return EOF;
	if (strict == true)
		return -1;
	free(copy);
	return 0;
}
"""


def test_null_is_null_without_any_header(tmp_path: Path):
    report = check(tmp_path, main_c=UNDECLARED)
    assert [finding.at.line for finding in report.findings] == [11]
