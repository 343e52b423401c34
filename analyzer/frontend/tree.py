"""A function body as integer rows: kinds, cursors, children, parents.

Built from one flat visit. Node numbers follow document order (pre-order); node 0 is the function itself. Does not
interpret anything; in particular it asks libclang nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final

from analyzer.libclang.binding import Cursor
from analyzer.libclang.kinds import FIRST_REF, LAST_REF, UNEXPOSED_EXPR


def node_key(cursor: Cursor) -> int | None:
    """The address that identifies a cursor's node: of the expression or statement, else of the declaration."""
    return cursor.second if cursor.kind >= UNEXPOSED_EXPR and cursor.kind < 350 else cursor.first


@final
class Tree:
    """The nodes of one declaration, by number.

    A node that libclang shows several times (the condition of ``a ?: b``) has one number, which then stands
    several times among the children.
    """

    __slots__ = ("children", "cursors", "index", "kinds", "parents")

    def __init__(self, root: Cursor, rows: Iterable[tuple[Cursor, Cursor]]) -> None:
        self.kinds: list[int] = [root.kind]
        self.cursors: list[Cursor] = [root]
        self.children: list[list[int]] = [[]]
        self.parents: list[int] = [-1]
        self.index: dict[int | None, int] = {node_key(root): 0}
        self._fill(rows)

    def _fill(self, rows: Iterable[tuple[Cursor, Cursor]]) -> None:
        index, kinds, cursors, children = self.index, self.kinds, self.cursors, self.children
        repeated: set[int | None] = set()
        for cursor, above in rows:
            kind = cursor.kind
            above_kind = above.kind
            above_key = above.second if 100 <= above_kind < 350 else above.first
            parent = index.get(above_key)
            if parent is None:
                continue
            reference = FIRST_REF <= kind <= LAST_REF
            key = cursor.second if 100 <= kind < 350 else cursor.first
            if above_key in repeated:
                repeated.add(key)
                continue
            if not reference:
                node = index.get(key)
                if node is not None:
                    if node != parent:
                        repeated.add(key)
                        children[parent].append(node)
                    continue
                index[key] = len(kinds)
            children[parent].append(len(kinds))
            kinds.append(kind)
            cursors.append(cursor)
            children.append([])
            self.parents.append(parent)

    def subtree(self, node: int, prune: frozenset[int] = frozenset()) -> Iterator[int]:
        """The nodes below `node` in document order, without those below nodes of a kind in `prune`."""
        stack = self.children[node][::-1]
        while stack:
            below = stack.pop()
            yield below
            if self.kinds[below] not in prune:
                stack.extend(reversed(self.children[below]))

    def ancestors(self, node: int) -> Iterator[int]:
        """The nodes above `node`, nearest first."""
        node = self.parents[node]
        while node >= 0:
            yield node
            node = self.parents[node]
