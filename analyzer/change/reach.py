"""Which files a change can reach: by text, wide rather than exact.

A changed header reaches the files that include it, a changed function those that mention it, and so on. To see these
as the whole program does, what they call is needed as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from analyzer.program.prepass import FileFacts, file_facts


def reached(files: Iterable[str], changed: Iterable[str], read: Callable[[str], bytes | None], calls: bool) -> set[str]:
    """Those of `files` that are to be analysed. changed: C files and headers.

    calls: also follow calls; otherwise only the changed files and those that include a changed header.
    """
    facts = {file: file_facts(data) for file in files if (data := read(file)) is not None}
    found = _includers(set(changed), facts)
    if calls:
        found = _callers(found, facts)
        found = _callees(found, facts)
    return found & facts.keys()


def _includers(found: set[str], facts: dict[str, FileFacts]) -> set[str]:
    grown = set(found)
    while grown:
        names = {PurePosixPath(file).name for file in grown}
        grown = {
            file
            for file, fact in facts.items()
            if file not in found and any(PurePosixPath(include).name in names for include in fact.includes)
        }
        found |= grown
    return found


def _callers(found: set[str], facts: dict[str, FileFacts]) -> set[str]:
    grown = set(found)
    while grown:
        names = {name.encode() for file in grown if file in facts for name in facts[file].defines}
        grown = {file for file, fact in facts.items() if file not in found and not names.isdisjoint(fact.identifiers)}
        found |= grown
    return found


def _callees(found: set[str], facts: dict[str, FileFacts]) -> set[str]:
    homes: dict[bytes, set[str]] = {}
    for file, fact in facts.items():
        for name in fact.defines:
            homes.setdefault(name.encode(), set()).add(file)
    grown = set(found)
    while grown:
        called = {
            home
            for file in grown
            if file in facts
            for name in facts[file].identifiers & homes.keys()
            for home in homes[name]
        }
        grown = called - found
        found |= grown
    return found
