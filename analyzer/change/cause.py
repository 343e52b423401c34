"""Which step of a change made a finding: there it is shown, because there it can be discussed and mended.

The loss itself before any other step; then, of a leak, the acquisition, without which nothing would be lost; then the
last step that the change wrote; then what it removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import final

from analyzer.change.lines import Deletion
from analyzer.change.matching import Files
from analyzer.errors import MustfreeError
from analyzer.findings.model import Finding, Region, StepKind
from analyzer.sources import LineIndex

Read = Callable[[str], bytes | None]


@final
class Causes:
    """Finds the step for each introduced finding. read: contents of a file of the head side."""

    def __init__(self, files: Files, read: Read) -> None:
        self._files = files
        self._read = read

    def place(self, finding: Finding) -> Finding:
        """The finding at the changed step, when the loss itself lies outside of the change."""
        if self._files.is_new(finding.at.file, finding.at.line):
            return finding
        written = [step for step in finding.steps if self._files.is_new(step.at.file, step.at.line)]
        if written and written[0].kind is StepKind.ACQUIRE and finding.check == "leak":
            return replace(finding, at=written[0].at, change="this change acquires it here")
        if written:
            return replace(finding, at=written[-1].at, change="this change wrote this step of the path")
        removed = self._removed(finding)
        if removed is not None:
            text = _shown(removed, finding)
            at = self._region(finding.at.file, removed.before)
            return replace(finding, at=at, change=f"this change removed `{text}` here")
        return replace(finding, change="a change outside of this function leads to it")

    def _removed(self, finding: Finding) -> Deletion | None:
        """The lines that were removed from the function, the ones that speak of the resource before others."""
        lines = self._files.lines(finding.at.file)
        first, last = finding.lines
        inside = [one for one in lines.deletions if first <= one.before <= last] if lines else []
        return min(inside, key=lambda one: not _speaks_of(one, finding), default=None)

    def _region(self, file: str, line: int) -> Region:
        data = self._read(file)
        if data is None:
            raise MustfreeError(f"{file}: cannot be read again")
        index = LineIndex(data)
        text = index.line_text(line)
        column = len(text) - len(text.lstrip()) + 1
        return Region(file, line, column, line, max(len(text.rstrip()) + 1, column + 1), text)


def _speaks_of(deletion: Deletion, finding: Finding) -> bool:
    return any(_names(finding, text) for text in deletion.texts)


def _names(finding: Finding, text: str) -> bool:
    return bool(finding.resource) and re.search(rf"(?<!\w){re.escape(finding.resource)}(?!\w)", text) is not None


def _shown(deletion: Deletion, finding: Finding) -> str:
    """One line of what was removed."""
    texts = [text.strip() for text in deletion.texts if text.strip()]
    texts.sort(key=lambda text: not _names(finding, text))
    return texts[0] if texts else ""
