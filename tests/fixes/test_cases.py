"""Each kind of repair on a file of its own: the text before and after, and files for which nothing may be offered.

`cases/x.c` becomes `cases/x.fixed.c` when all of its fixes are applied; of `cases/no_x.c` nothing is touched.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.fixes import find_fixes
from analyzer.sources import LineIndex
from analyzer.workspace import Settings, Workspace

CASES = Path(__file__).parent / "cases"
GCC = shutil.which("gcc")
REPAIRED = sorted(path.name.removesuffix(".fixed.c") for path in CASES.glob("*.fixed.c"))
UNTOUCHED = sorted(path.stem for path in CASES.glob("no_*.c"))


def workspace(root):
    return Workspace(Settings(root=str(root), jobs=1, prepass=False, guard=False, cache=str(root / "cache")))


def fixes(root, text, name="a.c"):
    (root / name).write_bytes(text)
    space = workspace(root)
    report = space.analyse([name])
    return report, find_fixes(space, [name], report, lambda finding: True)


def applied(text, fix):
    """As any consumer of the SARIF log would do it."""
    lines = LineIndex(text)
    for one in reversed(fix.replacements):
        start, end = (lines.offset(one.at.line, one.at.column), lines.offset(one.at.end_line, one.at.end_column))
        text = text[:start] + one.text.encode() + text[end:]
    return text


def test_every_case_is_one_or_the_other():
    names = {path.name for path in CASES.iterdir()}
    assert names == {f"{name}.c" for name in REPAIRED + UNTOUCHED} | {f"{name}.fixed.c" for name in REPAIRED}
    assert len(REPAIRED) >= 12
    assert len(UNTOUCHED) >= 6


@pytest.mark.parametrize("name", REPAIRED)
def test_the_text_after_all_fixes(name, tmp_path):
    text = (CASES / f"{name}.c").read_bytes()
    report, found = fixes(tmp_path, text)
    assert report.findings
    assert all(finding.fixes for finding in found.report.findings)
    assert (found.fixed, found.left, found.without) == (len(report.findings), (), ())
    assert found.before == {"a.c": text}
    assert found.texts["a.c"].decode() == (CASES / f"{name}.fixed.c").read_bytes().decode()
    (tmp_path / "a.c").write_bytes(found.texts["a.c"])
    assert workspace(tmp_path).analyse(["a.c"]).findings == ()


@pytest.mark.parametrize("name", REPAIRED)
def test_each_fix_alone_removes_its_findings_and_adds_none(name, tmp_path):
    text = (CASES / f"{name}.c").read_bytes()
    report, found = fixes(tmp_path, text)
    for finding in found.report.findings:
        (fix,) = finding.fixes
        (tmp_path / "b.c").write_bytes(applied(text, fix))
        left = workspace(tmp_path).analyse(["b.c"]).findings
        same = [one for one in found.report.findings if one.fixes == finding.fixes]
        assert sum(len(one.points) or 1 for one in left) <= sum(len(one.points) or 1 for one in report.findings)
        assert len(left) == len(report.findings) - len(same)
        wanted = {(one.resource, one.callee, one.kind) for one in same}
        kept = {(one.resource, one.callee, one.kind) for one in found.report.findings if one not in same}
        assert not {(one.resource, one.callee, one.kind) for one in left} & (wanted - kept)


@pytest.mark.parametrize("name", UNTOUCHED)
def test_nothing_is_offered(name, tmp_path):
    report, found = fixes(tmp_path, (CASES / f"{name}.c").read_bytes())
    assert report.findings
    assert found.texts == {}
    assert found.report == report
    assert found.without == report.findings


@pytest.mark.skipif(GCC is None, reason="the compiler's opinion needs gcc")
@pytest.mark.parametrize("name", REPAIRED)
def test_a_compiler_takes_what_was_written(name):
    file = CASES / f"{name}.fixed.c"
    if b"<netlink/" in file.read_bytes():
        pytest.skip("needs the headers of libnl")
    flags = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", "-Wno-unused-but-set-variable"]
    done = subprocess.run([GCC, "-fsyntax-only", *flags, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
