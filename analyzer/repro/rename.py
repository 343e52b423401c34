"""Neutral names: nothing that a case says tells whose program it is from.

Kept are the names of functions that the shipped packs describe, the types in their declarations, and of texts the
conversions (``%d``). A function of which only its name is known keeps the words of it that the engine goes by.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations
from typing import Any, final

from analyzer.contracts import ContractTable
from analyzer.contracts.model import (
    Effect,
    FunctionContract,
    Provenance,
    ResourceKind,
    Root,
    Signature,
    Term,
)
from analyzer.ir.function import BasicBlock, Function, FunctionDeclaration, GlobalVariable, Variable
from analyzer.ir.operands import ERRNO, DerefBase, Field, FunctionAddress, GlobalBase, LocalBase, Place, Str, Temp
from analyzer.ir.ops import Call, Load, Stop
from analyzer.ir.types import CType
from analyzer.ownership import borrowing
from analyzer.repro.case import Case
from analyzer.repro.tree import mapped

FILE, OTHER_FILE = "case.c", "other.c"
_CONVERSION = re.compile(r"%[^a-zA-Z%]*(?:hh|h|ll|l|L|j|z|t|m)*[a-zA-Z]")
_TYPE_NAME = re.compile(r"\((?:unnamed|anonymous)[^()]*\)|[A-Za-z_$][\w$]*")
_C_WORDS = """
    void char short int long float double signed unsigned _Bool bool _Complex const volatile restrict struct union
    enum __int128 _Float128 __float128 _Atomic size_t
"""
_PLAIN = frozenset(_C_WORDS.split())
_HINTS: tuple[Callable[[str], bool], ...] = (
    borrowing.name_suggests_taking,
    borrowing.name_suggests_observing,
    borrowing.name_suggests_ending,
    borrowing.name_suggests_asserting,
    borrowing.name_suggests_moving_bytes,
)


def renamed(case: Case, shipped: ContractTable) -> Case:
    """The case with neutral names and places. What it shows is the old function's still: look again."""
    return _Renaming(case, shipped).run()


@final
class _Names:
    """New names of one sort, handed out in the order of asking."""

    def __init__(self, letter: str, kept: Iterable[str] = ()) -> None:
        self._letter = letter
        self._new = {name: name for name in kept}
        self._count = 0

    def __call__(self, name: str, hinted: bool = False) -> str:
        if not name:
            return ""
        if name not in self._new:
            self._count += 1
            plain = f"{self._letter}{self._count}"
            self._new[name] = _with_hints(name, plain) if hinted else plain
        return self._new[name]


def _with_hints(name: str, plain: str) -> str:
    """A name of which the engine thinks as of this one: with the fewest of its words."""
    wanted = [hint(name) for hint in _HINTS]
    if [hint(plain) for hint in _HINTS] == wanted:
        return plain
    words = borrowing.words(name)
    for number in range(1, len(words) + 1):
        for chosen in combinations(words, number):
            for candidate in (f"{plain}_{'_'.join(chosen)}", f"{'_'.join(chosen)}"):
                if [hint(candidate) for hint in _HINTS] == wanted:
                    return candidate
    return name


@final
class _Renaming:
    def __init__(self, case: Case, shipped: ContractTable) -> None:
        self._case = case
        self._shipped = shipped
        calls = {op.name for block in case.function.blocks for op in block.ops if isinstance(op, Call) and op.name}
        public = {name for name in calls if name not in case.contracts and shipped.all_named(name)}
        packs = [contract for name in sorted(public) for contract in shipped.all_named(name)]
        known = {name for kind in shipped.kinds.values() for name in (*kind.releases, *kind.share)}
        self._unknown = {name for name in calls if name not in public and name not in case.contracts}
        self._functions = _Names("f", {"main", *public, *(name for name in known if name not in case.contracts)})
        self._types = _Names("t", _PLAIN | _types_of(case, public))
        terms = [term for contract in packs for term in _terms(contract)]
        self._fields = _Names("m", {_member(one) for term in terms for one in term.selectors if one.startswith(".")})
        self._globals = _Names("g", {ERRNO, *(term.name for term in terms if term.root is Root.GLOBAL)})
        self._texts = _Names("s")
        self._kinds = _Names("kind", set(shipped.kinds))
        self._public = public
        self._called_through = _called_through(case.function)

    def run(self) -> Case:
        """See `renamed`."""
        case = self._case
        function = self._function(case.function)
        declarations = [self._declaration(one) for one in case.declarations.values()]
        contracts = [mapped(self._without_source(one), self._change) for one in case.contracts.values()]
        kinds = [self._kind(one) for one in case.kinds.values()]
        return replace(
            case,
            function=function,
            declarations={one.name: one for one in declarations},
            globals={one.name: one for one in mapped(tuple(case.globals.values()), self._change)},
            contracts={one.name: one for one in contracts},
            kinds={one.name: one for one in kinds},
            defined=frozenset(self._function_name(name) for name in case.defined),
        )

    # -- the function

    def _function(self, function: Function) -> Function:
        function = _with_ranks(function)
        count: dict[bool, int] = {True: 0, False: 0}
        variables = []
        for index, variable in enumerate(function.locals):
            count[variable.parameter] += 1
            plain = f"{'p' if variable.parameter else 'v'}{count[variable.parameter]}"
            name = _with_hints(variable.name, plain) if index in self._called_through else plain
            variables.append(replace(variable, name=name))
        name = self._function_name(function.name)
        function = replace(
            function,
            name=name,
            linkage_name=f"{FILE}:{name}" if function.linkage_name != function.name else name,
            file=FILE,
            locals=tuple(variables),
            macros={},
            degraded=("statements are missing",) if function.degraded else (),
        )
        changed: Function = mapped(function, self._change)
        return changed

    def _change(self, value: Any) -> Any:  # noqa: ANN401, C901 - any part of the IR or of contracts
        match value:
            case CType():
                return replace(value, spelling=self._type(value.spelling), pointee=self._type(value.pointee))
            case Str():
                return Str(self._text(value.text))
            case FunctionAddress():
                return FunctionAddress(self._function_name(value.name))
            case GlobalBase():
                return GlobalBase(self._global(value.name))
            case Field():
                return Field(self._fields(value.name, value.name in self._called_through), value.offset)
            case Call() if value.name is not None:
                return replace(value, name=self._function_name(value.name))
            case Stop():
                return Stop(value.at, self._reason(value.reason))
            case Variable():
                return replace(value, cleanup=self._function_name(value.cleanup))
            case GlobalVariable():
                return replace(value, name=self._global(value.name))
            case Term():
                return replace(
                    value, selectors=tuple(map(self._selector, value.selectors)), name=self._global(value.name)
                )
            case Effect():
                return replace(value, by=self._function_name(value.by), resource=self._kinds(value.resource))
            case Signature():
                return replace(value, names=tuple(f"p{number}" for number, _ in enumerate(value.names, 1)))
            case FunctionContract():
                writes = tuple(name if name == "*" else self._global(name) for name in value.writes)
                return replace(value, name=self._function_name(value.name), writes=writes)
            case _:
                return value

    def _reason(self, reason: str) -> str:
        """``noreturn f``: with the function's new name."""
        word, space, name = reason.partition(" ")
        return f"{word} {self._function_name(name)}" if space and word == "noreturn" else reason

    # -- names

    def _function_name(self, name: str) -> str:
        return self._functions(name, name in self._unknown)

    def _type(self, spelling: str) -> str:
        return _TYPE_NAME.sub(lambda match: self._types(match[0]), spelling)

    def _text(self, text: str) -> str:
        if not text:
            return ""
        return self._texts(text) + "".join(f" {one}" for one in _CONVERSION.findall(text))

    def _global(self, name: str) -> str:
        """Names of static variables carry their file, and their function if they stand in one."""
        if ":" not in name:
            return self._globals(name)
        own = name.startswith(f"{self._case.function.file}:")
        inside = name.removeprefix(f"{self._case.function.file}:") if own else name.rpartition(":")[2]
        within = f"{self._functions(inside.partition(':')[0])}:" if ":" in inside else ""
        return f"{FILE if own else OTHER_FILE}:{within}{self._globals(name)}"

    def _selector(self, selector: str) -> str:
        if not selector.startswith(".") or selector.startswith(".["):
            return selector
        _, at, offset = selector.partition("@")
        return f".{self._fields(_member(selector))}{at}{offset}"

    # -- what the case says of others

    def _declaration(self, of: FunctionDeclaration) -> FunctionDeclaration:
        if of.name in self._public:
            return replace(of, file="", attributes=())
        named = replace(of, name=self._function_name(of.name), parameter_names=(), file="", attributes=())
        changed: FunctionDeclaration = mapped(named, self._change)
        return changed

    def _without_source(self, of: FunctionContract) -> FunctionContract:
        library = "" if of.provenance is Provenance.INFERRED else "project"
        return replace(
            of, library=library, source="", doc="", bytes="", since="", until="", replaces=(), declaration="", routes=()
        )

    def _kind(self, of: ResourceKind) -> ResourceKind:
        known = self._shipped.kinds.get(of.name)
        return replace(
            of,
            name=self._kinds(of.name),
            library=known.library if known else "project",
            releases=tuple(map(self._function_name, of.releases)),
            share=tuple(map(self._function_name, of.share)),
            noun=known.noun if known else "resource",
            source="",
        )


def _member(selector: str) -> str:
    return selector.removeprefix(".").partition("@")[0]


def _terms(contract: FunctionContract) -> Iterable[Term]:
    for outcome in contract.outcomes:
        yield from (atom.term for atom in outcome.when)
        yield from (term for effect in outcome.effects for term in (effect.term, effect.source) if term is not None)


def _types_of(case: Case, public: set[str]) -> set[str]:
    """The type names in the declarations of public functions."""
    found: set[str] = set()
    for name in public & case.declarations.keys():
        declaration = case.declarations[name]
        for ctype in (declaration.result, *declaration.parameters):
            found.update(_TYPE_NAME.findall(ctype.spelling), _TYPE_NAME.findall(ctype.pointee))
    return {name for name in found if not name.startswith("(")}


def _called_through(function: Function) -> set[int | str]:
    """Locals (by number) and members (by name) that hold a pointer through which something is called."""
    loads = {op.result: op.place for block in function.blocks for op in block.ops if isinstance(op, Load)}
    found: set[int | str] = set()
    for op in (op for block in function.blocks for op in block.ops if isinstance(op, Call)):
        place = loads.get(op.target) if isinstance(op.target, Temp) else None
        if place is not None:
            found |= set(_holder(place))
    return found


def _holder(place: Place) -> Iterable[int | str]:
    if place.selectors and isinstance(place.selectors[-1], Field):
        yield place.selectors[-1].name
    elif isinstance(place.base, LocalBase):
        yield place.base.index
    elif isinstance(place.base, DerefBase) and not place.selectors:
        return


def _with_ranks(function: Function) -> Function:
    """Offsets as small numbers, in the same order."""
    offsets = {function.at, function.end}

    def look(value: Any) -> Any:  # noqa: ANN401 - any part of the IR
        if hasattr(value, "at"):
            offsets.add(value.at)
        return value

    mapped((function.locals, function.blocks), look)
    rank = {offset: number for number, offset in enumerate(sorted(offsets), 1)}

    def changed(value: Any) -> Any:  # noqa: ANN401 - any part of the IR
        return replace(value, at=rank[value.at]) if hasattr(value, "at") else value

    blocks: tuple[BasicBlock, ...] = mapped(function.blocks, changed)
    return replace(
        function,
        at=rank[function.at],
        end=rank[function.end],
        locals=mapped(function.locals, changed),
        blocks=blocks,
    )
