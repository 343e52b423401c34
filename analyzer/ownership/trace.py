"""Every way on which one resource ends, executed exactly: what `mustfree why` tells.

The witness search looks for one alarm; this one goes on until every way is followed, and keeps the first path to
each different ending.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import final

from analyzer.contracts.routes import Route
from analyzer.findings.model import StepKind, Verdict
from analyzer.ir.ops import Call
from analyzer.ownership.access import Access
from analyzer.ownership.calls import Calls
from analyzer.ownership.events import EventKind, PathStep
from analyzer.ownership.limits import Limits
from analyzer.ownership.naming import in_program
from analyzer.ownership.prepared import NOWHERE, CallSite, Contracts, Prepared
from analyzer.ownership.resources import Resource, resources
from analyzer.ownership.state import Own, Path, State
from analyzer.ownership.transfer import Machine, Nearest
from analyzer.ownership.values import Universe, Value
from analyzer.ownership.witness import STEP_KINDS, branch_step, fingerprint

_WORDS = {Own.OWNED: "owned", Own.RELEASED: "released", Own.LOST: "lost"}


@final
@dataclass(frozen=True, slots=True)
class TracedStep:
    """A step of the path. state: how the resource stands after it, "" where nothing changed."""

    step: PathStep
    state: str = ""


@final
@dataclass(frozen=True, slots=True)
class TracedPath:
    """A path from the acquisition to one ending.

    mistake: the event's kind where it ends in one. at: the last place known. given: calls that were handed the
    resource, or released it, in order.
    """

    verdict: Verdict
    reason: str
    mistake: EventKind | None
    at: int
    steps: tuple[TracedStep, ...]
    given: tuple[CallSite, ...]


@final
@dataclass(frozen=True, slots=True)
class Trace:
    """All endings of one acquisition, in the order of their verdicts. complete: within the budget."""

    resource: Resource
    paths: tuple[TracedPath, ...]
    complete: bool


@final
@dataclass(frozen=True, slots=True)
class _Trail:
    """One entry back. entry: a step, the state after a block, or a call that was given the resource."""

    entry: PathStep | str | CallSite
    before: _Trail | None


@final
@dataclass(slots=True)
class _Recorder:
    """Listener that keeps the first path to each ending. at: what is being executed."""

    at: int = -1
    found: dict[tuple[object, ...], TracedPath] = field(default_factory=dict)

    def event(self, kind: EventKind, at: int, state: State, subject: Value, detail: str = "") -> None:
        if state.own is Own.NONE:
            return
        leak = kind.value.startswith("leak")
        self._keep(Verdict.LEAKED if leak else Verdict.RELEASED, detail, kind, at, state)

    def ended(
        self,
        verdict: Verdict,
        reason: str,
        state: State,
        routes: tuple[Route, ...] = (),
        by: str = "",
        goes_on: bool = False,
    ) -> None:
        if state.own is not Own.NONE:
            self._keep(verdict, reason, None, self.at, state)

    def step(self, kind: str, at: int, detail: str, state: State) -> None:
        if kind in STEP_KINDS:
            _append(state, PathStep(at, STEP_KINDS[kind], detail))
        if kind == "release":  # whatever comes after, in a loop perhaps without end
            self._keep(Verdict.RELEASED, detail, None, at, state)

    def returned(self, machine: Access, value: Value | None, record: Path | None, state: State) -> None:
        pass

    def _keep(self, verdict: Verdict, reason: str, mistake: EventKind | None, at: int, state: State) -> None:
        released = verdict is Verdict.RELEASED and mistake is None
        key = (verdict, mistake, state.released_at) if released else (verdict, reason, mistake, at)
        if key not in self.found:
            steps, given = _path(state)
            self.found[key] = TracedPath(verdict, reason, mistake, at, steps, given)


@final
class _Watched:
    """Executes calls as the engine does, and notes those that are given the resource."""

    def __init__(self, calls: Calls, recorder: _Recorder) -> None:
        self._calls = calls
        self._recorder = recorder

    def call(self, machine: Machine, op: Call, state: State) -> list[State]:
        """States after the call."""
        if state.own is Own.OWNED:
            values = [machine.value(argument, state) for argument in op.arguments]
            if state.reaches_resource([value for value in values if not isinstance(value, int)]):
                _append(state, machine.prepared.calls[id(op)])
        before, self._recorder.at = self._recorder.at, op.at
        found = self._calls.call(machine, op, state)
        self._recorder.at = before
        return found


def _append(state: State, entry: PathStep | str | CallSite) -> None:
    assert state.trail is None or isinstance(state.trail, _Trail)
    state.trail = _Trail(entry, state.trail)


def _path(state: State) -> tuple[tuple[TracedStep, ...], tuple[CallSite, ...]]:
    """The trail from the acquisition on; a branch passed again in a loop is told once."""
    entries: list[PathStep | str | CallSite] = []
    trail = state.trail
    while isinstance(trail, _Trail):
        entries.append(trail.entry)
        trail = trail.before
    entries.reverse()
    start = next((i for i, e in enumerate(entries) if isinstance(e, PathStep) and e.kind is StepKind.ACQUIRE), 0)
    steps: list[TracedStep] = []
    given: list[CallSite] = []
    for entry in entries[start:]:
        if isinstance(entry, CallSite):
            given.append(entry)
        elif isinstance(entry, str):
            if steps:
                steps[-1] = TracedStep(steps[-1].step, entry)
        else:
            steps = [known for known in steps if known.step != entry or entry.kind is not StepKind.BRANCH]
            steps.append(TracedStep(entry))
    return tuple(steps), tuple(given)


def traces(prepared: Prepared, contracts: Contracts, limits: Limits) -> tuple[Trace, ...]:
    """How each acquisition of the function ends."""
    found = [study for study in resources(prepared, contracts) if not study.old]
    return tuple(_trace(prepared, contracts, study, limits) for study in found)


def _trace(prepared: Prepared, contracts: Contracts, study: Resource, limits: Limits) -> Trace:
    recorder = _Recorder()
    rest = Nearest(limits)
    machine = Machine(prepared, Universe(), study, recorder, _Watched(Calls(contracts), recorder), rest, limits)
    assert study.site is not None
    to_acquire = prepared.distance_to(prepared.block_of(study.site.op))
    queue: list[tuple[int, int, int, State]] = [(0, 0, 0, machine.start())]
    number = steps = 0
    seen: set[object] = set()
    while queue and steps < limits.steps:
        _, _, block_id, state = heapq.heappop(queue)
        steps += 1
        recorder.at = prepared.function.blocks[block_id].end.at
        for target, after, truth in machine.block(block_id, state):
            key = (target, fingerprint(prepared, target, after))
            if key in seen or (after.own is Own.NONE and to_acquire[target] >= NOWHERE):
                continue
            seen.add(key)
            number += 1
            _note_state(machine, after)
            step = branch_step(prepared, block_id, truth)
            if step is not None:
                _append(after, step)
            far = 0 if after.own is not Own.NONE else 1 + to_acquire[target]
            heapq.heappush(queue, (far, number, target, after))
    order = {verdict: position for position, verdict in enumerate(Verdict)}
    paths = sorted(recorder.found.values(), key=lambda path: (order[path.verdict], path.at, path.reason))
    return Trace(study, tuple(paths), complete=not queue and not rest.cut)


def _note_state(machine: Machine, state: State) -> None:
    """Add to the trail how the resource stands, where that has changed."""
    if state.own is Own.NONE:
        return
    text = _state_text(machine, state)
    trail = state.trail
    while isinstance(trail, _Trail):
        if isinstance(trail.entry, str):
            if trail.entry == text:
                return
            break
        trail = trail.before
    _append(state, text)


def _state_text(machine: Machine, state: State) -> str:
    names = []
    for base, offset in state.holders():
        local = isinstance(base, int) and offset == 0
        name = machine.prepared.function.locals[base].name if local else machine.text_of((base, offset))  # type: ignore[index]
        if in_program(name):
            names.append(f"`{name}`")
    held = ", held by " + ", ".join(sorted(set(names))) if names and state.own is Own.OWNED else ""
    shares = f", with {state.shares} more shares" if state.shares else ""
    return _WORDS[state.own] + held + shares
