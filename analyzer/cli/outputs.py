"""Writes a report where the command line wants it, and says by the exit status what was found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analyzer.cli.options import say, wants_colour
from analyzer.errors import MustfreeError
from analyzer.findings.model import Report
from analyzer.report.output import write_file
from analyzer.report.summary import exit_status, last_line, summarise
from analyzer.report.text import TextWriter
from analyzer.report.verdicts import verdicts_csv, verdicts_json, verdicts_text
from analyzer.workspace import Workspace

_FILES = ("sarif", "json", "verdicts_csv", "verdicts_json")

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


def write_report(report: Report, workspace: Workspace, options: dict[str, Any], seconds: float) -> int:
    """Writes all that was asked for; the exit status."""
    failed = _write_outputs(report, workspace, options)
    _write_notices(report, options)
    if options["verbose"] > 1:
        _write_details(report, seconds)
    _write_text(report, options)
    status = exit_status(summarise(report, options["everything"]), options["strict"], options["exit_zero"])
    return 2 if failed else status


def _write_outputs(report: Report, workspace: Workspace, options: dict[str, Any]) -> bool:
    """Writes the files that were asked for; whether one of them could not be written."""
    everything, strict, exit_zero = options["everything"], options["strict"], options["exit_zero"]

    def sarif() -> str:
        from analyzer.report.sarif import SarifOptions, sarif_report

        return sarif_report(report, SarifOptions(workspace.root, workspace.read, everything, strict, exit_zero))

    def json() -> str:
        from analyzer.report.json_report import json_report

        return json_report(report, everything, strict, exit_zero)

    failed = False
    for path, make in (
        (options["sarif"], sarif),
        (options["json"], json),
        (options.get("verdicts_csv", ""), lambda: verdicts_csv(report)),
        (options.get("verdicts_json", ""), lambda: verdicts_json(report)),
    ):
        try:
            _write_output(path, make)
        except MustfreeError as error:
            say(f"error: {error}")
            failed = True
    return failed


def _write_output(path: str, make: Callable[[], str]) -> None:
    if path == "-":
        sys.stdout.write(make())
    elif path:
        write_file(Path(path), make())


def _write_notices(report: Report, options: dict[str, Any]) -> None:
    writer = TextWriter(wants_colour(options["color"], sys.stderr))
    for line in writer.notices(report, verbose=options["verbose"] > 0, quiet=options["quiet"]):
        say(line)


def _write_details(report: Report, seconds: float) -> None:
    """For -vv: what would bring resources back into sight, and the time it took."""
    for name, count in report.unlocks:
        say(f"note: {count} resources escape: {name}")
    say(f"note: {report.files} files, {report.functions} functions, {seconds:.2f} seconds")


def _write_text(report: Report, options: dict[str, Any]) -> None:
    if "-" in (options[name] for name in _FILES if name in options):
        say(last_line(summarise(report, options["everything"])))
        return
    if options.get("verdicts"):
        sys.stdout.write(verdicts_text(report) + "\n")
    writer = TextWriter(wants_colour(options["color"], sys.stdout))
    sys.stdout.write(writer.report(report, options["everything"]))
    sys.stdout.flush()
