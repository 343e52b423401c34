"""What the releases of a function tell for the text of a finding: which argument, what stands for none, of what."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Provenance, ResourceKind, Root, Term
from analyzer.ir.types import TypeKind
from analyzer.ownership.prepared import CallSite, Contracts, Prepared
from analyzer.ownership.resources import Resource
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


def record_of(prepared: Prepared, study: Resource, holder: str) -> str:
    """Type of the holder, where a function of the program made the structure it points to and it is whole; else ""."""
    site = study.site
    contract = site.contract if site is not None else None
    if contract is None or contract.provenance is not Provenance.INFERRED or study.old:
        return ""
    types = {variable.type for variable in prepared.function.locals if variable.name == holder}
    ctype = types.pop() if len(types) == 1 else None
    if ctype is None or ctype.pointee_kind is not TypeKind.RECORD or ctype.spelling != _type_of(contract, study.slot):
        return ""
    taken_apart = any(
        text.removeprefix("&").startswith(f"{holder}->")
        for other in prepared.calls.values()
        if other.contract is not None
        for effect in (effect for outcome in other.contract.outcomes for effect in outcome.effects)
        if effect.kind is EffectKind.RELEASE and effect.term is not None
        for text in other.texts[effect.term.index : effect.term.index + 1]
    )
    return "" if taken_apart else ctype.spelling


def _type_of(contract: FunctionContract, slot: Term) -> str:
    """The type that the declaration gives to what a function hands out: a ``void *`` says nothing of its contents."""
    if slot == Term(Root.RET):
        return contract.signature.result.spelling
    if slot.root is Root.PARAM and slot.selectors == ("*",) and slot.index < len(contract.signature.parameters):
        return contract.signature.parameters[slot.index].pointee
    return ""


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
