"""`mustfree contracts`: what the program's own functions do to ownership, as text for a rule file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from analyzer.cli.analysis import cache_options, limit_options, settings, tell, with_reason
from analyzer.cli.configured import configured
from analyzer.cli.options import NO_DATABASE, FlagsCommand, database_option, program_options, rules_option, say
from analyzer.report.summary import exit_status, summarise
from analyzer.report.text import TextWriter
from analyzer.workspace import Workspace


@click.command(cls=FlagsCommand)
@click.argument("paths", nargs=-1)
@click.option("-f", "--function", "names", multiple=True, metavar="NAME", help="Only this function. Repeatable.")
@limit_options
@cache_options
@database_option
@program_options
@rules_option
@click.pass_context
def contracts(context: click.Context, /, paths: tuple[str, ...], names: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401
    """Print the contracts inferred for the functions that PATHS define.

    They have the form of a rule file: copy one, correct it, and pass the file with --rules; then it wins over
    what is inferred. Above each stands where its function is defined. Options that are not given are taken from the
    settings.

    Exit status: 2 when something that was asked for could not be done, 3 when a file or function was not analysed, 0
    otherwise.
    """
    options, _ = configured(context, {**options, "paths": paths})
    if not options["paths"] and options["database"] in NO_DATABASE:
        raise click.UsageError("name at least one file or folder, or a compile database with -p")
    workspace = Workspace(replace(settings(context, options), summaries=True))
    report = with_reason(workspace.analyse(options["paths"]), options)
    tell(workspace.remarks, quiet=False)
    for line in TextWriter(False).notices(report, verbose=False, quiet=True):
        say(line)
    shown = [summary for summary in report.summaries if not names or summary.function in names]
    for name in names:
        if all(summary.function != name for summary in shown):
            say(f"error: no function {name} is defined in these files")
            context.exit(2)
    for summary in shown:
        click.echo(f"  # {summary.at.file}:{summary.at.line}")
        for line in summary.lines:
            click.echo(line)
    context.exit(exit_status(replace(summarise(report), shown=0)))
