import pytest

from analyzer.report.plain import plain, plain_source, split_utf16, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ümlaut 中", "plain ümlaut 中"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\x0alines\\x0d"),
        ("bell\x07del\x7fc1\x9b", "bell\\x07del\\x7fc1\\x9b"),
        ("right\u202eleft\u2066", "right\\u202eleft\\u2066"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("no-break\u00a0space", "no-break\u00a0space"),
        ("broken \udcff", "broken \\udcff"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_nothing_reaches_the_terminal_that_steers_it(text, shown):
    assert plain(text) == shown


def test_tabs_of_source_lines_become_blanks():
    assert plain_source("\tx\ty") == "        x       y"


def test_width_counts_terminal_columns():
    assert width("a中e\u0301") == 4


@pytest.mark.parametrize(("column", "before"), [(1, ""), (2, "a"), (4, "a😀"), (5, "a😀b"), (99, "a😀b")])
def test_columns_are_utf16_units(column, before):
    assert split_utf16("a😀b", column) == before
