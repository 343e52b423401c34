"""Whether a fix releases nothing but what its finding is about, and nothing that is still needed.

Puts the question to `provenance`, for the text with the fix in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.findings.model import Acquisition, Verdict
from analyzer.fixes.candidates import Candidate
from analyzer.fixes.changes import Change, ConflictError, Edit, applied, edits_of
from analyzer.fixes.conditionals import branches
from analyzer.fixes.layout import Layout
from analyzer.fixes.proof import Outcome, Prover
from analyzer.fixes.provenance import Provenance, Question
from analyzer.fixes.reach import Place
from analyzer.fixes.site import Site
from analyzer.ir.function import Function
from analyzer.sources import LineIndex

_LASTING: Final = frozenset((Verdict.HANDED_OVER, Verdict.ESCAPED, Verdict.MOVED, Verdict.HELD, Verdict.MAYBE_RELEASED))


@final
class Owned:
    """The fixes of one function. outcome: what the analysis shows with the fix at hand, and perhaps with others."""

    def __init__(self, prover: Prover, place: Place, site: Site, layout: Layout) -> None:
        self._prover = prover
        self._place = place
        self._site = site
        self._layout = layout
        self._lines = LineIndex(prover.text(place.file))

    def objections(self, candidate: Candidate, outcome: Outcome) -> tuple[str, ...]:
        """Why a fix must not be offered although the analysis has nothing against it; () when nothing is."""
        names = self._names(candidate)
        if not names:
            return ()  # it releases nothing
        changes: Sequence[Change] = candidate.stands_for or candidate.changes
        try:
            edits = edits_of(self._site.function, self._layout, changes)
        except ConflictError:
            return ("the release cannot be written where it would happen",)
        data = applied(self._lines.data, edits)
        functions = self._prover.lowered(self._place, data)
        moved = _Moved(self._lines.data, edits)
        question = self._question(candidate, names, outcome, moved)
        ways = [Provenance(function, question, self._prover.table) for function in functions]
        found = sorted({objection for way in ways for objection in way.objections()})
        if not any(way.releases for way in ways):
            found.append("no release is found in what was written")
        name = candidate.release.name if candidate.release is not None else ""
        if name and _in_dropped_text(functions, data, name):
            found.append("text that is not compiled mentions what is released")
        return tuple(found)

    def _names(self, candidate: Candidate) -> frozenset[str]:
        """The functions that it adds calls of, and that release something."""
        if candidate.release is None and not candidate.stands_for:
            remedy = self._site.findings[0].remedy
            texts = [line.text for change in candidate.changes for line in getattr(change, "lines", ())]
            return frozenset({remedy} if remedy and any(text.startswith(f"{remedy}(") for text in texts) else ())
        lines = [line.text for change in candidate.stands_for for line in getattr(change, "lines", ())]
        called = {match.group(1) for text in lines for match in re.finditer(r"([A-Za-z_]\w*)\s*\(", text)}
        return frozenset(called | ({candidate.release.function} if candidate.release is not None else set()))

    def _question(self, candidate: Candidate, names: frozenset[str], outcome: Outcome, moved: _Moved) -> Question:
        acquired: dict[int, bool] = {}
        lasting = set()
        for one in self._prover.acquisitions(self._place):
            at = moved.to(self._site.offset(one.at))
            acquired[at] = acquired.get(at, False) or _through_parameter(one)
            if one.verdict in _LASTING:
                lasting.add(at)
        first, last = self._site.findings[0].lines
        found = [where for place, where in outcome.escapes if place == self._place]
        escapes = [where for where in found if where is not None and first <= where[0] <= last]
        release = candidate.release
        return Question(
            acquired=acquired,
            lasting=frozenset(lasting),
            escapes=frozenset(moved.to(self._lines.offset(*where)) for where in escapes),
            loose=len(escapes) < len(found),
            spots=moved.spots,
            names=names,
            place=release.place if release is not None and not candidate.stands_for else "",
            number=release is not None and release.is_number,
            handing_out=self._prover.handing_out(self._place.file),
            deep=_is_deep(names, self._prover.table),
            const_is_fine=release is None or release.const_is_fine or bool(candidate.stands_for),
        )


@final
class _Moved:
    """Where the bytes of a text are after edits. spots: the pieces that are new."""

    def __init__(self, data: bytes, edits: Sequence[Edit]) -> None:
        self._data = data
        self._edits = sorted(edits)
        self.spots = tuple(self._new_pieces())

    def _new_pieces(self) -> Iterator[tuple[int, int]]:
        shift = 0
        for edit in self._edits:
            yield edit.start + shift, edit.start + shift + len(edit.text)
            shift += len(edit.text) - (edit.end - edit.start)

    def to(self, offset: int) -> int:
        """The new place of what stood at an offset, -1 when it is gone."""
        shift = 0
        for edit in self._edits:
            if edit.start <= offset < edit.end:
                within = edit.text.find(self._data[offset : edit.end].split(b"\n")[0])
                return edit.start + shift + within if within >= 0 else -1
            if edit.start > offset:
                break
            shift += len(edit.text) - (edit.end - edit.start)
        return offset + shift


def _through_parameter(one: Acquisition) -> bool:
    return not re.match(r"ret\b", one.slot)


def _is_deep(names: frozenset[str], table: ContractTable) -> bool:
    """Whether what is released may go with other memory that it holds."""
    kinds = [kind for kind in table.kinds.values() if not names.isdisjoint(kind.releases)]
    return not kinds or any(kind.deep for kind in kinds)


def _in_dropped_text(functions: Sequence[Function], data: bytes, name: str) -> bool:
    """Whether a branch of the preprocessor that no configuration compiles mentions a variable. functions: in each."""
    blocks = [block for function in functions for block in function.blocks]
    places = [place for block in blocks for place in (*(op.at for op in block.ops), block.end.at)]
    word = re.compile(rb"(?<![\w.>])" + name.encode() + rb"\b")
    return any(
        word.search(data, start, end) is not None and not any(start <= at < end for at in places)
        for function in functions[:1]
        for start, end in branches(data, function.at, function.end)
    )
