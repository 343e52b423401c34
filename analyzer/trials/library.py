"""Holds a pack against the sources of its library.

Inference runs over the sources as over any program, without the pack: what the library's functions call of each other
is inferred, too. Then each contract of the pack is compared with what came out (`agreement`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import final

from analyzer.contracts.model import FunctionContract, Pack, ResourceKind, Signature
from analyzer.contracts.packs import RuleSet
from analyzer.contracts.signature import mismatch
from analyzer.errors import MustfreeError
from analyzer.findings.model import Report
from analyzer.ir.function import FunctionDeclaration
from analyzer.program.rounds import Progress
from analyzer.trials.agreement import Remark, Standing, record, remarks, standing
from analyzer.trials.explained import Explained
from analyzer.workspace import Settings, Workspace


class Result(Enum):
    """What came of one function, in the order of the tables."""

    AGREES = "agrees"
    TELLS_LESS = "tells less"
    SAYS_LESS = "says less"
    EXPLAINED = "contradicts, explained"
    CONTRADICTS = "contradicts"
    OTHER = "declared differently"
    NOT_INFERRED = "not inferred"
    ABSENT = "not in these sources"


_RESULTS = {
    Standing.AGREES: Result.AGREES,
    Standing.TELLS_LESS: Result.TELLS_LESS,
    Standing.SAYS_LESS: Result.SAYS_LESS,
    Standing.CONTRADICTS: Result.CONTRADICTS,
}


@final
@dataclass(frozen=True, slots=True)
class Compared:
    """One function of the pack. why: of OTHER. reasons: of contradictions that are explained, by term."""

    contract: FunctionContract
    result: Result
    remarks: tuple[Remark, ...] = ()
    why: str = ""
    reasons: Mapping[str, str] | None = None


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out. stale: functions and terms that are explained and contradict nothing. report: of the sources."""

    pack: Pack
    functions: tuple[Compared, ...]
    stale: tuple[tuple[str, str], ...]
    report: Report

    @property
    def counts(self) -> Counter[Result]:
        """How many functions have each result."""
        return Counter(one.result for one in self.functions)

    @property
    def seen(self) -> int:
        """How many functions were compared."""
        return sum(self.counts[result] for result in (*_RESULTS.values(), Result.EXPLAINED))

    @property
    def passed(self) -> bool:
        """Whether nothing is to be mended."""
        return not (self.counts[Result.CONTRADICTS] or self.counts[Result.OTHER] or self.stale)


def compare_pack(
    pack: Path,
    shipped: bool,
    sources: Sequence[str],
    flags: Sequence[str] = (),
    explained: Explained | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Compares the pack in the rule file `pack` with the C files that `sources` name or contain.

    shipped: it is one of the packs that come with mustfree; otherwise it is added to them. flags: for the compiler.
    Raises ContractError for a rule file with mistakes, MustfreeError for sources that are not there or define none of
    the pack's functions.
    """
    for source in sources:
        if not Path(source).exists():
            raise MustfreeError(f"{source}: no such file or folder; name the library's sources")
    rules = RuleSet(() if shipped else (str(pack),))
    shown = f"rules/{pack.name}" if shipped else str(pack)
    own = next(one for one in rules.table.packs if one.path == shown)
    settings = Settings(flags=tuple(flags), summaries=True, prepass=False)
    program = Workspace(settings, rules=rules.without(own.library)).link(sources, progress)
    side = _Sides(own, rules.table.kinds, program.inferred(), program.defined, explained or {})
    functions = tuple(sorted(side.functions(), key=lambda one: one.contract.name))
    if all(one.result is Result.ABSENT for one in functions):
        names = ", ".join(sources)
        raise MustfreeError(f"{shown}: {names} defines none of its functions; name the library's sources")
    used = {(one.contract.name, term) for one in functions for term in one.reasons or ()}
    stale = tuple(sorted(set(explained or {}) - used))
    return Comparison(own, functions, stale, program.report)


@final
class _Sides:
    def __init__(
        self,
        pack: Pack,
        kinds: Mapping[str, ResourceKind],
        inferred: Mapping[str, FunctionContract],
        defined: frozenset[str],
        explained: Explained,
    ) -> None:
        self._inferred = inferred
        self._defined = defined
        self._explained = explained
        self._by_name = {function.name: function for function in pack.functions}
        # A kind that only the library's own functions release is made of something else inside of it.
        self._kinds = {name: kind for name, kind in kinds.items() if not set(kind.releases) <= self._by_name.keys()}
        self._counted = frozenset(self._counted_types(pack))

    def _counted_types(self, pack: Pack) -> Iterator[str]:
        for kind in pack.kinds.values():
            for name in (*kind.releases, *kind.share) if kind.share else ():
                if name in self._by_name:
                    yield from (record(of) for of in self._by_name[name].signature.parameters[:1])

    def functions(self) -> Iterator[Compared]:
        """One for each function of the pack."""
        for name, contract in self._by_name.items():
            inferred = self._inferred.get(name)
            if inferred is None:
                yield Compared(contract, Result.NOT_INFERRED if name in self._defined else Result.ABSENT)
                continue
            why = mismatch(contract.signature, _declared(name, inferred.signature))
            yield Compared(contract, Result.OTHER, why=why) if why else self._compared(contract, inferred)

    def _compared(self, contract: FunctionContract, inferred: FunctionContract) -> Compared:
        found = remarks(contract, inferred, self._kinds, self._counted)
        result = _RESULTS[standing(found)]
        if result is not Result.CONTRADICTS:
            return Compared(contract, result, found)
        terms = {one.term for one in found if one.standing is Standing.CONTRADICTS}
        known = {(contract.name, term): self._explained.get((contract.name, term)) for term in sorted(terms)}
        reasons = {term: why for (_, term), why in known.items() if why is not None}
        return Compared(contract, Result.EXPLAINED if len(reasons) == len(terms) else result, found, reasons=reasons)


def _declared(name: str, signature: Signature) -> FunctionDeclaration:
    return FunctionDeclaration(name, signature.result, signature.parameters, variadic=signature.variadic)


__all__ = ["Compared", "Comparison", "Result", "compare_pack"]
