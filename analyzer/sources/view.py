"""The one place that reads source files; contents can be laid over paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import final

from analyzer.errors import MustfreeError


@final
class SourceView:
    """Files as an analysis sees them: an overlay of bytes over paths, and the file system below.

    overlay: path -> contents: unsaved buffers of an editor, or the other side of a change. Paths name the same
    file when their absolute, normalised forms are equal.
    """

    def __init__(self, overlay: Mapping[str, bytes] | None = None) -> None:
        self.overlay: dict[str, bytes] = {absolute(path): data for path, data in (overlay or {}).items()}

    def read(self, path: str) -> bytes:
        """The file's bytes. Raises MustfreeError, which says what is wrong with the path."""
        known = self.overlay.get(absolute(path))
        if known is not None:
            return known
        try:
            return Path(path).read_bytes()
        except FileNotFoundError as error:
            raise MustfreeError(f"{path}: no such file") from error
        except IsADirectoryError as error:
            raise MustfreeError(f"{path}: is a directory, not a file") from error
        except PermissionError as error:
            raise MustfreeError(f"{path}: permission denied; make the file readable") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise MustfreeError(f"{path}: cannot be read: {reason}") from error

    def exists(self, path: str) -> bool:
        """Whether there is such a file, in the overlay or below it."""
        return absolute(path) in self.overlay or Path(path).is_file()


def absolute(path: str, directory: str = "") -> str:
    """The absolute form of a path without ``.`` and ``..``; symbolic links stay. directory: base of a relative path."""
    return os.path.abspath(os.path.join(directory, path))  # noqa: PTH100, PTH118 - pathlib cannot drop `..` alone
