"""What the engine says of a case."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.contracts import ContractTable
from analyzer.ir.ops import Return, Stop
from analyzer.ownership.engine import analyse
from analyzer.ownership.events import AcquisitionResult, Event, FunctionResult
from analyzer.repro.case import Case, CaseContracts, Shown


def observe(case: Case, shipped: ContractTable) -> list[Shown]:
    """Everything: each acquisition, then each mistake that is about none."""
    return told(case, run(case, shipped, ways=True))


def shows(case: Case, wanted: tuple[Shown, ...], shipped: ContractTable) -> bool:
    """Whether all of it is to be seen in the case."""
    found = told(case, run(case, shipped, ways=any(one.ways for one in wanted)))
    return all(one in found for one in wanted)


def run(case: Case, shipped: ContractTable, ways: bool) -> FunctionResult:
    """The engine on the case. ways: also what tells the ways out apart, which takes longer."""
    contracts = CaseContracts(case, shipped)
    return analyse(case.function, case.unit(), contracts, case.limits, case.defined, want_states=ways)


def told(case: Case, result: FunctionResult) -> list[Shown]:
    """What a result says: each acquisition, then each mistake that is about none."""
    found = [_acquisition(case, result, one) for one in result.acquisitions]
    return found + [one for event in result.events if (one := shown_by(event, result)) not in found and not one.slot]


def shown_by(event: Event, result: FunctionResult) -> Shown:
    """A mistake that is about no acquisition, by itself; of another one only place and slot of what it is about."""
    about = any(_is_about(event, one) for one in result.acquisitions)
    if about:
        return Shown(event.acquired_at, event.slot, "", ())
    return Shown(event.at, "", "", (event.kind.value,))


def _acquisition(case: Case, result: FunctionResult, of: AcquisitionResult) -> Shown:
    events = tuple(sorted({event.kind.value for event in result.events if _is_about(event, of)}))
    ways = () if events or not result.states else tuple(_ways(case, result, of))
    return Shown(of.at, of.slot, of.verdict.value, events, ways)


def _is_about(event: Event, of: AcquisitionResult) -> bool:
    return (event.acquired_at, event.slot) == (of.at, of.slot)


def _ways(case: Case, result: FunctionResult, of: AcquisitionResult) -> Iterator[str]:
    """In which states each way out is reached. Two resources of one name are not told apart."""
    entries = dict(result.states)
    ends = [
        (block.end.at, number)
        for number, block in enumerate(case.function.blocks)
        if isinstance(block.end, Return | Stop)
    ]
    for _, number in sorted(ends):
        words = {line.partition(" held by ")[0].rpartition(" ")[::2] for line in entries.get(number, ())}
        yield "|".join(sorted(state for name, state in words if name in (of.holder, of.slot)))
