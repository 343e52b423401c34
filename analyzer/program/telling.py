"""The ways of one resource and the contracts on them, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import final

from analyzer.checks import SourceText
from analyzer.checks.wording import code, step_of
from analyzer.contracts.model import EffectKind, FunctionContract, Provenance, ResourceKind
from analyzer.contracts.routes import Route
from analyzer.contracts.syntax import term_text
from analyzer.contracts.text import outcome_sentence
from analyzer.findings.explanation import ExplainedPath, ExplainedStep, UsedContract
from analyzer.findings.model import StepKind, Verdict
from analyzer.ownership import borrowing
from analyzer.ownership.events import Event, EventKind
from analyzer.ownership.prepared import CallSite, Prepared
from analyzer.ownership.trace import Trace, TracedPath, TracedStep

_ENDINGS = {
    Verdict.ESCAPED: "it goes out of sight",
    Verdict.MAYBE_RELEASED: "it is perhaps released",
    Verdict.HELD: "it is held by a global or for the process's life",
    Verdict.MOVED: "another owner takes it over",
    Verdict.HANDED_OVER: "it is handed to the caller",
    Verdict.RELEASED: "it is released",
}
_MISTAKES = {
    EventKind.LEAK_EXIT: "lost: its last holder goes",
    EventKind.LEAK_OVERWRITTEN: "lost: its last holder is overwritten",
    EventKind.LEAK_LOOP: "lost: the next round overwrites its last holder",
    EventKind.LEAK_DISCARDED: "lost: nothing keeps it",
    EventKind.LEAK_REALLOC: "lost: its last holder is overwritten by the failed call's result",
    EventKind.DOUBLE_RELEASE: "it is released a second time",
    EventKind.USE_AFTER_RELEASE: "it is used after its release",
    EventKind.WRONG_FUNCTION: "it is released with a function that does not fit",
    EventKind.WRONG_START: "it is released by a pointer that is not its start",
    EventKind.WRONG_OWNER: "what is released belongs to the function that gave it",
    EventKind.WRONG_MEMORY: "what is released is no resource",
    EventKind.UNINITIALIZED_RELEASE: "what is released was never set",
}


@final
class Teller:
    """For one acquisition. where: a contract's source as file and line."""

    def __init__(
        self,
        source: SourceText,
        trace: Trace,
        prepared: Prepared,
        kinds: Mapping[str, ResourceKind],
        where: Callable[[FunctionContract], str],
    ) -> None:
        self._source = source
        self._trace = trace
        self._prepared = prepared
        self._kinds = kinds
        self._where = where
        self._lent = {
            step.step.at for way in trace.paths for step in way.steps if step.step.kind is StepKind.CALL
        }  # calls of unknown functions that were taken to borrow it

    # -- ways -----------------------------------------------------------------------------------------

    def path(self, way: TracedPath) -> ExplainedPath:
        """One way, step by step."""
        return ExplainedPath(way.verdict, self._ending(way), tuple(self._step(step) for step in way.steps))

    def _step(self, traced: TracedStep) -> ExplainedStep:
        resource = self._trace.resource
        event = Event(
            kind=EventKind.LEAK_EXIT,
            at=traced.step.at,
            acquired_at=resource.acquired_at,
            callee=resource.callee,
            slot=resource.slot_text,
            holder="",
            resource_kind=resource.kind.name,
            noun=resource.kind.noun,
            cwe=resource.kind.cwe,
            fits=resource.kind.releases,
            steps=(),
        )
        step = step_of(traced.step, event, self._source, "")
        return ExplainedStep(step.at, step.message, traced.state)

    def _ending(self, way: TracedPath) -> str:
        at = self._source.region(way.at) if way.at >= 0 else None
        place = f", in {at.line}:{at.column}" if at is not None else ""
        if way.mistake is not None:
            return _MISTAKES[way.mistake] + place
        through = f" by {way.reason}" if way.verdict in (Verdict.RELEASED, Verdict.MAYBE_RELEASED) else ""
        if way.reason:
            call = "" if "(" in way.reason or " " in way.reason else "()"
            through = f"{through or f' ({way.reason}'}{call}" + ("" if through else ")")
        return _ENDINGS[way.verdict] + (through if way.reason else "") + place

    # -- contracts ------------------------------------------------------------------------------------

    def contracts(self, ways: Iterable[TracedPath]) -> tuple[UsedContract, ...]:
        """What was known of the acquiring function, and of those that are given the resource, each once."""
        assert self._trace.resource.site is not None
        sites = {self._trace.resource.callee: self._trace.resource.site}
        for way in ways:
            for site in way.given:
                sites.setdefault(site.op.name or "", site)
        return tuple(self._used(site) for site in sites.values())

    def _used(self, site: CallSite) -> UsedContract:
        contract = site.contract
        name = f"{site.op.name}()" if site.op.name else "a call through a pointer"
        at = self._source.region(site.op.at)
        if contract is None or _is_opaque(contract):
            return UsedContract(name, at, "unknown", "", (self._unknown(site),))
        says = [outcome_sentence(outcome, contract.signature, self._kinds) for outcome in contract.outcomes]
        for term, routes in contract.routes:
            if term is not None:
                ways = ", ".join(_route_text(route) for route in routes)
                says.append(f"{term_text(term, contract.signature.names)} goes on to {ways}")
        if site.by == "name":
            says.append("it fits by its name and number of arguments only")
        return UsedContract(name, at, contract.provenance.value, self._where(contract), tuple(says))

    def _unknown(self, site: CallSite) -> str:
        """What a function without contract is taken to do, and why."""
        name = site.op.name
        if not name:
            return "escapes, because nobody knows which function a pointer leads to"
        if borrowing.name_suggests_ending(name) and site.op.result is None:
            return "taken not to return, because its name says so"
        if site.op.at in self._lent:
            observing = borrowing.name_suggests_observing(name)
            because = "its name speaks of looking only" if observing else "it takes a pointer to const"
            if site.lends:
                because = "unknown-calls says so of functions about which nothing is known"
            return f"taken to borrow, because {because}"
        mismatch = next((why for at, called, why in self._prepared.name_only if called == name and why), "")
        if mismatch:
            return f"escapes, because no contract applies: {mismatch}"
        if name in self._prepared.defined:
            return "escapes, because nothing is known of its definition (it was analysed in part, or is recursive)"
        return f"escapes, because {code(name)} has no contract and no definition in these files"


def _route_text(route: Route) -> str:
    return f"{route.function}()" if route.function else route.what


def _is_opaque(contract: FunctionContract) -> bool:
    inferred = contract.provenance is Provenance.INFERRED
    return not inferred and any(e.kind is EffectKind.OPAQUE for o in contract.outcomes for e in o.effects)
