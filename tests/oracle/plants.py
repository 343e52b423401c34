"""Mistakes to plant in the tool, one at a time: the test of the oracles (planting.py runs it).

A plant is a few words of one module of the analyzer, and what stands there instead. `install` makes this process import
the module so; it must come before anything imports the module. Nothing here imports the analyzer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

PARTS = ("join", "split", "alias", "loop", "summary", "refinement", "front end", "values")


@dataclass(frozen=True)
class Plant:
    """One mistake.

    name: what it does, in words; module: where; old, new: the text before and after. missed: why the oracles are known
    not to see it in as many programs as are usual; "" when they do.
    """

    name: str
    part: str
    module: str
    old: str
    new: str
    missed: str = ""


OWNERSHIP, FRONTEND = "analyzer.ownership.", "analyzer.frontend."


def _engine(part: str, name: str, module: str, old: str, new: str, missed: str = "") -> Plant:
    return Plant(name, part, OWNERSHIP + module, old, new, missed)


def _front(name: str, module: str, old: str, new: str) -> Plant:
    return Plant(name, "front end", FRONTEND + module, old, new)


PLANTS = (
    _engine(
        "join", "a constant of one path wins over what the other path says", "join",
        "        if other == value:\n            continue\n        changed |= _cover(",
        "        if other == value or isinstance(value, int):\n            continue\n        changed |= _cover(",
    ),
    _engine(
        "join", "what one path knows of a value is taken to hold on the other", "join",
        "covered = widen(known, other) if widening else unite(known, other)", "covered = known",
    ),
    _engine(
        "join", "a joined value remembers one of the values that it may be", "join",
        "    targets = _targets(symbol, left, old) | _targets(symbol, right, new)\n    if any(",
        "    targets = _targets(symbol, left, old)\n    if any(",
        missed="matters where one block is stored in another, which programs do not do; seen with some seeds",
    ),
    _engine(
        "join", "what both paths have released is forgotten", "join",
        "released = {key: value for key, value in old.released.items() if new.released.get(key) == value}",
        "released = {}",
    ),
    _engine(
        "join", "states meet whatever holds the resource", "keys",
        "return (int(state.own), state.shares, state.held_key(), state.released_at, frozenset(state.released))",
        "return (int(state.own), state.shares)",
    ),
    _engine(
        "join", "owned and released meet in one state", "keys",
        "return (int(state.own), state.shares, state.held_key(), state.released_at, frozenset(state.released))",
        "return (1, state.shares, state.held_key(), frozenset(state.released))",
    ),
    _engine(
        "split", "the way on which a condition is false learns nothing of it", "transfer",
        "if other.assume(value, ZERO):", "if True:",
    ),
    _engine(
        "split", "the default of a switch learns nothing of its cases", "transfer",
        "if state.assume(value, other):", "if True:",
    ),
    _engine(
        "split", "a case of a switch learns nothing of its value", "transfer",
        "if branch.assume(value, ((case.low, case.high),)):", "if True:",
    ),
    _engine(
        "split", "a call has only the first outcome of its contract", "calls",
        "for position, outcome in enumerate(contract.outcomes):\n            if position in skipped",
        "for position, outcome in enumerate(contract.outcomes[:1]):\n            if position in skipped",
    ),
    _engine(
        "split", "an outcome does not say what the call returns", "application",
        "        return state.assume(result, values)\n", "        return True\n",
    ),
    _engine(
        "split", "what a contract hands out perhaps is never null", "application",
        "        if not effect.maybe:\n            state.facts", "        if True:\n            state.facts",
        missed="programs seldom ask for the second thing of a call and lose the first by the answer",
    ),
    _engine(
        "alias", "a copy of a struct copies its first member alone", "access",
        "if not op.bits or distance < op.bits:", "if distance < 64:",
    ),
    _engine(
        "alias", "a copy of a struct overwrites nothing", "access",
        "            state.drop_range(target[0], target[1], op.bits)\n            if self._is_all",
        "            if self._is_all",
    ),
    _engine(
        "alias", "two pointers are different unless their values have one name", "state",
        "return self._precedes(one, other) or self._precedes(other, one)", "return True",
    ),
    _engine(
        "alias", "pointers found equal stay two", "facts",
        "        self.substitute(left, right)\n        return self.assume(right, common)", "        return True",
        missed="programs compare no pointers of which nothing is known, such as the caller's",
    ),
    _engine(
        "alias", "a variable keeps its value past its end", "transfer",
        "value = state.cells.pop(path)\n            if state.own is Own.OWNED and state.root",
        "value = state.cells[path]\n            if state.own is Own.OWNED and state.root",
    ),
    _engine(
        "alias", "a global holds nothing", "state",
        "        if isinstance(base, str):\n            return True\n",
        "        if isinstance(base, str):\n            return False\n",
    ),
    _engine(
        "alias", "a local whose address is taken dies with its last direct read", "liveness",
        "live_in = [frozenset(found) | always for found in live]", "live_in = [frozenset(found) for found in live]",
    ),
    _engine(
        "loop", "a loop is gone round once", "engine",
        "        if joined is not None:\n            entries",
        "        if joined is not None and not self.prepared.cyclic[block_id]:\n            entries",
    ),
    _engine(
        "loop", "what a loop acquires is the same in each round", "calls",
        "        if machine.cyclic:\n            created =", "        if False:\n            created =",
    ),
    _engine(
        "loop", "what a loop changes keeps the value of the first round", "join",
        "covered = widen(left_range, right_range) if widening else unite(left_range, right_range)",
        "covered = left_range",
    ),
    _engine(
        "loop", "an acquisition in a loop is followed in every round or in none", "application",
        "            if self.call.site.cyclic:\n                found.append",
        "            if False:\n                found.append",
    ),
    _engine(
        "loop", "the search for a path goes round no loop", "witness",
        "            if distance[target] >= NOWHERE or",
        "            if order[target] <= order[block_id] or distance[target] >= NOWHERE or",
    ),
    _engine(
        "refinement", "an alarm is believed without a path", "engine",
        "if witness is None:\n                    if result.met is not None:",
        'if witness is None:\n                    witness = Witness((), self.seen.holder, "", -1, ())\n'
        "                if False:\n                    if result.met is not None:",
    ),
    _engine(
        "refinement", "two states of a search are one though they know different things", "witness",
        "        frozenset(state.facts.items()),\n", "",
    ),
    _engine(
        "refinement", "two states of a search are one though different cells hold things", "witness",
        "        frozenset(state.cells.items()),\n", "",
    ),
    _engine(
        "refinement", "one alarm of a run is looked into", "engine",
        "            budget = self.limits.alarms\n", "            budget = 1\n",
    ),
    _engine(
        "summary", "what a helper does never depends on the numbers that it is given", "inference",
        "                return True\n        return False\n\n    def _is_number",
        "                return False\n        return False\n\n    def _is_number",
    ),
    _engine(
        "summary", "what a helper returns is never the caller's", "inference",
        "if term.root is Root.RET and not owned_result and not _is_in_record(term):", "if term.root is Root.RET:",
    ),
    _engine(
        "summary", "the results of a helper are not told apart", "inference",
        'return [from_relation("<", 0), ZERO, from_relation(">", 0)]', "return [FULL]",
    ),
    _engine(
        "summary", "null and other results of a helper are not told apart", "inference",
        "            return [ZERO, NONZERO]\n", "            return [FULL]\n",
        missed="what a helper returns is not null to its caller either way, and null is found by its test",
    ),
    _engine(
        "summary", "a helper that releases and leaves the address leaves nothing to look at", "inference",
        "if DEAD in kinds and kinds <= {DEAD, FAILED, 0}:", "if False:",
    ),
    _engine(
        "summary", "what a helper hands out perhaps, it always hands out", "inference",
        "maybe=inner or (term.root is Root.RET and bool(term.selectors)) or bool({0, FAILED} & kinds),", "maybe=False,",
        missed="helpers that set the caller's variable say by their result whether they did",
    ),
    _engine(
        "summary", "a helper only ever meets null behind its parameters", "inference",
        "        here = [ending for ending in followed.endings if cell.fits(ending)]\n",
        "        here = [ending for ending in followed.endings if cell.fits(ending) and not term.selectors]\n",
    ),
    _front("`a && b` is `a || b`", "conditions", 'if operator == "&&":', 'if operator == "||":'),
    _front(
        "`!` of a condition is lost", "conditions",
        "branch(body, children[0], no, yes, full)", "branch(body, children[0], yes, no, full)",
    ),
    _front(
        "`continue` is `break`", "loops", "body.continues.append(again)", "body.continues.append(out)",
    ),
    _front(
        "the body of `do` runs once", "loops",
        "body.branch(children[-1], again, out, full=True)", "body.branch(children[-1], out, out, full=True)",
    ),
    _front(
        "`continue` in `for` leaves out the step", "loops",
        "Exit(out, depth), Exit(step, depth))", "Exit(test, depth), Exit(test, depth))",
    ),
    _front(
        "only the first case of a `switch` is seen", "statements",
        "_dispatch(body, value, cases, default, complete, at)",
        "_dispatch(body, value, cases[:1], default, complete, at)",
    ),
    _front(
        "`goto` falls through", "statements",
        "    _leave_for(body, target, at)\n    body.builder.goto(goto_label(body, target), at)\n",
        "    _leave_for(body, target, at)\n    goto_label(body, target)\n",
    ),
    _engine(
        "values", "`n <= k` is `n < k`", "ranges",
        "return ((-INFINITY, number),)", "return ((-INFINITY, number - 1),)",
    ),
    _engine(
        "values", "not less is greater", "facts",
        'below, above = (">=", least(right_range)), ("<=", greatest(left_range))',
        'below, above = (">", least(right_range)), ("<", greatest(left_range))',
    ),
    _engine(
        "values", "what is left of a range begins one later", "ranges",
        "        start = high + 1\n", "        start = high + 2\n",
    ),
)  # fmt: skip
"""Every plant. The texts must stand in the modules exactly once; a test says which do not."""


class StaleError(Exception):
    """A plant's text does not stand in its module exactly once: the module has changed, so must the plant."""


def planted(plant: Plant, source: str) -> str:
    """The module's source with the mistake."""
    if source.count(plant.old) != 1:
        raise StaleError(f"{plant.module}: {source.count(plant.old)} times instead of once: {plant.old!r}")
    return source.replace(plant.old, plant.new)


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, plant: Plant) -> None:
        super().__init__(fullname, path)
        self.plant = plant

    def get_code(self, fullname: str):  # compiled from memory: no byte code of it is kept
        source = planted(self.plant, self.get_source(fullname) or "")
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.plant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return None
        spec.loader = _Loader(fullname, spec.origin, self.plant)
        return spec


def install(plant: Plant) -> None:
    """From here on the module is imported with the mistake."""
    if plant.module in sys.modules:
        raise RuntimeError(f"{plant.module} is imported already")
    sys.meta_path.insert(0, _Finder(plant))
