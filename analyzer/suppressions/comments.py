"""Reads allowing comments out of the text of a file.

    /* mustfree: allow leak(buf) because the driver frees it */
    // mustfree: allow leak, double-release in function until 2027-01-31 because ticket 12

Does not know what is found: see apply.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, final

from analyzer.findings.model import Region
from analyzer.sources import LineIndex, display_bytes

_WORD: Final = b"mustfree:"
_COMMENTS: Final = re.compile(
    rb"""(?P<comment>/\*.*?(?:\*/|\Z)|//(?:\\\r?\n|[^\n])*)
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)
_NOT_CODE: Final = re.compile(rb"(?:\s|/\*.*?\*/|//[^\n]*)*", re.DOTALL)
_CHECK: Final = re.compile(r"\s*([a-z][a-z-]*)\s*(\()?")
_SCOPE: Final = re.compile(r"\s*in\s+(function|file)\b")
_UNTIL: Final = re.compile(r"\s*\buntil\s+(\S+)\s*")
_UNTIL_LAST: Final = re.compile(r"\s+until\s+(\d{4}-\d{1,2}-\d{1,2})\s*\.?$")
_FORM: Final = "write `mustfree: allow CHECK(RESOURCE) because REASON`"


class Scope(Enum):
    """How far a comment reaches."""

    LINE = "line"
    FUNCTION = "function"
    FILE = "file"


@final
@dataclass(frozen=True, slots=True)
class Allowance:
    """One comment.

    checks: (check, resource), the resource "" for any. line: of the code that a comment of scope LINE speaks of.
    start, end: byte offsets of the comment. until: last day, None without limit.
    """

    at: Region
    checks: tuple[tuple[str, str], ...]
    scope: Scope
    reason: str
    line: int
    start: int
    end: int
    until: date | None = None


class CommentError(Exception):
    """A comment begins like an allowance and is none; the text says what to write."""


@final
@dataclass(frozen=True, slots=True)
class Comments:
    """The allowances of one file, and (line, what is wrong) for those that are wrong."""

    allowances: tuple[Allowance, ...] = ()
    mistakes: tuple[tuple[int, str], ...] = ()


def read_comments(data: bytes, file: str, checks: Collection[str]) -> Comments:
    """What the comments of a file say. file: as reports name it. checks: the known ids."""
    if _WORD not in data:
        return Comments()
    lines = LineIndex(data)
    allowances: list[Allowance] = []
    mistakes: list[tuple[int, str]] = []
    for match in _COMMENTS.finditer(data):
        if match["comment"] is None:
            continue
        text = _text(match["comment"])
        if not text.startswith("mustfree:"):
            continue
        line, column = lines.position(match.start())
        end_line, end_column = lines.position(match.end())
        try:
            said, scope, until, reason = _parse(text.removeprefix("mustfree:"), checks)
        except CommentError as error:
            mistakes.append((line, str(error)))
            continue
        allowances.append(
            Allowance(
                at=Region(file, line, column, end_line, end_column, lines.line_text(line)),
                checks=said,
                scope=scope,
                reason=reason,
                line=_covered(data, lines, match.start(), match.end()),
                start=match.start(),
                end=match.end(),
                until=until,
            )
        )
    return Comments(tuple(allowances), tuple(mistakes))


def _text(comment: bytes) -> str:
    """The words of a comment on one line."""
    body = comment[2:].removesuffix(b"*/") if comment.startswith(b"/*") else comment[2:].replace(b"\\\n", b" ")
    return display_bytes(b" ".join(line.strip(b" \t\r*") for line in body.split(b"\n"))).strip()


def _covered(data: bytes, lines: LineIndex, start: int, end: int) -> int:
    """The line with code that the comment stands on, else the next one."""
    line, _ = lines.position(start)
    first = lines.offset(line)
    if data[first:start].strip():
        return line
    after = _NOT_CODE.match(data, end)
    return lines.position(after.end() if after else end)[0]


def _parse(text: str, known: Collection[str]) -> tuple[tuple[tuple[str, str], ...], Scope, date | None, str]:
    head, because, reason = _apart(text)
    words = head.split(None, 1)
    if not words or words[0] != "allow":
        raise CommentError(f"`mustfree:` is not followed by `allow`; {_FORM}")
    if not because or not reason.strip(" ."):
        raise CommentError(f"a reason is missing; {_FORM}")
    rest = words[1] if len(words) > 1 else ""
    checks, rest = _checks(rest, known)
    scope = Scope.LINE
    found = _SCOPE.match(rest)
    if found:
        scope, rest = Scope(found[1]), rest[found.end() :]
    until = ""
    found = _UNTIL.match(rest)
    if found:
        until, rest = found[1], rest[found.end() :]
    if rest.strip():
        raise CommentError(f"`{rest.strip()}` is not understood; {_FORM}")
    last = _UNTIL_LAST.search(reason)
    if last and not until:
        until, reason = last[1], reason[: last.start()]
    return checks, scope, _date(until), reason.strip()


def _apart(text: str) -> tuple[str, str, str]:
    """What stands before and after the first word `because`."""
    found = re.search(r"(?:^|\s)because(?:\s|$)", text)
    return (text[: found.start()], "because", text[found.end() :]) if found else (text, "", "")


def _checks(text: str, known: Collection[str]) -> tuple[tuple[tuple[str, str], ...], str]:
    """``leak(buf), double-release in function`` -> the checks with their resources, and what follows them."""
    found: list[tuple[str, str]] = []
    while True:
        match = _CHECK.match(text)
        if match is None or (found and match[1] in ("in", "until")):
            raise CommentError(f"no check is named; known: {', '.join(known)}")
        if match[1] not in known:
            raise CommentError(f"unknown check `{match[1]}`; known: {', '.join(known)}")
        text = text[match.end() :]
        resource = ""
        if match[2]:
            resource, text = _inside(text)
        found.append((match[1], resource))
        if not text.lstrip().startswith(","):
            return tuple(found), text
        text = text.lstrip()[1:]


def _inside(text: str) -> tuple[str, str]:
    """Splits at the bracket that closes the one before `text`."""
    depth = 1
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth:
            return text[:index].strip(), text[index + 1 :]
    raise CommentError(f"a `)` is missing; {_FORM}")


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommentError(f"`{text}` is no date; write it as in `until 2027-01-31`") from None
