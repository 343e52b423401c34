"""Fixes as a unified diff, and on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from analyzer.errors import MustfreeError
from analyzer.fixes.writing import write_files
from analyzer.sources import SourceView

_CONTEXT: Final = 3


def unified_diff(before: Mapping[str, bytes], texts: Mapping[str, bytes]) -> bytes:
    """The patch from the files as they are to these texts, for `patch -p1` and `git apply`."""
    found: list[bytes] = []
    for file, text in sorted(texts.items()):
        name = file.removeprefix("/").encode()
        found += [b"--- a/" + name + b"\n", b"+++ b/" + name + b"\n"]
        found += _hunks(_lines(before[file]), _lines(text))
    return b"".join(found)


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """As difflib has them, which however takes no note of lines that a file often has."""
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n".encode()
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from _marked(b" ", old[old_from:old_to])
                continue
            yield from _marked(b"-", old[old_from:old_to])
            yield from _marked(b"+", new[new_from:new_to])


def _range(start: int, end: int) -> str:
    if end - start == 1:
        return str(start + 1)
    return f"{start + 1 if end > start else start},{end - start}"


def _marked(mark: bytes, lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


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
            raise MustfreeError(f"{file}: changed while it was analysed; run the command again (no file was changed)")
    write_files({Path(root) / file: data for file, data in texts.items()})
