"""How every acquisition ended: as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from analyzer.findings.model import Acquisition, Report, Verdict
from analyzer.report.plain import plain

COLUMNS = ("file", "line", "column", "function", "callee", "slot", "holder", "kind", "verdict", "reason", "limits")


def _row(acquisition: Acquisition) -> tuple[str, ...]:
    at = acquisition.at
    return (
        plain(at.file),
        str(at.line),
        str(at.column),
        plain(acquisition.function),
        plain(acquisition.callee),
        plain(acquisition.slot),
        plain(acquisition.holder),
        plain(acquisition.kind),
        acquisition.verdict.value,
        plain(acquisition.reason),
        " ".join(acquisition.met),
    )


def every_acquisition(report: Report) -> tuple[Acquisition, ...]:
    """Also those that are not compiled, by place."""
    if not report.not_compiled:
        return report.acquisitions
    return tuple(sorted((*report.acquisitions, *report.not_compiled), key=lambda one: one.at))


def totals(report: Report) -> list[tuple[str, int]]:
    """Verdicts that occur, in the order of precedence, with their counts."""
    counts = dict.fromkeys(Verdict, 0)
    for acquisition in every_acquisition(report):
        counts[acquisition.verdict] += 1
    return [(verdict.value, count) for verdict, count in counts.items() if count]


def verdicts_text(report: Report) -> str:
    """One line per acquisition and slot, then the totals."""
    lines = []
    for acquisition in every_acquisition(report):
        at = acquisition.at
        function = f"{plain(acquisition.function)}(): " if acquisition.function else ""
        slot = f" {plain(acquisition.slot)}" if acquisition.slot else ""
        holder = f" ({plain(acquisition.holder)})" if acquisition.holder else ""
        reason = f": {plain(acquisition.reason)}" if acquisition.reason else ""
        lines.append(
            f"{plain(at.file)}:{at.line}:{at.column}: {function}{plain(acquisition.callee)}(){slot}{holder}: "
            f"{acquisition.verdict.value}{reason}{_met(acquisition)}"
        )
    lines.append(f"{len(every_acquisition(report))} acquisitions")
    lines += [f"{count:>7}  {name}" for name, count in totals(report)]
    return "\n".join(lines) + "\n"


def verdicts_csv(report: Report) -> str:
    """RFC 4180 with a header line. A cell that a spreadsheet would run as a formula gets a leading quote."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for acquisition in every_acquisition(report):
        row = _row(acquisition)
        writer.writerow(["'" + cell if cell[:1] in ("=", "+", "-", "@") else cell for cell in row])
    return out.getvalue()


def acquisition_json(acquisition: Acquisition) -> dict[str, Any]:
    """One acquisition as in docs/report.schema.json."""
    entry: dict[str, Any] = dict(zip(COLUMNS, _row(acquisition), strict=True))
    entry["line"], entry["column"] = acquisition.at.line, acquisition.at.column
    entry["limits"] = list(acquisition.met)
    entry["held"] = [plain(_variable(name)) for name in acquisition.held]
    entry["escapes"] = [plain(escape.what) for escape in acquisition.escapes]
    return entry


def verdicts_json(report: Report) -> str:
    """The acquisitions, in the form of the `acquisitions` of the JSON report."""
    content = {
        "format": "mustfree-verdicts",
        "version": 1,
        "totals": dict(totals(report)),
        "acquisitions": [acquisition_json(acquisition) for acquisition in every_acquisition(report)],
    }
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _met(acquisition: Acquisition) -> str:
    options = ", ".join(f"--max-{name}" for name in acquisition.met)
    return f" (met {options})" if options else ""


def _variable(name: str) -> str:
    """A variable as the programmer writes it: static ones carry their file and function in the report."""
    return name.rpartition(":")[2]


def global_owners_text(report: Report) -> str:
    """One line for each acquisition that a variable holds for good, or why there is no list."""
    if report.global_gaps:
        why = "; ".join(plain(gap) for gap in report.global_gaps)
        return f"global owners are not known, for the whole program was not seen: {why}\n"
    lines = []
    for owner in report.global_owners or ():
        names = " and ".join(f"`{plain(_variable(name))}`" for name in owner.held)
        holds = "hold" if len(owner.held) > 1 else "holds"
        place = f"{plain(owner.at.file)}:{owner.at.line}:{owner.at.column}"
        what = f"what {plain(owner.callee)}() hands out in {plain(owner.function)}()"
        lines.append(f"{place}: {names} {holds} {what}, and nothing in the program ever releases it")
    lines.append(f"{len(lines)} global owner{'' if len(lines) == 1 else 's'} that nothing releases")
    return "\n".join(lines) + "\n"
