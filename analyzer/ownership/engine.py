"""Run one function: for each resource to a fixpoint, then alarms are believed only with an exact path.

Merging is ESP's (Das, Lerner, Seigle: ESP, PLDI 2002): states are joined when the ownership state of the
resource under study and its holders agree. Over budget states are merged further and
marked; none is ever dropped.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import final

from analyzer.contracts.model import FunctionContract
from analyzer.findings.model import StepKind, Verdict
from analyzer.ir.function import Function, TranslationUnit
from analyzer.ir.ops import Stop
from analyzer.ownership.at_sight import contract_at_sight
from analyzer.ownership.calls import Calls
from analyzer.ownership.counters import MOST_ROUNDS, rounds
from analyzer.ownership.demand import ahead, behind, doubtful_release_ahead, release_ahead
from analyzer.ownership.endings import Endings
from analyzer.ownership.events import AcquisitionResult, Event, EventKind, FunctionResult
from analyzer.ownership.inference import Evidence, contract_of, lent_resources
from analyzer.ownership.join import forget_join, join
from analyzer.ownership.keys import Key, body_results, clean, merge_key, returned_class, unusual_locals
from analyzer.ownership.limits import Cap, Limits
from analyzer.ownership.naming import UNNAMED
from analyzer.ownership.prepare import prepare
from analyzer.ownership.prepared import Contracts, Prepared
from analyzer.ownership.releases import nothing, record_of, released_argument
from analyzer.ownership.resources import NO_KIND, SOME_NUMBER, Resource, has_releases, resources
from analyzer.ownership.seen import OUT_OF_SIGHT, Seen
from analyzer.ownership.shared import Shared
from analyzer.ownership.state import Own, State
from analyzer.ownership.stopping import may_stop
from analyzer.ownership.subjects import subjects
from analyzer.ownership.transfer import Machine
from analyzer.ownership.values import MAYBE, Universe
from analyzer.ownership.witness import Alarm, Witness, search

JOINS_BEFORE_WIDENING = 3


def analyse(
    function: Function,
    unit: TranslationUnit,
    contracts: Contracts,
    limits: Limits,
    defined: frozenset[str] = frozenset(),
    want_states: bool = False,
    infer: bool = False,
    recursive: bool = False,
) -> FunctionResult:
    """All events and verdicts of one function.

    defined: names of functions that the program defines in some unit. infer: also make the function's own
    contract (None where it lost statements or went over a budget: then nothing is known about it). recursive: it may
    call itself, and the contracts of what it calls are not final.
    """
    prepared = prepare(function, unit, contracts, defined)
    result, complete = _analysed(prepared, contracts, limits, want_states, infer, recursive)
    if prepared.expansion.bodies and not complete:
        # With the bodies of what it calls it is too large: contracts are what large functions need.
        prepared = prepare(function, unit, contracts, defined, inside=False)
        result, _ = _analysed(prepared, contracts, limits, want_states, infer, recursive)
    return result


def _analysed(
    prepared: Prepared, contracts: Contracts, limits: Limits, want_states: bool, infer: bool, recursive: bool
) -> tuple[FunctionResult, bool]:
    """The result, and whether no run went over its budget."""
    function = prepared.expansion.source
    found = list(resources(prepared, contracts))
    if len(found) > limits.acquisitions:
        return FunctionResult(gave_up=f"more than {limits.acquisitions} acquisitions"), False
    events: list[Event] = []
    acquisitions: list[AcquisitionResult] = []
    states: dict[int, list[str]] = {}
    studies: list[Resource | None] = [*found]
    infer = infer and not function.degraded
    evidence = None
    if infer:
        evidence = Evidence(
            function,
            subjects(prepared),
            [],
            by_value=prepared.by_value,
            recursive=recursive,
            stops=_may_stop(prepared),
        )
    contract = contract_at_sight(prepared, evidence.subjects) if evidence is not None and not found else None
    if contract is not None:
        evidence = None  # no run has anything to add
    if evidence is not None:
        prepared.written = tuple(sorted(evidence.subjects.written))
        prepared.member_names = evidence.subjects.names
    if has_releases(prepared) or evidence is not None:
        studies.append(None)
    complete = True
    shared = Shared(prepared, evidence is not None) if len(found) > 1 else None
    everything = want_states or evidence is not None  # what becomes of a call without the resource is said too
    doubtful = doubtful_release_ahead(prepared) if found and not everything else []
    for study in studies:
        run = _Run(prepared, contracts, limits, study, evidence is not None, shared if study is not None else None)
        if not everything:
            run.skip(doubtful if study is not None else release_ahead(prepared))
        run.execute()
        complete = complete and not run.gave_up
        events.extend(run.events())
        if study is not None and not study.old:
            acquisitions += run.results()
        if evidence is not None:
            run.testify(evidence)
        if want_states:
            run.describe(states)
    if evidence is not None and complete and not evidence.cut_off:
        contract = _inferred(prepared, contracts, limits, evidence)
    result = FunctionResult(
        contract=contract,
        events=_distinct(events),
        acquisitions=tuple(sorted(acquisitions, key=lambda a: (a.at, a.slot))),
        name_only=tuple(prepared.name_only),
        states=tuple((block, tuple(lines)) for block, lines in sorted(states.items())),
    )
    return result, complete


def _may_stop(prepared: Prepared) -> bool:
    """Whether some of its paths may end with the process."""
    stops = any(isinstance(block.end, Stop) for block in prepared.function.blocks)
    return stops or any(may_stop(site.contract, site.op) for site in prepared.calls.values())


def _inferred(prepared: Prepared, contracts: Contracts, limits: Limits, evidence: Evidence) -> FunctionContract | None:
    """The function's contract, or None when a run over something lent went over its budget."""
    for term in lent_resources(prepared.function, evidence.subjects):
        kind = SOME_NUMBER if evidence.subjects.is_number(prepared.function, term) else NO_KIND
        run = _Run(prepared, contracts, limits, Resource(None, term, kind), True)
        run.execute()
        if run.gave_up:
            return None
        run.testify(evidence)
    return contract_of(evidence)


def _distinct(events: list[Event]) -> tuple[Event, ...]:
    """Sorted; what two runs saw alike is said once, by the one that knows the acquisition."""
    best: dict[tuple[object, ...], Event] = {}
    for event in events:
        shared = event.kind in _SEEN_BY_MANY or event.kind is EventKind.LEAK_REALLOC
        key = (event.kind, event.at, None if shared else (event.acquired_key, event.slot))
        known = best.get(key)
        if known is None or (known.acquired_at < 0 <= event.acquired_at):
            best[key] = event
    released = {e.at for e in best.values() if e.kind is EventKind.DOUBLE_RELEASE and e.acquired_at >= 0}
    kept = [
        e for e in best.values() if not (e.kind is EventKind.DOUBLE_RELEASE and e.acquired_at < 0 and e.at in released)
    ]
    return tuple(sorted(kept, key=lambda e: (e.at, e.kind.value, e.acquired_key, e.slot)))


_SEEN_BY_MANY = frozenset(
    {
        EventKind.UNINITIALIZED_RELEASE,
        EventKind.WRONG_MEMORY,
        EventKind.WRONG_OWNER,
        EventKind.DOUBLE_RELEASE,
        EventKind.USE_AFTER_RELEASE,
    }
)


def _block_of(prepared: Prepared, study: Resource | None) -> int:
    """The block that holds the acquiring call, the first one where there is none."""
    if study is None or study.site is None:
        return 0
    return prepared.block_of(study.site.op)


def _is_idle(state: State) -> bool:
    """Whether there is nothing to follow."""
    return state.own is Own.NONE and not state.released


@final
class _Run:
    """One resource (or, with study None, all releases of other things) over one function."""

    def __init__(
        self,
        prepared: Prepared,
        contracts: Contracts,
        limits: Limits,
        study: Resource | None,
        infer: bool = False,
        shared: Shared | None = None,
    ) -> None:
        self.prepared = prepared
        self.limits = limits
        self.room = limits.states * (MOST_ROUNDS if prepared.counters else 1)
        self.study = study
        self.contracts = contracts
        self.seen = Seen(ends=Endings() if infer else None)
        self.lent = study is not None and study.site is None
        self.shared = shared
        self.universe = shared.universe if shared is not None else Universe()
        self.site = _block_of(prepared, study)
        # Blocks that other runs see differently; blocks where a state without a resource can still matter.
        self.own = [True] * len(prepared.order) if shared is None else behind(prepared.function, self.site)
        self.matters = [True] * len(prepared.order)
        self.entries: list[dict[Key, State]] = [{} for _ in prepared.function.blocks]
        self.joins: dict[tuple[int, Key], int] = {}
        self.gave_up = ""
        self.met: set[Cap] = set()
        self.unproven = False  # an alarm was neither shown nor refuted
        self.refuted = False  # one was refuted: no execution gets there
        self.found: list[Event] | None = None

    def skip(self, release: list[bool]) -> None:
        """Leave out states without anything to follow, at blocks from which no release in question lies ahead."""
        site = ahead(self.prepared.function, () if self.study is None else (self.site,))
        self.matters = [one or other for one, other in zip(site, release, strict=True)]

    # -- fixpoint -------------------------------------------------------------------------------------

    def execute(self) -> None:
        """Entry states of all blocks at the least fixpoint, or `gave_up`."""
        calls = Calls(self.contracts)
        machine = Machine(self.prepared, self.universe, self.study, self.seen, calls, self._fewer, self.limits)
        start = machine.start() if self.shared is None else self.shared.start(machine)
        queue: list[tuple[int, int]] = []
        pending: dict[int, dict[Key, None]] = {}
        self._arrive(0, start, queue, pending)
        steps = 0
        while queue:
            _, block_id = heapq.heappop(queue)
            keys = pending.pop(block_id, {})
            for key in keys:
                state = self.entries[block_id].get(key)
                if state is None:
                    continue
                steps += 1
                if self._is_settled(steps):
                    return
                if steps > self.limits.steps:
                    self.met.add(Cap.STEPS)
                    self.gave_up = f"over {self.limits.steps} steps"
                    return
                if self.seen.ends is not None:
                    self.seen.ends.begin((block_id, key))
                for target, after in self._ways(machine, block_id, state):
                    self._arrive(target, after, queue, pending)

    def _is_settled(self, steps: int) -> bool:
        """Whether what the caller lends goes out of sight anyway: the rest of the run could add nothing to that."""
        ends = self.seen.ends
        if not self.lent or ends is None:
            return False
        if steps > self.limits.lent_steps:
            ends.lose(Verdict.GAVE_UP, f"over {self.limits.lent_steps} steps")
        return ends.gone is not None

    def _ways(self, machine: Machine, block_id: int, state: State) -> Iterable[tuple[int, State]]:
        """Execute a block; nobody may change the states that come out, they may be those of other runs."""
        if self.shared is not None and not self.own[block_id]:
            ways = self.shared.block(machine, block_id, state)
            self.seen.add(ways.seen)
            yield from ways.out
            return
        self.seen.block = block_id
        for target, after, _ in machine.block(block_id, state.copy()):
            if self.matters[target] or not _is_idle(after):
                if self.prepared.merges[target]:
                    # Before states meet; on the way there it is not worth its cost.
                    clean(self.prepared, target, after, self.lent)
                yield target, after

    def _arrive(
        self, block_id: int, state: State, queue: list[tuple[int, int]], pending: dict[int, dict[Key, None]]
    ) -> None:
        if not self.matters[block_id] and _is_idle(state):
            return
        key = self._key(state)
        entries = self.entries[block_id]
        known = entries.get(key)
        if known is None:
            if len(entries) >= self.room:
                state = state.copy()
                key, known = self._crowded(block_id, state)
            if known is None:
                entries[key] = state
                self._enqueue(block_id, key, queue, pending)
                return
        count = self.joins[(block_id, key)] = self.joins.get((block_id, key), 0) + 1
        joining = join if self.shared is None or self.own[block_id] else self.shared.join
        joined = joining(block_id, known, state, count > JOINS_BEFORE_WIDENING)
        if joined is not None:
            entries[key] = joined
            self._enqueue(block_id, key, queue, pending)

    def _key(self, state: State) -> Key:
        """States with one key are joined."""
        key = merge_key(state)
        if self.prepared.counters:
            key = (*key, rounds(self.prepared.counters, state))
        if self.study is not None:
            return key
        key = (*key, unusual_locals(self.prepared, state))
        if self.prepared.expansion.bodies:
            key = (*key, body_results(self.prepared, state))
        return key if self.seen.ends is None else (*key, returned_class(self.prepared, state))

    def _fewer(self, place: int, states: list[State]) -> list[State]:
        """A call for each of ten things, each with two outcomes: joined before the block is over."""
        self.met.add(Cap.WAYS)
        found: dict[Key, State] = {}
        for state in states:
            forget_join(place, state)
            key = self._key(state)
            known = found.get(key)
            joined = state if known is None else join(place, known, state, widening=False)
            if joined is not None:
                found[key] = joined
        return list(found.values())

    def _crowded(self, block_id: int, state: State) -> tuple[Key, State | None]:
        """Too many states at a block: this one joins a common one, on the silent side."""
        self.met.add(Cap.STATES)
        state.blurred = True
        if state.own is Own.OWNED:
            # Holders that are not common to all are not certain: say "may be held" in each of them.
            for path in state.holders():
                state.cells[path] = MAYBE
        elif state.own is Own.RELEASED:
            for path in state.holders():
                del state.cells[path]
        state.released = {}
        key: Key = ("crowded", int(state.own))
        return key, self.entries[block_id].get(key)

    def _enqueue(
        self, block_id: int, key: Key, queue: list[tuple[int, int]], pending: dict[int, dict[Key, None]]
    ) -> None:
        if block_id not in pending:
            pending[block_id] = {}
            heapq.heappush(queue, (self.prepared.order[block_id], block_id))
        pending[block_id][key] = None

    # -- results --------------------------------------------------------------------------------------

    def testify(self, evidence: Evidence) -> None:
        """Say how this run's paths ended."""
        assert self.seen.ends is not None
        if self.study is None:
            evidence.plain = self.seen.ends.plain()
            evidence.cut_off = not evidence.plain and bool(self.seen.alarms)
        elif not self.study.old:
            evidence.add(self.study, self.seen.ends, tuple(self.seen.routes.values()))

    def events(self) -> list[Event]:
        """Events with a path that was executed exactly; the other alarms count as unproven."""
        if self.found is None:
            self.found = []
            budget = self.limits.alarms
            for alarm in sorted(self.seen.alarms.values(), key=lambda a: (a.at, a.kind.value)):
                if not self._wanted(alarm):
                    continue
                if budget == 0:
                    self.met.add(Cap.ALARMS)
                    self.unproven = True
                    break
                budget -= 1
                result = search(self.prepared, self.contracts, self._subject(alarm), alarm, self.limits)
                witness = result.witness
                if witness is None:
                    if result.met is not None:
                        self.met.add(result.met)
                        self.unproven = True
                    self.refuted = self.refuted or result.met is None
                    continue
                if self._is_told_elsewhere(alarm, witness):
                    continue
                self.found.append(self._event(alarm, witness))
        return self.found

    def _wanted(self, alarm: Alarm) -> bool:
        """A realloc run speaks of the lost block only; a release run of what no other run sees."""
        if alarm.kind is EventKind.UNINITIALIZED_RELEASE and self.prepared.function.degraded:
            return False  # a lost statement may have set it
        body = self.prepared.expansion.outermost(alarm.cause)
        if body >= 0 and self._is_acquired_in(body):
            return False  # the callee's own mistake, told there
        if self.study is not None and self.study.old:
            return alarm.kind is EventKind.LEAK_REALLOC
        return True

    def _is_acquired_in(self, body: int) -> bool:
        return self.study is not None and self.study.site is not None and self._outermost_of_site() == body

    def _outermost_of_site(self) -> int:
        return self.prepared.expansion.outermost(self.site)

    def _is_told_elsewhere(self, alarm: Alarm, witness: Witness) -> bool:
        """Whether what went wrong in a callee's body goes wrong in it whoever calls: told there."""
        expansion = self.prepared.expansion
        number = expansion.outermost(alarm.cause)
        if number < 0:
            return False
        body = expansion.bodies[number]
        if alarm.kind in (EventKind.DOUBLE_RELEASE, EventKind.USE_AFTER_RELEASE):
            return witness.released_at == body.at
        own = len(expansion.source.locals)
        if alarm.kind is EventKind.UNINITIALIZED_RELEASE:
            return not witness.holder  # a variable of the body
        return alarm.local >= own and not any(alarm.local in one.parameters for one in expansion.bodies)

    def _event(self, alarm: Alarm, witness: Witness) -> Event:
        study, steps, released_at = self._subject(alarm), witness.steps, witness.released_at
        if alarm.kind is EventKind.UNINITIALIZED_RELEASE and not self._leaves_unset(witness.holder):
            study, released_at = None, -1  # the call under study has nothing to do with it
            steps = tuple(step for step in steps if step.kind in (StepKind.BRANCH, StepKind.LOST))
        event = Event(
            kind=alarm.kind,
            at=alarm.at,
            acquired_at=-1,
            callee="",
            slot="",
            holder=(witness.holder if witness.holder != UNNAMED else "") or self.seen.holder,
            resource_kind="",
            noun="",
            cwe=0,
            fits=(),
            steps=steps,
            released_by=alarm.detail or witness.released_by,
            released_at=released_at,
            blurred=alarm.blurred,
            unknown_calls=witness.unknown_calls,
            exits_process=self.prepared.is_main and alarm.kind is EventKind.LEAK_EXIT,
            argument=released_argument(self.prepared, alarm),
            nothing=nothing(self.prepared, self.contracts, alarm),
            owner=self._owner(alarm),
        )
        if study is None:
            return event
        return replace(
            event,
            acquired_at=study.acquired_at,
            acquired_key=study.key,
            callee=study.callee,
            slot=study.slot_text,
            resource_kind=study.kind.name,
            noun=study.kind.noun,
            cwe=study.kind.cwe,
            fits=study.kind.releases,
            in_loop=study.site is not None and study.site.cyclic,
            sibling_release_at=self._sibling(),
            old=study.old,
            record=record_of(self.prepared, study, event.holder),
        )

    def _subject(self, alarm: Alarm) -> Resource | None:
        """What the alarm is about: a release of something that was never handed out is not about the resource."""
        return None if alarm.kind in (EventKind.WRONG_MEMORY, EventKind.WRONG_OWNER) else self.study

    def _owner(self, alarm: Alarm) -> str:
        """The function that gave what was not the caller's to release."""
        if alarm.kind is not EventKind.WRONG_OWNER:
            return ""
        return next((s.op.name or "" for s in self.prepared.calls.values() if s.key == alarm.giver), "")

    def _leaves_unset(self, holder: str) -> bool:
        """Whether the variable is the one that the call under study would have set."""
        study = self.study
        if study is None or study.site is None or not study.slot.selectors or study.slot.index >= len(study.site.texts):
            return False
        text = study.site.texts[study.slot.index]
        return holder == (text[1:] if text.startswith("&") else f"*{text}")

    def _sibling(self) -> int:
        """Where another path of the function releases the resource, -1: nowhere."""
        sites = [
            state.released_at
            for entries in self.entries
            for state in entries.values()
            if state.own is Own.RELEASED and state.released_at >= 0
        ]
        return min(sites, default=-1)

    def results(self) -> Iterator[AcquisitionResult]:
        """The verdict on the acquisition; of one in a callee's body only where the function gets what is acquired."""
        study = self.study
        assert study is not None
        verdict, reason = self._verdict()
        if study.body and (verdict is Verdict.HELD or not self._comes_out()):
            return
        yield AcquisitionResult(
            study.acquired_at,
            study.callee,
            study.slot_text,
            self.seen.holder,
            study.kind.name,
            verdict,
            reason,
            tuple(self.seen.routes.values()) if verdict in OUT_OF_SIGHT else (),
            tuple(sorted(self.seen.held)) if verdict is Verdict.HELD else (),
            tuple(sorted(cap.value for cap in self.met)),
        )

    def _comes_out(self) -> bool:
        """Whether the body in which it is acquired is left with the resource."""
        body = self._outermost_of_site()
        return any(
            state.own is Own.OWNED
            for block, entries in enumerate(self.entries)
            if self.prepared.expansion.outermost(block) != body
            for state in entries.values()
        )

    def _verdict(self) -> tuple[Verdict, str]:
        leaks = [e for e in self.events() if e.kind.value.startswith("leak") and not e.exits_process]
        if leaks:
            return Verdict.LEAKED, ""
        if self.gave_up:
            return Verdict.GAVE_UP, self.gave_up
        if self.unproven:
            return Verdict.UNPROVEN, ""
        for verdict in (
            Verdict.ESCAPED,
            Verdict.MAYBE_RELEASED,
            Verdict.HELD,
            Verdict.MOVED,
            Verdict.HANDED_OVER,
            Verdict.RELEASED,
        ):
            if verdict in self.seen.endings:
                return verdict, self.seen.endings[verdict]
        if any(e.exits_process for e in self.events()):
            return Verdict.HELD, "end of main"
        if self.refuted and not any(s.own is Own.RELEASED for entries in self.entries for s in entries.values()):
            return Verdict.UNPROVEN, ""  # what becomes of it on the ways that there are, nobody has seen
        owned = any(s.own is not Own.NONE for entries in self.entries for s in entries.values())
        return (Verdict.RELEASED, "") if owned or self.events() else (Verdict.UNREACHABLE, "")

    def describe(self, states: dict[int, list[str]]) -> None:
        """Entry states in words, for `mustfree dump states` and state expectations."""
        if self.study is None:
            return
        for block_id, entries in enumerate(self.entries):
            for state in entries.values():
                holders = ", ".join(sorted(str(path) for path in state.holders()))
                line = f"{self.seen.holder or self.study.slot_text} {state.own.name}"
                states.setdefault(block_id, []).append(f"{line} held by {{{holders}}}" if holders else line)


__all__ = ["Limits", "StepKind", "analyse"]
