"""Further configurations of a program: what is found in them, what is linked, what is not done twice."""

import json
import os

import pytest

from analyzer.findings.model import NoticeKind, Verdict
from analyzer.libclang import parse
from analyzer.program.variants import Mentions, Variant, defined_together, definition_mistake
from analyzer.report.json_report import json_report
from analyzer.sources import SourceView
from analyzer.workspace import Settings, Workspace
from tests.report.test_json import VALIDATOR

TLS = Variant("tls", ("TLS",))
DBG = Variant("dbg", ("DEBUG=2",))
LEAKY = """#include <stdlib.h>
int f(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
#ifdef TLS
	if (n > 3)
		return -2;
#endif
#if DEBUG > 1
	if (n > 2)
		return -3;
#endif
	free(p);
	return 0;
}
"""
DROP = "#include <stdlib.h>\nvoid drop(char *p)\n{\n#ifndef TLS\n\tfree(p);\n#endif\n}\n"
USER = """#include <stdlib.h>
void drop(char *p);
static void far(char *p) { drop(p); }
void u(void) { far(malloc(3)); }
"""


def program(root, **files):
    for name, text in files.items():
        (root / f"{name}.c").write_text(text)


def analysed(root, *variants, **settings):
    settings = {"jobs": 1, "guard": False, **settings}
    return Workspace(Settings(root=str(root), variants=variants, **settings)).analyse(["."])


def told(report):
    """(place, configurations) of every loss point."""
    return [
        (f"{point.at.file}:{point.at.line}", point.variants)
        for finding in report.findings
        for point in finding.points or (finding,)
    ]


def test_a_loss_that_shows_in_one_configuration_only_names_it(tmp_path):
    program(tmp_path, a=LEAKY)
    assert told(analysed(tmp_path)) == []
    report = analysed(tmp_path, TLS)
    assert told(report) == [("a.c:10", ("tls",))]
    assert report.findings[0].message.endswith("when `n > 3` (only with variant `tls`)")
    assert json.loads(json_report(report))["findings"][0]["variants"] == ["tls"]
    assert (report.files, report.functions) == (1, 1)


def test_loss_points_of_several_configurations_are_one_finding(tmp_path):
    program(tmp_path, a=LEAKY)
    report = analysed(tmp_path, TLS, DBG)
    assert len(report.findings) == 1
    assert told(report) == [("a.c:10", ("tls",)), ("a.c:14", ("dbg",))]
    both = analysed(tmp_path, TLS, DBG, flags=("-DTLS",))
    assert told(both) == [("a.c:10", ()), ("a.c:14", ("dbg",))]
    assert "(only with" not in both.findings[0].message
    content = json.loads(json_report(both))
    VALIDATOR.validate(content)
    assert [point["variants"] for point in content["findings"][0]["loss_points"]] == [[], ["dbg"]]


def test_a_loss_of_every_configuration_is_told_once_and_names_none(tmp_path):
    program(tmp_path, a=LEAKY.replace("#ifdef TLS", "#ifndef NEVER"))
    report = analysed(tmp_path, Variant("x", ("NEVER2=1",)), Variant("y", ("DEBUG=0",)))
    assert told(report) == [("a.c:10", ())]
    gone = analysed(tmp_path, Variant("x", ("NEVER",)))
    assert told(gone) == [("a.c:10", ())]


def test_a_loss_of_two_configurations_names_both(tmp_path):
    program(tmp_path, a=LEAKY.replace("#ifdef TLS", "#if defined TLS || defined SSL"))
    report = analysed(tmp_path, TLS, Variant("ssl", ("SSL",)))
    assert told(report) == [("a.c:10", ("tls", "ssl"))]
    assert report.findings[0].message.endswith("(only with variants `tls`, `ssl`)")


def test_the_gravest_verdict_of_all_configurations_counts(tmp_path):
    program(tmp_path, a=LEAKY)
    assert [one.verdict for one in analysed(tmp_path).acquisitions] == [Verdict.RELEASED]
    assert [one.verdict for one in analysed(tmp_path, TLS).acquisitions] == [Verdict.LEAKED]


def test_each_configuration_is_linked_by_itself(tmp_path):
    """What drop() does differs: its callers know for each configuration, also those that mention no macro."""
    program(tmp_path, drop=DROP, user=USER)
    assert told(analysed(tmp_path)) == []
    assert told(analysed(tmp_path, TLS)) == [("user.c:4", ("tls",))]
    report = analysed(tmp_path, Variant("plain", undefine=("TLS",)), flags=("-DTLS",))
    assert told(report) == [("user.c:4", ())]


def test_a_function_that_only_one_configuration_defines_is_linked_there(tmp_path):
    drop = "#include <stdlib.h>\n#ifdef TLS\nvoid drop(char *p) { (void)p; }\n#endif\nvoid other(void) { free(0); }\n"
    program(tmp_path, drop=drop, user=USER)
    assert told(analysed(tmp_path)) == []
    assert told(analysed(tmp_path, TLS)) == [("user.c:4", ("tls",))]


def test_every_way_of_a_compile_database_has_every_configuration(tmp_path):
    program(tmp_path, a=LEAKY)
    entries = [{"directory": ".", "file": "a.c", "command": f"cc {flag} -c a.c"} for flag in ("-DTLS", "-O2")]
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries))
    report = analysed(tmp_path, DBG, database=".")
    assert told(report) == [("a.c:10", ()), ("a.c:14", ("dbg",))]


@pytest.mark.parametrize("jobs", [2, 3])
def test_any_number_of_workers_says_the_same(tmp_path, jobs):
    program(tmp_path, a=LEAKY, drop=DROP, user=USER)
    report = analysed(tmp_path, TLS, DBG)
    assert analysed(tmp_path, TLS, DBG, jobs=jobs) == report
    assert analysed(tmp_path, TLS, DBG, jobs=jobs, prepass=False) == report


def test_the_cache_says_the_same_and_knows_configurations_apart(tmp_path):
    tree, folder = tmp_path / "tree", str(tmp_path / "cache")
    tree.mkdir()
    program(tree, a=LEAKY, drop=DROP, user=USER)
    for file in tree.iterdir():  # a file that was written just now is not trusted to stay
        os.utime(file, (1, 1))
    for variants in ((), (TLS,), (TLS, DBG), (DBG, TLS), (Variant("other name", ("TLS",)),), ()):
        plain = analysed(tree, *variants)
        assert analysed(tree, *variants, cache=folder) == plain
        assert analysed(tree, *variants, cache=folder) == plain


def test_a_file_that_mentions_nothing_of_a_configuration_is_read_once(tmp_path, monkeypatch):
    program(tmp_path, drop=DROP, user=USER)
    read = []
    real = parse.library().parseTranslationUnit2FullArgv

    def counting(*arguments):
        name = arguments[2][arguments[3] - 1].decode().rpartition("/")[2]
        read.extend([name] if name.endswith(".c") else [])
        return real(*arguments)

    monkeypatch.setattr(parse.library(), "parseTranslationUnit2FullArgv", counting)
    analysed(tmp_path)
    assert sorted(read) == ["drop.c", "user.c"]
    read.clear()
    analysed(tmp_path, TLS)
    assert sorted(read) == ["drop.c", "drop.c", "user.c"]


def test_reading_everything_in_every_configuration_finds_the_same(tmp_path, monkeypatch):
    program(tmp_path, a=LEAKY, drop=DROP, user=USER)
    quick = analysed(tmp_path, TLS, DBG)
    monkeypatch.setattr(Mentions, "differs", lambda *_: True)
    assert analysed(tmp_path, TLS, DBG) == quick


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("#ifdef TLS\n#endif", True),
        ("int TLSX;", False),
        ("#define ON(x) defined(TL##x)", True),
        ("#define ON(x) x##LS", True),
        ("#define CAT(a, b) a##b", False),
    ],
)
def test_what_mentions_a_macro(tmp_path, text, differs):
    (tmp_path / "x.h").write_text(text)
    mentions = Mentions((TLS, Variant("arm", flags=("-m32",))), SourceView())
    assert mentions.differs("tls", [str(tmp_path / "x.h")]) is differs
    assert mentions.differs("tls", [str(tmp_path / "none.h")]) is False
    assert mentions.differs("arm", []) is True


def test_a_macro_of_a_header_counts(tmp_path):
    (tmp_path / "config.h").write_text("#ifdef ALL\n#define TLS\n#endif\n")
    program(tmp_path, a='#include "config.h"\n' + LEAKY)
    assert told(analysed(tmp_path, Variant("all", ("ALL",)))) == [("a.c:11", ("all",))]


def test_a_configuration_that_changes_nothing_is_told(tmp_path):
    program(tmp_path, a=LEAKY)
    report = analysed(tmp_path, Variant("tsl", ("TSL", "SLT"), file=str(tmp_path / "mustfree.toml"), line=4), TLS)
    assert [(n.file, n.line, n.message) for n in report.notices if n.kind is NoticeKind.SETTINGS] == [
        ("mustfree.toml", 4, "variant `tsl` changes nothing: no file that was read mentions TSL or SLT")
    ]


def test_what_goes_wrong_in_a_configuration_only_names_it(tmp_path):
    program(tmp_path, a=LEAKY.replace("#ifdef TLS", "#ifdef TLS\n\tthis is no C"))
    assert [n for n in analysed(tmp_path).notices if n.kind is NoticeKind.DEGRADED] == []
    (notice,) = [n for n in analysed(tmp_path, TLS).notices if n.kind is NoticeKind.DEGRADED]
    assert notice.message.endswith("(only with variant `tls`)")


def test_why_knows_the_configuration_that_decides(tmp_path):
    program(tmp_path, a=LEAKY, drop=DROP, user=USER)
    space = Workspace(Settings(root=str(tmp_path), jobs=1, variants=(TLS,)))
    for file, line in (("a.c", 4), ("user.c", 4)):
        (one,) = space.why(file, line, ["."]).acquisitions
        assert one.paths[0].verdict is Verdict.LEAKED


@pytest.mark.parametrize("text", ["A", "A=1", "A=", "_a1=x y", "A(x,y)=x", "A(...)=1"])
def test_definitions(text):
    assert definition_mistake(text) == ""


@pytest.mark.parametrize("text", ["", "1A", "A B", "-DA", "A+1", "A(", "A=1\n#define B", "=1"])
def test_what_is_no_definition(text):
    assert "write NAME, NAME=VALUE or NAME(a,b)=VALUE" in definition_mistake(text)


def test_definitions_of_the_command_line_belong_together():
    one, two = defined_together(["A  B=2", "C"])
    assert (one.name, one.arguments(), one.macros) == ("A B=2", ("-UA", "-DA", "-UB", "-DB=2"), ("A", "B"))
    assert two.arguments() == ("-UC", "-DC")
