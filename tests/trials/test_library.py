"""Packs held against the sources of a library: what agrees, what says less, what contradicts."""

from pathlib import Path

import pytest

from analyzer.errors import ContractError, MustfreeError
from analyzer.trials.explained import read_explained
from analyzer.trials.library import Comparison, Result, compare_pack


def says(declaration: str, effects: str = "") -> str:
    return f"  - c: {declaration}\n    then: [{effects}]\n"


def hands_out(declaration: str, kind: str) -> str:
    cases = f"{{when: ret != null, then: [fresh ret {kind}]}}", "{when: ret == null, then: []}"
    return f"  - c: {declaration}\n    outcomes:\n      - {cases[0]}\n      - {cases[1]}\n"


HEAD = """\
library: post
kinds:
  parcel: {release: [parcel_drop], noun: parcel}
  letter: {release: [letter_put], share: [letter_get], noun: letter}
  text: {release: [free], noun: text}
declare: |
  struct parcel; struct letter; struct post;
functions:
"""
# Drops and shares, which the kinds need.
BASE = """\
  - c: void parcel_drop(struct parcel *parcel)
    then: [release parcel parcel]
  - c: void letter_put(struct letter *letter)
    then: [release letter letter]
  - c: struct letter *letter_get(struct letter *letter)
    then: [share letter letter, return letter]
"""
C = """\
#include <stdlib.h>
#include <string.h>
struct parcel { char *label; int weight; struct parcel *next; };
struct letter { int refs; char *text; };
struct post { struct parcel *first; struct letter *letter; void *user; void (*sort)(struct post *); };
void parcel_drop(struct parcel *parcel) { if (!parcel) return; free(parcel->label); free(parcel); }
void letter_put(struct letter *letter)
{ if (!letter) return; if (--letter->refs == 0) { free(letter->text); free(letter); } }
struct letter *letter_get(struct letter *letter) { letter->refs++; return letter; }
"""
NEW = """  - c: struct parcel *f(int weight)
    outcomes:
      - {when: ret != null, then: [fresh ret parcel]}
      - {when: ret == null, then: []}
"""
FETCH = """  - c: int f(int number, struct parcel **out)
    outcomes:
      - {when: ret > 0, then: [fresh *out parcel]}
      - {when: ret <= 0, then: ["unchanged *out"]}
"""
SEND = """  - c: int f(struct post *post, struct parcel *parcel)
    outcomes:
      - {when: ret == 0, then: [take parcel]}
      - {when: ret != 0, then: []}
"""


def compared(root: Path, body: str, rule: str, explained=None) -> Comparison:
    (root / "post.c").write_text(C + body)
    (root / "post.yaml").write_text(HEAD + BASE + rule)
    return compare_pack(root / "post.yaml", False, [str(root / "post.c")], explained=explained)


def result(found: Comparison) -> tuple[Result, list[str]]:
    (one,) = [one for one in found.functions if one.contract.name == "f"]
    return one.result, [remark.text for remark in one.remarks]


AGREEING = [  # what the library does, what the pack says
    ("struct parcel *f(int weight) { return calloc(1, sizeof(struct parcel)); }", NEW),
    (
        "int f(int number, struct parcel **out) { if (number < 1) return 0; *out = malloc(64); return *out ? 1 : -1; }",
        FETCH,
    ),
    ("int f(struct parcel *parcel) { return parcel->weight; }", says("int f(struct parcel *parcel)")),
    (
        "void f(struct parcel *parcel) { parcel_drop(parcel); }",
        says("void f(struct parcel *parcel)", "take parcel"),
    ),
    # A share that is given back is a release to the caller.
    (
        "void f(struct letter *letter) { letter_put(letter); }",
        says("void f(struct letter *letter)", "release letter"),
    ),
    (
        "char *f(struct parcel *parcel) { return (char *)parcel + 8; }",
        says("char *f(struct parcel *parcel)", "interior parcel"),
    ),
    # What the library releases inside of its object is its own affair.
    (
        "void f(struct parcel *parcel) { free(parcel->label); parcel->label = 0; }",
        says("void f(struct parcel *parcel)"),
    ),
    # Where the contract does not speak of null, it is no case of it.
    (
        "void f(struct post *post, struct parcel *parcel) { if (!post) return; parcel_drop(parcel); }",
        says("void f(struct post *post, struct parcel *parcel)", "take parcel"),
    ),
]


@pytest.mark.parametrize(("body", "rule"), AGREEING)
def test_agreement(tmp_path, body, rule):
    found = compared(tmp_path, body, rule)
    assert result(found) == (Result.AGREES, [])
    assert found.passed and found.seen == 4


TELLING_LESS = [
    # A pointer into an argument is also what is said of a result that may be one.
    ("char *f(char *text) { return text + 1; }",
     hands_out("char *f(char *text)", "text"),
     "the body perhaps lends `ret` when ret != null, the contract says that it hands it out"),
    # Unknown code gets it.
    ("void unknown(struct parcel *); void f(struct parcel *p) { unknown(p); }",
     says("void f(struct parcel *parcel)", "release parcel"),
     "the body puts `parcel` out of sight, the contract says that it releases or takes over it"),
    # Who stores it may own it or not.
    ("int f(struct post *post, struct parcel *parcel) { post->first = parcel; return 0; }", SEND,
     "the body keeps `parcel` when ret == 0, the contract says that it releases or takes over it"),
    # The count of references is a number as any.
    ("struct letter *f(struct post *post) { return letter_get(post->letter); }",
     hands_out("struct letter *f(struct post *post)", "letter"),
     "the body lends `ret` when ret != null, the contract says that it hands it out"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rule", "text"), TELLING_LESS)
def test_what_the_body_does_not_tell(tmp_path, body, rule, text):
    found = compared(tmp_path, body, rule)
    assert result(found) == (Result.TELLS_LESS, [text])
    assert found.passed


SAYING_LESS = [
    ("void f(struct post *post, struct parcel *parcel) { post->first = parcel; }",
     says("void f(struct post *post, struct parcel *parcel)"),
     "the body keeps `parcel`, the contract says that it only borrows it"),
    ("void f(struct parcel *parcel) { parcel_drop(parcel); }",
     says("void f(struct parcel *parcel)", "escape parcel"),
     "the body releases or takes over `parcel`, the contract says that it puts it out of sight"),
    ("char *f(char *text) { return text + 1; }", says("char *f(char *text)"),
     "the body returns a pointer into `text`, the contract does not say so"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rule", "text"), SAYING_LESS)
def test_what_the_contract_does_not_say(tmp_path, body, rule, text):
    found = compared(tmp_path, body, rule)
    assert result(found) == (Result.SAYS_LESS, [text])
    assert found.passed


CONTRADICTING = [
    # Handed out in a case in which it is not, and the reverse.
    ("int f(int number, struct parcel **out) { *out = malloc(64); return *out ? 0 : -1; }", FETCH,
     "*out", "the body hands `*out` out when ret == 0, the contract says that it hands out nothing in it"),
    ("int f(int number, struct parcel **out) { return number; }", FETCH,
     "*out", "the body hands out nothing in `*out` when ret >= 0, the contract says that it hands it out"),
    ("struct parcel *f(int weight) { static struct parcel one; return &one; }", NEW,
     "ret", "the body lends `ret` when ret != null, the contract says that it hands it out"),
    ("struct parcel *f(int weight) { return malloc(64); }", says("struct parcel *f(int weight)"),
     "ret", "the body hands `ret` out when ret != null, the contract says that it lends it"),
    # Taken in a case in which it is not, and the reverse.
    ("int f(struct post *post, struct parcel *parcel) { if (parcel->weight > 9) return -1; "
     "parcel_drop(parcel); return -2; }",
     SEND.replace("ret == 0", "ret < 0").replace("ret != 0", "ret >= 0"),
     "parcel", "the body only borrows `parcel` when ret == -1 and parcel->weight >= 10, "
     "the contract says that it releases or takes over it"),
    ("int f(struct post *post, struct parcel *parcel) { parcel_drop(parcel); return -1; }", SEND,
     "parcel", "the body releases or takes over `parcel` when ret != 0, the contract says that it only borrows it"),
    ("int f(int fd) { char c; return read(fd, &c, 1) + close(fd); }", says("int f(int fd)"),
     "fd", "the body releases or takes over `fd`, the contract says that it only borrows it"),
    # Kept, shared, given back, another release, another object, no return.
    ("void f(struct post *post, void *user) { post->first = 0; }",
     says("void f(struct post *post, void *user)", "keep user"),
     "user", "the body only borrows `user`, the contract says that it keeps it"),
    ("int f(struct letter *letter) { return letter->refs; }",
     says("int f(struct letter *letter)", "share letter letter"),
     "letter", "the body only borrows `letter` when ret >= 0, the contract says that it adds a share to it"),
    ("void f(struct letter *letter) { letter_put(letter); }", says("void f(struct letter *letter)"),
     "letter", "the body gives back a share of `letter`, the contract says that it only borrows it"),
    ("void *f(const char *name) { return fopen(name, name); }",
     hands_out("void *f(const char *name)", "text"),
     "ret", "the body hands `ret` out when ret != null, to be released with fclose(), the contract says with free()"),
    ("char *f(char *one, char *two) { return two + 1; }", says("char *f(char *one, char *two)", "interior one"),
     "ret", "the body returns a pointer into `two`, the contract says into `one`"),
    ("void f(int status) { exit(status); }", says("void f(int status)"),
     "returns", "the body does not return, the contract says that it does"),
    ("int f(int status) { return status; }", says("int f(int status)", "noreturn"),
     "returns", "the body returns, the contract says that it does not"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rule", "term", "text"), CONTRADICTING)
def test_contradictions_and_their_reasons(tmp_path, body, rule, term, text):
    body = f"#include <stdio.h>\n#include <unistd.h>\n{body}"
    found = compared(tmp_path, body, rule)
    assert result(found) == (Result.CONTRADICTS, [text])
    assert not found.passed and not found.stale
    again = compared(tmp_path, body, rule, {("f", term): "we know better"})
    assert result(again) == (Result.EXPLAINED, [text]) and again.passed
    other = compared(tmp_path, body, rule, {("f", "elsewhere"): "we know better"})
    assert result(other)[0] is Result.CONTRADICTS
    assert other.stale == (("f", "elsewhere"),)


def test_the_pack_itself_says_nothing_of_what_the_library_calls(tmp_path):
    """f drops the parcel only because parcel_drop does; a pack that denies that must not be believed."""
    body = "void f(struct parcel *parcel) { parcel_drop(parcel); }"
    (tmp_path / "post.c").write_text(C + body)
    denied = BASE.replace("[release parcel parcel]", "[]") + says("void f(struct parcel *parcel)", "take parcel")
    (tmp_path / "post.yaml").write_text(HEAD.replace("[parcel_drop]", "[f]") + denied)
    found = compare_pack(tmp_path / "post.yaml", False, [str(tmp_path)])
    results = {one.contract.name: one.result for one in found.functions}
    assert results["f"] is Result.AGREES and results["parcel_drop"] is Result.CONTRADICTS


def test_what_cannot_be_compared_is_counted(tmp_path):
    rule = says("int f(struct parcel *parcel, int more)") + says("int g(void)") + says("int h(int n)")
    found = compared(tmp_path, "int f(struct parcel *p) { return 1; }\nint h(int n) { lost lost; return n; }", rule)
    results = {one.contract.name: one.result for one in found.functions}
    assert (results["f"], results["g"], results["h"]) == (Result.OTHER, Result.ABSENT, Result.NOT_INFERRED)
    assert [one.why for one in found.functions if one.why] == ["it has 1 parameter, not 2"]
    assert not found.passed and found.seen == 3


def test_sources_that_are_not_the_librarys(tmp_path):
    (tmp_path / "other.c").write_text("int other(void) { return 1; }\n")
    (tmp_path / "post.yaml").write_text(HEAD + BASE)
    with pytest.raises(MustfreeError, match="defines none of its functions; name the library's sources"):
        compare_pack(tmp_path / "post.yaml", False, [str(tmp_path / "other.c")])
    with pytest.raises(MustfreeError, match="no such file or folder; name the library's sources"):
        compare_pack(tmp_path / "post.yaml", False, [str(tmp_path / "nothing")])


def test_reasons_are_read_with_their_mistakes(tmp_path):
    file = tmp_path / "post.explained.yaml"
    file.write_text('f:\n  "*out": It is\n    long.\n  ret: Because.\n')
    assert read_explained(file) == {("f", "*out"): "It is long.", ("f", "ret"): "Because."}
    file.write_text("")
    assert read_explained(file) == {}
    file.write_text('f:\n  ret: 3\n  ret: "x"\ng: why\nh:\n  ret: ""\n')
    with pytest.raises(ContractError) as error:
        read_explained(file)
    assert [problem.partition(": ")[0] for problem in error.value.problems] == [
        f"{file}:{at}" for at in ("2:8", "3:3", "4:4", "6:8")
    ]
