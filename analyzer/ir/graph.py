"""The control-flow graph of a function for networkx, and as DOT text."""

from __future__ import annotations

from typing import Any

import networkx

from analyzer.ir.function import Edge, Function, Guard, edges
from analyzer.ir.ops import Return, Stop
from analyzer.ir.text import Printer


def to_networkx(function: Function) -> networkx.MultiDiGraph[Any]:
    """The graph: block ids as nodes, one edge per way, with its `Guard` (or None) as attribute ``guard``.

    A multigraph, since two cases of a switch may lead to the same block.
    """
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(range(len(function.blocks)))
    for edge in edges(function):
        graph.add_edge(edge.source, edge.target, guard=edge.guard)
    return graph


def to_dot(function: Function) -> str:
    """The graph in the DOT language: a box of IR text per block, guards on the edges."""
    printer = Printer(function)
    lines = [f"digraph {_quote(function.name)} {{", '  node [shape=box, fontname="monospace"];']
    for number, block in enumerate(function.blocks):
        text = [f"bb{number}:", *map(printer.op, block.ops)]
        if isinstance(block.end, Return | Stop):
            text.append(printer.terminator(block.end))
        label = "".join(_escape(line) + "\\l" for line in text)
        lines.append(f'  bb{number} [label="{label}"];')
    lines.extend(_edge(printer, edge) for edge in edges(function))
    return "\n".join([*lines, "}"]) + "\n"


def guard_text(printer: Printer, guard: Guard) -> str:
    """A guard as a condition: ``%3 != 0``, ``%3 in 1..2 5``, ``%3 not in 1..2 5``."""
    value = printer.operand(guard.value)
    if len(guard.ranges) == 1 and guard.ranges[0][0] == guard.ranges[0][1]:
        return f"{value} {'!=' if guard.negated else '=='} {guard.ranges[0][0]}"
    ranges = " ".join(str(low) if low == high else f"{low}..{high}" for low, high in guard.ranges)
    if not ranges:
        return "default" if guard.negated else "never"
    return f"{value} {'not in' if guard.negated else 'in'} {ranges}"


def _edge(printer: Printer, edge: Edge) -> str:
    line = f"  bb{edge.source} -> bb{edge.target}"
    if edge.guard is None:
        return line + ";"
    return f"{line} [label={_quote(guard_text(printer, edge.guard))}];"


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    """For a DOT string: only quotes and backslashes have a meaning there."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
