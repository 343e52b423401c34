"""Static variables that a file only reads are constants, whatever their type."""

import pytest

from analyzer.frontend import FrontendOptions, lower_file

START = "struct inner { int n[2]; };\nstruct ops { void (*put)(char *); struct inner inner; int flags; };\n"
START += "void drop(char *);\nvoid take(const void *);\nstatic struct ops ops = { drop };\nstatic int row[3] = { 1 };\n"


def constant(tmp_path, body, name="ops"):
    path = tmp_path / "a.c"
    path.write_text(f"{START}void f(char *p, int i)\n{{\n{body}\n}}\n")
    unit = lower_file(str(path), FrontendOptions(flags=("-nostdinc",)))
    return next(one.constant for full, one in unit.globals.items() if full.endswith(f":{name}"))


@pytest.mark.parametrize(
    "body",
    [
        "ops.put(p);",
        "if ((ops).flags > ops.inner.n[i]) drop(p);",
        "i = sizeof(ops) + sizeof(ops.inner.n) + ops.flags;",
        "struct ops copy = ops; copy.put(p);",
        "p[ops.inner.n[1]] = 0;",
        "const struct ops *some = &ops; some->put(p);",
        "const struct inner *some = &ops.inner; i = some->n[0];",
    ],
)
def test_what_is_only_read_is_constant(tmp_path, body):
    assert constant(tmp_path, body)


@pytest.mark.parametrize(
    "body",
    [
        "ops.put = drop; ops.put(p);",
        "ops.inner.n[i] = 3;",
        "ops.flags++;",
        "ops.flags |= 1;",
        "take(&ops);",
        "take(&ops.inner);",
        "struct ops *some = &ops; some->put(p);",
        "take(ops.inner.n);",
        "*ops.inner.n = 2;",
        "int *q = ops.inner.n; q[0] = 1;",
        "static struct ops other; ops = other;",
        "ops.flags = 1, undeclared_type x;",
        "unknown x; ops.put(p);",
    ],
)
def test_what_may_be_written_is_not(tmp_path, body):
    assert not constant(tmp_path, body)


@pytest.mark.parametrize(("body", "expected"), [("i = row[1];", True), ("row[i] = 1;", False), ("take(row);", False)])
def test_rows(tmp_path, body, expected):
    assert constant(tmp_path, body, "row") is expected
