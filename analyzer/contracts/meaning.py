"""Does a condition or effect make sense for the signature it is written for?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from analyzer.contracts.coverage import term_kind
from analyzer.contracts.model import Atom, Effect, EffectKind, ResourceKind, Root, Signature, Term, member
from analyzer.contracts.syntax import LanguageError, term_text
from analyzer.ir.types import CType, TypeKind

# Effects that change what a term holds: the caller sees that in `ret` and behind pointers only.
_WRITES = frozenset(
    {
        EffectKind.FRESH,
        EffectKind.NULL,
        EffectKind.UNCHANGED,
        EffectKind.UNDEFINED,
        EffectKind.DANGLING,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.VALUE,
        EffectKind.WRITE,
        EffectKind.STORE,
    }
)
_ALIASES = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})
_ORDERED = frozenset({"<", "<=", ">", ">=", "&", "!&"})


def check_atom(atom: Atom, signature: Signature) -> None:
    """Raises LanguageError for a condition that can have no sense."""
    _check_term(atom.term, signature)
    kind, _ = term_kind(atom.term, signature)
    if kind in (TypeKind.RECORD, TypeKind.VOID, TypeKind.FLOAT):
        raise LanguageError(f"`{_name(atom.term, signature)}` is a {kind.value}; compare an integer or a pointer")
    if kind is TypeKind.POINTER and atom.operator in _ORDERED:
        raise LanguageError(f"`{_name(atom.term, signature)}` is a pointer; compare it with == or !=")


def check_effect(effect: Effect, signature: Signature, kinds: Mapping[str, ResourceKind]) -> None:
    """Raises LanguageError for an effect that can have no sense."""
    term = effect.term
    if term is None:
        return
    if term.root is Root.GLOBAL and effect.kind in (EffectKind.RELEASE, EffectKind.ESCAPE):
        return
    if Root.GLOBAL in (term.root, effect.source.root if effect.source is not None else None):
        raise LanguageError(
            "a `::global` can only be released, escape, or stand in a condition; name a parameter or ret"
        )
    _check_term(term, signature)
    if effect.kind in _WRITES:
        if term.root is Root.PARAM and not term.selectors:
            raise LanguageError(
                f"the caller's `{_name(term, signature)}` cannot change; write `*{_name(term, signature)}`"
            )
    elif term.root is Root.RET:
        raise LanguageError(
            f"`{effect.kind.value}` is about an argument, not `{_name(term, signature)}`; name a parameter"
        )
    if effect.kind in _ALIASES and not _can_alias(signature.result):
        raise LanguageError(
            f"`{effect.kind.value}` needs a returned pointer; the result is {signature.result.spelling}"
        )
    for other in (effect.source, effect.into):
        if other is not None:
            _check_term(other, signature)
    _check_passed(effect, signature)
    if effect.kind is EffectKind.FRESH:
        _check_resource(term, kinds[effect.resource], signature)


def _check_passed(effect: Effect, signature: Signature) -> None:
    if effect.kind is EffectKind.PASS and effect.into is not None:
        function = signature.parameters[effect.into.index]
        if function.pointee_kind is not TypeKind.FUNCTION:
            name = _name(effect.into, signature)
            raise LanguageError(f"`{name}` is no function to call; name a parameter that is a pointer to a function")


Layout = Mapping[tuple[str, str], int]  # (struct, member) -> bits from its start

_ELEMENT_BITS = {"char": 8, "short": 16, "int": 32, "unsigned int": 32, "long long": 64}


def with_offset(term: Term, signature: Signature, members: Layout) -> Term:
    """The term with the place of ``fds[1]`` in bits, and of ``p->member`` where `declare:` lays out the struct.

    LanguageError where the size of an element is not known.
    """
    if len(term.selectors) != 2 or not term.selectors[1].startswith("."):
        return term
    element = term.selectors[1]
    pointee = signature.parameters[term.index].pointee if term.root is Root.PARAM else signature.result.pointee
    if not element.startswith(".["):
        offset = members.get((pointee.removeprefix("const "), element[1:]))
        return term if offset is None else replace(term, selectors=("*", member(element[1:], offset)))
    bits = 64 if pointee.endswith("*") else _ELEMENT_BITS.get(pointee, 0)
    if not bits:
        raise LanguageError(f"`{_name(term, signature)}`: the size of `{pointee}` is not known; follow the first only")
    return replace(term, selectors=("*", member(element[1:], int(element[2:-1]) * bits)))


def with_element_offsets(effect: Effect, signature: Signature, members: Layout) -> Effect:
    """The effect with all its terms like that."""
    terms = (effect.term, effect.source, effect.into)
    term, source, into = (with_offset(one, signature, members) if one is not None else None for one in terms)
    return replace(effect, term=term, source=source, into=into)


def _name(term: Term, signature: Signature) -> str:
    return term_text(term, signature.names)


def _check_term(term: Term, signature: Signature) -> None:
    if term.root is Root.GLOBAL:
        return
    start = signature.result if term.root is Root.RET else signature.parameters[term.index]
    if start.kind is TypeKind.VOID:
        raise LanguageError("the function returns nothing; remove the condition or effect on `ret`")
    if not term.selectors:
        return
    first = term.selectors[0]
    if first in ("*", "[]") and start.kind not in (TypeKind.POINTER, TypeKind.ARRAY, TypeKind.UNKNOWN):
        raise LanguageError(
            f"`{_name(term, signature)}` looks behind {start.spelling}, which is no pointer; remove the `*`"
        )
    through_member = len(term.selectors) > 1 and re.match(r"\.\w", term.selectors[1])
    if first == "*" and through_member and start.pointee_kind not in (TypeKind.RECORD, TypeKind.UNKNOWN):
        raise LanguageError(f"`{_name(term, signature)}` names a member, but {start.spelling} points to no struct")


def _can_alias(result: CType) -> bool:
    return result.kind in (TypeKind.POINTER, TypeKind.INT, TypeKind.UNKNOWN)


def _check_resource(term: Term, kind: ResourceKind, signature: Signature) -> None:
    of, _ = term_kind(term, signature)
    if kind.integer and of is TypeKind.POINTER:
        raise LanguageError(
            f"`{_name(term, signature)}` is a pointer, kind `{kind.name}` is an integer; use another kind"
        )
    if not kind.integer and of in (TypeKind.INT, TypeKind.BOOL):
        raise LanguageError(
            f"`{_name(term, signature)}` is an integer, kind `{kind.name}` is not; add `integer: true` to it"
        )
