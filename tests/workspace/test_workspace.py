"""The one entry: settings, overlays, determinism, and the guard around our own mistakes."""

import pytest

from analyzer.errors import ContractError, MustfreeError
from analyzer.findings.model import NoticeKind, Verdict
from analyzer.program import unit
from analyzer.workspace import Settings, Workspace
from tests.cli.conftest import CLEAN, LEAK


@pytest.fixture
def root(tmp_path):
    (tmp_path / "leak.c").write_text(LEAK)
    (tmp_path / "clean.c").write_text(CLEAN)
    return tmp_path


def workspace(root, overlay=None, **settings):
    return Workspace(Settings(root=str(root), jobs=1, guard=False, **settings), overlay)


def test_a_report_is_sorted_plain_data(root):
    report = workspace(root).analyse(["."])
    assert [finding.at.file for finding in report.findings] == ["leak.c"]
    assert [one.verdict for one in report.acquisitions] == [Verdict.RELEASED, Verdict.LEAKED]
    assert (report.files, report.functions) == (2, 2)
    assert report.versions[0][0] == "mustfree"


@pytest.mark.parametrize("jobs", [0, 2, 3])
def test_workers_change_nothing(root, jobs):
    for number in range(5):
        (root / f"x{number}.c").write_text(LEAK)
    alone = workspace(root).analyse(["."])
    assert Workspace(Settings(root=str(root), jobs=jobs)).analyse(["."]) == alone


def test_bytes_may_stand_for_files(root):
    changed = {str(root / "leak.c"): LEAK.replace("return -2", "goto out").replace("\tfree", "out:\n\tfree")}
    overlay = {path: text.encode() for path, text in changed.items()}
    assert workspace(root, overlay).analyse(["leak.c"]).findings == ()
    assert workspace(root, {str(root / "new.c"): LEAK.encode()}).analyse(["new.c"]).findings
    assert workspace(root).analyse(["leak.c"]).findings


def test_the_text_of_an_overlay_is_the_text_reports_read(root):
    overlay = {str(root / "leak.c"): b"other"}
    assert workspace(root, overlay).read("leak.c") == b"other"
    assert workspace(root).read("nowhere.c") is None


def test_files_are_named_from_the_root(root):
    (root / "sub").mkdir()
    report = Workspace(Settings(root=str(root / "sub"), jobs=1)).analyse([str(root / "leak.c")])
    assert report.findings[0].at.file == (root / "leak.c").as_posix()


def test_progress_is_told(root):
    told = []
    workspace(root).analyse(["."], lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_mistakes_of_the_user_are_errors(root):
    (root / "bad.yaml").write_text("nonsense: 1\n")
    with pytest.raises(ContractError):
        workspace(root, rules=(str(root / "bad.yaml"),))
    with pytest.raises(MustfreeError):
        workspace(root, database="nowhere")


def broken(name):
    """An engine that makes a mistake in one function."""
    real = unit.analyse

    def analyse(function, *rest, **options):
        if function.name == name:
            raise ZeroDivisionError("our mistake")
        return real(function, *rest, **options)

    return analyse


def test_a_mistake_of_ours_costs_one_function(root, monkeypatch):
    monkeypatch.setattr(unit, "analyse", broken("h"))
    (root / "leak.c").write_text(LEAK.replace("f(", "h(") + LEAK)
    report = Workspace(Settings(root=str(root), jobs=1)).analyse(["."])
    assert [finding.function for finding in report.findings] == ["f"]
    (notice,) = [one for one in report.notices if one.kind is NoticeKind.INTERNAL]
    assert (notice.file, notice.line, notice.function) == ("leak.c", 5, "h")
    assert "ZeroDivisionError: our mistake at test_workspace.py:" in notice.message


def test_in_tests_the_guard_is_off(root, monkeypatch):
    monkeypatch.setattr(unit, "analyse", broken("f"))
    with pytest.raises(ZeroDivisionError):
        workspace(root).analyse(["."])


@pytest.mark.parametrize(
    ("error", "kind"),
    [(RuntimeError("x"), NoticeKind.INTERNAL), (MemoryError(), NoticeKind.NOT_ANALYSED)],
)
def test_a_mistake_in_the_front_end_costs_one_file(root, monkeypatch, error, kind):
    real = unit.lower_file

    def lower(path, options):
        if path.endswith("clean.c"):
            raise error
        return real(path, options)

    monkeypatch.setattr(unit, "lower_file", lower)
    report = Workspace(Settings(root=str(root), jobs=1)).analyse(["."])
    assert [notice.kind for notice in report.notices] == [kind]
    assert report.files == 1
    assert len(report.findings) == 1


def test_the_same_header_function_is_reported_once(root):
    (root / "own.h").write_text("#include <stdlib.h>\n" + LEAK.replace("int f(", "static inline int f("))
    for name in "ab":
        (root / f"{name}.c").write_text(f'#include "own.h"\nint {name};\n')
    report = workspace(root).analyse(["."])
    assert [(f.at.file, f.at.line) for f in report.findings] == [("leak.c", 12), ("own.h", 13)]


def test_a_definition_that_a_pack_overrules_is_named(root):
    (root / "own.c").write_text(
        "#include <stddef.h>\nvoid *malloc(size_t n);\nvoid free(void *);\n"
        "void *malloc(size_t n)\n{\n\tfree((void *)0);\n\treturn NULL;\n}\n"
    )
    report = workspace(root).analyse(["own.c"])
    (notice,) = [one for one in report.notices if one.kind is NoticeKind.CONTRADICTION]
    assert (notice.file, notice.line, notice.function) == ("own.c", 4, "malloc")
    assert "rules/libc.yaml:" in notice.message


def test_dumping_lowers_everything(root):
    (root / "plain.c").write_text("int plain(int x) { return x; }\n")
    space = workspace(root)
    assert [function.name for function in space.lower("plain.c").functions] == ["plain"]
    lowered = space.lower("leak.c")
    (function,) = lowered.functions
    result = space.states(function, lowered, space.link(["leak.c"]))
    assert any("p OWNED" in line for _, lines in result.states for line in lines)
