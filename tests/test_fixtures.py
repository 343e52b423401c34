"""Every C file below fixtures/ against the expectations written in it (fixtures/README.md)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from expectations import CHECKS, Expectation, Found, difference, fixture_programs, read, unnamed

from analyzer.findings.model import NoticeKind, Report
from analyzer.ir.function import TranslationUnit
from analyzer.report.summary import shown_findings
from analyzer.workspace import Settings, Workspace

ROOT = Path(__file__).parents[1] / "fixtures"
PROGRAMS = fixture_programs(ROOT)
FILES = [path for program in PROGRAMS for path in program]
NOT_CLEAN = (NoticeKind.DEGRADED, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def program_name(paths: Sequence[Path]) -> str:
    return name(paths[0] if len(paths) == 1 else paths[0].parent)


@pytest.mark.parametrize("headers", ["headers", "none"])
@pytest.mark.parametrize("paths", PROGRAMS, ids=program_name)
def test_fixture(paths: Sequence[Path], headers: str):
    expected = {name(path): read(path.read_text()) for path in [*paths, *own_headers(paths)]}
    marks = [mark for marks in expected.values() for mark in marks]
    flags = [flag for mark in marks if mark.word == "args" for flag in mark.subject.split()]
    if headers == "none":  # as on a machine without a C library's headers
        flags.append("-nostdlibinc")
    workspace = Workspace(Settings(root=str(ROOT), flags=tuple(flags), jobs=1, summaries=True, guard=False))
    report = workspace.analyse([name(path) for path in paths])
    for finding in report.findings:
        expected.setdefault(finding.at.file, [])
    problems = [
        f"{file} {problem}" for file, marks in expected.items() for problem in compare(file, marks, report, workspace)
    ]
    assert not problems, "\n" + "\n".join(problems)


def own_headers(paths: Sequence[Path]) -> list[Path]:
    """The headers of a program that has a folder of its own; they may carry marks as well."""
    return sorted(paths[0].parent.glob("*.h")) if paths[0].parent.parent != ROOT else []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_marks_and_function_names_agree(path: Path):
    source = path.read_text()
    marks = read(source)
    assert any(mark.word != "args" for mark in marks), "say '//~ clean' when nothing is to be found"
    if any(mark.word == "clean" for mark in marks):
        assert [str(mark) for mark in marks if mark.word in CHECKS and mark.known != "FN"] == []
    assert unnamed(source, marks) == []


def compare(file: str, marks: Sequence[Expectation], report: Report, workspace: Workspace) -> Iterator[str]:
    """What the marks of one file and the report disagree about, one line each."""
    checks = [mark for mark in marks if mark.word in CHECKS]
    yield from difference(checks, findings(file, report))
    for word, found in (("verdict", verdicts), ("growth", growths), ("step", steps), ("gave-up", gave_up)):
        mine = [mark for mark in marks if mark.word == word]
        places = {(mark.line, mark.subject, mark.number) for mark in mine}
        given = [one for one in found(file, report) if (one.line, one.subject, one.number) in places]
        yield from difference(mine, given)
    yield from notices(file, marks, report)
    yield from summaries(file, marks, report)
    wanted = [mark for mark in marks if mark.word == "state"]
    if wanted:
        yield from difference(wanted, states(file, wanted, workspace))


def growths(file: str, report: Report) -> list[Found]:
    return [
        Found(one.at.line, "growth", one.resource, one.growth_reason, detail=one.growth.value)
        for one in shown_findings(report, everything=False)
        if one.at.file == file and one.growth is not None
    ]


def findings(file: str, report: Report) -> list[Found]:
    return [
        Found(finding.at.line, finding.check, finding.resource, finding.message)
        for finding in shown_findings(report, everything=False)
        if finding.at.file == file
    ]


def steps(file: str, report: Report) -> list[Found]:
    return [
        Found(step.at.line, "step", finding.resource, step.message, number)
        for finding in shown_findings(report, everything=False)
        for number, step in enumerate(finding.steps, 1)
        if step.at.file == file
    ]


def verdicts(file: str, report: Report) -> list[Found]:
    return [
        Found(one.at.line, "verdict", one.holder, one.reason, detail=one.verdict.name.lower().replace("_", " "))
        for one in report.acquisitions
        if one.at.file == file
    ]


def gave_up(file: str, report: Report) -> list[Found]:
    return [
        Found(notice.line, "gave-up", notice.message)
        for notice in report.notices
        if notice.kind is NoticeKind.NOT_ANALYSED and notice.file == file
    ]


def summaries(file: str, marks: Sequence[Expectation], report: Report) -> Iterator[str]:
    """The marks on a function's line are its whole contract, an outcome each; a function without any is free."""
    wanted: dict[int, list[str]] = {}
    for mark in marks:
        if mark.word == "summary":
            wanted.setdefault(mark.line, []).append(mark.subject)
    given = {
        one.at.line: [outcome_text(line) for line in one.lines[1:]] if one.known else ["unknown"]
        for one in report.summaries
        if one.at.file == file
    }
    for line, texts in wanted.items():
        found = [text for text in given.get(line, ["no function"]) if text]
        if found != texts:
            yield f"line {line}: the contract is " + " ".join(f"//~ summary: {text}" for text in found)


def outcome_text(line: str) -> str:
    """``ret == 0: fresh *out heap`` for a line of a rule file, "" for one that is no outcome."""
    yaml_line = line.strip().removeprefix("# or: ").removeprefix("- ")
    if yaml_line in ("outcomes:",) or yaml_line.startswith("returns:"):
        return ""
    item = yaml.safe_load(yaml_line)
    if item.get("when") == "otherwise":
        return ""  # for a rule file only: it does not happen
    effects = ", ".join(item["then"]) or "nothing"
    return f"{', '.join(item['when'])}: {effects}" if item.get("when") else effects


def notices(file: str, marks: Sequence[Expectation], report: Report) -> Iterator[str]:
    """A fixture is analysed completely, unless it says that it is about the opposite."""
    told = {mark.line for mark in marks if mark.word == "gave-up"}
    mine = [
        notice
        for notice in report.notices
        if notice.file == file and notice.kind in NOT_CLEAN and notice.line not in told
    ]
    if any(mark.word == "degraded" for mark in marks):
        if not any(notice.kind is NoticeKind.DEGRADED for notice in mine):
            yield "is not degraded, but says so"
        mine = [notice for notice in mine if notice.kind is not NoticeKind.DEGRADED]
    for notice in mine:
        yield f"line {notice.line}: {notice.kind.value}: {notice.message}"


def states(file: str, wanted: Sequence[Expectation], workspace: Workspace) -> list[Found]:
    """The states that reach the block that begins on a mark's line, for the resources the marks name."""
    data = (ROOT / file).read_bytes()
    unit = workspace.lower(file)
    found: dict[tuple[int, str], set[str]] = {}
    for mark in wanted:
        for line in entry_states(unit, data, mark.line, workspace):
            words = line.partition(" held by ")[0].rpartition(" ")
            if words[0] == mark.subject:
                found.setdefault((mark.line, mark.subject), set()).add(words[2])
    return [Found(line, "state", subject, detail=" | ".join(sorted(names))) for (line, subject), names in found.items()]


def entry_states(unit: TranslationUnit, data: bytes, line: int, workspace: Workspace) -> tuple[str, ...]:
    for function in unit.functions:
        starts = {
            (block.ops[0].at if block.ops else block.end.at): number
            for number, block in reversed(list(enumerate(function.blocks)))
        }
        here = [offset for offset in starts if data.count(b"\n", 0, offset) + 1 == line]
        if here:
            program = workspace.link([unit.path])
            return dict(workspace.states(function, unit, program).states).get(starts[min(here)], ())
    return ()
