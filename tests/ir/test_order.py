import networkx
from hypothesis import given
from hypothesis import strategies as st

from analyzer.ir.function import BasicBlock, Function
from analyzer.ir.graph import to_networkx
from analyzer.ir.ops import Jump
from analyzer.ir.order import cyclic_blocks, loop_numbers, reverse_postorder, unavoidable_blocks
from analyzer.ir.types import CType, TypeKind


@st.composite
def flows(draw: st.DrawFn) -> Function:
    """A function of up to eight empty blocks with any edges between them."""
    count = draw(st.integers(1, 8))
    targets = st.lists(st.integers(0, count - 1), max_size=3, unique=True).map(tuple)
    blocks = tuple(BasicBlock((), Jump(0, draw(targets))) for _ in range(count))
    return Function("f", "f", "f.c", 0, 1, CType(TypeKind.VOID, "void"), 0, (), blocks)


@given(flows())
def test_the_order_holds_what_can_be_reached_once(function):
    order = reverse_postorder(function)
    assert sorted(order) == sorted({0, *networkx.descendants(to_networkx(function), 0)})


@given(flows())
def test_a_block_comes_before_what_it_leads_to_unless_there_is_a_way_back(function):
    graph = to_networkx(function)
    place = {block: position for position, block in enumerate(reverse_postorder(function))}
    for source, target in graph.edges():
        if source in place and place[source] >= place[target]:
            assert networkx.has_path(graph, target, source)


@given(flows())
def test_blocks_of_a_loop_are_cyclic(function):
    graph = to_networkx(function)
    wanted = [any(networkx.has_path(graph, target, block) for target in graph.successors(block)) for block in graph]
    assert cyclic_blocks(function) == wanted


@given(flows())
def test_blocks_have_one_loop_where_each_leads_to_the_other(function):
    graph = to_networkx(function)
    numbers = loop_numbers(function)
    firsts = [numbers.index(number) for number in range(max(numbers) + 1)]
    assert firsts == sorted(firsts)
    for block in graph:
        for other in graph:
            both = networkx.has_path(graph, block, other) and networkx.has_path(graph, other, block)
            assert (numbers[block] == numbers[other] >= 0) == (both and numbers[block] >= 0)


@given(flows(), st.sets(st.integers(0, 7), max_size=3))
def test_without_an_unavoidable_block_there_is_no_way_to_an_end(function, ends):
    graph = to_networkx(function)
    ends &= set(graph)
    ways = any(networkx.has_path(graph, 0, end) for end in ends)

    def needed(block: int) -> bool:
        rest = graph.subgraph(set(graph) - {block})
        return block == 0 or not any(end in rest and networkx.has_path(rest, 0, end) for end in ends)

    found = unavoidable_blocks(function, ends)
    assert sorted(found) == [block for block in graph if ways and needed(block)]
