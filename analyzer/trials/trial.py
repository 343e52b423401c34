"""Tries a pack on its fixture: a C file in which every function of the pack is used well, and wrongly.

1. The findings in the fixture are compared with its marks, in both directions.
2. For each function of the pack: in how many functions of the fixture with a finding it is called, in how many without.
3. Each contract is weakened, one thing at a time (`contracts.weaker`). Some mark of the fixture must fail then;
   else nothing in it depends on what was taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from analyzer.contracts.model import EffectKind, FunctionContract, Pack
from analyzer.contracts.weaker import weaker
from analyzer.errors import MustfreeError
from analyzer.findings.model import NoticeKind, Report
from analyzer.trials.fixture import Fixture
from analyzer.trials.marks import MarkError, read
from analyzer.workspace import Settings, Workspace

_NOT_CLEAN = (NoticeKind.DEGRADED, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT)


@final
@dataclass(frozen=True, slots=True)
class Tried:
    """One function of the pack.

    wrong, right: how many functions of the fixture call it, with a true finding and without.
    """

    contract: FunctionContract
    wrong: int
    right: int

    @property
    def borrows(self) -> bool:
        """Whether it only borrows what it is given, whoever owns what it returns."""
        kinds = {effect.kind for outcome in self.contract.outcomes for effect in outcome.effects}
        return kinds <= {EffectKind.STATIC}

    @property
    def wants(self) -> tuple[bool, bool]:
        """Whether it can be used wrongly so that a finding comes of it, and whether it can be used rightly."""
        kinds = {effect.kind for outcome in self.contract.outcomes for effect in outcome.effects}
        return bool(kinds & {EffectKind.FRESH, EffectKind.SHARE, EffectKind.RELEASE}), bool(kinds)


@final
@dataclass(frozen=True, slots=True)
class Survivor:
    """A weaker contract that no mark of the fixture notices. what: how it differs."""

    contract: FunctionContract
    what: str


@final
@dataclass(frozen=True, slots=True)
class Trial:
    """What came out. problems: where the findings and the marks of the fixture differ; then nothing was weakened."""

    pack: Pack
    fixture: str
    problems: tuple[str, ...]
    functions: tuple[Tried, ...]
    mutants: int = 0
    survivors: tuple[Survivor, ...] = ()

    @property
    def untried(self) -> tuple[Tried, ...]:
        """Functions with effects that the fixture does not call."""
        return tuple(one for one in self.functions if not one.borrows and not one.wrong + one.right)

    @property
    def passed(self) -> bool:
        """Whether nothing is to be mended."""
        return not (self.problems or self.untried or self.survivors)


def try_pack(
    pack: Path | str, fixture: Path, shipped: bool, progress: Callable[[int, int], None] = lambda done, total: None
) -> Trial:
    """Tries the pack in the rule file `pack` on a C file.

    shipped: it is one of the packs that come with mustfree; otherwise it is added to them. progress: called with the
    number of weakened contracts tried and in all. Raises MustfreeError for a fixture that cannot be used, ContractError
    for a rule file with mistakes.
    """
    text = _text(fixture)
    try:
        marks = read(text)
    except MarkError as error:
        raise MustfreeError(f"{fixture}: {error}") from error
    if not marks:
        message = "has no mark; write `//~ leak: NAME` on the line where NAME is lost, or `//~ clean` when nothing is"
        raise MustfreeError(f"{fixture}: {message}")
    flags = tuple(flag for mark in marks if mark.word == "args" for flag in mark.subject.split())
    rules = () if shipped else (str(pack),)
    workspace = Workspace(Settings(root=str(fixture.resolve().parent), rules=rules, flags=flags, jobs=1, prepass=False))
    tried = Fixture(workspace.link([fixture.name]), fixture.name, marks)
    own = _own(workspace, f"rules/{Path(pack).name}" if shipped else str(pack))
    problems = (*_gaps(tried.report, fixture.name), *tried.problems())
    functions = tuple(_tried(own, tried))
    if problems:
        return Trial(own, str(fixture), problems, functions)
    mutants = [(c, new, what) for c in own.functions for new, what in weaker(c)]
    survivors = []
    for number, (contract, new, what) in enumerate(mutants):
        progress(number, len(mutants))
        if not tried.notices(workspace.table.with_contract(contract, new), contract.name):
            survivors.append(Survivor(contract, what))
    return Trial(own, str(fixture), (), functions, len(mutants), tuple(survivors))


def _text(fixture: Path) -> str:
    try:
        return fixture.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise MustfreeError(f"{fixture}: cannot be read; name a C file with uses of the pack's functions") from error


def _own(workspace: Workspace, shown: str) -> Pack:
    """The pack as the table has it: with kinds that are told from those of other packs."""
    return next(pack for pack in workspace.table.packs if pack.path == shown)


def _gaps(report: Report, file: str) -> Iterator[str]:
    for notice in report.notices:
        if notice.kind in _NOT_CLEAN and notice.file == file:
            yield f"line {notice.line}: {notice.message}"


def _tried(pack: Pack, fixture: Fixture) -> Iterator[Tried]:
    for contract in sorted(pack.functions, key=lambda one: one.name):
        callers = fixture.callers.get(contract.name, frozenset())
        wrong = len(callers & fixture.wrong)
        yield Tried(contract, wrong, len(callers) - wrong)


__all__ = ["Survivor", "Trial", "Tried", "try_pack"]
