"""Puts new contents into files that exist: into all of them, or into none."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from analyzer.errors import MustfreeError
from analyzer.report.output import beside


@final
@dataclass(frozen=True, slots=True)
class _Change:
    """One file to be changed. ready: its new contents in a file beside it.

    in_place: the file has other names (hard links), or an owner that a new one would not have: its bytes are changed,
    so that it stays the file that it is.
    """

    path: Path
    before: bytes
    data: bytes
    ready: Path
    in_place: bool

    def make(self) -> None:
        """Raises OSError; the file may be half written then, if it is written in place."""
        if self.in_place:
            _overwrite(self.path, self.data)
        else:
            self.ready.replace(self.path)

    def take_back(self) -> None:
        """Raises OSError."""
        if self.in_place:
            _overwrite(self.path, self.before)
        else:
            beside(self.path, self.before).replace(self.path)


def write_files(files: Mapping[Path, bytes]) -> None:
    """Writes several files.

    All new contents are complete beside their places before the first file changes; where one cannot take its place,
    those before it get back what they held.
    MustfreeError: one cannot be written; it says whether a file is changed now.
    """
    changes: list[_Change] = []
    made: list[_Change] = []
    path = Path()
    try:
        for path, data in files.items():
            changes.append(_prepared(path.resolve(), data))
        for change in changes:
            path = change.path
            if change.in_place:
                made.append(change)
            change.make()
            if not change.in_place:
                made.append(change)
    except OSError as error:
        raise MustfreeError(f"{path}: cannot be written: {error.strerror}; {_taken_back(made)}") from error
    except BaseException:
        _taken_back(made)
        raise
    finally:
        for change in changes:
            with contextlib.suppress(OSError):
                change.ready.unlink()


def _prepared(path: Path, data: bytes) -> _Change:
    """Raises OSError where the file cannot be changed, as far as that shows before."""
    before = path.read_bytes()
    ready = beside(path, data)
    try:
        old, new = path.stat(), ready.stat()
        in_place = old.st_nlink > 1 or (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid)
        if in_place:
            with path.open("r+b"):
                pass
    except BaseException:
        ready.unlink()
        raise
    return _Change(path, before, data, ready, in_place)


def _taken_back(made: Sequence[_Change]) -> str:
    """Gives all these files back what they held; how that went, as the end of a sentence."""
    stuck: list[str] = []
    for change in reversed(made):
        try:
            change.take_back()
        except OSError:
            stuck.append(str(change.path))
    return f"these stay changed, too: {', '.join(sorted(stuck))}" if stuck else "no file was changed"


def _overwrite(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
