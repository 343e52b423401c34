"""The words that all checks share: what a thing is called, what a step of the path says."""

from __future__ import annotations

from analyzer.checks.source_text import SourceText
from analyzer.contracts.text import article
from analyzer.findings.model import Region, Step, StepKind
from analyzer.ownership.events import Event, PathStep


def code(text: str) -> str:
    """Source text inside a sentence."""
    return f"`{text}`"


def released(event: Event) -> str:
    """The participle for the customary release: freed, closed, released."""
    name = event.fits[0] if event.fits else event.released_by
    if "free" in name:
        return "freed"
    return "closed" if "close" in name else "released"


def thing(event: Event) -> str:
    """The resource in the user's words: "`buf` from nl_recv()"."""
    name = code(event.holder) if event.holder else f"the {event.noun or 'resource'}"
    return f"{name} from {event.callee}()" if event.callee and not event.old else name


def fitting(event: Event) -> str:
    """The functions that would release it: "free()", "fclose() or pclose()"."""
    names = [f"{name}()" for name in event.fits[:3]]
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " or " + names[-1]


def spared(event: Event) -> str:
    """``fdopen() does not take it``, the last thing that the path says of the resource; "" when it does not."""
    told = [step.detail for step in event.steps if step.kind is StepKind.CALL and " does not " in step.detail]
    return told[-1].partition(" (")[0] if told else ""


def decisive(event: Event, source: SourceText) -> str:
    """ " when `type != RTM_NEWLINK`": the last branch before the event, "" without one."""
    for step in reversed(event.steps):
        if step.kind is not StepKind.BRANCH:
            continue
        macro = source.statement_macro(step.at)
        if macro:
            return f" inside {code(macro)}"
        condition = source.condition(step.at)
        if not condition or step.taken is None or source.is_switch(step.at):
            return ""
        true = step.taken != source.negated(step.at)
        return f" when {code(condition)}" + ("" if true else " is false")
    return ""


def _branch(step: PathStep, source: SourceText) -> str:
    macro = source.statement_macro(step.at)
    if macro:
        return f"a condition inside {code(macro)} is {'true' if step.taken else 'false'}"
    condition = source.condition(step.at)
    if step.taken is None or source.is_switch(step.at):
        where = code(condition) if condition else "the value here"
        return f"{where} is {step.detail}" if step.detail else f"{where} selects the way"
    truth = "true" if step.taken != source.negated(step.at) else "false"
    return f"{code(condition)} is {truth}" if condition else f"the condition here is {truth}"


def _acquire(step: PathStep, event: Event) -> str:
    callee = f"{event.callee}()" if event.callee else "this"
    noun = article(event.noun or "resource")
    duty = f", to be released with {event.fits[0]}()" if event.fits else ""
    case = f" (when {code(step.detail)})" if step.detail else ""
    if event.old:
        return f"{callee} fails and leaves the old {event.noun or 'resource'} as it was{duty}{case}"
    return f"{callee} hands out {noun}{duty}{case}"


def step_of(step: PathStep, event: Event, source: SourceText, lost: str) -> Step:
    """One step for the reader. lost: the sentence for the last one."""
    region: Region = source.region(step.at)
    match step.kind:
        case StepKind.ACQUIRE:
            message = _acquire(step, event)
        case StepKind.BRANCH:
            region, message = source.condition_region(step.at), _branch(step, source)
        case StepKind.ALIAS:
            message = f"{code(step.detail)} holds it now" if step.detail else "another variable holds it now"
        case StepKind.CALL:
            message = step.detail or "this call does not take it over"
        case StepKind.RELEASE:
            message = f"{step.detail}() releases it" if step.detail else "it is released here"
        case StepKind.LOST:
            message = lost
    return Step(region, message, step.kind)
