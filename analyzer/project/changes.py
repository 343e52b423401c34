"""What a change does to settings files."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from analyzer.findings.model import Notice, NoticeKind
from analyzer.project.read import NAMES

Read = Callable[[str], bytes | None]


def settings_notices(paths: Iterable[str], before: Read, after: Read, from_head: bool) -> Iterator[Notice]:
    """For each of these files that a change adds, removes or edits: that it does, and which of the two counts.

    paths: relative to the root of the change. Of a pyproject.toml only our table counts.
    """
    for path in sorted(set(paths)):
        old, new = _ours(path, before(path)), _ours(path, after(path))
        if old == new:
            continue
        what = "adds" if old is None else "removes" if new is None else "edits"
        used = "those of the head are used"
        if not from_head:
            used = "those of the base are used (--config-from head takes the new ones)"
        yield Notice(NoticeKind.CHANGE, path, 0, f"this change {what} settings: {used}")


def _ours(path: str, data: bytes | None) -> object:
    if data is None or PurePosixPath(path).name != NAMES[1]:
        return data
    try:
        tool = tomllib.loads(data.decode()).get("tool")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return data
    return tool.get("mustfree") if isinstance(tool, dict) else None
