"""Functions that a change put in the place of others: a new name, a helper that was made of a call, or its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import final

from analyzer.change.sides import Pair
from analyzer.program.outline import Part, outline


@final
class Aliases:
    """Told by the texts of the changed files, which are read when somebody asks."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._pairs = tuple(pairs)

    @cached_property
    def _sides(self) -> tuple[Mapping[str, Part], Mapping[str, Part]]:
        """The functions that are gone, and those that are new."""
        old, new = (
            {part.name: part for pair in self._pairs for part in outline(data(pair)).functions}
            for data in (_base, _head)
        )
        gone = {name: part for name, part in old.items() if name not in new}
        return gone, {name: part for name, part in new.items() if name not in old}

    def same(self, old: str, new: str) -> bool:
        """Whether a call of `new` may be what a call of `old` was."""
        if old == new:
            return True
        gone, added = self._sides
        if new in added and old in added[new].mentions:
            return True  # the call went into a helper
        if old in gone and new in gone[old].mentions:
            return True  # and came out of one
        return old in gone and new in added and _without_name(gone[old]) == _without_name(added[new])


def _base(pair: Pair) -> bytes:
    return pair.base_data


def _head(pair: Pair) -> bytes:
    return pair.head_data


def _without_name(part: Part) -> frozenset[str]:
    return part.mentions - {part.name}
