"""Acquisitions in text that no configuration of the program compiles: not findings, but not silence either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from analyzer.findings.model import Acquisition, Region, Verdict
from analyzer.ir.function import DroppedCall, TranslationUnit
from analyzer.program.discovery import display_path
from analyzer.sources import LineIndex, SourceView

Dropped = tuple[str, Acquisition]  # with the file, absolute


def not_compiled(unit: TranslationUnit, root: str, view: SourceView) -> Iterator[Dropped]:
    """What a unit drops in files of the project."""
    texts: dict[str, LineIndex] = {}
    for call in unit.dropped:
        if Path(call.file).is_relative_to(root) or call.file == unit.path:
            if call.file not in texts:
                texts[call.file] = LineIndex(view.read(call.file))
            yield call.file, _acquisition(call, unit, display_path(call.file, root), texts[call.file])


def _acquisition(call: DroppedCall, unit: TranslationUnit, shown: str, text: LineIndex) -> Acquisition:
    line, column = text.position(call.at)
    around = (f.name for f in unit.functions if f.file == call.file and f.at <= call.at <= f.end)
    return Acquisition(
        at=Region(shown, line, column, line, column + len(call.name), text.line_text(line)),
        function=next(around, ""),
        callee=call.name,
        slot="",
        holder="",
        kind="",
        verdict=Verdict.NOT_COMPILED,
        reason=call.condition,
    )


def nowhere_compiled(units: Iterable[tuple[Sequence[str], Sequence[Dropped]]]) -> tuple[Acquisition, ...]:
    """What every unit that reads its file drops, sorted. units: the files that each has read, and what it drops."""
    units = list(units)
    files = {file for _, dropped in units for file, _ in dropped}
    readers = dict.fromkeys(files, 0)
    droppers: dict[tuple[str, int, int, str], list[Acquisition]] = {}
    for read, dropped in units:
        for file in files.intersection(read):
            readers[file] += 1
        for file, one in dropped:
            droppers.setdefault((file, one.at.line, one.at.column, one.callee), []).append(one)
    found = [
        max(several, key=lambda one: one.function)  # of a header's function, a unit may not have read the beginning
        for (file, _, _, _), several in droppers.items()
        if len(several) >= readers[file]
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.callee)))
