"""Which reversed fixes count as introduced, and at which step."""

import pytest

from analyzer.change.lines import line_map

FIXED = b"a\nfree(p);\nreturn 1;\nb\nc\nd\n"
UNFIXED = b"a\nreturn 1;\nb\nc\nd\n"


def finding(state="", line=2, points=("x",), check="leak", file="a.c"):
    return {
        "state": state,
        "check": check,
        "message": "m",
        "change": "",
        "at": {"file": file, "line": line},
        "loss_points": [{"fingerprint": point} for point in points],
    }


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        ([finding("new")], "introduced"),
        ([finding("new", points=("x", "y"))], "introduced"),
        ([finding("new", line=5)], "elsewhere"),
        ([finding("new", file="b.c")], "elsewhere"),
        ([finding("unchanged")], "kept from view"),
        ([finding("new", points=("y",))], "kept from view"),
        ([finding("new", check="double-release")], "kept from view"),
        ([], "kept from view"),
    ],
)
def test_verdict(reported, state):
    from reversed import verdict

    assert verdict({"quality": "A"}, [finding()], reported, line_map(FIXED, UNFIXED)).state == state


def test_every_loss_point_must_be_introduced():
    from reversed import verdict

    wanted, reported = (
        [finding(points=("x", "y"))],
        [finding("new", points=("x",)), finding("unchanged", points=("y",))],
    )
    found = verdict({"quality": "A"}, wanted, reported, line_map(FIXED, UNFIXED))
    assert (found.state, "unchanged" in found.place) == ("kept from view", True)


def test_the_step_is_a_new_line_or_the_place_of_a_removed_one():
    from reversed import on_changed

    removed = line_map(FIXED, UNFIXED)
    assert [line for line in range(1, 6) if on_changed(removed, line)] == [2]
    added = line_map(UNFIXED, FIXED)
    assert [line for line in range(1, 7) if on_changed(added, line)] == [2]


def test_the_table_counts_what_was_reversed():
    from reversed import Reversal, tables

    states = ["not found", "still found", "kept from view", "elsewhere", "introduced", "introduced"]
    text = tables([Reversal({"quality": "A", "id": f"r{n}"}, state) for n, state in enumerate(states)], False)
    assert "| all | 6 | 1 | 1 | 4 | 75 %" in text
    assert "r2" in text
    assert "r4" not in text
