"""All contracts of a run: which one applies to a call, and why not another.

Order at a call: the project's rule files; a pack whose name and signature match, also when the program
defines such a function (a test double must not silence the pack); a definition in the program (not described
here: unknown); a pack that fits by name and number of arguments where no prototype is in sight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

from analyzer.contracts.headers import virtual_header
from analyzer.contracts.model import (
    Effect,
    EffectKind,
    FunctionContract,
    Pack,
    Provenance,
    ResourceKind,
)
from analyzer.contracts.signature import mismatch, narrower
from analyzer.errors import ContractError
from analyzer.ir.function import FunctionDeclaration

_ACQUIRES = frozenset({EffectKind.FRESH, EffectKind.SHARE})
_RELEASES = frozenset({EffectKind.RELEASE})


@final
@dataclass(frozen=True, slots=True)
class Match:
    """What a look-up found.

    by: "project", "signature", "name", or "" with no contract.
    mismatch: why contracts of the same name were not used, as a sentence; "" when there are none.
    """

    contract: FunctionContract | None = None
    by: str = ""
    mismatch: str = ""


@final
class ContractTable:
    """Contracts by function name and resource kinds by name.

    Kinds that several packs call by the same name are called ``library/name`` here and in the contracts. Where a rule
    file of the project names a kind that it does not define, that of a shipped pack is meant. A
    function with the effect ``release p heap`` is a release of every kind that shares a release with `heap`:
    the effect means "as free() does".
    """

    lends = False  # see Beliefs

    def __init__(self, packs: Sequence[Pack]) -> None:
        """Packs whose provenance is PROJECT win over the others, later ones over earlier ones."""
        self.packs = _with_all_releases(_with_unique_kinds(packs))
        self.kinds: Mapping[str, ResourceKind] = {
            name: kind for pack in self.packs for name, kind in pack.kinds.items()
        }
        self._contracts: dict[str, tuple[FunctionContract, ...]] = {}
        ranked = [*_of(self.packs, project=True), *_of(self.packs, project=False)]
        for pack in ranked:
            for contract in pack.functions:
                self._contracts[contract.name] = (*self._contracts.get(contract.name, ()), contract)
        self.acquiring_names = self._names_with(_ACQUIRES)
        self.releasing_names = self._names_with(_RELEASES)
        self.relevant_names = self.acquiring_names | self.releasing_names

    def ignores_null(self, function: str) -> bool:
        """Whether the function is documented to do nothing for a null pointer."""
        return any(function in pack.ignores_null for pack in self.packs)

    def with_contract(self, old: FunctionContract, new: FunctionContract) -> ContractTable:
        """The same table with another contract in the place of one; kinds and virtual headers stay."""
        other = copy(self)
        named = tuple(new if contract is old else contract for contract in self._contracts[old.name])
        other._contracts = {**self._contracts, old.name: named}
        return other

    def without(self, library: str) -> ContractTable:
        """A table in which no function of one library is described; its kinds stay."""
        packs = [
            replace(pack, functions=(), declare="", headers=(), ignores_null=()) if pack.library == library else pack
            for pack in self.packs
        ]
        return ContractTable(packs)

    @property
    def names(self) -> Iterable[str]:
        """Names of all functions described."""
        return self._contracts.keys()

    def all_named(self, name: str) -> tuple[FunctionContract, ...]:
        """Every contract for a function of this name, the winning one first."""
        return self._contracts.get(name, ())

    def lookup(
        self,
        declaration: FunctionDeclaration,
        defined_in_program: bool = False,
        arguments: int | None = None,
    ) -> Match:
        """The contract for calls of a declared function.

        arguments: how many the call passes, by default as many as the declaration has; decides where no
        prototype is in sight.
        """
        candidates = self._contracts.get(declaration.name)
        if not candidates:
            return Match()
        if declaration.implicit or not declaration.prototyped:
            if defined_in_program or declaration.defined:
                return Match(mismatch=_reason(candidates[0], "the program defines it without a prototype"))
            return _by_name(candidates, len(declaration.parameters) if arguments is None else arguments)
        why = ""
        for contract in candidates:
            difference = mismatch(contract.signature, declaration)
            project = contract.provenance is Provenance.PROJECT
            if not difference and not project:
                difference = narrower(contract.signature, declaration)
            if not difference:
                return Match(contract, "project" if project else "signature")
            why = why or _reason(contract, difference)
        return Match(mismatch=why)

    def virtual_headers(self) -> Mapping[str, str]:
        """Header pattern -> C text that stands in for headers of that name where they are missing."""
        return self._virtual_headers

    @cached_property
    def _virtual_headers(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for pack in self.packs:
            text = virtual_header(pack)
            for pattern in pack.headers:
                found.setdefault(pattern, text)
        return found

    def _names_with(self, kinds: frozenset[EffectKind]) -> frozenset[str]:
        return frozenset(
            contract.name
            for contracts in self._contracts.values()
            for contract in contracts
            if (contract.scans is not None and EffectKind.FRESH in kinds)
            or any(effect.kind in kinds for outcome in contract.outcomes for effect in outcome.effects)
        )


def check_references(table: ContractTable, provenance: Provenance) -> None:
    """Every function that a kind names must be described by some rule, or nothing would ever release it.

    Looks at the packs of one provenance. Raises ContractError with all problems.
    """
    problems: list[str] = []
    for kind in (k for pack in table.packs if pack.provenance is provenance for k in pack.kinds.values()):
        for role, names in (("release", kind.releases), ("share", kind.share)):
            for name in names:
                if not table.all_named(name):
                    remedy = f"add `{name}` to `functions:` with the effect `{role} ...`"
                    problems.append(f"{kind.source}: no rule describes `{name}`, a {role} of this kind; {remedy}")
    if problems:
        raise ContractError(problems)


def _of(packs: Sequence[Pack], project: bool) -> list[Pack]:
    found = [pack for pack in packs if (pack.provenance is Provenance.PROJECT) is project]
    return found[::-1] if project else found


def _reason(contract: FunctionContract, difference: str) -> str:
    return f"{contract.name}() fits the contract of {contract.library} by name only: {difference}"


def _by_name(candidates: tuple[FunctionContract, ...], arguments: int) -> Match:
    for contract in candidates:
        wanted = len(contract.signature.parameters)
        if arguments == wanted or (contract.signature.variadic and arguments > wanted):
            return Match(contract, "name", _reason(contract, "no prototype is in sight"))
    wanted = len(candidates[0].signature.parameters)
    return Match(mismatch=_reason(candidates[0], f"the call has {arguments} arguments, not {wanted}"))


def _with_unique_kinds(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    owners: dict[str, int] = {}
    for pack in packs:
        for name in pack.kinds:
            owners[name] = owners.get(name, 0) + 1
    meant: dict[str, str] = {}  # by a pack that has no kind of that name: a shipped one before a project's
    for pack in sorted(packs, key=lambda pack: pack.provenance is Provenance.PROJECT):
        for name in pack.kinds:
            meant.setdefault(name, pack.library)
    several = [name for name, count in owners.items() if count > 1]
    return tuple(
        _renamed(pack, {name: f"{pack.library if name in pack.kinds else meant[name]}/{name}" for name in several})
        for pack in packs
    )


def _renamed(pack: Pack, new: Mapping[str, str]) -> Pack:
    if not new:
        return pack
    kinds = {new.get(name, name): replace(kind, name=new.get(name, name)) for name, kind in pack.kinds.items()}
    return replace(pack, kinds=kinds, functions=tuple(_renamed_function(f, new) for f in pack.functions))


def _renamed_function(function: FunctionContract, new: Mapping[str, str]) -> FunctionContract:
    scans = function.scans
    if scans is not None:
        function = replace(function, scans=(scans[0], new.get(scans[1], scans[1])))
    if not any(effect.resource in new for outcome in function.outcomes for effect in outcome.effects):
        return function
    outcomes = tuple(
        replace(outcome, effects=tuple(_renamed_effect(effect, new) for effect in outcome.effects))
        for outcome in function.outcomes
    )
    return replace(function, outcomes=outcomes)


def _renamed_effect(effect: Effect, new: Mapping[str, str]) -> Effect:
    if effect.resource not in new:
        return effect
    return replace(effect, resource=new[effect.resource])


def _with_all_releases(packs: Sequence[Pack]) -> tuple[Pack, ...]:
    """Kinds whose `releases` also name the functions that say in their effects that they release them."""
    kinds = {name: kind for pack in packs for name, kind in pack.kinds.items()}
    more: dict[str, list[str]] = {}
    for pack in packs:
        for function in pack.functions:
            for name in _released_kinds(function):
                for other, kind in kinds.items():
                    if not set(kind.releases).isdisjoint(kinds[name].releases):
                        more.setdefault(other, []).append(function.name)
    return tuple(
        replace(pack, kinds={n: _with_releases(kind, more.get(n, ())) for n, kind in pack.kinds.items()})
        for pack in packs
    )


def _released_kinds(function: FunctionContract) -> list[str]:
    effects = (effect for outcome in function.outcomes for effect in outcome.effects)
    return [e.resource for e in effects if e.kind is EffectKind.RELEASE and e.resource]


def _with_releases(kind: ResourceKind, more: Sequence[str]) -> ResourceKind:
    new = tuple(dict.fromkeys((*kind.releases, *more)))
    return kind if new == kind.releases else replace(kind, releases=new)
