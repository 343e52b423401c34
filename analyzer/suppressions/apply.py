"""Applies the allowing comments to findings. What does nothing is said: it would hide something later.

A comment on a line covers the loss points that are reported on that line, one in a function or file all of it:
a new way to lose the same resource, in another line, is reported although an old one is allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import final

from analyzer.findings.model import Finding, Notice, NoticeKind, Suppression
from analyzer.findings.points import finding_order, loss_points, split
from analyzer.suppressions.comments import Allowance, Scope, read_comments


@final
@dataclass(frozen=True, slots=True)
class Suppressed:
    """All findings, the allowed ones marked, in the order of the report; and notices on comments."""

    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]


def suppress(
    findings: Iterable[Finding],
    texts: Mapping[str, bytes],
    checks: Collection[str],
    today: date,
    gaps: Collection[str] = (),
) -> Suppressed:
    """Marks what comments allow.

    texts: contents of all files that took part, by the name that reports use.
    gaps: files that were not analysed completely: nothing is said there about comments without a finding.
    """
    found = {file: _File(file, data, checks, today) for file, data in texts.items()}
    marked: list[Finding] = []
    for finding in findings:
        file = found.get(finding.at.file)
        marked += file.apply(finding) if file else [finding]
    notices = [notice for file, one in found.items() for notice in one.notices(file in gaps)]
    return Suppressed(tuple(sorted(marked, key=finding_order)), tuple(notices))


@final
class _File:
    """The comments of one file."""

    def __init__(self, file: str, data: bytes, checks: Collection[str], today: date) -> None:
        self._file = file
        self._data = data
        comments = read_comments(data, file, checks)
        self._mistakes = comments.mistakes
        self._expired = [one for one in comments.allowances if one.until and one.until < today]
        self._valid = [one for one in comments.allowances if one not in self._expired]
        self._used: set[tuple[int, str, str]] = set()

    def apply(self, finding: Finding) -> list[Finding]:
        """The finding, or its allowed parts and the rest."""
        parts: list[Finding] = []
        rest: Finding | None = finding
        for allowance in self._valid:
            if rest is None:
                break
            allowed = {point for point in loss_points(rest) if self._covers(allowance, point)}
            inside, rest = split(rest, allowed.__contains__)
            if inside is not None:
                until = allowance.until.isoformat() if allowance.until else ""
                parts.append(replace(inside, suppression=Suppression(allowance.at, allowance.reason, until)))
        return parts + ([rest] if rest is not None else [])

    def _covers(self, allowance: Allowance, point: Finding) -> bool:
        named = next(
            ((check, resource) for check, resource in allowance.checks if _speaks_of(check, resource, point)), None
        )
        if named is None or not self._reaches(allowance, point):
            return False
        self._used.add((allowance.start, *named))
        return True

    def _reaches(self, allowance: Allowance, point: Finding) -> bool:
        if allowance.scope is Scope.FILE:
            return True
        if allowance.scope is Scope.LINE:
            return allowance.line == point.at.line
        first, last = point.lines
        if allowance.at.line <= first and allowance.line <= first:
            return self._directly_above(allowance, first)
        return first <= allowance.at.line <= last

    def _directly_above(self, allowance: Allowance, first: int) -> bool:
        """Whether nothing but the head of the function stands between the comment and its name."""
        between = b"\n".join(self._data[allowance.end :].split(b"\n")[: first - allowance.at.end_line])
        return not any(byte in between for byte in b";{}#")

    def notices(self, incomplete: bool) -> list[Notice]:
        """What is wrong, expired, or (unless the file was analysed in part only) without use."""
        notices = [(line, f"suppression: {what}") for line, what in self._mistakes]
        for one in self._expired:
            notices.append((one.at.line, f"suppression: expired on {one.until}; mend the finding, or remove it"))
        for one in () if incomplete else self._valid:
            unused = [pair for pair in one.checks if (one.start, *pair) not in self._used]
            for check, resource in unused:
                what = f"{check}({resource})" if resource else check
                notices.append((one.at.line, f"suppression: there is no {what} {_WHERE[one.scope]}; remove it"))
        return [Notice(NoticeKind.SUPPRESSION, self._file, line, message) for line, message in notices]


_WHERE = {
    Scope.LINE: "reported on this line",
    Scope.FUNCTION: "in this function",
    Scope.FILE: "in this file",
}


def _speaks_of(check: str, resource: str, point: Finding) -> bool:
    return check == point.check and resource in ("", point.resource)
