"""`mustfree diff`: what a change introduces, fixes and leaves."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import click

from analyzer.change import Change, ChangeOptions, analyse_change, from_folders, from_patch, from_revisions
from analyzer.cli.analysis import Progress, cache_options, exit_leaks_option, limit_options, settings, tell
from analyzer.cli.configured import configured
from analyzer.cli.options import FlagsCommand, database_option, program_options, rules_option
from analyzer.cli.outputs import check_outputs, color_option, quiet_option, report_options, verbose_option, write_report
from analyzer.findings.model import Notice
from analyzer.project.apply import apply
from analyzer.project.changes import settings_notices
from analyzer.project.files import Files
from analyzer.project.read import NAMES

_EPILOG = """\b
Exit status, the first of these that applies:
  2  something that was asked for could not be done
  1  the change introduces findings
  3  it takes something out of sight: analysed at BASE and not at HEAD
  0  otherwise"""


@click.command(cls=FlagsCommand, epilog=_EPILOG)
@click.argument("base")
@click.argument("head", default="")
@database_option
@program_options
@rules_option
@report_options
@click.option(
    "--config-from",
    type=click.Choice(["base", "head"]),
    default="base",
    show_default=True,
    help="The side whose settings, rule files and allowing comments count.",
)
@click.option(
    "--reach",
    type=click.Choice(["calls", "files"]),
    default="calls",
    show_default=True,
    help="Analyse what the change can reach through calls, or the changed files and what includes them.",
)
@click.option("--generated", is_flag=True, help="Show findings in what the settings call generated code.")
@click.option("--all", "everything", is_flag=True, help="Show findings of low confidence too.")
@exit_leaks_option
@click.option("--strict", is_flag=True, help="Degraded, escaped and skipped count as not analysed (status 3).")
@click.option("--exit-zero", is_flag=True, help="Report only: findings and gaps leave the exit status 0.")
@limit_options
@cache_options
@quiet_option
@verbose_option
@color_option
@click.pass_context
def diff(context: click.Context, /, base: str, head: str, **options: Any) -> None:  # noqa: ANN401 - click's own types
    """Analyse both sides of a change and report what it introduces.

    \b
    BASE and HEAD are
      two git revisions; without HEAD, the work tree; also A..B and A...B
      two folders
      a patch file alone, for the tree in the current folder

    Both sides are compared loss point by loss point. Compile database and generated headers are those on disk; options
    that are not given are taken from the settings of BASE.
    """
    started = time.monotonic()
    change = _change(base, head)
    from_head = options["config_from"] == "head"
    read, names = (change.head_read, change.head_names) if from_head else (change.base_read, change.base_names)
    files = Files(change.root, read, names)
    options, _ = configured(context, {**options, "paths": ()}, Path(change.root), files)
    check_outputs(options)
    wanted = settings(context, options)
    wanted = replace(wanted, database=_absolute(wanted.database), toolchain=_absolute(wanted.toolchain))
    progress = Progress(sys.stderr.isatty() and not options["quiet"])
    try:
        choice = ChangeOptions(wanted, from_head, options["reach"] == "calls")
        result = analyse_change(change, choice, progress)
    finally:
        progress.finish()
    tell(result.remarks, options["quiet"])
    report = apply(result.report, change.root, options["everything"], options["generated"], files)
    options["everything"] = True  # apply() has judged the confidence, by the settings of each file
    report = replace(report, notices=(*_about_settings(change, files, from_head), *report.notices))
    context.exit(write_report(report, result.head, options, time.monotonic() - started))


def _absolute(name: str) -> str:
    """A file of the command line, which counts from the current folder and not from the root of the change."""
    return str(Path(name).absolute()) if name else ""


def _about_settings(change: Change, files: Files, from_head: bool) -> Iterator[Notice]:
    named = {path for path in (*change.base_names, *change.head_names) if PurePosixPath(path).name == NAMES[0]}
    asked = {path for path in files.asked if PurePosixPath(path).suffix == ".toml"}
    return settings_notices(named | asked, change.base_read, change.head_read, from_head)


def _change(base: str, head: str) -> Change:
    if head and Path(base).is_dir() and Path(head).is_dir():
        return from_folders(base, head)
    if not head and Path(base).is_file():
        return from_patch(base, ".")
    return from_revisions(".", base, head)
