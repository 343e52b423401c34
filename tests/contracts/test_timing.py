"""`waits:`, `calls:` and `compares:`: which functions wait, which call what they are given, which only compare it."""

import pytest

from analyzer.contracts import load_packs
from analyzer.contracts.text import pack_text, timing_sentences
from tests.contracts.packs import pack, problems

FUNCTIONS = """\
library: lib
declare: |
  typedef int (*visit_t)(void *item);
borrows:
  - int lib_wait(int fd)
  - void lib_each(void *list, visit_t visit)
  - void lib_on(int event, visit_t visit, visit_t wrong)
  - int lib_other(int fd)
"""


def described(text: str):
    return {function.name: function for function in pack(FUNCTIONS + text).functions}


def test_what_is_said_of_functions():
    found = described("""\
waits: {lib_wait: message}
calls:
  lib_each: visit
  lib_on: {visit: event, wrong: failed event}
""")
    assert found["lib_wait"].waits == "message" and not found["lib_other"].waits
    assert found["lib_each"].calls == ((1, ""),)
    assert found["lib_on"].calls == ((1, "event"), (2, "failed event"))
    assert not found["lib_other"].calls
    assert list(timing_sentences(found["lib_on"])) == [
        "calls visit for each event",
        "calls wrong for each failed event",
    ]
    assert list(timing_sentences(found["lib_each"])) == ["calls visit while it runs"]
    assert list(timing_sentences(found["lib_wait"])) == ["waits for a message: a loop around it takes a round for each"]


def test_what_is_only_compared():
    read = pack(FUNCTIONS + "compares: {lib_each: list}\n")
    found = {function.name: function for function in read.functions}
    assert found["lib_each"].unread == (0,) and found["lib_on"].unread == ()
    assert list(timing_sentences(found["lib_each"])) == ["compares list, and never looks behind"]
    again = pack(pack_text(read))
    assert {f.name: f.unread for f in again.functions} == {f.name: f.unread for f in read.functions}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "waits: {lib_wiat: message}",
            "9:9: `waits:` names `lib_wiat`, which this file does not describe; did you mean `lib_wait`?",
        ),
        (
            "calls: {far_off: visit}",
            "9:9: `calls:` names `far_off`, which this file does not describe; "
            "add `far_off` to `borrows:` or `functions:`",
        ),
        (
            "waits: {lib_wait: 3 Messages}",
            '9:19: `3 Messages` cannot stand after "for each"; write one thing, as in `message`',
        ),
        ("waits: [lib_wait]", "9:8: `waits:` must be a mapping, not a list; write `name: value` lines"),
        ("compares: {lib_each: lst}", "9:22: `lst` is no parameter of `lib_each`; known here: list, visit"),
        ("compares: {lib_wait: fd}", "9:22: `fd` is no pointer, so nobody could look behind it"),
        ("calls: {lib_each: vist}", "9:19: `vist` is no parameter of `lib_each`; known here: list, visit"),
        (
            "calls: {lib_each: {list: event}}",
            "9:20: `list` is no function to call; name a parameter that is a pointer to a function",
        ),
        (
            "calls: {lib_each: {visit: true}}",
            '9:27: YAML reads `true` as a boolean, for what `visit` is called is a text; write "true"',
        ),
    ],
)
def test_mistakes(text: str, problem: str):
    assert problems(f"{FUNCTIONS}{text}\n")[0] == f"lib.yaml:{problem}"


def test_what_the_packs_say_of_the_functions_of_the_incident():
    (nl_recv,) = load_packs().all_named("nl_recv")
    (modify,) = load_packs().all_named("nl_socket_modify_cb")
    assert nl_recv.waits == "message"
    assert [(modify.signature.names[position], noun) for position, noun in modify.calls] == [("func", "message")]


def test_reading_a_file_is_no_waiting():
    assert not any(load_packs().all_named(name)[0].waits for name in ("read", "getline", "fgets", "fread"))


@pytest.mark.parametrize(
    ("text", "known"), [("n * size", True), ("4 pages", True), ("n * sise", False), ("sise", False)]
)
def test_bytes_name_parameters_or_say_it_in_words(text: str, known: bool):
    found = problems(f"""\
        library: lib
        kinds:
          heap: {{release: [lib_free]}}
        functions:
          - c: void *lib_get(unsigned long n, unsigned long size)
            outcomes:
              - {{when: ret != null, then: [fresh ret heap]}}
              - {{when: ret == null, then: []}}
            bytes: {text}
          - c: void lib_free(void *p)
            then: [release p heap]
    """)
    wrong = "names `sise`, which is no parameter; known here: n, size; or say it in several words"
    assert found == ([] if known else [f"lib.yaml:5:5: `bytes:` {wrong}"])


def test_only_a_function_can_be_passed_something():
    text = "library: lib\ndeclare: |\n  typedef int (*visit_t)(void *item);\nfunctions:\n"
    text += "  - c: void lib_each(void *list, visit_t visit)\n    then: pass list to %s 1\n"
    assert pack(text % "visit").functions[0].outcomes[0].effects[0].value == 0
    assert problems(text % "list") == [
        "lib.yaml:6:11: `list` is no function to call; name a parameter that is a pointer to a function"
    ]
