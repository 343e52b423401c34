"""Where the values of a function's variables come from, followed through its operations.

The analysis proves that nothing is lost and that nothing is released twice. It does not mind a release of what was
never acquired: a member, the result of a function that nobody described. Nor does it see that a block is looked at
later through a pointer into it that a called function made. Both are asked here of each release that a fix adds, in the
operations of the changed function: on every way to it, whatever the conditions, its argument must come from
acquisitions (or be nothing at all), and what it releases must be held, returned or looked at by nobody afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.contracts.model import EffectKind, Root
from analyzer.fixes.spelling import Spelling
from analyzer.ir.function import Function, successors
from analyzer.ir.operands import DerefBase, Int, Operand, Place, Temp, Unknown
from analyzer.ir.ops import (
    AddressOf,
    Binary,
    Branch,
    Call,
    Clobber,
    Convert,
    CopyRecord,
    DeclareLocal,
    EndExpression,
    Load,
    Op,
    Return,
    ScopeEnd,
    Store,
    Unary,
    Zero,
)
from analyzer.ir.types import CType, TypeKind
from analyzer.ir.walk import defined_temp, places, terminator_operands

Token = tuple[str, int]
Values = frozenset[Token]
Key = tuple[int | str, ...]

_OWN: Final = "own"  # what was acquired at this offset
_INTO: Final = "into"  # a pointer into it, or into what belongs to it
_GONE: Final = {_OWN: "gone", _INTO: "gone into"}  # the same, once it has been released by what is in question
_LOCAL: Final = "local"  # the address of a local variable
_NOTHING: Final[Values] = frozenset({("nothing", 0)})
_OTHER: Final[Values] = frozenset({("other", 0)})
_TEXT: Final = frozenset(("char", "void", "unsigned char", "signed char"))


@final
@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a changed function.

    acquired: offset of each acquiring call -> whether it hands out through a parameter. lasting: those of them whose
    resource somebody keeps after the function. escapes: offsets of calls with which something goes out of sight; loose:
    that happens in a called function, too. spots: the pieces of text that are new, start and end. names: functions
    whose calls in there are the releases. place: what they release, as the program writes it; "" for their first
    arguments. number: it is a descriptor. deep: releasing it also releases what it holds. const_is_fine: no compiler
    minds that it points to what is const. handing_out: functions of the program that put nothing behind parameters but
    what they acquired.
    """

    acquired: Mapping[int, bool]
    lasting: frozenset[int]
    escapes: frozenset[int]
    loose: bool
    spots: tuple[tuple[int, int], ...]
    names: frozenset[str]
    place: str
    number: bool
    handing_out: frozenset[str]
    deep: bool
    const_is_fine: bool = True


@final
@dataclass(slots=True)
class _State:
    """held: local variables, their parts, and temporaries. kept: what is stored outside of the function, and where."""

    held: dict[Key, Values] = field(default_factory=dict)
    kept: frozenset[tuple[int, str]] = frozenset()

    def copy(self) -> _State:
        return _State(dict(self.held), self.kept)

    def join(self, other: _State) -> bool:
        """Takes in another state; whether that told anything new."""
        grown = False
        for key in {*self.held, *other.held}:
            both = self.read(key) | other.read(key)
            if both != self.held.get(key):
                self.held[key] = both
                grown = True
        grown = grown or not other.kept <= self.kept
        self.kept |= other.kept
        return grown

    def read(self, key: Key) -> Values:
        """What is there; a part that nobody wrote is what the whole is."""
        for length in range(len(key), 0, -1):
            found = self.held.get(key[:length])
            if found is not None:
                return found
        return _OTHER if key[0] != "t" else frozenset()

    def write(self, key: Key, values: Values) -> None:
        for part in [one for one in self.held if one[: len(key)] == key]:
            del self.held[part]
        self.held[key] = values

    def below(self, key: Key) -> Iterator[tuple[Key, Values]]:
        """The parts of a variable of which something is known."""
        yield from ((one, values) for one, values in self.held.items() if one[: len(key)] == key)


@final
class Provenance:
    """One function with one question. table: what library functions do. releases: how many of them were found."""

    def __init__(self, function: Function, question: Question, table: ContractTable) -> None:
        self._function = function
        self._question = question
        self._table = table
        self._spelling = Spelling(function)
        self._given: dict[str, set[int]] = {}  # function -> what calls of it were given pointers into
        self.releases = 0
        self._objections: set[str] = set()
        self._stored: dict[int, list[Key]] = {}
        for block in function.blocks:
            for op in block.ops:
                if isinstance(op, Store) and isinstance(op.value, Temp):
                    key = self._spelling.key(op.place)
                    if key is not None:
                        self._stored.setdefault(op.value.id, []).append(key)

    def objections(self) -> tuple[str, ...]:
        """Why a release must not stand where it does; () when nothing speaks against any."""
        known = -1
        while known != (known := sum(map(len, self._given.values()))):
            self._follow()
        return tuple(sorted(self._objections))

    def _follow(self) -> None:
        entry = _State({(index,): _OTHER for index in range(self._function.parameters)})
        entries: dict[int, _State] = {0: entry}
        waiting = [0]
        while waiting:
            number = waiting.pop()
            block = self._function.blocks[number]
            state = entries[number].copy()
            last = frozenset(one.id for one in terminator_operands(block.end) if isinstance(one, Temp))
            for op in block.ops:
                self._step(op, state, last)
            if isinstance(block.end, Return):
                self._returned(block.end, state)
            for target in successors(block.end):
                after = self._refined(block.end, target, state)
                known = entries.get(target)
                if known is None:
                    entries[target] = after.copy()
                    waiting.append(target)
                elif known.join(after) and target not in waiting:
                    waiting.append(target)

    def _refined(self, end: object, target: int, state: _State) -> _State:
        """The state behind a condition that says of a variable that it holds nothing."""
        if not isinstance(end, Branch) or end.if_true == end.if_false:
            return state
        keys, when = self._nothing_when(end.condition)
        if not keys or (target == end.if_true) != when:
            return state
        state = state.copy()
        for key in keys:
            state.write(key, _NOTHING)
        return state

    def _nothing_when(self, condition: Operand) -> tuple[list[Key], bool]:
        """The variables that hold nothing when the condition has this value."""
        if not isinstance(condition, Temp):
            return [], False
        match self._spelling.made.get(condition.id):
            case Unary(operator="!", operand=operand):
                keys, when = self._nothing_when(operand)
                return keys, not when
            case Convert(operand=operand):
                return self._nothing_when(operand)
            case Binary(operator="==" | "!=" as operator, left=left, right=Int() as value) if self._is_nothing(value):
                return self._keys(left), operator == "=="
            case Binary(operator="<" | ">=" as operator, left=left, right=Int(value=0)) if self._question.number:
                return self._keys(left), operator == "<"
            case _:
                return ([], False) if self._question.number else (self._keys(condition), False)

    def _keys(self, operand: Operand) -> list[Key]:
        """The variables whose value this is."""
        if not isinstance(operand, Temp):
            return []
        made = self._spelling.made.get(operand.id)
        key = self._spelling.key(made.place) if isinstance(made, Load) else None
        return [key] if key is not None else self._stored.get(operand.id, [])

    def _is_nothing(self, value: Int) -> bool:
        return value.value < 0 if self._question.number else value.value == 0

    # Operations

    def _step(self, op: Op, state: _State, last: frozenset[int]) -> None:
        self._look_behind(op, state)
        temp = defined_temp(op)
        if isinstance(op, Call):
            self._call(op, state)
        elif temp is not None:
            state.held["t", temp.id] = self._made(op, state)
        else:
            self._change(op, state, last)

    def _made(self, op: Op, state: _State) -> Values:
        """The result of an operation that is no call."""
        match op:
            case Load():
                return self._loaded(op, state)
            case AddressOf():
                return self._address(op.place, state)
            case Convert():
                return self._value(op.operand, state)
            case Binary(pointer=True):
                return _into(self._value(op.left, state)) | _OTHER
            case _:
                return _OTHER

    def _change(self, op: Op, state: _State, last: frozenset[int]) -> None:
        """What an operation without result does to the state. last: temporaries that the block's end needs."""
        match op:
            case Store():
                self._store(op.place, self._value(op.value, state), state)
            case CopyRecord():
                self._copy(op, state)
            case Zero():
                self._store(op.place, _NOTHING, state)
            case Clobber():
                self._store(op.place, _OTHER, state)
            case DeclareLocal():
                state.write((op.local,), _NOTHING)
            case ScopeEnd():
                gone = frozenset(op.locals)
                state.held = {key: values for key, values in state.held.items() if key[0] not in gone}
            case EndExpression():
                state.held = {key: one for key, one in state.held.items() if key[0] != "t" or key[1] in last}
            case _:
                pass

    def _value(self, operand: Operand, state: _State) -> Values:
        match operand:
            case Temp():
                return state.held.get(("t", operand.id), _OTHER)
            case Int():
                return _NOTHING if self._is_nothing(operand) else _OTHER
            case Unknown():
                return _OTHER
            case _:
                return _NOTHING  # of strings and functions the analysis knows that they are not to be released

    def _pointer(self, place: Place, state: _State) -> Values:
        """What the pointer holds that leads to a place; nothing for a variable."""
        return self._value(place.base.pointer, state) if isinstance(place.base, DerefBase) else frozenset()

    def _look_behind(self, op: Op, state: _State) -> None:
        """A pointer into what is released already must not be followed."""
        for place in places(op):
            if not isinstance(op, AddressOf):
                self._not_gone(self._pointer(place, state), _GONE[_INTO])

    def _not_gone(self, values: Values, *kinds: str) -> None:
        if any(True for _ in _offsets(values, *kinds)):
            self._objections.add("what is released is used afterwards")

    def _loaded(self, op: Load, state: _State) -> Values:
        key = self._spelling.key(op.place)
        if key is not None:
            return state.read(key)
        path = self._spelling.text(op.place)
        found = {(_OWN, at) for at, where in state.kept if where == path}
        if self._question.deep and op.type.kind is TypeKind.POINTER:
            found |= _into(self._pointer(op.place, state))
        return _OTHER | found

    def _address(self, place: Place, state: _State) -> Values:
        key = self._spelling.key(place)
        if key is not None:
            return frozenset({(_LOCAL, int(key[0]))})
        return _into(self._pointer(place, state)) | _OTHER

    def _store(self, place: Place, values: Values, state: _State) -> None:
        key = self._spelling.key(place)
        if key is not None:
            state.write(key, values)
            return
        pointer = self._pointer(place, state)
        for _, local in (token for token in pointer if token[0] == _LOCAL):
            state.held[local,] = state.read((local,)) | values
        path = self._spelling.text(place)
        state.kept = frozenset(one for one in state.kept if one[1] != path)
        self._not_gone(values, _GONE[_INTO])
        self._keep(_offsets(values, _OWN, _INTO), pointer, isinstance(place.base, DerefBase), path, state)

    def _keep(self, offsets: Iterable[int], keeper: Values, behind: bool, path: str, state: _State) -> None:
        """Something is stored in memory that is no local variable. behind: a pointer leads there; what it holds."""
        for at in offsets:
            mine = {at} | set(self._question.acquired) - self._question.lasting
            if behind and all(kind in ("nothing", _LOCAL) or (kind != "other" and x in mine) for kind, x in keeper):
                continue  # it goes with that memory, which the function knows
            state.kept |= {(at, path)}

    def _copy(self, op: CopyRecord, state: _State) -> None:
        source, target = self._spelling.key(op.source), self._spelling.key(op.target)
        parts = list(state.below(source)) if source is not None else []
        if target is not None:
            state.write(target, state.read(source) if source is not None else _OTHER)
            for key, values in parts:
                state.held[(*target, *key[len(source or ()) :])] = values
        else:
            offsets = [at for _, values in parts for at in _offsets(values, _OWN, _INTO)]
            behind = isinstance(op.target.base, DerefBase)
            self._keep(offsets, self._pointer(op.target, state), behind, self._spelling.text(op.target), state)

    def _returned(self, end: Return, state: _State) -> None:
        values = self._value(end.value, state) if end.value is not None else frozenset()
        key = self._spelling.key(end.record) if end.record is not None else None
        parts = [one for _, one in state.below(key)] if key is not None else []
        for one in (values, *parts):
            self._not_gone(one, *_GONE.values())

    # Calls

    def _call(self, op: Call, state: _State) -> None:
        values = [self._value(argument, state) for argument in op.arguments]
        if op.name in self._question.names and any(a <= op.at < b for a, b in self._question.spots):
            self._release(op, values, state)
            return
        touched = {at for one in values for at in _offsets(one, _OWN, _INTO)}
        self._not_gone(frozenset[Token]().union(*values), _GONE[_INTO])
        self._kept_by(op, values, touched, state)
        around = self._given.setdefault(op.name, set()) if op.name else set()
        inside = {at for one in values for at in self._inside(one, state)}
        # strtok(NULL, ",") goes on in what the call before was given
        into = {(_INTO, at) for at in touched | inside or around if self._may_point(op, values, at)}
        around |= {at for _, at in into}
        for index, argument in enumerate(op.arguments):
            self._written(op, index, argument, frozenset(into), state)
        if op.at in self._question.acquired:
            state.kept = frozenset(one for one in state.kept if one[0] != op.at)
        if op.record_result is not None:
            own = frozenset({(_OWN, op.at)}) if op.at in self._question.acquired else _OTHER
            self._store(op.record_result, own, state)
        if op.result is None:
            return
        if self._question.acquired.get(op.at) is False:
            state.held["t", op.result.id] = frozenset({(_OWN, op.at)})
        elif op.result_type.kind is TypeKind.POINTER:
            state.held["t", op.result.id] = self._same(op, values) or (_OTHER | into)
        else:
            state.held["t", op.result.id] = _OTHER

    def _same(self, op: Call, values: list[Values]) -> Values:
        """For functions that return an argument: what that is."""
        for contract in self._table.all_named(op.name or "")[:1]:
            effects = [effect for outcome in contract.outcomes for effect in outcome.effects]
            back = {e.term.index for e in effects if e.kind is EffectKind.RETURN and e.term and not e.term.selectors}
            if len(back) == 1 and all(any(e.kind is EffectKind.RETURN for e in o.effects) for o in contract.outcomes):
                index = back.pop()
                return values[index] if index < len(values) else frozenset()
        return frozenset()

    def _may_point(self, op: Call, values: list[Values], at: int) -> bool:
        """Whether what a call makes of a resource may point into it: into text there is nothing but text."""
        if self._question.number:
            return False
        given = [
            kind
            for kind, one in zip(op.argument_types, values, strict=False)
            if at in _offsets(one, _OWN, _INTO) and kind.kind is TypeKind.POINTER
        ]
        text = bool(given) and all(_pointee(kind) == "char" for kind in given)
        result = op.result_type
        return not text or result.kind is not TypeKind.POINTER or _pointee(result) in _TEXT

    def _kept_by(self, op: Call, values: list[Values], touched: set[int], state: _State) -> None:
        """What a function is known to keep a pointer to, or is out of sight from here."""
        known = self._table.all_named(op.name or "")
        if op.at in self._question.escapes or (self._question.loose and not known):
            inside = {at for one in values for at in self._inside(one, state)}
            state.kept |= {(at, f"@{op.at}") for at in touched | inside}
        effects = [effect for contract in known[:1] for outcome in contract.outcomes for effect in outcome.effects]
        for effect in effects:
            term = effect.term
            if effect.kind is EffectKind.KEEP and term and term.root is Root.PARAM and term.index < len(values):
                others = [
                    one
                    for index, one in enumerate(values)
                    if index != term.index and op.argument_types[index].kind is TypeKind.POINTER
                ]
                keeper = frozenset[Token]().union(*others)
                kept = _offsets(values[term.index], _OWN, _INTO)
                self._keep(kept, keeper, bool(others), f"@{op.at}", state)

    def _inside(self, values: Values, state: _State) -> Iterator[int]:
        """The resources that lie in local variables whose address this may be."""
        for kind, local in values:
            if kind == _LOCAL:
                for _, one in state.below((local,)):
                    yield from _offsets(one, _OWN, _INTO)

    def _written(self, op: Call, index: int, argument: Operand, into: Values, state: _State) -> None:
        """What a function may write into a variable whose address it is given."""
        made = self._spelling.made.get(argument.id) if isinstance(argument, Temp) else None
        key = self._spelling.key(made.place) if isinstance(made, AddressOf) else None
        if key is None or op.argument_types[index].pointee_const:
            return
        before = state.read(key)
        if self._question.acquired.get(op.at):
            known = bool(self._table.all_named(op.name or "")) or op.name in self._question.handing_out
            state.held[key] = before | {(_OWN, op.at)} | (frozenset[Token]() if known else _OTHER)
        elif op.name not in self._table.releasing_names:
            # What holds a resource and nothing else is followed by the analysis: it would see it overwritten.
            for part, held in [(key, before), *state.below(key)]:
                if not all(kind == _OWN for kind, _ in held):
                    state.held[part] = held | (into if self._is_pointer(part) else frozenset()) | _OTHER

    def _is_pointer(self, key: Key) -> bool:
        """Whether it is a variable that can hold a pointer, or a part of one that is no simple variable."""
        local = self._function.locals[int(key[0])]
        return len(key) > 1 or local.type.kind in (TypeKind.POINTER, TypeKind.RECORD)

    def _release(self, op: Call, values: list[Values], state: _State) -> None:
        self.releases += 1
        texts = [self._argument(argument) for argument in op.arguments]
        index = texts.index(self._question.place) if self._question.place in texts else 0
        if not texts or (index == 0 and len(texts) > 1 and self._question.place not in ("", texts[0])):
            self._objections.add("the release is written in a way that cannot be followed")
            return
        if not self._question.const_is_fine and self._drops_const(op, index):
            self._objections.add(f"`{texts[index]}` points to what is const")
        key, held = self._variable(op.arguments[index]), values[index]
        if key is not None:
            held = state.read(key)
            if any(kind in ("other", _INTO, _GONE[_INTO]) for kind, _ in held):
                self._objections.add(f"`{texts[index]}` may hold something that was not acquired here")
        offsets = frozenset(_offsets(held, _OWN))
        if any(at in offsets and where != texts[index] for at, where in state.kept):
            self._objections.add("somebody else may hold what is released")
        for name, one in state.held.items():
            if any(at in offsets for at in _offsets(one, _OWN, _INTO)):
                state.held[name] = frozenset((_GONE.get(kind, kind) if at in offsets else kind, at) for kind, at in one)

    def _drops_const(self, op: Call, index: int) -> bool:
        argument = op.arguments[index]
        made = self._spelling.made.get(argument.id) if isinstance(argument, Temp) else None
        return isinstance(made, Load) and made.type.pointee_const and not op.argument_types[index].pointee_const

    def _argument(self, operand: Operand) -> str:
        """How the program writes a place whose value or address is passed."""
        made = self._spelling.made.get(operand.id) if isinstance(operand, Temp) else None
        return self._spelling.text(made.place) if isinstance(made, Load | AddressOf) else ""

    def _variable(self, operand: Operand) -> Key | None:
        """The local variable whose value or address is passed."""
        made = self._spelling.made.get(operand.id) if isinstance(operand, Temp) else None
        return self._spelling.key(made.place) if isinstance(made, Load | AddressOf) else None


def _offsets(values: Values, *kinds: str) -> Iterator[int]:
    return (at for kind, at in values if kind in kinds)


def _into(values: Values) -> Values:
    gone = frozenset((_GONE[_INTO], at) for at in _offsets(values, *_GONE.values()))
    return gone | {(_INTO, at) for at in _offsets(values, _OWN, _INTO)}


def _pointee(type_: CType) -> str:
    return type_.pointee.replace("const ", "").strip()
