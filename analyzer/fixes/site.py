"""The findings of one resource in one function, and the text there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import final

from analyzer.findings.model import Finding, Region, StepKind
from analyzer.findings.points import loss_points
from analyzer.fixes.syntax import FunctionText, Statement
from analyzer.sources import LineIndex


@final
class Site:
    """The findings of one resource in one function, and the text there."""

    def __init__(
        self,
        findings: Sequence[Finding],
        function: FunctionText,
        lines: LineIndex,
        texts: Callable[[], Iterable[bytes]],
    ) -> None:
        """texts: of all files of the program."""
        self.findings = findings
        self.function = function
        self._lines = lines
        self.texts = texts
        self.points = [point for finding in findings for point in loss_points(finding)]
        self.rank = -self.offset(_acquired(findings[0]))
        self.acquired = sorted(
            {self.offset(step.at) for point in self.points for step in point.steps if step.kind is StepKind.ACQUIRE}
        )

    def offset(self, at: Region) -> int:
        """The byte at which a region begins."""
        return self._lines.offset(at.line, at.column)

    def statement(self, at: Region) -> Statement | None:
        """The statement that a region is in."""
        return self.function.at(self.offset(at))


def _acquired(finding: Finding) -> Region:
    return next((step.at for step in finding.steps if step.kind is StepKind.ACQUIRE), finding.at)
