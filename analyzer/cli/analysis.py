"""What the commands that analyse share: the options of an analysis, its settings, and the progress bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from analyzer.cli.options import compiler_flags, database_settings
from analyzer.findings.model import Report
from analyzer.ownership.limits import Limits
from analyzer.workspace import Settings, Workspace
from analyzer.workspace.settings import DEFAULT_MEGABYTES, DEFAULT_SECONDS

_LIMITS = Limits()
_LONG_RUN = 1.5  # seconds after which a terminal gets a progress bar
_Command = TypeVar("_Command", bound=Callable[..., Any])

exit_leaks_option = click.option("--exit-leaks", is_flag=True, help="Also report what is lost where the process ends.")
_LIMIT_OPTIONS = (
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=0),
        default=0,
        help="Worker processes. 0: one per CPU; 1: none, without time and memory limit.",
        show_default=True,
    ),
    click.option(
        "--max-states",
        type=click.IntRange(min=1),
        default=_LIMITS.states,
        show_default=True,
        help="States kept apart at one place before they are merged.",
    ),
    click.option(
        "--max-steps",
        type=click.IntRange(min=1),
        default=_LIMITS.steps,
        show_default=True,
        help="Steps spent on one acquisition before giving up on it.",
    ),
    click.option(
        "--time-limit",
        type=click.FloatRange(min=0),
        default=DEFAULT_SECONDS,
        show_default=True,
        help="Seconds for one file; 0: none.",
    ),
    click.option(
        "--memory-limit",
        type=click.IntRange(min=0),
        default=DEFAULT_MEGABYTES,
        show_default=True,
        help="Megabytes of address space for one worker; 0: none.",
    ),
)


def limit_options(command: _Command) -> _Command:
    """Adds the options for workers and limits."""
    for option in reversed(_LIMIT_OPTIONS):
        command = option(command)
    return command


def settings(context: click.Context, options: dict[str, Any]) -> Settings:
    """The settings that a command line amounts to."""
    return Settings(
        rules=options["rules"],
        flags=compiler_flags(context),
        **database_settings(options["database"]),
        toolchain=options.get("toolchain", ""),
        global_owners=options.get("global_owners", False),
        jobs=options["jobs"],
        limits=Limits(states=options["max_states"], steps=options["max_steps"]),
        seconds=options["time_limit"],
        megabytes=options["memory_limit"],
        exit_leaks=options["exit_leaks"],
        exclude=tuple(options.get("exclude", ())),
    )


class Progress:
    """A bar on a terminal, once a run has become long."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._start = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """So many of so many files are done."""
        if not self._wanted:
            return
        if self._bar is None and time.monotonic() - self._start >= _LONG_RUN and done < total:
            self._bar = click.progressbar(length=total, label="analysing", file=sys.stderr, show_pos=True)
        if self._bar is not None:
            self._bar.update(done - self._bar.pos)

    def finish(self) -> None:
        """Leaves the terminal's line."""
        if self._bar is not None:
            self._bar.render_finish()


def analyse(workspace: Workspace, options: dict[str, Any]) -> Report:
    """Analyses what was named, with a progress bar."""
    progress = Progress(sys.stderr.isatty() and not options["quiet"])
    try:
        return workspace.analyse(options["paths"], progress)
    finally:
        progress.finish()
