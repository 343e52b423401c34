"""Is there really a path to an alarm? Search for one by executing exactly, without joining.

States are explored nearest to the alarm first; equal states are explored once. The search ends with the path,
with "there is none" (everything explored: the alarm came from joining), or at its budget: unproven.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import final

from analyzer.contracts.routes import Route
from analyzer.findings.model import StepKind, Verdict
from analyzer.ir.ops import Branch, Switch
from analyzer.ownership.access import Access
from analyzer.ownership.calls import Calls
from analyzer.ownership.events import EventKind, PathStep
from analyzer.ownership.keys import clean
from analyzer.ownership.limits import Cap, Limits
from analyzer.ownership.prepared import NOWHERE, Contracts, Prepared
from analyzer.ownership.resources import Resource
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.transfer import Machine, Nearest
from analyzer.ownership.values import Universe, Value


@final
@dataclass(frozen=True, slots=True)
class Alarm:
    """What a merging run saw: sort and place of an event, and the block in which it was seen.

    giver: key of the call that returned what the event is about, -1: none did. local: the variable in which it lies, if
    it is memory of one; -1: it is not. cause: the block in which what is told of happened; `block` may be a later one.
    """

    kind: EventKind
    at: int
    detail: str
    block: int
    blurred: bool
    giver: int = -1
    local: int = -1
    cause: int = 0


@final
@dataclass(frozen=True, slots=True)
class Witness:
    """A path that was executed exactly and ends in the alarm."""

    steps: tuple[PathStep, ...]
    holder: str
    released_by: str
    released_at: int
    unknown_calls: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Search:
    """What came of a search. witness: None when there is none; then `met` says which cap ended it, None: none did.

    Without a witness and a cap everything was tried: the alarm came from joining, and is refuted.
    """

    witness: Witness | None = None
    met: Cap | None = None


@final
@dataclass(frozen=True, slots=True)
class _Trail:
    """One step back: the steps of the path so far as a linked list."""

    step: PathStep
    before: _Trail | None


@final
@dataclass(slots=True)
class _Recorder:
    """Listener of the exact run: states carry their steps with them; notices the alarm."""

    alarm: Alarm
    hit: State | None = None
    holder: str = ""

    def event(self, kind: EventKind, at: int, state: State, subject: Value, detail: str = "") -> None:
        if kind is self.alarm.kind and at == self.alarm.at and self.hit is None:
            self.hit, self.holder = state, state.holder

    def ended(
        self,
        verdict: Verdict,
        reason: str,
        state: State,
        routes: tuple[Route, ...] = (),
        by: str = "",
        goes_on: bool = False,
    ) -> None:
        pass

    def step(self, kind: str, at: int, detail: str, state: State) -> None:
        if kind in STEP_KINDS:
            _append(state, PathStep(at, STEP_KINDS[kind], detail))

    def returned(self, machine: Access, value: Value | None, record: Path | None, state: State) -> None:
        pass


def _append(state: State, step: PathStep) -> None:
    assert state.trail is None or isinstance(state.trail, _Trail)
    if state.own is Own.LOST:
        return  # the path ends with the loss
    state.trail = _Trail(step, state.trail)


STEP_KINDS = {
    "acquire": StepKind.ACQUIRE,
    "alias": StepKind.ALIAS,
    "call": StepKind.CALL,
    "release": StepKind.RELEASE,
}


def branch_step(prepared: Prepared, block_id: int, truth: int | None) -> PathStep | None:
    """The step for a way out of a block; None where nobody decided it, or nobody wrote the branch in this function."""
    if prepared.expansion.outermost(block_id) >= 0:
        return None
    end = prepared.function.blocks[block_id].end
    written = isinstance(end, Switch) or (isinstance(end, Branch) and not end.choice)
    if truth in (0, 1) and written:
        return PathStep(end.at, StepKind.BRANCH, "", truth == 1)
    return None


_EAGER = 1 << 10  # blocks, for a state that has not acquired the resource yet
_ROUND = 12  # what one more round of a loop costs, in blocks: or the shortest way round it would be tried for ever


def search(prepared: Prepared, contracts: Contracts, study: Resource | None, alarm: Alarm, limits: Limits) -> Search:
    """A feasible path to the alarm; or that there is none, or which cap was met before one was found.

    First whatever holds the resource goes on before anything else; where that leads on and on, all ways are tried, the
    shortest first.
    """
    found = _search(prepared, contracts, study, alarm, limits, eager=True)
    if found.met is Cap.SEARCH:
        found = _search(prepared, contracts, study, alarm, limits, eager=False)
    return found


def _search(
    prepared: Prepared, contracts: Contracts, study: Resource | None, alarm: Alarm, limits: Limits, eager: bool
) -> Search:
    """One search. eager: a state without the resource waits for all that have it."""
    recorder = _Recorder(alarm)
    rest = Nearest(limits)
    machine = Machine(prepared, Universe(), study, recorder, Calls(contracts), rest, limits)
    distance = prepared.distance_to(alarm.block)
    to_acquire = _site_distance(prepared, study)
    beyond = _EAGER
    if not eager and study is not None and study.site is not None:
        beyond = distance[prepared.block_of(study.site.op)]  # the way leads over its acquisition first
    order = prepared.order
    queue: list[tuple[int, int, int, int, State]] = [(distance[0], 0, 0, 0, machine.start())]
    number = 0
    leak = alarm.kind.value.startswith("leak")  # what is released is lost no more, however often a loop goes round
    seen: set[object] = set()
    steps = 0
    while queue and steps < limits.search:
        _, _, rounds, block_id, state = heapq.heappop(queue)
        steps += 1
        ways = machine.block(block_id, state)
        if recorder.hit is not None:
            return Search(_witness(alarm, recorder.hit, recorder.holder, limits))
        for target, after, truth in ways:
            state_key = (target, fingerprint(prepared, target, after))
            if distance[target] >= NOWHERE or state_key in seen or (leak and after.own is Own.RELEASED):
                continue
            seen.add(state_key)
            number += 1
            step = branch_step(prepared, block_id, truth)
            if step is not None:
                _append(after, step)
            far = distance[target] if after.own or to_acquire is None else to_acquire[target] + beyond
            again = rounds + (order[target] <= order[block_id])
            heapq.heappush(queue, (far + again * _ROUND, number, again, target, after))
    if queue:
        return Search(met=Cap.SEARCH)
    return Search(met=Cap.WAYS if rest.cut else None)


def _site_distance(prepared: Prepared, study: Resource | None) -> list[int] | None:
    if study is None or study.site is None:
        return None
    return prepared.distance_to(prepared.block_of(study.site.op))


def _witness(alarm: Alarm, state: State, holder: str, limits: Limits) -> Witness:
    steps: list[PathStep] = []
    trail = state.trail
    while isinstance(trail, _Trail):
        steps.append(trail.step)
        trail = trail.before
    steps.reverse()
    steps = [*_decisive(steps)[: limits.path - 1], PathStep(alarm.at, StepKind.LOST)]
    return Witness(tuple(steps), holder, state.released_by, state.released_at, state.unknown_calls)


def _decisive(steps: list[PathStep]) -> list[PathStep]:
    """From the acquisition on; a branch passed again in a loop is said once."""
    start = next((i for i, step in enumerate(steps) if step.kind is StepKind.ACQUIRE), None)
    if start is None:
        start = next((i for i, step in enumerate(steps) if step.kind is StepKind.RELEASE), 0)
    found: list[PathStep] = []
    for step in steps[start:]:
        if step in found and step.kind is StepKind.BRANCH:
            found.remove(step)
        found.append(step)
    return found


def fingerprint(prepared: Prepared, block_id: int, state: State) -> object:
    """What makes two exact states the same for the rest of the way."""
    clean(prepared, block_id, state)
    return (
        int(state.own),
        state.shares,
        frozenset(state.cells.items()),
        frozenset(state.facts.items()),
        frozenset(state.temps.items()),
        frozenset(state.released),
        state.local_objects,
        state.older,
        state.exposed,
    )
