"""What a call does to a state: by its contract, outcome by outcome, or by what is known without one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import final

from analyzer.contracts.model import Atom, Effect, EffectKind, FunctionContract, Outcome, Provenance, Root, Term
from analyzer.findings.model import Verdict
from analyzer.ir.ops import Call
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership import borrowing
from analyzer.ownership.application import Application, return_range
from analyzer.ownership.formats import prints_addresses
from analyzer.ownership.memory import (
    argument_type,
    change_globals,
    clobber,
    fill_in,
    is_lent,
    result_symbol,
    seems_lent,
    write_behind,
    write_below,
)
from analyzer.ownership.prepared import CallSite, Contracts, is_pointer
from analyzer.ownership.ranges import (
    FULL,
    NONZERO,
    ZERO,
    Range,
    complement,
    contains,
    from_relation,
    intersect,
    single,
    unite,
)
from analyzer.ownership.resources import WHOLE_RESULT, contents_of
from analyzer.ownership.routes import POINTER_CALL, unknown_route
from analyzer.ownership.state import Own, State
from analyzer.ownership.terms import ContractCall
from analyzer.ownership.transfer import Machine
from analyzer.ownership.values import GUESS, Ptr, Sym, Value, function_of


@final
@dataclass(slots=True)
class _Shape:
    """Facts about a contract that do not depend on the call.

    simple: its outcomes differ in the return value only, so one nullable symbol says it all.
    contents: what lies in the object that is returned, see `contents_of`.
    otherwise: outcome position -> return values left over by the outcomes before it.
    selecting: members and globals that select outcomes by their value, or by the bits of a mask (0: by all of it), with
        the ranges that are told apart.
    """

    simple: bool
    fresh_return: bool
    contents: Value | None = None
    otherwise: dict[int, Range] = field(default_factory=dict)
    selecting: dict[tuple[Term, int], list[Range]] = field(default_factory=dict)


_IN_SIMPLE = frozenset(
    {
        EffectKind.FRESH,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.NULL,
        EffectKind.BORROW,
        EffectKind.UNCHANGED,
    }
)


def _shape(contract: FunctionContract) -> _Shape:
    simple, fresh = True, False
    taken: Range = ()
    shape = _Shape(simple, fresh)
    for position, outcome in enumerate(contract.outcomes):
        shape.otherwise[position] = complement(taken) if taken and not outcome.when and not outcome.after else FULL
        on_return = [a for a in outcome.when if a.term.root is Root.RET and not a.term.selectors]
        if len(on_return) == len(outcome.when) and on_return and not outcome.after:
            taken = unite(taken, return_range(outcome)) if taken else return_range(outcome)
        else:
            simple = simple and not outcome.when and not outcome.after
        shape.contents = contents_of(outcome) if shape.contents is None else shape.contents
        for effect in outcome.effects:
            on_ret = effect.term is not None and effect.term.root is Root.RET
            allowed = _IN_SIMPLE | ({EffectKind.UNDEFINED} if effect.term == WHOLE_RESULT else set())
            simple = simple and effect.kind in allowed and (on_ret or effect.kind is EffectKind.BORROW)
            fresh = fresh or (effect.kind is EffectKind.FRESH and on_ret)
    shape.simple, shape.fresh_return = simple, fresh
    shape.selecting = _selecting(contract)
    return shape


def _selecting(contract: FunctionContract) -> dict[tuple[Term, int], list[Range]]:
    inferred = contract.provenance is Provenance.INFERRED
    found: dict[tuple[Term, int], dict[Range, None]] = {}
    for outcome in contract.outcomes:
        for atom in outcome.when:
            term = atom.term
            behind = term.root is Root.PARAM and term.selectors and inferred
            if not behind and term.root is not Root.GLOBAL:
                continue
            if atom.operator in ("&", "!&"):
                found.setdefault((term, atom.value), {})[NONZERO if atom.operator == "&" else ZERO] = None
            else:
                found.setdefault((term, 0), {})[from_relation(atom.operator, atom.value)] = None
    return {term: list(ranges) for term, ranges in found.items() if len(ranges) > 1}


_CONSUMES = frozenset({EffectKind.RELEASE, EffectKind.TAKE, EffectKind.STORE, EffectKind.ESCAPE, EffectKind.SHARE})


def _undecided(call: ContractCall, shape: _Shape, outcome: Outcome) -> Outcome:
    """The outcome where nobody knows which one it is: what is consumed in some only, may be gone or not; what is handed
    out in some only, is not followed.

    Where the result is asked for, it tells outcomes apart as well.
    """
    outcomes = call.contract.outcomes
    if call.site.op.result is not None:
        rest = _other_conditions(outcome, shape)
        outcomes = tuple(one for one in outcomes if _other_conditions(one, shape) == rest)
    shares = [[effect for effect in one.effects if effect.kind in _CONSUMES] for one in outcomes]
    differing = {effect: None for effects in shares for effect in effects if not all(effect in one for one in shares)}
    terms = dict.fromkeys(e.source if e.kind is EffectKind.STORE else e.term for e in differing)
    gone = tuple(Effect(EffectKind.ESCAPE, term, maybe=True) for term in terms)
    kept = []
    for effect in outcome.effects:
        if effect.kind is EffectKind.FRESH and not all(effect in one.effects for one in outcomes):
            kept.append(Effect(EffectKind.WRITE, effect.term))
        elif effect not in differing:
            kept.append(effect)
    return replace(outcome, effects=(*gone, *kept))


def _other_conditions(outcome: Outcome, shape: _Shape) -> frozenset[Atom]:
    selecting = {term for term, _ in shape.selecting}
    return frozenset(atom for atom in outcome.when if atom.term not in selecting)


def _is_decided(call: ContractCall, shape: _Shape, state: State) -> bool:
    """Whether members and globals that select the outcome have values that do.

    A parameter is the caller's own choice, so each value is followed; what a member may be, some invariant decides
    that nobody here knows.
    """
    for (term, mask), ranges in shape.selecting.items():
        value = call.before(term, state)
        if mask and value is not None:
            value = call.bits(value, mask, state)
        values = FULL if value is None else state.range_of(value)
        if any(intersect(values, told) not in ((), values) for told in ranges):
            return False
    return True


@final
class Calls:
    """Executes calls for the runs over one function."""

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts
        self._shapes: dict[int, _Shape] = {}

    def call(self, machine: Machine, op: Call, state: State) -> list[State]:
        """States after the call."""
        site = machine.prepared.calls[id(op)]
        if op.target is not None:
            site = _known_target(machine, op, state) or site
        if machine.cyclic:
            created = machine.universe.created_at(site.key)
            for symbol in [*_answers_about(created, machine, state), *created]:
                state.retire(symbol)
        arguments = [machine.value(argument, state) for argument in op.arguments]
        if site.record_result is not None:
            self._clear_record(machine, site, state)
        contract = site.contract
        if contract is None or _is_opaque(contract):
            return self._unknown(machine, site, arguments, state)
        doubtful = _perhaps_null(contract, arguments, state)
        if doubtful is not None:
            symbol, target = doubtful
            other = state.copy()
            state.substitute(symbol, target)
            other.substitute(symbol, 0)
            return [*self.call(machine, op, state), *self.call(machine, op, other)]
        self._uses(machine, site, arguments, state)
        reopened = [arguments[index] for index in _reopened(contract) if index < len(arguments)]
        if any(_is_closed(value, state) for value in reopened) and not self._reopen(machine, reopened, state):
            return []
        if contract.extras and self._unnamed_escape(
            machine, site, arguments[len(contract.signature.parameters) :], state
        ):
            return []
        return self._by_contract(ContractCall(machine, site, contract, arguments), state)

    def _unnamed_escape(self, machine: Machine, site: CallSite, extras: list[Value], state: State) -> bool:
        """The function takes its unnamed arguments itself; True: the resource went with them."""
        if state.own is Own.OWNED and state.reaches_resource(extras):
            routes = (unknown_route(machine.prepared, site),)
            if not machine.let_go(Verdict.ESCAPED, f"{site.op.name}()", state, routes):
                return True
        machine.publish(extras, state)
        return False

    def _reopen(self, machine: Machine, reopened: list[Value], state: State) -> bool:
        """The number of a descriptor that was closed stands for another one now; False: it was the resource."""
        if state.own is Own.RELEASED and machine.universe.resource in reopened:
            machine.listener.ended(Verdict.RELEASED, "", state)
            return False
        state.released = {value: where for value, where in state.released.items() if value not in reopened}
        return True

    def _clear_record(self, machine: Machine, site: CallSite, state: State) -> None:
        assert site.record_result is not None
        path = machine.resolve(site.record_result, site.op.at, state)
        if isinstance(path, tuple) and path[1] is not None:
            state.drop_range(path[0], path[1], 0)
            state.defaults[path[0]] = None

    def _uses(self, machine: Machine, site: CallSite, arguments: list[Value], state: State) -> None:
        """A released resource given to a function is used, unless the function releases it (again)."""
        contract = site.contract
        assert contract is not None
        releasing = {
            effect.term.index
            for outcome in contract.outcomes
            for effect in outcome.effects
            if effect.kind in (EffectKind.RELEASE, EffectKind.SHARE)
            if effect.term is not None and not effect.term.selectors
        } | _reopened(contract)
        parameters = contract.signature.parameters
        extras_used = contract.signature.variadic and not prints_addresses(site.op.arguments)
        for index, value in enumerate(arguments):
            if index in releasing or index in contract.unread or (index >= len(parameters) and not extras_used):
                continue
            ctype = parameters[index] if index < len(parameters) else site.op.argument_types[index]
            told = index >= len(parameters)  # as a number: ``printf("%d", fd)``
            if is_pointer(ctype) or (not told and (value is machine.universe.resource or value in state.released)):
                machine.use(value, site.op.at, site.texts[index], state)
        call = ContractCall(machine, site, contract, arguments)
        for term in contract.uses:
            path = call.path(term, state)
            there = state.cells.get(path) if path is not None else None
            if there is not None:
                machine.use(there, site.op.at, call.out_text(term, ()), state)

    # -- contracts ------------------------------------------------------------------------------------

    def _by_contract(self, call: ContractCall, state: State) -> list[State]:
        machine, contract = call.machine, call.contract
        shape = self._shapes.get(id(contract))
        if shape is None:
            shape = self._shapes[id(contract)] = _shape(contract)
        studied = machine.study is not None and machine.study.site is call.site
        if shape.simple and not studied:
            return self._simple(call, shape, state)
        found: list[State] = []
        skipped = _feared(call, state) or _never_null(call, state)
        guess = bool(shape.selecting) and not _is_decided(call, shape, state)
        for position, outcome in enumerate(contract.outcomes):
            if position in skipped or _is_degenerate(call, outcome, state):
                continue
            if guess:
                outcome = _undecided(call, shape, outcome)
            application = Application(self.contracts, call, outcome)
            if any(effect.kind is EffectKind.NORETURN for effect in outcome.effects):
                if application.may_happen(state.copy()):
                    self._never_returns(call, state)
                continue
            found.extend(application.run(state.copy(), shape.otherwise[position], studied))
        return found

    def _never_returns(self, call: ContractCall, state: State) -> None:
        if state.own in (Own.OWNED, Own.LOST):
            call.machine.listener.ended(Verdict.HELD, f"noreturn {call.site.op.name}", state)

    def _simple(self, call: ContractCall, shape: _Shape, state: State) -> list[State]:
        machine, site, contract = call.machine, call.site, call.contract
        if any(e.kind is EffectKind.NORETURN for o in contract.outcomes for e in o.effects):
            return []
        if not change_globals(machine, site, state):
            return []
        write_behind(machine, site, call.arguments, state, set(contract.complete))
        write_below(machine, site, call.arguments, state)
        if site.op.result is not None:
            symbol = _pure_result(call, state) or result_symbol(machine, site, state)
            values: Range = ()
            for position, outcome in enumerate(contract.outcomes):
                here = intersect(return_range(outcome), shape.otherwise[position])
                values = unite(values, here) if values else here
            if values and values != FULL:
                state.assume(symbol, values)
            if shape.fresh_return and is_pointer(site.op.result_type):
                state.local_objects |= {symbol}
            if shape.contents is not None:
                state.defaults[symbol] = shape.contents
            state.temps[site.op.result.id] = symbol
        return [state]

    # -- no contract ----------------------------------------------------------------------------------

    def _unknown(self, machine: Machine, site: CallSite, arguments: list[Value], state: State) -> list[State]:
        name = site.op.name
        if self._ends(site, arguments, state):
            if state.own in (Own.OWNED, Own.LOST):
                machine.listener.ended(Verdict.HELD, f"{name}()", state)
            return []
        escaping: list[Value] = []
        lent, trusted = False, self._is_trusted(site, arguments, state)
        for index, value in enumerate(arguments):
            if isinstance(value, int):
                continue
            ctype = argument_type(site, index)
            if is_lent(site, index) and not _goes_as_number(machine, ctype, value, state):
                lent = lent or state.root_is_resource(value)
                machine.use(value, site.op.at, site.texts[index], state)
                if ctype.kind is TypeKind.POINTER and not ctype.pointee_const:
                    fill_in(machine, site, value, state, unset_only=ctype.pointee_kind is TypeKind.RECORD)
            else:
                if state.own is Own.RELEASED and is_pointer(ctype) and value is machine.universe.resource:
                    machine.use(value, site.op.at, site.texts[index], state)
                escaping.append(value)
        if state.own is Own.OWNED and self._escapes(machine, site, escaping, state):
            return []
        if state.own is Own.GONE:
            escaping = [value for value in escaping if not state.root_is_resource(value)]
        noted = f"{name}{borrowing.TRUSTED if trusted else ''}"
        if (lent or trusted) and name and noted not in state.unknown_calls:
            state.unknown_calls = (*state.unknown_calls, noted)[-4:]
            machine.listener.step("call", site.op.at, f"{name}() is taken to borrow it", state)
        if escaping or not borrowing.name_suggests_observing(name or ""):
            clobber(machine, site, escaping, state)
        self._unknown_result(machine, site, lent, state)
        return [state]

    def _is_trusted(self, site: CallSite, arguments: list[Value], state: State) -> bool:
        """Whether the resource would go out of sight here, did the project not say that such functions borrow."""
        if not site.lends or state.own is not Own.OWNED:
            return False
        given = [v for index, v in enumerate(arguments) if not isinstance(v, int) and not seems_lent(site, index)]
        return state.reaches_resource(given) or self._is_outside(site, state)

    def _is_outside(self, site: CallSite, state: State) -> bool:
        """Whether the function can find the resource in memory that it is not given."""
        if borrowing.name_suggests_observing(site.op.name or ""):
            return False
        outside = [v for (b, _), v in state.cells.items() if state.is_outside(b) and not isinstance(v, int)]
        return state.reaches_resource(outside)

    def _ends(self, site: CallSite, arguments: list[Value], state: State) -> bool:
        """Whether the name says that nothing goes on behind the call."""
        name = site.op.name or ""
        if not name:
            return False
        if site.op.result is None and borrowing.name_suggests_ending(name):
            return True
        asserts = bool(arguments) and borrowing.name_suggests_asserting(name)
        return asserts and not state.assume(arguments[0], NONZERO)

    def _escapes(self, machine: Machine, site: CallSite, escaping: list[Value], state: State) -> bool:
        name = f"{site.op.name}()" if site.op.name else POINTER_CALL
        if state.reaches_resource(escaping):
            return not machine.let_go(Verdict.ESCAPED, name, state, (unknown_route(machine.prepared, site),))
        if not site.lends and self._is_outside(site, state):
            return not machine.let_go(Verdict.ESCAPED, name, state, (unknown_route(machine.prepared, site),))
        return False

    def _unknown_result(self, machine: Machine, site: CallSite, lent: bool, state: State) -> None:
        if site.op.result is None:
            return
        if lent and is_pointer(site.op.result_type):
            value: Value = machine.universe.pointer(machine.universe.resource, f"{GUESS}{site.key}")
            state.facts.pop(value, None)
        else:
            value = result_symbol(machine, site, state)
        state.temps[site.op.result.id] = value


def _known_target(machine: Machine, op: Call, state: State) -> CallSite | None:
    """The call by name that a call through a pointer is, where the path says what the pointer holds."""
    assert op.target is not None
    return machine.prepared.targets.get(id(op), {}).get(function_of(machine.value(op.target, state)))


def _goes_as_number(machine: Machine, ctype: CType, value: Value, state: State) -> bool:
    """``add_user_data(list, (uintptr_t)buffer)``: whoever makes a number of a pointer wants it kept."""
    study = machine.study
    return (
        ctype.kind is TypeKind.INT
        and study is not None
        and not study.kind.integer
        and state.own is Own.OWNED
        and state.root_is_resource(value)
    )


def _answers_about(symbols: list[Sym], machine: Machine, state: State) -> list[Sym]:
    """Answers of pure functions that were asked about these: about something else, from now on."""
    if not machine.prepared.asked_again or not symbols:
        return []
    asked = (symbol for symbol in state.mentioned() if symbol.key[0] == "pure")
    return sorted((a for a in asked if any(s in a.key for s in symbols)), key=lambda symbol: symbol.order)


def _pure_result(call: ContractCall, state: State) -> Sym | None:
    """The same question twice has one answer, as long as nothing was written that it may depend on.

    In a loop each round asks anew; behind it, the answer is that of the last round.
    Nobody notes what is written to arrays of the function itself.
    """
    machine = call.machine
    local = any(isinstance(value, Ptr) and isinstance(value.base, int) for value in call.arguments)
    if local or call.site.key not in machine.prepared.asked_again:
        return None
    symbol = machine.universe.symbol("pure", call.name, state.epoch, *call.arguments)
    if machine.cyclic:
        state.retire(symbol)
        state.facts.pop(symbol, None)
    machine.limit_by_type(state, symbol, call.site.op.result_type)
    return symbol


def _perhaps_null(contract: FunctionContract, arguments: list[Value], state: State) -> tuple[Sym, Value] | None:
    """An argument that paths have made "this address, or null", where the function writes behind it.

    ``receive(socket, wanted ? &answer : NULL)``: what it hands out lies in `answer`, or nowhere.
    """
    for index in {
        e.term.index for o in contract.outcomes for e in o.effects if e.term is not None and e.term.selectors
    }:
        value = arguments[index] if index < len(arguments) else 0
        if isinstance(value, Sym) and value.joined_at >= 0 and contains(state.range_of(value), 0):
            targets = [target for target in state.targets.get(value, ()) if target != 0]
            if len(targets) == 1 and isinstance(targets[0], Ptr):
                return value, targets[0]
    return None


def _feared(call: ContractCall, state: State) -> set[int]:
    """The outcomes in which a function fails to take the resource, where nobody asks whether it did.

    ``pthread_create(&thread, NULL, run, context);``, ``tree_insert(&tree, node);``: who does not look at the result
    believes that it works, and to say that the context is lost when it does not is not what a reviewer wants to hear.
    """
    contract = call.contract
    if state.own is not Own.OWNED:
        return set()
    if call.site.op.result is not None:
        return _feared_nothing(call, state) if call.site.key in call.machine.prepared.untested else set()
    taking: dict[frozenset[Atom], set[int]] = {}
    for position, outcome in enumerate(contract.outcomes):
        if any(_takes(effect, call) for effect in outcome.effects):
            taking.setdefault(_arguments_wanted(outcome, contract), set()).add(position)
    return {
        position
        for position, outcome in enumerate(contract.outcomes)
        if position not in taking.get(_arguments_wanted(outcome, contract), {position})
    }


def _never_null(call: ContractCall, state: State) -> set[int]:
    """The outcomes in which a function refuses the resource for the lack of something else that is there in any case.

    ``return push(session->queue, item);``: what a function finds in a member or a global variable, or was given, and
    never asks for, is there. Where it asks whether the call worked, it may have failed.
    """
    asked = call.machine.prepared.asked_texts
    if state.own is not Own.OWNED or f"{call.name}()" in asked:
        return set()
    taking = {p for p, o in enumerate(call.contract.outcomes) if any(_takes(effect, call) for effect in o.effects)}
    types = call.contract.signature.parameters
    found: set[int] = set()
    for position, outcome in enumerate(call.contract.outcomes) if taking else ():
        for atom in outcome.when if position not in taking else ():
            index = atom.term.index
            plain = atom.term.root is Root.PARAM and not atom.term.selectors and index < len(types)
            if plain and (atom.operator, atom.value) == ("==", 0) and is_pointer(types[index]):
                value = call.argument(index)
                given = isinstance(value, Sym) and value.key[0] in ("param", "init")
                if given and call.site.texts[index] not in asked and state.range_of(value) == FULL:
                    found.add(position)
    return found


def _feared_nothing(call: ContractCall, state: State) -> set[int]:
    """The outcomes in which nothing is found in the resource, where nobody asks whether something was."""
    parts = {
        position
        for position, outcome in enumerate(call.contract.outcomes)
        for effect in outcome.effects
        if effect.kind in (EffectKind.INTERIOR, EffectKind.RETURN) and effect.term is not None
        if state.root_is_resource(call.value(effect.term, state) or 0)
    }
    wanted = {_arguments_wanted(call.contract.outcomes[position], call.contract) for position in parts}
    return {
        position
        for position, outcome in enumerate(call.contract.outcomes)
        if position not in parts and _arguments_wanted(outcome, call.contract) in wanted
    }


def _is_degenerate(call: ContractCall, outcome: Outcome, state: State) -> bool:
    """Null only for a size of zero, ``realloc(p, n)``: an unknown number is not meant to be that one."""
    if return_range(outcome) != ZERO:
        return False
    numbers = (a for a in outcome.when if a.operator == "==" and a.value == 0 and a.term.root is Root.PARAM)
    return any(
        not atom.term.selectors
        and call.contract.signature.parameters[atom.term.index].kind is TypeKind.INT
        and single(state.range_of(call.argument(atom.term.index))) is None
        for atom in numbers
    ) and is_pointer(call.contract.signature.result)


def _takes(effect: Effect, call: ContractCall) -> bool:
    """Whether the effect takes the resource. That the program's own function releases it only sometimes, is its bug."""
    taking = {EffectKind.TAKE, EffectKind.ESCAPE}
    if call.contract.provenance is not Provenance.INFERRED:
        taking.add(EffectKind.RELEASE)
    term = effect.source if effect.kind is EffectKind.STORE else effect.term
    if effect.kind not in taking | {EffectKind.STORE} or term is None or term.selectors:
        return False
    if term.root is not Root.PARAM:
        return False
    return call.argument(term.index) is call.machine.universe.resource


def _arguments_wanted(outcome: Outcome, contract: FunctionContract) -> frozenset[Atom]:
    """The conditions that do not depend on whether the call succeeds.

    That a pointer is null is no choice of what is done, in a function of the program: ``if (!list) return -EINVAL;``.
    """
    types = contract.signature.parameters if contract.provenance is Provenance.INFERRED else ()
    pointers = {Term(Root.PARAM, index) for index, ctype in enumerate(types) if is_pointer(ctype)}
    return frozenset(atom for atom in outcome.when if atom.term.root is not Root.RET and atom.term not in pointers)


def _is_closed(value: Value, state: State) -> bool:
    return value in state.released or (state.own is Own.RELEASED and value is state.universe.resource)


def _reopened(contract: FunctionContract) -> set[int]:
    """Numbers that the function returns: ``dup2(fd, 1)`` opens 1, whatever it was."""
    types = contract.signature.parameters
    returned = (e.term for o in contract.outcomes for e in o.effects if e.kind is EffectKind.RETURN)
    if contract.provenance is Provenance.INFERRED:
        return set()
    return {t.index for t in returned if t is not None and t.index < len(types) and types[t.index].kind is TypeKind.INT}


def _is_opaque(contract: FunctionContract) -> bool:
    return any(e.kind is EffectKind.OPAQUE for o in contract.outcomes for e in o.effects)
