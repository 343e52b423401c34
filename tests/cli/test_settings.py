"""Settings files: what they do to a run, what is said of their mistakes, and what `mustfree config` shows."""

import json

import pytest

from tests.cli.conftest import LEAK


def write(project, text, name="mustfree.toml"):
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)


def test_paths_are_analysed_when_none_are_typed(mustfree, project):
    write(project, 'paths = ["clean.c"]\n')
    assert mustfree("check").last == "0 findings in 1 file"
    assert mustfree("check", "leak.c").last == "1 finding in 1 file"


def test_no_settings_and_no_paths_is_a_usage_error(mustfree):
    assert mustfree("check").status == 2


def test_pyproject_counts_only_with_our_table(mustfree, project):
    write(project, "[tool.other]\nx = 1\n", "pyproject.toml")
    assert mustfree("check", "leak.c").status == 1
    write(project, "[tool.mustfree]\nexit-zero = true\n", "pyproject.toml")
    assert mustfree("check", "leak.c").status == 0


def test_settings_are_found_upwards_but_not_out_of_a_work_tree(mustfree, project):
    write(project, "exit-zero = true\n")
    write(project, LEAK, "sub/deep/leak.c")
    assert mustfree("check", "sub/deep/leak.c").status == 0
    (project / "sub" / ".git").mkdir()
    assert mustfree("check", "sub/deep/leak.c").status == 1


@pytest.mark.parametrize("pattern", ["leak.c", "le*.c"])
def test_excludes(mustfree, project, pattern):
    write(project, f'exclude = ["{pattern}"]\n')
    assert mustfree("check", ".").last == "0 findings in 1 file"
    outcome = mustfree("check", "--exclude", "clean.c", ".")
    assert (outcome.status, outcome.last) == (3, "0 findings in 0 files; 1 not analysed")
    assert "nothing was analysed: what is excluded leaves no C file" in outcome.err
    assert mustfree("contracts", "--exclude", "clean.c", "leak.c").status in (2, 3)


def test_patterns_that_fit_nothing_are_told(mustfree, project):
    (project / "old").mkdir()
    (project / "old" / "a.txt").write_text("")
    text = 'exclude = ["old", "ol/*", "leek.c"]\ngenerated = ["clean.c", "*.pb.c"]\n'
    write(project, text + 'ignore-allocators = ["malloc", "mallok"]\n')
    outcome = mustfree("check", ".")
    told = [
        line.partition("`")[2] for line in outcome.err.splitlines() if "fits no" in line or "acquires nothing" in line
    ]
    assert told == [
        "exclude`: `ol/*` fits no file and no folder",
        "exclude`: `leek.c` fits no file and no folder",
        "generated`: `*.pb.c` fits no file and no folder",
        "ignore-allocators`: `mallok` acquires nothing in what was read",
    ]
    assert "mustfree.toml:3" in outcome.err
    assert "fits no" not in mustfree("check", "clean.c").err


def test_exclude_of_the_command_line(mustfree):
    assert mustfree("check", "--exclude", "clean.c", ".").last == "1 finding in 1 file"


def test_a_check_that_is_off_is_counted(mustfree, project):
    write(project, 'checks = ["double-release"]\n')
    outcome = mustfree("check", "leak.c")
    assert (outcome.status, outcome.out) == (0, "0 findings in 1 file; 1 switched off by the settings\n")
    write(project, 'checks = ["leak"]\n')
    assert mustfree("check", "leak.c").status == 1


@pytest.mark.parametrize(("name", "status"), [("malloc", 0), ("strdup", 1)])
def test_allocators_can_be_ignored(mustfree, project, name, status):
    write(project, f'ignore-allocators = ["{name}"]\n')
    assert mustfree("check", "leak.c").status == status


def test_levels(mustfree, project):
    write(project, '[levels]\nleak = "error"\n')
    assert "leak.c:12:3: error[leak]" in mustfree("check", "leak.c").out


def test_what_fails(mustfree, project):
    write(project, 'fail-on = ["error"]\n')
    outcome = mustfree("check", "leak.c")
    assert (outcome.status, outcome.last) == (0, "1 finding in 1 file; 1 of them does not fail (--fail-on)")
    assert mustfree("check", "--fail-on", "note", "leak.c").status == 1
    write(project, 'fail-on = ["errors"]\n')
    assert mustfree("check", "leak.c").status == 2


def test_confidence_floor_and_all(mustfree, project):
    low = LEAK.replace("n > 3", "use(p)").replace("int use(const char *text);", "int use(char *text);")
    (project / "low.c").write_text(low)
    for floor in ("low", "medium", "high"):
        write(project, f'confidence = "{floor}"\n')
        shown = json.loads(mustfree("check", "--json", "-", "low.c", "leak.c").out)["findings"]
        order = ["low", "medium", "high"]
        assert all(order.index(finding["confidence"]) >= order.index(floor) for finding in shown)


def test_generated_code_is_counted_and_shown_on_demand(mustfree, project):
    write(project, 'generated = ["gen"]\n')
    write(project, LEAK, "gen/leak.c")
    outcome = mustfree("check", "gen")
    assert (outcome.status, outcome.out) == (
        0,
        "0 findings in 1 file; 1 in generated code (--generated shows them)\n",
    )
    assert mustfree("check", "--generated", "gen").status == 1
    content = json.loads(mustfree("check", "--json", "-", "gen").out)
    assert (content["summary"]["generated"], content["findings"]) == (1, [])


def test_generated_code_still_gives_its_contracts(mustfree, project):
    write(project, 'generated = ["gen.c"]\n')
    write(project, "#include <stdlib.h>\nchar *make(void) { return malloc(3); }\n", "gen.c")
    write(project, "char *make(void);\nvoid h(void) { char *p = make(); if (p) p[0] = 1; }\n", "user.c")
    assert "user.c:2" in mustfree("check", "gen.c", "user.c").out


def test_each_file_has_the_settings_nearest_to_it(mustfree, project):
    write(project, LEAK, "a/one.c")
    write(project, LEAK.replace("f(", "g("), "b/two.c")
    write(project, 'checks = ["double-release"]\n', "a/mustfree.toml")
    outcome = mustfree("check", "a", "b")
    assert outcome.last == "1 finding in 2 files; 1 switched off by the settings"
    assert outcome.out.startswith("b/two.c")


def test_only_limits_what_is_reported(mustfree, project):
    write(project, "#include <stdlib.h>\nchar *make(void) { return malloc(3); }\n", "lib/make.c")
    write(project, "char *make(void);\nvoid h(void) { char *p = make(); if (p) p[0] = 1; }\n", "app/user.c")
    outcome = mustfree("check", "--only", "app", ".")
    assert outcome.out.startswith("app/user.c:2")
    assert "leak.c" not in outcome.out
    assert mustfree("check", "--only", "lib", ".").last == "0 findings in 4 files"


RULES = """library: own
version: "1"
kinds:
  box: {release: [box_free], noun: box}
declare: |
  struct box;
functions:
  - c: struct box *box_new(void)
    outcomes:
      - {when: ret != null, then: [fresh ret box]}
      - {when: ret == null, then: []}
  - c: void box_free(struct box *box)
    then: [release box box]
"""
BOX = "struct box; struct box *box_new(void); void h(void) { struct box *b = box_new(); (void)b; }\n"


@pytest.mark.parametrize("name", ["rules/own.yaml", "rules/*.yaml", "package:mustfree_test_rules"])
def test_rules_by_path_pattern_and_package(mustfree, project, monkeypatch, name):
    write(project, RULES, "rules/own.yaml")
    write(project, RULES, "site/mustfree_test_rules/own.yaml")
    write(project, "raise SystemExit('imported')\n", "site/mustfree_test_rules/__init__.py")
    write(project, BOX, "box.c")
    monkeypatch.syspath_prepend(str(project / "site"))
    assert mustfree("check", "box.c").status == 0
    write(project, f'rules = ["{name}"]\n')
    assert mustfree("check", "box.c").status == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no.yaml", "no such file: no.yaml"),
        ("no/*.yaml", "no file fits no/*.yaml"),
        ("no/[a.yaml", "in the pattern no/[a.yaml a [ lacks its ]"),
        ("package:no_such_package_here", "no Python package no_such_package_here is installed"),
        ("package:a.b", "it takes one without dots"),
    ],
)
def test_rules_that_name_nothing(mustfree, project, name, text):
    write(project, f'\nrules = ["{name}"]\n')
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert "mustfree.toml:2: `rules`" in outcome.err
    assert text in outcome.err


def test_extends_is_the_base_that_the_file_overrides(mustfree, project):
    write(project, "exit-zero = true\nstrict = true\n", "base/common.toml")
    write(project, 'extends = "base/common.toml"\nstrict = false\n')
    rows = json.loads(mustfree("config", "--format", "json").out)["settings"]
    assert rows["exit-zero"] == {"value": True, "from": "base/common.toml:1"}
    assert rows["strict"] == {"value": False, "from": "mustfree.toml:2"}


def test_extends_in_a_circle_or_to_nothing(mustfree, project):
    write(project, 'extends = "mustfree.toml"\n')
    assert "mustfree.toml:1: `extends` comes back to" in mustfree("check", "leak.c").err
    write(project, 'extends = "no.toml"\n')
    assert "no such file" in mustfree("check", "leak.c").err


@pytest.mark.parametrize(
    ("wanted", "good"), [(">=0.0.1", True), (">=0.0.1, <99", True), (">=99", False), ("new", False)]
)
def test_required_version(mustfree, project, wanted, good):
    write(project, f'required-version = "{wanted}"\n')
    outcome = mustfree("check", "clean.c")
    assert outcome.status == (0 if good else 2)
    assert ("mustfree.toml:1: `required-version`" in outcome.err) is not good


def test_all_mistakes_are_told_at_once_with_their_lines(mustfree, project):
    write(project, 'chekcs = ["leak"]\njobs = "many"\nstrict = 1\n\nchecks = ["leaks"]\n[levels]\nleak = "bad"\n')
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    lines = [line.partition("mustfree.toml")[2] for line in outcome.err.splitlines()]
    assert lines[0] == ":1: unknown key `chekcs`; did you mean `checks`?"
    assert lines[1] == ":2: `jobs` takes a whole number, 0 or more"
    assert lines[2] == ":3: `strict` takes true or false"
    assert lines[3].startswith(':5: `checks` "leaks" is not one of leak, ')
    assert lines[4] == ':6: `levels` "bad" is not one of error, warning, note'


def test_broken_toml(mustfree, project):
    write(project, "strict = true\nx = = 1\n")
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    assert "mustfree.toml:2:5: not TOML: " in outcome.err


def test_config_says_where_each_value_comes_from(mustfree, project):
    write(project, "[project]\nstrict = 1\n[tool.mustfree]\nstrict = true\njobs = 3\n", "pyproject.toml")
    out = mustfree("config", "-j", "1", "leak.c").out.splitlines()
    rows = {line.split()[0]: line.partition(" = ")[2] for line in out}
    assert rows["strict"] == "true  # pyproject.toml:4"
    assert rows["jobs"] == "1  # command line"
    assert rows["exit-zero"] == "false  # default"
    assert rows["paths"] == '["leak.c"]  # command line'


VARIANT = '[[variants]]\nname = "%s"\ndefine = ["%s"]\n'
BUILT = LEAK.replace("\tif (n > 3)", "#ifdef TLS\n\tif (n > 3)").replace("-2;", "-2;\n#endif")


def test_variants_of_the_settings_and_of_the_command_line(mustfree, project):
    write(project, BUILT, "built.c")
    assert mustfree("check", "built.c").last == "0 findings in 1 file"
    assert "(only with variant `TLS`)" in mustfree("check", "--define", "TLS", "built.c").out
    assert "(only with variant `X TLS=2`)" in mustfree("check", "--define", "X  TLS=2", "built.c").out
    write(project, VARIANT % ("tls", "TLS") + VARIANT % ("x", "XQ"))
    outcome = mustfree("check", "--define", "YQ", "built.c")
    assert "(only with variant `tls`)" in outcome.out
    assert "mustfree.toml:4: warning: variant `x` changes nothing: no file that was read mentions XQ\n" in outcome.err
    assert "--define: warning: variant `YQ` changes nothing" in outcome.err
    assert mustfree("check", "--no-variants", "built.c").status == 0
    assert "(only with variant `TLS`)" in mustfree("check", "--no-variants", "--define", "TLS", "built.c").out


def test_config_shows_variants(mustfree, project):
    write(project, "[tool.mustfree]\nstrict = true\n[[tool.mustfree.variants]]\nname = 'tls'\nundefine = ['X']\n",
          "pyproject.toml")  # fmt: skip
    rows = json.loads(mustfree("config", "--format", "json", "--define", "B").out)["settings"]
    value = [{"name": "tls", "undefine": ["X"]}, {"name": "B", "define": ["B"]}]
    assert rows["variants"] == {"value": value, "from": "pyproject.toml:3 and command line"}
    rows = json.loads(mustfree("config", "--format", "json", "--no-variants").out)["settings"]
    assert rows["variants"] == {"value": [], "from": "command line"}


def test_flags_of_a_variant_count_from_its_file(mustfree, project):
    write(project, '#include "v.h"\n' + BUILT, "src/built.c")
    write(project, "", "src/v.h")
    write(project, "#define TLS\n", "other/v.h")
    write(project, '[[variants]]\nname = "other"\nflags = ["-include", "other/v.h"]\n')
    assert "(only with variant `other`)" in mustfree("check", "src/built.c").out


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ('\nvariants = "tls"\n', ["2: `variants`: takes tables; write [[variants]] with"]),
        ('\nvariants = ["tls"]\n', ["2: `variants`: takes tables; write [[variants]] with"]),
        ("\n[[variants]]\ndefine = ['A']\n", ["2: `variants`: each needs a `name`"]),
        ('[[variants]]\nname = "a"\n', ['1: `variants`: variant "a": changes nothing; it needs `define`,']),
        (
            VARIANT % ("a", "A B"),
            ['3: `variants`: variant "a": `define` "A B" defines no macro; write NAME, NAME=VALUE'],
        ),
        (
            VARIANT % ("a", "A") + "undefine = ['A', '1']\n",
            ['4: `variants`: variant "a": `undefine` "1" is no name of a macro; write NAME'],
        ),
        (VARIANT % ("a", "A=1") + "undefine = ['A']\n", ['4: `variants`: variant "a": A is both in `define` and in']),
        (
            VARIANT % ("a", "A") + "flags = ['-O2']\n",
            ['4: `variants`: variant "a": `flags` names nothing that changes'],
        ),
        (VARIANT % ("a", "A") + "flags = '-DX'\n", ['4: `variants`: variant "a": `flags` takes a list of texts']),
        (
            VARIANT % ("a", "A") + "\n" + VARIANT % ("a", "B") + "defnie = ['X']\n",
            ['6: `variants`: the name "a" is there twice', '8: `variants`: variant "a": unknown key `defnie`; did you'],
        ),
        ("variants = [{name = 'a'}]\n", ['1: `variants`: variant "a": changes nothing']),
    ],
)
def test_mistakes_in_variants(mustfree, project, text, messages):
    write(project, text)
    outcome = mustfree("check", "leak.c")
    assert outcome.status == 2
    lines = [line.partition("mustfree.toml:")[2] for line in outcome.err.splitlines()]
    assert len(lines) == len(messages)
    assert all(line.startswith(message) for line, message in zip(lines, messages, strict=True)), lines


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--define", "1A"], '--define: "1A" defines no macro; write NAME, NAME=VALUE'),
        (["--define", " "], "--define: takes NAME or NAME=VALUE"),
        (["--define", "A", "--define", "A"], '--define: "A" is there twice; leave one out'),
        (["--define", "a"], "--define: mustfree.toml:1 has a variant `a`, too; leave one of them out"),
    ],
)
def test_mistakes_in_definitions_of_the_command_line(mustfree, project, arguments, message):
    write(project, VARIANT % ("a", "A"))
    outcome = mustfree("check", *arguments, "leak.c")
    assert (outcome.status, message in outcome.err) == (2, True)


STOPS = LEAK.replace("\tif (n > 3)\n\t\treturn -2;", "\tif (n > 3) {\n\t\tstop_now();\n\t\treturn -2;\n\t}")


def test_functions_that_never_return(mustfree, project):
    write(project, STOPS, "stops.c")
    assert mustfree("check", "stops.c").status == 1
    assert mustfree("check", "--noreturn", "stop_*", "stops.c").status == 0
    write(project, 'noreturn = ["stop_now"]\n')
    assert mustfree("check", "stops.c").status == 0
    outcome = mustfree("check", "--noreturn", "stoop", "stops.c")
    assert (outcome.status, outcome.err) == (
        0,
        "noreturn: warning: `stoop` fits no function that is called in what was read\n",
    )
    rows = json.loads(mustfree("config", "--format", "json", "--noreturn", "x").out)["settings"]
    assert rows["noreturn"] == {"value": ["stop_now", "x"], "from": "mustfree.toml:1 and command line"}


def test_what_unknown_functions_do(mustfree, project):
    given = LEAK.replace("const char", "char").replace("\tif (n > 3)", "\tuse(p);\n\tif (n > 3)")
    write(project, given, "given.c")
    assert mustfree("check", "given.c").status == 0
    outcome = mustfree("check", "--unknown-calls", "borrow", "given.c")
    assert "unknown-calls = borrow takes use() to borrow" in outcome.out
    write(project, 'unknown-calls = "borrow"\n')
    assert mustfree("check", "given.c").status == 1
    assert mustfree("check", "--unknown-calls", "escape", "given.c").status == 0
    assert "unknown-calls says so" in mustfree("why", "--unknown-calls", "borrow", "given.c:7").out


def test_a_recorded_toolchain(mustfree, project):
    record = {
        "format": "mustfree-toolchain",
        "version": 1,
        "target": "arm-linux-gnueabihf",
        "include": [],
        "macros": {},
    }
    write(project, json.dumps(record), "build/arm.json")
    write(project, BUILT.replace("#ifdef TLS", "#ifdef __arm__"), "src/built.c")
    write(project, "\n", "mustfree.toml")
    assert mustfree("check", "src").status == 0
    write(project, 'toolchain = "build/arm.json"\n', "mustfree.toml")
    assert mustfree("check", "src").status == 1
    rows = json.loads(mustfree("config", "--format", "json", "src").out)["settings"]
    assert rows["toolchain"] == {"value": str(project / "build" / "arm.json"), "from": "mustfree.toml:1"}
    write(project, 'toolchain = "arm.json"\n', "mustfree.toml")
    outcome = mustfree("check", "src")
    assert outcome.status == 2
    assert "mustfree.toml:1: `toolchain`: no such file: arm.json" in outcome.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\nunknown-calls = "take"\n', ':2: `unknown-calls` "take" is not one of escape, borrow'),
        ('noreturn = ["fatal()"]\n', ':1: `noreturn` "fatal()" is no name of a function; write fatal, or a pattern'),
        ("noreturn = true\n", ":1: `noreturn` takes a list of texts"),
        ("toolchain = 3\n", ":1: `toolchain` takes a text, not empty"),
    ],
)
def test_mistakes_in_what_is_said_of_functions(mustfree, project, text, message):
    write(project, text)
    outcome = mustfree("check", "leak.c")
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err


def test_mistakes_in_names_of_the_command_line(mustfree):
    outcome = mustfree("check", "--noreturn", "a b", "leak.c")
    assert (outcome.status, '--noreturn: "a b" is no name of a function' in outcome.err) == (2, True)
    assert mustfree("check", "--unknown-calls", "take", "leak.c").status == 2
