"""Check `uninitialized-release`: a variable that was never set is released."""

from __future__ import annotations

from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import code, decisive
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind


def _release(event: Event) -> str:
    return f"{event.released_by}()" if event.released_by else "this release"


def sentence(event: Event, source: SourceText) -> str:
    """What was never set, and why."""
    what = code(event.holder) if event.holder else "a variable"
    why = f": {event.callee}() did not set it" if event.callee else ""
    return f"{_release(event)} is given {what}, which was never set on this path{why}" + decisive(event, source)


def lost(event: Event, source: SourceText) -> str:
    """The last step."""
    return f"{_release(event)} is given a value that nobody wrote"


def advice(event: Event, source: SourceText) -> str:
    """What would have been right."""
    return f"set {event.holder or 'it'} to {event.nothing} where it is declared"


CHECK = Check(
    id="uninitialized-release",
    title="A variable that was never set is released",
    kinds=(EventKind.UNINITIALIZED_RELEASE,),
    sentence=sentence,
    lost=lost,
    advice=advice,
    level=Level.ERROR,
    cwe=824,
    security_severity="7.5",
)
