"""`mustfree repro` as it is called."""

import re

from tests.cli.conftest import LEAK


def test_a_case_is_written_and_run_again(mustfree, project):
    (project / "leak.c").write_text(LEAK)
    made = mustfree("repro", "leak.c:7", "-o", "leak.case")
    assert (made.status, made.out) == (0, "")
    assert "the case shows offset" in made.err and "ret ends as: leaked (leak-exit)" in made.err
    again = mustfree("repro", "--check", "leak.case")
    assert again.status == 0
    assert re.fullmatch(r"still shown: offset \d+: ret ends as: leaked \(leak-exit\)\n", again.out)


def test_standard_output_is_the_case(mustfree, project):
    (project / "leak.c").write_text(LEAK)
    made = mustfree("repro", "leak.c:12")
    assert made.status == 0
    assert re.search(r"^case 1$", made.out, re.MULTILINE)
    assert made.out == mustfree("repro", "leak.c:7").out


def test_what_is_no_longer_shown_is_said(mustfree, project):
    (project / "leak.c").write_text(LEAK)
    text = mustfree("repro", "leak.c:7").out
    (project / "mended.case").write_text(text.replace('"leaked"', '"escaped"'))
    checked = mustfree("repro", "--check", "mended.case")
    assert checked.status == 1
    assert "no longer shown: " in checked.out and "shown now: " in checked.out


def test_mistakes_are_told_with_a_remedy(mustfree, project):
    (project / "leak.c").write_text(LEAK)
    for arguments, said in (
        (("leak.c",), "write FILE:LINE"),
        (("leak.c:1",), "stands in no function"),
        (("leak.c:9",), "lines that will do: 7"),
        (("absent.c:9",), "absent.c"),
        (("--check", "absent.case"), "absent.case: cannot be read"),
        (("--check", "leak.c"), "leak.c:1: `#include` is no word of a case"),
        (("--check", "leak.c", "leak.c"), "takes one case"),
        (("leak.c:7", "-o", "no/such/folder"), "cannot be written"),
    ):
        outcome = mustfree("repro", *arguments)
        assert outcome.status == 2, arguments
        assert said in outcome.err, (arguments, outcome.err)
