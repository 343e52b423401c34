"""The command line completed by the settings file: what was typed wins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from analyzer.project import ProjectSettings, nearest, read_settings
from analyzer.project.keys import KEYS

LISTS = ("paths", "exclude", "rules")


def configured(context: click.Context, options: dict[str, Any]) -> tuple[dict[str, Any], ProjectSettings]:
    """The options with the values of the nearest settings file for all that was not typed; and that file.

    Rule files and excludes of the command line come on top of those of the settings.
    """
    found = read_settings(nearest(_common(options["paths"])))
    completed = dict(options)
    for name, entry in found.entries.items():
        option = KEYS[name].option
        if not option:
            continue
        if not typed(context, option):
            completed[option] = tuple(entry.value) if option in LISTS else entry.value
        elif option in ("rules", "exclude"):
            completed[option] = (*entry.value, *options[option])
    return completed, found


def typed(context: click.Context, option: str) -> bool:
    """Whether the command line sets this parameter."""
    return context.get_parameter_source(option) not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)


def _common(paths: tuple[str, ...]) -> Path:
    """The folder that holds all paths; the current one without any."""
    if not paths:
        return Path.cwd()
    real = [os.path.realpath(path) for path in paths]
    folders = [path if Path(path).is_dir() else str(Path(path).parent) for path in real]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on two drives
        return Path(folders[0])
