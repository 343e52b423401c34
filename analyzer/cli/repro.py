"""`mustfree repro`: a small case without names that shows what is said of a line, and running it again."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import click

from analyzer.cli.analysis import Progress, exit_leaks_option, limit_options, settings
from analyzer.cli.configured import configured
from analyzer.cli.options import FlagsCommand, database_option, program_options, rules_option, say
from analyzer.contracts.packs import load_packs
from analyzer.errors import MustfreeError
from analyzer.program.discovery import real
from analyzer.report.output import write_file
from analyzer.repro.case import case_text, read_case
from analyzer.repro.make import TRIES, reproduce
from analyzer.repro.observe import observe
from analyzer.workspace import Workspace

_PLACE = re.compile(r"(.+?):(\d+)(?::\d+)?")


@click.command(cls=FlagsCommand)
@click.argument("place", metavar="FILE:LINE|CASE")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--check", is_flag=True, help="Run a case again: does it still show what it was made to show?")
@click.option("-o", "--output", default="", metavar="FILE", help="Write the case there instead of to standard output.")
@click.option(
    "--tries",
    type=click.IntRange(min=1),
    default=TRIES,
    show_default=True,
    help="How many smaller functions are tried at most.",
)
@database_option
@program_options
@rules_option
@exit_leaks_option
@limit_options
@click.pass_context
def repro(
    context: click.Context,
    /,
    place: str,
    paths: tuple[str, ...],
    check: bool,
    output: str,
    tries: int,
    **options: Any,  # noqa: ANN401
) -> None:
    """Write a case to report a mistake with, when the sources may not be given away.

    The function around LINE is made smaller as long as what the tool says of that line stays the same, and its names
    are replaced; the case is text (docs/repro.md). LINE is one in which something is acquired or a finding stands.
    PATHs are the program that FILE belongs to, as for `mustfree check`.

    With --check, the argument is a case: it is analysed with the contracts in it and those of the shipped packs.

    Exit status: 0 when the case was written, or still shows the same; 1 when it shows something else; 2 when there is
    nothing to be shown, or something cannot be read.
    """
    if check:
        if paths or output:
            raise click.UsageError("--check takes one case, and writes nothing")
        context.exit(_check(place))
    match = _PLACE.fullmatch(place)
    if match is None:
        raise click.UsageError(f"`{place}` is no place; write FILE:LINE, for instance main.c:31, or --check CASE")
    folder = Path(os.path.realpath(match[1])).parent
    options, _ = configured(context, {**options, "paths": paths}, None if paths else folder)
    workspace = Workspace(settings(context, options))
    path = real(match[1], workspace.root)
    named = [*options["paths"], *([match[1]] if Path(path).suffix == ".c" or not options["paths"] else [])]
    progress = Progress(sys.stderr.isatty())
    try:
        program = workspace.link(named, progress)
        case = reproduce(path, int(match[2]), program, workspace.settings.limits, load_packs(), tries)
    finally:
        progress.finish()
    text = case_text(case)
    if output:
        write_file(Path(output), text)
    else:
        click.echo(text, nl=False)
    for one in case.shown:
        say(f"the case shows {one.says()}")


def _check(file: str) -> int:
    """Run a case and say what it shows; the exit status."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MustfreeError(f"{file}: cannot be read: {error}") from error
    case = read_case(text, file)
    seen = observe(case, load_packs())
    missing = [one for one in case.shown if one not in seen]
    for one in case.shown:
        click.echo(f"{'no longer' if one in missing else 'still'} shown: {one.says()}")
    for one in seen if missing else ():
        click.echo(f"shown now: {one.says()}")
    return 1 if missing else 0
