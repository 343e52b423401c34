"""Patterns and names in the settings that fit nothing: most of them are misspelt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.program.discovery import display_path, fits
from analyzer.project.display import place
from analyzer.project.read import ProjectSettings


def unmet(report: Report, settings: ProjectSettings, root: str, paths: Sequence[str]) -> tuple[Notice, ...]:
    """What to say of `exclude`, `generated` and `ignore-allocators`.

    paths: what was analysed. A pattern is only judged where all that it could fit lies in one of these folders, a
    function only where a folder was analysed: who looks at one file is told nothing.
    """
    folders = [Path(os.path.realpath(Path(root) / name)) for name in paths]
    folders = [folder for folder in folders if folder.is_dir()]
    seen = [os.path.realpath(Path(root) / file) for file in report.seen]
    messages: list[tuple[str, str]] = []
    for key in ("exclude", "generated"):
        for pattern in settings.get(key, ()):
            start = _start(pattern)
            inside = any(start.is_relative_to(folder) for folder in folders)
            if inside and not any(fits(file, (pattern,)) for file in (*seen, *_below(start, pattern))):
                messages.append((key, f"`{display_path(pattern, root)}` fits no file and no folder"))
    acquiring = {acquisition.callee for acquisition in report.acquisitions}
    for name in settings.get("ignore-allocators", ()) if folders else ():
        if name not in acquiring:
            messages.append(("ignore-allocators", f"`{name}` acquires nothing in what was read"))
    return tuple(
        Notice(NoticeKind.SETTINGS, place(settings.entries[key]), 0, f"`{key}`: {text}") for key, text in messages
    )


def _start(pattern: str) -> Path:
    """The folder in which everything lies that a pattern can fit."""
    fixed = os.path.normpath(pattern)
    wild = next((index for index, letter in enumerate(fixed) if letter in "*?["), None)
    return Path(fixed).parent if wild is None else Path(fixed[: fixed.rfind(os.sep, 0, wild)] or os.sep)


def _below(start: Path, pattern: str) -> Iterator[str]:
    """The files and folders below a folder, among them those that an analysis leaves out; the pattern's own first."""
    yield from _existing((os.path.normpath(pattern),))
    for folder, folders, files in os.walk(start):
        yield from (str(Path(folder) / name) for name in (*sorted(folders), *sorted(files)))


def _existing(paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if Path(path).exists())
