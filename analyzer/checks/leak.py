"""Check `leak`: the last holder of a resource goes while the resource is still owned."""

from __future__ import annotations

from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import code, decisive, fitting, released, spared, thing
from analyzer.findings.model import Level
from analyzer.ownership.events import Event, EventKind
from analyzer.ownership.naming import of_call


def _how_it_ends(event: Event, source: SourceText) -> str:
    word = source.word(event.at)
    if word == "return":
        return "the function returns"
    if word in ("goto", "break", "continue"):
        return f"its scope is left by {code(word)}"
    if word == "}":
        return "the function ends" if event.at >= source.function.end else "its scope ends"
    if word in ("for", "while", "do"):
        return "the loop ends"
    if event.exits_process:
        return "the process ends"
    macro = source.statement_macro(event.at)
    if macro:
        return f"its life ends inside {code(macro)}"
    return f"{word}() takes the last pointer to it away" if source.is_call(event.at) else "its life ends here"


def sentence(event: Event, source: SourceText) -> str:
    """What was lost, and how."""
    name, participle = thing(event), released(event)
    match event.kind:
        case EventKind.LEAK_OVERWRITTEN:
            return f"{name} is overwritten before it is {participle}{decisive(event, source)}"
        case EventKind.LEAK_LOOP:
            return f"{name} is not {participle} before the loop's next round overwrites it" + decisive(event, source)
        case EventKind.LEAK_DISCARDED:
            if spared(event):
                return f"{name} is not {participle} when {spared(event)}"
            return f"{name} is not kept, so it can never be {participle}"
        case EventKind.LEAK_REALLOC:
            name_of_call = event.callee if event.old else event.released_by
            call = f"{name_of_call}()" if name_of_call else "the call"
            return f"{name} is lost when {call} fails: the old pointer is overwritten"
        case _:
            how, when = _how_it_ends(event, source), decisive(event, source)
            return f"{name} is not {participle} on this path: {how}{'' if how.endswith(when) else when}"


def lost(event: Event, source: SourceText) -> str:
    """The last step."""
    match event.kind:
        case EventKind.LEAK_OVERWRITTEN:
            return "lost: this overwrites the last pointer to it"
        case EventKind.LEAK_LOOP:
            return "lost: the next round overwrites the last pointer to it"
        case EventKind.LEAK_DISCARDED:
            return "lost: nothing keeps the result"
        case EventKind.LEAK_REALLOC:
            return "lost: on failure the old memory stays allocated and nothing points to it"
        case _:
            how = _how_it_ends(event, source)
            return f"lost: {how}" if "last pointer" in how else f"lost: {how} and nothing else holds it"


def advice(event: Event, source: SourceText) -> str:
    """What would have discharged the duty."""
    if not event.fits:
        return ""
    release = f"{event.fits[0]}({event.holder})"
    call, member = of_call(event.holder)
    if call:
        place = f"its element {member}" if member.startswith("[") else f"its member {member}"
        return f"keep the result of {call} in a variable, and call {event.fits[0]}() on {place}"
    match event.kind:
        case EventKind.LEAK_DISCARDED:
            return f"keep the result and release it with {fitting(event)}"
        case EventKind.LEAK_REALLOC:
            return f"assign the result to another variable first, and call {release} when it is null"
        case EventKind.LEAK_EXIT if not event.holder:
            return f"release it with {fitting(event)} before this point"
        case EventKind.LEAK_EXIT:
            return f"call {release} before this point"
        case _:
            return f"call {release} before it is overwritten"


CHECK = Check(
    id="leak",
    title="A resource is lost on some path without having been released",
    kinds=(
        EventKind.LEAK_EXIT,
        EventKind.LEAK_OVERWRITTEN,
        EventKind.LEAK_LOOP,
        EventKind.LEAK_DISCARDED,
        EventKind.LEAK_REALLOC,
    ),
    sentence=sentence,
    lost=lost,
    advice=advice,
    level=Level.WARNING,
    cwe=401,
    security_severity="5.5",
)
