"""What a check is. The checks themselves are the sibling modules, listed in `analyzer.checks.CHECKS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from analyzer.checks.pages import page
from analyzer.checks.source_text import SourceText
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind


@final
@dataclass(frozen=True, slots=True)
class Check:
    """An analysis with an id of its own.

    title: one line for a list of checks.
    kinds: the events that it reports.
    sentence: the first sentence of a finding, complete by itself, without full stop.
    lost: the last step of the path, in the same manner.
    advice: what would have been right, "" when there is nothing general to say.
    level: of a finding that has no reason to be more or less.
    cwe: for findings whose event names none of its own.
    security_severity: CVSS-like "0.1" to "10.0", a string because GitHub rejects numbers.
    """

    id: str
    title: str
    kinds: tuple[EventKind, ...]
    sentence: Callable[[Event, SourceText], str]
    lost: Callable[[Event, SourceText], str]
    advice: Callable[[Event, SourceText], str]
    level: Level
    cwe: int
    security_severity: str

    @property
    def help(self) -> str:
        """The documentation page, Markdown."""
        return page(self.id)
