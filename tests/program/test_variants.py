"""Compile databases in a whole run: found above the paths, several ways to compile a file, other machines, C++."""

import json

import pytest

from analyzer.findings.model import NoticeKind, Verdict
from analyzer.libclang.flags import choose_flags, is_foreign, nearest_standard
from analyzer.workspace import Settings, Workspace

SOURCE = """#include <stdlib.h>
int f(int n)
{
	char *p = malloc(n);

	if (!p)
		return -1;
#ifdef ONE
	if (n > 3)
		return -2;
#endif
#ifdef __arm__
	if (n > 5)
		return -5;
#endif
	free(p);
	return 0;
}
"""


def database(root, *commands, file="src/a.c"):
    (root / "src").mkdir(exist_ok=True)
    (root / "build").mkdir(exist_ok=True)
    (root / "src" / "a.c").write_text(SOURCE)
    entries = [{"directory": "..", "file": file, "command": command} for command in commands]
    (root / "build" / "compile_commands.json").write_text(json.dumps(entries))


def analysed(root, *paths, **settings):
    settings = {"jobs": 1, "guard": False, "find_database": True, **settings}
    return Workspace(Settings(root=str(root), **settings)).analyse(paths or ["src"])


def lines(report):
    return [finding.at.line for finding in report.findings]


def messages(report, kind=NoticeKind.FLAG):
    return [f"{notice.file}: {notice.message}" for notice in report.notices if notice.kind is kind]


def test_a_database_above_the_paths_is_used_and_said(tmp_path):
    database(tmp_path, "cc -DONE -c src/a.c")
    report = analysed(tmp_path)
    assert lines(report) == [10]
    assert messages(report) == ["build/compile_commands.json: found: the files' flags are taken from it (-p)"]
    assert lines(analysed(tmp_path, find_database=False)) == []
    assert Workspace(Settings(root=str(tmp_path), find_database=True)).lower("src/a.c").functions[0].blocks != (
        Workspace(Settings(root=str(tmp_path))).lower("src/a.c").functions[0].blocks
    )


def test_a_found_database_that_is_broken_stops_nothing(tmp_path):
    database(tmp_path)
    (tmp_path / "build" / "compile_commands.json").write_text("{")
    report = analysed(tmp_path)
    assert report.files == 1
    (message,) = messages(report)
    assert message.startswith("build/compile_commands.json: found, but not used: ")


def test_a_file_is_analysed_in_every_way_it_is_compiled(tmp_path):
    database(
        tmp_path, "cc -O2 -c src/a.c", "cc -O3 -c src/a.c", "arm-linux-gnueabi-gcc -c src/a.c", "cc -DONE -c src/a.c"
    )
    report = analysed(tmp_path)
    (finding,) = report.findings  # one acquisition that is lost in two places
    assert [point.at.line for point in finding.points] == [10, 14]
    assert [one.verdict for one in report.acquisitions] == [Verdict.LEAKED]
    assert (report.files, report.functions) == (1, 1)
    assert analysed(tmp_path, jobs=3) == report


def test_flags_that_the_parser_never_sees_make_no_difference(tmp_path):
    database(tmp_path, "cc -O2 -c src/a.c", "cc -O3 -Wall -c src/a.c")
    space = Workspace(Settings(root=str(tmp_path), jobs=1, find_database=True))
    ((task,),) = space.link(["src"]).tasks.values()
    assert task.flags == ("-O2",)


def test_why_speaks_of_the_way_that_decides(tmp_path):
    database(tmp_path, "cc -c src/a.c", "cc -DONE -c src/a.c")
    space = Workspace(Settings(root=str(tmp_path), jobs=1, find_database=True))
    (one,) = space.why("src/a.c", 4, []).acquisitions
    assert one.paths[0].verdict is Verdict.LEAKED


def test_definitions_that_differ_from_way_to_way_are_unknown_to_callers(tmp_path):
    database(tmp_path, "cc -c src/drop.c", "cc -DNOT -c src/drop.c", file="src/drop.c")
    drop = "#include <stdlib.h>\nvoid drop(char *p)\n{\n#ifndef NOT\n\tfree(p);\n#endif\n}\n"
    user = "#include <stdlib.h>\nvoid drop(char *p);\nvoid u(void)\n{\n\tdrop(malloc(3));\n}\n"
    (tmp_path / "src" / "drop.c").write_text(drop)
    (tmp_path / "src" / "user.c").write_text(user)
    verdicts = {one.at.file: one.verdict for one in analysed(tmp_path).acquisitions}
    assert verdicts["src/user.c"] is Verdict.ESCAPED
    database(tmp_path, "cc -c src/drop.c", "cc -DELSE -c src/drop.c", file="src/drop.c")
    verdicts = {one.at.file: one.verdict for one in analysed(tmp_path).acquisitions}
    assert verdicts["src/user.c"] is Verdict.RELEASED


def test_response_files_that_are_not_read_are_said(tmp_path):
    database(tmp_path, "cc @flags.rsp @/etc/hostname -c src/a.c")
    (tmp_path / "flags.rsp").write_text("-DONE")
    report = analysed(tmp_path)
    assert lines(report) == [10]
    assert any("response file @/etc/hostname is not read" in message for message in messages(report))
    assert not any("flags.rsp" in message for message in messages(report))


def test_cpp_of_a_database_is_counted_in_one_line(tmp_path):
    from analyzer.report.text import TextWriter

    database(tmp_path, "cc -c src/a.c")
    path = tmp_path / "build" / "compile_commands.json"
    entries = json.loads(path.read_text())
    entries += [{"directory": "..", "file": f"src/{n}.cpp", "command": "g++ -c x"} for n in "bcd"]
    path.write_text(json.dumps(entries))
    report = Workspace(Settings(root=str(tmp_path), database="build", jobs=1)).analyse([])
    assert len(messages(report, NoticeKind.SKIPPED)) == 3
    assert [line for line in TextWriter().notices(report) if "C++" in line] == [
        "src/b.cpp: note: C++ is not analysed (and 2 more files)"
    ]
    assert report.files == 1


def test_bodies_in_included_files_are_told_once(tmp_path):
    body = (
        "#include <stdlib.h>\nstatic void %s(int n)\n{\n\tchar *p = malloc(n);\n\tif (n)\n\t\treturn;\n\tfree(p);\n}\n"
    )
    for name in ("part.c", "table.inc", "own.h"):
        (tmp_path / name).write_text(body % name.partition(".")[0])
    includes = "".join(f'#include "{name}"\n' for name in ("part.c", "table.inc", "own.h"))
    for name in ("one.c", "two.c"):
        (tmp_path / name).write_text(includes + f"void {name[:3]}(void) {{ part(1); table(1); own(1); }}\n")
    report = analysed(tmp_path, ".", find_database=False)
    assert [(finding.at.file, finding.at.line) for finding in report.findings] == [
        ("own.h", 6),
        ("part.c", 6),
        ("table.inc", 6),
    ]
    assert len(report.acquisitions) == 3


@pytest.mark.parametrize(
    ("value", "nearest"),
    [
        ("gnu2y", "gnu2x"),
        ("c2y", "c2x"),
        ("c94", "c89"),
        ("iso9899:2024", "c2x"),
        ("gnu26", "gnu2x"),
        ("c++17", "gnu17"),
    ],
)
def test_an_unknown_standard_is_read_as_the_nearest(value, nearest):
    assert nearest_standard(value) == nearest
    passed, dropped = choose_flags([f"-std={value}"], "")
    assert passed == (f"-std={nearest}",)
    assert dropped == ((f"-std={value}", f"unknown language standard; the file is read as {nearest}"),)
    assert choose_flags(["-std=gnu11"], "") == (("-std=gnu11",), ())


def test_another_machine_reads_no_headers_of_this_one(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    assert choose_flags(["--target=arm-linux-gnueabihf"], "")[0] == ("--target=arm-linux-gnueabihf", "-nostdlibinc")
    assert choose_flags(["-target", "mips-elf"], "")[0] == ("-target", "mips-elf", "-nostdlibinc")
    with_root = ("--target=arm-linux-gnueabihf", "--sysroot=/opt/root")
    assert choose_flags(with_root, "")[0] == with_root
    for target in ("", "x86_64-linux-gnu", "i686-pc-linux-gnu"):
        assert not is_foreign(target)
    for target in ("aarch64-linux-gnu", "x86_64-w64-mingw32", "x86_64-apple-darwin", "arm-none-eabi"):
        assert is_foreign(target)
