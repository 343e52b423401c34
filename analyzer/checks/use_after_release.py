"""Check `use-after-release`: a resource is used after it was released."""

from __future__ import annotations

from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import decisive, thing
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind


def sentence(event: Event, source: SourceText) -> str:
    """What is used too late."""
    by = f"{event.released_by}() released it" if event.released_by else "it was released"
    return f"{thing(event)} is used after {by}{decisive(event, source)}"


def lost(event: Event, source: SourceText) -> str:
    """The last step."""
    return "used here, after its release"


def advice(event: Event, source: SourceText) -> str:
    """What would have been right."""
    by = f"{event.released_by}()" if event.released_by else "the release"
    return f"move the use before {by}, or take a copy of what is needed"


CHECK = Check(
    id="use-after-release",
    title="A resource is used after it was released",
    kinds=(EventKind.USE_AFTER_RELEASE,),
    sentence=sentence,
    lost=lost,
    advice=advice,
    level=Level.ERROR,
    cwe=416,
    security_severity="8.8",
)
