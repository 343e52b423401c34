"""What library functions do to ownership: rule files, their language, and the table of a run."""

from analyzer.contracts.packs import RuleSet, load_packs
from analyzer.contracts.table import ContractTable, Match

__all__ = ["ContractTable", "Match", "RuleSet", "load_packs"]
