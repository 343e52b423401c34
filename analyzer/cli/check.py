"""`mustfree check`: analyse, report, and say by the exit status what was found."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from analyzer.baseline import compare, read_baseline
from analyzer.cli.analysis import analyse, cache_options, check_only, exit_leaks_option, limit_options, settings
from analyzer.cli.configured import configured
from analyzer.cli.options import NO_DATABASE, FlagsCommand, database_option, program_options, rules_option
from analyzer.cli.outputs import (
    check_outputs,
    color_option,
    output_option,
    quiet_option,
    report_options,
    verbose_option,
    write_report,
)
from analyzer.findings.model import Report
from analyzer.project.apply import apply, limit
from analyzer.project.unmet import unmet
from analyzer.workspace import Workspace

_EPILOG = """\b
Exit status, the first of these that applies:
  2  something that was asked for could not be done; the rest was still analysed
  1  findings are shown
  3  no findings, but a file or function was not analysed, or nothing at all was
  0  otherwise
A degraded function, an escaped resource and a skipped C++ file are notes; --strict makes them 3.
An interrupted run ends with 130 and writes whole output files or none."""


@click.command(cls=FlagsCommand, epilog=_EPILOG)
@click.argument("paths", nargs=-1, metavar="PATH...")
@database_option
@program_options
@rules_option
@report_options
@click.option("--verdicts", is_flag=True, help="Show how every acquisition ended, before the findings.")
@click.option("--global-owners", is_flag=True, help="Show what variables hold and nothing in the program releases.")
@click.option("--unlock", is_flag=True, help="Show which functions' contracts would decide the most, with skeletons.")
@output_option("--verdicts-csv", "the verdicts as CSV")
@output_option("--verdicts-json", "the verdicts as JSON")
@click.option("--all", "everything", is_flag=True, help="Show findings of low confidence too.")
@exit_leaks_option
@click.option("--fixes", is_flag=True, help="Put proved fixes into the SARIF log; costs analyses of what they change.")
@click.option("--baseline", default="", metavar="FILE", help="Report only what this baseline or SARIF log lacks.")
@click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Leave out these files and folders; `*` also fits /. Repeatable."
)
@click.option(
    "--only", multiple=True, metavar="PATH", help="Analyse everything, report what lies in this PATH. Repeatable."
)
@click.option("--generated", is_flag=True, help="Show findings in what the settings call generated code.")
@click.option("--strict", is_flag=True, help="Degraded, escaped and skipped count as not analysed (status 3).")
@click.option("--exit-zero", is_flag=True, help="Report only: findings and gaps leave the exit status 0.")
@limit_options
@cache_options
@quiet_option
@verbose_option
@color_option
@click.pass_context
def check(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Analyse C files and folders of C files as one program.

    Findings go to standard output, everything else to standard error. With -p and no PATH, the files of the
    compile database are analysed. A file without build flags is analysed too: missing headers are replaced by
    stand-ins, and functions that suffer from it are marked. Options that are not given are taken from the nearest
    mustfree.toml, or [tool.mustfree] in pyproject.toml; `mustfree config` shows them.
    """
    options, found = configured(context, options)
    if not options["paths"] and options["database"] in NO_DATABASE:
        raise click.UsageError("name at least one file or folder, or a compile database with -p")
    if options["fixes"] and not options["sarif"]:
        raise click.UsageError("--fixes goes into the SARIF log; add --sarif FILE, or use `mustfree fix`")
    check_outputs(options)
    started = time.monotonic()
    known = read_baseline(Path(options["baseline"])) if options["baseline"] else None
    if options["fixes"]:
        workspace, report = _with_fixes(context, options)
    else:
        workspace = Workspace(settings(context, options))
        report = apply(analyse(workspace, options), workspace.root, options["everything"], options["generated"])
    named = unmet(report, found, workspace.root, options["paths"])
    report = replace(report, notices=(*report.notices, *named))
    if options["only"]:
        check_only(report, workspace.root, options["only"])
        report = limit(report, workspace.root, options["only"])
    options["everything"] = True  # apply() has judged the confidence, by the settings of each file
    if known is not None:
        report = compare(report, known, lambda file: workspace.read(file) is not None, options["baseline"])
    context.exit(write_report(report, workspace, options, time.monotonic() - started))


def _with_fixes(context: click.Context, options: dict[str, Any]) -> tuple[Workspace, Report]:
    """The report with fixes, as far as there are any."""
    from analyzer.cli.fixing import search, searching

    with searching(context, options) as workspace:
        report = apply(analyse(workspace, options), workspace.root, options["everything"], options["generated"])
        return workspace, search(workspace, report, options).report
