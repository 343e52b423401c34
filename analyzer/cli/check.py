"""`mustfree check`: analyse, report, and say by the exit status what was found."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from analyzer.baseline import compare, read_baseline
from analyzer.cli.analysis import analyse, exit_leaks_option, limit_options, settings
from analyzer.cli.options import FlagsCommand, database_option, rules_option, say, wants_colour
from analyzer.errors import MustfreeError
from analyzer.findings.model import Report
from analyzer.report.output import write_file
from analyzer.report.summary import exit_status, last_line, summarise
from analyzer.report.text import TextWriter
from analyzer.report.verdicts import verdicts_csv, verdicts_json, verdicts_text
from analyzer.workspace import Workspace

_EPILOG = """\b
Exit status, the first of these that applies:
  2  something that was asked for could not be done; the rest was still analysed
  1  findings are shown
  3  no findings, but a file or function was not analysed
  0  otherwise
A degraded function, an escaped resource and a skipped C++ file are notes; --strict makes them 3.
An interrupted run ends with 130 and writes whole output files or none."""


def _output(flag: str, what: str) -> Callable[[Any], Any]:
    return click.option(flag, default="", metavar="FILE", help=f"Write {what} to FILE (- for standard output).")


@click.command(cls=FlagsCommand, epilog=_EPILOG)
@click.argument("paths", nargs=-1, metavar="PATH...")
@database_option
@rules_option
@_output("--sarif", "a SARIF 2.1.0 log")
@_output("--json", "the JSON report (docs/report.schema.json)")
@click.option("--verdicts", is_flag=True, help="Show how every acquisition ended, before the findings.")
@_output("--verdicts-csv", "the verdicts as CSV")
@_output("--verdicts-json", "the verdicts as JSON")
@click.option("--all", "everything", is_flag=True, help="Show findings of low confidence too.")
@exit_leaks_option
@click.option("--baseline", default="", metavar="FILE", help="Report only what this baseline or SARIF log lacks.")
@click.option("--strict", is_flag=True, help="Degraded, escaped and skipped count as not analysed (status 3).")
@click.option("--exit-zero", is_flag=True, help="Report only: findings and gaps leave the exit status 0.")
@limit_options
@click.option("-q", "--quiet", is_flag=True, help="No progress and no notes; errors and findings only.")
@click.option("-v", "--verbose", count=True, help="All notices; -vv: also what would make more visible.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.pass_context
def check(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Analyse C files and folders of C files as one program.

    Findings go to standard output, everything else to standard error. With -p and no PATH, the files of the
    compile database are analysed. A file without build flags is analysed too: missing headers are replaced by
    stand-ins, and functions that suffer from it are marked.
    """
    if not options["paths"] and not options["database"]:
        raise click.UsageError("name at least one file or folder, or a compile database with -p")
    workspace = Workspace(settings(context, options))
    started = time.monotonic()
    known = read_baseline(Path(options["baseline"])) if options["baseline"] else None
    report = analyse(workspace, options)
    if known is not None:
        report = compare(report, known, lambda file: workspace.read(file) is not None, options["baseline"])
    failed = _write_outputs(report, workspace, options)
    _write_notices(report, options)
    if options["verbose"] > 1:
        _write_details(report, time.monotonic() - started)
    _write_text(report, options)
    status = exit_status(summarise(report, options["everything"]), options["strict"], options["exit_zero"])
    context.exit(2 if failed else status)


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
        (options["verdicts_csv"], lambda: verdicts_csv(report)),
        (options["verdicts_json"], lambda: verdicts_json(report)),
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
    if "-" in (options["sarif"], options["json"], options["verdicts_csv"], options["verdicts_json"]):
        say(last_line(summarise(report, options["everything"])))
        return
    if options["verdicts"]:
        sys.stdout.write(verdicts_text(report) + "\n")
    writer = TextWriter(wants_colour(options["color"], sys.stdout))
    sys.stdout.write(writer.report(report, options["everything"]))
    sys.stdout.flush()
