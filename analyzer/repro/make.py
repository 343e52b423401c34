"""A case out of a program: the function around a line, reduced and renamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import final

from analyzer.contracts import ContractTable
from analyzer.contracts.attributes import stated_contracts
from analyzer.contracts.linked import LinkedContracts
from analyzer.contracts.model import FunctionContract, ResourceKind
from analyzer.errors import MustfreeError
from analyzer.frontend import lower_file
from analyzer.ir.function import Function, FunctionDeclaration, TranslationUnit
from analyzer.ir.ops import Call
from analyzer.ownership.limits import Limits
from analyzer.program.discovery import display_path
from analyzer.program.run import LinkedProgram
from analyzer.program.tasks import Task
from analyzer.program.unit import frontend_options
from analyzer.repro.case import Case, Shown
from analyzer.repro.observe import observe, run, shown_by, shows, told
from analyzer.repro.reduce import mentioned_only, reduced
from analyzer.repro.rename import renamed
from analyzer.sources import LineIndex, SourceView

TRIES = 1000


def reproduce(
    path: str, line: int, program: LinkedProgram, limits: Limits, shipped: ContractTable, tries: int = TRIES
) -> Case:
    """The case for what is acquired, or goes wrong, in a line of a file. path: absolute, links resolved.

    shipped: the contracts of the packs alone, with which whoever gets the case will run it. tries: how many smaller
    functions are tried at most.
    MustfreeError: there is nothing to be shown in that line, or a case cannot show it.
    """
    maker = _Maker(path, line, program, limits, shipped)
    case = maker.whole()
    wanted = maker.chosen(case)
    small = replace(case, shown=wanted)

    def still(function: Function) -> bool:
        return shows(mentioned_only(replace(small, function=function)), wanted, shipped)

    if not still(case.function):
        raise MustfreeError(f"{maker.place}: a case does not show the same; please report the line with its sources")
    small = mentioned_only(replace(small, function=reduced(case.function, still, tries)))
    return _neutral(small, shipped, maker.place)


def _neutral(case: Case, shipped: ContractTable, place: str) -> Case:
    """With neutral names, and what it shows at its new places."""
    found = renamed(case, shipped)
    places = _places(case.function, found.function)
    seen = observe(found, shipped)
    shown = []
    for one in case.shown:
        moved = replace(one, at=places[one.at])
        same = [other for other in seen if replace(other, slot=one.slot) == moved]  # slots have names of members
        if not same:
            raise MustfreeError(
                f"{place}: with neutral names the case no longer shows it: something goes by a name that is replaced; "
                "please report that"
            )
        shown.append(moved if moved in same else same[0])
        seen.remove(shown[-1])
    return replace(found, shown=tuple(shown))


def _places(old: Function, new: Function) -> dict[int, int]:
    """Old offset -> new one, of all operations."""
    pairs = zip(old.blocks, new.blocks, strict=True)
    return {
        before.at: after.at
        for one, other in pairs
        for before, after in zip((*one.ops, one.end), (*other.ops, other.end), strict=True)
    }


@final
class _Maker:
    def __init__(self, path: str, line: int, program: LinkedProgram, limits: Limits, shipped: ContractTable) -> None:
        self._path = path
        self._line = line
        self._program = program
        self._limits = limits
        self._shipped = shipped
        self._text = LineIndex(SourceView(program.context.overlay).read(path))
        self.place = f"{display_path(path, program.context.root)}:{line}"

    def whole(self) -> Case:
        """The function around the line with everything that is asked about it."""
        for task in self._tasks():
            unit = lower_file(task.path, frontend_options(self._program.context, task))
            for function in unit.functions:
                if function.file == self._path and self._covers(function):
                    return self._case(unit, function, task)
        raise MustfreeError(f"{self.place}: this line stands in no function; name one that acquires or is reported")

    def _tasks(self) -> Iterator[Task]:
        """The ways in which the file is compiled; of a header, the files that may include it."""
        tasks = self._program.tasks
        for path in [self._path] if self._path in tasks else sorted(tasks):
            yield from tasks[path]

    def _covers(self, function: Function) -> bool:
        return self._line_of(function.at) <= self._line <= self._line_of(function.end)

    def _line_of(self, offset: int) -> int:
        return self._text.position(offset)[0]

    def _case(self, unit: TranslationUnit, function: Function, task: Task) -> Case:
        context, program = self._program.context, self._program
        stated = stated_contracts(unit.declarations, context.table)
        inferred = program.contracts(task.unit, function.name)
        linked = LinkedContracts(context.table, inferred, stated, context.beliefs)
        calls = {op.name: op for block in function.blocks for op in block.ops if isinstance(op, Call) and op.name}
        declarations = {name: unit.declarations[name] for name in calls if name in unit.declarations}
        own = {name for name, one in declarations.items() if one.defined}
        defined = (program.defined | own) & calls.keys()
        contracts = dict(self._contracts(linked, declarations, calls.values(), defined))
        return Case(
            function=function,
            declarations=declarations,
            globals={name: replace(one, name=name) for name, one in unit.globals.items()},
            contracts=contracts,
            kinds=self._kinds(linked.kinds.values()),
            defined=defined,
            lends=context.beliefs.lends,
            limits=self._limits,
        )

    def _contracts(
        self,
        linked: LinkedContracts,
        declarations: dict[str, FunctionDeclaration],
        calls: Iterable[Call],
        defined: frozenset[str],
    ) -> Iterator[tuple[str, FunctionContract]]:
        """Those that the packs alone would not give. A call without a declaration is looked up as the engine does."""
        for op in calls:
            name = op.name or ""
            declaration = declarations.get(name) or FunctionDeclaration(
                name, op.result_type, op.argument_types, prototyped=False, implicit=True
            )
            found = linked.lookup(declaration, name in defined).contract
            if found is not None and found != self._shipped.lookup(declaration, name in defined).contract:
                yield name, found

    def _kinds(self, kinds: Iterable[ResourceKind]) -> dict[str, ResourceKind]:
        """Those that the packs do not have, or not so."""
        return {kind.name: kind for kind in kinds if self._shipped.kinds.get(kind.name) != kind}

    def chosen(self, case: Case) -> tuple[Shown, ...]:
        """What is to be shown: what is acquired in the line, that with mistakes first; else what goes wrong there."""
        result = run(case, self._shipped, ways=True)
        seen = told(case, result)
        here = [one for one in seen if self._line_of(one.at) == self._line]
        if not here:
            events = [event for event in result.events if self._line_of(event.at) == self._line]
            about = {(one.at, one.slot) for one in (shown_by(event, result) for event in events)}
            here = [one for one in seen if (one.at, one.slot) in about]
        wrong = [one for one in here if one.events]
        if not here:
            lines = sorted({self._line_of(one.at) for one in seen})
            remedy = f"lines that will do: {', '.join(map(str, lines))}" if lines else "nor anywhere in its function"
            raise MustfreeError(f"{self.place}: nothing is acquired or reported in this line; {remedy}")
        return tuple(wrong or here)
