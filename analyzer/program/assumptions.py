"""What a verdict rests on, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from analyzer.findings.model import Acquisition, Finding, NoticeKind, Verdict
from analyzer.ir.function import Function, TranslationUnit
from analyzer.program.discovery import display_path
from analyzer.program.run import LinkedProgram

_SHOWN = 3


@final
@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything around one acquisition.

    findings: about it. shown: a way to its verdict was found by exact execution. name_only: calls of the function that
    fit a contract by name only, as sentences. followed: functions whose bodies stand in place of their calls.
    """

    program: LinkedProgram
    unit: TranslationUnit
    function: Function
    acquisition: Acquisition
    findings: tuple[Finding, ...]
    shown: bool
    name_only: tuple[str, ...]
    followed: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """The compiler flags of the unit."""
        return tuple(flag for task in self.program.tasks.get(self.unit.path, ()) for flag in task.flags)


def assumptions(around: Circumstances) -> tuple[str, ...]:
    """What the verdict takes for granted, the gravest first."""
    return tuple(dict.fromkeys(_assumptions(around)))


def _assumptions(around: Circumstances) -> Iterator[str]:
    unit, function, program = around.unit, around.function, around.program
    for error in function.degraded[:_SHOWN]:
        yield f"{function.name}() was parsed with errors, so statements may be missing: {error}"
    if not around.shown and around.acquisition.verdict is not Verdict.UNREACHABLE:
        yield "no exact path to this verdict was found within the budget: it rests on states that were merged"
    for name in unit.missing_headers[:_SHOWN]:
        yield f"header not found, its names are replaced by stand-ins: {name}"
    more = len(unit.missing_headers) - _SHOWN
    if more > 0:
        yield f"{more} more headers were not found"
    if not around.flags:
        yield "no build flags: macros and include folders are guessed"
    shown = display_path(unit.path, program.context.root)
    for notice in program.report.notices:
        mine = notice.file == shown and notice.function in ("", function.name)
        if mine and notice.kind in (NoticeKind.FLAG, NoticeKind.NOT_ANALYSED):
            yield notice.message
    yield from around.name_only
    yield from _followed(around)
    for finding in around.findings:
        if finding.confidence_reason:
            yield f"confidence {finding.confidence.value}: {finding.confidence_reason}"
        if finding.suppression is not None:
            yield f"a comment in line {finding.suppression.at.line} allows the finding: {finding.suppression.reason}"
    if len(program.tasks) == 1:
        yield "only this file was looked at; functions of other files are unknown"


def _followed(around: Circumstances) -> Iterator[str]:
    if around.followed:
        names = ", ".join(f"{name}()" for name in around.followed)
        yield f"no contract says as much as the bodies do, so these are followed step by step: {names}"


def changes(around: Circumstances) -> tuple[str, ...]:
    """What would change the answer."""
    return tuple(dict.fromkeys(_changes(around)))


def _changes(around: Circumstances) -> Iterator[str]:
    acquisition, program = around.acquisition, around.program
    for finding in around.findings:
        if finding.advice:
            yield f"in the code: {finding.advice}"
    for escape in acquisition.escapes:
        if escape.function:
            yield f"a contract for {escape.what} in a rule file (--rules): {escape.prototype}"
        else:
            yield f"no contract helps with {escape.what}"
    if acquisition.verdict is Verdict.HANDED_OVER:
        yield f"nothing here: its callers must release it (mustfree contracts -f {around.function.name} shows the duty)"
    if acquisition.verdict in (Verdict.GAVE_UP, Verdict.UNPROVEN):
        options = ", ".join(f"--max-{name}" for name in acquisition.met) or "--max-states"
        yield f"a larger budget ({options}), or a shorter function"
    if around.unit.missing_headers or around.function.degraded or not around.flags:
        yield "the build's flags: -p FOLDER of compile_commands.json, or flags after --"
    if len(program.tasks) == 1:
        yield "the rest of the program: name its folders after FILE:LINE"
