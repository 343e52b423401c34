"""Make one contract of the endings of a function's runs: outcomes that its caller can tell apart.

The values returned are split into classes (negative, zero, positive; null, not null; or the few constants that
occur), and so are parameters whose value decides what happens. For each cell of that table the effects of all
runs are put together; what differs inside a cell is not distinguishable for the caller and becomes a "maybe",
which is silent. (Pulse and similar tools keep such cases as disjuncts; here every resource has its own run, so
the alternatives of different resources need not be multiplied.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TypeVar, final

from analyzer.contracts.model import (
    Atom,
    Effect,
    EffectKind,
    FunctionContract,
    Outcome,
    Provenance,
    Root,
    Signature,
    Term,
    global_term,
    member,
    member_offset,
)
from analyzer.contracts.routes import Route
from analyzer.ir.function import Function
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.at_sight import MOST_CONSTANTS, asks, unread, with_passes
from analyzer.ownership.endings import (
    DEAD,
    FAILED,
    FRESH,
    GIVEN,
    OTHER,
    SAME,
    SAME_NULL,
    STATIC,
    Ending,
    Endings,
    Kind,
    Look,
    PlainEnding,
    is_whole,
)
from analyzer.ownership.outcomes import RET, Cell, Row, atoms_of, expressible, merged, union
from analyzer.ownership.prepared import is_pointer
from analyzer.ownership.ranges import (
    FULL,
    INFINITY,
    NATURAL,
    NONZERO,
    ZERO,
    Range,
    complement,
    contains,
    from_relation,
    greatest,
    intersect,
    least,
    single,
)
from analyzer.ownership.resources import Resource
from analyzer.ownership.subjects import NOWHERE, Subjects

MOST_OUTCOMES = 16
_MOST_ALTERNATIVES = 4
_HARMLESS = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})


_AnyEnding = TypeVar("_AnyEnding", Ending, PlainEnding)


@final
@dataclass(frozen=True, slots=True)
class Followed:
    """One run's resource and how its paths ended."""

    resource: Resource
    endings: tuple[Ending, ...]
    gone: str | None
    routes: tuple[Route, ...] = ()
    given_away: bool = False
    perhaps_by: str = ""


@final
@dataclass(slots=True)
class Evidence:
    """Everything that the runs over one function say to its caller.

    recursive: what it calls may still change. cut_off: each of its paths ends at a mistake, so nobody knows how it
    goes on. stops: some of its paths may end with the process.
    """

    function: Function
    subjects: Subjects
    plain: list[PlainEnding]
    followed: list[Followed] = field(default_factory=list)
    by_value: frozenset[int] = frozenset()
    recursive: bool = False
    cut_off: bool = False
    stops: bool = False

    def add(self, resource: Resource, endings: Endings, routes: tuple[Route, ...] = ()) -> None:
        """The endings of one more run, and by which routes its resource went out of sight."""
        self.followed.append(
            Followed(resource, tuple(endings.followed()), endings.gone, routes, endings.given_away, endings.perhaps_by)
        )

    def routes(self) -> tuple[tuple[Term | None, tuple[Route, ...]], ...]:
        """What escapes, and by which routes."""
        lent = {f.resource.slot: f.routes for f in self.followed if f.resource.site is None and f.routes}
        return (*lent.items(), *self.subjects.routes_out())


_NUMBERS = (TypeKind.INT, TypeKind.BOOL)


def _without_limits(values: Range, ctype: CType) -> Range:
    """The values, without what their type says of them anyway."""
    if not values or ctype.kind is not TypeKind.INT:
        return values
    most = (1 << (ctype.bits - ctype.signed)) - 1
    low, high = least(values), greatest(values)
    first = -INFINITY if low <= (-most - 1 if ctype.signed else 0) else low
    last = INFINITY if high >= most else high
    return ((first, values[0][1]), *values[1:-1], (values[-1][0], last)) if len(values) > 1 else ((first, last),)


def _tells_apart(rows: Sequence[Row], look: Look) -> bool:
    """Whether rows that differ in the class of what is seen there only differ in what happens."""
    found: dict[object, set[object]] = {}
    for cell, guards, effects in rows:
        rest = tuple(fact for fact in cell.facts if fact[0] != look)
        found.setdefault((cell.result, rest), set()).add((guards, frozenset(effects)))
    halves = {(cell.result, *fact) for cell, _, _ in rows for fact in cell.facts if fact[0] == look}
    return any(len(results) > 1 for results in found.values()) or len(halves) < 2 * len({r for r, *_ in halves})


def _without_chance_errors(evidence: Evidence) -> Evidence:
    """Where the function returns negative constants, a result nobody knows anything of is taken for none of them.

    ``return -1;`` says that it failed, ``return length;`` that it did not, whatever number `length` may be.
    """
    if not any((number := single(ending.result)) is not None and number < 0 for ending in evidence.plain):
        return evidence
    found = replace(evidence, plain=[_not_negative(ending) for ending in evidence.plain])
    found.followed = [
        replace(followed, endings=tuple(_not_negative(ending) for ending in followed.endings))
        for followed in evidence.followed
    ]
    return found


def _not_negative(ending: _AnyEnding) -> _AnyEnding:
    unknown = least(ending.result) == -INFINITY and greatest(ending.result) == INFINITY
    return replace(ending, result=intersect(ending.result, NATURAL)) if unknown else ending


def contract_of(evidence: Evidence) -> FunctionContract:
    """The contract that the endings amount to."""
    return _Inference(evidence).contract()


@final
class _Inference:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence = _without_chance_errors(evidence)
        self._function = evidence.function
        self._returning = list(self._conditions_to_return())

    def contract(self) -> FunctionContract:
        evidence, function = self._evidence, self._function
        types = tuple(variable.type for variable in function.locals[: function.parameters])
        names = tuple(variable.name for variable in function.locals[: function.parameters])
        endless = (Outcome((), (Effect(EffectKind.NORETURN),)),)
        returning = with_passes(merged(self._outcomes()), evidence.subjects)
        outcomes = (*returning, *self._ends()) if evidence.plain else endless
        incomplete = evidence.subjects.incomplete | evidence.subjects.deep_gone
        pointers = (i for i, t in enumerate(types) if t.kind is TypeKind.POINTER or i in evidence.by_value)
        return FunctionContract(
            name=function.name,
            signature=Signature(function.result, types, names, function.variadic),
            outcomes=outcomes,
            provenance=Provenance.INFERRED,
            source=f"{function.file}:{function.at}",
            noreturn=not evidence.plain,
            writes=tuple(sorted(evidence.subjects.writes)),
            complete=tuple(index for index in pointers if index not in incomplete),
            unread=unread(types, evidence.subjects),
            below=tuple(sorted(evidence.subjects.below)),
            uses=evidence.subjects.uses,
            extras=evidence.subjects.extras,
            routes=evidence.routes(),
        )

    # -- the end of the process -----------------------------------------------------------------------

    def _conditions_to_return(self) -> Iterator[tuple[Look, Range]]:
        """``if (status) exit(status);``: what was passed when it does return, where anything else does not."""
        evidence = self._evidence
        if not evidence.stops or evidence.recursive:
            return
        types = [variable.type for variable in self._function.locals[: self._function.parameters]]
        asked = {*unread(types, evidence.subjects), *(i for i, t in enumerate(types) if t.kind in _NUMBERS)}
        for look in dict.fromkeys(look for ending in evidence.plain for look, _ in ending.facts):
            if look.after or look.mask or look.term.selectors or look.term.index not in asked:
                continue
            values = union(dict(ending.facts).get(look, FULL) for ending in evidence.plain)
            values = _without_limits(values, types[look.term.index])
            if values and values != FULL and expressible(values) and expressible(complement(values)):
                yield look, values

    def _ends(self) -> Iterator[Outcome]:
        for look, values in self._returning:
            yield Outcome(tuple(atoms_of(look, complement(values))), (Effect(EffectKind.NORETURN),))

    # -- cells ----------------------------------------------------------------------------------------

    def _outcomes(self) -> list[Row]:
        """The table, without splits that turn out to tell nothing apart."""
        classes = self._classes()
        splits: list[list[tuple[Look, Range]]] = []
        for look, halves in self._deciding(classes):
            size = len(classes)
            for split in splits:
                size *= len(split)
            if size * len(halves) > MOST_OUTCOMES:
                break
            splits.append([(look, half) for half in halves])
        rows = list(self._rows(classes, splits))
        for split in reversed(splits[:]):  # one by one: of two that say the same, one must stay
            if not _tells_apart(rows, split[0][0]):
                fewer = [other for other in splits if other is not split]
                found = list(self._rows(classes, fewer))
                if len(found) < len(rows) or not _is_in_record(split[0][0].term):
                    splits, rows = fewer, found  # of two members that say the same, a caller may ask either
        return rows

    def _rows(self, classes: Sequence[Range], splits: Sequence[Sequence[tuple[Look, Range]]]) -> Iterator[Row]:
        for result, chosen in product(classes, product(*splits)):
            cell = Cell(result, chosen)
            seen = union(intersect(e.result, result) for e in self._evidence.plain if cell.fits(e))
            if seen:
                cell = replace(cell, seen=seen)
                for given in (True, False) if self._either(cell) else (None,):
                    guards, effects = self._effects(cell, given)
                    for reason in self._alternatives(cell):
                        yield cell, tuple(dict.fromkeys((*guards, *reason))), effects

    def _either(self, cell: Cell) -> bool:
        """Whether the result may be an argument, and may be something that the function acquired."""
        kinds = {kind for ending in self._evidence.plain if cell.fits(ending) for kind in ending.kinds}
        if not kinds >= {GIVEN, FRESH} or kinds & {OTHER, STATIC}:
            return False
        here = [e for f in self._evidence.followed if not f.given_away for e in f.endings if cell.fits(e)]
        return any(_returns(ending) for ending in here) and any(_hands_out_result(ending) for ending in here)

    def _classes(self) -> list[Range]:
        """Classes of returned values."""
        ctype = self._function.result
        if ctype.kind in (TypeKind.VOID, TypeKind.RECORD, TypeKind.FLOAT):
            return [FULL]
        results = {ending.result for ending in self._evidence.plain}
        constants = {single(values) for values in results}
        if None not in constants and len(constants) <= MOST_CONSTANTS:
            return [((number, number),) for number in sorted(n for n in constants if n is not None)]
        if is_pointer(ctype):
            return [ZERO, NONZERO]
        return [from_relation("<", 0), ZERO, from_relation(">", 0)]

    def _deciding(self, classes: Sequence[Range]) -> Iterator[tuple[Look, list[Range]]]:
        """Where a caller sees which of different effects happened, with the classes of what may be seen.

        Parameters come first, then members behind them, then globals, then what is there after the call.
        """
        endings = [ending for followed in self._evidence.followed for ending in followed.endings]
        holders = {effect.term for ending in endings for effect in ending.effects if effect.kind is EffectKind.FRESH}
        known = dict.fromkeys(look for ending in endings for look, _ in ending.facts)
        for look in sorted(known, key=_look_order):
            if look.after and look.term in holders:
                continue  # whether it is null is said by "maybe"
            for halves in self._halves(look):
                if any(self._decides(look, halves, followed, classes) for followed in self._evidence.followed):
                    yield look, halves
                    break

    def _halves(self, look: Look) -> list[list[Range]]:
        """Ways to split what is seen there in two that the function itself tells apart, constants first."""
        found: dict[Range, list[Range]] = {}
        for followed in self._evidence.followed:
            for ending in followed.endings:
                values = dict(ending.facts).get(look)
                if values is None or values == FULL:
                    continue
                other = complement(values)
                number, rest = single(values), single(other)
                if INFINITY in (number, rest) or -INFINITY in (number, rest):
                    continue
                if number is None and (rest is not None or other[:1] < values[:1]):
                    values, other = other, values
                if expressible(values) and expressible(other):
                    found[values] = [values, other]
        return [
            found[key] for key in sorted(found, key=lambda values: (single(values) is None, values != ZERO, values))
        ]

    def _decides(self, look: Look, halves: list[Range], followed: Followed, classes: Sequence[Range]) -> bool:
        """Whether it is clear in both halves what happens; for numbers passed or handed back, in one."""
        if followed.resource.site is None and followed.resource.slot == look.term:
            return False
        for result in classes:
            whole = {_alternative(e) for e in followed.endings if Cell(result, ()).fits(e)}
            parts = [
                {_alternative(e) for e in followed.endings if Cell(result, ((look, half),)).fits(e)} for half in halves
            ]
            longest = min if self._is_number(look.term) or (look.after and _is_in_record(look.term)) else max
            if len(whole) > 1 and all(parts) and longest(map(len, parts)) == 1 and parts[0] != parts[1]:
                return True
        return False

    def _is_number(self, term: Term) -> bool:
        parameter = term.root is Root.PARAM and not term.selectors
        return parameter and self._function.locals[term.index].type.kind in (TypeKind.INT, TypeKind.BOOL)

    def _is_passed(self, term: Term) -> bool:
        """Whether it is a number or a pointer that is passed itself."""
        pointer = term.root is Root.PARAM and not term.selectors and is_pointer(self._function.locals[term.index].type)
        return pointer or self._is_number(term)

    # -- effects of a cell ----------------------------------------------------------------------------

    def _effects(self, cell: Cell, given: bool | None) -> tuple[tuple[Atom, ...], tuple[Effect, ...]]:
        """given: whether the result is an argument, None: that need not be told apart."""
        told = {look for look, _ in cell.facts}
        guards = [atom for look, values in self._returning if look not in told for atom in atoms_of(look, values)]
        effects: list[Effect] = []
        plain = [ending for ending in self._evidence.plain if cell.fits(ending)]
        memory = self._memory(plain)
        for followed in self._evidence.followed:
            if followed.resource.site is None:
                effects += self._lent(followed, cell, guards, given)
        effects += self._blunt()
        effects += self._cleared(memory)
        fresh = self._fresh(cell, plain, memory, given)
        effects += fresh
        effects += self._also_held(cell)
        if any(effect.term == RET for effect in fresh):
            guards += self._reasons(cell, plain)
        elif is_pointer(self._function.result) and cell.result == ZERO:
            guards += self._reasons_for_nothing(cell, plain)
        elif self._is_question():
            guards += self._answers(cell, plain)
        if _is_never_released(plain):
            effects.append(Effect(EffectKind.STATIC, RET))
        effects += self._written(memory, {e.term for e in effects if e.kind in (EffectKind.FRESH, EffectKind.STORE)})
        acquired = {effect.term for effect in effects if effect.kind is EffectKind.FRESH}
        effects = [e for e in effects if e.kind is not EffectKind.RETURN or e.term not in acquired]
        if given is None:
            # What a member held is not told from anything else here; an argument itself is.
            other = bool({kind for ending in plain for kind in ending.kinds} - {GIVEN, 0})
            unsure = self._may_acquire_result(cell)
            effects = [_doubted(effect, unsure, other) for effect in effects]
        effects.sort(key=_is_behind)  # after what it is behind of
        return tuple(dict.fromkeys(guards)), tuple(dict.fromkeys(effects))

    def _may_acquire_result(self, cell: Cell) -> bool:
        """Whether the result may be something that was acquired here, though nobody could say whose it is."""
        sites = (f for f in self._evidence.followed if f.resource.site is not None)
        return any(e.owned and (e.unsure or _hands_out_result(e)) for f in sites for e in f.endings if cell.fits(e))

    def _lent(self, followed: Followed, cell: Cell, guards: list[Atom], given: bool | None) -> Iterator[Effect]:
        """What becomes of something that the caller lends."""
        term = followed.resource.slot
        deep = self._is_deep(term)
        if followed.gone is not None:
            yield Effect(EffectKind.ESCAPE, term, maybe=True, by=followed.perhaps_by)
            return
        here = [ending for ending in followed.endings if cell.fits(ending)]
        if given is not None and any(_returns(ending) for ending in here):
            if not given and all(_returns(ending) for ending in here):
                guards.append(Atom(term, "==", 0))  # the result is something else: there was nothing to return
                return
            here = [ending for ending in here if _returns(ending) is given] or here
        if not here:
            # With anything else than null there this outcome does not happen.
            number = followed.resource.kind.integer
            guards.append(Atom(term, "<", 0) if number else Atom(term, "==", 0))
            return
        alternatives = {_alternative(ending) for ending in here}
        if len(alternatives) == 1:
            effects, unsure = next(iter(alternatives))
            if unsure:
                yield Effect(EffectKind.ESCAPE, term)
            for effect in effects:
                yield _with(effect, deep) if effect.kind is EffectKind.RELEASE else effect
            return
        kinds = {effect.kind for effects, _ in alternatives for effect in effects}
        if kinds <= _HARMLESS and not any(unsure for _, unsure in alternatives):
            yield Effect(EffectKind.INTERIOR, term)  # perhaps the argument, perhaps something else
            return
        releasing = [effect for effects, _ in alternatives for effect in effects]
        releases = {effect.by for effect in releasing if effect.by}
        only = bool(releases) and not any(unsure for _, unsure in alternatives)
        only = only and all(effect.by or effect.kind is EffectKind.RELEASE for effect in releasing)
        yield Effect(EffectKind.ESCAPE, term, maybe=True, by=min(releases) if only else "")

    def _is_deep(self, term: Term) -> bool:
        """Whether the function also releases what lies below the term."""
        found = self._evidence.subjects
        if not term.selectors:
            return term.index in found.deep_released
        offset = sum(member_offset(selector) or 0 for selector in term.selectors[1:])
        return bool(found.deep_members & {(term.index, offset), (term.index, NOWHERE)})

    def _blunt(self) -> Iterator[Effect]:
        """What the quick look says without a run."""
        found = self._evidence.subjects
        for index in sorted(found.stored):
            yield Effect(EffectKind.ESCAPE, Term(Root.PARAM, index))
        for index in sorted(found.deep_gone | found.deep_released):
            if self._function.locals[index].type.kind is TypeKind.INT:
                continue  # there is nothing below a number
            yield Effect(EffectKind.ESCAPE, Term(Root.PARAM, index, ("*", "[]")), maybe=True)
        for index in range(self._function.parameters):
            if self._function.locals[index].type.kind is TypeKind.RECORD and index not in self._evidence.by_value:
                yield Effect(EffectKind.ESCAPE, Term(Root.PARAM, index), maybe=True)

    def _cleared(self, memory: dict[Term, set[Kind]]) -> Iterator[Effect]:
        """Records behind parameters that are zero but for the members that other effects name."""
        for term, kinds in memory.items():
            if is_whole(term) and kinds == {0}:
                yield Effect(EffectKind.NULL, term, value=self._evidence.subjects.whole.get(term.index, 0))

    def _fresh(
        self, cell: Cell, plain: list[PlainEnding], memory: dict[Term, set[Kind]], given: bool | None
    ) -> list[Effect]:
        """What the function hands out in this cell; nothing that may be someone else's."""
        found: dict[Term, list[Effect]] = {}
        for followed in self._evidence.followed:
            if followed.resource.site is None:
                continue
            mine = [ending for ending in followed.endings if ending.owned and cell.fits(ending)]
            if followed.given_away or any(ending.unsure for ending in mine):
                continue  # on some path somebody else has it: nobody could say whose it is
            for effect in (effect for ending in mine for effect in ending.effects):
                if effect.term is not None and effect.kind is EffectKind.FRESH:
                    found.setdefault(effect.term, []).append(effect)
        result_kinds = {kind for ending in plain for kind in ending.kinds}
        effects = []
        owned_result = (
            RET in found and not result_kinds & {OTHER, STATIC} and (GIVEN not in result_kinds or given is False)
        )
        for term, candidates in sorted(found.items(), key=lambda item: (len(item[0].selectors), repr(item[0]))):
            inner = _is_behind(candidates[0])
            kinds = memory.get(term, {SAME}) if term.root is Root.PARAM and not inner else set()
            if OTHER in kinds:
                continue
            if term.root is Root.RET and not owned_result and not _is_in_record(term):
                continue
            if len({effect.resource for effect in candidates}) > 1:
                continue  # of different kinds: nobody could say how to release it
            effects.append(
                Effect(
                    EffectKind.FRESH,
                    term,
                    candidates[0].resource,
                    inout=all(effect.inout for effect in candidates),
                    maybe=inner or (term.root is Root.RET and bool(term.selectors)) or bool({0, FAILED} & kinds),
                    optional=SAME in kinds,
                )
            )
        return effects

    def _also_held(self, cell: Cell) -> list[Effect]:
        """Members that hold what is returned, on every way on which it is handed out."""
        sites = (followed for followed in self._evidence.followed if followed.resource.site is not None)
        handing = [e for followed in sites for e in followed.endings if cell.fits(e) and _hands_out_result(e)]
        shares = [{effect for effect in e.effects if effect.source == RET} for e in handing]
        return sorted(set.intersection(*shares), key=repr) if shares else []

    def _reasons(self, cell: Cell, plain: list[PlainEnding]) -> Iterator[Atom]:
        """``return wanted ? malloc(3) : NULL;``: what is handed out says something of the numbers that were passed."""
        if self._evidence.recursive or contains(cell.result, 0):
            return
        if {kind for ending in plain for kind in ending.kinds} - {FRESH, FAILED, 0}:
            return
        endings = [e for f in self._evidence.followed for e in f.endings if cell.fits(e) and _hands_out_result(e)]
        yield from self._numbers_told(cell, endings)

    def _reasons_for_nothing(self, cell: Cell, plain: list[PlainEnding]) -> Iterator[Atom]:
        """``if (!p && size) abort();``: null says something of the numbers that were passed."""
        if not self._evidence.recursive:
            yield from (atom for atom in self._numbers_told(cell, plain) if atom.operator == "==")

    def _alternatives(self, cell: Cell) -> list[tuple[Atom, ...]]:
        """``if (!p || !n) return -EINVAL;``: what was passed to get this result, where each way says one thing of it.

        One empty answer where a way says nothing, or a single thing says it all.
        """
        nothing: list[tuple[Atom, ...]] = [()]
        failure = cell.result == ZERO if is_pointer(self._function.result) else least(cell.seen) < 0
        if self._evidence.recursive or not failure or single(cell.seen or FULL) is None:
            return nothing
        told = {look for look, _ in cell.facts}
        zero = [
            {look for look, values in ending.facts if values == ZERO and look not in told and self._is_argument(look)}
            for ending in self._evidence.plain
            if cell.fits(ending)
        ]
        found: list[tuple[Atom, ...]] = []
        while zero:
            counts = Counter(look for looks in zero for look in looks)
            if not all(zero) or len(found) == _MOST_ALTERNATIVES:
                return nothing
            most = max(counts.values())
            look = min((one for one, count in counts.items() if count == most), key=_look_order)
            zero = [looks for looks in zero if look not in looks]
            found.append(tuple(atoms_of(look, ZERO)))
        return found

    def _is_argument(self, look: Look) -> bool:
        return not look.after and not look.mask and self._is_passed(look.term)

    def _is_question(self) -> bool:
        """``if (is_bad(fd))``: a small function whose result says something of its arguments."""
        return not self._evidence.recursive and asks(self._function)

    def _answers(self, cell: Cell, plain: list[PlainEnding]) -> Iterator[Atom]:
        """What a result of that says of each argument alone, and of members behind it."""
        told = {look for look, _ in cell.facts}
        for look in dict.fromkeys(look for ending in plain for look, _ in ending.facts):
            if look in told or look.after or look.mask or look.term.root is not Root.PARAM:
                continue
            values = union(dict(ending.facts).get(look, FULL) for ending in plain)
            if self._is_answer(look, values):
                yield from atoms_of(look, values)

    def _is_answer(self, look: Look, values: Range) -> bool:
        """Whether these values of what is asked about tell results apart: one number, others, or from a limit on."""
        every = [dict(ending.facts).get(look, FULL) for ending in self._evidence.plain]
        if values in ((), union(every)) or (values == NONZERO and ZERO not in every):
            return False
        open_end = least(values) == -INFINITY or greatest(values) == INFINITY
        return expressible(values) and (single(values) is not None or (open_end and not _is_far(values)))

    def _numbers_told(self, cell: Cell, endings: Sequence[Ending | PlainEnding]) -> Iterator[Atom]:
        """What all of the endings say of numbers that are passed, where the cell does not say it."""
        told = {look for look, _ in cell.facts}
        for look in dict.fromkeys(look for ending in endings for look, _ in ending.facts):
            if look in told or look.after or not self._is_passed(look.term):
                continue
            values = union(dict(ending.facts).get(look, FULL) for ending in endings)
            ctype = self._function.locals[look.term.index].type
            if not ctype.signed and values and (least(values), greatest(values)) == (1, (1 << ctype.bits) - 1):
                values = NONZERO
            if values in (ZERO, NONZERO) or single(values) is not None:
                yield from atoms_of(look, values)

    def _memory(self, plain: list[PlainEnding]) -> dict[Term, set[Kind]]:
        """What places below parameters may hold at these endings."""
        found: dict[Term, set[Kind]] = {}
        terms = dict.fromkeys(term for ending in plain for term, _ in ending.memory)
        for term in terms:
            found[term] = set()
            parameter = Look(Term(Root.PARAM, term.index))
            for ending in plain:
                if dict(ending.facts).get(parameter) != ZERO:  # there is nothing behind a null pointer
                    found[term] |= dict(ending.memory).get(term, frozenset({SAME}))
            if SAME_NULL in found[term]:  # ``if (*p) { free(*p); *p = NULL; }`` leaves null in any case
                found[term] -= {SAME_NULL}
                found[term] |= {0} if found[term] == {0} else {SAME}
        return found

    def _written(self, memory: dict[Term, set[Kind]], described: set[Term | None]) -> Iterator[Effect]:
        for term, kinds in memory.items():
            if term in described or is_whole(term):
                continue
            if DEAD in kinds and kinds <= {DEAD, FAILED, 0}:
                yield Effect(EffectKind.DANGLING, term, maybe=len(kinds) > 1)
                continue
            kinds = kinds if kinds == {FAILED} else kinds - {FRESH, FAILED}
            if kinds == {FAILED}:
                yield Effect(EffectKind.VALUE, term, value=-1)
            elif kinds <= {0, SAME} and 0 in kinds:
                yield Effect(EffectKind.NULL, term, optional=SAME in kinds)
            elif len(kinds) == 1 and isinstance(number := next(iter(kinds)), int):
                yield Effect(EffectKind.VALUE, term, value=number)
            elif len(kinds) == 1 and isinstance(passed := next(iter(kinds)), Term):
                yield Effect(EffectKind.STORE, term, source=passed)
            elif kinds == {SAME}:
                continue
            else:
                if SAME in kinds or not kinds:
                    yield Effect(EffectKind.ESCAPE, term, maybe=True)
                yield Effect(EffectKind.WRITE, term)


def _doubted(effect: Effect, unsure: bool, other: bool) -> Effect:
    """A returned argument that may be something else. other: where it is the argument itself, no member of it."""
    if effect.kind is not EffectKind.RETURN or effect.term is None:
        return effect
    return replace(effect, maybe=True) if unsure or (other and not effect.term.selectors) else effect


def _is_behind(effect: Effect) -> bool:
    """Whether it speaks of a member of what a place behind a parameter holds: ``(*out)->next``."""
    return effect.term is not None and effect.term.selectors.count("*") > 1


def _is_far(values: Range) -> bool:
    """Whether an end is that of a type, or next to one."""
    ends = [1 << bits for bits in (15, 16, 31, 32, 63, 64)]
    return any(abs(abs(end) - far) <= 2 for pair in values for end in pair for far in ends)


def _is_never_released(plain: list[PlainEnding]) -> bool:
    """Whether whatever is returned here, if not null, is memory that nobody may release."""
    kinds = {kind for ending in plain for kind in ending.kinds}
    return STATIC in kinds and kinds <= {STATIC, 0}


def _is_in_record(term: Term) -> bool:
    """Whether the term is a member of a struct that is returned by value."""
    return term.root is Root.RET and term.selectors[:1] != ("*",) and bool(term.selectors)


def _look_order(look: Look) -> tuple[object, ...]:
    term = look.term
    return (look.after, not look.mask, look.mask, bool(term.selectors), term.name, term.index, term.selectors)


def _returns(ending: Ending) -> bool:
    """Whether the result is what the caller lent, or lies inside of it."""
    return any(effect.kind in _HARMLESS for effect in ending.effects)


def _hands_out_result(ending: Ending) -> bool:
    return ending.owned and any(e.kind is EffectKind.FRESH and e.term == RET for e in ending.effects)


def _alternative(ending: Ending) -> tuple[tuple[Effect, ...], bool]:
    return ending.effects, ending.unsure


def _with(effect: Effect, deep: bool) -> Effect:
    return Effect(EffectKind.RELEASE, effect.term, deep=True, by=effect.by) if deep else effect


def lent_resources(function: Function, found: Subjects) -> Iterator[Term]:
    """The terms to follow, members first: a caller must look at them before their object is released."""
    for index, offset in sorted(found.members):
        name = found.names.get((index, offset), "")
        yield Term(Root.PARAM, index, _selectors(function.locals[index].type, name, offset))
    for index in sorted(found.parameters):
        yield Term(Root.PARAM, index)
    for name in sorted(found.released_globals):
        yield global_term(name)


def _selectors(ctype: CType, name: str, offset: int) -> tuple[str, ...]:
    record = ctype.pointee_kind in (TypeKind.RECORD, TypeKind.UNKNOWN, TypeKind.VOID)
    if offset == 0 and not record:
        return ("*",)
    return ("*", member(name or f"at{offset}", offset))
