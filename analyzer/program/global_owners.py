"""Variables of static storage that own something which nothing in the whole program ever releases.

A quick look at every function, on the silent side: what is read from such a variable, or from below it, spreads along
copies; where it arrives at a call that may do more than borrow, in memory, or in a returned value, the variable is
*loose*: somebody may release what it holds. What the engine says is held by a variable that no function makes loose, is
never released.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import final

from analyzer.contracts.model import EffectKind, Root
from analyzer.findings.model import Acquisition, Notice, NoticeKind, Verdict
from analyzer.ir.operands import DerefBase, GlobalBase, LocalBase, Operand, Place, Temp
from analyzer.ir.ops import AddressOf, Binary, Call, Clobber, Convert, CopyRecord, Load, Op, Return, Store, Unary
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.memory import is_lent
from analyzer.ownership.prepared import Prepared

_PASSES_ON = frozenset(
    {
        EffectKind.RELEASE,
        EffectKind.TAKE,
        EffectKind.ESCAPE,
        EffectKind.KEEP,
        EffectKind.SHARE,
        EffectKind.STORE,
        EffectKind.OPAQUE,
    }
)
_ALIASES = frozenset({EffectKind.RETURN, EffectKind.INTERIOR})
_GAPS = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT, NoticeKind.SKIPPED)
_NONE: frozenset[str] = frozenset()


def loose_globals(prepared: Prepared, text: bytes, unit: str) -> frozenset[str]:
    """The variables whose contents this function may release or hand on.

    text: the function's source; unit: path of the file it is read with. A function that may have lost statements makes
    every variable loose that its text mentions.
    """
    function = prepared.function
    if not function.degraded:
        return _Flow(prepared).run()
    words = {word.decode() for word in re.findall(rb"[A-Za-z_]\w*", text)}
    places = ("", f"{unit}:", f"{function.file}:", f"{unit}:{function.name}:", f"{function.file}:{function.name}:")
    return frozenset(place + word for place in places for word in words)


@final
class _Flow:
    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._temps: dict[int, frozenset[str]] = {}
        self._locals: dict[int, frozenset[str]] = {}
        self._loose: set[str] = set()
        self._changed = True

    def run(self) -> frozenset[str]:
        blocks = self._prepared.function.blocks
        while self._changed:
            self._changed = False
            for block in blocks:
                for op in block.ops:
                    self._operation(op)
        for block in blocks:
            if isinstance(block.end, Return):
                if block.end.value is not None:
                    self._loose |= self._of(block.end.value)
                if block.end.record is not None:
                    self._loose |= self._behind(block.end.record)
        return frozenset(self._loose)

    def _of(self, operand: Operand) -> frozenset[str]:
        return self._temps.get(operand.id, _NONE) if isinstance(operand, Temp) else _NONE

    def _behind(self, place: Place) -> frozenset[str]:
        match place.base:
            case GlobalBase(name=name):
                return frozenset((name,))
            case LocalBase(index=index):
                return self._locals.get(index, _NONE)
            case DerefBase(pointer=pointer):
                return self._of(pointer)

    def _give(self, table: dict[int, frozenset[str]], key: int, names: frozenset[str]) -> None:
        known = table.get(key, _NONE)
        if not names <= known:
            table[key] = known | names
            self._changed = True

    def _operation(self, op: Op) -> None:
        match op:
            case Load(result=result, place=place) if _may_own(op.type):
                self._give(self._temps, result.id, self._behind(place))
            case AddressOf(result=result, place=place):
                self._give(self._temps, result.id, self._behind(place))
            case Unary(result=result, operand=operand) | Convert(result=result, operand=operand):
                self._give(self._temps, result.id, self._of(operand))
            case Binary(result=result, left=left, right=right):
                if op.operator not in ("==", "!=", "<", "<=", ">", ">="):
                    self._give(self._temps, result.id, self._of(left) | self._of(right))
            case Store(place=place, value=value):
                self._stored(place, self._of(value))
            case CopyRecord(target=target, source=source):
                self._stored(target, self._behind(source))
            case Call():
                self._called(op)
            case Clobber(place=place):
                self._loose |= self._behind(place)
            case _:
                pass

    def _stored(self, place: Place, names: frozenset[str]) -> None:
        """Kept in a local it is still followed; kept in the variable itself it stays where it was."""
        if isinstance(place.base, LocalBase):
            self._give(self._locals, place.base.index, names)
        else:
            self._loose |= names - self._behind(place)

    def _called(self, op: Call) -> None:
        site = self._prepared.calls[id(op)]
        contract = site.contract
        for position, argument in enumerate(op.arguments):
            names = self._of(argument)
            if not names:
                continue
            if contract is None:
                if not is_lent(site, position):
                    self._loose |= names
                continue
            for outcome in contract.outcomes:
                for effect in outcome.effects:
                    for term in (effect.term, effect.source):
                        if term is None or term.root is not Root.PARAM or term.index != position:
                            continue
                        if effect.kind in _PASSES_ON:
                            self._loose |= names
                        elif effect.kind in _ALIASES and op.result is not None:
                            self._give(self._temps, op.result.id, names)
            if any(e.kind is EffectKind.OPAQUE for o in contract.outcomes for e in o.effects):
                self._loose |= names


def _may_own(ctype: CType) -> bool:
    """Whether a value of the type can be a pointer or a descriptor, or hold one."""
    return ctype.kind is not TypeKind.INT or ctype.bits in (0, 32, 64)


def whole_program_gaps(notices: Iterable[Notice], has_main: bool) -> tuple[str, ...]:
    """Why the whole program was not seen, as sentences; () when it was."""
    gaps = [] if has_main else ["no main() is defined in these files"]
    files = {notice.file for notice in notices if notice.kind in _GAPS and not _over_budget(notice)}
    if files:
        gaps.append(f"{len(files)} file{'s were' if len(files) > 1 else ' was'} not analysed: {min(files)}")
    return tuple(gaps)


def _over_budget(notice: Notice) -> bool:
    """A function that was too much for the engine was read all the same."""
    return notice.kind is NoticeKind.NOT_ANALYSED and notice.message.startswith("analysed in part")


def global_owners(acquisitions: Iterable[Acquisition], loose: frozenset[str]) -> tuple[Acquisition, ...]:
    """Those acquisitions that variables hold which nothing ever releases."""
    return tuple(one for one in acquisitions if one.verdict is Verdict.HELD and one.held and loose.isdisjoint(one.held))
