"""The files that a run looks at, by their contents: digests, and which names do not exist.

A path below the root of the project, or inside our own package, has a label that is the same on every machine
and in every folder; another path is its own label.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import final

from analyzer.cache.digest import digest
from analyzer.errors import MustfreeError
from analyzer.sources import SourceView

_PACKAGE = str(Path(__file__).parent.parent)
_OURS = "<mustfree>/"
_PROJECT = "./"
_AROUND = ".."
ABSENT, ON_DISK, OVER = 0, 1, 2


@final
class Contents:
    """Looks at each file once; what the run's overlay holds counts as in `SourceView`.

    root: absolute, without symbolic links.
    """

    def __init__(self, root: str, overlay: Mapping[str, bytes]) -> None:
        self._root = root
        self._around = os.path.join(os.path.dirname(os.path.dirname(root)), "")  # noqa: PTH118, PTH120 - a text
        self._view = SourceView(overlay)
        self._digests: dict[str, str] = {}
        self._folders: dict[str, frozenset[str]] = {}
        self._labels: dict[str, str] = {}
        self._started = time.time()

    def label(self, path: str) -> str:
        """The path's name in keys and rows."""
        found = self._labels.get(path)
        if found is None:
            found = self._labels[path] = self._label(path)
        return found

    def _label(self, path: str) -> str:
        if path.startswith(self._root + os.sep):
            return _PROJECT + path[len(self._root) + 1 :].replace(os.sep, "/")
        if path.startswith(_PACKAGE + os.sep):
            return _OURS + path[len(_PACKAGE) + 1 :].replace(os.sep, "/")
        return _PROJECT if path == self._root else path

    def label_around(self, path: str) -> str:
        """The same, also for what lies beside the root, or its parent: what is looked for there, from inside."""
        label = self.label(path)
        if label != path or not path.startswith(self._around):
            return label
        return os.path.relpath(path, self._root).replace(os.sep, "/")

    def path(self, label: str) -> str:
        """The path that a label stands for here."""
        if label.startswith((_PROJECT, _AROUND)):
            return os.path.normpath(f"{self._root}{os.sep}{label}")
        if label.startswith(_OURS):
            return f"{_PACKAGE}{os.sep}{label[len(_OURS) :]}"
        return label

    def digest(self, path: str) -> str:
        """The digest of a file's contents, "" when it cannot be read."""
        found = self._digests.get(path)
        if found is None:
            try:
                found = digest((self._view.read(path),))
            except MustfreeError:
                found = ""
            self._digests[path] = found
        return found

    def exists(self, path: str) -> int:
        """ABSENT, ON_DISK, or OVER: in the overlay alone. No folders. Reads each folder once."""
        folder, _, name = path.rpartition(os.sep)
        names = self._folders.get(folder)
        if names is None:
            try:
                with os.scandir(folder or os.sep) as entries:
                    names = frozenset(entry.name for entry in entries if entry.is_file())
            except OSError:
                names = frozenset()
            self._folders[folder] = names
        if name in names:
            return ON_DISK
        return OVER if path in self._view.overlay else ABSENT

    def is_settled(self, path: str) -> bool:
        """Whether the file has not changed since the run began; else nobody knows which contents were analysed."""
        if path in self._view.overlay:
            return True
        try:
            status = os.stat(path)  # noqa: PTH116 - runs often
        except OSError:
            return False  # it is gone
        now = time.time()
        # The time of the contents can be set back, and is when a file is copied over; that of the entry cannot.
        return not any(self._started <= changed <= now for changed in (status.st_mtime, status.st_ctime))
