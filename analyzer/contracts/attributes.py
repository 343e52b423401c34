"""Contracts that the code itself states, by attributes of its declarations.

    struct thing *thing_new(void) __attribute__((malloc(thing_free, 1)));        gcc
    void *pool_get(size_t n) __attribute__((ownership_returns(pool, 1)));        clang
    void pool_put(void *p) __attribute__((ownership_takes(pool, 1)));            ... releases; ownership_holds: takes

(GCC manual, "Common Function Attributes"; clang's attribute reference, "ownership_holds, ownership_returns,
ownership_takes".) A rule file or pack that describes the function wins over them, they win over its body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import final

from analyzer.contracts.model import (
    Atom,
    Effect,
    EffectKind,
    FunctionContract,
    Outcome,
    Provenance,
    ResourceKind,
    Root,
    Signature,
    Term,
)
from analyzer.contracts.table import ContractTable
from analyzer.ir.function import FunctionDeclaration

_RET = Term(Root.RET)
_MALLOC = re.compile(r"malloc\((\w+)(?:, (\d+))?\)")
_OWNERSHIP = re.compile(r"ownership_(returns|takes|holds)\((\w+)((?:, \d+)*)\)")


@final
@dataclass(slots=True)
class StatedContracts:
    """What the declarations of one unit state. kinds: resource kinds that no rule file knows."""

    functions: dict[str, FunctionContract] = field(default_factory=dict)
    kinds: dict[str, ResourceKind] = field(default_factory=dict)


def stated_contracts(declarations: Mapping[str, FunctionDeclaration], table: ContractTable) -> StatedContracts:
    """The contracts that attributes of these declarations state."""
    found = StatedContracts()
    families = _families(declarations)
    for declaration in declarations.values():
        stated = [*_allocates(declaration, declarations, table, found), *_owns(declaration, families, table, found)]
        if stated and declaration.name not in found.functions:
            found.functions[declaration.name] = _contract(declaration, tuple(stated))
    return found


def _allocates(
    declaration: FunctionDeclaration,
    declarations: Mapping[str, FunctionDeclaration],
    table: ContractTable,
    found: StatedContracts,
) -> Iterator[Effect]:
    """``malloc(f, n)``: the result is fresh, and f releases its n-th argument."""
    pairs = [match for match in map(_MALLOC.fullmatch, declaration.attributes) if match]
    if not pairs:
        return
    names = tuple(match[1] for match in pairs)
    kind = _known_kind(names, table) or _new_kind(f"of {names[0]}()", names, declaration, found)
    yield Effect(EffectKind.FRESH, _RET, kind)
    for match in pairs:
        release = declarations.get(match[1])
        position = int(match[2] or 1) - 1
        if release is not None and position < len(release.parameters) and not table.all_named(release.name):
            effect = Effect(EffectKind.RELEASE, Term(Root.PARAM, position))
            found.functions[release.name] = _contract(release, (effect,))


def _owns(
    declaration: FunctionDeclaration,
    families: Mapping[str, tuple[str, ...]],
    table: ContractTable,
    found: StatedContracts,
) -> Iterator[Effect]:
    for match in filter(None, map(_OWNERSHIP.fullmatch, declaration.attributes)):
        what, family, positions = match[1], match[2], [int(number) - 1 for number in re.findall(r"\d+", match[3])]
        if what == "returns":
            releases = families.get(family, ())
            heap = _known_kind(("free",), table) if family == "malloc" else None
            also = table.kinds[heap].releases if heap else ()
            yield Effect(
                EffectKind.FRESH, _RET, _new_kind(f"of family {family}", (*releases, *also), declaration, found)
            )
            continue
        kind = EffectKind.RELEASE if what == "takes" else EffectKind.TAKE
        for position in positions:
            if position < len(declaration.parameters):
                yield Effect(kind, Term(Root.PARAM, position))


def _families(declarations: Mapping[str, FunctionDeclaration]) -> dict[str, tuple[str, ...]]:
    """Family -> the functions that release what belongs to it."""
    found: dict[str, tuple[str, ...]] = {}
    for name, declaration in sorted(declarations.items()):
        for match in filter(None, map(_OWNERSHIP.fullmatch, declaration.attributes)):
            if match[1] == "takes":
                found[match[2]] = (*found.get(match[2], ()), name)
    return found


def _known_kind(releases: tuple[str, ...], table: ContractTable) -> str | None:
    return next((name for name, kind in table.kinds.items() if set(releases) <= set(kind.releases)), None)


def _new_kind(name: str, releases: tuple[str, ...], declaration: FunctionDeclaration, found: StatedContracts) -> str:
    if name not in found.kinds:
        found.kinds[name] = ResourceKind(name, "", releases, noun="resource", source=declaration.file)
    return name


def _contract(declaration: FunctionDeclaration, effects: tuple[Effect, ...]) -> FunctionContract:
    names = declaration.parameter_names
    fresh = tuple(effect for effect in effects if effect.kind is EffectKind.FRESH)
    others = tuple(effect for effect in effects if effect.kind is not EffectKind.FRESH)
    outcomes: tuple[Outcome, ...] = (Outcome((), others),)
    if fresh and "returns_nonnull" in declaration.attributes:
        outcomes = (Outcome((), effects),)
    elif fresh:
        outcomes = (Outcome((Atom(_RET, "!=", 0),), effects), Outcome((Atom(_RET, "==", 0),), others))
    return FunctionContract(
        name=declaration.name,
        signature=Signature(declaration.result, declaration.parameters, names, declaration.variadic),
        outcomes=outcomes,
        provenance=Provenance.BUILTIN,
        source=declaration.file,
        noreturn=declaration.noreturn,
    )
