"""Where a release must not stand although the analysis has nothing against it.

The analysis looks for losses. It does not mind where a place that is no local variable holds something that was never
acquired, or nothing at all yet; nor that somebody else was given the pointer before. Text tells both well enough to
be careful.
"""

from __future__ import annotations

import re
from itertools import pairwise

from analyzer.fixes.changes import is_declaration
from analyzer.fixes.release import Release
from analyzer.fixes.site import Site
from analyzer.fixes.syntax import FunctionText, Kind, Role, Statement


def may_stand(site: Site, release: Release, statement: Statement) -> bool:
    """Whether a release may be put before a statement, or at the end of a block."""
    function = site.function
    at = statement.last if statement.kind is Kind.BLOCK else statement.first
    if given_away(function, release, at) is not None:
        return False
    if release.is_variable and not _by_address(release):
        if _is_local(function, release.name):
            return True  # the analysis knows whether it was set
        if _is_owner(site, release.name):
            return True
    return bool(site.acquired) and all(dominates(function, offset, statement) for offset in site.acquired)


def _by_address(release: Release) -> bool:
    return any(f"&{release.place}" in call for call in release.calls)


def _is_local(function: FunctionText, name: str) -> bool:
    """Whether the function declares a variable of this name that is new in each call, and no parameter."""
    for statement in function.statements():
        tokens = function.tokens[statement.first : statement.last + 1]
        if is_declaration(function, statement) and tokens[0].text not in ("static", "extern"):
            for before, token in pairwise(tokens):
                if token.text == name and (before.text in ("*", ",") or before.is_word):
                    return True
    return False


def _is_owner(site: Site, name: str) -> bool:
    """Whether a variable of the program only ever gets a null pointer, or the result of the function at hand."""
    callee = site.findings[0].callee
    word = re.escape(name)
    given = re.compile(rf"(?<![\w.>]){word}\s*=(?!=)\s*([^;,]*)|&\s*{word}\b".encode())
    harmless = re.compile(rf"(?:\([\w\s*]+\)\s*)*(?:NULL|0|\(?{re.escape(callee)}\s*\(.*)\)?\s*".encode(), re.DOTALL)
    values = (match.group(1) for data in site.texts() for match in given.finditer(data))
    return bool(callee) and all(value is not None and harmless.fullmatch(value) for value in values)


def given_away(function: FunctionText, release: Release, at: int) -> Statement | None:
    """The statement that stores the pointer outside of the function on a way that may come here.

    at: number of the token before which the release would stand.
    """
    names = {release.place}
    for statement in function.statements():
        if statement.kind is not Kind.SIMPLE or statement.last >= at:
            continue
        sign = next((i for i in range(statement.first, statement.last) if function.tokens[i].text == "="), -1)
        if sign <= statement.first:
            continue
        value = re.sub(r"^(?:\([\w\s*]+\)\s*)+", "", function.text(sign + 1, statement.last - 1))
        if value not in names:
            continue
        target = function.text(statement.first, sign - 1)
        if is_declaration(function, statement) or (
            re.fullmatch(r"[A-Za-z_]\w*", target) and _is_local(function, target)
        ):
            names.add(function.tokens[sign - 1].text)
        elif not _leaves(function, statement):
            return statement
    return None


def _leaves(function: FunctionText, statement: Statement) -> bool:
    """Whether the block of a statement, or one around it that is not the function's, ends with a jump."""
    for block in statement.ancestors():
        if block is function.body:
            return False
        if block.kind is Kind.BLOCK and block.children and function.is_jump(block.children[-1]):
            return True
    return False


def dominates(function: FunctionText, offset: int, statement: Statement) -> bool:
    """Whether every way to a statement (to the end, for a block) leads over what stands at an offset."""
    source, index = function.at(offset), function.token_at(offset)
    at = statement.last if statement.kind is Kind.BLOCK else statement.first
    if source is None or index < 0 or index >= at:
        return False
    around = [statement, *statement.ancestors()]
    if source.kind in (Kind.LOOP, Kind.IF, Kind.SWITCH) and source in around:
        return _no_way_around(function, source, index, at)
    container = source.parent
    while container is not None and container.kind is not Kind.BLOCK:
        if source.role is not Role.ITEM and source.kind is not Kind.BLOCK:
            return False
        source, container = container, container.parent
    if container is None or container not in around:
        return False
    return _no_way_around(function, source, index, at)


def _no_way_around(function: FunctionText, source: Statement, index: int, at: int) -> bool:
    """Whether no label between two tokens can be jumped to from before the first one."""
    for label in function.statements():
        if label.kind is not Kind.LABEL or not index < label.first < at:
            continue
        parent = label.parent
        if parent is None or not parent.first < at <= parent.last:
            continue
        name = function.word(label)
        if name in ("case", "default"):
            inside = parent.parent
            if inside is not None and inside.first < index < inside.last and source.parent is parent:
                return False
            continue
        for jump in function.statements():
            if jump.first < index and function.text(jump.first, jump.last) == f"goto {name};":
                return False
    return True
