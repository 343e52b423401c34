"""The part that the runs over one function's resources have in common: the way to their acquiring calls.

A block that cannot be executed after the acquiring call sees the same states in every run, so it is executed once,
and its states are joined once. States here are shared: nobody may change them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from analyzer.ownership.endings import Endings
from analyzer.ownership.join import join
from analyzer.ownership.keys import clean
from analyzer.ownership.prepared import Prepared
from analyzer.ownership.seen import Seen
from analyzer.ownership.state import State
from analyzer.ownership.transfer import Machine
from analyzer.ownership.values import Universe


@final
@dataclass(frozen=True, slots=True)
class Ways:
    """The outcome of executing a block in the state `entry`: target blocks with their states, and what was seen."""

    entry: State
    out: tuple[tuple[int, State], ...]
    seen: Seen


@final
@dataclass(frozen=True, slots=True)
class _Joined:
    """The outcome of a join; the states it was asked for live as long as it does, since they are its key."""

    known: State
    new: State
    result: State | None


@final
class Shared:
    """Executes and joins, each state once. universe: of all runs that take part. infer: collect endings too."""

    def __init__(self, prepared: Prepared, infer: bool) -> None:
        self.universe = Universe()
        self._infer = infer
        self._prepared = prepared
        self._start: State | None = None
        self._ways: dict[tuple[int, int], Ways] = {}
        self._joins: dict[tuple[int, int, int, bool], _Joined] = {}

    def start(self, machine: Machine) -> State:
        """The state in which the function is entered."""
        if self._start is None:
            self._start = machine.start()
        return self._start

    def block(self, machine: Machine, block_id: int, entry: State) -> Ways:
        """Execute a block; the states that come out are clean."""
        key = (block_id, id(entry))
        found = self._ways.get(key)
        if found is None:
            listener, seen = machine.listener, Seen(block=block_id, ends=Endings() if self._infer else None)
            machine.listener = seen
            ways = machine.block(block_id, entry.copy())
            machine.listener = listener
            for target, after, _ in ways:
                if self._prepared.merges[target]:
                    clean(self._prepared, target, after)
            found = self._ways[key] = Ways(entry, tuple((target, after) for target, after, _ in ways), seen)
        return found

    def join(self, block_id: int, known: State, new: State, widening: bool) -> State | None:
        """The join of two states that came out of `start`, `block` and `join`."""
        key = (block_id, id(known), id(new), widening)
        found = self._joins.get(key)
        if found is None:
            found = self._joins[key] = _Joined(known, new, join(block_id, known, new, widening))
        return found.result
