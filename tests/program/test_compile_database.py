import json

import pytest

from analyzer.errors import MustfreeError
from analyzer.program.compile_database import read_database


def write(folder, entries):
    path = folder / "compile_commands.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def flags_of(folder, entry):
    write(folder, [{"directory": str(folder), "file": "a.c", **entry}])
    (command,) = read_database(folder).commands.values()
    return list(command.flags)


@pytest.mark.parametrize(
    ("entry", "flags"),
    [
        ({"arguments": ["cc", "-DX=1", "-Iinc", "-c", "a.c", "-o", "a.o"]}, ["-DX=1", "-Iinc"]),
        ({"command": "cc -DNAME='\"a b\"' -I inc -c -o a.o a.c"}, ['-DNAME="a b"', "-I", "inc"]),
        ({"command": "ccache gcc -O2 ./a.c"}, ["-O2"]),
        ({"command": "cc -include a.c.h a.c"}, ["-include", "a.c.h"]),
        ({"arguments": ["cc", "a.c"]}, []),
    ],
)
def test_flags_are_what_the_compiler_gets(tmp_path, entry, flags):
    assert flags_of(tmp_path, entry) == flags


def test_folders_are_relative_to_the_database(tmp_path):
    (tmp_path / "build").mkdir()
    path = write(tmp_path, [{"directory": "build", "file": "../src/a.c", "arguments": ["cc"]}])
    (command,) = read_database(path).commands.values()
    assert command.directory == str(tmp_path.resolve() / "build")
    assert command.file == str(tmp_path.resolve() / "src" / "a.c")


def test_the_first_entry_of_a_file_counts(tmp_path):
    entry = {"directory": ".", "file": "a.c"}
    write(tmp_path, [{**entry, "arguments": ["cc", "-DA"]}, {**entry, "arguments": ["cc", "-DB"]}])
    (command,) = read_database(tmp_path).commands.values()
    assert command.flags == ("-DA",)


def test_only_c_files_are_offered(tmp_path):
    entries = [{"directory": ".", "file": name, "arguments": ["cc"]} for name in ("b.c", "a.cpp", "a.c")]
    write(tmp_path, entries)
    assert [path.rpartition("/")[2] for path in read_database(tmp_path).files()] == ["a.c", "b.c"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "is not JSON"),
        ("{}", "must be a list"),
        ("[1]", "entry 1 is not an object"),
        ('[{"file": "a.c"}]', "entry 1 must have `arguments`"),
        ('[{"file": 3}]', "entry 1 must have `directory` and `file`"),
        ('[{"file": "a.c", "command": "cc \'"}]', "cannot be taken apart"),
    ],
)
def test_mistakes_name_the_entry(tmp_path, content, what):
    path = write(tmp_path, content)
    with pytest.raises(MustfreeError, match=what) as error:
        read_database(path)
    assert str(path) in str(error.value)


def test_a_missing_database_says_what_is_needed(tmp_path):
    with pytest.raises(MustfreeError, match=r"compile_commands.json: cannot be read"):
        read_database(tmp_path)
