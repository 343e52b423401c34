"""The marks in fixtures: how they are read, and that the comparison fails in both directions."""

from pathlib import Path

import pytest
from expectations import (
    Expectation,
    Found,
    MarkError,
    difference,
    fixture_programs,
    functions,
    read,
    unnamed,
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int x; //~ leak: buf", Expectation(1, "leak", "buf")),
        ('\nreturn; //~ leak: buf "nl_recv"', Expectation(2, "leak", "buf", text="nl_recv")),
        (r'f(); //~ leak: buf "says \"no\""', Expectation(1, "leak", "buf", text='says "no"')),
        ("f(); //~ leak: return value of fopen()", Expectation(1, "leak", "return value of fopen()")),
        ("f(); //~ double-release: ctx->rx", Expectation(1, "double-release", "ctx->rx")),
        ("a\nb\n//~^ leak: buf", Expectation(2, "leak", "buf")),
        ("a\nb\n//~^^ leak: buf", Expectation(1, "leak", "buf")),
        ("f(); //~ FN leak: buf", Expectation(1, "leak", "buf", "FN")),
        ("f(); //~ FP leak: buf", Expectation(1, "leak", "buf", "FP")),
        ('f(); //~ step: buf 2 "n > 0"', Expectation(1, "step", "buf", number=2, text="n > 0")),
        ("f(); //~ step: list[1] 12", Expectation(1, "step", "list[1]", number=12)),
        ("f(); //~ state: buf RELEASED | OWNED", Expectation(1, "state", "buf", detail="OWNED | RELEASED")),
        (
            'f(); //~ verdict: buf escaped "keep"',
            Expectation(1, "verdict", "buf", detail="escaped", text="keep"),
        ),
        ("f(); //~ verdict: ctx->rx gave up", Expectation(1, "verdict", "ctx->rx", detail="gave up")),
        (
            'f(); //~ growth: ctx->rx per message "poll"',
            Expectation(1, "growth", "ctx->rx", detail="per message", text="poll"),
        ),
        ("f(); //~ verdict: p maybe released", Expectation(1, "verdict", "p", detail="maybe released")),
        ("f(); //~ gave-up: too large", Expectation(1, "gave-up", "too large")),
        ("//~ clean", Expectation(1, "clean")),
        ("//~ degraded", Expectation(1, "degraded")),
        ("//~ args: -std=gnu11 -DX=1", Expectation(1, "args", "-std=gnu11 -DX=1")),
    ],
)
def test_one_mark(source, expected):
    assert read(source) == [expected]


def test_several_marks_on_one_line_are_all_read():
    assert read('f(); //~ leak: buf "a" //~ leak: creds') == [
        Expectation(1, "leak", "buf", text="a"),
        Expectation(1, "leak", "creds"),
    ]


def test_ordinary_comments_are_no_marks():
    assert read("int x; // ~ leak: buf\n/* leak: buf */ y = ~x; // leak") == []


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("//~ leek: buf", "unknown word 'leek'"),
        ("//~ leak", "did you mean"),
        ("//~ leak:", "did you mean"),
        ("//~", "is no mark"),
        ("//~ FN step: buf 1", "FN stands before a check"),
        ("//~ FP clean", "FP stands before a check"),
        ("//~ clean: all of it", "takes nothing"),
        ("//~ step: buf", "needs its number"),
        ("//~ state: buf owned", "are no states"),
        ("//~ verdict: buf vanished", "a verdict is one of"),
        ("//~ growth: buf per day", "a growth is one of per message, per call, per error, once"),
        ("//~ resume: ret > 0", "unknown word 'resume'"),
    ],
)
def test_a_mark_that_is_not_understood_is_an_error_with_its_line(mark, reason):
    with pytest.raises(MarkError, match=f"line 2: .*{reason}"):
        read(f"int x;\n{mark}\n")


LEAK = Expectation(3, "leak", "buf")


@pytest.mark.parametrize(
    ("expected", "found", "problems"),
    [
        ([LEAK], [Found(3, "leak", "buf", "`buf` is lost")], []),
        ([LEAK], [], ["line 3: missing    //~ leak: buf"]),
        ([], [Found(3, "leak", "buf")], ["line 3: unexpected //~ leak: buf"]),
        (
            [LEAK],
            [Found(4, "leak", "buf")],
            ["line 3: missing    //~ leak: buf", "line 4: unexpected //~ leak: buf"],
        ),
        ([LEAK], [Found(3, "leak", "buf")] * 2, ["line 3: unexpected //~ leak: buf"]),
        ([LEAK] * 2, [Found(3, "leak", "buf")], ["line 3: missing    //~ leak: buf"]),
        (
            [Expectation(3, "leak", "buf", text="nl_recv")],
            [Found(3, "leak", "buf", "malloc")],
            ['line 3: missing    //~ leak: buf "nl_recv"', 'line 3: unexpected //~ leak: buf "malloc"'],
        ),
        (
            [LEAK, Expectation(3, "leak", "buf", text="loop")],
            [Found(3, "leak", "buf", "in the loop"), Found(3, "leak", "buf", "at the end")],
            [],
        ),
        ([Expectation(3, "leak", "buf", "FN")], [], []),
        (
            [Expectation(3, "leak", "buf", "FN")],
            [Found(3, "leak", "buf")],
            ["line 3: unexpected //~ leak: buf"],
        ),
        ([Expectation(3, "leak", "buf", "FP")], [Found(3, "leak", "buf")], []),
        ([Expectation(3, "leak", "buf", "FP")], [], ["line 3: missing    //~ FP leak: buf"]),
        (
            [Expectation(3, "verdict", "buf", detail="escaped")],
            [Found(3, "verdict", "buf", detail="released")],
            ["line 3: missing    //~ verdict: buf escaped", "line 3: unexpected //~ verdict: buf released"],
        ),
        (
            [Expectation(3, "step", "buf", number=2, text="n > 0")],
            [Found(3, "step", "buf", "`n > 0` is true", 2)],
            [],
        ),
    ],
)
def test_difference(expected, found, problems):
    assert difference(expected, found) == problems


SOURCE = """\
static int
first_bad(struct nl_sock *sk,
          int n)
{
	if (n) {
		return 1;	//~ leak: a
	}
}

/* int commented_bad(void) { } */
int declared_bad(int n);

struct thing *second_ok(void)
{
	return 0;
}
"""


def test_functions_are_found_by_their_headers():
    assert [(span.name, span.first, span.last) for span in functions(SOURCE)] == [
        ("first_bad", 1, 8),
        ("second_ok", 13, 16),
    ]


@pytest.mark.parametrize(
    ("source", "problems"),
    [
        (SOURCE, []),
        (SOURCE.replace("	//~ leak: a", ""), ["line 1: first_bad carries no mark"]),
        (SOURCE.replace("leak: a", "FN leak: a"), []),
        (SOURCE.replace("leak: a", "FP leak: a"), ["line 1: first_bad carries no mark"]),
        (SOURCE.replace("first_bad", "first_ok"), ["line 6: first_ok carries //~ leak: a"]),
        (SOURCE.replace("first_bad", "first_ok").replace("leak: a", "FP leak: a"), []),
        (
            SOURCE.replace("second_ok", "first_bad"),
            ["line 13: first_bad carries no mark", "first_bad is defined 2 times"],
        ),
    ],
)
def test_function_names_and_marks_agree(source, problems):
    assert unnamed(source, read(source)) == problems


def test_programs_are_single_files_or_whole_folders(tmp_path: Path):
    for name in ("leak/a.c", "leak/b.c", "units/two/x.c", "units/two/y.c", "frontend/z.c", "include/h.c"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    programs = [tuple(p.relative_to(tmp_path).as_posix() for p in paths) for paths in fixture_programs(tmp_path)]
    assert programs == [("leak/a.c",), ("leak/b.c",), ("units/two/x.c", "units/two/y.c")]
