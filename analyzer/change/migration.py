"""The change that started this project: a function replaced by one with another duty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analyzer.change.matching import Files
from analyzer.change.sides import Pair
from analyzer.contracts import ContractTable
from analyzer.contracts.model import EffectKind
from analyzer.findings.model import Finding

_NOT_CODE = re.compile(rb"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*\"""", re.DOTALL)

_CALL = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")


def migration(finding: Finding, pairs: Sequence[Pair], files: Files, table: ContractTable) -> str:
    """The sentence about a replaced function that explains the finding, "" when there is none.

    Replaced is either what acquires: then the old function must have lost calls in this change, in the finding's file
    before any other, and the line that acquires the resource must be new. Or what released it, or took it over.
    """
    if finding.check != "leak":
        return ""
    return _acquirer(finding, pairs, files, table) or _releaser(finding, pairs, table)


def _acquirer(finding: Finding, pairs: Sequence[Pair], files: Files, table: ContractTable) -> str:
    acquired = finding.steps[0].at if finding.steps else finding.at
    candidates = [pair for contract in table.all_named(finding.callee) for pair in contract.replaces]
    if not candidates or not files.is_new(acquired.file, acquired.line):
        return ""
    here = [pair for pair in pairs if acquired.file in (pair.head, pair.base)]
    for changed in (here, pairs):
        for old, does in candidates:
            if _calls_lost(old, changed):
                which = f", which {does}," if does else ""
                return f"this change replaced {old}(){which} by {finding.callee}(), whose caller must"
    return ""


def _releaser(finding: Finding, pairs: Sequence[Pair], table: ContractTable) -> str:
    """The function in which it is lost calls the new one, and the file calls the old one less often than before."""
    here = [pair for pair in pairs if finding.at.file == pair.head]
    first, last = finding.lines
    lines = b"\n".join(line for pair in here for line in pair.head_data.split(b"\n")[first - 1 : last])
    called = {name.decode() for name in _CALL.findall(_NOT_CODE.sub(b" ", lines))}
    for new in sorted(called):
        for contract in table.all_named(new):
            for old, does in contract.replaces:
                if _ends_duty(old, finding.callee, table) and _calls_lost(old, here) and _calls_lost(new, here, -1):
                    which = f", which {does}," if does else ""
                    return f"this change replaced {old}(){which} by {new}(), which does not"
    return ""


def _ends_duty(function: str, acquirer: str, table: ContractTable) -> bool:
    """Whether a function releases what the acquirer hands out, or takes over what it is given."""
    effects = [e for contract in table.all_named(function) for outcome in contract.outcomes for e in outcome.effects]
    if any(effect.kind is EffectKind.TAKE for effect in effects):
        return True
    handed = {e.resource for contract in table.all_named(acquirer) for o in contract.outcomes for e in o.effects}
    return any(function in table.kinds[kind].releases for kind in handed if kind in table.kinds)


def _calls_lost(function: str, pairs: Iterable[Pair], sign: int = 1) -> bool:
    """Whether it is called less often than before; sign -1: more often."""
    pattern = re.compile(rb"(?<!\w)" + function.encode() + rb"\s*\(")
    lost = 0
    for pair in pairs:
        before, after = (len(pattern.findall(_NOT_CODE.sub(b" ", data))) for data in (pair.base_data, pair.head_data))
        lost += before - after
    return lost * sign > 0
