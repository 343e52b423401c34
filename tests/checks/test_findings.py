from dataclasses import replace

import pytest

from analyzer.checks import CHECKS, check_by_id, findings
from analyzer.findings.model import Confidence, Level, StepKind
from analyzer.ir.function import BasicBlock
from analyzer.ir.ops import Goto
from analyzer.ownership.events import EventKind, PathStep
from tests.checks.scene import (
    ACQUIRE,
    BRANCH,
    DECISIVE,
    at,
    call,
    event,
    function,
    result,
    source_text,
)


def one(*events, of=None, exit_leaks=False, **changes):
    (finding,) = findings(of or function(), result(*events, **changes), source_text(), exit_leaks)
    return finding


@pytest.mark.parametrize(
    ("kind", "place", "changes", "message"),
    [
        (
            EventKind.LEAK_EXIT,
            "return -1",
            {},
            "`buf` from take() is not freed on this path: the function returns when `kinds[0] != RTM_NEWLINK`",
        ),
        (
            EventKind.LEAK_EXIT,
            "return 3",
            {"steps": (ACQUIRE, replace(BRANCH, taken=False))},
            "`buf` from take() is not freed on this path: the function returns when `n <= 0` is false",
        ),
        (
            EventKind.LEAK_EXIT,
            "return 3",
            {"steps": (ACQUIRE, BRANCH, PathStep(at("n + 1"), StepKind.BRANCH, taken=True))},
            "`buf` from take() is not freed on this path: the function returns",
        ),
        (
            EventKind.LEAK_EXIT,
            "return 4",
            {"steps": (ACQUIRE, PathStep(at("good(n)"), StepKind.BRANCH, taken=False))},
            "`buf` from take() is not freed on this path: the function returns when `!good(n)`",
        ),
        (
            EventKind.LEAK_EXIT,
            "}\n\twhile",
            {"steps": (ACQUIRE,)},
            "`buf` from take() is not freed on this path: its scope ends",
        ),
        (
            EventKind.LEAK_EXIT,
            None,
            {"steps": (ACQUIRE,), "fits": ("fclose", "pclose")},
            "`buf` from take() is not closed on this path: the function ends",
        ),
        (
            EventKind.LEAK_OVERWRITTEN,
            "buf = NULL",
            {"steps": ()},
            "`buf` from take() is overwritten before it is freed",
        ),
        (
            EventKind.LEAK_LOOP,
            "take(",
            {"steps": (ACQUIRE,)},
            "`buf` from take() is not freed before the loop's next round overwrites it",
        ),
        (
            EventKind.LEAK_DISCARDED,
            "take(",
            {"holder": "", "steps": ()},
            "the buffer from take() is not kept, so it can never be freed",
        ),
        (
            EventKind.LEAK_REALLOC,
            "take(",
            {"released_by": "realloc", "steps": ()},
            "`buf` from take() is lost when realloc() fails: the old pointer is overwritten",
        ),
        (
            EventKind.DOUBLE_RELEASE,
            "free(",
            {"released_by": "free", "steps": (DECISIVE,)},
            "`buf` from take() is freed a second time by free() when `kinds[0] != RTM_NEWLINK`",
        ),
        (
            EventKind.USE_AFTER_RELEASE,
            "free(",
            {"released_by": "free", "steps": ()},
            "`buf` from take() is used after free() released it",
        ),
        (
            EventKind.WRONG_FUNCTION,
            "free(",
            {"released_by": "free", "fits": ("nlmsg_free", "drop", "put"), "steps": ()},
            "`buf` from take() is released with free(), which does not fit: it needs nlmsg_free(), drop() or put()",
        ),
        (
            EventKind.WRONG_START,
            "free(",
            {"released_by": "free", "steps": (), "holder": "buf + 1"},
            "free() is given `buf + 1`, which does not point to the start of the buffer from take()",
        ),
        (
            EventKind.WRONG_MEMORY,
            "free(",
            {"released_by": "free", "acquired_at": -1, "callee": "", "slot": "", "steps": ()},
            "free() is given `buf`, which was never allocated",
        ),
        (
            EventKind.UNINITIALIZED_RELEASE,
            "free(",
            {"released_by": "free", "steps": (replace(BRANCH, taken=True),)},
            "free() is given `buf`, which was never set on this path: take() did not set it when `n <= 0`",
        ),
    ],
)
def test_sentences(kind, place, changes, message):
    offset = function().end if place is None else at(place)
    finding = one(event(kind, offset, **changes))
    assert finding.message == message
    assert finding.steps[-1].kind is StepKind.LOST
    assert (finding.at.line, finding.at.column) == (finding.steps[-1].at.line, finding.steps[-1].at.column)


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_belongs_to_one_check_and_nothing_is_left_unsaid(kind):
    (check,) = [check for check in CHECKS if kind in check.kinds]
    bare = event(kind, holder="", callee="", acquired_at=-1, fits=(), noun="", steps=(), released_by="")
    for said in (event(kind, released_by="free"), bare):
        finding = one(said)
        assert finding.check == check.id
        assert finding.cwe > 0
        texts = [finding.message, *(step.message for step in finding.steps)]
        assert all(text and "``" not in text and " ()" not in text and "  " not in text for text in texts)


def test_the_five_checks_and_no_other():
    assert [check.id for check in CHECKS] == [
        "leak",
        "double-release",
        "use-after-release",
        "wrong-release",
        "uninitialized-release",
    ]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_check_has_its_page(check):
    assert check.help.startswith(f"# {check.id}\n")
    for heading in ("Why it matters", "What is reported", "How to mend it", "What is not found"):
        assert f"\n## {heading}\n" in check.help
    assert check_by_id(check.id) is check


def test_steps_tell_the_way():
    steps = one(
        event(
            steps=(
                ACQUIRE,
                BRANCH,
                DECISIVE,
                PathStep(at("n + 1"), StepKind.BRANCH, "", True),
                PathStep(at("buf = NULL"), StepKind.ALIAS, "copy"),
                PathStep(at("log(n)"), StepKind.CALL, "log() borrows its argument"),
                PathStep(at("free("), StepKind.RELEASE, "free"),
                PathStep(at("return -1"), StepKind.LOST),
            )
        )
    ).steps
    assert [step.message for step in steps] == [
        "take() hands out a buffer, to be released with free() (when `ret > 0`)",
        "`n <= 0` is false",
        "`kinds[0] != RTM_NEWLINK` is true",
        "`n + 1` selects the way",
        "`copy` holds it now",
        "log() borrows its argument",
        "free() releases it",
        "lost: the function returns and nothing else holds it",
    ]
    assert steps[2].at.text == "\tif (log(n) && kinds[0] != RTM_NEWLINK)"


def test_the_acquisition_is_step_1_and_related_1():
    finding = one(event(sibling_release_at=at("free(")))
    assert finding.steps[0].at == finding.related[0].at
    assert [related.message for related in finding.related] == [
        "take() hands out a buffer",
        "another path releases it here",
    ]
    assert finding.advice == "call free(buf) before this point"


def test_one_finding_for_all_places_of_one_loss():
    finding = one(event(), event(place=at("return 3")), event(place=at("return n")))
    assert finding.at.line == 9
    assert finding.message.endswith("(and in 2 more places)")
    assert [related.at.line for related in finding.related] == [6, 11, 14]


def test_the_surest_place_comes_first():
    finding = one(event(place=at("return n"), blurred=True), event())
    assert finding.at.line == 11
    assert finding.confidence is Confidence.HIGH
    assert finding.message.endswith("(and in 1 more place)")


@pytest.mark.parametrize(
    "other",
    [
        {"slot": "*creds"},
        {"acquired_at": at("take(", 1)},
        {"kind": EventKind.LEAK_OVERWRITTEN},
    ],
)
def test_other_losses_are_other_findings(other):
    first, second = findings(function(), result(event(), replace(event(), **other)), source_text())
    assert first.fingerprint != second.fingerprint


def test_the_end_of_the_process_is_silent_unless_asked_for():
    leaving = event(exits_process=True)
    assert findings(function(), result(leaving), source_text()) == ()
    assert one(leaving, exit_leaks=True).level is Level.NOTE


def test_only_leaks_are_excused_by_the_end_of_the_process():
    assert one(event(EventKind.DOUBLE_RELEASE, exits_process=True)).check == "double-release"


RETURNING = function().blocks[0]
LOOP = BasicBlock((call("take", at("take(")), call("other", at("buf = NULL"))), Goto(0, 0))


@pytest.mark.parametrize(
    ("said", "block", "level"),
    [
        (event(), RETURNING, Level.WARNING),
        (event(at=at("buf = NULL")), LOOP, Level.ERROR),
        (event(), LOOP, Level.WARNING),
        (event(EventKind.LEAK_LOOP, at=at("take(")), LOOP, Level.ERROR),
        (event(EventKind.DOUBLE_RELEASE), RETURNING, Level.ERROR),
    ],
)
def test_levels(said, block, level):
    (found,) = findings(function(blocks=(block,)), result(said), source_text())
    assert found.level is level


@pytest.mark.parametrize(
    ("changes", "of", "more", "confidence", "reason"),
    [
        ({}, {}, {}, Confidence.HIGH, ""),
        ({"blurred": True}, {}, {}, Confidence.MEDIUM, "some were merged"),
        ({"proven": False}, {}, {}, Confidence.MEDIUM, "executed exactly"),
        ({"unknown_calls": ("foo", "bar")}, {}, {}, Confidence.MEDIUM, "nothing is known about foo(), bar()"),
        ({}, {"degraded": ("error",)}, {}, Confidence.MEDIUM, "could not be parsed"),
        ({}, {}, {"name_only": ((at("take("), "take", "why"),)}, Confidence.MEDIUM, "by its name only"),
        ({}, {}, {"name_only": ((1, "other", "why"),)}, Confidence.HIGH, ""),
        ({"blurred": True}, {"degraded": ("error",)}, {}, Confidence.LOW, "; "),
        ({"blurred": True, "proven": False, "unknown_calls": ("f",)}, {}, {}, Confidence.LOW, "; "),
    ],
)
def test_confidence_is_the_written_rule(changes, of, more, confidence, reason):
    finding = one(event(**changes), of=function(**of), **more)
    assert finding.confidence is confidence
    assert reason in finding.confidence_reason
    assert bool(finding.confidence_reason) is (confidence is not Confidence.HIGH)


def test_fingerprints_know_no_lines_and_no_folder():
    moved = b"\n\n\n" + source_text()._data
    shift = 3

    def moved_event(said):
        return replace(said, at=said.at + shift, acquired_at=said.acquired_at + shift, steps=())

    there = function(moved, file="elsewhere/a.c", linkage_name="elsewhere/a.c:receive")
    (finding,) = findings(there, result(moved_event(event())), source_text(moved, there))
    assert finding.at.line == 14
    assert finding.fingerprint == one(event(steps=())).fingerprint
    assert len(finding.fingerprint) == 64


def test_fingerprints_of_extern_functions_have_no_file():
    here = one(event(), of=function(static=False, linkage_name="receive"))
    there = one(event(), of=function(static=False, linkage_name="receive", file="b.c"))
    assert here.fingerprint == there.fingerprint
    assert here.fingerprint != one(event()).fingerprint


def test_uses_of_a_parameter_after_its_release_are_one_finding():
    base = event(
        EventKind.USE_AFTER_RELEASE,
        at("free(", 1),
        acquired_at=-1,
        callee="",
        slot="",
        released_by="free",
        released_at=at("free("),
        steps=(),
    )
    finding = one(base, replace(base, at=at("buf = NULL")))
    assert finding.message == "`buf` is used after free() released it (and in 1 more place)"


def test_what_happens_inside_a_macro_is_not_quoted_as_a_condition():
    branch = PathStep(at("log(n)"), StepKind.BRANCH, taken=True)
    inside = PathStep(at("buf = NULL"), StepKind.BRANCH, taken=False)
    macros = {at("log(n)"): "log", at("buf = NULL"): "CLEAR"}
    of = function(macros=macros)
    lines = source_text(of=of)
    said = event(place=at("buf = NULL"), steps=(branch, inside))
    (finding,) = findings(of, result(said), lines)
    assert finding.message == ("`buf` from take() is not freed on this path: its life ends inside `CLEAR`")
    assert finding.steps[0].message == "`log(n)` is true"
    assert finding.steps[1].message == "a condition inside `CLEAR` is false"


def test_releases_of_nothing_are_told_apart():
    base = event(EventKind.WRONG_MEMORY, at("free("), acquired_at=-1, callee="", slot="", released_by="free")
    first, second = findings(function(), result(base, replace(base, at=at("free(", 1))), source_text())
    assert first.fingerprint != second.fingerprint
