"""Arithmetic on ranges at the ends of what they can hold."""

from analyzer.ownership.ranges import FULL, INFINITY, shift, unite, widen


def test_nothing_lies_beyond_infinity():
    near = ((-INFINITY + 3, INFINITY - 3),)
    assert shift(near, -10) == ((-INFINITY, INFINITY - 13),)
    assert shift(near, 10) == ((-INFINITY + 13, INFINITY),)
    assert shift(FULL, 10) == FULL


def test_widening_covers_both_at_the_ends_too():
    old = shift(((-INFINITY + 3, 5),), -10)
    new = ((0, INFINITY - 1),)
    widened = widen(old, new)
    assert unite(widened, unite(old, new)) == widened
