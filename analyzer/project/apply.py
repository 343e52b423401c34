"""What the settings nearest to each file make of its findings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from analyzer.findings.model import Confidence, Finding, Level, Report, Withheld
from analyzer.program.discovery import fits
from analyzer.project.files import DISK, Files
from analyzer.project.read import ProjectSettings, nearest, read_settings

_ORDER = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


def apply(report: Report, root: str, everything: bool, generated: bool, files: Files = DISK) -> Report:
    """The report with levels set, and what the settings do not want shown withheld.

    root: folder that the report's names refer to. everything: show low confidence, whatever the settings say.
    generated: show what lies in generated code. files: where settings are read. Raises MustfreeError for a settings
    file.
    """
    settings = _settings_by_folder(files)

    def treat(finding: Finding) -> Finding:
        path = os.path.realpath(Path(root) / finding.at.file)
        found = settings(str(Path(path).parent))
        return _treat(finding, path, found, everything, generated)

    return replace(report, findings=tuple(treat(finding) for finding in report.findings))


def limit(report: Report, root: str, only: Sequence[str]) -> Report:
    """The report without the findings and acquisitions outside of the files and folders in `only`."""
    places = [os.path.realpath(Path(root) / name) for name in only]

    def inside(file: str) -> bool:
        return any(Path(os.path.realpath(Path(root) / file)).is_relative_to(place) for place in places)

    return replace(
        report,
        findings=tuple(finding for finding in report.findings if inside(finding.at.file)),
        acquisitions=tuple(one for one in report.acquisitions if inside(one.at.file)),
        not_compiled=tuple(one for one in report.not_compiled if inside(one.at.file)),
    )


def _settings_by_folder(files: Files) -> Callable[[str], ProjectSettings]:
    @cache
    def by_file(file: Path | None) -> ProjectSettings:
        return read_settings(file, files)

    @cache
    def by_folder(folder: str) -> ProjectSettings:
        return by_file(nearest(Path(folder), files))

    return by_folder


def _treat(finding: Finding, path: str, found: ProjectSettings, everything: bool, generated: bool) -> Finding:
    level = found.get("levels", {}).get(finding.check)
    if level:
        points = tuple(replace(point, level=Level(level)) for point in finding.points)
        finding = replace(finding, level=Level(level), points=points)
    withheld = _reason(finding, path, found, everything, generated)
    points = tuple(replace(point, withheld=withheld) for point in finding.points)
    return replace(finding, withheld=withheld, points=points)


def _reason(finding: Finding, path: str, found: ProjectSettings, everything: bool, generated: bool) -> Withheld | None:
    if not generated and fits(path, found.get("generated", ())):
        return Withheld.GENERATED
    on = found.get("checks")
    if (on is not None and finding.check not in on) or finding.callee in found.get("ignore-allocators", ()):
        return Withheld.OFF
    floor = Confidence.LOW if everything else Confidence(found.get("confidence", Confidence.MEDIUM.value))
    return Withheld.UNSURE if _ORDER.index(finding.confidence) < _ORDER.index(floor) else None
