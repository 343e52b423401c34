"""The deallocator of an allocating function, ``__attribute__((malloc(nlmsg_free, 1)))``.

clang 18 knows the attribute without arguments only: it reports "'malloc' attribute takes no arguments" and drops
it. That is no mistake in the code, so the report is taken as the place where the attribute stands, and what it says
is read from the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from analyzer.libclang.parse import ParserMessage

_DROPPED: Final = re.compile(r"'(?:__)?malloc(?:__)?' attribute takes no arguments")
_ARGUMENTS: Final = re.compile(rb"\w+\s*\(\s*([A-Za-z_]\w*)\s*(?:,\s*(\d+)\s*)?\)")
_ATTRIBUTE: Final = re.compile(rb"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|\[\[.*?\]\]", re.DOTALL)
_NAME: Final = re.compile(rb"([A-Za-z_]\w*)\s*\)?\s*\(")
_STATEMENT_ENDS: Final = b";{}"


def is_dropped_attribute(error: ParserMessage) -> bool:
    """Whether the parser's error is only that it does not know this attribute."""
    return bool(_DROPPED.search(error.text))


def deallocators(errors: Iterable[ParserMessage], read: Callable[[str], bytes]) -> Mapping[str, tuple[str, ...]]:
    """Function -> its dropped attributes as ``malloc(f, n)``. read: text of a file by libclang's name."""
    found: dict[str, tuple[str, ...]] = {}
    for error in filter(is_dropped_attribute, errors):
        text = read(error.file)
        name, arguments = _declared(text, error.offset), _ARGUMENTS.match(text, error.offset)
        if name and arguments:
            attribute = f"malloc({arguments[1].decode()}, {(arguments[2] or b'1').decode()})"
            found[name] = (*found.get(name, ()), attribute)
    return found


def _declared(text: bytes, offset: int) -> str:
    """The function that the declaration around the offset declares, "" when it cannot be told."""
    start = max(text.rfind(bytes((end,)), 0, offset) for end in _STATEMENT_ENDS) + 1
    ends = [place for place in (text.find(b";", offset), text.find(b"{", offset)) if place >= 0]
    statement = _ATTRIBUTE.sub(b" ", text[start : min(ends, default=len(text))])
    match = _NAME.search(statement)
    return match[1].decode() if match else ""
