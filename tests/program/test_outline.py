"""What a text defines and mentions, part by part."""

import pytest

from analyzer.cache import Store, StoreOptions
from analyzer.program.outline import outline, outlines

TEXT = b"""#include <stdlib.h>
#include "own.h"
#define DROP(p) release(p)
struct item { int size; };
static const struct ops { int (*run)(int); } table[] = { { first }, { second } };
int verbose = 1;
extern int elsewhere;
/* names free() in a comment */
static int first(int n)
{
	verbose = n;
	puts("second in a string");
	return use(&elsewhere);
}

int second(int n) { return first(n); }
"""


def parts(several):
    return {part.name: part for part in several}


def test_functions_with_what_they_mention():
    found = parts(outline(TEXT).functions)
    assert (found["first"].static, found["second"].static) == (True, False)
    assert {"verbose", "use", "elsewhere", "puts"} <= found["first"].mentions
    assert "second" not in found["first"].mentions
    assert "free" not in found["first"].mentions


def test_macros_and_variables_with_a_first_value():
    found = outline(TEXT)
    assert parts(found.macros)["DROP"].mentions >= {"release"}
    variables = parts(found.data)
    assert variables.keys() == {"table", "verbose"}
    assert {"first", "second"} <= variables["table"].mentions


def test_the_rest_and_what_is_written():
    found = outline(TEXT)
    assert found.includes == ("stdlib.h", "own.h")
    assert {"item", "elsewhere"} <= set(found.rest.split())
    assert "use" not in found.rest.split()
    assert {"verbose", "elsewhere"} <= set(found.writes.split())


@pytest.mark.parametrize(
    ("old", "new", "different"),
    [
        (b"/* names", b"/* other names", set()),
        (b"\treturn use", b"\n\n\treturn   use", set()),
        (b"second in a", b"another", {"first"}),
        (b"release(p)", b"free(p)", {"DROP"}),
        (b"verbose = 1", b"verbose = 2", {"verbose"}),
        (b"int size", b"long size", {"rest"}),
        (b"extern int", b"extern long", {"rest"}),
    ],
)
def test_what_is_told_apart(old, new, different):
    before, after = outline(TEXT), outline(TEXT.replace(old, new))
    names = {
        part.name
        for mine, other in zip(_all(before), _all(after), strict=True)
        for part, changed in zip(mine, other, strict=True)
        if part.text != changed.text
    }
    assert names | ({"rest"} if before.rest_text != after.rest_text else set()) == different


def _all(one):
    return one.functions, one.macros, one.data


def test_a_cached_outline_is_the_same(tmp_path):
    store = Store(StoreOptions(str(tmp_path), "1"))
    first = outlines([("a.c", TEXT)], store)
    assert outlines([("b.c", TEXT)], store)["b.c"] == first["a.c"] == outline(TEXT)
    store.close()
