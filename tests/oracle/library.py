"""The little library that oracle programs call: declarations and contracts.

The interpreter knows the same functions by its own code (interpreter.py), so a wrong reading of a contract by the
engine shows as a disagreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from analyzer.ir.function import Function, FunctionDeclaration, GlobalVariable, TranslationUnit
from analyzer.ir.types import INT, VOID, CType, TypeKind

POINTER = CType(TypeKind.POINTER, "void *", 64, pointee="void", pointee_kind=TypeKind.VOID)
SLOT = CType(TypeKind.POINTER, "void **", 64, pointee="void *", pointee_kind=TypeKind.POINTER)
RECORD = CType(TypeKind.RECORD, "struct pair", 128)

HEAP = ResourceKind("heap", "oracle", ("free_it", "re_alloc"), noun="buffer")
FD = ResourceKind("fd", "oracle", ("close_it",), noun="descriptor", cwe=775, integer=True, failure=(-1,))
STREAM = ResourceKind("stream", "oracle", ("close_file",), noun="stream", cwe=775)
KINDS: Mapping[str, ResourceKind] = {"heap": HEAP, "fd": FD, "stream": STREAM}

RET = Term(Root.RET)


def parameter(index: int, *selectors: str) -> Term:
    return Term(Root.PARAM, index, selectors)


def fresh(term: Term, resource: str, maybe: bool = False, inout: bool = False) -> Effect:
    return Effect(EffectKind.FRESH, term, resource, maybe=maybe, inout=inout)


def outcome(operator: str, *effects: Effect, value: int = 0) -> Outcome:
    return Outcome((Atom(RET, operator, value),), effects)


SIGNATURES = {
    "recv_msg": Signature(INT, (POINTER, SLOT, SLOT), ("sk", "buf", "creds")),
    "alloc": Signature(POINTER, (INT,), ("size",)),
    "re_alloc": Signature(POINTER, (POINTER, INT), ("ptr", "size")),
    "open_it": Signature(INT, (), ()),
    "get_line": Signature(INT, (SLOT,), ("line",)),
    "free_it": Signature(VOID, (POINTER,), ("ptr",)),
    "close_it": Signature(VOID, (INT,), ("fd",)),
    "open_file": Signature(POINTER, (), ()),
    "close_file": Signature(VOID, (POINTER,), ("stream",)),
    "env": Signature(INT, (), ()),
}

BUF, CREDS, LINE = parameter(1, "*"), parameter(2, "*"), parameter(0, "*")
OUTCOMES = {
    "recv_msg": (
        outcome(">", fresh(BUF, "heap"), fresh(CREDS, "heap", maybe=True)),
        outcome("<=", Effect(EffectKind.UNCHANGED, BUF), Effect(EffectKind.NULL, CREDS)),
    ),
    "alloc": (outcome("!=", fresh(RET, "heap")), outcome("==")),
    "re_alloc": (
        outcome("!=", Effect(EffectKind.RELEASE, parameter(0), "heap"), fresh(RET, "heap")),
        outcome("=="),
    ),
    "open_it": (outcome(">=", fresh(RET, "fd")), outcome("<")),
    "get_line": (
        outcome(">=", fresh(LINE, "heap", inout=True)),
        outcome("<", Effect(EffectKind.UNCHANGED, LINE)),
    ),
    "free_it": (Outcome((), (Effect(EffectKind.RELEASE, parameter(0), "heap"),)),),
    "close_it": (Outcome((), (Effect(EffectKind.RELEASE, parameter(0), "fd"),)),),
    "open_file": (outcome("!=", fresh(RET, "stream")), outcome("==")),
    "close_file": (Outcome((), (Effect(EffectKind.RELEASE, parameter(0), "stream"),)),),
    "env": (Outcome((), ()),),
}

CONTRACTS = {
    name: FunctionContract(name, signature, OUTCOMES[name], Provenance.PACK, library="oracle")
    for name, signature in SIGNATURES.items()
}


@dataclass(frozen=True)
class OracleMatch:
    """The contract found for a call."""

    contract: FunctionContract | None
    by: str = "signature"
    mismatch: str = ""


@dataclass(frozen=True)
class OracleTable:
    """What the engine asks of a contract table."""

    kinds: Mapping[str, ResourceKind] = field(default_factory=lambda: KINDS)
    lends: bool = False

    def lookup(self, declaration: FunctionDeclaration, defined_in_program: bool) -> OracleMatch:
        return OracleMatch(CONTRACTS.get(declaration.name))


def unit_of(function: Function) -> TranslationUnit:
    """A unit that holds the function and declares the library."""
    declarations = {
        name: FunctionDeclaration(name, item.result, item.parameters, item.names, file="oracle.h")
        for name, item in SIGNATURES.items()
    }
    shelf = {"shelf": GlobalVariable("shelf", POINTER)}
    return TranslationUnit(function.file, (function,), declarations, shelf)
