"""Acquisitions in text that the preprocessor drops: named, with the directive, and no findings."""

import json
import os

import pytest

from analyzer.frontend.dropped import dropped_calls
from analyzer.program.variants import Variant
from analyzer.report.json_report import json_report
from analyzer.report.summary import last_line, summarise
from analyzer.report.verdicts import verdicts_csv, verdicts_json, verdicts_text
from analyzer.workspace import Settings, Workspace
from tests.report.test_json import VALIDATOR

SOURCE = """#include <stdlib.h>
#include <string.h>
void g(int n)
{
	char *p = 0;
#ifdef SSL /* why */ && \\
	MORE
	p = malloc(n);
#elif defined X
	p = strdup("a");
#else
	p = malloc(3);
#endif
	free(p);
}
"""
SSL = "`#ifdef SSL && MORE`"


def analysed(root, *variants, **settings):
    settings = {"jobs": 1, "guard": False, **settings}
    return Workspace(Settings(root=str(root), variants=variants, **settings)).analyse(["."])


def told(report):
    return [f"{one.at.file}:{one.at.line}:{one.at.column} {one.callee} {one.reason}" for one in report.not_compiled]


def test_what_is_dropped_is_listed_with_its_directive(tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    report = analysed(tmp_path)
    assert told(report) == [f"a.c:8:6 malloc {SSL}", f"a.c:10:6 strdup `#elif defined X` of {SSL}"]
    assert [one.function for one in report.not_compiled] == ["g", "g"]
    assert report.findings == ()
    assert [one.at.line for one in report.acquisitions] == [12]
    assert told(analysed(tmp_path, flags=("-DSSL",))) == [
        f"a.c:10:6 strdup `#elif defined X` of {SSL}",
        f"a.c:12:6 malloc `#else` of {SSL}",
    ]


def test_every_form_of_the_verdicts_lists_it(tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    report = analysed(tmp_path)
    lines = verdicts_text(report).splitlines()
    assert lines[0] == f"a.c:8:6: g(): malloc(): not compiled under these flags: {SSL}"
    assert lines[2:] == [
        "a.c:12:6: g(): malloc() ret (p): released",
        "3 acquisitions",
        "      1  released",
        "      2  not compiled under these flags",
    ]
    assert f"a.c,8,6,g,malloc,,,,not compiled under these flags,{SSL}," in verdicts_csv(report).splitlines()
    content = json.loads(verdicts_json(report))
    assert content["totals"] == {"released": 1, "not compiled under these flags": 2}
    whole = json.loads(json_report(report))
    VALIDATOR.validate(whole)
    assert whole["acquisitions"] == content["acquisitions"]
    assert (len(whole["acquisitions"]), whole["summary"]["not_compiled"]) == (3, 2)
    assert last_line(summarise(report)) == "0 findings in 1 file; 2 acquisitions not compiled"


def test_what_another_configuration_compiles_does_not_count(tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    assert told(analysed(tmp_path, Variant("ssl", ("SSL",)))) == [f"a.c:10:6 strdup `#elif defined X` of {SSL}"]
    assert told(analysed(tmp_path, Variant("ssl", ("SSL",)), Variant("x", ("X",)))) == []
    entries = [{"directory": ".", "file": "a.c", "command": f"cc {flag} -c a.c"} for flag in ("-DSSL", "-DX")]
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries))
    assert told(analysed(tmp_path, database=".")) == [f"a.c:12:6 malloc `#else` of {SSL}"]


HEADER = """#ifndef OWN_H
#define OWN_H
#include <stdlib.h>
static inline char *one(void)
{
#ifdef WIDE
	return malloc(8);
#else
	return malloc(4);
#endif
}
#endif
"""


def test_a_header_counts_where_no_file_compiles_it(tmp_path):
    (tmp_path / "own.h").write_text(HEADER)
    (tmp_path / "a.c").write_text('#include "own.h"\n#include "own.h"\nvoid f(void) { free(one()); }\n')
    assert told(analysed(tmp_path)) == ["own.h:7:9 malloc `#ifdef WIDE`"]
    (tmp_path / "b.c").write_text('#define WIDE\n#include "own.h"\nvoid g(void) { free(one()); }\n')
    assert told(analysed(tmp_path)) == []
    (tmp_path / "a.c").unlink()
    assert told(analysed(tmp_path)) == ["own.h:9:9 malloc `#else` of `#ifdef WIDE`"]


def test_a_file_that_is_read_twice_is_dropped_where_both_times_are(tmp_path):
    part = "#ifdef A\nvoid f(void) { free(malloc(1)); }\n#elif defined B\nvoid g(void) { free(malloc(2)); }\n#endif\n"
    (tmp_path / "part.inc").write_text(part)
    main = '#include <stdlib.h>\n%s#include "part.inc"\n#undef A\n%s#include "part.inc"\n'
    (tmp_path / "a.c").write_text(main % ("#define A\n", "#define B\n"))
    assert told(analysed(tmp_path)) == []
    (tmp_path / "a.c").write_text(main % ("#define A\n", ""))
    assert told(analysed(tmp_path)) == ["part.inc:4:21 malloc `#elif defined B` of `#ifdef A`"]


def test_headers_outside_of_the_project_do_not_count(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "near").mkdir()
    (tmp_path / "far" / "own.h").write_text(HEADER)
    (tmp_path / "near" / "a.c").write_text('#include "own.h"\nvoid f(void) { free(one()); }\n')
    assert told(analysed(tmp_path / "near", flags=("-I../far",))) == []


def test_any_run_says_the_same(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "own.h").write_text(HEADER)
    (tree / "a.c").write_text('#include "own.h"\n' + SOURCE)
    for file in tree.iterdir():
        os.utime(file, (1, 1))
    report = analysed(tree)
    assert len(report.not_compiled) == 3
    for settings in ({"jobs": 2}, {"cache": str(tmp_path / "c")}, {"cache": str(tmp_path / "c")}, {"prepass": False}):
        assert analysed(tree, **settings) == report


BOXES = """library: own
version: "1"
kinds:
  box: {release: [box_free], noun: box}
functions:
  - c: void *box_new(void)
    then: [fresh ret box]
  - c: void box_free(void *box)
    then: [release box box]
"""


def test_rules_of_the_project_name_what_is_sought(tmp_path):
    (tmp_path / "own.yaml").write_text(BOXES)
    text = "void *box_new(void);\nvoid f(void *p)\n{\n#if 0\n\tp = box_new();\n\tbox_free(p);\n\tother(p);\n#endif\n}\n"
    (tmp_path / "a.c").write_text(text)
    assert told(analysed(tmp_path)) == []
    assert told(analysed(tmp_path, rules=(str(tmp_path / "own.yaml"),))) == ["a.c:5:6 box_new `#if 0`"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = new();", ["new `#if 0`"]),
        ("return new ();", ["new `#if 0`"]),
        ("else new();", ["new `#if 0`"]),
        ("x = (char *)new();", ["new `#if 0`"]),
        ("#define N() new()", ["new `#if 0`"]),
        ("#if 1\nnew();\n#else\nnew();\n#endif", ["new `#if 0`"] * 2),
        ("x = 'a' + new(); // don't", ["new `#if 0`"]),
        ("char *new(void);", []),
        ("static void *\nnew(int n) {", []),
        ("renew(); new_(); new;", []),
        ("/* new() */ // new()", []),
        ('"new()" "\\"new()"', []),
        ("/*\n#endif\nnew() */", []),
        ("#else\nnew();\n#if 0\n", []),
    ],
)
def test_which_words_are_calls(text, found):
    data = f"int a;\n#if 0\n{text}\n#endif\n".encode()
    begin = data.index(b"#if 0")
    end = data.index(b"#else") if text.startswith("#else") else len(data) - len("#endif\n")
    assert [f"{name} {why}" for _, name, why in dropped_calls(data, [(begin, end)], 1, {"new"})] == found


def test_conditions_are_shown_in_one_short_line():
    data = ("#if " + "A || " * 60 + "\\\r\n  B // c\nnew();\n#endif\n").encode()
    ((at, _, why),) = dropped_calls(data, [(0, len(data) - 7)], 1, {"new"})
    assert data[at:].startswith(b"new()")
    assert why.startswith("`#if A || A") and why.endswith("...`")
    assert len(why) == 122
