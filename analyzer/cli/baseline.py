"""`mustfree baseline`: write down what is known, so that only what is new is reported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from analyzer.baseline import Baseline, baseline_text, read_baseline, updated
from analyzer.cli.analysis import analyse, cache_options, exit_leaks_option, limit_options, settings
from analyzer.cli.configured import configured
from analyzer.cli.options import NO_DATABASE, FlagsCommand, database_option, program_options, rules_option, say
from analyzer.report.output import write_file
from analyzer.report.summary import exit_status, summarise
from analyzer.report.text import TextWriter
from analyzer.workspace import Workspace


@click.group()
def baseline() -> None:
    """Keep a file with the loss points that are known; `mustfree check --baseline FILE` reports the others."""


@baseline.command(cls=FlagsCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, metavar="PATH...")
@database_option
@program_options
@rules_option
@exit_leaks_option
@limit_options
@cache_options
@click.option("-q", "--quiet", is_flag=True, help="No progress and no notes.")
@click.pass_context
def update(context: click.Context, /, file: Path, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Analyse the PATHs and write all their loss points into FILE, which then accepts them.

    Findings of low confidence are accepted too, those that a comment allows are left out. What FILE holds of
    other files, and of files that could not be analysed, stays in it. Options that are not given are taken from the
    settings; what those keep from being shown is accepted too.

    Exit status: 2 when something could not be done, 3 when a file or function was not analysed, 0 otherwise.
    """
    options, _ = configured(context, options)
    if not options["paths"] and options["database"] in NO_DATABASE:
        raise click.UsageError("name at least one file or folder, or a compile database with -p")
    before = read_baseline(file) if file.exists() else Baseline()
    workspace = Workspace(settings(context, options))
    report = analyse(workspace, options)
    for line in TextWriter().notices(report, quiet=options["quiet"]):
        say(line)
    after = updated(report, before, lambda name: workspace.read(name) is not None)
    write_file(file, baseline_text(after))
    old, new = ({entry.fingerprint for entry in one.entries} for one in (before, after))
    click.echo(f"{file}: {len(after.entries)} loss points; {len(new - old)} new, {len(old - new)} gone")
    context.exit(exit_status(replace(summarise(report, everything=True), shown=0)))
