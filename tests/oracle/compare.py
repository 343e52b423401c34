"""Holds what the engine says about a function against the truth."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.findings.model import Verdict
from analyzer.ir.function import Function
from analyzer.ir.text import print_function
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import Event, EventKind, FunctionResult
from analyzer.ownership.limits import Limits
from tests.oracle.interpreter import Found, Truth
from tests.oracle.library import OracleTable, unit_of

SORTS = {
    EventKind.LEAK_EXIT: "exit",
    EventKind.LEAK_DISCARDED: "discarded",
    EventKind.LEAK_OVERWRITTEN: "overwritten",
    EventKind.LEAK_LOOP: "overwritten",
    EventKind.LEAK_REALLOC: "overwritten",
}


@dataclass(frozen=True)
class Comparison:
    """missing: true mistakes not reported. extra: reports (or verdicts) that no execution bears out."""

    missing: tuple[Found, ...]
    extra: tuple[Found, ...]
    verdicts: tuple[str, ...]


def run_engine(function: Function, limits: Limits | None = None) -> FunctionResult:
    """The engine on one function and the oracle's library."""
    return analyse(function, unit_of(function), OracleTable(), limits or Limits(), frozenset())


def reported(event: Event) -> Found:
    """An event in the truth's terms."""
    if event.kind in SORTS:
        return Found("leak", event.at, event.acquired_at, event.slot, SORTS[event.kind])
    return Found(event.kind.value, event.at, -1, "", "")


def plain(found: Found) -> Found:
    """Without the acquisition, which the engine names only where one run sees it."""
    return found if found.kind == "leak" else found._replace(acquired_at=-1, slot="", sort="")


def compare(result: FunctionResult, truth: Truth) -> Comparison:
    """Both directions. A block lost by a failing re_alloc() is reported once per place, whoever acquired it."""
    by_realloc = {event.at for event in result.events if event.kind is EventKind.LEAK_REALLOC}
    events = {reported(event) for event in result.events if event.kind is not EventKind.LEAK_REALLOC}
    must, may = {plain(item) for item in truth.must}, {plain(item) for item in truth.may}
    lost_at = {item.at for item in may if item.kind == "leak"}
    missing = {item for item in must - events if not (item.kind == "leak" and item.at in by_realloc)}
    extra = (events - may) | {Found("leak", at, -1, "", "overwritten") for at in by_realloc - lost_at}
    return Comparison(tuple(sorted(missing)), tuple(sorted(extra)), tuple(_verdicts(result, truth)))


def _verdicts(result: FunctionResult, truth: Truth) -> list[str]:
    """Verdicts that differ; only where the truth is not blurred by something undefined."""
    if truth.may != truth.must or any(item.kind != "leak" for item in truth.may):
        return []
    found = []
    for item in result.acquisitions:
        key = (item.at, item.slot)
        expected = truth.verdicts.get(key, Verdict.UNREACHABLE)
        quiet = (Verdict.RELEASED, Verdict.UNREACHABLE)
        if key in truth.broken_off and item.verdict in quiet and expected in quiet:
            continue  # a path that ends in a null access may count or not
        if item.verdict is not expected:
            found.append(f"line {item.at} {item.slot}: {item.verdict.value}, in truth {expected.value}")
    return found


def describe(text: str, function: Function, truth: Truth, comparison: Comparison) -> str:
    """Everything needed to make a fixture of a disagreement."""
    lines = [""]
    for name, items in (("missing", comparison.missing), ("extra", comparison.extra)):
        for item in items:
            tape = next((tape for found, tape in truth.tapes.items() if plain(found) == item), None)
            lines.append(f"{name}: {item}" + (f" decisions {tape}" if tape is not None else ""))
    lines.extend(f"verdict: {item}" for item in comparison.verdicts)
    numbered = [f"{number:3} {line}" for number, line in enumerate(text.splitlines(), 1)]
    return "\n".join([*lines, *numbered, print_function(function)])
