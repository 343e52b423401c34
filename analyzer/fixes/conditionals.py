"""Conditionals of the preprocessor in a piece of text: what an edit may straddle, and what may not be compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_DIRECTIVE: Final = re.compile(
    rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b[^\n]*", re.MULTILINE
)
_OPENING: Final = frozenset((b"if", b"ifdef", b"ifndef"))


def straddles(data: bytes, start: int, end: int) -> bool:
    """Whether a line of a conditional stands between two offsets."""
    return _DIRECTIVE.search(data, start, end) is not None


def branches(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The pieces of text between the lines of a conditional, inner ones first."""
    open_: list[int] = []
    for match in _DIRECTIVE.finditer(data, start, end):
        if match.group(1) not in _OPENING and open_:
            yield open_.pop(), match.start()
        if match.group(1) != b"endif":
            open_.append(match.end())


def joints(data: bytes, start: int, before: int, at: int) -> list[int]:
    """The lines of the conditionals of which one line stands between `before` and `at`, as far as they begin by then.

    start: where to begin to look, outside of all of them. What stands in front of each of these lines stands in front
    of the text at `at` in some configuration.
    """
    open_: list[list[int]] = []
    found: list[int] = []
    for match in _DIRECTIVE.finditer(data, start, at):
        if match.group(1) in _OPENING:
            open_.append([])
        if not open_:
            continue
        open_[-1].append(match.start())
        if match.start() >= before:
            found += open_[-1]
        if match.group(1) == b"endif":
            open_.pop()
    return found


def level(data: bytes, start: int, at: int) -> list[int]:
    """The branches that a place is in, outermost first, by where they begin. start: a place outside of all."""
    found: list[int] = []
    for match in _DIRECTIVE.finditer(data, start, at):
        if match.group(1) not in _OPENING and found:
            found.pop()
        if match.group(1) != b"endif":
            found.append(match.end())
    return found
