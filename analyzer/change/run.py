"""Analyses both sides of a change, as far as it reaches, and compares them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from analyzer.change.compare import Sides, compare_sides
from analyzer.change.matching import Files
from analyzer.change.scope import scopes
from analyzer.change.sides import Change, is_cpp
from analyzer.checks import CHECKS
from analyzer.findings.model import Notice, NoticeKind, Report
from analyzer.suppressions.comments import read_comments
from analyzer.workspace import Settings, Workspace

Progress = Callable[[int, int], None]


@final
@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How a change is analysed.

    settings: for both sides; their root is the change's.
    config_from_head: rule files, the toolchain file and allowing comments of the head side count; otherwise those of
        the base, so that a change cannot silence its own gate.
    calls: analyse what the change reaches through calls, too; otherwise the changed files and what includes them.
    """

    settings: Settings
    config_from_head: bool = False
    calls: bool = True


@final
@dataclass(frozen=True, slots=True)
class ChangeResult:
    """report: on the change. head: the head side, to read files from. remarks: about the cache."""

    report: Report
    head: Workspace
    remarks: tuple[str, ...] = ()


def analyse_change(change: Change, options: ChangeOptions, progress: Progress | None = None) -> ChangeResult:
    """The report on a change. MustfreeError: see Workspace."""
    rules, rule_texts, notices = _rule_files(change, options)
    rule_texts |= _toolchain_text(change, options)
    settings = replace(options.settings, root=change.root, rules=rules)
    base = Workspace(settings, _absolute(change, change.base_overlay) | rule_texts)
    head = Workspace(settings, _absolute(change, change.head_overlay) | rule_texts, beside=base)
    before, after = (
        side.analyse(scope.paths, progress, scope.unneeded) if scope.paths else Report(versions=head.versions())
        for side, scope in zip((base, head), scopes(change, base.outlines, head.outlines, options.calls), strict=True)
    )
    report = compare_sides(Sides(change, before, after, head.read, head.table, options.config_from_head))
    said = (*notices, *_remarks(change), *_written_comments(change, options.config_from_head))
    remarks = tuple(dict.fromkeys((*base.remarks, *head.remarks)))
    return ChangeResult(replace(report, notices=(*said, *report.notices)), head, remarks)


def _absolute(change: Change, overlay: Mapping[str, bytes]) -> dict[str, bytes]:
    return {os.path.join(change.root, path): data for path, data in overlay.items()}  # noqa: PTH118 - thousands


def _rule_files(change: Change, options: ChangeOptions) -> tuple[tuple[str, ...], dict[str, bytes], list[Notice]]:
    """The rule files to use, the contents that stand for some of them, and what to say about that."""
    rules: list[str] = []
    texts: dict[str, bytes] = {}
    notices: list[Notice] = []
    for name in options.settings.rules:
        path = os.path.realpath(name)
        inside = Path(path).is_relative_to(change.root)
        relative = Path(path).relative_to(change.root).as_posix() if inside else ""
        before = change.base_read(relative) if inside else None
        after = change.head_read(relative) if inside else None
        if not inside or before == after:
            rules.append(path)
            continue
        chosen = after if options.config_from_head else before
        if chosen is not None:
            rules.append(path)
            texts[path] = chosen
        notices.append(Notice(NoticeKind.CHANGE, relative, 0, _about_rules(before, after, options.config_from_head)))
    return tuple(rules), texts, notices


def _toolchain_text(change: Change, options: ChangeOptions) -> dict[str, bytes]:
    """The contents that stand for the toolchain file, where it belongs to the tree."""
    if not options.settings.toolchain:
        return {}
    path = os.path.realpath(options.settings.toolchain)
    if not Path(path).is_relative_to(change.root):
        return {}
    relative = Path(path).relative_to(change.root).as_posix()
    chosen = change.head_read(relative) if options.config_from_head else change.base_read(relative)
    return {} if chosen is None else {options.settings.toolchain: chosen}


def _about_rules(before: bytes | None, after: bytes | None, from_head: bool) -> str:
    what = "adds" if before is None else "removes" if after is None else "edits"
    used = (
        "that of the head is used" if from_head else "that of the base is used (--config-from head takes the new one)"
    )
    return f"this change {what} the rule file: {used}"


def _remarks(change: Change) -> Iterator[Notice]:
    for file in change.build_files:
        message = "changed: flags and generated files of the head are taken for both sides"
        yield Notice(NoticeKind.CHANGE, file, 0, message)
    for file, message in change.remarks:
        yield Notice(NoticeKind.CHANGE, file, 0, message)
    for pair in change.pairs:
        if pair.head and is_cpp(pair.head):
            yield Notice(NoticeKind.SKIPPED, pair.head, 0, "C++ is not analysed")


def _written_comments(change: Change, trusted: bool) -> Iterator[Notice]:
    """Comments of the change that allow findings: all are named, for a reviewer to judge."""
    files = Files(change.pairs)
    names = [check.id for check in CHECKS]
    for pair in change.pairs:
        for allowance in read_comments(pair.head_data, pair.head, names).allowances:
            lines = range(allowance.at.line, allowance.at.end_line + 1)
            if any(files.is_new(pair.head, line) for line in lines):
                what = ", ".join(f"{check}({name})" if name else check for check, name in allowance.checks)
                effect = "" if trusted else "; it does not count here (--config-from head lets it)"
                message = f"this change allows {what} in {_REACH[allowance.scope.value]}: {allowance.reason}{effect}"
                yield Notice(NoticeKind.CHANGE, pair.head, allowance.at.line, message)


_REACH = {"line": "one line", "function": "a function", "file": "the whole file"}
