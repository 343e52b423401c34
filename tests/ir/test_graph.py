"""The graph form has every edge with its guard."""

import networkx

from analyzer.ir.graph import to_dot, to_networkx
from analyzer.ir.text import parse_function

TEXT = """\
function f
  local x : 'int'
bb0:
  %0 = load x : 'int'
  %1 = "a\\"b" == 0
  switch %0 {1..2 -> bb1, 5 -> bb1} else bb2
bb1:
  branch %0 ? bb2 : bb3
bb2:
  jump bb3, bb4
bb3:
  goto bb4
bb4:
  return %0
"""


def test_networkx_graph_keeps_parallel_edges_and_guards():
    graph = to_networkx(parse_function(TEXT))
    assert sorted(graph.nodes) == [0, 1, 2, 3, 4]
    assert graph.number_of_edges(0, 1) == 2
    assert networkx.has_path(graph, 0, 4)
    (guard,) = [data["guard"] for data in graph.get_edge_data(0, 2).values()]
    assert guard.negated
    assert guard.ranges == ((1, 2), (5, 5))
    assert graph.get_edge_data(3, 4)[0]["guard"] is None


def test_dot_shows_guards():
    lines = to_dot(parse_function(TEXT)).splitlines()
    assert lines[0] == 'digraph "f" {'
    assert '  bb0 -> bb1 [label="%0 in 1..2"];' in lines
    assert '  bb0 -> bb1 [label="%0 == 5"];' in lines
    assert '  bb0 -> bb2 [label="%0 not in 1..2 5"];' in lines
    assert '  bb1 -> bb2 [label="%0 != 0"];' in lines
    assert '  bb1 -> bb3 [label="%0 == 0"];' in lines
    assert "  bb2 -> bb3;" in lines
    assert '  bb4 [label="bb4:\\lreturn %0\\l"];' in lines
    assert '"a\\\\\\"b\\" == 0' in "".join(lines)


def test_switch_without_cases_has_a_default():
    dot = to_dot(parse_function("function f\nbb0:\n switch 1 {} else bb1\nbb1:\n return"))
    assert '  bb0 -> bb1 [label="default"];' in dot
