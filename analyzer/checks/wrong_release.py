"""Check `wrong-release`: a release that does not fit what it is given."""

from __future__ import annotations

from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import code, fitting, thing
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind


def _release(event: Event) -> str:
    return f"{event.released_by}()" if event.released_by else "this call"


def _owner(event: Event) -> str:
    return f"{event.owner}()" if event.owner else "another function"


def sentence(event: Event, source: SourceText) -> str:
    """What does not fit what."""
    what = code(event.holder) if event.holder else "a pointer"
    match event.kind:
        case EventKind.WRONG_START:
            origin = f" of the {event.noun or 'object'} from {event.callee}()" if event.callee else ""
            written = source.argument(event.at, event.released_by, event.argument)
            what = code(written) if written else what
            return f"{_release(event)} is given {what}, which does not point to the start{origin}"
        case EventKind.WRONG_MEMORY:
            return f"{_release(event)} is given {what}, which was never allocated"
        case EventKind.WRONG_OWNER:
            what = "what" if event.holder in ("", f"{event.owner}()") else f"{what}, which"
            return f"{_release(event)} is given {what} {_owner(event)} returned: nobody but that function owns it"
        case _:
            needs = f", which does not fit: it needs {fitting(event)}" if event.fits else ", which does not fit"
            return f"{thing(event)} is released with {_release(event)}{needs}"


def lost(event: Event, source: SourceText) -> str:
    """The last step."""
    match event.kind:
        case EventKind.WRONG_START:
            return f"{_release(event)} is given a pointer into the middle"
        case EventKind.WRONG_MEMORY:
            return f"{_release(event)} is given memory that was never allocated"
        case EventKind.WRONG_OWNER:
            return f"{_release(event)} is given memory of {_owner(event)}"
        case _:
            return f"{_release(event)} does not fit"


def advice(event: Event, source: SourceText) -> str:
    """What would have been right."""
    match event.kind:
        case EventKind.WRONG_START:
            return f"keep the pointer as it came from {event.callee or 'the allocation'}() and release that"
        case EventKind.WRONG_MEMORY:
            return "release only what was allocated"
        case EventKind.WRONG_OWNER:
            return f"release a copy, or nothing: what {_owner(event)} returns stays its own"
        case _:
            return f"use {fitting(event)} instead" if event.fits else ""


CHECK = Check(
    id="wrong-release",
    title="A resource is released in a way that does not fit it",
    kinds=(EventKind.WRONG_FUNCTION, EventKind.WRONG_START, EventKind.WRONG_MEMORY, EventKind.WRONG_OWNER),
    sentence=sentence,
    lost=lost,
    advice=advice,
    level=Level.ERROR,
    cwe=763,
    security_severity="7.0",
)
