"""An explanation as text and as JSON (docs/why.schema.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from analyzer.findings.explanation import ExplainedAcquisition, ExplainedPath, Explanation, UsedContract
from analyzer.findings.model import Region
from analyzer.report.plain import plain
from analyzer.report.verdicts import acquisition_json


def why_text(explanation: Explanation) -> str:
    """For people."""
    place = f"{plain(explanation.file)}:{explanation.line}"
    lines = [f"{place}: {plain(note)}" for note in explanation.notes]
    if not explanation.acquisitions:
        lines.append(f"{place}: no acquisition is explained")
    for acquisition in explanation.acquisitions:
        lines += ["", *_acquisition(acquisition)] if lines else list(_acquisition(acquisition))
    return "\n".join(lines) + "\n"


def _acquisition(explained: ExplainedAcquisition) -> Iterator[str]:
    one = explained.acquisition
    holder = f" (`{plain(one.holder)}`)" if one.holder else ""
    reason = f": {plain(one.reason)}" if one.reason else ""
    yield f"{plain(one.at.file)}:{one.at.line}:{one.at.column}: {plain(one.callee)}() {plain(one.slot)}{holder}"
    yield f"verdict: {one.verdict.value}{reason}"
    for number, path in enumerate(explained.paths):
        decides = path.verdict is one.verdict and not number
        yield from _path(path, "the way that decides" if decides else "another way", full=decides)
    if not explained.paths:
        within = "" if explained.complete else " within the budget"
        yield f"no way was found{within} on which the call hands this out"
    if not explained.complete:
        yield "not every way was followed to its end: there are more than the budget allows, for instance in a loop"
    yield "contracts:"
    for contract in explained.contracts:
        yield from _contract(contract)
    yield from _list("taken for granted:", explained.assumptions)
    yield from _list("what would change the answer:", explained.changes)


def _path(path: ExplainedPath, title: str, full: bool) -> Iterator[str]:
    if not full:
        yield f"{title}: {plain(path.ending)}"
        return
    yield f"{title}:"
    for number, step in enumerate(path.steps, 1):
        state = f"  -> {plain(step.state)}" if step.state else ""
        yield f"  {number}. {step.at.line}:{step.at.column}: {plain(step.message)}{state}"
    yield f"  => {plain(path.ending)}"


def _contract(contract: UsedContract) -> Iterator[str]:
    source = f", {plain(contract.source)}" if contract.source else ""
    yield f"  {plain(contract.function)} in line {contract.at.line}: {contract.origin}{source}"
    for sentence in contract.says:
        yield f"    {plain(sentence)}"


def _list(title: str, entries: tuple[str, ...]) -> Iterator[str]:
    if entries:
        yield title
        for entry in entries:
            yield f"  - {plain(entry)}"


def why_json(explanation: Explanation) -> str:
    """For machines."""
    content = {
        "format": "mustfree-why",
        "version": 1,
        "file": plain(explanation.file),
        "line": explanation.line,
        "notes": [plain(note) for note in explanation.notes],
        "acquisitions": [_acquisition_json(one) for one in explanation.acquisitions],
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _place(at: Region) -> dict[str, Any]:
    return {"file": plain(at.file), "line": at.line, "column": at.column}


def _acquisition_json(explained: ExplainedAcquisition) -> dict[str, Any]:
    return {
        "acquisition": acquisition_json(explained.acquisition),
        "paths": [
            {
                "verdict": path.verdict.value,
                "ending": plain(path.ending),
                "steps": [
                    {"at": _place(step.at), "message": plain(step.message), "state": plain(step.state)}
                    for step in path.steps
                ],
            }
            for path in explained.paths
        ],
        "complete": explained.complete,
        "contracts": [
            {
                "function": plain(contract.function),
                "at": _place(contract.at),
                "origin": contract.origin,
                "source": plain(contract.source),
                "says": [plain(sentence) for sentence in contract.says],
            }
            for contract in explained.contracts
        ],
        "assumptions": [plain(text) for text in explained.assumptions],
        "changes": [plain(text) for text in explained.changes],
    }
