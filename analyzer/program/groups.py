"""Results of functions that earlier runs analysed, by everything that they depend on.

The grain is a group: one function, or several that call each other. Its key holds the unit it stands in (see
`memory`), what the contracts of its callees say, and the options of the analysis. So after a change the changed
file is analysed, and of the other files those functions that call one whose contract became another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, final

from analyzer.cache import CodecError, Relocation, Store, codec, digest
from analyzer.cache.codec import dumps, loads
from analyzer.contracts.model import FunctionContract, Route
from analyzer.findings.model import Acquisition, Finding, Notice, Summary
from analyzer.program.disposers import Disposer

_CONTRACT = codec(FunctionContract)


@final
class Held:
    """A contract of a function of the program; one that comes out of the cache is decoded when it is asked for.

    digest: of what the contract says to callers, "" when nobody will compare it. Picklable.
    """

    __slots__ = ("_contract", "_raw", "digest")

    def __init__(self, contract: FunctionContract | None, raw: Any = None, name: str = "") -> None:  # noqa: ANN401
        self._contract = contract
        self._raw = raw
        self.digest = name

    @property
    def contract(self) -> FunctionContract:
        """The contract itself. Raises CodecError for a damaged one."""
        if self._contract is None:
            contract: FunctionContract = _CONTRACT.read(self._raw)
            self._contract = contract
        return self._contract

    @property
    def raw(self) -> Any:  # noqa: ANN401
        """Its JSON value."""
        if self._raw is None:
            # Its place is said by summaries, and by `why`, which asks no cache; one that only moved is no other one.
            self._raw = _CONTRACT.value(replace(self.contract, source=""))
        return self._raw


def held(contract: FunctionContract, relocation: Relocation | None) -> Held:
    """A contract that was just inferred. relocation: None: nobody will look at its digest."""
    found = Held(contract)
    if relocation is not None:
        found.digest = digest((relocation.portable(dumps(found.raw)),))
    return found


@final
@dataclass(frozen=True, slots=True)
class GroupResult:
    """What the functions of one group have to say. routes, loose, disposers: see `UnitResult`; loose is sorted."""

    findings: tuple[Finding, ...] = ()
    acquisitions: tuple[Acquisition, ...] = ()
    routes: tuple[tuple[Route, ...], ...] = ()
    notices: tuple[Notice, ...] = ()
    summaries: tuple[Summary, ...] = ()
    loose: tuple[str, ...] = ()
    contracts: Mapping[str, Held] = field(default_factory=dict)
    disposers: tuple[Disposer, ...] = ()

    def text(self) -> str:
        """All of it as JSON."""
        parts = (self.findings, self.acquisitions, self.routes, self.notices, self.summaries, self.loose)
        said = _SAID.value((*parts, self.disposers))
        return dumps([said, [[name, one.digest, one.raw] for name, one in self.contracts.items()]])


_SAID = codec(
    tuple[
        tuple[Finding, ...],
        tuple[Acquisition, ...],
        tuple[tuple[Route, ...], ...],
        tuple[Notice, ...],
        tuple[Summary, ...],
        tuple[str, ...],
        tuple[Disposer, ...],
    ]
)


def read_group(text: str) -> GroupResult:
    """The result that a text holds. CodecError: none."""
    try:
        said, inferred = loads(text)
        findings, acquisitions, routes, notices, summaries, loose, disposers = _SAID.read(said)
        contracts = {str(name): Held(None, raw, str(one)) for name, one, raw in inferred}
    except (TypeError, ValueError) as error:
        raise CodecError(str(error)) from error
    return GroupResult(findings, acquisitions, routes, notices, summaries, loose, contracts, disposers)


@final
@dataclass(frozen=True, slots=True)
class Recipe:
    """What the groups of a step depend on. owner: digest of the unit and of the options.

    callees: function -> what it calls.
    """

    owner: str
    callees: Mapping[str, tuple[str, ...]]


@final
class Recall:
    """Finds the groups of one step in the cache, callees first.

    This relies on the engine's asking for contracts of the names that a function calls (`calls.calls_of`) and of
    no others.
    """

    def __init__(
        self,
        store: Store,
        relocation: Relocation,
        recipe: Recipe,
        called: frozenset[str],
        defined: frozenset[str],
        contracts: Mapping[str, Held],
    ) -> None:
        """The last four as in `Step`."""
        self._defined = defined
        self._store = store
        self._relocation = relocation
        self._recipe = recipe
        self._called = called
        self._digests = {name: one.digest for name, one in contracts.items()}

    def key(self, group: tuple[str, ...]) -> str:
        """The key of a group, after all groups that it calls were added."""
        parts = [self._recipe.owner]
        for name in group:
            parts += (name, "called" if name in self._called else "")
            for callee in self._recipe.callees[name]:
                own = "group" if callee in group else ""
                defined = "defined" if callee in self._defined else ""
                parts += (callee, own or self._digests.get(callee, ""), defined)
        return "g" + digest(parts)

    def get(self, key: str) -> GroupResult | None:
        """What is known of the group of this key."""
        text = self._store.get(key)
        if text is None:
            return None
        try:
            return read_group(self._relocation.local(text))
        except CodecError:
            return None

    def row(self, key: str, result: GroupResult) -> tuple[str, str]:
        """What to keep of a group."""
        return key, self._relocation.portable(result.text())

    def add(self, group: tuple[str, ...], contracts: Mapping[str, Held]) -> None:
        """The contracts of a group, for those that call it."""
        for name in group:
            self._digests.pop(name, None)
            if name in contracts:
                self._digests[name] = contracts[name].digest
