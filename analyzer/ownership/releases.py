"""What the call that an alarm stands at releases: which argument, and what stands for none of it."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.contracts.model import Effect, EffectKind, ResourceKind, Root
from analyzer.ir.types import TypeKind
from analyzer.ownership.prepare import CallSite, Contracts, Prepared
from analyzer.ownership.witness import Alarm


def released_argument(prepared: Prepared, alarm: Alarm) -> int:
    """Position of the one argument that the call releases; -1 for several, for members, and for no call."""
    terms = {effect.term for _, effect in _releases(prepared, alarm)}
    term = terms.pop() if len(terms) == 1 else None
    return term.index if term is not None and term.root is Root.PARAM and not term.selectors else -1


def nothing(prepared: Prepared, contracts: Contracts, alarm: Alarm) -> str:
    """How a program says that there is nothing to release: a descriptor is -1 then, a pointer NULL."""
    failures: set[int] = set()
    for site, effect in _releases(prepared, alarm):
        kinds = _integer_kinds(contracts, effect.by or site.op.name or "")
        if not kinds or not _may_be_integer(site, effect):
            return "NULL"
        failures |= {failure for kind in kinds for failure in kind.failure[:1]}
    if not failures:
        return "NULL"
    return str(failures.pop()) if len(failures) == 1 else "-1"


def _may_be_integer(site: CallSite, effect: Effect) -> bool:
    """False where what is released is an argument that is none, like ``rtnl_close(&handle)``."""
    term = effect.term
    if term is None or term.root is not Root.PARAM or term.selectors or term.index >= len(site.op.argument_types):
        return True
    return site.op.argument_types[term.index].kind is TypeKind.INT


def _releases(prepared: Prepared, alarm: Alarm) -> Iterator[tuple[CallSite, Effect]]:
    """The effects by which the function that the alarm tells of releases something."""
    for site in prepared.calls.values():
        if site.op.at == alarm.at and site.op.name and site.op.name == alarm.detail and site.contract is not None:
            for effect in (effect for outcome in site.contract.outcomes for effect in outcome.effects):
                if effect.kind is EffectKind.RELEASE:
                    yield site, effect


def _integer_kinds(contracts: Contracts, release: str) -> list[ResourceKind]:
    return [kind for kind in contracts.kinds.values() if kind.integer and release in kind.releases]
