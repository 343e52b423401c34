"""What the commands that analyse share: the options of an analysis, its settings, and the progress bar."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from analyzer.cache import default_folder
from analyzer.cli.options import compiler_flags, database_settings, say
from analyzer.contracts.beliefs import ESCAPE
from analyzer.errors import MustfreeError
from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.ownership.limits import Limits
from analyzer.workspace import Settings, Workspace
from analyzer.workspace.settings import DEFAULT_MEGABYTES, DEFAULT_SECONDS

_GAPS = (NoticeKind.BAD_INPUT, NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL)
_LIMITS = Limits()
_CAPS = {
    "states": "States kept apart at one place before they are merged.",
    "ways": "Outcomes of the calls in one statement kept apart before they are merged.",
    "steps": "Steps spent on one acquisition before giving up on it.",
    "lent_steps": "Steps spent on what a caller may lend a function, before it counts as out of sight.",
    "search": "Steps spent on looking for a path to one loss.",
    "alarms": "Losses of one acquisition to which a path is looked for.",
    "path": "Steps shown of one path.",
    "acquisitions": "Acquisitions followed in one function.",
}
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
    *(
        click.option(
            f"--max-{name.replace('_', '-')}",
            type=click.IntRange(min=1),
            default=getattr(_LIMITS, name),
            show_default=True,
            help=text,
        )
        for name, text in _CAPS.items()
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


_CACHE_OPTIONS = (
    click.option(
        "--cache-dir",
        default="",
        metavar="DIR",
        help="Keep what was found out for the next run here, instead of in your cache folder.",
    ),
    click.option("--cache-read-only", is_flag=True, help="Use what earlier runs found out, and keep nothing."),
    click.option("--no-cache", is_flag=True, help="Use nothing of earlier runs, and keep nothing."),
    click.option("--no-prepass", is_flag=True, help="Parse every file, also where none mentions a known function."),
)


def cache_options(command: _Command) -> _Command:
    """Adds the options that decide how much of the work is done."""
    for option in reversed(_CACHE_OPTIONS):
        command = option(command)
    return command


def cache_folder(options: dict[str, Any]) -> str:
    """The folder for the cache, "" for none. MustfreeError: the one that was named cannot be used."""
    named = options["cache_dir"]
    if options["no_cache"]:
        return ""
    if not named:
        return str(default_folder() or "")
    folder = Path(named).absolute()
    if options["cache_read_only"]:
        if not folder.is_dir():
            raise MustfreeError(f"--cache-dir {named}: no such folder; --cache-read-only needs one with a cache")
    else:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MustfreeError(
                f"--cache-dir {named}: cannot be made: {error.strerror}; name a folder that you can write to"
            ) from error
    return str(folder)


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
        variants=tuple(options.get("variants", ())),
        noreturn=tuple(options.get("noreturn", ())),
        unknown_calls=options.get("unknown_calls", ESCAPE),
        global_owners=options.get("global_owners", False),
        jobs=options["jobs"],
        limits=Limits(**{name: options[f"max_{name}"] for name in _CAPS}),
        seconds=options["time_limit"],
        megabytes=options["memory_limit"],
        exit_leaks=options.get("exit_leaks", False),
        exclude=tuple(options.get("exclude", ())),
        prepass=not options.get("no_prepass", False),
        cache=cache_folder(options) if "no_cache" in options else "",
        cache_read_only=options.get("cache_read_only", False),
    )


class Progress:
    """A bar on a terminal, once a run has become long."""

    def __init__(self, wanted: bool, label: str = "analysing") -> None:
        self._wanted = wanted
        self._label = label
        self._start = time.monotonic()
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """So many of so many files are done."""
        if not self._wanted:
            return
        if self._bar is None and time.monotonic() - self._start >= _LONG_RUN and done < total:
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr, show_pos=True)
        if self._bar is not None:
            self._bar.length = total  # it grows when configurations are read
            self._bar.update(done - self._bar.pos)

    def finish(self) -> None:
        """Leaves the terminal's line."""
        if self._bar is not None:
            self._bar.render_finish()


def analyse(workspace: Workspace, options: dict[str, Any]) -> Report:
    """Analyses what was named, with a progress bar."""
    progress = Progress(sys.stderr.isatty() and not options["quiet"])
    try:
        return with_reason(workspace.analyse(options["paths"], progress), options)
    finally:
        progress.finish()
        tell(workspace.remarks, options["quiet"])


def with_reason(report: Report, options: dict[str, Any]) -> Report:
    """The report with a notice where nothing was analysed, and no other notice says so: it is not "no findings"."""
    if report.files or any(notice.kind in _GAPS for notice in report.notices):
        return report
    if options.get("exclude"):
        what, why = "exclude", "nothing was analysed: what is excluded leaves no C file"
    else:
        what, why = options["database"] or ".", "nothing was analysed: no C file is named"
    return replace(report, notices=(Notice(NoticeKind.NOT_ANALYSED, what, 0, why), *report.notices))


def check_only(report: Report, root: str, only: Iterable[str]) -> None:
    """MustfreeError: a PATH of `--only` fits none of the files that took part."""
    seen = [Path(os.path.realpath(Path(root) / file)) for file in report.seen]
    for name in only:
        place = os.path.realpath(Path(root) / name)
        if not any(file.is_relative_to(place) for file in seen):
            raise click.UsageError(f"--only {name}: none of the files that were analysed is it, or lies below it")


def tell(remarks: Iterable[str], quiet: bool) -> None:
    """What there is to say about the cache."""
    for remark in () if quiet else remarks:
        say(f"note: {remark}")
