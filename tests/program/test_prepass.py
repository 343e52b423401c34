import pytest

from analyzer.program.prepass import Prepass, file_facts, include_folders

RELEVANT = ("malloc", "free", "nl_recv")


def reading(files):
    return lambda name: file_facts(files[name]) if files.get(name) is not None else None


def matters(files, path="/p/a.c", flags=(), headers=()):
    prepass = Prepass(reading(files), RELEVANT)
    for header in headers:
        prepass.add(header, ())
    for name in files:
        if name.endswith(".c"):
            prepass.add(name, include_folders(flags, "/p"))
    prepass.add_flags(flags)
    prepass.finish()
    return prepass.matters(path)


@pytest.mark.parametrize(
    "source",
    [
        b"p = malloc(3);",
        b"void (*release)(void *) = free;",
        b"#define DROP(p) free(p)\nDROP(x);",
        b"#define A B\n#define B \\\n\tfree\nA(x);",
        b"#define CALL(name) x_##name()\nCALL(y);",
        b"nothing\0binary",
        b"\xff\xfem\0a\0",
    ],
)
def test_what_may_matter_is_parsed(source):
    assert matters({"/p/a.c": source})


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"int main(void) { return 0; }",
        b"int mallocs, my_free;",
        b"#define UNUSED(x) freed(x)\nUNUSED(1);",
    ],
)
def test_what_mentions_no_relevant_name_is_left_out(source):
    assert not matters({"/p/a.c": source})


@pytest.mark.parametrize(
    ("include", "header"),
    [
        (b'#include "own.h"', "/p/own.h"),
        (b'#include "own.h"', "/p/include/own.h"),
        (b'#include "own.h"', "/include/own.h"),
        (b"#include <lib/own.h>", "/p/inc/lib/own.h"),
        (b'#  include "mid.h"', "/p/mid.h"),
    ],
)
def test_macros_of_headers_count(include, header):
    files = {
        "/p/a.c": include + b"\nDROP(x);",
        "/p/b.c": b"DROP2(x);",
        header: b'#define DROP(p) free(p)\n#include "deep.h"\n',
        header.rpartition("/")[0] + "/deep.h": b"",
    }
    assert matters(files, flags=("-I", "inc"))
    assert not matters(files, path="/p/b.c")


def test_a_header_below_the_analysed_folders_counts_for_all():
    files = {"/p/a.c": b"DROP(x);", "/q/own.h": b"#define DROP free"}
    assert matters(files, headers=["/q/own.h"])
    assert not matters(files)


@pytest.mark.parametrize("flag", ["-Dxfree=free", "-DDROP(p)=free(p)"])
def test_macros_of_the_command_line_count(flag):
    assert matters({"/p/a.c": b"xfree(1); DROP(1);"}, flags=(flag,))


def test_functions_of_a_header_are_seen_by_one_of_its_includers():
    files = {
        "/p/a.c": b'#include "own.h"\n',
        "/p/b.c": b'#include "own.h"\n',
        "/p/c.c": b'#include "other.h"\n',
        "/p/own.h": b"static inline void drop(void *p)\n{\n\tfree(p);\n}\n",
        "/p/other.h": b"void drop(void *);",
    }
    prepass = Prepass(reading(files), RELEVANT)
    for name in files:
        prepass.add(name, ())
    prepass.finish(["/p/own.h", "/p/other.h"])
    assert [prepass.matters(f"/p/{name}.c") for name in "abc"] == [True, False, False]


def test_an_unreadable_file_is_in_doubt():
    assert matters({}, path="/p/unknown.c")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"int f(void)\n{\n}\n", {"f"}),
        (b"static inline struct a *\nf(int (*cb)(int), char x[3]) {\n}\n", {"f"}),
        (b"int f(a, b)\nint a;\nchar *b;\n{\n}\n", {"f"}),
        (b"void f(void) __attribute__((noinline))\n{\n}\n", {"f"}),
        (b"int f(void);\nint g(void) { return f(); }\n", {"g"}),
        (b"int f(void) { while (g(1)) { h(); } }\n", {"f"}),
        (b"if (x) {\n}\n", set()),
        (b"int f(void)\n{\n\tfor (;; p = strtok(q)) {\n\t}\n}\n", {"f"}),
    ],
)
def test_defined_functions_are_found_by_their_text(source, names):
    assert file_facts(source).defines == names


def test_include_folders_come_from_flags():
    flags = ["-Ia", "-I", "b", "-isystem", "/c", "-include", "x.h", "-DX", "-iquote", "d"]
    assert include_folders(flags, "/w") == ("/w/a", "/w/b", "/c", "/w/d")
