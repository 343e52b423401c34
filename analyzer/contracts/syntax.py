"""The words of the language: terms, conditions and effects, from text and to text.

    *buf              Term(PARAM, 2, ("*",))
    ret > 0           Atom(ret, ">", 0)
    ::verbose == 0    Atom(the global variable, "==", 0)
    maybe fresh *creds buffer

Parameters have names here and positions in the model. Knows nothing of YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from analyzer.contracts.model import Atom, Effect, EffectKind, Root, Term, global_term

OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "!&", "&")
_NAME = r"[A-Za-z_]\w*"
_TERM = re.compile(rf"(\**)({_NAME})((?:(?:->|\.){_NAME}|\[\])*|\[(?:0|[1-9][0-9]?)\])")
_BEHIND = re.compile(rf"\((\*+{_NAME})\)((?:(?:->|\.){_NAME}|\[\])+)")
_GLOBAL = re.compile(rf"::({_NAME})")
_STEP = re.compile(rf"->{_NAME}|\.{_NAME}|\[\]")
_ELEMENT = re.compile(r"\[([0-9]+)\]")
_CONDITION = re.compile(r"(.+?)\s*(==|!=|<=|(?<!-)>=|!&|<|(?<!-)>|&)\s*(\S.*)")  # the `->` of a member is none
_NUMBER = re.compile(r"-?(?:0x[0-9A-Fa-f]+|0|[1-9][0-9]*)")
_CONSTANT_NAME = re.compile(rf"-?{_NAME}")

_MODIFIERS = {
    EffectKind.FRESH: ("maybe", "optional", "inout"),
    EffectKind.RELEASE: ("deep",),
    EffectKind.NULL: ("optional",),
    EffectKind.RETURN: ("maybe",),
    EffectKind.ESCAPE: ("maybe",),
    EffectKind.DANGLING: ("maybe",),
}
_WITH_KIND = {EffectKind.FRESH: "KIND", EffectKind.SHARE: "KIND", EffectKind.RELEASE: "[KIND]"}
_INTO = "into"  # take TERM into TERM
_TO = "to"  # pass TERM to TERM NUMBER
_WITHOUT_TERM = frozenset({EffectKind.NORETURN, EffectKind.OPAQUE})


class LanguageError(Exception):
    """A text that is no term, condition or effect: what, remedy, and where in the text it begins."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def parse_term(text: str, names: Sequence[str]) -> Term:
    """The term that `text` spells for a function with these parameter names."""
    shared = _GLOBAL.fullmatch(text)
    if shared is not None:
        return global_term(shared[1])
    behind = _BEHIND.fullmatch(text)
    if behind is not None:
        outer = parse_term(behind[1], names)
        return replace(outer, selectors=(*outer.selectors, *_steps(behind[2])))
    match = _TERM.fullmatch(text)
    if match is None:
        raise LanguageError(f"`{text}` is no term; write ret, a parameter, `*p`, `p->member`, `*list[]` or `::global`")
    stars, name, rest = match.groups()
    if stars and ("->" in rest or "." in rest):
        raise LanguageError(f"`{text}` mixes `*` and members; write `p->member` or `(*p)->member`")
    selectors = ["*"] * len(stars)
    element = _ELEMENT.fullmatch(rest)
    if element is not None:
        if stars:
            raise LanguageError(f"`{text}` mixes `*` and an element; write `{name}[N]`")
        selectors += ["*"] if element[1] == "0" else ["*", f".{rest}"]
        rest = ""
    selectors += _steps(rest)
    if name == "ret":
        return Term(Root.RET, 0, tuple(selectors))
    if name not in names:
        known = ", ".join(["ret", *filter(None, names)])
        raise LanguageError(f"`{name}` is no parameter; known here: {known}", len(stars))
    return Term(Root.PARAM, names.index(name), tuple(selectors))


def _steps(text: str) -> list[str]:
    """The selectors of ``->a.b[]``."""
    found: list[str] = []
    for step in _STEP.findall(text):
        found += ["[]"] if step == "[]" else ["*", "." + step[2:]] if step[0] == "-" else [step]
    return found


def term_text(term: Term, names: Sequence[str]) -> str:
    """The inverse of parse_term (a static variable without its file)."""
    if term.root is Root.GLOBAL:
        return "::" + term.name.rpartition(":")[2]
    name = names[term.index] if term.index < len(names) else ""
    text = "ret" if term.root is Root.RET else name or f"arg{term.index + 1}"
    selectors = [selector.partition("@")[0] for selector in term.selectors]
    if not any(selector.startswith(".") for selector in selectors):
        stars = selectors.count("*")
        return "*" * stars + text + "[]" * (len(selectors) - stars)
    stars = next(number for number, selector in enumerate(selectors) if selector.startswith(".")) - 1
    if stars > 0 and set(selectors[: stars + 1]) == {"*"}:
        text, selectors = f"({'*' * stars}{text})", selectors[stars:]
    while selectors:
        step = selectors.pop(0)
        if step == "*" and selectors and selectors[0].startswith(".["):
            text += selectors.pop(0)[1:]
        elif step == "*" and selectors and selectors[0].startswith("."):
            text += "->" + selectors.pop(0)[1:]
        else:
            text += step
    return text


def constant_name(text: str) -> str:
    """The name of the constant at the end of a condition or ``value`` effect, "" when it is none."""
    match = _CONDITION.fullmatch(text.strip())
    words = text.split()
    last = match[3] if match else words[-1] if len(words) == 3 and words[0] == "value" else ""
    if last == "null" or not _CONSTANT_NAME.fullmatch(last):
        return ""
    return last.removeprefix("-")


def parse_constant(text: str, constants: Mapping[str, int]) -> int:
    """An integer, ``null``, or a (negated) name from `constants`."""
    if text == "null":
        return 0
    if _NUMBER.fullmatch(text):
        return int(text, 0)
    name = text.removeprefix("-")
    if name in constants:
        return -constants[name] if text != name else constants[name]
    if re.fullmatch(r"-?0[0-9]+", text):
        raise LanguageError(f"`{text}` could be octal or decimal; write it without leading 0, or as 0x...")
    if _CONSTANT_NAME.fullmatch(text):
        raise LanguageError(f"`{name}` is not known; define the constant in `declare:` or write its value")
    raise LanguageError(f"`{text}` is no constant; write an integer, null, or a name from `declare:`")


def parse_condition(text: str, names: Sequence[str], constants: Mapping[str, int]) -> Atom:
    """One condition: ``term operator constant``."""
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise LanguageError(f"`{text}` is no condition; write `term operator constant`, as in `ret > 0`")
    term = parse_term(match[1], names)
    try:
        return Atom(term, match[2], parse_constant(match[3], constants))
    except LanguageError as problem:
        raise LanguageError(problem.message, match.start(3)) from None


def atom_text(atom: Atom, names: Sequence[str], null: bool = False) -> str:
    """The inverse of parse_condition. null: print 0 as null (the term is a pointer)."""
    value = "null" if null and atom.value == 0 else str(atom.value)
    return f"{term_text(atom.term, names)} {atom.operator} {value}"


def parse_effect(text: str, names: Sequence[str], kinds: Sequence[str], constants: Mapping[str, int]) -> Effect:
    """One effect, as in ``maybe fresh *creds buffer``."""
    words = text.split()
    modifiers: list[str] = []
    while words and words[0] in ("maybe", "optional", "inout", "deep"):
        modifiers.append(words.pop(0))
    kind = _effect_kind(words[0] if words else "", text)
    for modifier in modifiers:
        if modifier not in _MODIFIERS.get(kind, ()) or modifiers.count(modifier) > 1:
            raise LanguageError(f"`{modifier}` does not go with `{kind.value}`; remove it")
    if len(words) not in _lengths(kind):
        raise LanguageError(f"`{text}` has the wrong number of words; write `{usage(kind)}`")
    into = None
    if kind is EffectKind.TAKE and len(words) == 4:
        if words[2] != _INTO:
            raise LanguageError(f"`{words[2]}` says nothing here; write `{usage(kind)}`")
        into = parse_term(words[3], names)
    if kind is EffectKind.PASS:
        return _parse_pass(words, names)
    term = None if kind in _WITHOUT_TERM else parse_term(words[1], names)
    resource, value, source = "", 0, None
    if kind is EffectKind.VALUE:
        value = parse_constant(words[2], constants)
    elif kind is EffectKind.STORE:
        source = parse_term(words[2], names)
    elif len(words) == 3:
        resource = _known_kind(words[2], kinds)
    return Effect(
        kind,
        term,
        resource,
        maybe="maybe" in modifiers,
        inout="inout" in modifiers,
        deep="deep" in modifiers,
        value=value,
        optional="optional" in modifiers,
        source=source,
        into=into,
    )


def _parse_pass(words: Sequence[str], names: Sequence[str]) -> Effect:
    """``pass user to visit 2``: it is the second argument of the function that `visit` holds."""
    _, user, to, visit, number = words
    if to != _TO or not re.fullmatch("[1-9][0-9]?", number):
        raise LanguageError(f"`{' '.join(words)}` cannot be read; write `{usage(EffectKind.PASS)}`")
    term, into = parse_term(user, names), parse_term(visit, names)
    for one, text in ((term, user), (into, visit)):
        if one.root is not Root.PARAM or one.selectors:
            raise LanguageError(f"`{text}` must be a parameter here; write `{usage(EffectKind.PASS)}`")
    return Effect(EffectKind.PASS, term, into=into, value=int(number) - 1)


def usage(kind: EffectKind) -> str:
    """How an effect is written, ``fresh TERM KIND``."""
    parts = [kind.value]
    if kind not in _WITHOUT_TERM:
        parts.append("TERM")
    if kind in _WITH_KIND:
        parts.append(_WITH_KIND[kind])
    if kind is EffectKind.VALUE:
        parts.append("CONSTANT")
    if kind is EffectKind.STORE:
        parts.append("SOURCE")
    if kind is EffectKind.TAKE:
        parts.append(f"[{_INTO} TERM]")
    if kind is EffectKind.PASS:
        parts += (_TO, "FUNCTION", "NUMBER")
    return " ".join(parts)


def effect_text(effect: Effect, names: Sequence[str]) -> str:
    """The inverse of parse_effect."""
    flags = (
        ("maybe", effect.maybe),
        ("optional", effect.optional),
        ("inout", effect.inout),
        ("deep", effect.deep),
    )
    words = [name for name, given in flags if given]
    words.append(effect.kind.value)
    if effect.term is not None:
        words.append(term_text(effect.term, names))
    if effect.kind is EffectKind.VALUE:
        words.append(str(effect.value))
    elif effect.source is not None:
        words.append(term_text(effect.source, names))
    elif effect.kind is EffectKind.PASS and effect.into is not None:
        words += (_TO, term_text(effect.into, names), str(effect.value + 1))
    elif effect.into is not None:
        words += (_INTO, term_text(effect.into, names))
    elif effect.resource:
        words.append(effect.resource)
    return " ".join(words)


def near(word: str, known: Sequence[str]) -> str:
    """``did you mean x?`` or the list of what is known, for the end of a message."""
    close = closest(word, known)
    return f"did you mean `{close[0]}`?" if close else "known: " + ", ".join(known)


def closest(word: str, known: Sequence[str]) -> list[str]:
    """Up to three of the known names that look like this one, the best first."""
    return get_close_matches(word, known)


def _effect_kind(word: str, text: str) -> EffectKind:
    try:
        return EffectKind(word)
    except ValueError:
        known = [kind.value for kind in EffectKind]
        raise LanguageError(f"`{text}` is no effect; {near(word, known)}") from None


def _lengths(kind: EffectKind) -> tuple[int, ...]:
    if kind in _WITHOUT_TERM:
        return (1,)
    if kind is EffectKind.RELEASE:
        return (2, 3)
    if kind is EffectKind.TAKE:
        return (2, 4)
    if kind is EffectKind.PASS:
        return (5,)
    return (3,) if kind in _WITH_KIND or kind in (EffectKind.VALUE, EffectKind.STORE) else (2,)


def _known_kind(word: str, kinds: Sequence[str]) -> str:
    if word not in kinds:
        close = closest(word, kinds)
        remedy = f"did you mean `{close[0]}`?" if close else "add it to `kinds:`"
        raise LanguageError(f"`{word}` is no kind of this file or of a pack; {remedy}")
    return word
