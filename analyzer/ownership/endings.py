"""How the paths of a function end, seen from its caller: what is returned, and where things are then.

Collected at each return of the merging runs; inference.py makes one contract of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import final

from analyzer.contracts.model import Effect, EffectKind, Root, Term, global_term, member, member_offset
from analyzer.findings.model import Verdict
from analyzer.ir.types import TypeKind
from analyzer.ownership.access import Access
from analyzer.ownership.naming import member_name
from analyzer.ownership.ranges import BOOLEAN, FULL, NONZERO, POSITIVE, ZERO, Range, contains, greatest, least, single
from analyzer.ownership.resources import conditional_release
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.values import UNDEF, WRITTEN, Atom, Expr, Ptr, Sym, Value, call_of

OTHER = "other"  # a value that may be anything and that the caller does not own
GIVEN = "given"  # an argument, or something inside of what it points to
FRESH = "fresh"  # acquired by this function
FAILED = "failed"  # what the acquiring call gives when it fails
SAME = "same"  # what was there when the function began
STATIC = "static"  # memory that nobody may release: a string, a static variable, what a contract calls so
DEAD = "dead"  # released by this function, and still there
SAME_NULL = "same null"  # the same, and it was null
_UNSIGNED = frozenset((1 << bits) - 1 for bits in (8, 16, 32, 64))


@final
@dataclass(frozen=True, slots=True)
class Look:
    """What the caller can look at: a term as it was at the call, or as it is after it. mask: only these bits of it."""

    term: Term
    after: bool = False
    mask: int = 0


Facts = tuple[tuple[Look, Range], ...]  # the values that may be seen there

Kind = str | int | Term  # what a value is: one of the words above, a constant, or an argument

WHOLE = ("*", "[]")  # all of what a parameter points to

GIVEN_AWAY = frozenset({Verdict.ESCAPED, Verdict.MAYBE_RELEASED, Verdict.MOVED})
OWN_NOTHING = frozenset({Verdict.HELD, Verdict.UNREACHABLE})


def is_whole(term: Term) -> bool:
    """Whether the term stands for all of what a parameter points to."""
    return term.selectors == WHOLE


@final
@dataclass(frozen=True, slots=True)
class Ending:
    """One way to return.

    result: the values returned, FULL for a function that returns nothing.
    facts: what is known of what was passed, of members behind it and of globals, as they were at the call; and of the
        numbers and pointers that it wrote behind parameters.
    effects: what became of the resource under study. unsure: it may also have gone where no term names it.
    owned: it was acquired (or lent) on this way at all.
    """

    result: Range
    facts: Facts
    effects: tuple[Effect, ...] = ()
    unsure: bool = False
    owned: bool = True


@final
@dataclass(frozen=True, slots=True)
class PlainEnding:
    """One way to return, seen by the run that follows no resource.

    kinds: what the value returned is (FRESH, FAILED, GIVEN, OTHER, or a constant). memory: for each place below a
    parameter that is no longer known to hold what it held: what it holds then.
    """

    result: Range
    facts: Facts
    kinds: frozenset[Kind]
    memory: tuple[tuple[Term, frozenset[Kind]], ...]


@final
@dataclass(slots=True)
class Endings:
    """All endings of one run; those of a block's state are replaced when the state grows.

    gone: why the resource went out of sight on some path that does not return to here, None: it never did.
    given_away: on some path somebody else got it, or may have. perhaps_by: all that ever happened on those paths is
    that a function, which releases it by this one, perhaps did.
    """

    by_state: dict[object, list[Ending | PlainEnding]] = field(default_factory=dict)
    gone: str | None = None
    given_away: bool = False
    perhaps_by: str = ""
    current: object = None

    def begin(self, key: object) -> None:
        """The state of this key is executed (again)."""
        self.current = key
        self.by_state.pop(key, None)

    def add(self, ending: Ending | PlainEnding) -> None:
        """A return was reached."""
        self.by_state.setdefault(self.current, []).append(ending)

    def include(self, others: Endings) -> None:
        """All of these belong to the state that is executed."""
        for endings in others.by_state.values():
            self.by_state.setdefault(self.current, []).extend(endings)
        if self.gone is None:
            self.gone, self.perhaps_by = others.gone, others.perhaps_by
        elif others.gone is not None and not others.perhaps_by:
            self.perhaps_by = ""
        self.given_away = self.given_away or others.given_away

    def lose(self, verdict: Verdict, reason: str, by: str = "", goes_on: bool = False) -> None:
        """The resource's way ended before the return. by: perhaps released by this, and no more than that.

        goes_on: the return will say that it has gone.
        """
        if verdict not in OWN_NOTHING and not goes_on:
            self.perhaps_by = by if self.gone is None else self.perhaps_by and by
            if self.gone is None:
                self.gone = reason
        self.given_away = self.given_away or (verdict in GIVEN_AWAY and not by)

    def followed(self) -> list[Ending]:
        """The endings of a run that follows a resource, each once."""
        found = (ending for endings in self.by_state.values() for ending in endings)
        return list(dict.fromkeys(ending for ending in found if isinstance(ending, Ending)))

    def plain(self) -> list[PlainEnding]:
        """The endings of the run that follows none, each once."""
        found = (ending for endings in self.by_state.values() for ending in endings)
        return list(dict.fromkeys(ending for ending in found if isinstance(ending, PlainEnding)))


def answers(value: Value | None, state: State) -> Iterator[tuple[Value | None, State]]:
    """``return n > 0;`` returns 1 where n is positive, and 0 where it is not."""
    if not isinstance(value, Expr) or state.range_of(value) != BOOLEAN:
        yield value, state
        return
    for number in (0, 1):
        found = state.copy()
        if found.assume(value, ((number, number),)):
            yield number, found


def ending_of(machine: Access, value: Value | None, record: Path | None, state: State) -> Ending | PlainEnding:
    """What the caller sees of this return. record: where the struct lies that is returned."""
    result = FULL if value is None else state.range_of(value)
    facts = (*_entry_facts(machine, state), *_written_facts(machine, state), *_result_facts(machine, record, state))
    if machine.study is None:
        kinds = frozenset((OTHER,)) if value is None else frozenset(_kinds(machine, value, None, state, 4))
        return PlainEnding(result, facts, kinds, tuple(_memory(machine, state)))
    if state.own is Own.NONE or state.own is Own.LOST:
        return Ending(result, facts, owned=False)
    lent = machine.study.slot if machine.lent else None
    if state.own is Own.GONE:
        before = tuple(fact for fact in facts if not fact[0].after)
        return Ending(result, before, (Effect(EffectKind.ESCAPE, lent, maybe=True, by=state.releaser),))
    if state.own is Own.RELEASED:
        if lent is None:
            return Ending(result, facts)
        by, moves = _final_release(machine, state)
        return Ending(result, facts, (Effect(EffectKind.RELEASE, lent, by=by, deep=moves),))
    effects, unsure = _whereabouts(machine, lent, value, record, state)
    return Ending(result, facts, effects, unsure)


def _final_release(machine: Access, state: State) -> tuple[str, bool]:
    """The function that released the resource: the one called, or whatever that one calls for it.

    True: it moves what the resource holds somewhere else, like realloc().
    """
    for site in machine.prepared.calls.values():
        if site.op.at == state.released_at and site.op.name == state.released_by and site.contract is not None:
            releases = (e for o in site.contract.outcomes for e in o.effects if e.kind is EffectKind.RELEASE and e.by)
            deep = any(effect.deep for effect in releases if effect.by == state.releaser)
            return state.releaser, deep or conditional_release(site.contract) is not None
    return state.releaser, False


def _written_facts(machine: Access, state: State) -> Iterator[tuple[Look, Range]]:
    """Places that the function writes, where what they hold now is not the resource itself."""
    for index, offset in machine.prepared.written:
        base = machine.universe.symbol("param", index)
        value = state.cells.get((base, offset), state.defaults.get(base))
        if value is None or value is UNDEF or state.root_is_resource(value):
            continue
        known = state.range_of(value)
        if known != FULL:
            yield Look(_parameter_term(machine, base, offset), after=True), known


def _result_facts(machine: Access, record: Path | None, state: State) -> Iterator[tuple[Look, Range]]:
    """Members of the struct that is returned, where what they hold is not the resource itself."""
    found: dict[int, tuple[Look, Range]] = {}
    for path, value in state.cells.items() if record is not None else ():
        term = _result_term(machine, path, record)
        if term is None or value is UNDEF or state.root_is_resource(value):
            continue
        known = _told(state.range_of(value))
        if known != FULL:
            found[path[1] or 0] = Look(term, after=True), known
    yield from (found[offset] for offset in sorted(found))


def _told(known: Range) -> Range:
    """Everything that an unsigned type can hold says nothing, and without 0 it says "positive"."""
    if greatest(known) not in _UNSIGNED or least(known) < 0:
        return known
    return POSITIVE if least(known) > 0 else FULL


def _entry_facts(machine: Access, state: State) -> Iterator[tuple[Look, Range]]:
    """Parameters by position, then the rest in the order of its terms."""
    function = machine.prepared.function
    for index in range(function.parameters):
        symbol = machine.universe.symbol("param", index)
        known = state.facts.get(symbol)
        if known is not None and known != FULL:
            yield Look(Term(Root.PARAM, index)), known
    seen = (
        (_entry_term(machine, value), known)
        for value, known in state.facts.items()
        if isinstance(value, Sym) and value.lasting and value.key[0] == "init" and known != FULL
    )
    found = [(term, known) for term, known in seen if term is not None]
    for term, known in sorted(found, key=lambda fact: (fact[0].index, fact[0].selectors, fact[0].name)):
        yield Look(term), known
    yield from _bit_facts(machine, state)


def _bit_facts(machine: Access, state: State) -> Iterator[tuple[Look, Range]]:
    """``flags & 4``, of a parameter, of a member behind one, of a global: whether it is zero."""
    found = []
    for value, known in state.facts.items():
        if not isinstance(value, Expr) or value.operator != "&" or not isinstance(value.right, int):
            continue
        left = value.left
        if not isinstance(left, Sym) or not left.lasting or left.key[0] == "pure":
            continue
        if contains(known, 0) and known != ZERO:
            continue
        term = Term(Root.PARAM, int(left.key[1])) if left.parameter else _entry_term(machine, left)  # type: ignore[call-overload]
        if term is not None:
            found.append((Look(term, mask=value.right), ZERO if known == ZERO else NONZERO))
    yield from sorted(
        found, key=lambda fact: (fact[0].term.index, fact[0].term.selectors, fact[0].term.name, fact[0].mask)
    )


def _entry_term(machine: Access, value: Sym) -> Term | None:
    """The caller's name for what this was at the start: a member behind a parameter, or a global of its file."""
    _, base, offset, _ = value.key
    if isinstance(base, str):
        file, colon, _ = base.rpartition(":")  # a static variable inside a function has the function's name there
        shared = offset == 0 and (not colon or file == machine.prepared.function.file)
        return global_term(base) if shared else None
    if isinstance(base, Sym) and base.parameter and isinstance(offset, int) and offset >= 0:
        return _parameter_term(machine, base, offset)
    return None


# -- the resource -----------------------------------------------------------------------------------------


def _whereabouts(
    machine: Access, lent: Term | None, value: Value | None, record: Path | None, state: State
) -> tuple[tuple[Effect, ...], bool]:
    """Effects that say where the resource is at the return; True: it may also be where no term leads."""
    resource = machine.universe.resource
    found: list[Effect] = []
    unsure = False
    returned = False
    if value is resource:
        found.append(_arrival(machine, lent, Term(Root.RET), state))
        returned = True
    elif _points_inside(machine, value, state):
        returned = True
        if lent is not None:
            found.append(Effect(EffectKind.INTERIOR, lent))
        else:
            unsure = True  # an owner that is handed out by its inside
    for path in state.holders():
        base = path[0]
        member_of_result = _result_term(machine, path, record)
        if member_of_result is not None:
            found.append(_arrival(machine, lent, member_of_result, state))
            unsure = unsure or state.cells[path] is not resource
            continue
        if isinstance(base, int) or base is resource or (lent is not None and lent == _global_at(path)):
            continue
        term = _term(machine, path, value, state)
        if term is not None and term == lent:
            continue  # where the caller put it
        if term is None or state.cells[path] is not resource:
            unsure = unsure or _matters(machine, base, value, state)
            continue
        if term.root is Root.RET:
            returned = True
        found.append(_arrival(machine, lent, term, state))
    if lent is None:
        found = _also_held(found)
        # In two places of the caller's: which one owns it is a convention that nobody wrote down.
        unsure = unsure or len({effect.term for effect in found if effect.kind is EffectKind.FRESH}) > 1
    if not returned and value is not None and not unsure and state.reaches_resource((value,)):
        unsure = True
    return tuple(dict.fromkeys(found)), unsure


def _result_term(machine: Access, path: Path, record: Path | None) -> Term | None:
    """The caller's name for a member of the struct that is returned."""
    if record is None or path[0] != record[0] or record[1] is None or path[1] is None or path[1] < record[1]:
        return None
    offset = path[1] - record[1]
    return Term(Root.RET, 0, (member(machine.member_of(path) or f"at{offset}", offset),))


def _global_at(path: Path) -> Term | None:
    return global_term(path[0]) if isinstance(path[0], str) and path[1] == 0 else None


def _points_inside(machine: Access, value: Value | None, state: State) -> bool:
    """Whether the value is an address inside the resource, or one of several such (or null).

    Loops make one of several of one of several: ``while (*p == ' ') p++;``.
    """
    resource = machine.universe.resource
    waiting: list[object] = [value.base if isinstance(value, Ptr) else value]
    seen: set[object] = set()
    while waiting:
        one = waiting.pop()
        targets = state.targets.get(one, frozenset()) - {0} if isinstance(one, Sym) else frozenset()
        if not targets and (one is not resource or one is value):
            return False
        seen.add(one)
        bases = {target.base if isinstance(target, Ptr) else target for target in targets}
        waiting += bases - seen
    return True


def _matters(machine: Access, base: object, value: Value | None, state: State) -> bool:
    """Whether the caller, or anyone else, can still get at an object that holds the resource."""
    if isinstance(base, Sym) and base in state.local_objects:
        roots = [
            v for (b, _), v in state.cells.items() if b is not base and not isinstance(b, int) and state.is_outside(b)
        ]
        if value is not None:
            roots.append(value)
        return state.reaches_resource(roots)
    return True


def _also_held(found: list[Effect]) -> list[Effect]:
    """``return box->last = strdup(s);``: what is returned lies in a member behind a parameter, too.

    Whichever of the two the caller goes by, the resource is lost only when both are gone.
    """
    terms = {effect.term for effect in found}
    members = {term for term in terms if term is not None and term.root is Root.PARAM and len(term.selectors) == 2}
    if Term(Root.RET) not in terms or len(members) != 1 or len(terms) != 2:
        return found
    held = next(iter(members))
    return [Effect(EffectKind.STORE, held, source=Term(Root.RET)) if e.term == held else e for e in found]


def _arrival(machine: Access, lent: Term | None, term: Term, state: State) -> Effect:
    assert machine.study is not None
    if lent is None:
        return Effect(EffectKind.FRESH, term, machine.study.kind.name, inout=_was_null(machine, term, state))
    if term == Term(Root.RET):
        return Effect(EffectKind.RETURN, lent)
    return Effect(EffectKind.STORE, term, source=lent)


def _was_null(machine: Access, term: Term, state: State) -> bool:
    """Whether the place is known to have held nothing when the function began: it looked before it acquired."""
    if term.root is not Root.PARAM or machine.study is None:
        return False
    base = machine.universe.symbol("param", term.index)
    offset = sum(member_offset(selector) or 0 for selector in term.selectors[1:])
    known = state.facts.get(machine.universe.symbol("init", base, offset, -1), FULL)
    return greatest(known) < 0 if machine.study.kind.integer else known == ZERO


def _term(machine: Access, path: Path, value: Value | None, state: State) -> Term | None:
    """The caller's name for a place: ``*p``, ``p->f``, ``ret->f``."""
    base, offset = path
    if not isinstance(base, Sym) or offset is None or offset < 0:
        return None
    if base.parameter:
        return _parameter_term(machine, base, offset)
    name = member_name(machine.text_of(path)) or f"at{offset}"
    if base is value:
        return Term(Root.RET, 0, ("*", member(name, offset)))
    outer = _handed_out_at(machine, base, state)
    return None if outer is None else replace(outer, selectors=(*outer.selectors, "*", member(name, offset)))


def _handed_out_at(machine: Access, base: Sym, state: State) -> Term | None:
    """The one place behind a parameter, ``*out``, that holds an object which was made here."""
    if base.key[0] != "call" or base.key[1] not in machine.prepared.acquiring:
        return None
    paths = [path for path, held in state.cells.items() if held is base and not isinstance(path[0], int)]
    if len(paths) != 1 or not _below_parameter(paths[0]) or (paths[0][1] or 0) < 0:
        return None
    holder, offset = paths[0]
    assert isinstance(holder, Sym)
    return _parameter_term(machine, holder, offset or 0)


def _parameter_term(machine: Access, base: Sym, offset: int) -> Term:
    index = int(base.key[1])  # type: ignore[call-overload]
    ctype = machine.prepared.function.locals[index].type
    record = ctype.pointee_kind in (TypeKind.RECORD, TypeKind.UNKNOWN, TypeKind.VOID)
    if offset == 0 and not record:
        return Term(Root.PARAM, index, ("*",))
    name = machine.prepared.member_names.get((index, offset), f"at{offset}")
    return Term(Root.PARAM, index, ("*", member(name, offset)))


# -- everything else --------------------------------------------------------------------------------------


def _memory(machine: Access, state: State) -> Iterator[tuple[Term, frozenset[Kind]]]:
    """What lies below the parameters, where it is not known to be what was there before."""
    for index in range(machine.prepared.function.parameters):
        if state.defaults.get(machine.universe.symbol("param", index)) == 0:
            yield Term(Root.PARAM, index, WHOLE), frozenset((0,))
    paths: set[Path] = {path for path in state.cells if _below_parameter(path)}
    written = {(machine.universe.symbol("param", index), offset) for index, offset in machine.prepared.written}
    for path in sorted(paths | written, key=_place_order):
        term = _term(machine, path, None, state)
        if term is None:
            continue
        value = state.cells.get(path, state.defaults.get(path[0]))
        if value is None:  # nothing is known any more of what had a name at the start
            kinds: frozenset[Kind] = frozenset((OTHER if path in written else SAME,))
        else:
            kinds = frozenset(_kinds(machine, value, path, state, 4))
        if kinds != {SAME}:
            yield term, kinds


def _is_written(machine: Access, path: Path) -> bool:
    base, offset = path
    index = base.key[1] if isinstance(base, Sym) and base.key[0] == "param" else -1
    return (index, offset) in machine.prepared.written


def _below_parameter(path: Path) -> bool:
    base, offset = path
    return isinstance(base, Sym) and base.key[0] == "param" and offset is not None


def _place_order(path: Path) -> tuple[int, int]:
    base, offset = path
    assert isinstance(base, Sym)
    return int(base.key[1]), offset or 0  # type: ignore[call-overload]


def _kinds(machine: Access, value: Value, path: Path | None, state: State, depth: int) -> Iterator[Kind]:
    """What a value may be: see FRESH, SAME, DEAD, OTHER; a constant and, in memory, what was passed is itself."""
    if isinstance(value, Sym) and value.key[0] == "init" and path is not None and value.key[1:3] == path:
        if value.lasting or not _is_written(machine, path):
            yield SAME_NULL if state.range_of(value) == ZERO else SAME
        else:
            yield OTHER  # written, changed by somebody, and read again
        return
    if isinstance(value, Sym) and value in state.released and path is not None:
        yield DEAD
        if contains(state.range_of(value), 0):
            yield 0
        return
    number = single(state.range_of(value))
    if number is not None:
        yield number
        return
    if isinstance(value, Sym) and value.parameter and path is not None:
        yield Term(Root.PARAM, int(value.key[1]))  # type: ignore[call-overload]
        return
    yield from _kinds_of_unknown(machine, value, path, state, depth)


def _kinds_of_unknown(machine: Access, value: Value, path: Path | None, state: State, depth: int) -> Iterator[Kind]:
    known = state.range_of(value)
    base = value.base if isinstance(value, Ptr) else value
    if isinstance(base, Sym) and base.parameter and path is None:
        yield GIVEN
        return
    if not isinstance(value, Sym):
        yield STATIC if path is None and _is_static(value) else OTHER
        return
    if path is None and call_of(value) in machine.prepared.not_ours:
        yield STATIC
        return
    kind = value.key[0]
    if kind in ("call", "out") and value.key[1] in machine.acquiring and value.key[-1] != WRITTEN:
        yield FRESH
        if any(contains(known, failure) for failure in machine.acquiring[value.key[1]]):
            yield FAILED
    elif kind == "old" and depth and isinstance(value.key[1], Sym):
        yield from _kinds(machine, value.key[1], path, state, depth - 1)
    elif depth and value in state.targets:
        found = set(_of_targets(machine, value, path, state, depth))
        yield from found
        if found <= {FRESH, FAILED} and contains(known, 0):
            yield 0  # null is no target
    elif value in state.local_objects:
        yield FRESH
    else:
        yield OTHER


def _is_static(value: Value) -> bool:
    """A string, or the address of a static or global variable (of its inside, too)."""
    return (isinstance(value, Atom) and value.kind == "string") or (
        isinstance(value, Ptr) and isinstance(value.base, str)
    )


def _of_targets(machine: Access, value: Sym, path: Path | None, state: State, depth: int) -> Iterator[Kind]:
    for target in sorted(state.targets[value], key=repr):
        yield from _kinds(machine, target, path, state, depth - 1)
