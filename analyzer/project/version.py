"""`required-version`: which versions of mustfree a project accepts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from analyzer import __version__

_OPERATORS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def version_mistake(wanted: str, version: str = __version__) -> str:
    """Why `version` does not do for ">=0.1, <0.3", or why that is not understood; "" when it does."""
    for part in wanted.split(","):
        found = re.fullmatch(r"\s*(>=|<=|==|!=|>|<)?\s*(\d+(?:\.\d+)*)\s*", part)
        if not found:
            return f'"{wanted}" is not understood; write ">=0.1" or ">=0.1, <0.3"'
        if not _OPERATORS[found[1] or "=="](_numbers(version), _numbers(found[2])):
            return f'"{wanted}" does not allow this version, {version}; install one that fits'
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else [0]
    return tuple(numbers + [0] * (4 - len(numbers)))
