"""Joining two states of one merge key into one that covers both.

Cells with equal values stay; differing ones become the join symbol of (block, cell), whose range covers both
and which remembers up to `MOST_TARGETS` values it may be, for reachability only.
"""

from __future__ import annotations

from analyzer.ownership.ranges import FULL, ZERO, Range, unite, widen
from analyzer.ownership.state import Path, State
from analyzer.ownership.values import UNDEF, Atom, Expr, Ptr, Sym, Value

MOST_TARGETS = 6


def join(block_id: int, old: State, new: State, widening: bool) -> State | None:
    """The join, or None when `new` adds nothing to `old`. Both stay as they are."""
    new = _without_stale_symbols(block_id, old, new)
    result = old.copy()
    changed = _join_cells(block_id, result, old, new, widening)
    changed |= _join_temps(block_id, result, old, new, widening)
    changed |= _join_facts(result, old, new, widening)
    changed |= _join_rest(block_id, result, old, new)
    changed |= _join_older(result, old, new)
    return result if changed else None


def forget_join(place: int, state: State) -> None:
    """Before states meet inside a block: symbols of the round of a loop before get the name "old"."""
    for symbol in sorted((s for s in state.mentioned() if s.joined_at == place), key=lambda s: s.order):
        state.retire(symbol)


def _without_stale_symbols(block_id: int, old: State, new: State) -> State:
    """In a loop `new` may hold this block's join symbols of the round before: they get the name "old".

    A symbol that still is the current value of its own cell, on both sides and nowhere else, stays.
    """
    stale: dict[Sym, None] = {}
    for path, value in new.cells.items():
        symbol = value.base if type(value) is Ptr else value
        if type(symbol) is Sym and symbol.joined_at == block_id:
            own = _own_path(block_id, symbol)
            if own is not None and (own != path or old.cells.get(path) != value):
                stale[symbol] = None
    for base, _ in new.cells:
        if type(base) is Sym and base.joined_at == block_id:
            own = _own_path(block_id, base)
            if own is not None and not _is_current(base, own, old, new):
                stale[base] = None
    for released in new.released:
        if _own_path(block_id, released) is not None:
            stale[released] = None
    if not stale:
        return new
    new = new.copy()
    for symbol in stale:
        own = _own_path(block_id, symbol)
        if own is None or (_is_current(symbol, own, old, new) and symbol not in new.released):
            continue
        new.retire(symbol)
    return new


def _own_path(block_id: int, value: object) -> Path | None:
    """The cell whose join symbol at this block the value is, None when it is none."""
    if isinstance(value, Sym) and value.joined_at == block_id:
        path = value.key[2]
        assert isinstance(path, tuple)
        return path
    return None


def _is_current(symbol: Sym, path: Path, old: State, new: State) -> bool:
    return old.cells.get(path) is symbol and new.cells.get(path) is symbol


def _join_cells(block_id: int, result: State, old: State, new: State, widening: bool) -> bool:
    changed = False
    found = new.cells.get
    for path, value in [(path, value) for path, value in old.cells.items() if found(path) is not value]:
        other = found(path)
        if _is_nowhere(path, new):
            continue
        if _is_nowhere(path, old) and other is not None:
            result.cells[path] = other
            changed = True
            continue
        if other is None:
            if _same_as_default(path, value, new):
                continue
            other = _default(path, new)
            if other is None:
                changed |= _drop_or_cover(block_id, path, value, old, result)
                continue
        if other == value:
            continue
        changed |= _cover(block_id, path, value, other, old, new, result, widening)
    for path, value in [(path, value) for path, value in new.cells.items() if path not in old.cells]:
        if _same_as_default(path, value, old):
            continue
        default = _default(path, old)
        if default is None:
            changed |= _keep_reachable(block_id, path, value, new, result)
        elif default != value:
            changed |= _cover(block_id, path, default, value, old, new, result, widening)
    return changed


def _is_nowhere(path: Path, state: State) -> bool:
    """Whether the place lies behind a parameter that is null: the other side says all there is to say."""
    base = path[0]
    return isinstance(base, Sym) and base.parameter and state.facts.get(base) == ZERO


def _lies_nowhere(value: Value, state: State) -> bool:
    """The same of what lay there when the function began."""
    if not isinstance(value, Sym) or value.key[0] != "init":
        return False
    return _is_nowhere((value.key[1], 0), state)  # type: ignore[arg-type]


def _same_as_default(path: Path, value: Value, state: State) -> bool:
    """Whether the missing cell would be read as this very value: memory nobody wrote, named by its path."""
    if isinstance(value, Sym) and value.key[0] == "init":
        return value.key[1:3] == path and value.key[3] == state.epoch
    return _default(path, state) == value


def _default(path: Path, state: State) -> Value | None:
    return state.defaults.get(path[0]) if path[1] is not None else None


def _drop_or_cover(block_id: int, path: Path, value: Value, old: State, result: State) -> bool:
    """A cell that only the old side knows: forgotten, unless it leads to the resource."""
    if old.own and old.reaches_resource((value,)):
        return False
    del result.cells[path]
    if not isinstance(path[0], int):
        result.epoch = -2 - block_id  # or reading it again would give its value at the function's entry
    return True


def _keep_reachable(block_id: int, path: Path, value: Value, new: State, result: State) -> bool:
    """A cell that only the new side knows: kept when it leads to the resource (silent side)."""
    if new.own and new.reaches_resource((value,)):
        result.cells[path] = value
        return True
    if not isinstance(path[0], int) and result.epoch != -2 - block_id:
        result.epoch = -2 - block_id
        return True
    return False


def _cover(
    block_id: int,
    path: Path,
    left: Value,
    right: Value,
    old: State,
    new: State,
    result: State,
    widening: bool,
) -> bool:
    """Put the join symbol into the cell, covering both values; False when it already does."""
    symbol = result.universe.symbol("join", block_id, path)
    before = old.facts.get(symbol, FULL) if left == symbol else None
    left_range, right_range = _range(old, left), _range(new, right)
    covered = widen(left_range, right_range) if widening else unite(left_range, right_range)
    targets = _targets(symbol, left, old) | _targets(symbol, right, new)
    if any(isinstance(target, Sym) and target.key[0] == "init" for target in targets):
        targets |= {side for side in (left, right) if isinstance(side, int)}  # "as it was, or 3" is not "as it was"
    if len(targets) > MOST_TARGETS:
        targets = _fewer(targets, old, new)
    changed = left != symbol or covered != before or targets != old.targets.get(symbol, frozenset())
    result.cells[path] = symbol
    _set_fact(result, symbol, covered)
    if targets:
        result.targets = {**result.targets, symbol: targets}
    return changed


def _set_fact(state: State, symbol: Sym, known: Range) -> None:
    if known == FULL:
        state.facts.pop(symbol, None)
    else:
        state.facts[symbol] = known


def _range(state: State, value: Value) -> Range:
    return FULL if value is UNDEF else state.range_of(value)


def _targets(symbol: Sym, value: Value, state: State) -> frozenset[Value]:
    if value == symbol:
        return state.targets.get(symbol, frozenset())
    if isinstance(value, (Sym, Ptr)):
        if isinstance(value, Sym) and value in state.targets:
            return state.targets[value] - {symbol}
        return frozenset({value})
    return frozenset((value,)) if isinstance(value, Atom) and value is not UNDEF else frozenset()


def _fewer(targets: frozenset[Value], old: State, new: State) -> frozenset[Value]:
    """Too many: those that lead to the resource are kept."""
    kept = [t for t in targets if old.reaches_resource((t,)) or new.reaches_resource((t,))]
    return frozenset(sorted(kept, key=repr)[:MOST_TARGETS])


def _join_temps(block_id: int, result: State, old: State, new: State, widening: bool) -> bool:
    changed = False
    for key, value in old.temps.items():
        other = new.temps.get(key, UNDEF)
        if other == value:
            continue
        symbol = result.universe.symbol("join", block_id, ("temp", key))
        covered = unite(_range(old, value), _range(new, other))
        if widening:
            covered = widen(_range(old, value), covered)
        if value != symbol or covered != old.facts.get(symbol, FULL):
            changed = True
        result.temps[key] = symbol
        _set_fact(result, symbol, covered)
        targets = _targets(symbol, value, old) | _targets(symbol, other, new)
        if targets:
            result.targets = {**result.targets, symbol: targets}
    return changed


def _join_facts(result: State, old: State, new: State, widening: bool) -> bool:
    changed = False
    known_to_new: set[Sym] | None = None
    found = new.facts.get
    for key, known in [(key, known) for key, known in old.facts.items() if found(key) is not known]:
        if isinstance(key, Sym) and key.joined_at >= 0 and result.facts.get(key, FULL) != known:
            continue  # just set by a cell
        other = found(key)
        if other == known or (other is None and _lies_nowhere(key, new)):
            continue
        if other is None and isinstance(key, Expr):
            other = _expression_fact(new, key)
        if other is None:
            if isinstance(key, Sym) and not key.lasting:
                known_to_new = new.mentioned() if known_to_new is None else known_to_new
                if key not in known_to_new:
                    continue  # the new side has never heard of it: no cell of it can disagree
            result.facts.pop(key, None)
            changed = True
            continue
        covered = widen(known, other) if widening else unite(known, other)
        if covered != known:
            changed = True
            if covered == FULL:
                result.facts.pop(key, None)
            else:
                result.facts[key] = covered
    _add_new_facts(result, old, new)
    return changed


def _add_new_facts(result: State, old: State, new: State) -> None:
    """Facts about symbols that the old side has never heard of hold for the join too.

    What was there when the function began, it was there on both sides, whether they ever looked at it or not.
    """
    added = [key for key in new.facts if isinstance(key, Sym) and key not in old.facts and key not in result.facts]
    if added:
        known_to_old = old.mentioned()
        for key in added:
            if (key not in known_to_old and not key.lasting) or _lies_nowhere(key, old):
                result.facts[key] = new.facts[key]


def _expression_fact(state: State, key: Expr) -> Range | None:
    values = state.range_of(key)
    return None if values == FULL else values


def _join_defaults(result: State, old: State, new: State) -> bool:
    changed = False
    found = new.defaults.get
    for base in [base for base, value in old.defaults.items() if found(base, value) != value]:
        if result.defaults[base] is not None:
            result.defaults[base] = None
            changed = True
    for base in [base for base in new.defaults if base not in old.defaults]:
        result.defaults[base] = new.defaults[base]
    return changed


def _join_older(result: State, old: State, new: State) -> bool:
    """What was there before the resource on both sides; a value that was joined, when both of its sides were."""
    if not old.older:
        return False
    older = set(old.older & new.older)
    for path, symbol in result.cells.items():
        if type(symbol) is not Sym or symbol.joined_at < 0:
            continue
        left, right = old.cells.get(path), new.cells.get(path)
        if left is right:
            continue
        if _is_older(left, old) and _is_older(right, new):
            older.add(symbol)
        else:
            older.discard(symbol)
    if older == old.older:
        return False
    result.older = frozenset(older)
    return True


def _is_older(value: Value | None, state: State) -> bool:
    return isinstance(value, int) or (isinstance(value, Sym) and value in state.older)


def _join_rest(block_id: int, result: State, old: State, new: State) -> bool:
    changed = _join_defaults(result, old, new)
    if not new.exposed <= old.exposed:
        result.exposed = old.exposed | new.exposed
        changed = True
    private = old.local_objects
    if private != new.local_objects:
        both = old.local_objects | new.local_objects
        private = frozenset(symbol for symbol in both if _private(symbol, old) and _private(symbol, new))
    if private != old.local_objects:
        result.local_objects = private
        changed = True
    if old.epoch != new.epoch and old.epoch != -2 - block_id:
        result.epoch = -2 - block_id
        changed = True
    released = {key: value for key, value in old.released.items() if new.released.get(key) == value}
    if len(released) != len(old.released):
        result.released = released
        changed = True
    if not new.targets.keys() <= result.targets.keys():
        result.targets = {**new.targets, **result.targets}
    if new.blurred and not old.blurred:
        result.blurred = True
        changed = True
    result.shares = max(old.shares, new.shares)
    if old.unknown_calls != new.unknown_calls:
        result.unknown_calls = tuple(dict.fromkeys(old.unknown_calls + new.unknown_calls))[-4:]
    return changed


def _private(symbol: Sym, state: State) -> bool:
    return symbol in state.local_objects or not state.is_mentioned(symbol)
