"""Why nothing is acquired in a line, as far as it can be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from analyzer.contracts.model import FunctionContract
from analyzer.findings.model import NoticeKind
from analyzer.ownership.prepared import CallSite, Prepared
from analyzer.ownership.resources import acquires
from analyzer.program.discovery import display_path
from analyzer.program.run import LinkedProgram
from analyzer.sources import LineIndex

_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b(.*)")
_CALL = re.compile(rb"\b([A-Za-z_]\w*)[ \t]*\(")
_NO_CALLS = frozenset((b"if", b"while", b"for", b"switch", b"return", b"sizeof"))
_LONGEST = 60
_GAPS = (NoticeKind.NOT_ANALYSED, NoticeKind.INTERNAL, NoticeKind.BAD_INPUT, NoticeKind.SKIPPED)


def reasons(
    path: str,
    line: int,
    program: LinkedProgram,
    text: LineIndex,
    prepared: Prepared | None,
    where: Callable[[FunctionContract], str],
) -> tuple[str, ...]:
    """Sentences without full stop. prepared: the function around the line, None outside of any that was read."""
    return tuple(dict.fromkeys(_reasons(path, line, program, text, prepared, where)))


def _reasons(
    path: str,
    line: int,
    program: LinkedProgram,
    text: LineIndex,
    prepared: Prepared | None,
    where: Callable[[FunctionContract], str],
) -> Iterator[str]:
    if not 1 <= line <= text.lines:
        yield f"the file has {text.lines} lines"
        return
    shown = display_path(path, program.context.root)
    for notice in program.report.notices:
        if notice.file == shown and notice.kind in _GAPS:
            yield notice.message
    if path not in program.parsed and path in program.tasks:
        yield "`check` does not parse these files: nothing in them mentions a function that a contract speaks of"
    calls = _calls(line, text, prepared)
    for site in calls:
        yield _about(site, where)
    if calls:
        return
    conditions = _conditions(line, text)
    if conditions and not _has_code(line, text, prepared):
        yield "not compiled under these flags: " + " and ".join(conditions)
    elif prepared is None:
        yield f"line {line} lies in no function that was read"
    else:
        name = prepared.function.name
        written = [name for name in _CALL.findall(text.line_bytes(line)) if name not in _NO_CALLS]
        said = f"line {line} of {name}() calls no function"
        yield f"{said} as far as it was read" if written else said
        for error in prepared.function.degraded[:1]:
            yield f"{name}() was parsed with errors, so the call may be missing: {error}"


def _calls(line: int, text: LineIndex, prepared: Prepared | None) -> list[CallSite]:
    if prepared is None:
        return []
    return [site for site in prepared.calls.values() if text.position(site.op.at)[0] == line]


def _about(site: CallSite, where: Callable[[FunctionContract], str]) -> str:
    name, contract = site.op.name, site.contract
    if not name:
        return "a call through a pointer: which function it leads to, and what that hands out, is not known"
    if contract is None:
        return f"{name}() has no contract and no known definition: what it hands out is not known"
    if acquires(contract):
        return f"{name}() hands something out ({where(contract)}), but no way to the call was found"
    return f"{name}() hands nothing out, by its contract in {where(contract)}"


def _has_code(line: int, text: LineIndex, prepared: Prepared | None) -> bool:
    if prepared is None:
        return False
    blocks = prepared.function.blocks
    places = [op.at for block in blocks for op in block.ops] + [block.end.at for block in blocks]
    return any(text.position(at)[0] == line for at in places)


def _conditions(line: int, text: LineIndex) -> list[str]:
    """The preprocessor's conditions around a line, outermost first, each with its own line."""
    around: list[tuple[str, int]] = []
    for number in range(1, line):
        match = _DIRECTIVE.match(text.line_bytes(number))
        if match is None:
            continue
        word = match.group(1)
        if word == b"endif":
            if around:
                around.pop()
            continue
        said = " ".join(text.line_text(number).split())[:_LONGEST]
        if word in (b"else", b"elif") and around:
            said = f"{said} of {around.pop()[0]}"
        around.append((said, number))
    return [f"`{said}` in line {number}" for said, number in around]
