"""A written contract of a library function, held against what is inferred from the library's own body of it.

Compared case by case, for the result, each argument and what these point to: an outcome that is written against the
outcomes of the body that are the same case for sure, or, where there are none of these, against all that may be. What
lies inside of an object is the library's own affair, but for members that the contract names.

A body does not know what a reference is: it counts up and down. So what it does to things of a counted kind (one with
functions that add a share) shows less than the contract says, as does what it stores, and what it gives to code that
is not seen: then the body *tells less*. Only what it shows can contradict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Outcome, ResourceKind, Root, Term
from analyzer.contracts.syntax import term_text
from analyzer.contracts.text import condition_text
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.ranges import Range, intersect
from analyzer.program.cases import RET, bare, covers, effects_on, is_void, is_within, may_both, returned


class Standing(Enum):
    """How a written contract stands to the body, the gravest last."""

    AGREES = "agrees"
    TELLS_LESS = "tells less"
    SAYS_LESS = "says less"
    CONTRADICTS = "contradicts"


WHOLE: Final = "returns"  # in place of a term: whether the function comes back at all


@final
@dataclass(frozen=True, slots=True)
class Remark:
    """What comes out for one term. text: what the body does, and what the contract says, without full stop."""

    standing: Standing
    term: str
    text: str


class _Does(Enum):
    """What an outcome does with a term, as words of a message."""

    RELEASES = "releases or takes over {}"
    GIVES_BACK = "gives back a share of {}"  # what else happens to it is not seen
    SHARES = "adds a share to {}"
    KEEPS = "keeps {}"
    HIDES = "puts {} out of sight"
    BORROWS = "only borrows {}"
    HANDS_OUT = "hands {} out"
    MAY_HAND_OUT = "perhaps hands {} out"
    LENDS = "lends {}"
    MAY_LEND = "perhaps lends {}"
    LEAVES = "hands out nothing in {}"
    POINTS = "returns a pointer into {}"  # as it does for all that it is not sure of
    SILENT = "says nothing of {}"


_D = _Does
_Shown = list[tuple[Outcome, _Does, bool]]  # outcomes of the body, what each does, whether it is this case for sure
_Table = Mapping[tuple[_Does, _Does], Standing]
_ORDER: Final = list(Standing)
_TAKES = frozenset({EffectKind.RELEASE, EffectKind.TAKE})
_HIDES = frozenset({EffectKind.ESCAPE, EffectKind.OPAQUE})
_LENDS = frozenset({EffectKind.BORROWED, EffectKind.STATIC, EffectKind.RETURN})
_LEAVES = frozenset(
    {EffectKind.NULL, EffectKind.UNCHANGED, EffectKind.UNDEFINED, EffectKind.DANGLING, EffectKind.VALUE}
)
_MOVED = frozenset({_D.RELEASES, _D.GIVES_BACK})
_SHIFTS = frozenset({EffectKind.WRITE, EffectKind.STORE, EffectKind.VALUE, EffectKind.ESCAPE})
_MEMBERS = frozenset({EffectKind.FRESH, EffectKind.RELEASE, EffectKind.TAKE})
_POINTS = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})
# Of an argument: what the contract says, what the body does -> how that stands. Whatever is not here agrees where both
# are equal, and contradicts elsewhere.
_LENT: _Table = {
    (_D.RELEASES, _D.GIVES_BACK): Standing.AGREES,
    (_D.RELEASES, _D.KEEPS): Standing.TELLS_LESS,
    (_D.KEEPS, _D.GIVES_BACK): Standing.CONTRADICTS,
    (_D.SHARES, _D.KEEPS): Standing.TELLS_LESS,
    (_D.HIDES, _D.BORROWS): Standing.SAYS_LESS,
    (_D.HIDES, _D.KEEPS): Standing.AGREES,
    (_D.HIDES, _D.RELEASES): Standing.SAYS_LESS,
    (_D.HIDES, _D.GIVES_BACK): Standing.SAYS_LESS,
    (_D.BORROWS, _D.KEEPS): Standing.SAYS_LESS,
    (_D.HIDES, _D.POINTS): Standing.AGREES,
    (_D.BORROWS, _D.POINTS): Standing.AGREES,  # see `_Comparison._points`
    **{(said, _D.POINTS): Standing.TELLS_LESS for said in (_D.RELEASES, _D.SHARES, _D.KEEPS)},
    **{(said, _D.HIDES): Standing.TELLS_LESS for said in (_D.RELEASES, _D.SHARES, _D.KEEPS, _D.BORROWS)},
}
# The same of what the caller is given.
_GIVEN: _Table = {
    (_D.MAY_HAND_OUT, _D.HANDS_OUT): Standing.AGREES,
    (_D.MAY_HAND_OUT, _D.LEAVES): Standing.AGREES,
    (_D.HANDS_OUT, _D.MAY_HAND_OUT): Standing.AGREES,
    (_D.HIDES, _D.HANDS_OUT): Standing.SAYS_LESS,
    (_D.HIDES, _D.MAY_HAND_OUT): Standing.SAYS_LESS,
    (_D.HIDES, _D.LEAVES): Standing.SAYS_LESS,
    (_D.HIDES, _D.LENDS): Standing.SAYS_LESS,
    (_D.LENDS, _D.LEAVES): Standing.AGREES,
    (_D.LEAVES, _D.LENDS): Standing.AGREES,
    (_D.MAY_HAND_OUT, _D.LENDS): Standing.CONTRADICTS,
    **{(said, body): Standing.TELLS_LESS for said in _D for body in (_D.HIDES, _D.SILENT) if said is not body},
    **{(said, _D.MAY_LEND): Standing.TELLS_LESS for said in (_D.HANDS_OUT, _D.MAY_HAND_OUT)},
    **{(said, _D.MAY_LEND): Standing.AGREES for said in (_D.LENDS, _D.LEAVES, _D.HIDES)},
}


def remarks(
    written: FunctionContract, inferred: FunctionContract, kinds: Mapping[str, ResourceKind], counted: frozenset[str]
) -> tuple[Remark, ...]:
    """What is not plain agreement, each once, the gravest first.

    kinds: whose releases can be compared: not those that the library itself makes of others. counted: types of things
    that have references, as `Signature` spells what their pointers point to.
    """
    found = dict.fromkeys(_Comparison(written, inferred, kinds, counted).run())
    return tuple(sorted(found, key=lambda one: -_ORDER.index(one.standing)))


def standing(found: tuple[Remark, ...]) -> Standing:
    """The gravest of them."""
    return found[0].standing if found else Standing.AGREES


@final
class _Comparison:
    def __init__(
        self,
        written: FunctionContract,
        inferred: FunctionContract,
        kinds: Mapping[str, ResourceKind],
        counted: frozenset[str],
    ) -> None:
        self._written = written
        self._inferred = inferred
        self._kinds = kinds
        self._counted = counted

    def run(self) -> Iterator[Remark]:
        ends = self._inferred.noreturn or not self._inferred.outcomes
        if ends or self._written.noreturn:
            if ends and not self._may_return():
                return
            body = "does not return" if ends else "returns"
            says = "does" if ends else "does not"
            yield Remark(Standing.CONTRADICTS, WHOLE, f"the body {body}, the contract says that it {says}")
            return
        for term in self._terms():
            for outcome, values in zip(self._written.outcomes, returned(self._written), strict=True):
                if not is_void(term, outcome.when) and not _ends(outcome):
                    yield from self._case(term, outcome, self._same_case(term, outcome, values))

    def _may_return(self) -> bool:
        return not self._written.noreturn and not any(_ends(outcome) for outcome in self._written.outcomes)

    def _terms(self) -> Iterator[Term]:
        """The result, the arguments, the pointers that arguments point to, and whatever the contract names."""
        named = [bare(e.term) for o in self._written.outcomes for e in o.effects if e.term is not None]
        shown = [bare(e.term) for o in self._inferred.outcomes for e in o.effects if e.term is not None]
        arguments = [Term(Root.PARAM, index) for index in range(len(self._written.signature.parameters))]
        open_ = [term for term in (*arguments, *shown) if self._may_hold(term)]
        for term in dict.fromkeys((RET, *named, *open_)):
            if "[]" not in term.selectors and (term.root is not Root.RET or not term.selectors):
                yield term

    def _may_hold(self, term: Term) -> bool:
        """Whether a term that the contract does not name is a pointer to an object, or a number that is released."""
        if term.root is not Root.PARAM:
            return False
        of = self._written.signature.parameters[term.index]
        if not term.selectors:
            pointer = of.kind is TypeKind.POINTER and of.pointee_kind is not TypeKind.FUNCTION
            return pointer or any(self._lent(term, outcome) in _MOVED for outcome in self._inferred.outcomes)
        return term.selectors == ("*",) and of.pointee_kind is TypeKind.POINTER

    def _same_case(self, term: Term, outcome: Outcome, values: Range) -> list[tuple[Outcome, bool]]:
        """The outcomes of the body that may be this case, and whether each is for sure."""
        found = []
        for other, theirs in zip(self._inferred.outcomes, returned(self._inferred), strict=True):
            possible = intersect(values, theirs) and may_both(outcome, other)
            if possible and not is_void(term, other.when) and not self._is_misuse(other, outcome):
                found.append((other, is_within(theirs, values) and covers(outcome, other)))
        sure = [pair for pair in found if pair[1]]
        return sure or found

    def _is_misuse(self, shown: Outcome, said: Outcome) -> bool:
        """Whether the body met a null pointer of which the contract does not speak."""
        asked = {atom.term for outcome in self._written.outcomes for atom in outcome.when}
        return any(
            atom.operator == "=="
            and atom.value == 0
            and atom.term.root is Root.PARAM
            and not atom.term.selectors
            and atom.term not in asked
            and self._inferred.signature.parameters[atom.term.index].kind is TypeKind.POINTER
            for atom in shown.when
        )

    def _case(self, term: Term, outcome: Outcome, shown: list[tuple[Outcome, bool]]) -> Iterator[Remark]:
        if not shown:
            return
        if term.root is not Root.RET:
            said = self._lent(term, outcome, written=True)
            lent = [(other, self._lent(term, other), sure) for other, sure in shown]
            yield from self._against(term, outcome, said, lent, _LENT)
        if term.root is Root.RET or term.selectors:
            said = self._given(term, outcome, written=True)
            given = [(other, self._given(term, other), sure) for other, sure in shown]
            yield from self._against(term, outcome, said, given, _GIVEN)
            yield from self._kind(term, outcome, [o for o, _ in shown])
        if term == RET:
            yield from self._points(outcome, shown)

    def _lent(self, term: Term, outcome: Outcome, written: bool = False) -> _Does:
        """What becomes of something that the caller gives."""
        effects = self._effects(term, outcome)
        kinds = {effect.kind for effect in effects}
        if kinds & _TAKES:
            return _D.RELEASES
        if any(effect.kind is EffectKind.ESCAPE and effect.by for effect in effects):
            return _D.GIVES_BACK
        if EffectKind.SHARE in kinds:
            return _D.SHARES
        if EffectKind.KEEP in kinds or any(_stores(term, effect) for effect in outcome.effects):
            return _D.KEEPS
        if kinds & _HIDES or any(effect.kind is EffectKind.OPAQUE for effect in outcome.effects):
            return _D.HIDES
        if written and _goes_with_its_object(term, outcome):
            return _D.RELEASES
        return _D.POINTS if not written and EffectKind.INTERIOR in kinds else _D.BORROWS

    def _given(self, term: Term, outcome: Outcome, written: bool = False) -> _Does:
        """What the caller is given."""
        effects = self._effects(term, outcome)
        fresh = next((effect for effect in effects if effect.kind is EffectKind.FRESH), None)
        if fresh is not None:
            return _D.MAY_HAND_OUT if fresh.maybe or fresh.optional else _D.HANDS_OUT
        if any(effect.kind in _HIDES for effect in effects) or _is_written(effects):
            return _D.HIDES
        if term == RET and any(effect.kind is EffectKind.INTERIOR for effect in outcome.effects):
            return _D.LENDS if written else _D.MAY_LEND
        if any(effect.kind in _LENDS for effect in effects):
            return _D.LENDS
        if any(effect.kind in _LEAVES for effect in effects) or self._says_all_of(term):
            return _D.LEAVES
        if written:
            return _D.LENDS if term == RET else _D.LEAVES
        return _D.SILENT

    def _effects(self, term: Term, outcome: Outcome) -> list[Effect]:
        """What an outcome says of the term. Of a struct of the caller (``*handle``), what it says of its members."""
        found = effects_on(term, outcome)
        if term.selectors != ("*",) or self._written.signature.parameters[term.index].pointee_kind is TypeKind.POINTER:
            return found
        members = [e for e in outcome.effects if _is_behind(term, e.term) and e.kind in _MEMBERS]
        return [*members, *found]

    def _says_all_of(self, term: Term) -> bool:
        """Whether what the body does not mention is as it was, or is no resource."""
        if term.root is Root.RET:
            return self._inferred.signature.result.kind in (TypeKind.VOID, TypeKind.BOOL, TypeKind.FLOAT)
        return term.index in self._inferred.complete

    def _against(self, term: Term, outcome: Outcome, said: _Does, shown: _Shown, table: _Table) -> Iterator[Remark]:
        """One remark at most: the gravest for a case that is the same for sure, the least grave else."""
        judged = [(self._judged(term, said, other, does, table), other, does) for other, does, _ in shown]
        if said is _D.HIDES and any(does in (_D.HIDES, _D.KEEPS) for _, does, _ in shown):
            return  # it may be another time
        judged.sort(key=lambda one: _ORDER.index(one[0]))
        least, worst = judged[0], judged[-1]
        result, other, does = worst
        if not all(sure for _, _, sure in shown):
            result = least[0]
            if result is Standing.AGREES and worst[0] is not Standing.AGREES:
                result = Standing.TELLS_LESS
        if result is not Standing.AGREES:
            yield Remark(result, *self._told(term, outcome, said, other, does))

    def _judged(self, term: Term, said: _Does, shown: Outcome, does: _Does, table: _Table) -> Standing:
        number = does is _D.SILENT and said in (_D.LENDS, _D.LEAVES) and not self._is_pointer(term)
        if said is does or number:
            return Standing.AGREES
        found = table.get((said, does), Standing.CONTRADICTS)
        if found in (Standing.CONTRADICTS, Standing.SAYS_LESS) and self._may_count(term, shown, said, does):
            return Standing.TELLS_LESS
        return found

    def _is_pointer(self, term: Term) -> bool:
        return term.root is not Root.RET or self._written.signature.result.kind is TypeKind.POINTER

    def _may_count(self, term: Term, shown: Outcome, said: _Does, does: _Does) -> bool:
        """Whether the difference may be a reference that the body counts, or a duty that it moves, unsaid."""
        if does in (_D.HANDS_OUT, _D.MAY_HAND_OUT, _D.LEAVES, _D.RELEASES, _D.GIVES_BACK):
            return False
        contract = self._inferred
        anywhere = bool(contract.below or contract.writes) or any(e.kind in _SHIFTS for e in shown.effects)
        if said is _D.SHARES:
            return anywhere
        behind = any(e.kind is EffectKind.WRITE and _is_behind(term, e.term) for e in shown.effects)
        return self._is_counted(term) and (behind or (anywhere and (said, does) != (_D.RELEASES, _D.BORROWS)))

    def _is_counted(self, term: Term) -> bool:
        signature = self._written.signature
        of = signature.result if term.root is Root.RET else signature.parameters[term.index]
        return record(of) in self._counted

    def _points(self, outcome: Outcome, shown: list[tuple[Outcome, bool]]) -> Iterator[Remark]:
        """Whether a result that points into an argument points into the one that is written."""
        if not self._is_pointer(RET):
            return
        said, kinds = _led_into(outcome), {effect.kind for effect in effects_on(RET, outcome)}
        if kinds & {EffectKind.FRESH, EffectKind.ESCAPE, EffectKind.STATIC}:
            return
        for other, sure in shown:
            into = _led_into(other)
            if not into or into & said or not sure:
                continue
            text = (
                f"the body returns a pointer into `{self._term(min(into, key=str))}`{self._told_when(outcome, other)}"
            )
            if said:
                text += f", the contract says into `{self._term(min(said, key=str))}`"
                yield Remark(Standing.CONTRADICTS, "ret", text)
            else:
                yield Remark(Standing.SAYS_LESS, "ret", f"{text}, the contract does not say so")
            return

    def _kind(self, term: Term, outcome: Outcome, shown: list[Outcome]) -> Iterator[Remark]:
        """Whether what is handed out has the release that is written."""
        mine = [e for e in effects_on(term, outcome) if e.kind is EffectKind.FRESH]
        theirs = [e for o in shown for e in effects_on(term, o) if e.kind is EffectKind.FRESH]
        if not mine or not theirs or any(self._is_same_kind(mine[0], effect) for effect in theirs):
            return
        text = f"the body hands {self._name(term)} out{self._when(outcome)}, to be released with "
        text += f"{self._release(theirs[0])}, the contract says with {self._release(mine[0])}"
        yield Remark(Standing.CONTRADICTS, self._term(term), text)

    def _is_same_kind(self, left: Effect, right: Effect) -> bool:
        one, other = self._kinds.get(left.resource), self._kinds.get(right.resource)
        return one is None or other is None or bool({*one.releases} & {*other.releases})

    def _release(self, effect: Effect) -> str:
        return f"{self._kinds[effect.resource].releases[0]}()"

    def _told(self, term: Term, outcome: Outcome, said: _Does, other: Outcome, does: _Does) -> tuple[str, str]:
        body = does.value.format(self._name(term)) + self._told_when(outcome, other)
        return self._term(term), f"the body {body}, the contract says that it {said.value.format('it')}"

    def _told_when(self, outcome: Outcome, other: Outcome) -> str:
        shown = condition_text(other, self._inferred.signature)
        return f" when {shown}" if shown and len(self._inferred.outcomes) > 1 else self._when(outcome)

    def _term(self, term: Term) -> str:
        return term_text(term, self._written.signature.names or self._inferred.signature.names)

    def _name(self, term: Term) -> str:
        return f"`{self._term(term)}`"

    def _when(self, outcome: Outcome) -> str:
        text = condition_text(outcome, self._written.signature)
        return f" when {text}" if text else ""


def record(of: CType) -> str:
    """What stands at the end of a type's stars: ``struct nl_object``."""
    return of.spelling.replace("const ", "").replace("*", "").strip()


def _is_behind(term: Term, place: Term | None) -> bool:
    """Whether the place is in what the term points to."""
    if place is None or (place.root, place.index) != (term.root, term.index):
        return False
    return len(place.selectors) > len(term.selectors) and bare(place).selectors[: len(term.selectors)] == term.selectors


def _ends(outcome: Outcome) -> bool:
    return any(effect.kind is EffectKind.NORETURN for effect in outcome.effects)


def _stores(term: Term, effect: Effect) -> bool:
    """Whether the effect puts what the term held into something else."""
    if effect.kind is not EffectKind.STORE or effect.source is None or effect.term is None:
        return False
    place = bare(effect.term)
    own = (place.root, place.index, place.name) == (term.root, term.index, term.name)
    return bare(effect.source) == term and not own


def _led_into(outcome: Outcome) -> frozenset[Term]:
    """Arguments into which the result points."""
    terms = {effect.term for effect in outcome.effects if effect.kind in _POINTS and effect.term is not None}
    return frozenset(term for term in terms if term.root is Root.PARAM and not term.selectors)


def _is_written(effects: list[Effect]) -> bool:
    return any(effect.kind in (EffectKind.STORE, EffectKind.WRITE) for effect in effects)


def _goes_with_its_object(term: Term, outcome: Outcome) -> bool:
    """Whether something above the term is released or taken over as a whole."""
    return any(
        effect.kind in _TAKES
        and effect.term is not None
        and (effect.term.root, effect.term.index) == (term.root, term.index)
        and len(effect.term.selectors) < len(term.selectors)
        for effect in outcome.effects
    )
