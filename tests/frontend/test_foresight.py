"""Headers that are missing for sure are looked for before the first parse."""

import sys
from pathlib import Path

import pytest

from analyzer.frontend import FrontendOptions, lower_file, repair
from analyzer.frontend.foresight import includes

linux = pytest.mark.skipif(sys.platform != "linux", reason="the parser's search path is known on Linux only")


def test_includes_outside_of_conditions_count():
    text = (
        b'#include <a.h>\n#ifdef X\n#include "b.h"\n#endif\n # include "c/d.h"\n/* #include "e.h"\n#include "f.h" */\n'
    )
    assert includes(text) == ((False, "a.h"), (True, "c/d.h"))


def test_an_include_guard_is_no_condition():
    assert includes(b'#ifndef G\n#define G\n#include "a.h"\n#if X\n#include "b.h"\n#endif\n#endif\n') == (
        (True, "a.h"),
    )


def test_another_condition_at_the_start_is_one():
    assert includes(b'#ifndef HAVE_A\n#define OTHER\n#include "a.h"\n#endif\n') == ()


@pytest.fixture
def parses(monkeypatch):
    """The arguments of all parses."""
    seen: list[tuple[str, ...]] = []
    parsed = repair.parsed

    def counted(path, arguments, files, record):
        seen.append(tuple(arguments))
        return parsed(path, arguments, files, record)

    monkeypatch.setattr(repair, "parsed", counted)
    return seen


def project(folder: Path) -> str:
    """A file whose header lies in `include` and needs one that lies in `lib`."""
    for name, text in {
        "include/own/first.h": "#ifndef F\n#define F\n#include <second.h>\ntypedef struct thing thing;\n#endif\n",
        "lib/second.h": "#define SECOND 2\n",
        "lib/sub/a.c": "#include <own/first.h>\n#include <stdlib.h>\nint f(thing *t) { return t ? SECOND : 0; }\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder / "lib/sub/a.c")


@linux
def test_headers_near_the_file_are_found_before_the_first_parse(tmp_path, parses):
    unit = lower_file(project(tmp_path), FrontendOptions())
    assert len(parses) == 1
    assert [function.degraded for function in unit.functions] == [()]
    assert unit.missing_headers == ()


def test_without_foresight_the_parser_tells(tmp_path, parses):
    (tmp_path / "empty.h").touch()
    unit = lower_file(project(tmp_path), FrontendOptions(flags=("-imacros", str(tmp_path / "empty.h"))))
    assert len(parses) > 1
    assert [function.degraded for function in unit.functions] == [()]
    assert unit.missing_headers == ()


def test_a_header_nobody_has_is_reported(tmp_path):
    (tmp_path / "a.c").write_text('#include "nowhere.h"\n#include "nowhere2.h"\nint f(void) { return 0; }\n')
    assert lower_file(str(tmp_path / "a.c"), FrontendOptions()).missing_headers == ("nowhere.h", "nowhere2.h")


@linux
def test_a_header_under_a_condition_is_found_all_the_same(tmp_path, parses):
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "own.h").write_text("enum { OWN = 3 };\n")
    (tmp_path / "a.c").write_text("#if 1\n#include <own.h>\n#endif\nint f(void) { return OWN; }\n")
    unit = lower_file(str(tmp_path / "a.c"), FrontendOptions())
    assert [function.degraded for function in unit.functions] == [()]
    assert len(parses) == 2
