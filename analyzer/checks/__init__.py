"""The checks: from what the engine saw to findings in the user's words.

The list below is written by hand and is everything: no entry points, no import side effects.
"""

from __future__ import annotations

from analyzer.checks import double_release, leak, uninitialized_release, use_after_release, wrong_release
from analyzer.checks.failures import Known
from analyzer.checks.findings import FindingBuilder
from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.findings.model import Finding
from analyzer.ir.function import Function
from analyzer.ownership.events import FunctionResult

__all__ = ["CHECKS", "Check", "SourceText", "check_by_id", "findings"]

CHECKS: tuple[Check, ...] = (
    leak.CHECK,
    double_release.CHECK,
    use_after_release.CHECK,
    wrong_release.CHECK,
    uninitialized_release.CHECK,
)


def check_by_id(check: str) -> Check:
    """The check with this id; KeyError when there is none."""
    return {known.id: known for known in CHECKS}[check]


def _nothing(_name: str) -> None:
    """Contracts where there are none."""


def findings(
    function: Function, result: FunctionResult, source: SourceText, exit_leaks: bool = False, known: Known = _nothing
) -> tuple[Finding, ...]:
    """What the events of one function amount to.

    exit_leaks: also report what is lost where the process ends. known: the contracts of what the function calls.
    """
    return FindingBuilder(CHECKS, function, result, source, exit_leaks, known).build()
