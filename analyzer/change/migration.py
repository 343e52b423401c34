"""The change that started this project: a function replaced by one with another duty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analyzer.change.matching import Files
from analyzer.change.sides import Pair
from analyzer.contracts import ContractTable
from analyzer.findings.model import Finding

_NOT_CODE = re.compile(rb"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*\"""", re.DOTALL)


def migration(finding: Finding, pairs: Sequence[Pair], files: Files, table: ContractTable) -> str:
    """The sentence about a replaced function that explains the finding, "" when there is none.

    The old function must have lost calls in this change, in the finding's file before any other, and the line that
    acquires the resource must be new.
    """
    acquired = finding.steps[0].at if finding.steps else finding.at
    if finding.check != "leak" or not files.is_new(acquired.file, acquired.line):
        return ""
    candidates = [pair for contract in table.all_named(finding.callee) for pair in contract.replaces]
    if not candidates:
        return ""
    here = [pair for pair in pairs if acquired.file in (pair.head, pair.base)]
    for changed in (here, pairs):
        for old, does in candidates:
            if _calls_lost(old, changed):
                which = f", which {does}," if does else ""
                return f"this change replaced {old}(){which} by {finding.callee}(), whose caller must"
    return ""


def _calls_lost(function: str, pairs: Iterable[Pair]) -> bool:
    pattern = re.compile(rb"(?<!\w)" + function.encode() + rb"\s*\(")
    lost = 0
    for pair in pairs:
        before, after = (len(pattern.findall(_NOT_CODE.sub(b" ", data))) for data in (pair.base_data, pair.head_data))
        lost += before - after
    return lost > 0
