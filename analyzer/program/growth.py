"""How often a leak loses something: its growth class, from the loops and calls of the whole program.

What waits, and what calls back, stands in the contracts (`waits:`, `calls:`). A loop in which something waits takes a
round for each message or event; what is called in it, or called back for each of them, happens as often, and so does
what that calls. What main() calls outside of loops, and nothing else calls, happens once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

from analyzer.contracts.text import article
from analyzer.findings.model import Circumstances, Finding, Growth, Level
from analyzer.findings.points import with_worst
from analyzer.program.calls import FunctionCalls
from analyzer.program.handlers import Handlers
from analyzer.program.linking import CallGraph, Node

_BETWEEN = 3  # functions between a loop and what waits in it: behind more, hardly any loop would not wait
_LEVELS = {Growth.PER_MESSAGE: Level.ERROR, Growth.PER_ERROR: Level.WARNING, Growth.ONCE: Level.NOTE}


@final
@dataclass(frozen=True, slots=True)
class _Wait:
    """That a function waits. by: what it calls for that, a function of the program or `function` itself."""

    function: str
    noun: str
    by: str

    def said(self) -> str:
        """``waits for a message in nl_recv()``."""
        where = f"{self.function}()" if self.by == self.function else f"{self.by}(), by {self.function}()"
        return f"waits for {article(self.noun)} in {where}"


@final
class Growths:
    """The growth classes of a program's leaks."""

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._nodes = sorted(graph.definitions)

    @cached_property
    def _handlers(self) -> Handlers:
        return Handlers(self._graph)

    @cached_property
    def _calls(self) -> dict[Node, tuple[Node, ...]]:
        """What each function calls, and what is called for it while that runs."""
        return {node: tuple(self._called(node)) for node in self._nodes}

    @cached_property
    def _callers(self) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = {}
        for node in self._nodes:
            for target in self._calls[node]:
                found.setdefault(target, []).append(node)
        return found

    def judged(self, unit: str, finding: Finding) -> Finding:
        """The finding of a unit with the growth class, and the level, of each of its loss points."""
        if not finding.points:
            return self._judged(unit, finding)
        points = tuple(self._judged(unit, point) for point in finding.points)
        return with_worst(replace(finding, points=points), points)

    def _judged(self, unit: str, point: Finding) -> Finding:
        if point.circumstances is None:
            return point
        growth, reason = self._class((unit, point.function), point.circumstances)
        return replace(point, growth=growth, growth_reason=reason, level=_LEVELS.get(growth, point.level))

    def _class(self, node: Node, told: Circumstances) -> tuple[Growth, str]:
        name = node[1]
        if told.ends:
            return Growth.ONCE, "the process ends there"
        if told.loop < 0 and node in self._once:
            return Growth.ONCE, self._once[node]
        if told.failure:
            return Growth.PER_ERROR, told.failure
        wait = self._wait_in(node, told.loop)
        if wait is not None:
            return Growth.PER_MESSAGE, f"lost in a loop that {wait.said()}"
        if node in self._repeated:
            return Growth.PER_MESSAGE, self._repeated[node]
        if told.loop >= 0:
            return Growth.PER_CALL, "lost in a loop of which nothing tells how often it goes round"
        return Growth.PER_CALL, f"nothing tells how often {name}() is called"

    def _targets(self, node: Node, names: Iterable[str]) -> Iterator[Node]:
        for name in names:
            yield from self._graph.targets(node[0], name)

    def _called(self, node: Node) -> Iterator[Node]:
        calls = self._graph.definitions[node]
        handed = (one.name for one in calls.callbacks if not one.noun)
        at_once = self._handlers.called_at_once(node)
        yield from sorted(set(self._targets(node, (*calls.callees, *handed, *at_once))))

    @cached_property
    def _waits(self) -> dict[Node, _Wait]:
        """The functions that wait, themselves or through others, for the loops that call them."""
        found: dict[Node, _Wait] = {}
        latest: list[Node] = []
        for node in self._nodes:
            calls = self._graph.definitions[node]
            waits = [(name, noun) for name, noun in calls.waits if _passes_on(calls, name)]
            if waits:
                found[node] = _Wait(*waits[0], by=waits[0][0])
                latest.append(node)
        for _ in range(_BETWEEN - 1):
            callers = sorted({(caller, node) for node in latest for caller in self._callers.get(node, ())})
            latest = []
            for caller, node in callers:
                if caller not in found and _passes_on(self._graph.definitions[caller], node[1]):
                    found[caller] = replace(found[node], by=node[1])
                    latest.append(caller)
        return found

    def _wait_in(self, node: Node, loop: int) -> _Wait | None:
        """What waits in a loop of a function, the nearest."""
        calls = self._graph.definitions.get(node)
        if loop < 0 or calls is None:
            return None
        names = calls.loops[loop] if loop < len(calls.loops) else ()
        for name, noun in calls.waits:
            if name in names:
                return _Wait(name, noun, by=name)
        found = [
            replace(self._waits[target], by=name)
            for name in names
            for target in self._targets(node, (name,))
            if target in self._waits and target != node
        ]
        return found[0] if found else None

    def _starts(self) -> Iterator[tuple[Node, str, str]]:
        """Functions that are called back, or called in a loop that waits, for each message; why, and from where that is
        for what they call."""
        for node in self._nodes:
            for one in self._graph.definitions[node].callbacks:
                for target in self._targets(node, (one.name,) if one.noun else ()):
                    name = f"{target[1]}()"
                    called = f"{one.taker}() has {name} called for each {one.noun}"
                    yield target, called, f"{name}, which {one.taker}() has called for each {one.noun}"
        for node in self._nodes:
            for loop, names in enumerate(self._graph.definitions[node].loops):
                wait = self._wait_in(node, loop)
                for target in self._targets(node, names if wait is not None else ()):
                    where = f"a loop of {node[1]}() that {wait.said()}" if wait is not None else ""
                    yield target, f"{target[1]}() is called in {where}", where

    def _waiting_pointers(self) -> Iterator[tuple[str, str]]:
        """Types of functions that are called through pointers in loops that wait, and in which."""
        for node in self._nodes:
            for loop, type_ in self._graph.definitions[node].pointers:
                wait = self._wait_in(node, loop)
                if wait is not None:
                    yield type_, f"a loop of {node[1]}() that {wait.said()}"

    @cached_property
    def _repeated(self) -> dict[Node, str]:
        """The functions that are called for each message, and why."""
        found: dict[Node, str] = {}
        origins: dict[Node, str] = {}
        handlers = self._handlers.by_type()

        def by_pointer(type_: str, where: str, more: str = "") -> Iterator[Node]:
            for target in handlers.pop(type_, ()):
                if target not in found:
                    found[target] = f"{target[1]}() may be called through a pointer in {where}{more}"
                    origins[target] = f"{target[1]}(), which may be called through a pointer in {where}"
                    yield target

        for target, why, origin in self._starts():
            if target not in found:
                found[target], origins[target] = why, origin
        latest = list(found)
        for type_, origin in self._waiting_pointers():
            latest += by_pointer(type_, origin)
        while latest:
            reached = []
            for node in latest:
                for target in self._calls[node]:
                    if target not in found:
                        found[target] = f"{target[1]}() is reached from {origins[node]}"
                        origins[target] = origins[node]
                        reached.append(target)
                for _, type_ in self._graph.definitions[node].pointers:
                    reached += by_pointer(type_, f"{node[1]}()", f"; {found[node]}")
            latest = reached
        return found

    @cached_property
    def _once(self) -> dict[Node, str]:
        """The functions that run a fixed number of times, and why."""
        again = set(self._again())
        missing = {node: len(set(self._callers.get(node, ()))) for node in self._nodes}
        latest = [node for node in self._nodes if node[1] == "main" and not missing[node] and node not in again]
        found = dict.fromkeys(latest, "main() runs once")
        while latest:
            node = latest.pop()
            for target in self._calls[node]:
                missing[target] -= 1
                if not missing[target] and target not in again:
                    found[target] = f"{target[1]}() is only reached from main(), outside of loops"
                    latest.append(target)
        return found

    def _again(self) -> Iterator[Node]:
        """Functions that are called in a loop, or through a pointer."""
        for node in self._nodes:
            calls = self._graph.definitions[node]
            yield from self._targets(node, (name for names in calls.loops for name in names))
            yield from self._targets(node, _by_pointer(calls))


def _passes_on(calls: FunctionCalls, name: str) -> bool:
    """Whether a function that calls one that waits waits for its callers, too.

    Not where it does so only sometimes, and not where it goes round by itself for all that comes. A loop in which
    nothing else is called only tries again.
    """
    return name in calls.always and all(set(names) <= {name} for names in calls.loops if name in names)


def _by_pointer(calls: FunctionCalls) -> Iterator[str]:
    yield from (one.name for one in calls.given if one.name)
    yield from (one.name for one in calls.callbacks)
