"""What the help lines propose, from C to text."""

import pytest

from analyzer.workspace import Settings, Workspace

HEAD = """#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct item { char *name; };
static struct item *item_new(void)
{
	struct item *item = malloc(sizeof(*item));
	if (item)
		item->name = strdup("x");
	return item;
}
static char **two(void)
{
	char **v = malloc(2 * sizeof(*v));
	if (v) {
		v[0] = NULL;
		v[1] = strdup("b");
	}
	return v;
}
static void shut(int fd) { if (fd >= 0) close(fd); }
struct link { int fd; char *name; };
static void link_shut(struct link *link) { close(link->fd); }
"""


def advice(root, code):
    (root / "a.c").write_text(HEAD + code)
    report = Workspace(Settings(root=str(root), jobs=1)).analyse([str(root / "a.c")])
    return [finding.advice for finding in report.findings]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("struct item *it = item_new(); free(it);", "call free(it->name) before this point"),
        (
            "free(item_new());",
            "keep the result of item_new() in a variable, and call free() on its member name",
        ),
        ("free(two());", "keep the result of two() in a variable, and call free() on its element [1]"),
        ("char **v = two(); if (v) v[1] = NULL; free(v);", "call free(v[1]) before it is overwritten"),
        (
            'int fd = open("a", 0); if (fd < 0) return; close(fd); close(fd);',
            "set fd to -1 after the first release, or release it in one place only",
        ),
        (
            'int fd = open("a", 0); if (fd < 0) return; close(fd); shut(fd);',
            "set fd to -1 after the first release, or release it in one place only",
        ),
        (
            "close(l->fd); link_shut(l);",
            "set l->fd to -1 after the first release, or release it in one place only",
        ),
        (
            "free(l->name); free(l->name);",
            "set l->name to NULL after the first release, or release it in one place only",
        ),
        ('int fd; if (n) fd = open("a", 0); close(fd);', "set fd to -1 where it is declared"),
        ("char *p; if (n) p = malloc(1); free(p);", "set p to NULL where it is declared"),
    ],
)
def test_help_can_be_followed(tmp_path, body, expected):
    assert advice(tmp_path, f"void f(int n, struct link *l)\n{{\n\t{body}\n}}\n") == [expected]
