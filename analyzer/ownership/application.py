"""One outcome of a contract applied to one call: conditions, what is taken away, what is given."""

from __future__ import annotations

from typing import final

from analyzer.contracts.model import Atom as Condition
from analyzer.contracts.model import (
    Effect,
    EffectKind,
    Outcome,
    Provenance,
    Root,
    Term,
)
from analyzer.contracts.text import condition_text
from analyzer.findings.model import Verdict
from analyzer.ir.types import UNKNOWN, TypeKind
from analyzer.ownership.memory import change_globals, result_symbol, write_behind, write_below
from analyzer.ownership.naming import in_program
from analyzer.ownership.prepared import Contracts, is_pointer
from analyzer.ownership.ranges import (
    FULL,
    NEGATIVE,
    NONZERO,
    OBJECT,
    ZERO,
    Range,
    contains,
    from_relation,
    intersect,
    least,
    single,
)
from analyzer.ownership.releasing import Releases
from analyzer.ownership.resources import WHOLE_RESULT, contents_of, described_arguments, is_plain, kind_of
from analyzer.ownership.routes import routes_behind
from analyzer.ownership.state import KEPT, Own, Path, State
from analyzer.ownership.terms import ContractCall
from analyzer.ownership.values import INTERIOR, UNDEF, UNSET, WRITTEN, Ptr, Sym, Value

OUT_VALUES: dict[EffectKind, Value] = {
    EffectKind.NULL: 0,
    EffectKind.UNDEFINED: UNDEF,
    EffectKind.DANGLING: UNDEF,
}
_WRITES = frozenset(
    {
        EffectKind.NULL,
        EffectKind.UNDEFINED,
        EffectKind.DANGLING,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.VALUE,
        EffectKind.WRITE,
        EffectKind.STORE,
    }
)


WHOLE = Term(Root.RET)  # what is returned: the resource itself, where this call is under study


def return_range(outcome: Outcome) -> Range:
    """The values the function may return in this outcome."""
    values = FULL
    for atom in outcome.when:
        if atom.term.root is Root.RET and not atom.term.selectors:
            values = intersect(values, from_relation(atom.operator, atom.value))
    return values


@final
class Application:
    """One outcome of a contract, applied to one call."""

    def __init__(self, contracts: Contracts, call: ContractCall, outcome: Outcome) -> None:
        self.contracts = contracts
        self.machine = call.machine
        self.call = call
        self.outcome = outcome
        self._sources: dict[int, Value | None] = {}  # what STORE effects store, as it was before the call

    def run(self, state: State, left_over: Range, studied: bool) -> list[State]:
        """States in which this outcome happened (none when it cannot)."""
        studied = studied and self._is_asked_for(state) and not self._is_only_tested(state)
        if not self._conditions_before(state):
            return []
        studied = studied and not self._doubts_a_parameter(state)
        if not self._make_result(state, left_over):
            return []
        old = self.machine.study is not None and self.machine.study.old
        if studied and old and not self._study_old(state):
            return []
        self._sources = {
            position: self.call.value(effect.source, state)
            for position, effect in enumerate(self.outcome.effects)
            if effect.source is not None
        }
        if not self._consume(state):
            return []
        self._tell_spared(state)
        if not change_globals(self.machine, self.call.site, state):
            return []
        described = described_arguments(self.call.contract, self.outcome)
        write_behind(self.machine, self.call.site, self.call.arguments, state, described)
        write_below(self.machine, self.call.site, self.call.arguments, state)
        found = self._produce(state, studied and not old)
        if self.machine.study is None:
            for after in found:
                self._put_inside(after)
        return [after for after in found if self._conditions_after(after)]

    def may_happen(self, state: State) -> bool:
        """Whether what is asked before the call is so, or may be. The state is used up."""
        return self._conditions_before(state)

    # -- conditions -----------------------------------------------------------------------------------

    def _conditions_before(self, state: State) -> bool:
        inferred = self.call.contract.provenance is Provenance.INFERRED
        for atom in self.outcome.when:
            if atom.term.root is Root.RET or (atom.term.selectors and not inferred):
                continue
            value = self.call.before(atom.term, state)
            if value is not None and not self._holds(atom, value, state):
                return False
        return True

    def _is_asked_for(self, state: State) -> bool:
        """Whether the arguments that select this outcome are known: ``fcntl(fd, command)`` may be any command."""
        parameters = self.call.contract.signature.parameters
        return all(
            single(state.range_of(self.call.argument(atom.term.index))) is not None
            for atom in self.outcome.when
            if atom.term.root is Root.PARAM
            and not atom.term.selectors
            and atom.operator == "=="
            and atom.term.index < len(parameters)
            and parameters[atom.term.index].kind is TypeKind.INT
        )

    def _is_only_tested(self, state: State) -> bool:
        """Whether it acquires only where there is nothing yet, as far as nobody here knows, and the result is not kept.

        ``if (!set(options, 1)) return -1;``: who does not keep what a function makes for a null pointer does not give
        it one.
        """
        if self.call.site.key not in self.machine.prepared.only_tested:
            return False
        types = self.call.contract.signature.parameters
        return any(
            atom.term.root is Root.PARAM
            and not atom.term.selectors
            and (atom.operator, atom.value) == ("==", 0)
            and atom.term.index < len(types)
            and is_pointer(types[atom.term.index])
            and state.range_of(self.call.argument(atom.term.index)) == FULL
            for atom in self.outcome.when
        )

    def _doubts_a_parameter(self, state: State) -> bool:
        """Whether this happens only with a null pointer of which the function itself never thinks.

        ``options = set(options, 1);``: a helper that makes an object for null does that for others.
        """
        universe, prepared = self.machine.universe, self.machine.prepared
        return any(
            state.range_of(universe.symbol("param", index)) == ZERO and not prepared.asks_before(index, self.call.site)
            for index in prepared.asked
        )

    def _conditions_after(self, state: State) -> bool:
        inferred = self.call.contract.provenance is Provenance.INFERRED
        for atom in self.outcome.after if inferred else self.outcome.when:
            if atom.term.root is not Root.GLOBAL and atom.term.selectors and is_plain(atom.term):
                value = self.call.read(atom.term, state)
                if value is not None and not self._holds(atom, value, state):
                    return False
        return True

    def _holds(self, atom: Condition, value: Value, state: State) -> bool:
        if atom.operator in ("&", "!&"):
            return state.assume(self.call.bits(value, atom.value, state), NONZERO if atom.operator == "&" else ZERO)
        return state.assume(value, from_relation(atom.operator, atom.value))

    def _make_result(self, state: State, left_over: Range) -> bool:
        values = intersect(return_range(self.outcome), left_over)
        returned = next((e for e in self.outcome.effects if e.kind is EffectKind.RETURN), None)
        interior = next((e for e in self.outcome.effects if e.kind is EffectKind.INTERIOR), None)
        if returned is not None and returned.term is not None:
            result = self.call.value(returned.term, state) or 0
            if returned.maybe and not intersect(state.range_of(result), values):
                result = result_symbol(self.machine, self.call.site, state)
        elif interior is not None and interior.term is not None:
            result = self._interior(self.call.value(interior.term, state) or 0, state)
        else:
            result = result_symbol(self.machine, self.call.site, state)
            if any(
                e.kind is EffectKind.NULL and e.term is not None and e.term == Term(Root.RET)
                for e in self.outcome.effects
            ):
                values = intersect(values, ZERO)
        state.temps[self.call.result_key] = result
        return state.assume(result, values)

    def _interior(self, value: Value, state: State) -> Value:
        base = value.base if isinstance(value, Ptr) else value
        if isinstance(base, (Sym, str)) or (isinstance(base, int) and isinstance(value, Ptr)):
            pointer = self.machine.universe.pointer(base, f"{INTERIOR}{self.call.site.key}")
            if self.machine.cyclic:
                state.substitute(pointer, self.machine.universe.pointer(base, None))
            state.facts.pop(pointer, None)
            return pointer
        return result_symbol(self.machine, self.call.site, state)

    # -- terms ----------------------------------------------------------------------------------------

    # -- effects that take something away -------------------------------------------------------------

    def _consume(self, state: State) -> bool:
        """Releases and takes; False: the resource's way ended here."""
        releases = Releases(self.contracts, self.call, self.outcome)
        for effect in self.outcome.effects:
            if effect.term is None:
                continue
            if effect.kind is EffectKind.RELEASE:
                self._name_subject(effect.term, state)
                value = self.call.value(effect.term, state)
                if value is not None and not releases.run(value, effect, state):
                    return False
            elif effect.kind in (EffectKind.TAKE, EffectKind.ESCAPE):
                if not self._take(effect, state):
                    return False
            elif effect.kind is EffectKind.SHARE:
                value = self.call.value(effect.term, state)
                if value is self.machine.universe.resource and state.own is Own.OWNED:
                    state.shares = min(state.shares + 1, 3)
        return True

    def _tell_spared(self, state: State) -> None:
        """The path shows where a function does not take the resource that it takes in another case."""
        if state.own is not Own.OWNED or not self.outcome.when:
            return
        kinds = {EffectKind.TAKE, EffectKind.STORE}
        if self.call.contract.provenance is Provenance.INFERRED:
            kinds.add(EffectKind.RELEASE)
        for effect in (e for outcome in self.call.contract.outcomes for e in outcome.effects if e.kind in kinds):
            term = effect.source if effect.kind is EffectKind.STORE else effect.term
            if term is None or term.root is not Root.PARAM:
                continue
            if self.call.value(term, state) is self.machine.universe.resource:
                verb = "release" if effect.kind is EffectKind.RELEASE else "take"
                when = condition_text(self.outcome, self.call.contract.signature)
                text = f"{self.call.name}() does not {verb} it (when `{when}`)"
                self.machine.listener.step("call", self.call.site.op.at, text, state)
                return

    def _name_subject(self, term: Term, state: State) -> None:
        """Without a resource under study an event speaks of the argument."""
        if self.machine.study is None and (term.root is Root.GLOBAL or term.index < len(self.call.site.texts)):
            state.holder = in_program(self.call.subject_text(term, self.outcome.effects))

    def _take(self, effect: Effect, state: State) -> bool:
        assert effect.term is not None
        values: list[Value] = []
        if is_plain(effect.term):
            value = self.call.value(effect.term, state)
            if value is None:
                return True
            values.append(value)
        if effect.term.selectors[:1] == ("*",) and effect.term.selectors[1:] in ((), ("[]",)):
            path = self.call.path(effect.term, state)
            if path is not None:  # all of the object goes, not its first member alone
                values += state.by_base().get(path[0], [])
        if state.own is Own.OWNED and state.reaches_resource(values):
            name = f"{self.call.site.op.name}()"
            verdict = Verdict.MOVED if effect.kind is EffectKind.TAKE else Verdict.ESCAPED
            if effect.maybe:
                verdict = Verdict.MAYBE_RELEASED
            routes = routes_behind(self.machine.prepared, self.call.site, effect.term)
            by = effect.by if effect.maybe else ""
            return self.machine.let_go(verdict, name, state, routes, by)
        self.machine.publish(values, state)
        return True

    def _put_inside(self, state: State) -> None:
        """What another object owns from now on is released with that one."""
        for effect in self.outcome.effects:
            if effect.into is None or effect.term is None:
                continue
            value, owner = self.call.value(effect.term, state), self.call.value(effect.into, state)
            if isinstance(value, Sym) and isinstance(owner, Sym):
                state.cells[(owner, KEPT)] = value

    # -- effects that give something ------------------------------------------------------------------

    def _produce(self, state: State, studied: bool) -> list[State]:
        states = [state]
        for effect in self.outcome.effects:
            whole = effect.term is not None and effect.term.selectors == ("*", "[]")
            if effect.kind is EffectKind.NULL and whole and effect.term is not None and effect.term.root is Root.PARAM:
                path = self.machine.target(self.call.argument(effect.term.index))
                if path is not None:
                    self.machine.zero(path, effect.value, False, self.call.site.op.at, state)
        contents = contents_of(self.outcome)
        for position, effect in enumerate(self.outcome.effects):
            if effect.term is None or effect.term == WHOLE_RESULT:
                continue
            if effect.kind is EffectKind.FRESH:
                states = [after for s in states for after in self._fresh(effect, position, s, studied)]
                continue
            if effect.kind is EffectKind.DANGLING and self.call.contract.provenance is Provenance.INFERRED:
                states = [after for current in states for after in self._dead(effect, position, current)]
                continue
            if effect.kind is EffectKind.NULL and effect.optional:
                states = [after for current in states for after in self._perhaps_null(effect, position, current)]
                continue
            for current in states:
                self._write_effect(effect, position, current)
        for current in states if contents is not None else ():
            result = current.temps.get(self.call.result_key)
            if isinstance(result, Sym):
                current.defaults[result] = contents
        return states

    def _perhaps_null(self, effect: Effect, position: int, state: State) -> list[State]:
        """Null, or as it was: told apart only where that makes a difference to a check."""
        assert effect.term is not None
        path = self.call.path(effect.term, state)
        before = state.cells.get(path, state.defaults.get(path[0])) if path is not None else None
        if path is None or before is None or before == 0:
            return [state]
        if before is UNDEF or before in state.released or state.root_is_resource(before):
            other = state.copy()
            self._write_effect(effect, position, other)
            return [state, other]
        written = self.machine.symbol(state, "out", self.call.site.key, position, WRITTEN)
        self._write_out(path, written, effect.term, state)
        return [state]

    def _write_effect(self, effect: Effect, position: int, state: State) -> None:
        term = effect.term
        assert term is not None
        if effect.kind not in _WRITES or not term.selectors or not is_plain(term):
            return
        path = self.call.path(term, state)
        if path is None:
            return
        match effect.kind:
            case EffectKind.VALUE if effect.value == 0 and len(term.selectors) > 1:
                value: Value = 0  # a member alone
            case EffectKind.STORE:
                result = state.temps.get(self.call.result_key)
                source = result if effect.source == WHOLE else self._sources.get(position)
                value = self.machine.universe.fresh() if source is None else source
                if term.root is Root.PARAM:
                    pointer = self.call.argument(term.index)
                    self.machine.unlink(self.call.site.op.at, pointer, path, value, state)
            case EffectKind.VALUE if effect.value == 0 and path[1] is not None:
                self.machine.zero(path, 0, False, self.call.site.op.at, state)
                return
            case EffectKind.VALUE:
                value = effect.value
            case EffectKind.BORROWED | EffectKind.STATIC | EffectKind.WRITE:
                value = self.machine.symbol(state, "out", self.call.site.key, position, WRITTEN)
            case EffectKind.UNDEFINED if not self._is_unset(path, state):
                # Nobody promises what is there now. In practice it is what was there before, or null.
                if path in state.cells and state.root_is_resource(state.cells[path]):
                    return
                value = self.machine.symbol(state, "out", self.call.site.key, position, WRITTEN)
            case _:
                value = OUT_VALUES[effect.kind]
        self._write_out(path, value, term, state)

    def _dead(self, effect: Effect, position: int, state: State) -> list[State]:
        """``fail: free(c->a); return -1;``: what was acquired has gone again, and its address is still there."""
        assert effect.term is not None
        path = self.call.path(effect.term, state)
        if path is None:
            return [state]
        symbol = self.machine.symbol(state, "out", self.call.site.key, position)
        if self.machine.study is not None:
            self._write_out(path, symbol, effect.term, state)
            return [state]
        none = state.copy()
        self._write_out(path, 0, effect.term, none)
        self._write_out(path, symbol, effect.term, state)
        state.facts[symbol] = OBJECT
        when = condition_text(self.outcome, self.call.contract.signature)
        text = f"{self.call.name}() releases {self.call.out_text(effect.term, self.outcome.effects)} itself"
        text += f" (when `{when}`)" if when else ""
        self.machine.listener.step("call", self.call.site.op.at, text, state)
        state.released = {**state.released, symbol: (self.call.name, self.call.site.op.at)}
        return [state, none] if effect.maybe else [state]

    def _is_unset(self, path: Path, state: State) -> bool:
        return state.cells.get(path, state.defaults.get(path[0])) is UNDEF

    def _fresh(self, effect: Effect, position: int, state: State, studied: bool) -> list[State]:
        term = effect.term
        assert term is not None
        study = self.machine.study
        mine = studied and study is not None and study.slot == term
        if term.selectors and term.root is Root.PARAM and self.call.argument(term.index) == 0:
            return [state]
        if not is_plain(term):
            return [state]
        path = self.call.path(term, state) if term.selectors else None
        if effect.optional and path is not None and self._is_set(effect, path, state, effect.inout):
            return [state]  # it acquires only where nothing was, or nobody knows when
        used_up = effect.inout and path is not None and path in state.cells
        if used_up and path is not None and not self._consume_old(path, state):
            return []
        found = []
        if mine and state.own is Own.NONE:
            found.append(self._acquire_where_null(effect, position, path, state.copy()))
            if effect.maybe:
                found.append(self._not_acquired(effect, path, state.copy()))
            if effect.optional:
                found.append(state.copy())
            if self.call.site.cyclic:
                found.append(self._plain(effect, position, path, state))
        else:
            found.append(self._plain(effect, position, path, state))
        return [after for after in found if after is not None]

    def _acquire_where_null(self, effect: Effect, position: int, path: Path | None, state: State) -> State | None:
        """``if (!*slot) *slot = malloc(n);``, ``if (c->fd < 0) c->fd = open();``: who acquires has found nothing."""
        asked = effect.inout and effect.optional and path is not None and path[1] is not None
        before = self.call.read(effect.term, state) if asked and effect.term is not None else None
        nothing = NEGATIVE if kind_of(effect, self.contracts).integer else ZERO
        if isinstance(before, Sym) and not state.assume(before, nothing):
            return None
        return self._acquire(effect, position, path, state)

    def _is_set(self, effect: Effect, path: Path, state: State, looked: bool) -> bool:
        """Whether the place holds the resource; or, where the function looks first, anything."""
        value = state.cells.get(path)
        if value is None or value is self.machine.universe.resource or not looked:
            return value is self.machine.universe.resource
        known = state.range_of(value)
        return least(known) >= 0 if kind_of(effect, self.contracts).integer else not contains(known, 0)

    def _consume_old(self, path: Path, state: State) -> bool:
        old = state.cells[path]
        if state.own is Own.OWNED and state.root_is_resource(old):
            self.machine.listener.ended(Verdict.RELEASED, self.call.name, state)
            return False
        return True

    def _acquire(self, effect: Effect, position: int, path: Path | None, state: State) -> State | None:
        """This execution is the one under study: the resource itself."""
        resource = self.machine.universe.resource
        study = self.machine.study
        state.own = Own.OWNED
        state.shares = 0
        self._acquired(state)
        state.older = frozenset(state.mentioned())
        assert effect.term is not None
        if effect.term.root is Root.RET and not effect.term.selectors:
            result = state.temps[self.call.result_key]
            values = state.range_of(result)
            if study is not None and not study.kind.integer:
                values = intersect(values, OBJECT)
            state.facts.pop(result, None)
            state.temps[self.call.result_key] = resource
            if isinstance(result, Sym):
                state.older -= {result}
            state.facts[resource] = values
            return state
        state.facts[resource] = from_relation(">=", 0) if study is not None and study.kind.integer else OBJECT
        if path is None:
            self.machine.listener.ended(Verdict.ESCAPED, "an unknown place", state)
            return None
        self._write_out(path, resource, effect.term, state)
        return state

    def _acquired(self, state: State) -> None:
        when = condition_text(self.outcome, self.call.contract.signature)
        self.machine.listener.step("acquire", self.call.site.op.at, when, state)

    def _not_acquired(self, effect: Effect, path: Path | None, state: State) -> State:
        if path is not None:
            failure = kind_of(effect, self.contracts).failure
            self.machine.write(path, failure[0] if failure else 0, self.call.site.op.at, "", state)
        return state

    def _plain(self, effect: Effect, position: int, path: Path | None, state: State) -> State:
        """Another acquisition than the one under study: a symbol like others, but a known object."""
        term = effect.term
        assert term is not None
        if term.root is Root.RET and not term.selectors:
            result = state.temps[self.call.result_key]
            if isinstance(result, Sym) and is_pointer(self.call.site.op.result_type):
                state.local_objects |= {result}
            return state
        if path is None:
            return state
        symbol = self.machine.symbol(state, "out", self.call.site.key, position)
        if not effect.maybe:
            state.facts[symbol] = from_relation(">=", 0) if kind_of(effect, self.contracts).integer else OBJECT
        if effect.optional:
            self._write_out(path, self._new_or_old(symbol, position, path, state), term, state)
            return state
        state.local_objects |= {symbol}
        self._write_out(path, symbol, term, state)
        return state

    def _new_or_old(self, symbol: Sym, position: int, path: Path, state: State) -> Sym:
        """Acquired here, or what was there before."""
        unread = self.machine.universe.symbol("out", self.call.site.key, position, "before")
        before = self.machine.read(path, unread, UNKNOWN, state)
        either = self.machine.symbol(state, "new or old", self.call.site.key, position)
        if isinstance(before, (Sym, Ptr)) and before not in (either, symbol) and not state.root_is_resource(before):
            state.targets = {**state.targets, either: frozenset((symbol, before))}
        return either

    def _write_out(self, path: Path, value: Value, term: Term, state: State) -> None:
        """The function wrote through the pointer; what lies beside the cell is no longer unset."""
        if state.defaults.get(path[0]) in (UNDEF, UNSET):
            state.defaults[path[0]] = None
        self.machine.write(
            path, value, self.call.site.op.at, in_program(self.call.out_text(term, self.outcome.effects)), state
        )

    # -- realloc --------------------------------------------------------------------------------------

    def _study_old(self, state: State) -> bool:
        """The block given to a realloc-like function that failed becomes the resource under study."""
        study = self.machine.study
        assert study is not None
        releases = any(e.kind is EffectKind.RELEASE for e in self.outcome.effects)
        value = self.call.argument(study.slot.index)
        resource = self.machine.universe.resource
        if state.own is not Own.NONE or releases or not isinstance(value, Sym) or value is resource:
            return True
        if not state.assume(value, NONZERO):
            return False
        values = state.range_of(value)
        state.substitute(value, resource)
        self.call = self.call.after_renaming(value, resource)
        state.facts[resource] = values
        state.own = Own.OWNED
        state.holder = (
            in_program(self.call.site.texts[study.slot.index]) if study.slot.index < len(self.call.site.texts) else ""
        )
        self._acquired(state)
        return True
