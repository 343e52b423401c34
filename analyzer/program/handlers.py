"""Functions that the program calls through pointers: which it keeps for that, and which another function calls at once.

A function is a *handler* of a type where it is stored, or given to a function of the program that stores it, perhaps by
way of others. It may then be called wherever the program calls through a pointer to a function of that type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import final

from analyzer.program.linking import CallGraph, Node

_Slot = tuple[Node, int]  # a parameter of a function


@final
class Handlers:
    """What is kept, and what is called at once, over the whole program."""

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._nodes = sorted(graph.definitions)
        kept: dict[_Slot, str] = {}
        applied: dict[_Slot, str] = {}
        for node in self._nodes:
            calls = graph.definitions[node]
            applied.update({(node, position): "" for position in calls.applied})
            for one in calls.given:
                if one.parameter >= 0 and one.type:
                    kept[(node, one.parameter)] = one.type
        self._kept = self._spread(kept)
        self._applied = self._spread(applied)

    def _spread(self, slots: dict[_Slot, str]) -> Mapping[_Slot, str]:
        """The parameters that lead to these, also through other functions."""
        found = dict(slots)
        latest = list(slots)
        through: dict[_Slot, list[_Slot]] = {}
        for node in self._nodes:
            for one in self._graph.definitions[node].given:
                if one.parameter >= 0 and one.taker:
                    for target in self._graph.targets(node[0], one.taker):
                        through.setdefault((target, one.position), []).append((node, one.parameter))
        while latest:
            slot = latest.pop()
            for other in through.get(slot, ()):
                if other not in found:
                    found[other] = found[slot]
                    latest.append(other)
        return found

    def by_type(self) -> dict[str, list[Node]]:
        """The handlers of each type of function."""
        found: dict[str, dict[Node, None]] = {}
        for node in self._nodes:
            for one in self._graph.definitions[node].given:
                types: Iterable[str] = [one.type] if one.type else ()
                if one.taker:
                    types = self._into(node, one.taker, one.position, self._kept)
                for type_ in types if one.name else ():
                    for target in self._graph.targets(node[0], one.name):
                        found.setdefault(type_, {})[target] = None
        return {type_: list(nodes) for type_, nodes in found.items()}

    def called_at_once(self, node: Node) -> Iterator[str]:
        """Names of the functions that a function gives to one of the program that calls them while it runs."""
        for one in self._graph.definitions[node].given:
            if one.name and one.taker and any(True for _ in self._into(node, one.taker, one.position, self._applied)):
                yield one.name

    def _into(self, node: Node, taker: str, position: int, slots: Mapping[_Slot, str]) -> Iterator[str]:
        for target in self._graph.targets(node[0], taker):
            if (target, position) in slots:
                yield slots[(target, position)]
