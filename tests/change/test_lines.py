"""How lines move between two versions."""

from hypothesis import given
from hypothesis import strategies as st

from analyzer.change.lines import line_map

texts = st.lists(st.sampled_from([b"a", b"b", b"c", b"}"]), max_size=12)


def test_lines_move():
    lines = line_map(b"a\nb\nc\nd\ne", b"new\na\nb\nC\ne")
    assert [lines.to_head(line) for line in range(1, 6)] == [2, 3, 0, 0, 5]
    assert lines.added == {1, 4}
    assert [(one.before, one.texts) for one in lines.deletions] == [(4, ("c", "d"))]


def test_line_ends_do_not_count():
    lines = line_map(b"a\r\nb  \n", b"a\nb\n")
    assert (lines.added, lines.deletions) == (frozenset(), ())


def test_the_same_text():
    lines = line_map(b"a", b"a")
    assert lines.unchanged
    assert lines.to_head(7) == 7


@given(texts, texts)
def test_every_line_is_moved_or_new(old, new):
    lines = line_map(b"\n".join(old), b"\n".join(new))
    moved = {line: lines.to_head(line) for line in range(1, max(len(old), 1) + 1)}
    targets = [target for target in moved.values() if target]
    assert targets == sorted(set(targets))
    assert set(targets).isdisjoint(lines.added)
    assert set(targets) | lines.added == set(range(1, max(len(new), 1) + 1))
    padded_old, padded_new = old or [b""], new or [b""]
    assert all(padded_old[line - 1] == padded_new[target - 1] for line, target in moved.items() if target)
    gone = [text for one in lines.deletions for text in one.texts]
    assert len(gone) == sum(target == 0 for target in moved.values())
