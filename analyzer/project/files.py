"""Where settings are read: files on disk, or one side of a change."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import final


@final
class Files:
    """Files as settings see them.

    root: absolute; below it, `read` tells the contents of a path relative to it (None: there is none), and `names`
    which paths there are. Without it, and outside of it, the disk does. asked: paths below the root that were looked
    at.
    """

    def __init__(
        self, root: str = "", read: Callable[[str], bytes | None] | None = None, names: Collection[str] = ()
    ) -> None:
        self._root = Path(root) if root else None
        self._read = read
        self._names = names
        self._known: dict[str, bytes | None] = {}

    @property
    def asked(self) -> tuple[str, ...]:
        """See the class."""
        return tuple(sorted(self._known))

    def _below(self, path: Path) -> str | None:
        if self._root is None or not path.is_relative_to(self._root):
            return None
        parts: list[str] = []
        for part in path.relative_to(self._root).parts:
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            else:
                parts.append(part)
        return "/".join(parts)

    def read(self, path: Path) -> bytes:
        """Contents. OSError: it cannot be read."""
        name = self._below(path)
        if name is None or self._read is None:
            return path.read_bytes()
        if name not in self._known:
            self._known[name] = self._read(name)
        data = self._known[name]
        if data is None:
            raise FileNotFoundError(f"no such file: {path}")
        return data

    def exists(self, path: Path) -> bool:
        """Whether it is a file."""
        if self._below(path) is None or self._read is None:
            return path.is_file()
        try:
            self.read(path)
        except OSError:
            return False
        return True

    def no_file(self, path: Path) -> str:
        """What stands there instead of a file, in words; "" for a file, and where there is nothing."""
        if (self._below(path) is not None and self._read is not None) or path.is_file():
            return ""
        if path.is_dir():
            return "is a folder"
        return "is a link that leads to no file" if path.is_symlink() else ""

    def fitting(self, folder: Path, pattern: str) -> list[str]:
        """The files below a folder that fit a pattern, sorted; `**` stands for any folders."""
        name = self._below(folder)
        if name is None or self._read is None:
            return sorted(str(file) for file in folder.glob(pattern) if file.is_file())
        fits = re.compile(_regex(f"{name}/{pattern}" if name else pattern))
        assert self._root is not None
        return sorted(str(self._root / one) for one in self._names if fits.fullmatch(one))


def _regex(pattern: str) -> str:
    """A pattern as `Path.glob` understands it, as a regular expression."""
    parts = []
    for part in pattern.split("/"):
        if part in ("", "."):
            continue
        words = re.split(r"(\*|\?|\[!?[^\]]*\])", part)
        spelled = {"*": "[^/]*", "?": "[^/]"}
        text = "".join(
            spelled.get(word) or (word.replace("[!", "[^", 1) if word.startswith("[") else re.escape(word))
            for word in words
        )
        parts.append(r"(?:[^/]+/)*" if part == "**" else text + "/")
    return "".join(parts).removesuffix("/")


DISK = Files()
