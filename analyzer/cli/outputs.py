"""Writes a report where the command line wants it, and says by the exit status what was found."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from analyzer.cli.options import say, wants_colour
from analyzer.errors import MustfreeError
from analyzer.findings.model import Report
from analyzer.program.compile_database import C_SUFFIXES
from analyzer.program.discovery import CPP_SUFFIXES, HEADER_SUFFIXES
from analyzer.report.failing import FAIL_ON
from analyzer.report.output import write_file
from analyzer.report.plain import plain
from analyzer.report.summary import exit_status, last_line, summarise
from analyzer.report.text import TextWriter
from analyzer.report.unlocks import unlocks_text
from analyzer.report.verdicts import global_owners_text, verdicts_csv, verdicts_json, verdicts_text
from analyzer.workspace import Workspace

_Command = TypeVar("_Command", bound=Callable[..., Any])
_INPUTS = ("baseline", "toolchain", "database")
_SOURCES = C_SUFFIXES | CPP_SUFFIXES | HEADER_SUFFIXES
_FILES = ("sarif", "json", "verdicts_csv", "verdicts_json", "github", "code_quality", "junit", "markdown")

quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress and no notes; errors and findings only.")
verbose_option = click.option(
    "-v", "--verbose", count=True, help="All notices; -vv: also what would make more visible."
)
color_option = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)


def output_option(flag: str, what: str) -> Callable[[Any], Any]:
    """An option that takes a file to write."""
    return click.option(flag, default="", metavar="FILE", help=f"Write {what} to FILE (- for standard output).")


_REPORT_OPTIONS = (
    output_option("--sarif", "a SARIF 2.1.0 log"),
    click.option(
        "--sarif-for",
        type=click.Choice(["any", "github", "gitlab", "jenkins"]),
        default="any",
        show_default=True,
        help="Who reads the SARIF log. All but `any` would take suppressed and fixed results for alerts: left out.",
    ),
    output_option("--json", "the JSON report (docs/report.schema.json)"),
    output_option("--github", "GitHub workflow annotations"),
    output_option("--code-quality", "a GitLab Code Quality report"),
    output_option("--junit", "JUnit XML"),
    output_option("--markdown", "a summary for a merge request"),
    click.option(
        "--fail-on",
        multiple=True,
        type=click.Choice(FAIL_ON),
        help="Exit status 1 only for findings of this level or above, or leaks of this growth class or a worse one. "
        "Repeatable: any one will do.",
    ),
)


def report_options(command: _Command) -> _Command:
    """Adds the options for all forms of a report."""
    for option in reversed(_REPORT_OPTIONS):
        command = option(command)
    return command


def check_outputs(options: dict[str, Any]) -> None:
    """Before anything is analysed: UsageError where two outputs have one place, or one would replace an input."""
    inputs = [*options["paths"], *options["rules"], *(options.get(name, "") for name in _INPUTS)]
    read = {os.path.realpath(name) for name in inputs if name and Path(name).is_file()}
    taken: dict[str, str] = {}
    for name in _FILES:
        file = options.get(name, "")
        flag = f"--{name.replace('_', '-')}"
        place = file if file in ("-", os.devnull) else os.path.realpath(file)
        if not file or file == os.devnull:
            continue
        if place in taken:
            raise click.UsageError(f"{taken[place]} and {flag} have one output, {file}; give each a file of its own")
        taken[place] = flag
        if file == "-":
            continue
        if place in read:
            raise click.UsageError(f"{flag} {file}: this file is read in this run; name another one to write")
        if Path(place).is_file() and Path(place).suffix in _SOURCES:
            raise click.UsageError(f"{flag} {file}: this is source code; name the file to write, or - for the terminal")


def write_report(report: Report, workspace: Workspace, options: dict[str, Any], seconds: float) -> int:
    """Writes all that was asked for; the exit status."""
    report = replace(report, fail_on=tuple(options["fail_on"]))
    failed = _write_outputs(report, workspace, options)
    write_notices(report, options)
    if options["verbose"] > 1:
        _write_details(report, seconds)
    _write_text(report, options)
    status = exit_status(summarise(report, options["everything"]), options["strict"], options["exit_zero"])
    return 2 if failed else status


def _write_outputs(report: Report, workspace: Workspace, options: dict[str, Any]) -> bool:
    """Writes the files that were asked for; whether one of them could not be written."""
    failed = False
    for name in _FILES:
        try:
            _write_output(options.get(name, ""), lambda name=name: _content(name, report, workspace, options))  # type: ignore[misc]
        except MustfreeError as error:
            say(f"error: {error}")
            failed = True
    return failed


def _content(name: str, report: Report, workspace: Workspace, options: dict[str, Any]) -> str:
    """One form of the report. Each is imported when it is asked for."""
    everything, strict, exit_zero = options["everything"], options["strict"], options["exit_zero"]
    match name:
        case "sarif":
            from analyzer.report.sarif import SarifOptions, sarif_report

            active_only = options["sarif_for"] != "any"
            wanted = SarifOptions(workspace.root, workspace.read, everything, active_only, strict, exit_zero)
            return sarif_report(report, wanted)
        case "json":
            from analyzer.report.json_report import json_report

            return json_report(report, everything, strict, exit_zero)
        case "github":
            from analyzer.report.annotations import github_annotations

            return github_annotations(report, everything)
        case "code_quality":
            from analyzer.report.code_quality import code_quality

            return code_quality(report, everything)
        case "junit":
            from analyzer.report.junit import junit

            return junit(report, everything)
        case "markdown":
            from analyzer.report.markdown import markdown

            return markdown(report, everything)
        case "verdicts_csv":
            return verdicts_csv(report)
        case _:
            return verdicts_json(report)


def _write_output(path: str, make: Callable[[], str]) -> None:
    if path == "-":
        sys.stdout.write(make())
    elif path:
        write_file(Path(path), make())


def write_notices(report: Report, options: dict[str, Any]) -> None:
    """What was not analysed, and what else is to be said, on standard error."""
    writer = TextWriter(wants_colour(options["color"], sys.stderr))
    for line in writer.notices(report, verbose=options["verbose"] > 0, quiet=options["quiet"]):
        say(line)


def _write_details(report: Report, seconds: float) -> None:
    """For -vv: what would bring resources back into sight, and the time it took."""
    for unlock in report.unlocks:
        say(f"note: {unlock.acquisitions} resources escape: {plain(unlock.escape.what)}")
    say(f"note: {report.files} files, {report.functions} functions, {seconds:.2f} seconds")


def _write_text(report: Report, options: dict[str, Any]) -> None:
    if "-" in (options[name] for name in _FILES if name in options):
        say(last_line(summarise(report, options["everything"])))
        return
    if options.get("verdicts"):
        sys.stdout.write(verdicts_text(report) + "\n")
    if report.global_owners is not None:
        sys.stdout.write(global_owners_text(report) + "\n")
    if options.get("unlock"):
        sys.stdout.write(unlocks_text(report) + "\n")
    writer = TextWriter(wants_colour(options["color"], sys.stdout))
    sys.stdout.write(writer.report(report, options["everything"]))
    sys.stdout.flush()
