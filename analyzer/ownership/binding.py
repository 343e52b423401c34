"""What becomes of data that goes to a function along with the function which it is given to.

``mnl_cb_run(buffer, n, 0, 0, visit, &context)``: the library hands `context` to visit(), and what visit() does with it
is known. An effect `PASS` of a contract stands for that; at a call it is replaced with what the function does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from analyzer.contracts.model import Effect, EffectKind, FunctionContract, Root, Term

OWN = -1  # the function is one that this one is given, too

_NOTHING = frozenset({EffectKind.UNCHANGED, EffectKind.BORROW, EffectKind.RETURN, EffectKind.INTERIOR})
_WRITES = frozenset(
    {
        EffectKind.WRITE,
        EffectKind.VALUE,
        EffectKind.NULL,
        EffectKind.BORROWED,
        EffectKind.STATIC,
        EffectKind.UNDEFINED,
        EffectKind.STORE,
    }
)

Target = str | int | None
"""A function's name; OWN; None: nobody knows; "": none."""


def bound(
    contract: FunctionContract, target: Callable[[Effect], Target], look_up: Callable[[str], FunctionContract | None]
) -> FunctionContract:
    """The contract with what the functions do that the call gives. target: the function that an effect speaks of."""
    passes = [e for outcome in contract.outcomes for e in outcome.effects if e.kind is EffectKind.PASS]
    if not passes:
        return contract
    found: dict[Effect, tuple[Effect, ...]] = {}
    writes, below = set(contract.writes), set(contract.below)
    for effect in passes:
        assert effect.term is not None
        name = target(effect)
        function = look_up(name) if isinstance(name, str) and name else None
        effects = tuple(_done(effect, function)) if function is not None else ()
        if name in ("", OWN):
            found[effect] = ()
        elif function is None or any(one.kind is EffectKind.OPAQUE for one in effects):
            found[effect] = (Effect(EffectKind.ESCAPE, effect.term),)
        else:
            found[effect] = effects
            writes.update(function.writes)
            below.update((effect.term.index,) if effect.value in function.below else ())
    outcomes = tuple(
        replace(outcome, effects=tuple(one for effect in outcome.effects for one in found.get(effect, (effect,))))
        for outcome in contract.outcomes
    )
    return replace(contract, outcomes=outcomes, writes=tuple(sorted(writes)), below=tuple(sorted(below)))


def _done(passed: Effect, function: FunctionContract) -> Iterator[Effect]:
    """What a function, called any number of times, does to what it is passed; OPAQUE: it may take it."""
    gone = Effect(EffectKind.OPAQUE)
    if passed.value >= len(function.signature.parameters):
        yield gone
        return
    for effect in dict.fromkeys(e for outcome in function.outcomes for e in outcome.effects):
        term = _moved(effect.term, passed)
        if effect.kind is EffectKind.OPAQUE or _moved(effect.source, passed) is not None:
            yield gone
        elif term is None or effect.kind in _NOTHING:
            continue
        elif not term.selectors:
            yield gone
        elif effect.kind is EffectKind.FRESH:
            yield replace(effect, term=term, maybe=True, optional=True)
        elif effect.kind in _WRITES:
            yield Effect(EffectKind.ESCAPE, term, maybe=True)
            yield Effect(EffectKind.WRITE, term)
        else:
            yield Effect(EffectKind.ESCAPE, term, maybe=True)


def _moved(term: Term | None, passed: Effect) -> Term | None:
    """The function's term as one of the call; None: it is about something else."""
    assert passed.term is not None
    if term is None or term.root is not Root.PARAM or term.index != passed.value:
        return None
    return replace(term, index=passed.term.index)
