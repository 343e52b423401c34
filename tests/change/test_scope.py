"""How far a change reaches: which functions are analysed, at both sides alike."""

import pytest

from analyzer.change.scope import scopes
from analyzer.change.sides import from_folders
from analyzer.program.outline import outlines

FILES = {
    "low.c": "static int aid(int n)\n{\n\treturn n;\n}\nint low(int n)\n{\n\treturn aid(n);\n}\n"
    "int other(int n)\n{\n\treturn n;\n}\n",
    "mid.c": "int low(int);\nint mid(int n)\n{\n\treturn low(n) + side(n);\n}\nint apart(int n)\n{\n\treturn n;\n}\n",
    "side.c": "int side(int n)\n{\n\treturn n;\n}\nint unused(int n)\n{\n\treturn n;\n}\n",
    "top.c": "static int run(int n)\n{\n\treturn mid(n);\n}\nint (*table[])(int) = { run };\n"
    "int main(void)\n{\n\treturn table[0](1);\n}\n",
    "far.c": "static int aid(int n)\n{\n\treturn n;\n}\nint main(void)\n{\n\treturn aid(3);\n}\n",
    "flag.c": "int verbose = 0;\nint set(void)\n{\n\tverbose = 1;\n\treturn 0;\n}\n",
    "own.h": "#define LIMIT 3\nstatic inline int clip(int n)\n{\n\treturn n > LIMIT ? LIMIT : n;\n}\n"
    "struct s { int n; };\n",
    "clip.c": '#include "own.h"\nint clipped(int n)\n{\n\treturn clip(n);\n}\nint plain(int n)\n{\n\treturn n;\n}\n',
    "more.c": '#include "own.h"\nint more(int n)\n{\n\treturn n;\n}\n',
}


@pytest.fixture
def scope(tmp_path):
    """file -> functions that are analysed at the head side, of those that the file defines itself."""

    def of(changes, calls=True):
        for side, files in (("before", FILES), ("after", {**FILES, **changes})):
            (tmp_path / side).mkdir()
            for name, text in files.items():
                (tmp_path / side / name).write_text(text)
        change = from_folders(str(tmp_path / "before"), str(tmp_path / "after"))
        sides = [
            lambda files, side=side: outlines([(f, (tmp_path / side / f).read_bytes()) for f in files], None)
            for side in ("before", "after")
        ]
        both = scopes(change, *sides, calls)
        assert both[0].paths == [path for path in both[1].paths if path in FILES]
        head = both[1]
        known = sides[1](head.paths)
        return {
            file: [p.name for p in known[file].functions if p.name not in (head.unneeded or {}).get(file, ())]
            for file in head.paths
        }

    return of


def changed(file, old, new):
    assert FILES[file].count(old) == 1
    return {file: FILES[file].replace(old, new)}


def test_callers_through_a_table_and_what_they_call_but_nothing_else(scope):
    found = scope(changed("low.c", "int low(int n)\n{\n\treturn", "int low(int n)\n{\n\treturn 1 +"))
    assert found == {
        "low.c": ["aid", "low", "other"],
        "mid.c": ["mid"],
        "side.c": ["side"],
        "top.c": ["run", "main"],
    }


def test_a_static_function_reaches_no_other_of_its_name(scope):
    assert "far.c" not in scope(changed("low.c", "aid(int n)\n{\n\treturn n", "aid(int n)\n{\n\treturn -n"))


def test_main_is_called_by_nobody(scope):
    assert scope(changed("far.c", "aid(3)", "aid(4)")).keys() == {"far.c"}


def test_layout_and_comments_reach_nobody(scope):
    assert scope(changed("low.c", "int low(int n)\n{", "/* low */\nint low(int n)\n{\n")).keys() == {"low.c"}


def test_a_macro_reaches_those_that_mention_it_through_other_parts(scope):
    found = scope(changed("own.h", "LIMIT 3", "LIMIT 4"))
    assert found == {"clip.c": ["clipped"]}


def test_a_type_in_a_header_reaches_all_that_include_it(scope):
    found = scope(changed("own.h", "int n; };", "long n; };"))
    assert found == {"clip.c": ["clipped", "plain"], "more.c": ["more"]}


def test_those_who_write_a_variable_that_is_read_belong_to_it(scope):
    reader = FILES["side.c"].replace("return n", "return verbose", 1)
    found = scope({"side.c": reader})
    assert "set" not in found["flag.c"]
    assert found.keys() >= {"side.c", "mid.c", "top.c", "flag.c"}


def test_a_removed_function_reaches_its_callers(scope):
    assert "mid" in scope({"side.c": "int unused(int n)\n{\n\treturn n;\n}\n"})["mid.c"]


def test_a_new_file_that_defines_what_others_call(scope):
    files = {"new.c": "int set2(void)\n{\n\treturn 1;\n}\nint other2(int n)\n{\n\treturn set2();\n}\n"}
    assert scope(files) == {"new.c": ["set2", "other2"]}


def test_without_calls_only_the_changed_files_and_what_includes_them(scope):
    assert scope(changed("own.h", "LIMIT 3", "LIMIT 4"), calls=False).keys() == {"clip.c", "more.c"}
