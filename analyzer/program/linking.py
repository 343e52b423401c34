"""Which function calls which over the whole program, and in what order their contracts can be inferred.

Callees come first. Functions that call each other form one group (a strongly connected component, Tarjan 1972,
by networkx). Each file is analysed in one process, so the order is cut into rounds: what a round needs from
other files was inferred in an earlier one.

Every configuration of the program is linked by itself. In one that is not the given one, a function that can be no
other one than there, with all that it calls, stands for itself: what is known of it is taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import networkx as nx

from analyzer.contracts.model import FunctionContract
from analyzer.program.calls import FunctionCalls
from analyzer.program.groups import Held
from analyzer.program.tasks import configuration_of, given_unit

Node = tuple[str, str]  # file of the unit, function


@final
@dataclass(frozen=True, slots=True)
class Round:
    """What can be inferred of one unit at one time.

    groups: callees first; functions of one group call each other. imports: for each function called in another
    unit or an earlier round, the definitions its name may lead to.
    """

    path: str
    groups: tuple[tuple[str, ...], ...]
    imports: tuple[tuple[str, tuple[Node, ...]], ...]


@final
@dataclass(slots=True)
class CallGraph:
    """All definitions of a program.

    called: nodes that some other definition calls by name. alike: units of other configurations that read as the given
    unit does. exported: static functions that a constant table of their unit, open to all, leads to.
    """

    definitions: dict[Node, FunctionCalls] = field(default_factory=dict)
    called: set[Node] = field(default_factory=set)
    alike: frozenset[str] = frozenset()
    exported: frozenset[Node] = frozenset()
    _external: dict[tuple[str, str], list[Node]] = field(default_factory=dict)

    def targets(self, path: str, name: str) -> tuple[Node, ...]:
        """The definitions that a call of `name` in a unit may lead to: the unit's own, or all external ones."""
        if (path, name) in self.definitions:
            return ((path, name),)
        if path in self.alike and (given_unit(path), name) in self.definitions:
            return ((given_unit(path), name),)
        return tuple(self._external.get((configuration_of(path), name), ()))

    def add(self, path: str, function: FunctionCalls, configuration: str) -> None:
        """A definition in a unit, for what calls it in a configuration."""
        self.definitions[(path, function.name)] = function
        if not function.static or (path, function.name) in self.exported:
            self._external.setdefault((configuration, function.name), []).append((path, function.name))

    def finish(self) -> None:
        """After all definitions are in."""
        for nodes in self._external.values():
            nodes.sort()

    def rounds(self) -> list[list[Round]]:
        """All work in order; the parts of one round do not depend on each other."""
        graph: nx.DiGraph[Node] = nx.DiGraph()
        graph.add_nodes_from(sorted(self.definitions))
        for node in sorted(self.definitions):
            for callee in self.definitions[node].asked():
                for target in self.targets(node[0], callee):
                    graph.add_edge(node, target)
                    if target != node:
                        self.called.add(target)
        self._cut(graph)
        number: dict[Node, int] = {}
        order: dict[tuple[int, str], list[tuple[str, ...]]] = {}
        for group in nx.strongly_connected_components(graph):  # callees come first
            members = sorted(group)
            path = members[0][0]
            needed = [target for node in members for target in graph.successors(node) if target not in group]
            turn = max((number[t] + (t[0] != path) for t in needed), default=0)
            for node in members:
                number[node] = turn
            order.setdefault((turn, path), []).append(tuple(name for _, name in members))
        found: list[list[Round]] = [[] for _ in range(max((turn for turn, _ in order), default=-1) + 1)]
        for turn, path in sorted(order):
            groups = order[(turn, path)]
            found[turn].append(Round(path, tuple(groups), self._imports(path, groups, number, turn)))
        return found

    def _cut(self, graph: nx.DiGraph[Node]) -> None:
        """Recursion over several files: calls from one to the other are unknown."""
        for group in list(nx.strongly_connected_components(graph)):
            if len({path for path, _ in group}) > 1:
                graph.remove_edges_from([(a, b) for a, b in graph.subgraph(group).edges if a[0] != b[0]])

    def _imports(
        self, path: str, groups: Iterable[tuple[str, ...]], number: Mapping[Node, int], turn: int
    ) -> tuple[tuple[str, tuple[Node, ...]], ...]:
        found: dict[str, tuple[Node, ...]] = {}
        here = {name for group in groups for name in group}
        for name in here:
            for callee in self.definitions[(path, name)].asked():
                targets = self.targets(path, callee)
                if callee not in here and targets and all(number[t] < turn or t[0] == path for t in targets):
                    found[callee] = targets
        return tuple(sorted(found.items()))


def call_graph(
    units: Iterable[tuple[str, Sequence[FunctionCalls]]],
    alike: frozenset[str] = frozenset(),
    exported: frozenset[Node] = frozenset(),
) -> CallGraph:
    """The graph over all units, given as (path, definitions). alike, exported: as in `CallGraph`."""
    known = dict(units)
    graph = CallGraph(alike=alike, exported=exported)
    for configuration in dict.fromkeys(map(configuration_of, known)):
        here = {path: functions for path, functions in known.items() if configuration_of(path) == configuration}
        other = _differing(here, known, alike)
        for path, functions in here.items():
            for function in functions:
                own = path not in alike or (path, function.name) in other
                graph.add(path if own else given_unit(path), function, configuration)
    graph.finish()
    return graph


def _differing(
    here: Mapping[str, Sequence[FunctionCalls]], known: Mapping[str, Sequence[FunctionCalls]], alike: frozenset[str]
) -> set[Node]:
    """Functions of the units that read alike which call, however indirectly, something that differs. here: the units
    of one configuration."""
    callers: dict[str | Node, list[Node]] = {}
    static: dict[Node, bool] = {}
    waiting: list[str | Node] = []
    for path, functions in here.items():
        if path not in alike:  # what it defines differs in this configuration, or in the given one is not there
            both = (*functions, *known.get(given_unit(path), ()))
            waiting += [function.name for function in both if not function.static]
            continue
        own = {function.name for function in functions}
        for function in functions:
            node = (path, function.name)
            static[node] = function.static
            for callee in function.asked():
                callers.setdefault((path, callee) if callee in own else callee, []).append(node)
    found: set[Node] = set()
    seen = set(waiting)
    while waiting:
        for node in callers.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                names: list[str | Node] = [node] if static[node] else [node, node[1]]
                waiting += [name for name in names if name not in seen]
                seen.update(names)
    return found


def linked(imports: Iterable[tuple[str, tuple[Node, ...]]], known: Mapping[Node, Held]) -> dict[str, Held]:
    """The contract for each imported name; none where a definition has none or two differ."""
    found: dict[str, Held] = {}
    for name, targets in imports:
        contracts = [known.get(target) for target in targets]
        first = contracts[0]
        if first is not None and all(
            c is first or (c is not None and _same(c.contract, first.contract)) for c in contracts
        ):
            found[name] = first
    return found


def _same(left: FunctionContract, right: FunctionContract) -> bool:
    """Whether two definitions do the same for their callers."""
    return _visible(left) == _visible(right)


def _visible(contract: FunctionContract) -> tuple[object, ...]:
    """All that makes a difference to a caller."""
    return (
        contract.outcomes,
        contract.noreturn,
        contract.writes,
        contract.complete,
        contract.unread,
        contract.below,
        contract.uses,
        contract.extras,
        contract.signature,
    )


__all__ = ["CallGraph", "Node", "Round", "call_graph", "linked"]
