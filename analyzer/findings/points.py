"""Loss points: what a finding is made of, and how findings are put together and taken apart.

One acquisition that is lost in three places is one finding with three loss points. Suppressions, baselines and
changes speak of single loss points, so each point is kept as a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from analyzer.findings.model import Confidence, Finding, Growth, Level, Related

_SUREST = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}
_LEVELS = tuple(Level)  # the worst first, as the next
_GROWTHS = (*Growth, None)


def finding_order(finding: Finding) -> tuple[str | int, ...]:
    """Sort key: by place, then by what it is."""
    at = finding.at
    return (at.file, at.line, at.column, finding.check, finding.kind, finding.resource, finding.fingerprint)


def loss_points(finding: Finding) -> tuple[Finding, ...]:
    """Its loss points, each as a finding of its own."""
    return finding.points or (finding,)


def merge(points: Iterable[Finding]) -> Finding:
    """One finding from at least one loss point: the surest, the first in the file among equals; the others become
    related places."""
    ordered = sorted(points, key=lambda point: (_SUREST[point.confidence], finding_order(point)))
    first = with_worst(ordered[0], ordered)
    others: dict[tuple[int, int], Finding] = {}
    for point in ordered[1:]:
        place = (point.at.line, point.at.column)
        if place != (first.at.line, first.at.column):
            others.setdefault(place, point)
    if not others:
        return first
    places = "1 more place" if len(others) == 1 else f"{len(others)} more places"
    also = tuple(Related(others[place].at, f"also here: {others[place].message}") for place in sorted(others))
    return replace(
        first,
        message=f"{first.message} (and in {places})",
        related=first.related + also,
        points=(ordered[0], *(others[place] for place in sorted(others))),
    )


def with_worst(finding: Finding, points: Iterable[Finding]) -> Finding:
    """The finding with the level and the growth class of the worst of these points."""
    points = list(points)
    worst = min(points, key=lambda point: _GROWTHS.index(point.growth))
    level = min((point.level for point in points), key=_LEVELS.index)
    return replace(finding, level=level, growth=worst.growth, growth_reason=worst.growth_reason)


def split(finding: Finding, belongs: Callable[[Finding], bool]) -> tuple[Finding | None, Finding | None]:
    """The part of a finding whose loss points belong, and the rest; None for an empty part."""
    inside = [point for point in loss_points(finding) if belongs(point)]
    outside = [point for point in loss_points(finding) if not belongs(point)]
    if not inside or not outside:
        return (finding, None) if inside else (None, finding)
    return merge(inside), merge(outside)
