"""`rules`: names, patterns and Python packages -> rule files. No package is imported."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from analyzer.errors import MustfreeError
from analyzer.project.files import DISK, Files

_PACKAGE = "package:"


def rule_files(names: list[str], folder: Path, files: Files = DISK) -> list[str]:
    """The files that `rules` names, relative to `folder`. MustfreeError: one of them names nothing."""
    return [file for name in names for file in _files(name, folder, files)]


def _files(name: str, folder: Path, files: Files) -> list[str]:
    if name.startswith(_PACKAGE):
        return _of_package(name.removeprefix(_PACKAGE))
    if not any(letter in name for letter in "*?["):
        if not files.exists(folder / name):
            raise MustfreeError(f"`rules`: no such file: {name}")
        return [str(folder / name)]
    if re.search(r"\[(?!!?[^/\]]+\])", name):
        raise MustfreeError(f"`rules`: in the pattern {name} a [ lacks its ]; write [[] for a [ itself")
    anchor = Path(name).anchor
    start = Path(anchor) if anchor else folder
    found = files.fitting(start, name.removeprefix(anchor))
    if not found:
        raise MustfreeError(f"`rules`: no file fits {name}")
    return found


def _of_package(name: str) -> list[str]:
    # Only for a name without dots does find_spec() import nothing.
    if not name.isidentifier():
        raise MustfreeError(f'`rules`: "{name}" is not the name of a Python package; it takes one without dots')
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise MustfreeError(f"`rules`: no Python package {name} is installed beside mustfree; install it")
    found = sorted(str(file) for place in places for file in Path(place).rglob("*.yaml"))
    if not found:
        raise MustfreeError(f"`rules`: the package {name} holds no rule files (*.yaml)")
    return found
