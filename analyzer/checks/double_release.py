"""Check `double-release`: a resource that was released is released again."""

from __future__ import annotations

from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import decisive, released, thing
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind
from analyzer.ownership.naming import of_call


def sentence(event: Event, source: SourceText) -> str:
    """What is released twice."""
    again = f" by {event.released_by}()" if event.released_by else ""
    return f"{thing(event)} is {released(event)} a second time{again}{decisive(event, source)}"


def lost(event: Event, source: SourceText) -> str:
    """The last step."""
    return f"{event.released_by}() releases it again" if event.released_by else "released again"


def advice(event: Event, source: SourceText) -> str:
    """What would have prevented it."""
    if not event.holder:
        return "release it on one of the two places only"
    if of_call(event.holder)[0]:
        return "release it in one place only"
    return f"set {event.holder} to {event.nothing} after the first release, or release it in one place only"


CHECK = Check(
    id="double-release",
    title="A resource is released twice on some path",
    kinds=(EventKind.DOUBLE_RELEASE,),
    sentence=sentence,
    lost=lost,
    advice=advice,
    level=Level.ERROR,
    cwe=415,
    security_severity="8.1",
)
