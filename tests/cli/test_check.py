"""`mustfree check`: what is printed where, what is written, and the exit status."""

import io
import json
import re

import pytest

from tests.cli.conftest import CLEAN, LEAK


def test_findings_go_to_standard_output(mustfree):
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 1
    assert outcome.out.startswith(
        "leak.c:12:3: warning[leak]: `p` from malloc() is not freed on this path: the function returns when `n > 3`\n"
    )
    assert "  1. 7:12: malloc() hands out a " in outcome.out
    assert "  help: call free(p) before this point\n" in outcome.out
    assert outcome.last == "1 finding in 1 file"
    assert outcome.err == ""


def test_nothing_found(mustfree):
    outcome = mustfree("check", "clean.c")
    assert (outcome.status, outcome.out, outcome.err) == (0, "0 findings in 1 file\n", "")


def test_files_and_folders_are_one_program(mustfree, project):
    (project / "sub").mkdir()
    (project / "sub" / "more.c").write_text(LEAK.replace("f(", "h("))
    outcome = mustfree("check", ".", "leak.c")
    assert outcome.status == 1
    assert re.findall(r"^\S+: warning", outcome.out, re.MULTILINE) == [
        "leak.c:12:3: warning",
        "sub/more.c:12:3: warning",
    ]
    assert outcome.last == "2 findings in 3 files"


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
def test_any_number_of_workers_gives_the_same_bytes(mustfree, project, jobs):
    for number in range(6):
        (project / f"x{number}.c").write_text(LEAK.replace("f(", f"f{number}("))

    def outputs(jobs, folder):
        outcome = mustfree("check", ".", "-j", jobs, "--sarif", f"{folder}.sarif", "--json", f"{folder}.json")
        return outcome.out, *((project / f"{folder}.{kind}").read_bytes() for kind in ("sarif", "json"))

    assert outputs(jobs, "one") == outputs("0", "two")


def test_machine_outputs_beside_the_text(mustfree, project):
    outcome = mustfree(
        "check", "leak.c", "--sarif", "a.sarif", "--json", "a.json", "--verdicts-csv", "a.csv",
        "--verdicts-json", "v.json",
    )  # fmt: skip
    assert outcome.out.startswith("leak.c:12:3:")
    (result,) = json.loads((project / "a.sarif").read_text())["runs"][0]["results"]
    report = json.loads((project / "a.json").read_text())
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 12
    assert report["findings"][0]["fingerprint"] == result["partialFingerprints"]["mustfree/v1"]
    assert report["summary"]["exit_status"] == 1
    assert "primaryLocationLineHash" in result["partialFingerprints"]
    assert (project / "a.csv").read_text().splitlines()[1].startswith("leak.c,7,12,f,malloc,")
    assert json.loads((project / "v.json").read_text())["totals"] == {"leaked": 1}


@pytest.mark.parametrize("option", ["--sarif", "--json", "--verdicts-json", "--verdicts-csv"])
def test_a_dash_gives_that_output_alone(mustfree, option):
    outcome = mustfree("check", "leak.c", option, "-")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == "1 finding in 1 file"
    if option != "--verdicts-csv":
        json.loads(outcome.out)


def test_verdicts(mustfree):
    outcome = mustfree("check", "leak.c", "clean.c", "--verdicts")
    lines = outcome.out.splitlines()
    assert lines[0].startswith("clean.c:5:7: g(): malloc() ret")
    assert lines[0].endswith(": released")
    assert lines[1] == "leak.c:7:12: f(): malloc() ret (p): leaked"
    assert "2 acquisitions" in lines


def test_exit_zero_reports_only(mustfree):
    outcome = mustfree("check", "leak.c", "--exit-zero")
    assert outcome.status == 0
    assert "warning[leak]" in outcome.out


def test_escaped_resources_are_notes_unless_strict(mustfree, project):
    (project / "e.c").write_text("#include <stdlib.h>\nvoid keep(void *);\nvoid e(void) { keep(malloc(1)); }\n")
    outcome = mustfree("check", "e.c")
    assert outcome.status == 0
    assert outcome.last == "0 findings in 1 file; 1 resource escaped"
    assert mustfree("check", "e.c", "--strict").status == 3
    assert "keep" in mustfree("check", "e.c", "-vv").err
    out = mustfree("check", "e.c", "--unlock").out
    assert "  # a contract for keep() would decide 1 more; first in e.c:" in out
    assert "  - c: void keep(" in out
    (unlock,) = json.loads(mustfree("check", "e.c", "--json", "-").out)["unlocks"]
    assert (unlock["function"], unlock["acquisitions"], unlock["decides"]) == ("keep()", 1, 1)
    assert "keep" not in mustfree("check", "e.c").out


def test_the_end_of_main_is_silent_unless_asked_for(mustfree, project):
    (project / "m.c").write_text(
        "#include <stdlib.h>\n#include <stdio.h>\nint main(void)\n{\n\tchar *p = malloc(3);\n"
        "\tif (p)\n\t\tp[0] = 1;\n\treturn 0;\n}\n"
    )
    assert mustfree("check", "m.c").status == 0
    outcome = mustfree("check", "m.c", "--exit-leaks")
    assert outcome.status == 1
    assert "note[leak]" in outcome.out


def test_compiler_flags_follow_two_dashes(mustfree, project):
    (project / "d.c").write_text(LEAK.replace("\tif (!p)", "#ifndef FINE\n\tn = ;\n#endif\n\tif (!p)"))
    assert mustfree("check", "d.c").last == "1 finding in 1 file; 1 degraded"
    outcome = mustfree("check", "d.c", "--", "-DOTHER=2", "-DFINE")
    assert outcome.status == 1
    assert outcome.last == "1 finding in 1 file"


def test_a_compile_database_gives_each_file_its_flags(mustfree, project):
    (project / "inc").mkdir()
    (project / "inc" / "own.h").write_text("#define CODE -2\n")
    (project / "leak.c").write_text('#include "own.h"\n' + LEAK.replace("-2", "CODE"))
    (project / "build").mkdir()
    (project / "build" / "compile_commands.json").write_text(
        json.dumps([{"directory": "..", "file": "leak.c", "command": "cc -I inc -c leak.c"}])
    )
    assert mustfree("check", "-p", "build", "leak.c").last == "1 finding in 1 file"
    assert mustfree("check", "-p", "build/compile_commands.json").last == "1 finding in 1 file"
    both = mustfree("check", "-p", "build", "leak.c", "clean.c")
    assert "clean.c: note: is not in " in both.err
    assert "leak.c: note" not in both.err


def test_a_compile_database_above_is_found_unless_none_is_wanted(mustfree, project):
    entry = {"directory": ".", "file": "clean.c", "command": "cc -DX -c clean.c"}
    (project / "compile_commands.json").write_text(json.dumps([entry]))
    (project / "clean.c").write_text(CLEAN.replace("\tfree", "#ifdef X\n\tmalloc(2);\n#endif\n\tfree"))
    found = mustfree("check", "clean.c")
    assert found.status == 1
    assert "compile_commands.json: note: found" in found.err
    none = mustfree("check", "clean.c", "-p", "-")
    assert (none.status, none.err) == (0, "")
    assert mustfree("check", "-p", "-").status == 2
    assert mustfree("dump", "ir", "clean.c").out != mustfree("dump", "ir", "clean.c", "-p", "-").out


def test_global_owners_are_shown_on_request(mustfree, project):
    (project / "g.c").write_text("#include <stdlib.h>\nchar *g;\nint main(void) { g = malloc(3); return 0; }\n")
    assert "1 global owner that nothing releases" in mustfree("check", "g.c", "--global-owners").out
    assert "global owner" not in mustfree("check", "g.c").out
    assert "the whole program was not seen" in mustfree("check", "leak.c", "--global-owners").out


def test_nothing_in_a_compile_database_is_executed(mustfree, project):
    entry = {"directory": ".", "file": "leak.c", "command": "touch executed; `touch executed` cc leak.c"}
    (project / "compile_commands.json").write_text(json.dumps([entry]))
    assert mustfree("check", "-p", ".", "leak.c").status == 1
    assert not (project / "executed").exists()


def test_rules_of_the_user_win(mustfree, project):
    (project / "own.c").write_text("struct t *open_t(void);\nvoid x(void) { struct t *t = open_t(); }\n")
    (project / "own.yaml").write_text(
        "library: own\nversion: '1'\nkinds:\n  t: {release: [close_t], noun: thing}\n"
        "declare: |\n  struct t;\n"
        "functions:\n"
        "  - c: struct t *open_t(void)\n"
        "    outcomes:\n"
        "      - {when: ret != null, then: [fresh ret t]}\n"
        "      - {when: ret == null, then: []}\n"
        "  - c: void close_t(struct t *t)\n    then: [release t t]\n"
    )
    assert mustfree("check", "own.c").status == 0
    outcome = mustfree("check", "own.c", "--rules", "own.yaml")
    assert outcome.status == 1
    assert "`t` from open_t() is not closed" in outcome.out


def test_a_rule_may_ask_for_a_global_variable(mustfree, project):
    """Of other files (`mode`) and of this one, where it is static (`keep`)."""
    (project / "rules.yaml").write_text(
        "library: own\nversion: '1'\nfunctions:\n"
        "  - c: void done(char *p)\n"
        "    outcomes:\n"
        "      - {when: '::mode == 1', then: [release p]}\n"
        "      - {when: '::mode != 1', then: []}\n"
        "  - c: void drop(char *p)\n"
        "    outcomes:\n"
        "      - {when: '::keep == 0', then: [release p]}\n"
        "      - {when: '::keep != 0', then: []}\n"
    )
    text = (
        "#include <stdlib.h>\nvoid done(char *p);\nvoid drop(char *p);\nextern int mode;\nstatic int keep;\n"
        "void a(void) { char *p = malloc(3); mode = 1; done(p); }\n"
        "void b(void) { char *p = malloc(3); mode = 2; done(p); }\n"
        "void c(void) { char *p = malloc(3); keep = 0; drop(p); }\n"
        "void d(void) { char *p = malloc(3); keep = 1; drop(p); }\n"
        "void e(void) { char *p = malloc(3); drop(p); done(p); }\n"
    )
    (project / "global.c").write_text(text)
    out = mustfree("check", "global.c", "--rules", "rules.yaml").out
    assert re.findall(r"global.c:(\d+):\d+: warning\[leak\]", out) == ["7", "9"]


def test_colour_is_for_terminals_and_those_who_insist(mustfree, monkeypatch):
    assert "\x1b" not in mustfree("check", "leak.c").out
    assert "\x1b[1;35mwarning[leak]:" in mustfree("check", "leak.c", "--color", "always").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" in mustfree("check", "leak.c", "--color=always").out
    assert "\x1b" not in mustfree("check", "leak.c", "--color=never").out


def test_quiet_and_verbose(mustfree, project):
    (project / "h.c").write_text('#include "nowhere.h"\n' + CLEAN)
    assert "header not found: nowhere.h" in mustfree("check", "h.c").err
    assert mustfree("check", "h.c", "-q").err == ""
    assert re.search(r"1 files, 1 functions, [\d.]+ seconds", mustfree("check", "h.c", "-vv").err)


def test_a_change_of_the_caps_is_obeyed(mustfree):
    outcome = mustfree("check", "leak.c", "--max-steps", "1")
    assert outcome.status == 3
    assert "not analysed" in outcome.last


def test_the_counts_of_an_empty_file(mustfree, project):
    (project / "empty.c").write_bytes(b"")
    assert mustfree("check", "empty.c").out == "0 findings in 1 file\n"


def test_low_confidence_is_counted_and_shown_on_demand(mustfree, project):
    # Two weaknesses: no prototype is in sight, and the function is degraded.
    (project / "low.c").write_text(
        "int g(void *sk)\n{\n\tunsigned char *buf;\n\tint n = nl_recv(sk, 0, &buf, 0);\n\tn = ;\n\treturn n;\n}\n"
    )
    shown = mustfree("check", "low.c", "--all")
    assert shown.status == 1
    assert "confidence: low: a library function was recognised by its name only; statements" in shown.out
    hidden = mustfree("check", "low.c")
    assert hidden.status == 0
    assert "0 findings in 1 file; 1 hidden for low confidence (--all shows them)" in hidden.last


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("option", "shown"), [("-v", True), ("-q", False)])
def test_a_long_run_shows_a_bar_on_a_terminal(mustfree, monkeypatch, option, shown):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("analyzer.cli.analysis._LONG_RUN", 0)
    mustfree("check", ".", option, "-j1")
    assert ("analysing" in terminal.getvalue()) is shown


def test_a_short_run_shows_none(mustfree, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("analyzer.cli.analysis._LONG_RUN", 1e9)
    mustfree("check", ".", "-j1")
    assert "analysing" not in terminal.getvalue()


def test_a_comment_allows_a_finding(mustfree, project):
    (project / "leak.c").write_text(LEAK.replace("return -2;", "return -2; /* mustfree: allow leak(p) because x */"))
    outcome = mustfree("check", "leak.c")
    assert (outcome.status, outcome.out, outcome.err) == (0, "0 findings in 1 file; 1 suppressed\n", "")


def test_a_comment_without_use_is_told(mustfree, project):
    (project / "clean.c").write_text(CLEAN + "/* mustfree: allow leak in file because x */\n")
    outcome = mustfree("check", "clean.c")
    assert outcome.status == 0
    assert outcome.err == "clean.c:7: warning: suppression: there is no leak in this file; remove it\n"
