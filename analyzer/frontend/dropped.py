"""Calls in text that the preprocessor dropped: what nobody analyses, found by reading words.

What was dropped the parser says; here the words in it are read, without comments and strings, and the directive is
found that decided. A word in front of the name makes it a declaration, which is no call.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from analyzer.sources.lines import display_bytes

_LONGEST: Final = 120
_BLANK: Final = rb"(?:[ \t]|\\\r?\n)*"
_TOKEN: Final = re.compile(
    rb"(?P<skip>//(?:\\\r?\n|[^\n])*|/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?)"
    rb"|^" + _BLANK + rb"(?P<hash>#)" + _BLANK + rb"(?P<word>if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b"
    rb"|(?P<before>[A-Za-z_]\w*[\s*]+|\*\s*)?(?<!\w)(?P<name>[A-Za-z_]\w*)(?=\s*\()"
    rb"|[A-Za-z_]\w*|\d\w*",
    re.MULTILINE | re.DOTALL,
)
_CALL: Final = re.compile(rb"([A-Za-z_]\w*)\s*\(")
_COMMENT: Final = re.compile(rb"//.*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_END_OF_DIRECTIVE: Final = re.compile(rb"(?<!\\)(?<!\\\r)(?:\n|\Z)")
_STATEMENTS: Final = (b"return", b"else", b"do", b"case", b"sizeof")


def dropped_calls(
    data: bytes, ranges: Sequence[tuple[int, int]], times: int, sought: Collection[str]
) -> Iterator[tuple[int, str, str]]:
    """Offset, name and condition of the calls of `sought` in text that was dropped each of the `times` it was read.

    ranges: what was dropped at any time, from ``#`` to ``#``.
    """
    wanted = {name for begin, end in set(ranges) for name in _CALL.findall(data, begin, end)}
    names = {name for name in wanted if name.decode() in sought}
    if not names:
        return
    open_: list[_Open] = []
    last = max(end for _, end in ranges)
    for match in _TOKEN.finditer(data, 0, last):
        if match["word"]:
            _directive(open_, match["word"], match.start("hash"))
        elif match["name"] in names and not _declares(match["before"]):
            at = match.start("name")
            around = [begin for begin, end in ranges if begin <= at < end]
            if around and len(around) >= times:
                yield at, match["name"].decode(), _condition(open_, min(around), data)


_Open = tuple[int, int]  # offsets of an #if, and of the branch of it that we are in


def _directive(open_: list[_Open], word: bytes, at: int) -> None:
    if word.startswith(b"if"):
        open_.append((at, at))
    elif open_ and word == b"endif":
        open_.pop()
    elif open_:
        open_[-1] = (open_[-1][0], at)


def _declares(before: bytes | None) -> bool:
    if before is None:
        return False
    return before.rstrip(b" \t\r\n*") not in _STATEMENTS


def _condition(open_: Sequence[_Open], begin: int, data: bytes) -> str:
    """The directive that drops the text of a range: the outermost one that does not lie before its beginning."""
    first, branch = next(((first, branch) for first, branch in open_ if branch >= begin), (begin, begin))
    said = _written(data, branch)
    return said if first == branch else f"{said} of {_written(data, first)}"


def _written(data: bytes, at: int) -> str:
    """A directive as it stands there, in one line and without comments."""
    end = _END_OF_DIRECTIVE.search(data, at)
    raw = data[at : end.start() if end else len(data)].replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    text = " ".join(display_bytes(_COMMENT.sub(b" ", raw)).split())
    return f"`{text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}`"
