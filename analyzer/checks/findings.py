"""Events of one function -> findings: grouping, sentences, level, confidence, fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import final

from analyzer.checks.circumstances import Occasions
from analyzer.checks.confidence import confidence, weaknesses
from analyzer.checks.cost import cost
from analyzer.checks.failures import Known
from analyzer.checks.fingerprint import PointNames, call_ordinals, fingerprint
from analyzer.checks.model import Check
from analyzer.checks.source_text import SourceText
from analyzer.checks.wording import step_of
from analyzer.contracts.text import article
from analyzer.findings.model import Circumstances, Finding, Level, Related, Step, StepKind
from analyzer.findings.points import finding_order, merge
from analyzer.ir.function import Function
from analyzer.ownership.events import Event, EventKind, FunctionResult

_CWES = {
    EventKind.WRONG_FUNCTION: 762,
    EventKind.WRONG_START: 761,
    EventKind.WRONG_MEMORY: 590,
    EventKind.WRONG_OWNER: 590,
}


@final
class FindingBuilder:
    """Turns what the engine saw in one function into findings."""

    def __init__(
        self,
        checks: Iterable[Check],
        function: Function,
        result: FunctionResult,
        source: SourceText,
        exit_leaks: bool,
        known: Known,
    ) -> None:
        self._checks = {kind: check for check in checks for kind in check.kinds}
        self._function = function
        self._result = result
        self._source = source
        self._exit_leaks = exit_leaks
        self._ordinals = call_ordinals(function)
        self._points = PointNames(function, source)
        self._known = known
        self._occasions = Occasions(function, known)

    def build(self) -> tuple[Finding, ...]:
        """One finding per acquiring call, slot and kind of loss, by place."""
        groups: dict[tuple[int, str, str, str], list[Finding]] = {}
        for event in sorted(_whole_arrays(self._result.events), key=lambda event: event.at):
            check = self._checks[event.kind]
            if check.id == "leak" and event.exits_process and not self._exit_leaks:
                continue
            key = (max(_anchor(event), event.acquired_key), event.slot, event.kind.value, event.callee)
            groups.setdefault(key, []).append(self._finding(check, event))
        merged = [merge(group) for group in groups.values()]
        return tuple(sorted(merged, key=finding_order))

    def _finding(self, check: Check, event: Event) -> Finding:
        source, leak = self._source, check.id == "leak"
        reasons = weaknesses(event, self._function, self._result)
        circumstances = self._occasions.of(event) if leak else None
        return Finding(
            check=check.id,
            kind=event.kind.value.removeprefix(f"{check.id}-"),
            message=check.sentence(event, source),
            at=source.region(event.at),
            function=self._function.name,
            resource=event.holder or (f"return value of {event.callee}()" if event.callee else ""),
            callee=event.callee,
            steps=self._steps(check, event),
            related=self._related(event),
            advice=check.advice(event, source),
            level=_level(check, circumstances),
            confidence=confidence(reasons),
            confidence_reason="; ".join(reasons),
            cwe=event.cwe or check.cwe if leak else _CWES.get(event.kind, check.cwe),
            fingerprint=fingerprint(event, self._function, self._ordinals),
            point=self._points.name(event),
            slot=event.slot,
            lines=source.function_lines(),
            record=event.record if leak else "",
            releases=event.fits if event.record and leak else (),
            remedy=event.fits[0] if event.fits else event.released_by,
            cost=cost(event, self._function, self._known(event.callee), source) if leak and event.callee else "",
            circumstances=circumstances,
        )

    def _steps(self, check: Check, event: Event) -> tuple[Step, ...]:
        last = check.lost(event, self._source)
        steps = [step_of(step, event, self._source, last) for step in event.steps]
        if not event.steps or event.steps[-1].kind is not StepKind.LOST:
            steps.append(Step(self._source.region(event.at), last, StepKind.LOST))
        return tuple(steps)

    def _related(self, event: Event) -> tuple[Related, ...]:
        found = []
        if event.acquired_at >= 0:
            what = article(event.noun or "resource")
            found.append(Related(self._source.region(event.acquired_at), f"{event.callee}() hands out {what}"))
        if event.released_at >= 0:
            found.append(Related(self._source.region(event.released_at), "released here"))
        if event.sibling_release_at >= 0 and event.released_at < 0:
            at = self._source.region(event.sibling_release_at)
            found.append(Related(at, "another path releases it here"))
        return tuple(found)


def _whole_arrays(events: Iterable[Event]) -> list[Event]:
    """Both ends of a pipe that are lost together are one loss, of the array."""
    lost = {(event.at, event.kind, event.acquired_at, event.holder): event for event in events}
    found = []
    for event in events:
        array, _, number = event.holder.rpartition("[")
        key = (event.at, event.kind, event.acquired_at)
        if event.acquired_at >= 0 and number.removesuffix("]").isdigit():
            if number != "0]" and (*key, f"{array}[0]") in lost:
                continue
            if number == "0]" and (*key, f"{array}[1]") in lost:
                event = replace(event, holder=array)
        found.append(event)
    return found


def _anchor(event: Event) -> int:
    """What makes several events one finding: the acquisition, else the (first) release."""
    known = (place for place in (event.acquired_at, event.released_at) if place >= 0)
    return next(known, event.at)


def _level(check: Check, circumstances: Circumstances | None) -> Level:
    """What the function alone says of it; of a leak, what is known of the program may change it."""
    if circumstances is None:
        return check.level
    if circumstances.ends:
        return Level.NOTE
    return Level.ERROR if circumstances.loop >= 0 and not circumstances.failure else check.level
