"""How far a construct reaches that starts at an offset, read off the text.

    buf = f(a, b);     at `buf`      the assignment without its semicolon
    f(a, b) < 0        at `f`        up to the matching parenthesis
    return x;          at `return`   up to the semicolon
    }                                one character

Does not parse C: strings, comments and brackets are respected, macros are not known. An extent never passes the end of
its line, so that a report marks one line.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(rb"[A-Za-z_\x80-\xff$][\w\x80-\xff$]*", re.ASCII)
_NUMBER: Final = re.compile(rb"\.?[0-9](?:[eEpP][+-]|[\w.'])*", re.ASCII)
_SPACE: Final = re.compile(rb"(?:[ \t]|/\*(?:[^*\r\n]|\*(?!/))*\*/)*")
_ASSIGNMENT: Final = re.compile(rb"(?:[-+*/%&|^]|<<|>>)?=(?!=)")
_STEP: Final = re.compile(rb"\+\+|--")
_STRING: Final = re.compile(rb'"(?:[^"\\\r\n]|\\.)*"?|\'(?:[^\'\\\r\n]|\\.)*\'?')
_COMMENT: Final = re.compile(rb"/\*(?:[^*\r\n]|\*(?!/))*(?:\*/)?|//[^\r\n]*")
_LINE_END: Final = re.compile(rb"[\r\n]")
_STATEMENTS: Final = frozenset((b"return", b"goto", b"break", b"continue"))
_HEADS: Final = frozenset((b"if", b"while", b"for", b"switch", b"sizeof"))
_CLOSING: Final = {ord("("): ord(")"), ord("["): ord("]"), ord("{"): ord("}")}


def extent_end(data: bytes, offset: int) -> int:
    """End offset (exclusive) of what starts at `offset`; at least one byte unless the file or line ends there."""
    if not 0 <= offset < len(data):
        return min(max(offset, 0), len(data))
    match = _LINE_END.search(data, offset)
    limit = match.start() if match else len(data)
    if limit == offset:
        return offset
    word = _WORD.match(data, offset, limit)
    if word is None:
        return _no_word(data, offset, limit)
    if word.group() in _STATEMENTS:
        end = _until(data, word.end(), limit, b";")
        return end + 1 if end < limit and data[end] == ord(";") else _trimmed(data, offset, end)
    return _postfix(data, word.end(), limit, head=word.group() in _HEADS)


def _no_word(data: bytes, offset: int, limit: int) -> int:
    """The extent of what begins with a digit, a quote, a bracket or an operator."""
    for pattern in (_NUMBER, _STRING):
        match = pattern.match(data, offset, limit)
        if match and match.end() > offset:
            return match.end()
    if data[offset] in b"([":
        return _postfix(data, _bracket(data, offset, limit), limit)
    if data[offset] in b"*&!~-+":
        match = _SPACE.match(data, offset + 1, limit)
        inner = match.end() if match else offset + 1
        follows = inner < limit and (data[inner] in b"(*&!~-+" or _WORD.match(data, inner, limit))
        return extent_end(data, inner) if follows else offset + 1
    return offset + 1


def _postfix(data: bytes, end: int, limit: int, *, head: bool = False) -> int:
    """Go on over calls, subscripts, members, and an assignment; for `head` over one pair of parentheses."""
    while True:
        match = _SPACE.match(data, end, limit)
        at = match.end() if match else end
        if at >= limit:
            return end
        member = 2 if data.startswith(b"->", at) else 1 if data[at : at + 1] == b"." else 0
        word = _WORD.match(data, at + member, limit) if member else None
        if data[at] in b"([":
            end = _bracket(data, at, limit)
            if head:
                return end
        elif word:
            end = word.end()
        elif _ASSIGNMENT.match(data, at, limit):
            return _trimmed(data, at, _until(data, at, limit, b";,)}"))
        elif step := _STEP.match(data, at, limit):
            return step.end()
        else:
            return end


def _bracket(data: bytes, at: int, limit: int) -> int:
    """The offset behind the bracket that closes the one at `at`, or the end of the line's code."""
    end = _until(data, at + 1, limit, bytes([_CLOSING[data[at]]]))
    return end + 1 if end < limit and data[end] == _CLOSING[data[at]] else _trimmed(data, at, end)


def _until(data: bytes, at: int, limit: int, stops: bytes) -> int:
    """The offset of the first of `stops` outside of inner brackets, strings and comments, else `limit`."""
    depth = 0
    while at < limit:
        byte = data[at]
        if not depth and byte in stops:
            return at
        if byte in b"\"'":
            match = _STRING.match(data, at, limit)
        elif byte == ord("/"):
            match = _COMMENT.match(data, at, limit)
        else:
            match = None
        if match:
            at = match.end()
            continue
        depth += (byte in b"([{") - (byte in b")]}" and depth > 0)
        at += 1
    return limit


def _trimmed(data: bytes, start: int, end: int) -> int:
    """`end` without trailing white space, comments and the backslash that continues a line."""
    code = start
    at = start
    while at < end:
        match = _COMMENT.match(data, at, end) or _STRING.match(data, at, end)
        if match and match.end() > at:
            if data[at] != ord("/"):
                code = match.end()
            at = match.end()
        else:
            at += 1
            if data[at - 1] not in b" \t\\":
                code = at
    return max(code, start + 1)
