"""Why an acquisition has its verdict: the program's analysis, and every way of the resource once more, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from analyzer.checks import SourceText
from analyzer.contracts.linked import LinkedContracts
from analyzer.contracts.model import FunctionContract, Provenance
from analyzer.findings.explanation import ExplainedAcquisition, Explanation
from analyzer.findings.model import Acquisition, Finding, StepKind
from analyzer.frontend import lower_file
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ownership.prepare import prepare
from analyzer.ownership.prepared import Prepared
from analyzer.ownership.trace import Trace, traces
from analyzer.program.assumptions import Circumstances, assumptions, changes
from analyzer.program.constants import with_constants
from analyzer.program.discovery import display_path
from analyzer.program.nothing import reasons
from analyzer.program.run import LinkedProgram
from analyzer.program.tasks import Task
from analyzer.program.telling import Teller
from analyzer.program.unit import frontend_options
from analyzer.sources import LineIndex, SourceView


def why(path: str, line: int, program: LinkedProgram) -> Explanation:
    """The explanation of what is acquired, or goes wrong, in a line of a file. path: absolute, links resolved."""
    return _Answer(path, line, program).explanation()


@final
class _Place:
    """The function around the line, ready to be asked."""

    def __init__(self, unit: TranslationUnit, function: Function, task: Task, program: LinkedProgram) -> None:
        context = program.context
        self.unit = unit = with_constants(unit, program.constants(task.unit, function.name))
        self.function = function
        self.linked = LinkedContracts(context.table, program.contracts(task.unit, function.name), None, context.beliefs)
        self.prepared: Prepared = prepare(function, unit, self.linked, program.defined)


@final
class _Answer:
    def __init__(self, path: str, line: int, program: LinkedProgram) -> None:
        self._path = path
        self._line = line
        self._program = program
        self._file = display_path(path, program.context.root)
        self._view = SourceView(program.context.overlay)
        self._texts: dict[str, LineIndex] = {}
        self._places = list(self._find_places())
        self._place = self._places[0] if self._places else None

    def explanation(self) -> Explanation:
        """The answer."""
        found, notes = self._chosen()
        place = self._place
        if not found or place is None:
            return Explanation(self._file, self._line, (*notes, *self._reasons()))
        told = [one for acquisition in found for one in self._explained(acquisition)]
        return Explanation(self._file, self._line, notes, tuple(told))

    def _reasons(self) -> tuple[str, ...]:
        place = self._place
        prepared = place.prepared if place is not None else None
        return reasons(self._path, self._line, self._program, self._text(self._path), prepared, self._where)

    # -- where ----------------------------------------------------------------------------------------

    def _find_places(self) -> Iterator[_Place]:
        """The function around the line, once for each way in which its file is compiled.

        Of a header's function: in the first file that has it.
        """
        for tasks in self._tasks():
            found = False
            for task in tasks:
                unit = lower_file(task.path, frontend_options(self._program.context, task))
                for function in unit.functions:
                    if function.file == self._path and self._covers(function):
                        found = True
                        yield _Place(unit, function, task, self._program)
            if found:
                return

    def _covers(self, function: Function) -> bool:
        text = self._text(function.file)
        return text.position(function.at)[0] <= self._line <= text.position(function.end)[0]

    def _tasks(self) -> Iterator[tuple[Task, ...]]:
        tasks = self._program.tasks
        if self._path in tasks:
            yield tasks[self._path]
            return
        name = self._path.replace("\\", "/").rsplit("/", 1)[-1].encode()
        for path in sorted(tasks):
            if name in self._text(path).data:
                yield tasks[path]

    def _text(self, file: str) -> LineIndex:
        if file not in self._texts:
            self._texts[file] = LineIndex(self._view.read(file))
        return self._texts[file]

    def _where(self, contract: FunctionContract) -> str:
        """A contract's source as file and line."""
        if contract.provenance is not Provenance.INFERRED:
            return contract.source
        file, _, at = contract.source.rpartition(":")
        return f"{display_path(file, self._program.context.root)}:{self._text(file).position(int(at))[0]}"

    # -- which acquisitions ---------------------------------------------------------------------------

    def _chosen(self) -> tuple[list[Acquisition], tuple[str, ...]]:
        """Those of the line; else those that a finding in this line is about; else the nearest of the function."""
        report, place = self._program.report, self._place
        here = [one for one in report.acquisitions if one.at.file == self._file]
        exact = [one for one in here if one.at.line == self._line]
        if exact:
            return exact, ()
        lost = [f for f in report.findings if (f.at.file, f.at.line) == (self._file, self._line)]
        told = [one for one in here if any(is_about(finding, one) for finding in lost)]
        if told:
            return told, (f"line {self._line} is where it goes wrong: {lost[0].message}",)
        mine = [one for one in here if place is not None and one.function == place.function.name]
        if not mine or place is None:
            return [], ()
        near = min(mine, key=lambda one: (abs(one.at.line - self._line), one.at.line)).at.line
        note = f"nothing is acquired in line {self._line}; the nearest in {place.function.name}() is in line {near}"
        return [one for one in mine if one.at.line == near], (note, *self._reasons())

    # -- one acquisition ------------------------------------------------------------------------------

    def _explained(self, acquisition: Acquisition) -> list[ExplainedAcquisition]:
        """What the acquisition's ways are: those of the first way to compile the file that shows its verdict."""
        told: list[ExplainedAcquisition] = []
        for place in self._places:
            for trace in traces(place.prepared, place.linked, self._program.context.limits):
                if self._is_of(trace, acquisition):
                    told.append(self._told(acquisition, trace, place))
        shown = [one for one in told if any(path.verdict is acquisition.verdict for path in one.paths)]
        return (shown or told)[:1]

    def _is_of(self, trace: Trace, acquisition: Acquisition) -> bool:
        resource, at = trace.resource, acquisition.at
        found = (self._text(self._path).position(resource.acquired_at), resource.callee, resource.slot_text)
        return found == ((at.line, at.column), acquisition.callee, acquisition.slot)

    def _told(self, acquisition: Acquisition, trace: Trace, place: _Place) -> ExplainedAcquisition:
        source = SourceText(self._file, self._text(self._path), place.function)
        teller = Teller(source, trace, place.prepared, self._program.context.table.kinds, self._where)
        ways = sorted(trace.paths, key=lambda way: way.verdict is not acquisition.verdict)
        circumstances = Circumstances(
            self._program,
            place.unit,
            place.function,
            acquisition,
            tuple(finding for finding in self._program.report.findings if is_about(finding, acquisition)),
            shown=any(way.verdict is acquisition.verdict for way in ways),
            name_only=tuple(why for _, _, why in place.prepared.name_only if why),
            followed=tuple(dict.fromkeys(b.name for b in place.prepared.expansion.bodies if b.outer < 0)),
        )
        return ExplainedAcquisition(
            acquisition,
            tuple(teller.path(way) for way in ways),
            trace.complete,
            teller.contracts(ways),
            assumptions(circumstances),
            changes(circumstances),
        )


def is_about(finding: Finding, acquisition: Acquisition) -> bool:
    """Whether the finding speaks of what this acquisition handed out."""
    first, at = finding.steps[0], acquisition.at
    if first.kind is not StepKind.ACQUIRE or finding.callee != acquisition.callee or finding.slot != acquisition.slot:
        return False
    return (first.at.file, first.at.line, first.at.column) == (at.file, at.line, at.column)
