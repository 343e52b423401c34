"""Mistakes in rule files: all at once, each with its place and what to do."""

from pathlib import Path

import pytest

from analyzer.contracts.loader import load_pack
from analyzer.errors import ContractError
from tests.contracts.packs import entry_problems, problems


def test_all_mistakes_are_listed_in_file_order():
    found = problems("""\
        library: lib
        version: 1
        kind: {}
        kinds:
          heap: {release: [lib_free], deep: yes, cwe: 0401}
          heap: {release: []}
        functions:
          - c: void lib_free(void *p)
            then: [relase p]
          - c: wrong_t lib_get(void)
            then: []
          - c: void lib_put(void *p)
    """)
    assert found == [
        'lib.yaml:2:10: YAML reads `1` as a number, `version:` is a text; write "1"',
        "lib.yaml:3:1: unknown key `kind` in the rule file; known: library, version, headers, kinds, "
        "declare, functions, borrows, static, pure, ignores-null, waits, calls, compares, notes",
        "lib.yaml:5:37: `deep:` must be true or false, not `yes`; write one of them",
        "lib.yaml:5:47: `cwe:` of kind `heap` must be a decimal number, not `0401`; write digits without leading 0",
        "lib.yaml:6:3: `heap` stands twice in `kinds:`; remove one",
        "lib.yaml:9:12: `relase p` is no effect; did you mean `release`?",
        "lib.yaml:10:8: C: unknown type name 'wrong_t'; correct the declaration, or add the type to `declare:`",
        "lib.yaml:12:5: the function has no effects; add `then:` or `outcomes:`, or list it in `borrows:`",
    ]


FILES = {
    "": "1:1: not a mapping",
    "- a\n": "1:1: not a mapping",
    "library: [\n": "2:1: not YAML",
    "library: lib\n  x: y\n": "2:4: not YAML",
    "library: lib\nfunctions:\n  - {c: int f(int *a), then: write *a}\n    x: 1\n": "4:5: not YAML",
    "library: lib\nnotes: {a: *b}\n": "2:12: not YAML",
    "library: lib\n---\nlibrary: lib\n": "2:1: not YAML",
    "library: l\x00b\n": "1:1: not YAML",
    "version: 'x'\n": "1:1: the rule file has no `library:`; add it",
    "library: on\n": '1:10: YAML reads `on` as a boolean, `library:` is a text; write "on"',
    "library: 3.2\n": '1:10: YAML reads `3.2` as a number, `library:` is a text; write "3.2"',
    "library: 010\n": '1:10: YAML reads `010` as a number, `library:` is a text; write "010"',
    "library: 2024-01-01\n": "1:10: YAML reads `2024-01-01` as a date, `library:` is a text",
    "library:\n": "1:9: `library:` must be a text, not nothing; write one",
    "library: l\nlibrary: m\n": "2:1: key `library` stands twice in the rule file; remove one",
    "library: l\nheaders: a.h\n": "2:10: `headers:` must be a list, not a text; write `[...]`",
    "library: l\nkinds: [a]\n": "2:8: `kinds:` must be a mapping, not a list",
    "library: l\nkinds: {a: {}}\n": "2:12: kind `a` has no `release:`; add it",
    "library: l\nkinds: {a: {release: []}}\n": "2:22: `release:` of kind `a` is empty",
    "library: l\nkinds: {a: {release: ['f()']}}\n": "2:23: `f()` is no function name",
    "library: l\nkinds: {1a: {release: [f]}}\n": "2:9: `1a` cannot name a kind",
    "library: l\nkinds: {a: {release: [f], failure: [x]}}\n": "2:37: a failure value of kind `a`",
    "library: l\ndeclare: |\n  int x;\n  foo y;\n": "4:3: C: unknown type name 'foo'; correct `declare:`",
    "library: l\nfunctions:\n  - {c: int f(void), then: [], replaces: 'g()'}\n": "3:42: `g()` is no function name",
    "library: l\nfunctions:\n  - {c: int f(void), then: [], replaces: [g]}\n": "3:42: `replaces:` must be a mapping",
    "library: l\nborrows:\n  - int f(void);\n": "3:5: `int f(void);` is not one C declaration",
    "library: l\nborrows:\n  - int f(\n": "3:5: `int f(` is not one C declaration",
    "library: l\nborrows:\n  - int x\n": "3:5: not the declaration of one function",
    "library: l\nborrows:\n  - int f()\n": "3:5: `f()` has no prototype",
    "library: l\nborrows:\n  - int f(void)\n  - int f(void)\n": "4:5: `f` is described in line 3 already",
    "library: l\nfunctions:\n  - int f(void)\n": "3:5: a function must be a mapping, not a text",
    "library: l\nfunctions:\n  - {then: []}\n": "3:5: a function has no `c:`; add it",
}


@pytest.mark.parametrize("text", FILES)
def test_files(text: str):
    found = problems(text)
    assert found and found[0].startswith(f"lib.yaml:{FILES[text]}"), found


ENTRIES = {
    "{c: int f(char **out), then: fresh out heap}": "the caller's `out` cannot change; write `*out`",
    "{c: int f(char *out), then: fresh *out heap}": "`*out` is an integer, kind `heap` is not",
    "{c: int f(int a), then: fresh *a heap}": "`*a` looks behind int, which is no pointer",
    "{c: void f(char *a), then: 'null ::list'}": "a `::global` can only be released, escape, or stand in a condition",
    "{c: void f(int a), then: fresh ret heap}": "the function returns nothing",
    "{c: char *f(int a), then: fresh ret fd}": "`ret` is a pointer, kind `fd` is an integer",
    "{c: int f(int a), then: fresh ret heap}": "`ret` is an integer, kind `heap` is not",
    "{c: int f(int a), then: release ret}": "`release` is about an argument, not `ret`; name a parameter",
    "{c: void f(char *a), then: return a}": "`return` needs a returned pointer; the result is void",
    "{c: int f(int *a), then: write a->b}": "`a->b` names a member, but int * points to no struct",
    "{c: int f(char *a), outcomes: [{when: a > 0, then: []}]}": "`a` is a pointer; compare it with == or !=",
    "{c: int f(double a), outcomes: [{when: a == 0, then: []}]}": "`a` is a float; compare an integer",
    "{c: int f(int a), outcomes: []}": "`outcomes:` is empty",
    "{c: int f(int a), outcomes: [{when: [], then: []}, {when: ret == 0, then: []}]}": "`when:` is empty",
    "{c: int f(int a), outcomes: [{then: []}, {when: ret == 0, then: []}]}": "an outcome has no `when:`",
    "{c: int f(int a), outcomes: [{when: otherwise, then: []}, {when: ret > 0, then: []}]}": "not the last",
    "{c: int f(int a), outcomes: [{when: ret > 0, then: []}, {when: ret <= 0, then: []}, "
    "{when: otherwise, then: []}]}": "nothing is left for `otherwise`",
    "{c: int f(int a), outcomes: [{when: ret == N_NO, then: []}]}": "`N_NO` is not known; define",
    "{c: int f(int a), then: [], outcomes: []}": "both `then:` and `outcomes:`",
    "{c: int f(int a), then: [], since: 3.2}": "YAML reads `3.2` as a number",
    "{c: int f(int a), then: [], returns: a}": "`a` is no condition",
    "{c: int f(int a), then: [[]]}": "an item of `then:` must be a text, not a list",
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_functions(entry: str):
    found = entry_problems(entry)
    assert any(ENTRIES[entry] in line for line in found), found


def test_the_column_is_that_of_the_mistake_inside_a_text():
    (problem,) = problems("""\
        library: lib
        functions:
          - c: int f(int a, nope_t b)
            then: []
    """)
    assert problem.startswith("lib.yaml:3:21: C: unknown type name 'nope_t'")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"library: l\nnotes: {a: \xff}\n", "2:1: not UTF-8 text; save the file as UTF-8"),
        (b"\xef\xbb\xbflibrary: [\n", "2:1: not YAML"),
    ],
)
def test_bytes(tmp_path: Path, data: bytes, what: str):
    file = tmp_path / "rules.yaml"
    file.write_bytes(data)
    with pytest.raises(ContractError) as caught:
        load_pack(file, shown="rules.yaml")
    assert caught.value.problems[0].startswith(f"rules.yaml:{what}")


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ContractError, match=r"none\.yaml:1:1: cannot be read: No such file"):
        load_pack(tmp_path / "none.yaml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path):
    file = tmp_path / "rules.yaml"
    file.write_bytes(b"\xef\xbb\xbflibrary: l\r\nborrows:\r\n  - int f(void)\r\n")
    assert [f.name for f in load_pack(file).functions] == ["f"]
