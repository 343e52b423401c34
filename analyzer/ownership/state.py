"""One abstract state: memory cells, facts about values, and the ownership of the resource under study.

Does not know IR operations (transfer.py), contracts (calls.py) or how states are joined (join.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import final

from analyzer.ownership.facts import Facts
from analyzer.ownership.ranges import (
    FULL,
    Range,
    intersect,
    unite,
)
from analyzer.ownership.values import (
    MAYBE,
    UNDEF,
    Atom,
    Base,
    Expr,
    Ptr,
    Sym,
    Universe,
    Value,
)

Offset = int | None
Path = tuple[Base, Offset]  # offset None: some element of the object, nobody knows which
KEPT = -1  # the offset at which stands what an object owns without having it in its memory (a stream: its descriptor)


class Own(IntEnum):
    """Ownership state of the resource under study."""

    NONE = 0  # not acquired (yet), or the acquiring call failed
    OWNED = 1
    RELEASED = 2
    LOST = 3  # nothing holds it: reported unless the process ends at once (see Loss)
    GONE = 4  # what the caller lends went out of sight: of interest is what the function returns then


@final
@dataclass(frozen=True, slots=True)
class Loss:
    """Where and how the resource was lost (an EventKind's value). block: in which. blocks: executed since then."""

    at: int
    kind: str
    block: int
    blocks: int = 0


@final
class State(Facts):
    """Mutable while a block is executed; never changed once stored at a block's entry.

    cells: path -> value. defaults: what an unwritten cell of a base holds: 0, UNDEF or None (anything).
    facts: value -> range (missing: unknown). temps: results of operations still to be used.
    own, shares: of the resource; shares counts references taken on it.
    local_objects: symbols of heap objects created here that nobody outside has seen.
    exposed: locals whose address is known outside. targets: join symbol -> values it may be.
    released: other symbols released on the way (symbol -> (function, offset)).
    released_by, released_at: the call that released the resource. releaser: the function that did it in the end.
    older: symbols of values that were there before the resource was acquired: it is none of them.
    holder, origin: the last and the first holder as the programmer writes it.
    loss: (offset, sort) of the last store over a holder. lost: for LOST.
    trail: the way here, kept by the witness search only.
    epoch: the last operation that may have changed memory outside; part of the name of what is read there.
    """

    __slots__ = (
        "blurred",
        "cells",
        "defaults",
        "epoch",
        "exposed",
        "holder",
        "local_objects",
        "loss",
        "lost",
        "older",
        "origin",
        "own",
        "released",
        "released_at",
        "released_by",
        "releaser",
        "shares",
        "targets",
        "temps",
        "trail",
        "unknown_calls",
    )

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe)
        self.cells: dict[Path, Value] = {}
        self.defaults: dict[Base, Value | None] = {}
        self.temps: dict[int, Value] = {}
        self.own = Own.NONE
        self.shares = 0
        self.released_by = ""
        self.releaser = ""
        self.released_at = -1
        self.local_objects: frozenset[Sym] = frozenset()
        self.exposed: frozenset[int] = frozenset()
        self.targets: dict[Sym, frozenset[Value]] = {}
        self.released: dict[Sym, tuple[str, int]] = {}
        self.epoch = -1
        self.blurred = False
        self.older: frozenset[Sym] = frozenset()
        self.unknown_calls: tuple[str, ...] = ()
        self.holder = ""
        self.origin = ""
        self.lost: Loss | None = None
        self.loss: tuple[int, str] | None = None
        self.trail: object = None

    def copy(self) -> State:
        """An independent copy."""
        other = State.__new__(State)
        other.universe = self.universe
        other.cells = self.cells.copy()
        other.defaults = self.defaults.copy()
        other.facts = self.facts.copy()
        other.temps = self.temps.copy()
        other.own = self.own
        other.shares = self.shares
        other.released_by = self.released_by
        other.releaser = self.releaser
        other.released_at = self.released_at
        other.local_objects = self.local_objects
        other.exposed = self.exposed
        other.targets = self.targets.copy() if self.targets else self.targets
        other.released = self.released.copy() if self.released else self.released
        other.epoch = self.epoch
        other.older = self.older
        other.blurred = self.blurred
        other.unknown_calls = self.unknown_calls
        other.holder = self.holder
        other.origin = self.origin
        other.lost = self.lost
        other.loss = self.loss
        other.trail = self.trail
        return other

    # -- which values are one -------------------------------------------------------------------------

    def gives_way(self, value: Value) -> bool:
        """Whether nothing is known of it but that it is a value: it can be called by another name."""
        return (
            isinstance(value, Sym)
            and value is not self.universe.resource
            and value not in self.local_objects
            and value.key[0] != "param"
        )

    def distinct(self, left: Value, right: Value) -> bool:
        """Two objects that were both created here are never at one address, nor is one of them at an older address."""
        one, other = (side.base if isinstance(side, Ptr) else side for side in (left, right))
        if one == other:
            return False
        if self._created(one) and self._created(other):
            return True
        return self._precedes(one, other) or self._precedes(other, one)

    def _precedes(self, one: Value | str, other: Value | str) -> bool:
        """Whether the first value was there before the other object was."""
        if not isinstance(one, Sym) or not isinstance(other, Sym):
            return False
        if other is self.universe.resource:
            return one in self.older
        return other in self.local_objects and one.key[0] == "param"

    def _created(self, value: Value | str) -> bool:
        base = value.base if isinstance(value, Ptr) else value
        return base is self.universe.resource or base in self.local_objects or isinstance(base, (int, str))

    # -- renaming -------------------------------------------------------------------------------------

    def substitute(self, old: Value, new: Value) -> None:
        """Replace a value by another one everywhere; cells under `old` become cells under `new`."""
        swap = self.universe.substitute
        cells: dict[Path, Value] = {}
        for (base, offset), value in self.cells.items():
            path = self._moved_path(base, offset, old, new) if base is old else (base, offset)
            if path is None:
                continue
            replaced = value if isinstance(value, int) else swap(value, old, new)
            if path in cells and cells[path] != replaced:
                replaced = self._either(cells[path], replaced)
            cells[path] = replaced
        self.cells = cells
        self.temps = {key: v if isinstance(v, int) else swap(v, old, new) for key, v in self.temps.items()}
        self.facts = self._swapped_facts(old, new)
        if isinstance(old, Sym):
            self._swap_symbol(old, new)
        if self.targets:
            self.targets = {
                key: frozenset(v if isinstance(v, int) else swap(v, old, new) for v in values)
                for key, values in self.targets.items()
                if key is not old
            }

    def _moved_path(self, base: Base, offset: Offset, old: Value, new: Value) -> Path | None:
        if isinstance(new, Sym):
            return (new, offset)
        if isinstance(new, Ptr) and isinstance(new.offset, int):
            return (new.base, None if offset is None else new.offset + offset)
        if isinstance(new, Ptr):
            return (new.base, None)
        return None

    def _either(self, left: Value, right: Value) -> Value:
        """One value for two that fell together; the resource is kept on the silent side."""
        if self.root_is_resource(left) or self.root_is_resource(right):
            return MAYBE
        return self.universe.symbol("either", left, right)

    def _swapped_facts(self, old: Value, new: Value) -> dict[Value, Range]:
        facts: dict[Value, Range] = {}
        for key, known in self.facts.items():
            replaced = self.universe.substitute(key, old, new)
            if isinstance(replaced, int):
                continue
            facts[replaced] = intersect(facts[replaced], known) or known if replaced in facts else known
        return facts

    def _swap_symbol(self, old: Sym, new: Value) -> None:
        if old in self.older:
            rest = self.older - {old}
            self.older = rest | {new} if isinstance(new, Sym) and new is not self.universe.resource else rest
        if old in self.local_objects:
            rest = self.local_objects - {old}
            self.local_objects = rest | {new} if isinstance(new, Sym) else rest
        if old in self.released:
            entry = self.released[old]
            self.released = {key: v for key, v in self.released.items() if key is not old}
            if isinstance(new, Sym):
                self.released[new] = entry
        if old in self.defaults:
            default = self.defaults.pop(old)
            if isinstance(new, Sym):
                self.defaults.setdefault(new, default)

    def retire(self, symbol: Sym) -> None:
        """A site is about to create its symbol again: what it stood for so far gets the name "old".

        "old" sums up all earlier ones: it keeps what is known of all of them, and no release of it is ever certain.
        """
        known_older = symbol in self.older
        self.older -= {symbol}
        if not self.is_mentioned(symbol):
            return
        old = self.universe.symbol("old", symbol)
        if known_older and (old in self.older or not self.is_mentioned(old)):
            self.older |= {old}
        elif not known_older:
            self.older -= {old}
        if self.is_mentioned(old):
            before, now = self.range_of(old), self.facts.pop(symbol, FULL)
            if unite(before, now) not in (before, now) or now == FULL:
                self.facts.pop(old, None)  # ranges that grow would keep every round of a loop apart
            elif before != FULL:
                self.facts[old] = unite(before, now)
            self.released.pop(old, None)
            self.local_objects -= {old, symbol}
        self.released.pop(symbol, None)
        self.substitute(symbol, old)

    def is_mentioned(self, symbol: Sym) -> bool:
        """Whether the symbol occurs anywhere."""
        if symbol in self.facts or symbol in self.released or symbol in self.local_objects:
            return True
        # Plain loops over exact types: this and what follows is where the time of a run goes.
        for (base, _), value in self.cells.items():
            if base is symbol or value is symbol or (type(value) in _COMPOUND and symbol in value.symbols):  # type: ignore[union-attr]
                return True
        for value in self.temps.values():
            if value is symbol or (type(value) in _COMPOUND and symbol in value.symbols):  # type: ignore[union-attr]
                return True
        for value in self.facts:  # noqa: SIM110
            if type(value) in _COMPOUND and symbol in value.symbols:  # type: ignore[union-attr]
                return True
        return False

    def mentioned(self) -> set[Sym]:
        """All symbols that occur anywhere."""
        found: set[Sym] = {*self.released, *self.local_objects}
        found.update(base for base, _ in self.cells if type(base) is Sym)
        for values in (self.cells.values(), self.temps.values(), self.facts):
            for value in values:
                kind = type(value)
                if kind is Sym:
                    found.add(value)  # type: ignore[arg-type]
                elif kind in _COMPOUND:
                    found.update(value.symbols)  # type: ignore[union-attr]
        return found

    # -- the resource ---------------------------------------------------------------------------------

    def root_is_resource(self, value: Value) -> bool:
        """Whether the value is the resource, points into it, or may be it."""
        resource = self.universe.resource
        return value is resource or value is MAYBE or (isinstance(value, Ptr) and value.base is resource)

    def holders(self) -> list[Path]:
        """The cells whose value is the resource (or may be, or points into it)."""
        resource = self.universe.resource
        return [
            path
            for path, value in self.cells.items()
            if value is resource or value is MAYBE or (isinstance(value, Ptr) and value.base is resource)
        ]

    def held_key(self) -> frozenset[tuple[Path, bool]]:
        """Holders with "exactly the start" marked: the part of the merge key that keeps aliases apart."""
        resource = self.universe.resource
        return frozenset((path, self.cells[path] is resource) for path in self.holders())

    # -- reachability ---------------------------------------------------------------------------------

    def is_outside(self, base: Base) -> bool:
        """Whether someone else than this function's locals can reach the object at `base`."""
        if isinstance(base, int):
            return base in self.exposed
        if isinstance(base, str):
            return True
        return base is not self.universe.resource and base not in self.local_objects

    def reaches_resource(self, values: Iterable[Value]) -> bool:
        """Whether the resource can be reached from the values through memory and join targets."""
        index: dict[Base, list[Value]] | None = None
        seen: set[Base] = set()
        stack: list[Value] = list(values)
        while stack:
            value = stack.pop()
            if isinstance(value, int):
                continue
            if self.root_is_resource(value):
                return True
            if isinstance(value, Expr):
                stack += (value.left, value.right)
                continue
            base: Base | None = value if isinstance(value, Sym) else None
            if isinstance(value, Ptr):
                base = value.base
            if base is None or base in seen:
                continue
            seen.add(base)
            if isinstance(base, Sym):
                stack.extend(self.targets.get(base, ()))
            if index is None:
                index = self.by_base()
            stack.extend(index.get(base, ()))
        return False

    def reachable(self, values: Iterable[Value]) -> set[Base]:
        """The objects that can be reached from the values through memory and join targets."""
        index = self.by_base()
        seen: set[Base] = set()
        stack: list[Value] = list(values)
        while stack:
            value = stack.pop()
            if isinstance(value, Expr):
                stack += (value.left, value.right)
            base = value.base if isinstance(value, Ptr) else value
            if not isinstance(base, Sym) and not isinstance(value, Ptr):
                continue
            if base in seen or isinstance(base, (Expr, Atom)):
                continue
            seen.add(base)
            stack.extend(index.get(base, ()))
            if isinstance(base, Sym):
                stack.extend(self.targets.get(base, ()))
        return seen

    def by_base(self, numbers: bool = False) -> dict[Base, list[Value]]:
        """Non-constant cell values by the object they lie in; numbers: constants too."""
        index: dict[Base, list[Value]] = {}
        for (base, _), value in self.cells.items():
            if numbers or not isinstance(value, int):
                index.setdefault(base, []).append(value)
        return index

    def outside_values(self) -> Iterator[Value]:
        """Values of cells that are roots for the world outside."""
        for (base, _), value in self.cells.items():
            if not isinstance(value, int) and self.is_outside(base):
                yield value

    def is_lost(self) -> bool:
        """Whether nothing that lives can reach the resource any more."""
        direct = self.holders()
        if any(not isinstance(base, Sym) for base, _ in direct):
            return False
        values = self.temps.values()
        if not direct and not self.targets and not any(self.root_is_resource(value) for value in values):
            return True
        roots = [*values, *self.outside_values()]
        roots.extend(value for (base, _), value in self.cells.items() if isinstance(base, int))
        return not self.reaches_resource(roots)

    def lost_parent(self) -> Sym | None:
        """A heap object created here that still holds the resource though nothing reaches it either."""
        for base, _ in self.holders():
            if isinstance(base, Sym) and base in self.local_objects:
                return base
        return None

    # -- cells ----------------------------------------------------------------------------------------

    def drop_range(self, base: Base, offset: Offset, bits: int) -> None:
        """Forget the cells in [offset, offset + bits) of the object; bits 0: to its end; offset None: all."""
        doomed = [path for path in self.cells if path[0] == base and _inside(path[1], offset, bits)]
        for path in doomed:
            del self.cells[path]

    def move_cells(self, old: Sym, new: Sym) -> None:
        """What lay in one object lies in another one now."""
        for base, offset in [path for path in self.cells if path[0] is old]:
            self.cells[(new, offset)] = self.cells.pop((base, offset))

    def forget_facts(self, value: Value) -> None:
        """Nothing is known about the value any more."""
        self.facts.pop(value, None)

    def collect(self) -> None:
        """Drop what no live cell can reach: cells of objects, and facts about values."""
        cells, facts = self.cells, self.facts
        bases = {base for base, _ in cells if type(base) is Sym}
        if not bases and not facts and not self.targets:
            return
        live = self._live_symbols()
        dead = {base for base in bases if base not in live and not base.parameter}
        if dead:
            for path in [path for path in cells if path[0] in dead and not self._still_holds(path)]:
                del cells[path]
        for key in [key for key in facts if not _all_live(key, live)]:
            del facts[key]
        if self.targets:
            self.targets = {key: values for key, values in self.targets.items() if key in live}
        if self.defaults:
            self.defaults = {
                base: value for base, value in self.defaults.items() if type(base) is not Sym or base in live
            }

    def _still_holds(self, path: Path) -> bool:
        """Outside memory nobody here can name any more still holds the resource that was stored there."""
        return self.is_outside(path[0]) and self.root_is_resource(self.cells[path])

    def _live_symbols(self) -> set[Sym]:
        """The resource, and all symbols in reach of temps, locals, globals and what parameters point to."""
        values, index = self._roots()
        live: set[Sym] = {self.universe.resource}
        waiting: list[Sym] = []
        while True:
            for value in values:
                kind = type(value)
                if kind is Sym:
                    if value not in live:
                        live.add(value)  # type: ignore[arg-type]
                        waiting.append(value)  # type: ignore[arg-type]
                elif kind in _COMPOUND:
                    new = [symbol for symbol in value.symbols if symbol not in live]  # type: ignore[union-attr]
                    live.update(new)
                    waiting += new
            if not waiting:
                return live
            symbol = waiting.pop()
            values = index.get(symbol, ())
            if symbol in self.targets:
                values = (*values, *self.targets[symbol])

    def _roots(self) -> tuple[Iterable[Value], dict[Sym, list[Value]]]:
        """The values that are in reach by themselves; the other cells' values by the object they lie in."""
        resource = self.universe.resource
        index: dict[Sym, list[Value]] = {}
        roots: list[Value] = [*self.temps.values(), *self.released]
        for (base, _), value in self.cells.items():
            if type(value) not in _SYMBOLIC:
                continue
            if type(base) is not Sym or base.parameter or base is resource:
                roots.append(value)
            else:
                index.setdefault(base, []).append(value)
        return roots, index


_COMPOUND = frozenset({Ptr, Expr})
_SYMBOLIC = frozenset({Sym, Ptr, Expr})


def _all_live(value: Value, live: set[Sym]) -> bool:
    kind = type(value)
    if kind is Sym:
        return value in live or value.lasting  # type: ignore[union-attr]
    if kind is Expr:
        if live.issuperset(value.symbols):  # type: ignore[union-attr]
            return True
        return _all_live(value.left, live) and _all_live(value.right, live)  # type: ignore[union-attr]
    return kind is not Ptr or live.issuperset(value.symbols)  # type: ignore[union-attr]


def _inside(cell: Offset, offset: Offset, bits: int) -> bool:
    if offset is None or cell is None:
        return True
    return cell >= offset and (bits == 0 or cell < offset + bits)


__all__ = ["KEPT", "MAYBE", "UNDEF", "Offset", "Own", "Path", "State"]
