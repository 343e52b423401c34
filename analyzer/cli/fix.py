"""`mustfree fix`: repairs of findings, as a patch or in the files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from analyzer.baseline import compare, read_baseline
from analyzer.cli.analysis import analyse, cache_options, check_only, exit_leaks_option, limit_options
from analyzer.cli.configured import configured
from analyzer.cli.fixing import search, searching
from analyzer.cli.options import NO_DATABASE, FlagsCommand, database_option, program_options, rules_option, say
from analyzer.cli.outputs import quiet_option, write_notices
from analyzer.findings.model import State
from analyzer.fixes import Fixes
from analyzer.fixes.patch import unified_diff, write_texts
from analyzer.project.apply import apply, limit
from analyzer.report.plain import plain
from analyzer.report.summary import Summary, exit_status, kept_back, summarise

_EPILOG = """\b
Exit status, the first of these that applies:
  2  something that was asked for could not be done; no file was changed
  1  findings are left for which there is no fix
  3  no findings are left, but a file or function was not analysed
  0  otherwise"""


@click.command(cls=FlagsCommand, epilog=_EPILOG)
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--diff", "mode", flag_value="diff", default=True, help="Print the fixes as a patch (the default).")
@click.option("--apply", "mode", flag_value="apply", help="Change the files: all of them, or none.")
@database_option
@program_options
@rules_option
@click.option("--all", "everything", is_flag=True, help="Fix findings of low confidence too.")
@exit_leaks_option
@click.option("--baseline", default="", metavar="FILE", help="Fix only what this baseline or SARIF log lacks.")
@click.option(
    "--exclude", multiple=True, metavar="GLOB", help="Leave out these files and folders; `*` also fits /. Repeatable."
)
@click.option(
    "--only", multiple=True, metavar="PATH", help="Analyse everything, fix what lies in this PATH. Repeatable."
)
@click.option("--generated", is_flag=True, help="Fix findings in what the settings call generated code, too.")
@limit_options
@cache_options
@quiet_option
@click.pass_context
def fix(context: click.Context, /, mode: str, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Repair what `mustfree check` reports.

    A fix is offered only if the program was analysed with it: the findings that it is for are gone, no other one has
    appeared anywhere, and everything is read and understood as before. What has no such fix is named on standard
    error. Nothing is changed without --apply. Options that are not given are taken from the settings, and what those
    keep back is counted and not fixed.
    """
    options, _ = configured(context, options)
    if not options["paths"] and options["database"] in NO_DATABASE:
        raise click.UsageError("name at least one file or folder, or a compile database with -p")
    known = read_baseline(Path(options["baseline"])) if options["baseline"] else None
    with searching(context, options) as workspace:
        report = apply(analyse(workspace, options), workspace.root, options["everything"], options["generated"])
        if known is not None:
            report = compare(report, known, lambda file: workspace.read(file) is not None, options["baseline"])
            there = tuple(finding for finding in report.findings if finding.state is not State.ABSENT)
            report = replace(report, findings=there)
        check_only(report, workspace.root, options["only"])
        write_notices(report, {"color": "never", "verbose": 0, "quiet": options["quiet"]})
        found = search(workspace, report, options)
    summary = summarise(limit(report, workspace.root, options["only"]) if options["only"] else report, everything=True)
    if mode == "apply" and not summary.failed:
        write_texts(workspace.root, found.before, found.texts)
    elif mode != "apply":
        sys.stdout.flush()
        sys.stdout.buffer.write(unified_diff(found.before, found.texts))
        sys.stdout.buffer.flush()
    if not options["quiet"]:
        _tell(found, summary, mode == "apply" and not summary.failed)
    left = 0 if not found.left and not found.without else 1
    context.exit(exit_status(replace(summary, shown=left)))


def _tell(found: Fixes, summary: Summary, written: bool) -> None:
    """What was done, and what there is no fix for."""
    for finding in found.without:
        at = finding.at
        say(f"{at.file}:{at.line}:{at.column}: no fix: {plain(finding.message)}")
    for fix in found.left:
        at = fix.replacements[0].at
        say(f"{fix.file}:{at.line}:{at.column}: left for another run, it meets another fix: {plain(fix.description)}")
    done = found.fixed
    total = done + len(found.without) + found.left_findings
    files = f"{len(found.texts)} file{'' if len(found.texts) == 1 else 's'}"
    what = f"in {files}, written" if written else f"in {files}"
    kept = [*kept_back(summary), *([f"{summary.suppressed} suppressed"] if summary.suppressed else [])]
    say("; ".join([f"{done} of {total} finding{'' if total == 1 else 's'} fixed {what}", *kept]))
