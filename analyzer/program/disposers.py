"""Functions of the program that release a structure of its own: what the help of a finding should propose.

``free(c)`` would lose what `c` holds where the program has a ``conn_delete(c)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Outcome, Root, Term
from analyzer.findings.model import Finding
from analyzer.ir.types import TypeKind

_WHOLE = Term(Root.PARAM, 0)


@final
@dataclass(frozen=True, slots=True)
class Disposer:
    """A function that always releases the structure that its one parameter points to.

    file: as in reports. record: type of the parameter. by: the functions that finally release the structure.
    """

    name: str
    file: str
    static: bool
    record: str
    by: tuple[str, ...]


def disposer(contract: FunctionContract, file: str, static: bool) -> Disposer | None:
    """What the function is good for, by its inferred contract; None: it releases nothing, or not always."""
    parameters = contract.signature.parameters
    if len(parameters) != 1 or contract.signature.variadic or parameters[0].pointee_kind is not TypeKind.RECORD:
        return None
    by: dict[str, None] = {}
    for outcome in contract.outcomes:
        found = [effect.by for effect in outcome.effects if _releases_whole(effect)]
        if not found and not _is_for_null(outcome):
            return None
        by.update(dict.fromkeys(found))
    return Disposer(contract.name, file, static, parameters[0].spelling, tuple(by)) if by else None


def _releases_whole(effect: Effect) -> bool:
    return effect.kind is EffectKind.RELEASE and effect.term == _WHOLE


def _is_for_null(outcome: Outcome) -> bool:
    return any(atom.term == _WHOLE and (atom.operator, atom.value) == ("==", 0) for atom in outcome.when)


def advised(findings: Iterable[Finding], disposers: Iterable[Disposer]) -> tuple[Finding, ...]:
    """The findings; their help proposes the program's own function where exactly one fits."""
    by_record: dict[str, dict[tuple[str, str], Disposer]] = {}
    for one in disposers:
        by_record.setdefault(one.record, {})[(one.name, one.file if one.static else "")] = one
    return tuple(_advised(finding, by_record) for finding in findings)


def _advised(finding: Finding, by_record: dict[str, dict[tuple[str, str], Disposer]]) -> Finding:
    if not finding.record:
        return finding
    if finding.points:
        finding = replace(finding, points=tuple(_advised(point, by_record) for point in finding.points))
    fitting = [one for one in by_record.get(finding.record, {}).values() if _fits(one, finding)]
    usual = f"call {finding.releases[0]}({finding.resource})" if finding.releases else ""
    if len(fitting) != 1 or not finding.advice.startswith(usual):
        return finding
    better = f"call {fitting[0].name}({finding.resource})"
    return replace(finding, advice=better + finding.advice.removeprefix(usual), remedy=fitting[0].name)


def _fits(one: Disposer, finding: Finding) -> bool:
    here = one.file == finding.at.file
    if (one.static and not here) or (here and one.name == finding.function):
        return False
    return bool(one.by) and set(one.by) <= set(finding.releases)
