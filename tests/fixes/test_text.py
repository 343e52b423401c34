"""What the text of a function is taken for, and how changes are written into it."""

import pytest

from analyzer.fixes.changes import (
    After,
    AtEnd,
    Before,
    ConflictError,
    Declare,
    Instead,
    Line,
    Swap,
    applied,
    edits_of,
)  # fmt: skip
from analyzer.fixes.layout import Layout
from analyzer.fixes.syntax import FunctionText, Kind, NoStructureError, Role

RELEASE = (Line("free(p);"),)


def function(text):
    data = text.encode()
    return FunctionText(data, 0, len(data.rstrip())), Layout(data)


def find(text, word):
    return text.at(text.data.index(word.encode()))


def written(source, word, change, lines=RELEASE):
    text, layout = function(source)
    edits = edits_of(text, layout, [change(find(text, word), lines)])
    return applied(text.data, edits).decode()


def test_statements_of_every_kind():
    text, _ = function(
        "int f(int n)\n{\n\tint a = 1;\n\tif (n) a++; else if (a) { a--; } else n++;\n\tfor (;;) break;\n"
        "\tdo { n++; } while (n < 3);\n\tswitch (n) { case 1: return 2; default: ; }\n"
        "\tlist_for_each(p, list)\n\t\tuse(p);\n\tforeach(x) {\n\t\tuse(x);\n\t}\nout:\n\treturn n;\n}\n"
    )
    kinds = [child.kind for child in text.body.children]
    assert kinds == [
        Kind.SIMPLE, Kind.IF, Kind.LOOP, Kind.DO, Kind.SWITCH, Kind.LOOP, Kind.LOOP, Kind.LABEL, Kind.SIMPLE,
    ]  # fmt: skip
    other = text.body.children[1].children[1]
    assert (other.kind, other.role) == (Kind.IF, Role.ELSE)
    assert find(text, "break").parent.kind is Kind.LOOP
    assert text.loop_of(find(text, "use(p)")).kind is Kind.LOOP


def test_comments_strings_and_directives_are_no_statements():
    text, _ = function("int f(void)\n{\n#define X }\n\t/* } */ puts(\"}\"); // }\n\treturn '}';\n}\n")
    assert len(text.body.children) == 2


@pytest.mark.parametrize("source", ["int f(void)\n{\n\tif (1) {\n}\n", "int f(void);", "int f(void)\n{\n\tg(]);\n}\n"])
def test_what_does_not_match_is_no_function(source):
    with pytest.raises(NoStructureError):
        function(source)


KERNEL = "int f(int n)\n{\n\tif (n)\n\t\treturn 1;\n\treturn 0;\n}\n"


@pytest.mark.parametrize(
    ("source", "word", "expected"),
    [
        (KERNEL, "return 0", "\tfree(p);\n\treturn 0;\n"),
        (KERNEL, "return 1", "\tif (n) {\n\t\tfree(p);\n\t\treturn 1;\n\t}\n"),
        (
            "int f(int n)\n{\n    if (n) return 1;\n}\n",
            "return 1",
            "    if (n) {\n        free(p);\n        return 1;\n    }\n",
        ),
        ("int f(int n)\n{\n\tif (n) return 1; else return 2;\n}\n", "return 1", "if (n) { free(p); return 1; } else"),
        ("int f(int n)\n{\n\tif (n) { return 1; }\n}\n", "return 1", "if (n) { free(p); return 1; }"),
        (
            "int f(int n)\n{\n\tif (n)\n\t\tn++;\n\telse\n\t\treturn 1; /* no */\n}\n",
            "return 1",
            "\telse {\n\t\tfree(p);\n\t\treturn 1; /* no */\n\t}\n",
        ),
        (
            "int f(int n)\n{\n\tif (n)\n\t\treturn 1;\n\telse\n\t\tn++;\n}\n",
            "return 1",
            "\tif (n) {\n\t\tfree(p);\n\t\treturn 1;\n\t} else\n\t\tn++;\n",
        ),
        (
            "int f(int n)\n{\n    while (n)\n    {\n        n--;\n    }\n    if (n)\n        return 1;\n}\n",
            "return 1",
            "    if (n)\n    {\n        free(p);\n        return 1;\n    }\n",
        ),
        (
            "int f(int n)\n{\n  while (n)\n    {\n      n--;\n    }\n  if (n)\n    return g(n,\n             1);\n}\n",
            "return g",
            "  if (n)\n    {\n      free(p);\n      return g(n,\n               1);\n    }\n",
        ),
    ],
)
def test_a_statement_before_another(source, word, expected):
    assert expected in written(source, word, Before)
    crlf = source.replace("\n", "\r\n")
    assert expected.replace("\n", "\r\n") in written(crlf, word, Before)


def test_a_guarded_statement():
    text = written(KERNEL, "return 0", Before, (Line("fclose(f);", "f"),))
    assert "\tif (f)\n\t\tfclose(f);\n\treturn 0;\n" in text


def test_behind_and_at_the_end():
    assert "\tn++; /* more */\n\tfree(p);\n" in written("int f(int n)\n{\n\tn++; /* more */\n}\n", "n++", After)
    assert "\t\tfree(p);\n\t\tn = 3;\n\t}\n" in written(
        "int f(int n)\n{\n\tif (n)\n\t\tfree(p);\n}\n", "free", After, (Line("n = 3;"),)
    )
    source = "int f(int n)\n{\n\twhile (n) {\n\t\tn--;\n\t}\n}\n"
    text, layout = function(source)
    body = find(text, "n--").parent
    assert (
        "\t\tn--;\n\t\tfree(p);\n\t}\n" in applied(text.data, edits_of(text, layout, [AtEnd(body, RELEASE)])).decode()
    )


def test_several_changes_of_one_statement_share_their_braces():
    text, layout = function(KERNEL)
    loss = find(text, "return 1")
    changes = [Before(loss, RELEASE, 2), Before(loss, (Line("free(q);"),), 1)]
    expected = "\tif (n) {\n\t\tfree(q);\n\t\tfree(p);\n\t\treturn 1;\n\t}\n"
    assert expected in applied(text.data, edits_of(text, layout, changes)).decode()


def test_instead_and_declarations():
    text, layout = function("int f(int n)\n{\n\tint a;\n\tchar *b = 0;\n\n\tif (n)\n\t\treturn g();\n\treturn 1;\n}\n")
    lines = (Line("ret = g();"), Line("return ret;"))
    changes = [Declare(text.body, "int ret;"), Instead(find(text, "return g"), lines)]
    found = applied(text.data, edits_of(text, layout, changes)).decode()
    assert "\tchar *b = 0;\n\tint ret;\n\n\tif (n) {\n\t\tret = g();\n\t\treturn ret;\n\t}\n" in found


def test_what_cannot_be_written_is_refused():
    text, layout = function("int f(int n)\n{\n\tif (n)\n\t\tn++;\n\telse if (g(n))\n\t\tn--;\n\treturn n;\n}\n")
    other = text.body.children[0].children[1]
    with pytest.raises(ConflictError):
        edits_of(text, layout, [Before(other, RELEASE)])
    with pytest.raises(ConflictError):
        edits_of(text, layout, [Swap(20, 25, "x"), Swap(22, 28, "y")])
    loss = find(text, "return n")
    with pytest.raises(ConflictError):
        edits_of(text, layout, [Instead(loss, (Line("goto a;"),)), Instead(loss, (Line("goto b;"),))])
