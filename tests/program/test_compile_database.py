import json

import pytest

from analyzer.errors import MustfreeError
from analyzer.program.compile_database import find_databases, joined, read_database


def write(folder, entries):
    path = folder / "compile_commands.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def flags_of(folder, entry):
    write(folder, [{"directory": str(folder), "file": "a.c", **entry}])
    ((command,),) = read_database(folder).commands.values()
    return list(command.flags)


@pytest.mark.parametrize(
    ("entry", "flags"),
    [
        ({"arguments": ["cc", "-DX=1", "-Iinc", "-c", "a.c", "-o", "a.o"]}, ["-DX=1", "-Iinc"]),
        ({"command": "cc -DNAME='\"a b\"' -I inc -c -o a.o a.c"}, ['-DNAME="a b"', "-I", "inc"]),
        ({"command": "ccache gcc -O2 ./a.c"}, ["-O2"]),
        ({"command": "cc -include a.c.h a.c"}, ["-include", "a.c.h"]),
        ({"arguments": ["cc", "a.c"]}, []),
        ({"command": "distcc gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "env A=b LANG=C gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "A=b gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "env -u LANG nice -n 5 gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "/bin/bash ../libtool --tag=CC --mode=compile gcc -DA -c a.c -o a.lo"}, ["-DA"]),
        ({"command": "libtool --mode=compile ccache gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "sh -c 'gcc -DA \"-DB=x y\" -c a.c'"}, ["-DA", "-DB=x y"]),
        ({"arguments": ["sh", "-c", "mkdir -p out && ccache gcc -DA -c a.c; true"]}, ["-DA"]),
        ({"command": "mkdir -p out && gcc -DA -c a.c && mv a.o out"}, ["-DA"]),
        ({"command": "own-wrapper gcc -DA -c a.c"}, ["-DA"]),
        ({"command": "arm-linux-gnueabihf-gcc-12 -DA -c a.c"}, ["--target=arm-linux-gnueabihf", "-DA"]),
        ({"command": "ccache /opt/x/aarch64-poky-linux-musl-clang -c a.c"}, ["--target=aarch64-poky-linux-musl"]),
        ({"command": "arm-linux-gnueabihf-clang --target=arm-none-eabi a.c"}, ["--target=arm-none-eabi"]),
        ({"command": "our-own-gcc -DA a.c"}, ["-DA"]),
    ],
)
def test_flags_are_what_the_compiler_gets(tmp_path, entry, flags):
    assert flags_of(tmp_path, entry) == flags


def test_folders_are_relative_to_the_database(tmp_path):
    (tmp_path / "build").mkdir()
    path = write(tmp_path, [{"directory": "build", "file": "../src/a.c", "arguments": ["cc"]}])
    ((command,),) = read_database(path).commands.values()
    assert command.directory == str(tmp_path.resolve() / "build")
    assert command.file == str(tmp_path.resolve() / "src" / "a.c")


def test_a_file_may_be_compiled_in_several_ways(tmp_path):
    entry = {"directory": ".", "file": "a.c"}
    write(tmp_path, [{**entry, "arguments": ["cc", flag]} for flag in ("-DA", "-DB", "-DA")])
    (commands,) = read_database(tmp_path).commands.values()
    assert [command.flags for command in commands] == [("-DA",), ("-DB",)]


def test_only_c_files_are_offered(tmp_path):
    entries = [{"directory": ".", "file": name, "arguments": ["cc"]} for name in ("b.c", "a.cpp", "a.c")]
    write(tmp_path, entries)
    database = read_database(tmp_path)
    assert [path.rpartition("/")[2] for path in database.files()] == ["a.c", "b.c"]
    assert [path.rpartition("/")[2] for path in database.cpp] == ["a.cpp"]


@pytest.mark.parametrize(
    ("file", "command", "language"),
    [
        ("a.c", "g++ -c a.c", "c++"),
        ("a.c", "cc -x c++ -c a.c", "c++"),
        ("a.c", "x86_64-linux-gnu-g++-12 -x c -c a.c", "c"),
        ("a.cpp", "clang++ -c a.cpp", "c++"),
        ("a.S", "gcc -c a.S", ""),
        ("a.c", "gcc -x assembler-with-cpp -c a.c", ""),
    ],
)
def test_the_language_of_an_entry(tmp_path, file, command, language):
    write(tmp_path, [{"directory": ".", "file": file, "command": command}])
    database = read_database(tmp_path)
    assert (len(database.files()), len(database.cpp)) == {"c": (1, 0), "c++": (0, 1), "": (0, 0)}[language]


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


def test_a_folder_that_the_command_changes_to(tmp_path):
    write(tmp_path, [{"directory": ".", "file": "sub/a.c", "command": "cd sub && gcc -I. -c a.c"}])
    ((command,),) = read_database(tmp_path).commands.values()
    assert command.flags == ("-I.",)
    assert command.directory == str(tmp_path.resolve() / "sub")


def test_response_files_inside_of_the_project_are_read(tmp_path):
    (tmp_path / "inc.rsp").write_text("-Ione '-DA=x y' @more.rsp")
    (tmp_path / "more.rsp").write_text("-DB")
    assert flags_of(tmp_path, {"command": "gcc @inc.rsp -c a.c"}) == ["-Ione", "-DA=x y", "-DB"]


OUTSIDE = ["@../outside.rsp", "@nowhere.rsp", "@link.rsp", "@own.rsp", "@quote.rsp", "@/etc/passwd"]


@pytest.mark.parametrize("word", OUTSIDE)
def test_response_files_that_are_not_read(tmp_path, word):
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "outside.rsp").write_text("-DSECRET")
    (project / "link.rsp").symlink_to(tmp_path / "outside.rsp")
    (project / "own.rsp").write_text("@own.rsp")
    (project / "quote.rsp").write_text("'")
    write(project, [{"directory": ".", "file": "a.c", "arguments": ["cc", word, "-DA"]}])
    ((command,),) = read_database(project).commands.values()
    assert command.flags == ("-DA",)
    assert command.unread == (word,)


def test_a_response_file_below_the_project_but_not_the_build(tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "inc.rsp").write_text("-DA")
    write(tmp_path / "build", [{"directory": ".", "file": "../a.c", "arguments": ["cc", "@../inc.rsp"]}])
    ((command,),) = read_database(tmp_path / "build", str(tmp_path)).commands.values()
    assert command.flags == ("-DA",)
    ((command,),) = read_database(tmp_path / "build").commands.values()
    assert command.unread == ("@../inc.rsp",)


def test_the_nearest_database_above_is_found(tmp_path):
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "build").mkdir()
    (tmp_path / "other" / ".git").mkdir(parents=True)
    write(tmp_path / "build", [])
    paths = [str(tmp_path / name) for name in ("src/deep/a.c", "src", "other/b.c")]
    assert find_databases(paths) == (tmp_path / "build" / "compile_commands.json",)
    write(tmp_path / "src", [])
    assert find_databases(paths)[0] == tmp_path / "src" / "compile_commands.json"
    assert find_databases(paths[2:]) == ()  # a repository ends the search


def test_of_several_databases_the_first_counts_for_a_file(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(
            tmp_path / name,
            [{"directory": "..", "file": file, "arguments": ["cc", f"-D{name}"]} for file in ("a.c", f"{name}.c")],
        )
    both = joined([read_database(tmp_path / name) for name in ("one", "two")])
    assert [(path.rpartition("/")[2], ways[0].flags) for path, ways in sorted(both.commands.items())] == [
        ("a.c", ("-Done",)),
        ("one.c", ("-Done",)),
        ("two.c", ("-Dtwo",)),
    ]
    assert joined([]) is None
