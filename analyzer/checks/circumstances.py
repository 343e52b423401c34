"""What a function tells of how often a loss in it happens: the loop around it, and whether something has failed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import final

from analyzer.checks.failures import Failure, Known, failures, returns_negative
from analyzer.checks.wording import spared
from analyzer.findings.model import Circumstances, StepKind
from analyzer.ir.function import Function, successors
from analyzer.ir.ops import Call, Return, ScopeEnd
from analyzer.ir.order import loop_numbers
from analyzer.ownership.events import Event, EventKind

_MOST_NAMES = 2
_Place = tuple[int, int]  # block, number of the operation in it


@final
class Occasions:
    """The losses of one function. known: contracts of what it calls."""

    def __init__(self, function: Function, known: Known) -> None:
        self._function = function
        self._known = known

    @cached_property
    def _loops(self) -> list[int]:
        return loop_numbers(self._function)

    @cached_property
    def _failures(self) -> tuple[Failure, ...]:
        return failures(self._function, self._known)

    @cached_property
    def _places(self) -> dict[int, list[_Place]]:
        """Operations and terminators by their offsets."""
        found: dict[int, list[_Place]] = {}
        for number, block in enumerate(self._function.blocks):
            for index, op in enumerate((*block.ops, block.end)):
                found.setdefault(op.at, []).append((number, index))
        return found

    def of(self, event: Event) -> Circumstances:
        """What is to be said of one loss."""
        if event.exits_process:
            return Circumstances(ends=True)
        acquired = self._acquired(event)
        lost = self._lost(event)
        return Circumstances(self._loop(acquired, lost), self._failure(event, acquired, lost))

    def _acquired(self, event: Event) -> list[_Place]:
        found = self._places.get(event.acquired_at, []) if event.acquired_at >= 0 else []
        blocks = self._function.blocks
        return [
            (block, index)
            for block, index in found
            if index < len(blocks[block].ops) and isinstance(blocks[block].ops[index], Call)
        ]

    def _lost(self, event: Event) -> list[_Place]:
        found = self._places.get(event.at, [])
        blocks = self._function.blocks
        ending = [
            (block, index)
            for block, index in found
            if isinstance((*blocks[block].ops, blocks[block].end)[index], ScopeEnd | Return)
        ]
        return ending if ending and event.kind is EventKind.LEAK_EXIT else found  # all of a macro has one place

    def _loop(self, acquired: list[_Place], lost: list[_Place]) -> int:
        """The loop that leads from the loss back to where the resource comes from."""
        around = {self._loops[block] for block, _ in lost}
        if acquired:
            around &= {self._loops[block] for block, _ in acquired}
        return max(around, default=-1)

    def _failure(self, event: Event, acquired: list[_Place], lost: list[_Place]) -> str:
        name = self._function.name
        if event.kind is EventKind.LEAK_REALLOC:
            callee = event.callee if event.old else event.released_by
            return f"lost only where {callee or 'a call'}() fails" if callee else "lost only where a call fails"
        if event.kind is EventKind.LEAK_DISCARDED:
            return f"lost only where {spared(event)}" if spared(event) else ""
        leaving = {block for block, _ in lost if returns_negative(self._function, block)}
        if leaving and leaving == {block for block, _ in lost}:
            return f"lost only where {name}() returns a negative number"
        if not acquired or not lost or not self._failures or not self._reaches(acquired, lost, ()):
            return ""
        if self._reaches(acquired, lost, self._failures, event.sibling_release_at):
            return ""
        return f"lost only where {self._failed(event, lost)} has failed"

    def _failed(self, event: Event, lost: list[_Place]) -> str:
        """What has failed: the last on the path that is shown, or all that it can be, when they are few."""
        shown = [step.at for step in event.steps if step.kind is StepKind.BRANCH]
        for at in reversed(shown):
            for edge in self._failures:
                if edge.at == at and edge.callee:
                    return f"{edge.callee}()"
        leading = [edge.callee for edge in self._failures if self._reaches([(edge.target, -1)], lost, ())]
        names = list(dict.fromkeys(leading))
        few = 0 < len(names) <= _MOST_NAMES and all(names)
        return " or ".join(f"{name}()" for name in names) if few else "a call"

    def _reaches(
        self, acquired: Iterable[_Place], lost: Iterable[_Place], without: Iterable[Failure], released_at: int = -1
    ) -> bool:
        """Whether a way leads from the acquisition to the loss without these edges, and not past a release."""
        cut = {(edge.source, edge.target) for edge in without}
        closed = {block for block, _ in self._places.get(released_at, [])} if released_at >= 0 else set()
        wanted = {block for block, _ in lost}
        starts = list(acquired)
        if any(block == at and index > begin for block, begin in starts for at, index in lost):
            return True
        waiting = [block for block, _ in starts]
        seen: set[int] = set()
        while waiting:
            block = waiting.pop()
            for target in successors(self._function.blocks[block].end):
                if (block, target) in cut:
                    continue
                if target in wanted:
                    return True
                if target not in seen and target not in closed:
                    seen.add(target)
                    waiting.append(target)
        return False
