import pytest

from tests.checks.scene import SOURCE, at, function, source_text


@pytest.mark.parametrize(
    ("place", "condition"),
    [
        ("n <= 0", "n <= 0"),
        ("<= 0", "n <= 0"),
        ("log(n)", "log(n)"),
        ("kinds[0]", "kinds[0] != RTM_NEWLINK"),
        ("RTM_NEWLINK", "kinds[0] != RTM_NEWLINK"),
        ("n + 1", "n + 1"),
        ("n\n\t\t<", "n < 5 /* five */"),
        ("good(n)", "!good(n)"),
        ("ready", "!!ready"),
        ("n == !", "n == !ready"),
        ("tail >", "tail > 2"),
        ("odd", "odd"),
        ("even", "even"),
    ],
)
def test_conditions_are_quoted_as_written(place, condition):
    text = source_text().condition(at(place))
    assert text in (condition, condition.replace(" /* five */", ""))


def test_other_places_have_no_condition():
    assert source_text().condition(at("/* five")) == ""


@pytest.mark.parametrize(
    ("place", "expected"), [("n <= 0", False), ("good(n)", True), ("ready", False), ("n\n\t\t<", False)]
)
def test_negations_before_a_condition_turn_its_truth(place, expected):
    assert source_text().negated(at(place)) is expected


@pytest.mark.parametrize(("place", "expected"), [("n + 1", True), ("n <= 0", False), ("log(n)", False)])
def test_switches_are_recognised(place, expected):
    assert source_text().is_switch(at(place)) is expected


def test_long_conditions_lose_their_end():
    source = SOURCE.replace(b"kinds[0] != RTM_NEWLINK", b"x == " + b"a" * 200)
    text = source_text(source).condition(at("x ==", 0, source))
    assert len(text) <= 72
    assert text.endswith("...")


@pytest.mark.parametrize(("place", "word"), [("return -1", "return"), ("}\n\twhile", "}"), (" n = take", "")])
def test_words(place, word):
    assert source_text().word(at(place)) == word


def test_regions_stay_on_their_line():
    region = source_text().condition_region(at("n\n\t\t<"))
    assert (region.line, region.column, region.end_line, region.end_column) == (16, 11, 16, 12)
    assert region.text == "\twhile (!(n"


def test_columns_count_utf16_units():
    source = SOURCE.replace(b"return -1;", 'return "😀é" ? f(x) : 2;'.encode())
    region = source_text(source).word_region(at("f(x)", 0, source))
    assert (region.column, region.end_column) == (18, 19)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_and_bom_do_not_matter(line_end):
    source = b"\xef\xbb\xbf" + SOURCE.replace(b"\n", line_end)
    region = source_text(source).region(at("return -1", 0, source))
    assert (region.line, region.column) == (11, 3)
    assert region.text == "\t\treturn -1;"


def test_latin1_source_is_shown():
    source = SOURCE.replace(b"/* five */", b"/* f\xfcnf */")
    text = source_text(source, function(source))
    assert "< 5" in text.condition(at("n\n\t\t<", 0, source))
