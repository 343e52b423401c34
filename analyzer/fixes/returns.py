"""A release before a return statement, whose expression is evaluated first where it may need the resource."""

from __future__ import annotations

import re
from typing import Final

from analyzer.fixes.changes import Before, Change, Declare, Instead, Line, is_declaration
from analyzer.fixes.release import Release
from analyzer.fixes.syntax import FunctionText, Kind, Statement

_STORAGE: Final = frozenset(("static", "extern", "inline", "__inline", "__inline__"))
_RESULT_NAMES: Final = ("ret", "rc", "err", "result", "rv", "status", "retval")


def before_return(
    function: FunctionText, statement: Statement, release: Release, rank: int
) -> tuple[Change, ...] | None:
    """The changes; None where the result cannot be kept."""
    first, last = statement.first + 1, statement.last - 1
    if first > last or not _may_need(function, first, last, release):
        return (Before(statement, release.lines(), rank),)
    type_ = return_type(function)
    if type_ is None or ("*" in type_ and release.name in function.words(first, last)):
        return None
    variable, declared = _result_variable(function, statement, type_, release)
    expression = function.text(first, last)
    lines = (Line(f"{variable} = {expression};"), *release.lines(), Line(f"return {variable};"))
    changes: list[Change] = [Instead(statement, lines)]
    if not declared:
        changes.insert(0, Declare(function.body, f"{type_}{'' if type_.endswith('*') else ' '}{variable};"))
    return tuple(changes)


def _may_need(function: FunctionText, first: int, last: int, release: Release) -> bool:
    """Whether the order of the expression and the release matters, as far as anyone could think."""
    texts = [token.text for token in function.tokens[first : last + 1]]
    if {"->", "[", "errno", release.name} & set(texts):
        return True
    if any(text == "*" and (i == 0 or texts[i - 1] in "(,=+-!") for i, text in enumerate(texts)):
        return True
    return any(True for _ in function.calls(first, last))


def return_type(function: FunctionText) -> str | None:
    """The type as the definition writes it, "" never; None for void and for what is not understood."""
    signature = function.signature()
    opening = next((i for i, token in enumerate(signature) if token.text == "("), 0)
    words = [token.text for token in signature[: opening - 1]]
    words = _before(function) + words
    words = [word for word in words if word not in _STORAGE]
    if not words or not all(re.fullmatch(r"[A-Za-z_]\w*|\*", word) for word in words) or words == ["void"]:
        return None
    stars = len([word for word in words if word == "*"])
    return " ".join(word for word in words if word != "*") + (" " + "*" * stars if stars else "")


def _before(function: FunctionText) -> list[str]:
    """The words of the definition that stand on the line above its name."""
    start = function.tokens[0].start
    start = function.data.rfind(b"\n", 0, start) + 1
    above = function.data[function.data.rfind(b"\n", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]
    line = above.decode("latin-1").strip()
    if re.fullmatch(r"[A-Za-z_][\w\s]*\**", line):
        return line.replace("*", " * ").split()
    return []


def _result_variable(function: FunctionText, statement: Statement, type_: str, release: Release) -> tuple[str, bool]:
    """A variable for the result, and whether there is one already."""
    for one in function.body.children:
        if not is_declaration(function, one):
            break
        words = [token.text for token in function.tokens[one.first : one.last + 1]]
        plain = " ".join(words).startswith(f"{type_} ") and "*" not in type_
        for name in _names(words) if plain else ():
            if name in _RESULT_NAMES and name != release.name and _is_returned(function, name):
                return name, True
    taken = function.all_words()
    return next(name for name in (*_RESULT_NAMES, "returned", "to_return", "to_return_") if name not in taken), False


def _names(words: list[str]) -> list[str]:
    return [
        word
        for i, word in enumerate(words)
        if i
        and re.fullmatch(r"[A-Za-z_]\w*", word)
        and words[i - 1] not in ("=", "*", "(")
        and i + 1 < len(words)
        and words[i + 1] in (",", ";", "=")
    ]


def _is_returned(function: FunctionText, name: str) -> bool:
    return any(
        one.kind is Kind.SIMPLE and function.text(one.first, one.last) in (f"return {name};", f"return ({name});")
        for one in function.statements()
    )
