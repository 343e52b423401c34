"""`mustfree why`: explain the verdict on what a line acquires."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from analyzer.cli.analysis import Progress, exit_leaks_option, limit_options, settings
from analyzer.cli.configured import configured
from analyzer.cli.options import FlagsCommand, database_option, program_options, rules_option
from analyzer.report.why import why_json, why_text
from analyzer.workspace import Workspace

_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?")


@click.command(cls=FlagsCommand)
@click.argument("place", metavar="FILE:LINE")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@database_option
@program_options
@rules_option
@exit_leaks_option
@limit_options
@click.option("--json", "as_json", is_flag=True, help="As JSON (docs/why.schema.json).")
@click.pass_context
def why(context: click.Context, /, place: str, paths: tuple[str, ...], as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """Explain how what FILE acquires in LINE ends: the ways it takes, the contracts on them, and what is assumed.

    A line in which something is lost will do, too; a column after it is ignored. Without an acquisition there, the
    nearest one of the function is explained, and why the line itself has none. PATHs are the program that FILE
    belongs to, as for `mustfree check`; without any, the paths in the settings, the files of the compile database, or
    FILE alone. Options that are not given are taken from the settings.

    Exit status: 0 when an acquisition was explained, 1 when there is none, 2 when FILE cannot be read.
    """
    match = _PLACE.fullmatch(place)
    if match is None:
        raise click.UsageError(f"`{place}` is no place; write FILE:LINE, for instance main.c:31")
    folder = Path(os.path.realpath(match[1])).parent
    options, _ = configured(context, {**options, "paths": paths}, None if paths else folder)
    workspace = Workspace(settings(context, options))
    progress = Progress(sys.stderr.isatty())
    try:
        explanation = workspace.why(match[1], int(match[2]), options["paths"], progress)
    finally:
        progress.finish()
    click.echo(why_json(explanation) if as_json else why_text(explanation), nl=False)
    context.exit(0 if explanation.acquisitions else 1)
