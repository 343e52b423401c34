"""Functions that a pack defines for a header that is missing: followed, and nobody's code."""

from analyzer.workspace import Settings, Workspace

CODE = """\
#include "alloc-util.h"
char *strdup(const char *text);
int look(const char *text);
int use(const char *from) { _cleanup_free_ char *text = strdup(from); return text ? look(text) : 0; }
"""


def test_what_a_pack_defines_is_followed_and_not_reported(tmp_path):
    (tmp_path / "a.c").write_text(CODE)
    report = Workspace(Settings(root=str(tmp_path), jobs=1, summaries=True, guard=False)).analyse(["a.c"])
    assert [(one.function, one.verdict.name) for one in report.acquisitions] == [("use", "RELEASED")]
    assert [(one.function, one.at.file) for one in report.summaries] == [("use", "a.c")]
    assert report.findings == ()
    assert {notice.file for notice in report.notices} <= {"a.c", ""}


def test_the_header_of_the_project_wins(tmp_path):
    (tmp_path / "a.c").write_text(CODE)
    (tmp_path / "alloc-util.h").write_text(
        "static inline void nothing(void *where) { (void)where; }\n"
        "#define _cleanup_free_ __attribute__((cleanup(nothing)))\n"
    )
    report = Workspace(Settings(root=str(tmp_path), jobs=1, guard=False)).analyse(["a.c"])
    assert [(one.function, one.verdict.name) for one in report.acquisitions] == [("use", "LEAKED")]
