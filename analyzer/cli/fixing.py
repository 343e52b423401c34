"""What the commands share that look for fixes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from analyzer.cli.analysis import Progress, settings
from analyzer.findings.model import Report
from analyzer.fixes import Fixes, find_fixes
from analyzer.project.apply import limit
from analyzer.report.summary import shown_findings
from analyzer.workspace import Workspace


@contextmanager
def searching(context: click.Context, options: dict[str, Any]) -> Iterator[Workspace]:
    """The workspace for the search: with a cache in any case, or each trial would analyse everything."""
    if not options["no_cache"] and not options["cache_read_only"]:
        yield Workspace(settings(context, options))
        return
    with tempfile.TemporaryDirectory(prefix="mustfree-") as folder:
        own = {**options, "no_cache": False, "cache_read_only": False, "cache_dir": folder}
        yield Workspace(settings(context, own))


def search(workspace: Workspace, report: Report, options: dict[str, Any]) -> Fixes:
    """Fixes for what the settings show of a report. They have been applied to it."""
    inside = limit(report, workspace.root, options["only"]) if options["only"] else report
    wanted = {id(finding) for finding in shown_findings(inside, everything=True)}
    progress = Progress(sys.stderr.isatty() and not options["quiet"], "fixing")
    try:
        return find_fixes(workspace, options["paths"], report, lambda finding: id(finding) in wanted, progress)
    finally:
        progress.finish()
