"""The command line completed by the settings file: what was typed wins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from analyzer.errors import MustfreeError
from analyzer.program.discovery import display_path
from analyzer.program.variants import Variant
from analyzer.project import Entry, ProjectSettings, nearest, read_settings
from analyzer.project.display import place
from analyzer.project.files import DISK, Files
from analyzer.project.keys import KEYS

LISTS = ("paths", "exclude", "rules", "variants", "noreturn", "fail_on")
_READ = {  # keys that name one file that is read, and what to do without it
    "compile-commands": "let the build write it, or leave the key out",
    "toolchain": "write it with `mustfree toolchain record COMPILER`",
    "baseline": "write it with `mustfree baseline update FILE PATH...`",
}
ADDED = ("exclude", "rules", "variants", "noreturn")  # to those of the settings


def configured(
    context: click.Context, options: dict[str, Any], folder: Path | None = None, files: Files = DISK
) -> tuple[dict[str, Any], ProjectSettings]:
    """The options with the values of the nearest settings file for all that was not typed; and that file.

    folder: where to look for it, instead of above the paths. files: where it is read.

    What the command line adds comes on top of what the settings say. MustfreeError: the settings are wrong, or two
    configurations have one name.
    """
    found = read_settings(nearest(folder or _common(options["paths"]), files), files)
    completed = dict(options)
    for name, entry in found.entries.items():
        option = KEYS[name].option
        if not option or (option == "variants" and options.get("no_variants")):
            continue
        if not typed(context, option):
            _check_there(name, entry, options, files)
            completed[option] = tuple(entry.value) if option in LISTS else entry.value
        elif option in ADDED:
            completed[option] = (*entry.value, *options[option])
    _check_names(completed.get("variants", ()))
    return completed, found


def _check_there(name: str, entry: Entry, options: dict[str, Any], files: Files) -> None:
    """MustfreeError: the command takes a file that the settings name, and there is none."""
    if name not in _READ or KEYS[name].option not in options:
        return
    path = Path(entry.value)
    if not files.exists(path) and not path.exists():
        shown = display_path(entry.value, str(Path.cwd()))
        raise MustfreeError(f"{place(entry)}: `{name}`: no such file: {shown}; {_READ[name]}")


def _check_names(variants: Iterable[Variant]) -> None:
    seen: dict[str, Variant] = {}
    for variant in variants:
        other = seen.setdefault(variant.name, variant)
        if other is not variant:
            where = f"{display_path(other.file, str(Path.cwd()))}:{other.line}"
            raise MustfreeError(f"--define: {where} has a variant `{variant.name}`, too; leave one of them out")


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
