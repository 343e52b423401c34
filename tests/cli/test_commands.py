"""The other commands, and what they say to a newcomer."""

import re

import pytest

from analyzer import __version__
from analyzer.checks import CHECKS


def test_help_teaches(mustfree):
    out = mustfree("--help").out
    for command in ("check", "completion", "dump", "explain", "rules"):
        assert re.search(rf"^  {command} +\S", out, re.MULTILINE)
    assert "mustfree check -p build src/" in out


def test_help_of_check_lists_every_exit_status(mustfree):
    out = mustfree("check", "--help").out
    assert "PATH... [-- COMPILER FLAGS]" in out
    assert [line.split()[0] for line in out.splitlines() if re.match(r"  +[0-3]  ", line)] == list("2130")


def test_version_names_what_takes_part(mustfree):
    out = mustfree("--version").out
    assert out.startswith(f"mustfree {__version__}\n")
    assert "  libclang 18.1.1\n" in out
    assert re.search(r"^  pack libc \S+$", out, re.MULTILINE)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_explain_shows_the_page(mustfree, check):
    outcome = mustfree("explain", check.id)
    assert outcome.status == 0
    assert outcome.out == check.help.rstrip() + "\n"


def test_explain_without_a_check_lists_them(mustfree):
    assert [line.split()[0] for line in mustfree("explain").out.splitlines()] == [c.id for c in CHECKS]


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["check"],
        ["check", "--bogus", "leak.c"],
        ["check", "leak.c", "-j", "-1"],
        ["explain", "bogus"],
        ["dump", "bogus", "leak.c"],
        ["dump", "ir", "nowhere.c"],
        ["dump", "ir", "leak.c", "nofunction"],
        ["completion", "tcsh"],
    ],
)
def test_usage_errors_are_2_and_on_standard_error(mustfree, arguments):
    outcome = mustfree(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(mustfree, shell):
    out = mustfree("completion", shell).out
    assert "_MUSTFREE_COMPLETE" in out
    assert "mustfree" in out


def test_completion_completes(process):
    outcome = process(
        env={"_MUSTFREE_COMPLETE": "bash_complete", "COMP_WORDS": "mustfree che", "COMP_CWORD": "1"},
        code="import sys; sys.argv[0] = 'mustfree'",
    )
    assert "check" in outcome.out


def test_dump_ir_can_be_read_back(mustfree):
    from analyzer.ir.reader import parse_function

    outcome = mustfree("dump", "ir", "leak.c", "f")
    assert outcome.status == 0
    assert parse_function(outcome.out).name == "f"
    assert "unit " in mustfree("dump", "ir", "leak.c").out


def test_dump_cfg(mustfree):
    assert re.search(r"bb\d+ -> bb\d+  when ", mustfree("dump", "cfg", "leak.c", "f").out)
    dot = mustfree("dump", "cfg", "leak.c", "f", "--dot").out
    assert dot.startswith('digraph "f" {')


def test_dump_states(mustfree):
    out = mustfree("dump", "states", "leak.c").out
    assert out.startswith("function f\nbb0:\n")
    assert "| p OWNED" in out


def test_dump_knows_functions_without_any_resource(mustfree, project):
    (project / "n.c").write_text("int n(int x) { return x + FLAG; }\n")
    assert "return" in mustfree("dump", "ir", "n.c", "n", "--", "-DFLAG=1").out


def test_why_explains_a_line(mustfree):
    outcome = mustfree("why", "leak.c:7")
    assert outcome.status == 0
    assert outcome.out.splitlines()[:3] == [
        "leak.c:7:12: malloc() ret (`p`)",
        "verdict: leaked",
        "the way that decides:",
    ]
    assert "  - in the code: call free(p) before this point" in outcome.out
    assert mustfree("why", "leak.c:7", "--json").out.startswith('{\n "format": "mustfree-why"')


def test_why_says_that_there_is_nothing_to_explain(mustfree):
    outcome = mustfree("why", "leak.c:1", ".")
    assert outcome.status == 1
    assert outcome.out == (
        "leak.c:1: line 1 lies in no function that was read\nleak.c:1: no acquisition is explained\n"
    )


def test_why_needs_a_place_that_is_there(mustfree):
    assert "write FILE:LINE" in mustfree("why", "leak.c").err
    assert mustfree("why", "leak.c").status == 2
    assert mustfree("why", "nowhere.c:1").status == 2


def test_dump_states_of_a_program(mustfree, project):
    (project / "make.c").write_text("#include <stdlib.h>\nchar *make(void) { return malloc(3); }\n")
    (project / "user.c").write_text("char *make(void);\nvoid u(int n) { char *x = make(); if (n) n = 1; }\n")
    assert "OWNED" in mustfree("dump", "states", "user.c", "u", ".").out
    assert "OWNED" not in mustfree("dump", "states", "user.c", "u").out


def compiler(folder, script):
    """A program that stands for a cross compiler."""
    path = folder / "arm-own-gcc"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_recorded_compiler_is_used_without_being_run(mustfree, project):
    from tests.program.test_toolchain import LOG, MACROS

    (project / "macros").write_text(MACROS)
    (project / "log").write_text(LOG)
    path = compiler(project, 'echo "$@" > called; cat macros; cat log >&2')
    outcome = mustfree("toolchain", "record", path, "-mcpu=cortex-a9")
    assert outcome.status == 0
    assert (project / "called").read_text() == "-mcpu=cortex-a9 -E -dM -v -x c /dev/null\n"
    (project / "arm.json").write_text(outcome.out)
    (project / "called").unlink()
    (project / "arm.c").write_text("#include <stdlib.h>\n#ifdef __arm__\nvoid f(void) { malloc(3); }\n#endif\n")
    assert mustfree("check", "--toolchain", "arm.json", "arm.c").status == 1
    assert mustfree("check", "arm.c", "leak.c").out.count("arm.c:") == 0
    assert not (project / "called").exists()


def test_a_compiler_that_cannot_be_recorded(mustfree, project):
    assert "cannot be run" in mustfree("toolchain", "record", "./nowhere").err
    failing = mustfree("toolchain", "record", compiler(project, "echo bad flag >&2; exit 4"))
    assert (failing.status, failing.out) == (2, "")
    assert "ended with status 4: bad flag" in failing.err
    assert mustfree("toolchain", "record", compiler(project, "true")).status == 2
