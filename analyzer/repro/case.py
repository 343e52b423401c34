"""A case: a function, all that the engine asks about it, and what the engine then says; as text and back.

    ; comments
    case 1
    shows {"at": 5, "slot": "*buf", "verdict": "leaked", "events": ["leak-exit"], "ways": []}
    declare [...]
    contract [...]
    function f1
    ...

A line is a word and a JSON value; from the line `function` on it is the IR as `mustfree dump ir` prints it. What the
shipped packs say of a function is not repeated: it is looked up when the case is run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, final

from analyzer.cache import CodecError, codec
from analyzer.cache.codec import dumps
from analyzer.contracts import ContractTable
from analyzer.contracts.model import FunctionContract, Provenance, ResourceKind
from analyzer.contracts.table import Match
from analyzer.contracts.text import contract_lines
from analyzer.errors import IrError, MustfreeError
from analyzer.ir.function import Function, FunctionDeclaration, GlobalVariable, TranslationUnit
from analyzer.ir.operands import Int
from analyzer.ir.text import parse_function, print_function
from analyzer.ir.types import CType
from analyzer.ir.validate import validate
from analyzer.ownership.limits import Limits

FORMAT = 1
HEAD = """\
; A case of mustfree: one function, reduced as long as the tool says the same of it, and with neutral names;
; functions that the shipped packs describe keep theirs. Read it before you give it away.
; Run it again: mustfree repro --check FILE
"""


@final
@dataclass(frozen=True, slots=True)
class Shown:
    """What the engine says of one acquisition, or of one mistake that is about none.

    at: offset of the acquiring call, or of the mistake. slot: where the resource comes out, "" without an acquisition.
    verdict: how it ends, "" without an acquisition. events: kinds of the mistakes with it, sorted.
    ways: where there is no mistake, the ownership states in which each way out of the function is reached, in the
        order of the ways' places.
    """

    at: int
    slot: str
    verdict: str
    events: tuple[str, ...]
    ways: tuple[str, ...] = ()

    def says(self) -> str:
        """In words."""
        what = f"{self.slot} ends as: {self.verdict}" if self.verdict else "a mistake"
        return f"offset {self.at}: {what}" + (f" ({', '.join(self.events)})" if self.events else "")


@final
@dataclass(frozen=True)
class Case:
    """A function with all that the engine asks about it.

    declarations, globals: those that it mentions; a global's name is the one in the IR.
    contracts: of callees, where no shipped pack says the same.
    kinds: resource kinds that the packs do not have, or not so. defined: callees that the program defines.
    lends: functions of which nothing is known borrow. limits: the engine's. shown: what is to be seen.
    """

    function: Function
    declarations: Mapping[str, FunctionDeclaration] = field(default_factory=dict)
    globals: Mapping[str, GlobalVariable] = field(default_factory=dict)
    contracts: Mapping[str, FunctionContract] = field(default_factory=dict)
    kinds: Mapping[str, ResourceKind] = field(default_factory=dict)
    defined: frozenset[str] = frozenset()
    lends: bool = False
    limits: Limits = field(default_factory=Limits)
    shown: tuple[Shown, ...] = ()

    def unit(self) -> TranslationUnit:
        """A unit that has just the function."""
        return TranslationUnit(self.function.file, (self.function,), self.declarations, self.globals)


@final
class CaseContracts:
    """The contracts with which a case is analysed: its own, then those of the shipped packs."""

    def __init__(self, case: Case, shipped: ContractTable) -> None:
        self._case = case
        self._shipped = shipped
        self.lends = case.lends

    @cached_property
    def kinds(self) -> Mapping[str, ResourceKind]:
        """Resource kinds by name."""
        return {**self._shipped.kinds, **self._case.kinds}

    def lookup(self, declaration: FunctionDeclaration, defined_in_program: bool) -> Match:
        """The contract for a call of the declared function."""
        contract = self._case.contracts.get(declaration.name)
        if contract is None:
            return self._shipped.lookup(declaration, defined_in_program)
        return Match(contract, "inferred" if contract.provenance is Provenance.INFERRED else "project")


# -- as text


def case_text(case: Case) -> str:
    """The case as a file."""
    lines = [f"case {FORMAT}"]
    lines += [f"shows {json.dumps(asdict(one))}" for one in case.shown]
    if case.limits != Limits():
        lines.append(f"limits {json.dumps(asdict(case.limits))}")
    if case.lends:
        lines.append("lends true")
    lines += [f"defined {json.dumps(name)}" for name in sorted(case.defined)]
    lines += [f"declare {codec(FunctionDeclaration).text(one)}" for _, one in sorted(case.declarations.items())]
    lines += [f"global {_global_text(one)}" for _, one in sorted(case.globals.items())]
    lines += [f"kind {codec(ResourceKind).text(one)}" for _, one in sorted(case.kinds.items())]
    for _, contract in sorted(case.contracts.items()):
        lines += [f"; {line}" for line in contract_lines(contract)]
        lines.append(f"contract {codec(FunctionContract).text(contract)}")
    return HEAD + "\n".join(lines) + "\n" + print_function(case.function)


def _global_text(of: GlobalVariable) -> str:
    numbers = {at: value.value for at, value in of.initial.items() if isinstance(value, Int)}
    return dumps([of.name, codec(CType).value(of.type), of.constant, of.zeroed, sorted(numbers.items())])


def _global(value: Any) -> GlobalVariable:  # noqa: ANN401 - JSON
    name, of, constant, zeroed, numbers = value
    initial = {int(at): Int(int(number)) for at, number in numbers}
    return GlobalVariable(str(name), codec(CType).read(of), bool(constant), initial, bool(zeroed))


def read_case(text: str, shown: str) -> Case:
    """The case that a text is. shown: its file's name in messages. MustfreeError: it is none."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("function ")), len(lines))
    head = _Head(shown)
    for number, line in enumerate(lines[:start], 1):
        head.line(number, line)
    if head.number is None:
        raise MustfreeError(f"{shown}:1: no case: it has no line `case {FORMAT}`; `mustfree repro` writes cases")
    try:
        function = parse_function("\n".join([""] * start + lines[start:]))
    except IrError as error:
        place, _, what = str(error).removeprefix("line ").partition(": ")
        raise MustfreeError(f"{shown}:{place}: {what}; write the case again with `mustfree repro`") from error
    defects = validate(function)
    if defects:
        raise MustfreeError(f"{shown}:{start + 1}: {defects[0]}; write the case again with `mustfree repro`")
    return Case(function, **head.found())


@final
class _Head:
    """The lines before the function."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self.number: int | None = None
        self._seen: list[Shown] = []
        self._limits = Limits()
        self._lends = False
        self._defined: list[str] = []
        self._declarations: list[FunctionDeclaration] = []
        self._globals: list[GlobalVariable] = []
        self._kinds: list[ResourceKind] = []
        self._contracts: list[FunctionContract] = []
        self._words: Mapping[str, Callable[[Any], None]] = {
            "case": self._case,
            "shows": lambda value: self._seen.append(_shown(value)),
            "limits": self._read_limits,
            "lends": self._read_lends,
            "defined": lambda value: self._defined.append(str(value)),
            "declare": lambda value: self._declarations.append(codec(FunctionDeclaration).read(value)),
            "global": lambda value: self._globals.append(_global(value)),
            "kind": lambda value: self._kinds.append(codec(ResourceKind).read(value)),
            "contract": lambda value: self._contracts.append(codec(FunctionContract).read(value)),
        }

    def line(self, number: int, line: str) -> None:
        """Take in one line."""
        if not line.strip() or line.startswith(";"):
            return
        word, _, rest = line.partition(" ")
        if word not in self._words:
            raise MustfreeError(f"{self._shown}:{number}: `{word}` is no word of a case; see docs/repro.md")
        try:
            self._words[word](json.loads(rest))
        except (CodecError, ValueError, TypeError, KeyError) as error:
            remedy = "write the case again with `mustfree repro` of this version"
            raise MustfreeError(f"{self._shown}:{number}: not readable as `{word}`: {error}; {remedy}") from error

    def found(self) -> dict[str, Any]:
        """All but the function, by the names of the case's fields."""
        return {
            "declarations": _by_name(self._declarations),
            "globals": _by_name(self._globals),
            "contracts": _by_name(self._contracts),
            "kinds": _by_name(self._kinds),
            "defined": frozenset(self._defined),
            "lends": self._lends,
            "limits": self._limits,
            "shown": tuple(self._seen),
        }

    def _case(self, value: Any) -> None:  # noqa: ANN401 - JSON
        if value != FORMAT:
            raise ValueError(f"format {value!r} is not {FORMAT}")
        self.number = FORMAT

    def _read_limits(self, value: Any) -> None:  # noqa: ANN401 - JSON
        self._limits = Limits(**{str(name): int(number) for name, number in value.items()})

    def _read_lends(self, value: Any) -> None:  # noqa: ANN401 - JSON
        self._lends = bool(value)


def _shown(value: Any) -> Shown:  # noqa: ANN401 - JSON
    texts = [tuple(str(item) for item in value[key]) for key in ("events", "ways")]
    return Shown(int(value["at"]), str(value["slot"]), str(value["verdict"]), *texts)


def _by_name(items: Iterable[Any]) -> dict[str, Any]:
    return {item.name: item for item in items}
