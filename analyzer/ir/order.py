"""The order of a function's blocks and its loops, without a graph library: loading one takes longer than this."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.ir.function import Function, successors


def reverse_postorder(function: Function) -> list[int]:
    """The blocks that can be reached, each before those it leads to, loops aside."""
    found: list[int] = []
    seen = {0}
    stack = [(0, iter(successors(function.blocks[0].end)))]
    while stack:
        block_id, targets = stack[-1]
        for target in targets:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(successors(function.blocks[target].end))))
                break
        else:
            found.append(block_id)
            stack.pop()
    return found[::-1]


def cyclic_blocks(function: Function) -> list[bool]:
    """For each block: whether it can be executed again after itself."""
    return [number >= 0 for number in loop_numbers(function)]


def loop_numbers(function: Function) -> list[int]:
    """For each block: number of the outermost loop that it lies in, -1 for none. Loops count by their first blocks."""
    loops = sorted(
        sorted(component)
        for component in _components(function)
        if len(component) > 1 or component[0] in successors(function.blocks[component[0]].end)
    )
    numbers = [-1] * len(function.blocks)
    for number, loop in enumerate(loops):
        for block_id in loop:
            numbers[block_id] = number
    return numbers


def _components(function: Function) -> list[list[int]]:
    """The strongly connected components. Tarjan's algorithm, with an explicit stack."""
    found: list[list[int]] = []
    number = [0] * len(function.blocks)  # in the order of discovery; 0: not seen yet
    lowest = [0] * len(function.blocks)
    waiting: list[int] = []  # seen, component not known yet
    is_waiting = [False] * len(function.blocks)
    count = 0
    for root in range(len(function.blocks)):
        if number[root]:
            continue
        stack = [(root, -1, iter(successors(function.blocks[root].end)))]
        while stack:
            block_id, above, targets = stack[-1]
            if not number[block_id]:
                count += 1
                number[block_id] = lowest[block_id] = count
                waiting.append(block_id)
                is_waiting[block_id] = True
            for target in targets:
                if not number[target]:
                    stack.append((target, block_id, iter(successors(function.blocks[target].end))))
                    break
                if is_waiting[target]:
                    lowest[block_id] = min(lowest[block_id], number[target])
            else:
                stack.pop()
                if above >= 0:
                    lowest[above] = min(lowest[above], lowest[block_id])
                if lowest[block_id] == number[block_id]:
                    position = waiting.index(block_id)
                    component, waiting = waiting[position:], waiting[:position]
                    for member in component:
                        is_waiting[member] = False
                    found.append(component)
    return found


def unavoidable_blocks(function: Function, ends: Iterable[int]) -> list[int]:
    """The blocks that every way from the entry to one of `ends` passes, in order; none where there is no such way.

    Such blocks lie on any one way. Walking along one, each block that no detour from an earlier one jumps over counts.
    """
    wanted = set(ends)
    way = _one_way(function, wanted)
    position = {block_id: place for place, block_id in enumerate(way)}
    seen = set(way)
    furthest = 0  # place on the way up to which detours lead
    found = []
    for place, block_id in enumerate(way):
        if furthest <= place:
            found.append(block_id)
        waiting = [block_id]
        while waiting:
            here = waiting.pop()
            if here in wanted and place < len(way) - 1:
                furthest = len(way)  # a way ends here
            for target in successors(function.blocks[here].end):
                furthest = max(furthest, position.get(target, 0))
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
    return found


def _one_way(function: Function, wanted: set[int]) -> list[int]:
    """A shortest way from the entry to one of these blocks; none: []."""
    above = {0: -1}
    latest = [0]
    while latest:
        reached = []
        for block_id in latest:
            if block_id in wanted:
                way = [block_id]
                while above[way[-1]] >= 0:
                    way.append(above[way[-1]])
                return way[::-1]
            for target in successors(function.blocks[block_id].end):
                if target not in above:
                    above[target] = block_id
                    reached.append(target)
        latest = reached
    return []
