"""A contract that the project wrote, against what the body of its function shows."""

import pytest

from analyzer.findings.model import NoticeKind, Verdict
from analyzer.workspace import Settings, Workspace

HEAD = 'library: own\nversion: "1"\ndeclare: |\n  struct ctx { char *buf; };\n  struct _IO_FILE;\nfunctions:\n'
BODY = """#include <stdio.h>
#include <stdlib.h>
void unknown(char *);
struct ctx { char *buf; };
%s
"""


def analysed(root, body, contract, **settings):
    (root / "a.c").write_text(BODY % body)
    (root / "own.yaml").write_text(HEAD + contract)
    rules = (str(root / "own.yaml"),)
    return Workspace(Settings(root=str(root), jobs=1, guard=False, rules=rules, **settings)).analyse(["a.c"])


def told(report):
    return [notice.message for notice in report.notices if notice.kind is NoticeKind.WRITTEN]


FRESH = """  - c: char *f(int n)
    outcomes:
      - {when: ret != null, then: [fresh ret heap]}
      - {when: ret == null, then: []}
"""
CASES = [  # body, contract
    ("char *f(int n) { return malloc(n); }", FRESH),
    ("void f(char *p) { free(p); }", "  - c: void f(char *p)\n    then: [release p heap]\n"),
    ("void f(char *p) { free(p); }", "  - c: void f(char *p)\n    then: [take p]\n"),
    ("int f(const char *p) { return puts(p); }", "  - c: int f(const char *p)\n    then: []\n"),
    ("void f(char *p) { unknown(p); }", "  - c: void f(char *p)\n    then: [release p heap]\n"),
    ("void f(char *p) { unknown(p); }", "  - c: void f(char *p)\n    then: []\n"),
    ("struct ctx *all;\nvoid f(char *p) { all->buf = p; }", "  - c: void f(char *p)\n    then: [take p]\n"),
    (
        "void f(struct ctx *c) { if (!c) return; free(c->buf); free(c); }",
        "  - c: void f(struct ctx *c)\n    then: [release c]\n",
    ),
    ("void f(struct ctx *c) { free(c->buf); }", "  - c: void f(struct ctx *c)\n    then: [release c->buf]\n"),
    (
        "int f(char *p, int n) { if (n < 0) return -1; free(p); return 0; }",
        "  - c: int f(char *p, int n)\n    outcomes:\n"
        "      - {when: ret == 0, then: [release p]}\n      - {when: otherwise, then: []}\n",
    ),
    ("void f(char *p) { free(p); exit(1); }", "  - c: void f(char *p)\n    then: [noreturn]\n"),
]


@pytest.mark.parametrize(("body", "contract"), CASES)
def test_agreement_and_what_the_body_does_not_tell_is_silent(tmp_path, body, contract):
    assert told(analysed(tmp_path, body, contract)) == []


DIFFERENCES = [  # body, contract, how it differs
    (
        "void f(char *p) { free(p); }",
        "  - c: void f(char *p)\n    then: []\n",
        "contradicts: the body releases `p`, the contract says that it only borrows it",
    ),
    (
        "int f(const char *p) { return puts(p); }",
        "  - c: int f(const char *p)\n    then: [take p]\n",
        "contradicts: the body only borrows `p`, the contract says that it releases it",
    ),
    (
        "int f(char *p, int n) { if (n < 0) return -1; free(p); return 0; }",
        "  - c: int f(char *p, int n)\n    then: [release p]\n",
        "contradicts: the body only borrows `p` when ret == -1 and n < 0, the contract says that it releases it",
    ),
    (
        "char *f(int n) { return malloc(n); }",
        "  - c: char *f(int n)\n    then: [borrowed ret]\n",
        "contradicts: the body hands out `ret`, to be released with free(); the contract says that nobody has to",
    ),
    (
        'FILE *f(const char *n) { return fopen(n, "r"); }',
        FRESH.replace("char *f(int n)", "struct _IO_FILE *f(const char *n)"),
        "contradicts: the body hands out `ret` when ret != null, to be released with fclose(), "
        "the contract says with free()",
    ),
    (
        "char *f(char *p) { return p; }",
        FRESH.replace("int n", "char *p"),
        "contradicts: the body hands out nothing in `ret` when ret != null that the caller must release, "
        "the contract says that it does",
    ),
    (
        "char *f(int n) { return malloc(n); }",
        "  - c: char *f(int n)\n    then: []\n",
        "says less: the body hands out `ret`, to be released with free(); the contract does not say so",
    ),
    (
        "void f(struct ctx *c) { free(c->buf); }",
        "  - c: void f(struct ctx *c)\n    then: []\n",
        "says less: the body releases `c->buf`, the contract does not say so",
    ),
    (
        "void f(char *p) { free(p); }",
        "  - c: void f(char *p)\n    then: [escape p]\n",
        "says less: the body releases `p`, the contract does not say so",
    ),
]


@pytest.mark.parametrize(("body", "contract", "message"), DIFFERENCES)
def test_differences_name_both_places(tmp_path, body, contract, message):
    report = analysed(tmp_path, body, contract)
    (notice,) = [one for one in report.notices if one.kind is NoticeKind.WRITTEN]
    assert notice.message == f"{message} (its calls follow {tmp_path}/own.yaml:7)"
    assert (notice.file, notice.line, notice.function) == ("a.c", 5, "f")
    assert not [one for one in report.notices if one.kind is NoticeKind.CONTRADICTION]


def test_what_was_written_wins_all_the_same(tmp_path):
    body = "void f(char *p) { free(p); }\nvoid g(void) { f(malloc(3)); }"
    assert [a.verdict for a in analysed(tmp_path, body, "  - c: void f(char *p)\n    then: []\n").acquisitions] == [
        Verdict.LEAKED
    ]
    assert [
        a.verdict for a in analysed(tmp_path, body, "  - c: void f(char *p)\n    then: [take p]\n").acquisitions
    ] == [Verdict.MOVED]


def test_inferred_contracts_can_be_copied_into_a_rule_file(tmp_path):
    body = "\n".join(
        body.replace(" f(", f" f{number}(").replace("*f(", f"*f{number}(")
        for number, (body, *_) in enumerate([*CASES, *DIFFERENCES])
    )
    report = analysed(tmp_path, body, FRESH, summaries=True)
    copied = "\n".join(line for one in report.summaries if one.known for line in one.lines) + "\n"
    again = analysed(tmp_path, body, copied, summaries=True)
    assert told(again) == []
    assert len(again.summaries) == len(CASES) + len(DIFFERENCES)
    assert all(one.lines[0].endswith("is used instead, and agrees") for one in again.summaries)


def test_kinds_of_the_packs_may_be_named(tmp_path):
    body = "char *f(int n);\nvoid g(void) { f(3); }"
    assert [a.verdict for a in analysed(tmp_path, body, FRESH).acquisitions] == [Verdict.LEAKED]
    own = HEAD.replace("functions:", "kinds:\n  heap: {release: [free], noun: lump}\nfunctions:")
    (tmp_path / "two.yaml").write_text(own.replace("own", "two") + FRESH.replace("*f(", "*two("))
    settings = Settings(root=str(tmp_path), jobs=1, rules=(str(tmp_path / "own.yaml"), str(tmp_path / "two.yaml")))
    table = Workspace(settings).table
    named = [table.all_named(name)[0].outcomes[0].effects[0].resource for name in ("f", "two")]
    assert [(name, table.kinds[name].noun) for name in named] == [
        ("libc/heap", "block of memory"),
        ("two/heap", "lump"),
    ]
