"""The contracts that hold in one unit: written ones, and inferred ones for what the program itself defines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from analyzer.contracts.attributes import StatedContracts
from analyzer.contracts.beliefs import Beliefs, ending_contract
from analyzer.contracts.model import FunctionContract, ResourceKind
from analyzer.contracts.table import ContractTable, Match
from analyzer.ir.function import FunctionDeclaration

_NONE = Beliefs()


@final
class LinkedContracts:
    """Written contracts first, then the definition that the unit's calls of a name lead to.

    Order at a call: the project's rule files; what the project says in a word (`Beliefs`); a pack whose name and
    signature match; an attribute of the declaration; the definition in the program; a pack that fits by name and number
    of arguments where no prototype is in sight. A written contract wins over a definition: a library's own body counts
    references, the contract says what that means.
    """

    def __init__(
        self,
        table: ContractTable,
        inferred: Mapping[str, FunctionContract],
        stated: StatedContracts | None = None,
        beliefs: Beliefs = _NONE,
    ) -> None:
        """inferred: by name as this unit's calls write it; may grow while the unit is analysed. stated: in the code."""
        self._table = table
        self._beliefs = beliefs
        self.lends = beliefs.lends
        self._inferred = inferred
        self._stated = stated.functions if stated is not None else {}
        self._kinds = {**stated.kinds, **table.kinds} if stated is not None and stated.kinds else table.kinds

    @property
    def kinds(self) -> Mapping[str, ResourceKind]:
        """Resource kinds by name."""
        return self._kinds

    def lookup(self, declaration: FunctionDeclaration, defined_in_program: bool = False) -> Match:
        """The contract for calls of a declared function."""
        found = self._table.lookup(declaration, defined_in_program)
        if found.by != "project" and self._beliefs.never_returns(declaration.name):
            return Match(ending_contract(declaration), "project")
        if found.contract is not None:
            return found
        contract = self._stated.get(declaration.name)
        if contract is not None:
            return Match(contract, "attribute")
        contract = self._inferred.get(declaration.name)
        if contract is None:
            return found
        return Match(contract, "inferred", found.mismatch)
