"""The SARIF 2.1.0 log: what GitHub, GitLab, Jenkins and editors need, in one file.

What each of them reads or rejects decided the form: explicit level and kind, exactly one location with all
four region numbers, relative URIs with a declared base, both fingerprints, every rule in the log.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import quote

import sarif_om as om

from analyzer.findings.model import (
    Finding,
    Fix,
    Notice,
    NoticeKind,
    Region,
    Report,
    State,
    Step,
    StepKind,
    Suppression,
    Verdict,
)
from analyzer.findings.points import loss_points
from analyzer.report import sarif_rules
from analyzer.report.growth import growth_sentence
from analyzer.report.line_hash import line_hashes
from analyzer.report.plain import plain, split_utf16
from analyzer.report.sarif_serialize import serialise, to_plain
from analyzer.report.summary import confident_findings, exit_status, summarise

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "SRCROOT"
_CONFIGURATION = (
    NoticeKind.FLAG,
    NoticeKind.BAD_INPUT,
    NoticeKind.CONTRADICTION,
    NoticeKind.WRITTEN,
    NoticeKind.SETTINGS,
    NoticeKind.NAME_ONLY,
    NoticeKind.SUPPRESSION,
)
_LEVELS = {
    NoticeKind.BAD_INPUT: "error",
    NoticeKind.INTERNAL: "error",
    NoticeKind.NOT_ANALYSED: "warning",
    NoticeKind.SUPPRESSION: "warning",
    NoticeKind.CHANGE: "warning",
    NoticeKind.WRITTEN: "warning",
    NoticeKind.SETTINGS: "warning",
}
_MOST_STEPS = 1000
_MOST_RELATED = 100

Read = Callable[[str], bytes | None]


@final
@dataclass(frozen=True, slots=True)
class SarifOptions:
    """root: folder that relative paths refer to. read: contents of a file for the line hash.

    everything: with low confidence. active_only: without results that are suppressed or absent, for consumers that
    take them for alerts. strict, exit_zero: as on the command line, for the exit code.
    """

    root: str
    read: Read
    everything: bool = False
    active_only: bool = False
    strict: bool = False
    exit_zero: bool = False


def sarif_report(report: Report, options: SarifOptions) -> str:
    """The log of one run as JSON text."""
    return serialise(_Writer(report, options).log())


def _folder_uri(path: str) -> str:
    uri = Path(path).absolute().as_uri()
    return uri if uri.endswith("/") else uri + "/"


@final
class _Writer:
    def __init__(self, report: Report, options: SarifOptions) -> None:
        self._report = report
        self._options = options
        self._findings = confident_findings(report, options.everything)
        if options.active_only:
            active = (one for one in self._findings if one.suppression is None and one.state is not State.ABSENT)
            self._findings = tuple(active)
        self._cwes = sarif_rules.used_cwes(self._findings)
        self._hashes: dict[str, list[str]] = {}

    def log(self) -> Any:  # noqa: ANN401 - sarif_om has no types
        """The whole log."""
        run = om.Run(
            tool=om.Tool(driver=self._driver()),
            automation_details=om.RunAutomationDetails(id="mustfree/"),
            invocations=[self._invocation()],
            original_uri_base_ids={
                BASE: {
                    "uri": _folder_uri(self._options.root),
                    "description": {"text": "The folder in which mustfree was started."},
                }
            },
            column_kind="utf16CodeUnits",
            results=[self._result(finding) for finding in self._findings],
            taxonomies=[sarif_rules.taxonomy(self._cwes)],
            properties={"base": self._report.base, "head": self._report.head} if self._report.base else None,
        )
        return om.SarifLog(version="2.1.0", schema_uri=SCHEMA, runs=[run])

    def _driver(self) -> Any:  # noqa: ANN401
        versions = dict(self._report.versions)
        version = versions.pop("mustfree", "")
        return om.ToolComponent(
            name="mustfree",
            full_name=f"mustfree {version}".strip(),
            version=version or None,
            semantic_version=version or None,
            information_uri=sarif_rules.WEB,
            organization="mustfree",
            short_description=om.MultiformatMessageString(
                text="Finds every path on which a C program loses a resource it must release."
            ),
            rules=sarif_rules.rules(self._cwes),
            notifications=sarif_rules.notifications(),
            supported_taxonomies=[sarif_rules.cwe_component()],
            properties={"versions": versions} if versions else None,
        )

    def _artifact(self, file: str) -> Any:  # noqa: ANN401
        path = os.fsencode(file)
        if Path(file).is_absolute():
            return om.ArtifactLocation(uri="file://" + quote(path))
        return om.ArtifactLocation(uri=quote(path), uri_base_id=BASE)

    def _physical(self, at: Region) -> Any:  # noqa: ANN401
        if not at.line:
            return om.PhysicalLocation(artifact_location=self._artifact(at.file))
        region = om.Region(
            start_line=at.line,
            start_column=at.column,
            end_line=at.end_line,
            end_column=at.end_column,
            snippet=_content(_inside(at)),
        )
        return om.PhysicalLocation(artifact_location=self._artifact(at.file), region=region)

    def _location(self, at: Region, message: str = "", number: int = -1) -> Any:  # noqa: ANN401
        return om.Location(
            id=number,
            physical_location=self._physical(at),
            message=om.Message(text=plain(message)) if message else None,
        )

    def _result(self, finding: Finding) -> Any:  # noqa: ANN401
        primary = self._location(finding.at)
        line = finding.at.line
        if line:
            primary.physical_location.context_region = om.Region(
                start_line=line, end_line=line, snippet=_content(finding.at.text)
            )
        primary.logical_locations = [om.LogicalLocation(name=plain(finding.function), kind="function")]
        related = finding.related[:_MOST_RELATED]
        return om.Result(
            rule_id=finding.check,
            rule_index=sarif_rules.rule_index(finding.check),
            level=finding.level.value,
            kind="fail",
            message=self._message(finding),
            locations=[primary],
            related_locations=[
                self._location(other.at, other.message, number) for number, other in enumerate(related, 1)
            ]
            or None,
            code_flows=[self._code_flow(finding)] if finding.steps else None,
            partial_fingerprints=self._fingerprints(finding),
            baseline_state=finding.state.value if finding.state else None,
            taxa=[sarif_rules.cwe_reference(finding.cwe, self._cwes)] if finding.cwe else None,
            properties={
                "confidence": finding.confidence.value,
                "confidenceReason": plain(finding.confidence_reason),
                "lossKind": finding.kind,
                "resource": plain(finding.resource),
                "lossPoints": [point.point for point in loss_points(finding) if point.point],
                **_growth(finding),
            },
            suppressions=[self._suppression(finding.suppression)] if finding.suppression else None,
            fixes=[self._fix(fix) for fix in finding.fixes] or None,
        )

    def _fix(self, fix: Fix) -> Any:  # noqa: ANN401
        change = om.ArtifactChange(
            artifact_location=self._artifact(fix.file),
            replacements=[
                om.Replacement(
                    deleted_region=om.Region(
                        start_line=one.at.line,
                        start_column=one.at.column,
                        end_line=one.at.end_line,
                        end_column=one.at.end_column,
                    ),
                    inserted_content=om.ArtifactContent(text=one.text),
                )
                for one in fix.replacements
            ],
        )
        description = om.Message(text=_no_links(plain(fix.description)))
        return om.Fix(description=description, artifact_changes=[change])

    def _suppression(self, suppression: Suppression) -> Any:  # noqa: ANN401
        until = f" (until {suppression.until})" if suppression.until else ""
        written = om.Suppression(kind="inSource", justification=plain(suppression.reason) + until)
        written.location = self._location(suppression.at)
        return {**to_plain(written), "status": "accepted"}

    def _message(self, finding: Finding) -> Any:  # noqa: ANN401
        parts = [_no_links(plain(finding.message)) + "."]
        if finding.growth is not None:
            parts.append(f"Growth: {_no_links(plain(growth_sentence(finding)))}.")
        if finding.change:
            parts.append(_no_links(plain(finding.change[0].upper() + finding.change[1:])) + ".")
        if finding.callee and finding.related:
            parts.append("The resource comes from [this call](1).")
        if finding.advice:
            parts.append(f"Remedy: {_no_links(plain(finding.advice))}.")
        return om.Message(text=" ".join(parts))

    def _code_flow(self, finding: Finding) -> Any:  # noqa: ANN401
        steps = finding.steps[: _MOST_STEPS - 1] + finding.steps[-1:]
        if len(finding.steps) <= _MOST_STEPS:
            steps = finding.steps
        locations = [self._step(number, step) for number, step in enumerate(steps, 1)]
        return om.CodeFlow(thread_flows=[om.ThreadFlow(locations=locations)])

    def _step(self, number: int, step: Step) -> Any:  # noqa: ANN401
        essential = step.kind in (StepKind.ACQUIRE, StepKind.RELEASE, StepKind.LOST)
        return om.ThreadFlowLocation(
            location=self._location(step.at, step.message),
            kinds=[step.kind.value],
            importance="essential" if essential else "important",
            execution_order=number,
            nesting_level=0,
        )

    def _fingerprints(self, finding: Finding) -> dict[str, str]:
        prints = {"mustfree/v1": finding.fingerprint or finding.point}
        hashes = self._line_hashes(finding.at.file) if finding.at.line else []
        if 0 < finding.at.line <= len(hashes):
            prints["primaryLocationLineHash"] = hashes[finding.at.line - 1]
        return prints

    def _line_hashes(self, file: str) -> list[str]:
        if file not in self._hashes:
            data = self._options.read(file)
            text = "" if data is None else data.decode("utf-8", "replace")
            self._hashes[file] = [] if data is None else line_hashes(text)
        return self._hashes[file]

    def _invocation(self) -> Any:  # noqa: ANN401
        options = self._options
        summary = summarise(self._report, options.everything)
        configuration = [n for n in self._report.notices if n.kind in _CONFIGURATION]
        execution = [n for n in self._report.notices if n.kind not in _CONFIGURATION]
        return om.Invocation(
            execution_successful=summary.failed == 0,
            exit_code=exit_status(summary, options.strict, options.exit_zero),
            working_directory=om.ArtifactLocation(uri=_folder_uri(options.root)),
            tool_configuration_notifications=[self._notification(notice) for notice in configuration] or None,
            tool_execution_notifications=[
                *(self._notification(notice) for notice in execution),
                *self._escapes(),
            ]
            or None,
        )

    def _notification(self, notice: Notice) -> Any:  # noqa: ANN401
        function = f"{notice.function}(): " if notice.function else ""
        return om.Notification(
            descriptor=_descriptor(notice.kind.value),
            level=_LEVELS.get(notice.kind, "note"),
            message=om.Message(text=_no_links(function + plain(notice.message))),
            locations=[self._notice_location(notice.file, notice.line)] if notice.file else None,
        )

    def _notice_location(self, file: str, line: int) -> Any:  # noqa: ANN401
        region = om.Region(start_line=line) if line else None
        return om.Location(physical_location=om.PhysicalLocation(artifact_location=self._artifact(file), region=region))

    def _escapes(self) -> list[Any]:
        """One note per file, not per resource: real code has thousands."""
        files: dict[str, dict[str, int]] = {}
        for acquisition in self._report.acquisitions:
            if acquisition.verdict is Verdict.ESCAPED:
                reasons = files.setdefault(acquisition.at.file, {})
                reasons[acquisition.reason] = reasons.get(acquisition.reason, 0) + 1
        return [self._escape_note(file, reasons) for file, reasons in sorted(files.items())]

    def _escape_note(self, file: str, reasons: dict[str, int]) -> Any:  # noqa: ANN401
        ways = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        text = "; ".join(f"{count} by: {plain(reason) or 'unknown'}" for reason, count in ways[:20])
        more = f"; and {len(ways) - 20} other ways" if len(ways) > 20 else ""
        total = sum(reasons.values())
        return om.Notification(
            descriptor=_descriptor(sarif_rules.ESCAPED),
            level="note",
            message=om.Message(text=_no_links(f"Resources that went out of sight: {total}. {text}{more}")),
            locations=[self._notice_location(file, 0)],
        )


def _growth(finding: Finding) -> dict[str, str]:
    """Properties of a leak: how often it loses something, and how much."""
    if finding.growth is None:
        return {}
    cost = {"cost": plain(finding.cost)} if finding.cost else {}
    return {"growth": finding.growth.value, "growthReason": plain(finding.growth_reason), **cost}


def _content(text: str) -> Any:  # noqa: ANN401
    return om.ArtifactContent(text=text) if text else None


def _inside(at: Region) -> str:
    """The part of the source line that the region covers."""
    return split_utf16(at.text, at.end_column)[len(split_utf16(at.text, at.column)) :]


def _descriptor(identity: str) -> Any:  # noqa: ANN401
    return om.ReportingDescriptorReference(id=identity, index=sarif_rules.NOTIFICATION_IDS.index(identity))


def _no_links(text: str) -> str:
    """``[a](b)`` in a SARIF message is a link and ``{0}`` a placeholder; both occur in C."""
    escaped = text.replace("{", "{{").replace("}", "}}")
    return escaped.replace("[", "\\[").replace("]", "\\]") if "](" in escaped else escaped
