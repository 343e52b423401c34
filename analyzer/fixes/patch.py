"""Fixes as a unified diff, and on disk."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from analyzer.errors import MustfreeError
from analyzer.report.output import write_files
from analyzer.sources import SourceView


def unified_diff(before: Mapping[str, bytes], texts: Mapping[str, bytes]) -> bytes:
    """The patch from the files as they are to these texts, for `patch -p1` and `git apply`."""
    found: list[bytes] = []
    for file, text in sorted(texts.items()):
        old, new = _lines(before[file]), _lines(text)
        name = file.removeprefix("/").encode()
        for line in difflib.diff_bytes(difflib.unified_diff, old, new, b"a/" + name, b"b/" + name, lineterm=b"\n"):
            found.append(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
    return b"".join(found)


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def write_texts(root: str, before: Mapping[str, bytes], texts: Mapping[str, bytes]) -> None:
    """Writes all files or none.

    root: folder that the names refer to. before: what the files held when they were analysed.
    MustfreeError: one cannot be written, or holds something else by now.
    """
    for file in texts:
        if SourceView().read(str(Path(root) / file)) != before[file]:
            raise MustfreeError(f"{file}: changed while it was analysed; run the command again")
    write_files({Path(root) / file: data for file, data in texts.items()})
