"""A function made ready for the engine: the data types. Made in prepare.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, final

from analyzer.contracts.model import Effect, FunctionContract, ResourceKind
from analyzer.ir.function import Function, FunctionDeclaration, successors
from analyzer.ir.inline import Expansion
from analyzer.ir.operands import Operand, Temp
from analyzer.ir.ops import (
    Call,
    Op,
    ScopeEnd,
)
from analyzer.ir.types import CType, TypeKind
from analyzer.ownership.returned import Returned

NOWHERE = 1 << 30  # distance where there is no way


class Match(Protocol):
    """What the contract table answers."""

    @property
    def contract(self) -> FunctionContract | None:
        """The contract that applies, if any."""

    @property
    def by(self) -> str:
        """What it matched by: "project", "signature", "name" or ""."""

    @property
    def mismatch(self) -> str:
        """Why a contract of that name does not apply, "" when there is none."""


class Contracts(Protocol):
    """The part of the contract table the engine asks."""

    @property
    def kinds(self) -> Mapping[str, ResourceKind]:
        """Resource kinds by name."""

    @property
    def lends(self) -> bool:
        """Whether a function of which nothing is known borrows what it is given."""

    def lookup(self, declaration: FunctionDeclaration, defined_in_program: bool) -> Match:
        """The contract for a call of the declared function."""


@final
@dataclass(slots=True)
class Spot:
    """A flattened place. Exactly one of local, glob, pointer is set; indices: symbolic (operand, bits,
    elements of the array or 0)."""

    local: int = -1
    glob: str = ""
    pointer: Operand | None = None
    offset: int = 0
    indices: tuple[tuple[Operand, int, int], ...] = ()
    text: str = ""
    whole: bool = True


@final
@dataclass(slots=True)
class CallSite:
    """A call with everything that can be known before running.

    key: tells it from all other calls of the function, also from those that the same macro makes at one place.
    """

    op: Call
    contract: FunctionContract | None
    by: str
    declaration: FunctionDeclaration | None
    texts: tuple[str, ...]
    cyclic: bool
    record_result: Spot | None
    key: int = -1
    lends: bool = False  # nothing is known of it, and the project says that such functions borrow
    passed: frozenset[int] = frozenset()  # positions of own parameters in a call of another one, see `passes`
    through: str = ""  # for a call through a pointer: the name of the variable or member that holds it


@final
@dataclass(slots=True)
class Prepared:
    """A function ready to be run. Lists are indexed by block id."""

    function: Function
    order: list[int]
    cyclic: list[bool]
    live_in: list[frozenset[int]]
    live_temps_out: list[frozenset[int]]
    temps_after: dict[tuple[int, int], frozenset[int]]
    expansion: Expansion
    spots: dict[int, Spot] = field(default_factory=dict)
    calls: dict[int, CallSite] = field(default_factory=dict)
    targets: dict[int, dict[str, CallSite]] = field(default_factory=dict)  # of calls through pointers, by function
    distances: dict[int, list[int]] = field(default_factory=dict)
    temp_text: dict[int, str] = field(default_factory=dict)
    name_only: list[tuple[int, str, str]] = field(default_factory=list)
    constants: dict[tuple[str, int], int] = field(default_factory=dict)
    zeroed: set[str] = field(default_factory=set)  # constant global variables that are zero
    statics: dict[str, str] = field(default_factory=dict)  # the file's static variables: name in C -> name in the IR
    acquiring: dict[int, tuple[int, ...]] = field(default_factory=dict)  # key of a call -> what it gives when it fails
    not_ours: frozenset[int] = frozenset()  # keys of calls that return what nobody may release
    ends_soon: list[bool] = field(default_factory=list)  # blocks from which a few others lead to the process's end
    releasing: Mapping[int, str] = field(default_factory=dict)  # see inlining.py
    aliases: dict[int, str] = field(default_factory=dict)  # parameters of bodies inside -> what they are given
    results: dict[int, str] = field(default_factory=dict)  # locals that hold what a call returned -> "make()"
    is_main: bool = False
    merges: list[bool] = field(default_factory=list)
    array_texts: set[str] = field(default_factory=set)
    release_locals: tuple[int, ...] = ()
    defined: frozenset[str] = frozenset()
    returned: Returned = field(default_factory=Returned)
    counters: tuple[int, ...] = ()  # see counters.py
    by_value: frozenset[int] = frozenset()  # records passed by value and only read: see `by_value_base`
    asked_again: frozenset[int] = frozenset()  # keys of calls with the same text of which there are several
    untested: frozenset[int] = (
        frozenset()
    )  # keys of calls that return a part of an argument, where nobody asks if they do
    asked: Mapping[int, frozenset[int]] = field(
        default_factory=dict
    )  # parameter that is a pointer -> see `asks_before`
    passes: set[Effect] = field(default_factory=set)  # parameters that go to the function which another one holds
    asked_texts: frozenset[str] = frozenset()  # what the function itself compares, bodies inside left out
    only_tested: frozenset[int] = frozenset()  # keys of calls whose result is compared at most, and never kept
    tests_errno: bool = False  # it sets errno, or asks whether it is 0
    makes_gaps: bool = False  # it releases descriptors by their number, or all of them in a loop
    written: tuple[tuple[int, int], ...] = ()
    member_names: dict[tuple[int, int], str] = field(default_factory=dict)

    def local_name(self, index: int) -> str:
        """What a reader calls the local: by the call where it holds the struct that a call returned."""
        return self.results.get(index) or self.aliases.get(index) or self.function.locals[index].name

    def block_of(self, op: Op) -> int:
        """The block that holds this very operation."""
        return next(n for n, block in enumerate(self.function.blocks) if any(one is op for one in block.ops))

    def asks_before(self, index: int, site: CallSite) -> bool:
        """Whether the function itself asks what a parameter is, a pointer, on a way to a call.

        `asked` has the blocks where it does, but not those of bodies inside.
        """
        distance = self.distance_to(self.block_of(site.op))
        return any(0 < distance[block] < NOWHERE for block in self.asked[index])

    def body_of(self, site: CallSite) -> str:
        """The callee in whose body, or in bodies inside of that, the call stands; "" for one in the function itself."""
        if not self.expansion.bodies:
            return ""
        body = self.expansion.outermost(self.block_of(site.op))
        return "" if body < 0 else self.expansion.bodies[body].name

    def distance_to(self, block: int) -> list[int]:
        """Least number of edges from each block to `block` (a large number where there is no way)."""
        known = self.distances.get(block)
        if known is None:
            known = self.distances[block] = _distances(self.function, block)
        return known


def by_value_base(index: int) -> Temp:
    """Stands for the address of a record passed by value.

    The caller made the copy, and passes its address as far as the IR can tell. Members of a parameter that is only
    read are thus memory of the caller's, like those behind a pointer, and contracts can speak of them.
    """
    return Temp(-1 - index)


def _distances(function: Function, goal: int) -> list[int]:
    found = [NOWHERE] * len(function.blocks)
    before: dict[int, list[int]] = {}
    for source, block in enumerate(function.blocks):
        for target in successors(block.end):
            before.setdefault(target, []).append(source)
    found[goal] = 0
    queue = [goal]
    for block_id in queue:
        for source in before.get(block_id, ()):
            if found[source] == NOWHERE:
                found[source] = found[block_id] + 1
                queue.append(source)
    return found


def is_pointer(ctype: CType) -> bool:
    """Whether values of the type are addresses (or might be: an unknown type)."""
    return ctype.kind in (TypeKind.POINTER, TypeKind.ARRAY, TypeKind.FUNCTION, TypeKind.UNKNOWN)


def scope_locals(op: Op) -> tuple[int, ...]:
    """Locals whose life the operation ends."""
    return op.locals if isinstance(op, ScopeEnd) else ()
