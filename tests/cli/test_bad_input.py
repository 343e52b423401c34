"""Every sort of bad input: a clear message, the documented status, and the other files are still analysed."""

import os
import stat

import pytest

from analyzer.sources import SourceView
from tests.cli.conftest import LEAK

NESTED = "#include <stdlib.h>\nvoid n(int x)\n{\n" + "if (x) {" * 5000 + "free(malloc(1));" + "}" * 5000 + "}\n"


@pytest.mark.parametrize(
    ("name", "content", "message", "alone"),
    [
        ("empty.c", b"", "", 0),
        ("nul.c", b"#include <stdlib.h>\0\n\0void n(void) { free(malloc(1)); }\n", "", 0),
        ("random.c", bytes(range(256)) * 20, "", None),
        ("prose.c", b"malloc is a function.\nIt is \xe2\x80\x9cnice\xe2\x80\x9d.\n", "", None),
        ("header.c", b'#include "nowhere.h"\nvoid f(void) { free(malloc(1)); }\n', "nowhere.h", 0),
        ("syntax.c", b"#include <stdlib.h>\nint s(void) { char *p = malloc(3; return 0 }\n", "s", 0),
        ("cycle.c", b'#include "cycle.c"\nvoid f(void) { free(malloc(1)); }\n', "", None),
        ("nested.c", NESTED.encode(), "", None),
        ("utf16.c", "void f(void) { free(malloc(1)); }".encode("utf-16"), "", None),
    ],
)
def test_strange_contents(mustfree, project, name, content, message, alone):
    (project / name).write_bytes(content)
    outcome = mustfree("check", name)
    assert outcome.status == alone if alone is not None else outcome.status in (0, 3)
    assert message in outcome.err
    if outcome.status == 3:
        assert name in outcome.err
        assert "not analysed" in outcome.last
    both = mustfree("check", name, "leak.c")
    assert both.status == 1
    assert "leak.c:12:3: warning[leak]" in both.out


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.c", "missing.c: error: no such file or directory"),
        ("nothing", "nothing: error: no C files (*.c) in this folder"),
    ],
)
def test_missing_things(mustfree, project, path, message):
    (project / "nothing").mkdir()
    outcome = mustfree("check", path, "leak.c")
    assert outcome.status == 2
    assert message in outcome.err
    assert "leak.c:12:3: warning[leak]" in outcome.out
    assert outcome.last == "1 finding in 1 file; 1 failure"


@pytest.mark.parametrize(("paths", "status"), [(["secret.c", "leak.c"], 2), (["."], 1)])
def test_an_unreadable_file(mustfree, project, monkeypatch, paths, status):
    (project / "secret.c").write_text(LEAK)
    read = SourceView.read

    def guarded(self, path):
        if path.endswith("secret.c"):
            # What the file system would say to anybody but root.
            from analyzer.errors import MustfreeError

            raise MustfreeError(f"{path}: permission denied; make the file readable")
        return read(self, path)

    monkeypatch.setattr(SourceView, "read", guarded)
    outcome = mustfree("check", *paths)
    assert outcome.status == status
    assert "secret.c: " in outcome.err
    assert "permission denied" in outcome.err
    assert "leak.c:12:3: warning[leak]" in outcome.out


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can read everything")
def test_a_file_without_read_permission(mustfree, project):
    (project / "secret.c").write_text(LEAK)
    (project / "secret.c").chmod(0)
    outcome = mustfree("check", "secret.c", "leak.c")
    assert outcome.status == 2
    assert "secret.c: error: permission denied" in outcome.err
    (project / "secret.c").chmod(stat.S_IRWXU)


@pytest.mark.parametrize("option", ["--sarif", "--json", "--verdicts-csv", "--verdicts-json"])
def test_an_output_that_cannot_be_written(mustfree, project, option):
    outcome = mustfree("check", "leak.c", option, "missing/out", "--json", "ok.json")
    if option != "--json":
        assert (project / "ok.json").exists()
    else:
        outcome = mustfree("check", "leak.c", option, "missing/out")
    assert outcome.status == 2
    assert "error: missing/out: cannot be written: No such file or directory" in outcome.err
    assert "leak.c:12:3: warning[leak]" in outcome.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("library: [", "own.yaml:"),
        ("library: own\nversion: '1'\nfunctoins: []\n", "functoins"),
        ("- 1\n", "own.yaml:"),
        ("", "own.yaml"),
    ],
)
def test_broken_rule_files(mustfree, project, text, message):
    (project / "own.yaml").write_text(text)
    outcome = mustfree("check", "leak.c", "--rules", "own.yaml")
    assert outcome.status == 2
    assert outcome.err.startswith("error: own.yaml")
    assert message in outcome.err


def test_a_missing_rule_file(mustfree):
    outcome = mustfree("check", "leak.c", "--rules", "nowhere.yaml")
    assert outcome.status == 2
    assert "nowhere.yaml" in outcome.err


@pytest.mark.parametrize("content", [None, "{", "[{}]"])
def test_broken_compile_databases(mustfree, project, content):
    if content is not None:
        (project / "compile_commands.json").write_text(content)
    outcome = mustfree("check", "-p", ".", "leak.c")
    assert outcome.status == 2
    assert "compile_commands.json" in outcome.err


@pytest.mark.parametrize("flag", ["-std=klingon", "-march=abacus", "--no-such-flag", "-Wl,x", "-fplugin=evil.so"])
def test_unknown_compiler_flags(mustfree, flag):
    outcome = mustfree("check", "leak.c", "-v", "--", flag)
    assert outcome.status == 1
    assert "leak.c:12:3: warning[leak]" in outcome.out


def test_an_unknown_standard_is_said(mustfree):
    assert "klingon" in mustfree("check", "leak.c", "--", "-std=klingon").err


def test_cpp_is_a_note(mustfree, project):
    (project / "x.cpp").write_text("int x;\n")
    outcome = mustfree("check", ".")
    assert outcome.status == 1
    assert "x.cpp: note: C++ is not analysed" in outcome.err
    assert "1 file skipped" in outcome.last
    named = mustfree("check", "x.cpp", "leak.c")
    assert named.status == 2
    assert "x.cpp: error: C++ is not analysed; name C files or folders" in named.err
    assert "leak.c:12:3" in named.out


def test_columns_in_other_encodings(mustfree, project):
    text = LEAK.replace("\t\treturn -2;", "\t\t/* \xfcber */ return -2;")
    (project / "latin1.c").write_bytes(text.encode("latin-1"))
    (project / "utf8.c").write_bytes(b"\xef\xbb\xbf" + text.encode())
    (project / "crlf.c").write_bytes(text.replace("\n", "\r\n").encode())
    outcome = mustfree("check", "latin1.c", "utf8.c", "crlf.c")
    assert [line.split(" ")[0] for line in outcome.out.splitlines() if "warning[" in line] == [
        "crlf.c:12:14:",
        "latin1.c:12:14:",
        "utf8.c:12:14:",
    ]


def test_hostile_names_and_contents_do_not_steer_the_terminal(mustfree, project):
    name = "\x1b[31mred\x07.c"
    (project / name).write_bytes(LEAK.replace("n > 3", "n > 3 /* \x1b[2J */").encode())
    outcome = mustfree("check", name, "mis\x1b[1msing.c")
    assert outcome.status == 2
    assert "\x1b" not in outcome.out + outcome.err
    assert "\\x1b[31mred\\x07.c:12:3:" in outcome.out


def test_a_mistake_of_ours_is_2_not_1(mustfree, monkeypatch):
    def broken(self, *rest):
        raise ZeroDivisionError

    monkeypatch.setattr("analyzer.workspace.Workspace.analyse", broken)
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert outcome.err.endswith("error: internal error, please report it\n")


@pytest.mark.parametrize("arguments", [("--sarif", "o.out", "--json", "o.out"), ("--sarif", "-", "--markdown", "-")])
def test_two_outputs_in_one_place(mustfree, project, arguments):
    outcome = mustfree("check", "leak.c", *arguments)
    assert outcome.status == 2
    assert f"have one output, {arguments[1]}" in outcome.err
    assert not (project / "o.out").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--sarif", "leak.c", "clean.c"), "this is source code"),
        (("clean.c", "--json", "./clean.c"), "this file is read in this run"),
        (("clean.c", "--rules", "own.yaml", "--json", "own.yaml"), "this file is read in this run"),
    ],
)
def test_an_output_does_not_replace_an_input(mustfree, project, arguments, why):
    (project / "own.yaml").write_text("library: own\n")
    before = {path: path.read_bytes() for path in project.iterdir()}
    outcome = mustfree("check", *arguments)
    assert outcome.status == 2
    assert why in outcome.err
    assert {path: path.read_bytes() for path in project.iterdir()} == before


def test_nothing_analysed_is_not_nothing_found(mustfree, project):
    (project / "compile_commands.json").write_text("[]")
    outcome = mustfree("check", "-p", ".")
    assert outcome.status == 3
    assert "nothing was analysed: no C file is named" in outcome.err
    outcome = mustfree("check", ".", "--only", "nosuch")
    assert outcome.status == 2
    assert "--only nosuch: none of the files that were analysed is it, or lies below it" in outcome.err


def test_contracts_say_by_their_status_what_is_missing(mustfree, project):
    assert mustfree("contracts", "nosuch").status == 2
    (project / "empty").mkdir()
    assert mustfree("contracts", "empty").status == 2
    assert mustfree("contracts", "leak.c").status == 0
    (project / "broken.c").write_text("%%% no C at all\n")
    assert mustfree("contracts", ".").status == 3


def test_a_settings_file_that_cannot_be_one(mustfree, project):
    (project / "pyproject.toml").write_text("[tool.mustfree]\nchecks = [\n")
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert "pyproject.toml:" in outcome.err
    assert "not TOML" in outcome.err
    (project / "pyproject.toml").write_text("[tool.other]\nchecks = [\n")
    assert mustfree("check", "leak.c").status == 1
    (project / "mustfree.toml").symlink_to("nowhere")
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert "mustfree.toml: is a link that leads to no file" in outcome.err
    (project / "mustfree.toml").unlink()
    (project / "mustfree.toml").mkdir()
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert "mustfree.toml: is a folder" in outcome.err


@pytest.mark.parametrize("key", ["compile-commands", "toolchain", "baseline"])
def test_files_that_settings_name_and_that_are_missing(mustfree, project, key):
    (project / "mustfree.toml").write_text(f'jobs = 1\n{key} = "no/such"\n')
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert f"mustfree.toml:2: `{key}`: no such file: no/such; " in outcome.err


def test_rules_check_says_one_thing_of_a_file(mustfree, project):
    text = """library: own
kinds:
  parcel: {release: [parcel_drop], noun: parcel}
functions:
  - c: void *parcel_new(void)
    outcomes:
      - {when: ret != null, then: [fresh ret parcel]}
      - {when: ret == null, then: []}
"""
    release = "  - c: void parcel_drop(void *p)\n    then: [release p parcel]\n"
    (project / "own.yaml").write_text(text)
    outcome = mustfree("rules", "check", "own.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert "no rule describes `parcel_drop`" in outcome.err
    (project / "own.yaml").write_text(text + release)
    outcome = mustfree("rules", "check", "own.yaml")
    assert (outcome.status, outcome.err) == (0, "")
    assert "no mistake found" in outcome.out
    (project / "own.yaml").write_text(text + release + "ignores-null: [parcel_drop, free, parcel_dropx]\n")
    outcome = mustfree("rules", "check", "own.yaml")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err == (
        "own.yaml:11:35: no rule describes `parcel_dropx` of `ignores-null:`; did you mean `parcel_drop`?\n"
    )
