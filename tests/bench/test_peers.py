"""What other analyzers print is read in common words, and counted by the written rule."""

import shutil
from pathlib import Path

import pytest

GCC = """\
a.c: In function 'f':
a.c:9:5: warning: leak of 'buf' [CWE-401] [-Wanalyzer-malloc-leak]
  'f': event 1
a.c:12:5: warning: double-'free' of 'p' [CWE-415] [-Wanalyzer-double-free]
a.c:13:5: warning: dereference of NULL 'p' [CWE-476] [-Wanalyzer-null-dereference]
/usr/include/x.h:3:1: warning: use after 'free' of 'q' [CWE-416] [-Wanalyzer-use-after-free]
a.c:15:5: warning: unused variable 'x' [-Wunused-variable]
"""
CPPCHECK = """\
src/a.c\t9\tmemleak\tMemory leak: buf
src/a.c\t10\tnullPointer\tNull pointer dereference
src/a.c\t12\tmismatchAllocDealloc\tMismatching allocation and deallocation: f
"""
TIDY = """\
12 warnings generated.
/x/a.c:9:5: warning: Potential leak of memory pointed to by 'buf' [clang-analyzer-unix.Malloc]
    9 |     return 0;
/x/a.c:10:5: warning: Attempt to release already released memory [clang-analyzer-unix.Malloc]
/x/a.c:11:5: warning: Use of memory after it is released [clang-analyzer-unix.Malloc]
/x/a.c:12:5: warning: Opened stream never closed. Potential resource leak [clang-analyzer-unix.Stream]
/x/a.c:13:5: warning: Memory allocated by 'malloc()' should be deallocated by 'free()', \
not 'close()' [clang-analyzer-unix.MismatchedDeallocator]
/x/a.c:14:5: warning: 1st function call argument is an uninitialized value [clang-analyzer-core.CallAndMessage]
/x/a.c:15:5: warning: Dereference of null pointer [clang-analyzer-core.NullDereference]
/x/a.c:16:5: warning: 'p' may be set to null if 'realloc' fails, which may result in a leak of the original buffer \
[bugprone-suspicious-realloc-usage]
"""


def kinds(result):
    return [(one.file, one.line, one.kind) for one in result.reports]


def test_gcc_is_read():
    from analyzers import read_gcc

    result = read_gcc(GCC)
    assert kinds(result) == [("a.c", 9, "leak"), ("a.c", 12, "double"), ("x.h", 3, "uaf")]
    assert result.trouble == ""
    broken = read_gcc("a.c:1:10: fatal error: no.h: No such file or directory\ncompilation terminated.\n")
    assert broken.reports == ()
    assert "no.h" in broken.trouble


def test_cppcheck_is_read():
    from analyzers import read_cppcheck

    assert kinds(read_cppcheck(CPPCHECK)) == [("a.c", 9, "leak"), ("a.c", 12, "mismatch")]
    assert "unknownMacro" in read_cppcheck("a.c\t3\tunknownMacro\tThere is an unknown macro\n").trouble


def test_clang_tidy_is_read():
    from analyzers import read_clang_tidy

    assert [kind for _, _, kind in kinds(read_clang_tidy(TIDY))] == [
        "leak", "double", "uaf", "leak", "mismatch", "uninit", "leak",
    ]  # fmt: skip
    assert read_clang_tidy("/x/a.c:1:10: error: 'no.h' file not found [clang-diagnostic-error]\n").trouble


SOURCE = """\
int two_bad(struct nl_sock *sk)
{
	nl_recv(sk, &peer, &buf, &creds);
	return 0;			//~ leak: buf //~ FN leak: c->creds
}

int twice_bad(char *p)
{
	free(p);			//~ double-release: p
}

int alarm_ok(struct nl_sock *sk)
{
	nl_connect(sk, 0);		//~ FP leak: sk
	return 0;
}
"""


def test_a_fixture_says_what_is_wanted_of_which_function():
    from peers import cases

    assert [(case.span.name, case.wanted, case.group) for case in cases(SOURCE)] == [
        ("two_bad", (("leak", "buf"), ("leak", "c->creds")), "nl_recv"),
        ("twice_bad", (("double-release", "p"),), "libc and own functions"),
        ("alarm_ok", (), "other libnl"),
    ]


@pytest.mark.parametrize(
    ("function", "reports", "expected"),
    [
        (0, [], (2, 0, 0, 0)),
        (0, [(3, "leak", "of 'creds'")], (2, 1, 0, 0)),
        (0, [(4, "leak", "something"), (4, "leak", "another")], (2, 2, 0, 0)),
        (0, [(4, "leak", "of buf and creds")], (2, 1, 0, 0)),
        (0, [(9, "leak", "in another function")], (2, 0, 0, 0)),
        (0, [(4, "double", "of 'buf'")], (2, 0, 0, 0)),
        (1, [(9, "uaf", "of 'p'")], (1, 1, 0, 0)),
        (2, [], (0, 0, 1, 0)),
        (2, [(14, "leak", "of 'sk'"), (14, "leak", "of 'sk'")], (0, 0, 1, 1)),
        (2, [(14, "uninit", "of 'sk'")], (0, 0, 1, 0)),
    ],
)
def test_each_report_serves_one_mark(function, reports, expected):
    from analyzers import Report
    from peers import Score, cases, score

    case = list(cases(SOURCE))[function]
    made = [Report("a.c", line, "rule", message, kind) for line, kind, message in reports]
    assert score(case, made) == Score(*expected)


def test_a_mutant_is_found_by_what_was_not_reported_before():
    from analyzers import Report
    from peers import new_leaks

    old, new = Report("a.c", 5, "r", "leak of p", "leak"), Report("a.c", 7, "r", "leak of p", "leak")
    double, outside = Report("a.c", 7, "r", "double", "double"), Report("a.c", 90, "r", "leak of q", "leak")
    assert new_leaks([old], [old, new, double, outside], 1, 10) == [new]
    assert new_leaks([old, new], [old], 1, 10) == []


def test_flags_of_two_words_reach_cppcheck():
    from analyzers import cppcheck

    command = cppcheck("cppcheck", ["-Iinc"], model=False).command(Path("a.c"), ["-I", "x", "-O2", "-DY=1"], "")
    words = [word for word in command if word.startswith(("-I", "-D", "-O")) and "ENDIAN" not in word]
    assert [word for word in words if "BYTE_ORDER" not in word] == ["-Ix", "-DY=1", "-Iinc"]


@pytest.mark.parametrize("name", ["gcc", "clang-tidy"])
def test_the_model_goes_along_where_libnl_is_used(name, tmp_path):
    from analyzers import MAKERS

    file = tmp_path / "a.c"
    peer = MAKERS[name](name if shutil.which(name) else "true", [], model=True)
    for text, expected in (("int f(void);\n", False), ("#include <netlink/msg.h>\n", True)):
        file.write_text(text)
        assert any(word.endswith("models/peers.h") for word in peer.command(file, [], "")) is expected


LEAK = """\
#include <stdlib.h>
int f(int early)
{
	char *block = malloc(3);
	if (!block)
		return 1;
	if (early)
		return 2;
	free(block);
	return 0;
}
"""


@pytest.mark.parametrize("name", ["gcc", "cppcheck", "clang-tidy"])
def test_the_peer_itself_finds_a_plain_leak(name, tmp_path):
    from analyzers import MAKERS

    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not there")
    file = tmp_path / "a.c"
    file.write_text(LEAK)
    peer = MAKERS[name](program, [], False)
    assert peer.version != "unknown"
    result = peer.analyse(file, [], tmp_path, "f", 60)
    assert result.trouble == ""
    assert [(one.file, one.kind) for one in result.reports] == [("a.c", "leak")]
    assert "block" in result.reports[0].message


def test_the_tool_itself_is_run_in_the_same_form(tmp_path):
    from analyzers import Ours

    file = tmp_path / "a.c"
    file.write_text(LEAK)
    result = Ours().analyse(file, [], tmp_path, "", 60)
    assert [(one.line, one.kind) for one in result.reports] == [(8, "leak")]


def test_who_is_absent_is_named():
    from analyzers import present

    found, absent = present({"gcc": "no-such-gcc", "cppcheck": "no-such-cppcheck", "clang-tidy": "no-such-tidy"}, [])
    assert [one.label for one in found] == ["mustfree"]
    assert absent == ["gcc", "cppcheck", "clang-tidy"]
