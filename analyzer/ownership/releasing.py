"""Release effects of one outcome: what is released, and the mistakes that a release can be."""

from __future__ import annotations

from typing import final

from analyzer.contracts.model import Effect, EffectKind, Outcome, Provenance
from analyzer.findings.model import Verdict
from analyzer.ir.types import TypeKind
from analyzer.ownership.events import EventKind
from analyzer.ownership.naming import in_program
from analyzer.ownership.prepared import CallSite, Contracts
from analyzer.ownership.ranges import ZERO
from analyzer.ownership.resources import conditional_release, kind_of
from analyzer.ownership.state import KEPT, Own, State
from analyzer.ownership.terms import ContractCall
from analyzer.ownership.values import BEHIND, INTERIOR, MAYBE, UNDEF, UNSET, Atom, Ptr, Sym, Value, call_of


def _is_behind_start(value: Ptr) -> bool:
    return isinstance(value.offset, int) or (value.offset is not None and value.offset.endswith(BEHIND))


@final
class Releases:
    """The releases of one outcome of a contract, at one call."""

    def __init__(self, contracts: Contracts, call: ContractCall, outcome: Outcome) -> None:
        self.contracts = contracts
        self.machine = call.machine
        self.call = call
        self.outcome = outcome

    def run(self, value: Value, effect: Effect, state: State) -> bool:
        """Apply one release to the value it falls on; False: the resource's way ended here."""
        if state.range_of(value) == ZERO and not state.root_is_resource(value):
            return True  # null; a descriptor that is known to be 0 is one all the same
        if value is UNDEF or (isinstance(value, Sym) and value.key[0] == "unset"):
            self._strange(EventKind.UNINITIALIZED_RELEASE, effect, state, value)
            return True
        if state.root_is_resource(value):
            return state.own is Own.GONE or self._of_resource(value, effect, state)
        if isinstance(value, Atom) or (isinstance(value, Ptr) and isinstance(value.base, (int, str))):
            return self._of_memory(value, effect, state)
        if isinstance(value, Sym):
            return self._of_other(value, effect, state)
        if isinstance(value, Ptr) and state.own is Own.OWNED and state.reaches_resource((value,)):
            self.machine.listener.ended(Verdict.MAYBE_RELEASED, self.call.name, state)
            return False
        return True

    def _releaser(self, effect: Effect) -> str:
        """The function that in the end releases: the one called, unless the contract was inferred."""
        return effect.by or self.call.name

    def _event(self, kind: EventKind, state: State, subject: Value) -> None:
        self.machine.listener.event(kind, self.call.site.op.at, state, subject, self.call.name)

    def _strange(self, kind: EventKind, effect: Effect, state: State, subject: Value) -> None:
        """A mistake with something else than the resource, told by the argument's text."""
        holder = state.holder
        state.holder = (
            in_program(self.call.subject_text(effect.term, self.outcome.effects)) if effect.term is not None else ""
        )
        self._event(kind, state, subject)
        state.holder = holder

    def _of_resource(self, value: Value, effect: Effect, state: State) -> bool:
        resource = self.machine.universe.resource
        study = self.machine.study
        assert study is not None
        if value is not resource:
            inside = isinstance(value, Ptr) and (_is_behind_start(value) or self._is_part(value, effect))
            if inside and state.own is Own.OWNED:
                self._event(EventKind.WRONG_START, state, value)
            elif state.own is Own.OWNED:
                self.machine.listener.ended(Verdict.MAYBE_RELEASED, self.call.name, state)
            return False
        if state.own is Own.RELEASED:
            if not self._tries_again(effect, state):
                self._event(EventKind.DOUBLE_RELEASE, state, value)
            return False
        if state.own is not Own.OWNED:
            return True
        fits = not study.kind.releases or self._releaser(effect) in study.kind.releases
        inside = self._is_own(self.call.site) or (study.site is not None and self._is_own(study.site))
        inside = inside or self._releaser(effect) in self.machine.prepared.defined
        if not fits and not inside and not study.old:
            self._event(EventKind.WRONG_FUNCTION, state, value)
        if state.shares:
            state.shares -= 1
            return True
        return self._released(resource, effect, state)

    def _is_part(self, value: Ptr, effect: Effect) -> bool:
        """Whether it lies in a resource that this function does not release at all: ``free(readdir(folder))``."""
        study = self.machine.study
        if study is None or not isinstance(value.offset, str) or not value.offset.startswith(INTERIOR):
            return False
        key = value.offset.removeprefix(INTERIOR).removesuffix(BEHIND)
        site = next((one for one in self.machine.prepared.calls.values() if str(one.key) == key), None)
        contract = site.contract if site is not None else None
        if contract is None or contract.provenance is Provenance.INFERRED:
            return False
        return bool(study.kind.releases) and self._releaser(effect) not in study.kind.releases

    def _tries_again(self, effect: Effect, state: State) -> bool:
        """The same call in a loop, whose result is looked at: ``while (close(fd) == -1 && errno == EINTR)``.

        Whether a number is still one's own after a failed release, systems do not agree on.
        """
        if self.call.site.op.result is None or state.released_at != self.call.site.op.at or effect.term is None:
            return False
        parameters = self.call.contract.signature.parameters
        return effect.term.index < len(parameters) and parameters[effect.term.index].kind is TypeKind.INT

    def _is_own(self, site: CallSite) -> bool:
        """Whether the program defines a function that a written contract describes: a library, which may take
        its own objects apart."""
        inferred = site.contract is not None and site.contract.provenance is Provenance.INFERRED
        return not inferred and site.op.name in self.machine.prepared.defined

    def _released(self, resource: Sym, effect: Effect, state: State) -> bool:
        state.own = Own.RELEASED
        state.released_by, state.released_at = self.call.name, self.call.site.op.at
        state.releaser = self._releaser(effect)
        self.machine.listener.step("release", self.call.site.op.at, self.call.name, state)
        state.drop_range(resource, None, 0)
        return True

    def _of_memory(self, value: Value, effect: Effect, state: State) -> bool:
        """Release of the address of a variable, a string, a function; a "maybe" is let pass."""
        if value is MAYBE or (isinstance(value, Ptr) and value.offset is None and self._holds_resource(value, state)):
            self.machine.listener.ended(Verdict.MAYBE_RELEASED, self.call.name, state)
            return False
        pointed = isinstance(value, Ptr) and (isinstance(value.base, (int, str)))
        if pointed or (isinstance(value, Atom) and value.kind in ("string", "function")):
            parameters = self.call.contract.signature.parameters
            inferred = self.call.contract.provenance is Provenance.INFERRED
            effect_pointer = inferred or (
                bool(parameters)
                and any(
                    e.kind is EffectKind.RELEASE and e.term is not None and not e.term.selectors
                    for e in self.outcome.effects
                )
            )
            kinds = [k for k in self.contracts.kinds.values() if self._releaser(effect) in k.releases]
            if effect_pointer and any(not k.integer for k in kinds):
                self._strange(EventKind.WRONG_MEMORY, effect, state, value)
        return True

    def _holds_resource(self, value: Ptr, state: State) -> bool:
        return state.own is Own.OWNED and state.reaches_resource((value,))

    def _of_other(self, value: Sym, effect: Effect, state: State) -> bool:
        """Release of something that is not under study; what it holds goes with it, or is lost."""
        if self.machine.study is None and call_of(value) in self.machine.prepared.not_ours:
            self._strange(EventKind.WRONG_OWNER, effect, state, value)
            return False
        self._suspect(state.targets.get(value, frozenset()), effect, state)
        if state.own is Own.OWNED and state.targets.get(value) and state.reaches_resource(state.targets[value]):
            self.machine.listener.ended(Verdict.MAYBE_RELEASED, self.call.name, state)
            return False
        if self.machine.study is None:
            if value in state.released and value.key[0] not in ("old", "either"):
                state.released_by, state.released_at = state.released[value]
                if not self._tries_again(effect, state):
                    self._event(EventKind.DOUBLE_RELEASE, state, value)
                return False
            kept = state.cells.get((value, KEPT))
            if isinstance(kept, Sym) and not self._release_inside(kept, state):
                return False
            if not self._is_shared(effect):
                state.released = {**state.released, value: (self.call.name, self.call.site.op.at)}
        held = [v for (b, _), v in state.cells.items() if b is value and not isinstance(v, int)]
        moves = conditional_release(self.call.contract) is not None
        if state.own is Own.OWNED and held and not moves and state.reaches_resource(held):
            if self._is_deep(effect) or value not in state.local_objects:
                self.machine.listener.ended(Verdict.MOVED, self.call.name, state)
                return False
            state.loss = (self.call.site.op.at, EventKind.LEAK_EXIT.value)
        result = state.temps.get(self.call.result_key)
        if moves and isinstance(result, Sym):
            state.move_cells(value, result)  # realloc: the new block holds what the old one held
        else:
            state.drop_range(value, None, 0)
        return True

    def _release_inside(self, kept: Sym, state: State) -> bool:
        """The release of an object releases what it owns; False: that had been released before."""
        places = [path for path, value in state.cells.items() if value is kept and path[1] != KEPT]
        names = [self.machine.cell_text(path) for path in places]
        if kept not in state.released:
            state.released = {**state.released, kept: (self.call.name, self.call.site.op.at)}
        elif any(names) and kept.key[0] not in ("old", "either"):
            state.released_by, state.released_at = state.released[kept]
            holder, state.holder = state.holder, next(filter(None, names))
            self._event(EventKind.DOUBLE_RELEASE, state, kept)
            state.holder = holder
            return False
        return True

    def _suspect(self, targets: frozenset[Value], effect: Effect, state: State) -> None:
        """What paths have made one value may be a wrong one on some of them; the search for a path will tell."""
        for target in sorted(targets, key=repr) if self.machine.study is None else ():
            if call_of(target) in self.machine.prepared.not_ours:
                self._strange(EventKind.WRONG_OWNER, effect, state, target)
            elif target is UNSET:
                self._strange(EventKind.UNINITIALIZED_RELEASE, effect, state, target)
            elif (isinstance(target, Atom) and target is not MAYBE) or (
                isinstance(target, Ptr) and isinstance(target.base, (int, str))
            ):
                self._of_memory(target, effect, state)

    def _kinds(self, effect: Effect) -> list[bool]:
        kinds = self.contracts.kinds
        if effect.resource:
            return [kind_of(effect, self.contracts).deep]
        return [kind.deep for kind in kinds.values() if self._releaser(effect) in kind.releases]

    def _is_deep(self, effect: Effect) -> bool:
        return effect.deep or any(self._kinds(effect))

    def _is_shared(self, effect: Effect) -> bool:
        kinds = self.contracts.kinds.values()
        return any(kind.share for kind in kinds if self._releaser(effect) in kind.releases)
