"""Does a contract that the project wrote for a function of its own say what the function's body shows?

The written one wins at calls; this only tells. Compared case by case: an outcome that was written against all outcomes
of the body that can be the same case. Where the body does not tell, because something goes out of sight in it, nothing
is said: that is what contracts are written for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Outcome, ResourceKind, Root, Term
from analyzer.contracts.syntax import term_text
from analyzer.contracts.text import condition_text
from analyzer.ownership.ranges import Range, intersect
from analyzer.program.cases import bare, effects_on, is_void, may_both, returned


class Agreement(Enum):
    """How a written contract stands to the body, the gravest last."""

    AGREES = "agrees"
    WEAKER = "says less"
    CONTRADICTS = "contradicts"


@final
@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, as a sentence without full stop: what the body does, against what was written."""

    agreement: Agreement
    text: str


_UNKNOWN = frozenset({EffectKind.ESCAPE, EffectKind.OPAQUE, EffectKind.STORE, EffectKind.WRITE, EffectKind.INTERIOR})
_TAKES = frozenset({EffectKind.RELEASE, EffectKind.TAKE})
_FATES = frozenset({EffectKind.RELEASE, EffectKind.TAKE, EffectKind.SHARE, EffectKind.FRESH}) | _UNKNOWN
_OWNED_BY_OTHERS = frozenset(
    {EffectKind.BORROWED, EffectKind.STATIC, EffectKind.NULL, EffectKind.RETURN, EffectKind.INTERIOR}
)
_WORDS = {
    EffectKind.RELEASE: "releases",
    EffectKind.TAKE: "takes over",
    EffectKind.SHARE: "adds a share to",
}
Cases = list[tuple[Outcome, list[Effect]]]  # outcomes of the body, with what they say of the term


def differences(
    written: FunctionContract, inferred: FunctionContract, kinds: Mapping[str, ResourceKind]
) -> tuple[Difference, ...]:
    """All differences; none: what was written agrees with the body, as far as the body tells."""
    return tuple(dict.fromkeys(_Comparison(written, inferred, kinds).run()))


def agreement(found: tuple[Difference, ...]) -> Agreement:
    """The gravest of the differences."""
    order = list(Agreement)
    return max((one.agreement for one in found), key=order.index, default=Agreement.AGREES)


@final
class _Comparison:
    def __init__(
        self, written: FunctionContract, inferred: FunctionContract, kinds: Mapping[str, ResourceKind]
    ) -> None:
        self._written = written
        self._inferred = inferred
        self._kinds = kinds
        self._left = returned(written)
        self._right = returned(inferred)

    def run(self) -> Iterator[Difference]:
        if self._inferred.noreturn or not self._inferred.outcomes:
            return
        terms = {
            bare(effect.term): None
            for contract in (self._written, self._inferred)
            for outcome in contract.outcomes
            for effect in outcome.effects
            if effect.term is not None and effect.kind in _FATES and "[]" not in effect.term.selectors
        }
        for term in terms:
            for outcome, results in zip(self._written.outcomes, self._left, strict=True):
                yield from self._case(term, outcome, results)

    def _case(self, term: Term, outcome: Outcome, results: Range) -> Iterator[Difference]:
        if is_void(term, outcome.when) or any(e.kind is EffectKind.NORETURN for e in outcome.effects):
            return
        shown = [
            (other, effects_on(term, other))
            for other, values in zip(self._inferred.outcomes, self._right, strict=True)
            if intersect(results, values) and not is_void(term, other.when) and may_both(outcome, other)
        ]
        if not shown or any(effect.kind in _UNKNOWN for _, effects in shown for effect in effects):
            return
        said = effects_on(term, outcome)
        yield from self._lent(term, outcome, said, shown)
        yield from self._fresh(term, outcome, said, shown)

    def _lent(self, term: Term, outcome: Outcome, said: list[Effect], shown: Cases) -> Iterator[Difference]:
        """What becomes of something that the caller gives."""
        if term.root is Root.RET:
            return
        fates = [{_fate(effect) for effect in effects if effect.kind in _WORDS} for _, effects in shown]
        mine = {_fate(effect) for effect in said if effect.kind in _WORDS}
        other = next((position for position, does in enumerate(fates) if does != mine), None)
        if other is None or (not mine and _goes_with_its_object(term, outcome)):
            return
        does = fates[other]
        name, when = self._name(term), self._when(shown[other][0] if len(fates) > 1 else outcome)
        if does and not mine and (term.selectors or any(effect.kind in _UNKNOWN for effect in said)):
            yield Difference(Agreement.WEAKER, f"the body {_verb(does)} {name}{when}, the contract does not say so")
            return
        text = f"the body {_verb(does)} {name}{when}, the contract says that it {_verb(mine)} it"
        yield Difference(Agreement.CONTRADICTS, text)

    def _fresh(self, term: Term, outcome: Outcome, said: list[Effect], shown: Cases) -> Iterator[Difference]:
        """What the caller is given."""
        mine = next((effect for effect in said if effect.kind is EffectKind.FRESH), None)
        theirs = [next((e for e in effects if e.kind is EffectKind.FRESH), None) for _, effects in shown]
        name, when = self._name(term), self._when(outcome)
        if mine is None:
            sure = [effect for effect in theirs if effect is not None and not effect.maybe and not effect.optional]
            if len(sure) < len(theirs):
                return
            denied = any(effect.kind in _OWNED_BY_OTHERS for effect in said)
            text = f"the body hands out {name}{when}, to be released with {self._releases(sure[0])}"
            rest = "the contract says that nobody has to" if denied else "the contract does not say so"
            yield Difference(Agreement.CONTRADICTS if denied else Agreement.WEAKER, f"{text}; {rest}")
            return
        known = [effect for effect in theirs if effect is not None]
        if known and not any(self._same_kind(mine, effect) for effect in known):
            text = f"the body hands out {name}{when}, to be released with {self._releases(known[0])}"
            yield Difference(Agreement.CONTRADICTS, f"{text}, the contract says with {self._releases(mine)}")
        elif not known and not mine.maybe and all(_belongs_to_others(effects) for _, effects in shown):
            text = f"the body hands out nothing in {name}{when} that the caller must release"
            yield Difference(Agreement.CONTRADICTS, f"{text}, the contract says that it does")

    def _same_kind(self, left: Effect, right: Effect) -> bool:
        one, other = self._kinds.get(left.resource), self._kinds.get(right.resource)
        return one is None or other is None or bool({*one.releases} & {*other.releases})

    def _releases(self, effect: Effect) -> str:
        kind = self._kinds.get(effect.resource)
        return f"{kind.releases[0]}()" if kind is not None and kind.releases else "another function"

    def _name(self, term: Term) -> str:
        return f"`{term_text(term, self._written.signature.names or self._inferred.signature.names)}`"

    def _when(self, outcome: Outcome) -> str:
        text = condition_text(outcome, self._written.signature)
        return f" when {text}" if text else ""


def _goes_with_its_object(term: Term, outcome: Outcome) -> bool:
    """Whether something above the term is released or taken over as a whole."""
    return any(
        effect.kind in _TAKES
        and effect.term is not None
        and (effect.term.root, effect.term.index) == (term.root, term.index)
        and len(effect.term.selectors) < len(term.selectors)
        for effect in outcome.effects
    )


def _fate(effect: Effect) -> EffectKind:
    """Releasing and taking over are the same to the caller."""
    return EffectKind.RELEASE if effect.kind in _TAKES else effect.kind


def _verb(fates: set[EffectKind]) -> str:
    return " and ".join(sorted(_WORDS[fate] for fate in fates)) or "only borrows"


def _belongs_to_others(effects: list[Effect]) -> bool:
    return bool(effects) and all(effect.kind in _OWNED_BY_OTHERS for effect in effects)
