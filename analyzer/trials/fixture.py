"""A C file with marks, analysed once, and parts of it again with other contracts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.findings.model import Acquisition, Finding, Report
from analyzer.program.calls import calls_of
from analyzer.program.groups import Held
from analyzer.program.run import LinkedProgram
from analyzer.program.unit import Analyst, UnitResult
from analyzer.report.summary import shown_findings
from analyzer.sources import LineIndex, SourceView
from analyzer.trials.marks import CHECKS, Expectation, Found, difference

_CALL: Final = re.compile(r"\b(\w+)\s*\(")


@final
class Fixture:
    """One analysed file.

    report: of the whole. callers: name -> functions of the file that call it. wrong: functions with the mark of a
    finding that is there, or should be.
    """

    def __init__(self, program: LinkedProgram, file: str, marks: Sequence[Expectation]) -> None:
        """file: as the report names it."""
        self.report: Report = program.report
        self._file = file
        self._marks = [mark for mark in marks if mark.word in CHECKS or mark.word == "verdict"]
        self._steps = [step for step, _ in program.steps]
        self._contracts = {name: held for _, result in program.steps for name, held in result.contracts.items()}
        self._analyst = Analyst(program.context)
        (task,) = [task for tasks in program.tasks.values() for task in tasks]
        self._analyst.scan(task)
        unit = self._analyst.unit(task)
        lines = LineIndex(SourceView(program.context.overlay).read(task.path))
        ends = {function.name: function.end for function in unit.functions}
        self._spans = {
            function.name: (lines.position(function.at)[0], lines.position(function.end)[0])
            for function in unit.functions
            if function.file == unit.path
        }
        self.callers: dict[str, frozenset[str]] = {}
        for one in calls_of(unit, program.context.table):
            # The text too: memcpy() and its like are lowered to what they do.
            written = _CALL.findall(lines.data[one.at : ends[one.name]].decode("utf-8", "replace"))
            for callee in {*one.callees, *written}:
                self.callers[callee] = self.callers.get(callee, frozenset()) | {one.name}
        self.wrong = frozenset(
            name
            for name, span in self._spans.items()
            if any(_within(mark.line, [span]) and mark.word in CHECKS and mark.known != "FP" for mark in self._marks)
        )

    def problems(self) -> tuple[str, ...]:
        """Where the marks and the report differ, one line each."""
        return tuple(self._difference(self._marks, self.report.findings, self.report.acquisitions))

    def notices(self, table: ContractTable, function: str) -> bool:
        """Whether some mark fails with these contracts, which differ in that one function only."""
        affected = self._reaching(function)
        spans = [span for name, span in self._spans.items() if name in affected]
        marks = [mark for mark in self._marks if _within(mark.line, spans)]
        findings: list[Finding] = []
        acquisitions: list[Acquisition] = []
        known = dict(self._contracts)
        for result in self._again(table, affected, known):
            findings += result.findings
            acquisitions += result.acquisitions
            known.update(result.contracts)
        return any(True for _ in self._difference(marks, findings, acquisitions))

    def _again(self, table: ContractTable, affected: frozenset[str], known: dict[str, Held]) -> Iterator[UnitResult]:
        analyst = self._analyst.with_table(table)
        for step in self._steps:
            groups = tuple(group for group in step.groups if affected.intersection(group))
            if groups:
                here = {name for group in groups for name in group}
                contracts = {name: held for name, held in known.items() if name not in here}
                yield analyst.analyse(replace(step, groups=groups, contracts=contracts))

    def _reaching(self, function: str) -> frozenset[str]:
        """The functions of the file that call it, and those that call these, and so on."""
        found: set[str] = set()
        waiting = [function]
        while waiting:
            new = self.callers.get(waiting.pop(), frozenset()) - found
            found |= new
            waiting += new
        return frozenset(found)

    def _difference(
        self, marks: Iterable[Expectation], findings: Iterable[Finding], acquisitions: Iterable[Acquisition]
    ) -> Iterator[str]:
        shown = shown_findings(Report(findings=tuple(findings)), everything=False)
        found = [Found(f.at.line, f.check, f.resource, f.message) for f in shown if f.at.file == self._file]
        wanted = list(marks)
        places = {(mark.line, mark.subject) for mark in wanted if mark.word == "verdict"}
        found += [
            Found(one.at.line, "verdict", one.holder, one.reason, detail=one.verdict.name.lower().replace("_", " "))
            for one in acquisitions
            if one.at.file == self._file and (one.at.line, one.holder) in places
        ]
        yield from difference(wanted, found)


def _within(line: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(first <= line <= last for first, last in spans)
