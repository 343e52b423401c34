"""A contract or pack as text: the same YAML again, and short sentences for people.

parse_pack(pack_text(pack), pack.path) == pack      but for line numbers; `otherwise` is spelled out
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from analyzer.contracts.coverage import spelled, study
from analyzer.contracts.headers import prototype
from analyzer.contracts.model import (
    NEVER_RELEASED,
    Atom,
    Effect,
    EffectKind,
    FunctionContract,
    Outcome,
    Pack,
    Provenance,
    ResourceKind,
    Signature,
)
from analyzer.contracts.syntax import effect_text, term_text

_TEXTS = ("since", "until", "bytes", "doc")

_SENTENCES = {
    EffectKind.TAKE: "{term} is taken over",
    EffectKind.KEEP: "a bare pointer to {term} is kept; the caller still owns it",
    EffectKind.BORROW: "{term} is only borrowed",
    EffectKind.RETURN: "returns {term} itself",
    EffectKind.INTERIOR: "returns a pointer into {term}",
    EffectKind.NULL: "{term} becomes null",
    EffectKind.UNCHANGED: "{term} is not written",
    EffectKind.UNDEFINED: "{term} holds nothing usable",
    EffectKind.DANGLING: "{term} holds a pointer that is already released",
    EffectKind.BORROWED: "{term} is a pointer that somebody else owns",
    EffectKind.STATIC: "{term} points to memory that must not be released",
    EffectKind.WRITE: "{term} is written, and owns nothing",
    EffectKind.ESCAPE: "{term} goes out of sight",
    EffectKind.NORETURN: "does not return",
    EffectKind.OPAQUE: "unknown",
}


def pack_text(pack: Pack) -> str:
    """The pack as a rule file."""
    lines = [f"library: {_quoted(pack.library)}"]
    if pack.version:
        lines.append(f"version: {_quoted(pack.version)}")
    if pack.headers:
        lines.append(f"headers: [{', '.join(map(_quoted, pack.headers))}]")
    if pack.kinds:
        lines += ["kinds:", *(f"  {kind.name}: {_kind_text(kind)}" for kind in pack.kinds.values())]
    if pack.declare:
        lines += [f"declare: {_quoted(pack.declare)}"]
    if pack.ignores_null:
        lines.append(f"ignores-null: [{', '.join(pack.ignores_null)}]")
    lines += _timing(pack.functions)
    functions = [function for function in pack.functions if not _only_borrows(function)]
    if functions:
        lines.append("functions:")
        for function in functions:
            lines += contract_lines(function)
    borrowers = [function for function in pack.functions if _only_borrows(function)]
    for key in ("borrows", "static", "pure"):
        mine = [function for function in borrowers if _section(function) == key]
        if mine:
            lines += [f"{key}:", *(f"  - {prototype(function)}" for function in mine)]
    if pack.notes:
        lines += ["notes:", *(f"  {_quoted(key)}: {_quoted(value)}" for key, value in pack.notes.items())]
    return "\n".join(lines) + "\n"


def _timing(functions: Iterable[FunctionContract]) -> Iterator[str]:
    """What `waits:`, `calls:` and `compares:` say of the functions."""
    waiting = [f"{function.name}: {function.waits}" for function in functions if function.waits]
    if waiting:
        yield f"waits: {{{', '.join(waiting)}}}"
    calling = [function for function in functions if function.calls]
    if calling:
        yield "calls:"
    for function in calling:
        named = [(function.signature.names[position], noun) for position, noun in function.calls]
        if any(noun for _, noun in named):
            yield f"  {function.name}: {{{', '.join(f'{name}: {noun}' for name, noun in named)}}}"
        else:
            yield f"  {function.name}: [{', '.join(name for name, _ in named)}]"
    comparing = [f for f in functions if f.unread and f.provenance is not Provenance.INFERRED]
    if comparing:
        yield "compares:"
    for function in comparing:
        yield f"  {function.name}: [{', '.join(function.signature.names[position] for position in function.unread)}]"


def timing_sentences(function: FunctionContract) -> Iterator[str]:
    """``waits for a message: a loop around it takes a round for each``."""
    if function.waits:
        yield f"waits for {article(function.waits)}: a loop around it takes a round for each"
    for position, noun in function.calls:
        when = f"for each {noun}" if noun else "while it runs"
        yield f"calls {function.signature.names[position]} {when}"
    if function.unread and function.provenance is not Provenance.INFERRED:
        names = ", ".join(function.signature.names[position] for position in function.unread)
        yield f"compares {names}, and never looks behind"


def article(noun: str) -> str:
    """The noun with "a" or "an"."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def contract_lines(function: FunctionContract) -> Iterator[str]:
    """The function as an item of `functions:`, ready to be copied into a rule file."""
    yield f"  - c: {prototype(function)}"
    names = function.signature.names
    if function.returns:
        yield f"    returns: [{', '.join(_quoted(spelled(a, function.signature)) for a in function.returns)}]"
    if len(function.outcomes) == 1 and not _conditions(function.outcomes[0]):
        yield f"    then: {_effects(function.outcomes[0], names)}"
    else:
        yield "    outcomes:"
        seen: set[tuple[Atom, ...]] = set()
        for outcome in function.outcomes:
            conditions = ", ".join(_quoted(spelled(atom, function.signature)) for atom in _conditions(outcome))
            # A caller cannot always tell two outcomes apart; a rule file covers no case twice.
            either = "# or: " if _conditions(outcome) in seen else "- "
            yield f"      {either}{{when: [{conditions}], then: {_effects(outcome, names)}}}"
            seen.add(_conditions(outcome))
        if function.provenance is Provenance.INFERRED and _has_gap(function):
            yield "      - {when: otherwise, then: []}"  # does not happen, but a rule file covers every case
    if function.replaces:
        pairs = ", ".join(f"{name}: {_quoted(does)}" for name, does in function.replaces)
        yield f"    replaces: {{{pairs}}}"
    if function.scans is not None:
        yield f"    scans: {_quoted(f'{names[function.scans[0]]} {function.scans[1]}')}"
    for key in _TEXTS:
        value = getattr(function, key)
        if value:
            yield f"    {key}: {_quoted(value)}"


def _conditions(outcome: Outcome) -> tuple[Atom, ...]:
    return (*outcome.when, *outcome.after)


def _has_gap(function: FunctionContract) -> bool:
    found = study([_conditions(outcome) for outcome in function.outcomes], function.returns, function.signature)
    return found.gap is not None


def outcome_sentence(outcome: Outcome, signature: Signature, kinds: Mapping[str, ResourceKind]) -> str:
    """``when ret > 0: *buf is a new buffer, to be released by free()``."""
    condition = condition_text(outcome, signature)
    effects = "; ".join(effect_sentence(effect, signature, kinds) for effect in outcome.effects)
    return f"{f'when {condition}' if condition else 'always'}: {effects or 'nothing to release'}"


def condition_text(outcome: Outcome, signature: Signature) -> str:
    """``ret > 0 and *creds != null``; "" for an outcome without condition."""
    return " and ".join(spelled(atom, signature) for atom in _conditions(outcome))


def effect_sentence(effect: Effect, signature: Signature, kinds: Mapping[str, ResourceKind]) -> str:
    """What an effect means for the caller, in words."""
    term = term_text(effect.term, signature.names) if effect.term is not None else ""
    kind = kinds.get(effect.resource)
    noun = kind.noun if kind else "resource"
    release = f"{kind.releases[0]}()" if kind else ""
    match effect.kind:
        case EffectKind.FRESH:
            null = ", or nothing" if effect.maybe else ", or what it was" if effect.optional else ""
            before = " (the value before was consumed)" if effect.inout else ""
            return f"{term} is a new {noun}{null}{before}, to be released by {release}"
        case EffectKind.SHARE:
            return f"{term} gets one more share, to be released by {release}"
        case EffectKind.RELEASE:
            return f"{term} is released{' with all it holds' if effect.deep else ''}"
        case EffectKind.VALUE:
            return f"{term} becomes {effect.value}"
        case EffectKind.TAKE if effect.into is not None:
            return f"{term} belongs to {term_text(effect.into, signature.names)} now, and is released with it"
        case EffectKind.PASS if effect.into is not None:
            function = term_text(effect.into, signature.names)
            return f"{term} is given to the function {function}, as its argument {effect.value + 1}"
        case EffectKind.STORE if effect.source is not None:
            return f"{term_text(effect.source, signature.names)} is stored in {term}"
        case _:
            return _SENTENCES[effect.kind].format(term=term)


def _only_borrows(function: FunctionContract) -> bool:
    """Whether `borrows:`, `static:` or `pure:` says all there is to say."""
    silent = not any(getattr(function, key) for key in (*_TEXTS, "returns", "scans"))
    return silent and function.outcomes in ((Outcome((), ()),), NEVER_RELEASED)


def _section(function: FunctionContract) -> str:
    if function.outcomes == NEVER_RELEASED:
        return "static"
    return "pure" if function.pure else "borrows"


def _kind_text(kind: ResourceKind) -> str:
    parts = [f"release: [{', '.join(kind.releases)}]"]
    if kind.share:
        parts.append(f"share: [{', '.join(kind.share)}]")
    parts.append(f"noun: {_quoted(kind.noun)}")
    parts.append(f"cwe: {kind.cwe}")
    if kind.integer:
        parts.append("integer: true")
    parts.append(f"failure: [{', '.join(map(str, kind.failure))}]")
    if kind.deep:
        parts.append("deep: true")
    return "{" + ", ".join(parts) + "}"


def _effects(outcome: Outcome, names: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(effect_text(effect, tuple(names))) for effect in outcome.effects) + "]"


def _quoted(text: str) -> str:
    """A YAML double-quoted text: always right, whatever it contains."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
