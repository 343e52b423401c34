"""A compiler's own words: recorded, written, read again, and used without running anything."""

import json

import pytest

from analyzer.errors import MustfreeError
from analyzer.program.toolchain import HEADER, Toolchain, read_toolchain, recorded, toolchain_text
from analyzer.workspace import Settings, Workspace

MACROS = (
    "#define __arm__ 1\n#define __GNUC__ 12\n#define __OWN(x) (x + 1)\n#define __EMPTY \n#define _STDC_PREDEF_H 1\n"
)
LOG = """Using built-in specs.
Target: arm-linux-gnueabihf
#include "..." search starts here:
#include <...> search starts here:
 /usr/lib/gcc-cross/arm-linux-gnueabihf/12/include
 /opt/arm/sysroot/usr/include
End of search list.
"""
ARM = Toolchain(
    "arm-linux-gnueabihf",
    ("/usr/lib/gcc-cross/arm-linux-gnueabihf/12/include", "/opt/arm/sysroot/usr/include"),
    {"_STDC_PREDEF_H": "1", "__EMPTY": "", "__GNUC__": "12", "__OWN(x)": "(x + 1)", "__arm__": "1"},
)
SOURCE = """#include <stdlib.h>
void f(int n)
{
#if defined __arm__ && defined __EMPTY && __OWN(1) == 2 && __GNUC__ < 12
	malloc(sizeof(long) == 4 ? 1 : 2);
#endif
}
"""


def test_what_gcc_prints():
    assert recorded(MACROS, LOG) == ARM


@pytest.mark.parametrize(("macros", "log"), [("", LOG), (MACROS, ""), (MACROS, LOG.replace("Target", "For"))])
def test_what_is_no_compilers_answer(macros, log):
    with pytest.raises(MustfreeError, match="did not say"):
        recorded(macros, log)


def test_the_file_holds_all_of_it(tmp_path):
    path = tmp_path / "arm.json"
    path.write_text(toolchain_text(ARM))
    assert read_toolchain(path) == ARM


def test_its_own_headers_stand_aside_for_the_parsers():
    assert ARM.flags() == (
        "--target=arm-linux-gnueabihf",
        "-nostdlibinc",
        "-isystem",
        "/opt/arm/sysroot/usr/include",
        "-include",
        HEADER,
    )


def test_macros_of_the_compiler_itself_are_left_out():
    assert ARM.header() == (
        "#ifndef __EMPTY\n#define __EMPTY \n#endif\n"
        "#ifndef __OWN\n#define __OWN(x) (x + 1)\n#endif\n"
        "#ifndef __arm__\n#define __arm__ 1\n#endif\n"
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_analysis_for_its_machine(tmp_path, jobs):
    (tmp_path / "a.c").write_text(SOURCE)
    (tmp_path / "arm.json").write_text(toolchain_text(ARM))
    for name, lines in (("arm.json", [5]), ("", [])):
        report = Workspace(Settings(root=str(tmp_path), jobs=jobs, toolchain=name)).analyse(["a.c"])
        assert [finding.at.line for finding in report.findings] == lines


def test_flags_of_a_file_come_later_and_win(tmp_path):
    (tmp_path / "a.c").write_text("#include <stdlib.h>\nvoid f(void)\n{\n#ifdef __mips__\n\tmalloc(3);\n#endif\n}\n")
    (tmp_path / "arm.json").write_text(toolchain_text(ARM))
    settings = {"root": str(tmp_path), "jobs": 1, "toolchain": "arm.json"}
    assert Workspace(Settings(**settings)).analyse(["a.c"]).findings == ()
    assert Workspace(Settings(**settings, flags=("--target=mips-linux-gnu",))).analyse(["a.c"]).findings


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format": "other"}, "no toolchain file"),
        ({"version": 2}, "no toolchain file"),
        ({"target": "a b"}, "`target`"),
        ({"include": "/x"}, "`include`"),
        ({"macros": {"A B": "1"}}, "`macros`"),
        ({"macros": {"A": "1\n#include </etc/passwd>"}}, "`macros`"),
        ({"macros": {"A": 1}}, "`macros`"),
    ],
)
def test_mistakes_in_the_file_name_it(tmp_path, change, what):
    path = tmp_path / "arm.json"
    path.write_text(json.dumps({**json.loads(toolchain_text(ARM)), **change}))
    with pytest.raises(MustfreeError, match=what) as error:
        read_toolchain(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_file_that_is_none(tmp_path, content):
    path = tmp_path / "arm.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MustfreeError, match=r"arm\.json"):
        Workspace(Settings(root=str(tmp_path), toolchain="arm.json"))
