"""What is followed: one `Resource` per acquiring call and slot of a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

from analyzer.contracts.model import (
    Effect,
    EffectKind,
    FunctionContract,
    Outcome,
    Provenance,
    ResourceKind,
    Root,
    Term,
    member_offset,
)
from analyzer.contracts.syntax import term_text
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.prepared import CallSite, Contracts, Prepared
from analyzer.ownership.values import UNSET, Value

NO_KIND = ResourceKind("", "", ())
SOME_NUMBER = ResourceKind("", "", (), integer=True, failure=(-1,))  # of what a caller lends


_RET = Term(Root.RET)
WHOLE_RESULT = Term(Root.RET, 0, ("*", "[]"))  # all of what the result points to


def contents_of(outcome: Outcome) -> Value | None:
    """What lies in the object that the outcome returns: zeros, nothing that was ever set, or (None) anything."""
    for effect in outcome.effects:
        if effect.term == WHOLE_RESULT and effect.kind in (EffectKind.NULL, EffectKind.UNDEFINED):
            return 0 if effect.kind is EffectKind.NULL else UNSET
    return None


@final
@dataclass(frozen=True, slots=True)
class Resource:
    """The resource under study in one run.

    site: the acquiring call; None: what the caller lends to the function, to infer what becomes of it: then
    `slot` is a parameter or something that hangs below it.
    slot: where the contract of the call puts it. old: study the block that a realloc-like call
    was given and did not release because it failed, instead of what the call acquires.
    body: the callee of the function's own code that the call stands in, "" where it stands in that itself.
    """

    site: CallSite | None
    slot: Term
    kind: ResourceKind
    old: bool = False
    body: str = ""

    @property
    def slot_text(self) -> str:
        """The slot in the contract's words: "ret", "*buf"."""
        contract = self.site.contract if self.site is not None else None
        return term_text(self.slot, contract.signature.names if contract is not None else ())

    @property
    def acquired_at(self) -> int:
        """Offset of the acquiring call, -1 without one."""
        return self.site.op.at if self.site is not None else -1

    @property
    def key(self) -> int:
        """The key of the acquiring call, -1 without one."""
        return self.site.key if self.site is not None else -1

    @property
    def callee(self) -> str:
        """The acquiring function, "" without one."""
        return self.body or ((self.site.op.name or "") if self.site is not None else "")


def resources(prepared: Prepared, contracts: Contracts) -> Iterator[Resource]:
    """All acquisitions of the function, in code order, each (call, slot) once."""
    for site in prepared.calls.values():
        if site.contract is None:
            continue
        body = prepared.body_of(site)
        seen = set()
        for outcome in site.contract.outcomes:
            for effect in outcome.effects:
                if effect.kind is EffectKind.FRESH and effect.term not in seen and is_plain(effect.term):
                    assert effect.term is not None
                    seen.add(effect.term)
                    yield Resource(site, effect.term, kind_of(effect, contracts), body=body)
        old = conditional_release(site.contract)
        if old is not None:
            yield Resource(site, old, _kind_of_old(site.contract, contracts), old=True, body=body)


def is_plain(term: Term | None) -> bool:
    """Whether the engine can follow the term: ``ret``, ``p``, ``*p``, members of known offset; not elements."""
    if term is None:
        return False
    return all(selector == "*" or member_offset(selector) is not None for selector in term.selectors)


def is_first_element(term: Term, effects: Iterable[Effect]) -> bool:
    """Whether ``*p`` is the first element of an array: the effects speak of another one."""
    others = (effect.term for effect in effects if effect.term is not None)
    return any(
        (other.root, other.index) == (term.root, term.index) and other.selectors[1:2] and other.selectors[1][:2] == ".["
        for other in others
    )


def kind_of(effect: Effect, contracts: Contracts) -> ResourceKind:
    """The kind an effect names."""
    return contracts.kinds.get(effect.resource, NO_KIND)


def _kind_of_old(contract: FunctionContract, contracts: Contracts) -> ResourceKind:
    """The kind of what a realloc-like function is given: the one it says that it releases, or that it hands out."""
    effects = [effect for outcome in contract.outcomes for effect in outcome.effects if effect.resource]
    effects.sort(key=lambda effect: effect.kind is not EffectKind.RELEASE)
    return kind_of(effects[0], contracts) if effects else NO_KIND


_SPARING = frozenset({EffectKind.UNCHANGED, EffectKind.RELEASE, EffectKind.TAKE})


def described_arguments(contract: FunctionContract, outcome: Outcome) -> set[int]:
    """Arguments whose memory the effects of an outcome describe completely: pointers to pointers, untouched ones."""
    if contract.provenance is Provenance.INFERRED:
        return set(contract.complete)
    parameters = contract.signature.parameters
    return {
        e.term.index
        for e in outcome.effects
        if e.term is not None
        and e.term.root is Root.PARAM
        and (e.kind in _SPARING or _points_to_pointer(parameters, e.term))
    }


def _points_to_pointer(parameters: tuple[CType, ...], term: Term) -> bool:
    described = bool(term.selectors) and term.index < len(parameters)
    return described and parameters[term.index].pointee_kind is TypeKind.POINTER


def conditional_release(contract: FunctionContract) -> Term | None:
    """The argument that a realloc-like contract releases exactly when it also returns a fresh resource."""
    released: set[Term] = set()
    fresh = False
    spared = False
    for outcome in contract.outcomes:
        here = {e.term for e in outcome.effects if e.kind is EffectKind.RELEASE and e.term is not None}
        gives = any(
            e.kind is EffectKind.FRESH and e.term is not None and e.term.root is Root.RET for e in outcome.effects
        )
        if here and gives:
            released |= here
            fresh = True
        elif not here and not gives:
            spared = True
    if fresh and spared and len(released) == 1:
        return next(iter(released))
    return None


def handed_back(contract: FunctionContract) -> Term | None:
    """The argument that is returned, or null when the function fails: ``list = append(list, item);``."""
    returned = {
        e.term
        for o in contract.outcomes
        for e in o.effects
        if e.kind is EffectKind.RETURN and e.term is not None and e.term.root is Root.PARAM and not e.term.selectors
    }
    if contract.provenance is not Provenance.INFERRED or len(returned) != 1:
        return None
    term = next(iter(returned))
    failing = [
        o for o in contract.outcomes if any(a.term == _RET and (a.operator, a.value) == ("==", 0) for a in o.when)
    ]
    spared = all(term not in (effect.term, effect.source) for o in failing for effect in o.effects)
    return term if failing and spared else None


def acquires(contract: FunctionContract | None) -> bool:
    """Whether some outcome hands out a resource."""
    return contract is not None and any(
        effect.kind is EffectKind.FRESH for outcome in contract.outcomes for effect in outcome.effects
    )


def has_releases(prepared: Prepared) -> bool:
    """Whether any call of the function releases something."""
    return any(
        effect.kind is EffectKind.RELEASE
        for site in prepared.calls.values()
        if site.contract is not None
        for outcome in site.contract.outcomes
        for effect in outcome.effects
    )
