"""What is to be analysed at each side of a change: the same functions at both, as far as both have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import final

from analyzer.change.matching import Files
from analyzer.change.reach import Node, Reach, Touched, touched
from analyzer.change.sides import Change, Pair, is_c, is_source
from analyzer.program.outline import Outline

Outlines = Mapping[str, Outline]
Read = Callable[[Iterable[str]], Outlines]


@final
@dataclass(frozen=True, slots=True)
class Scope:
    """paths: C files to analyse. unneeded: of each the functions that need not be; None: all of them are."""

    paths: list[str]
    unneeded: Mapping[str, frozenset[str]] | None


def scopes(change: Change, base: Read, head: Read, calls: bool) -> tuple[Scope, Scope]:
    """Those of base and head. base, head: read outlines at a side.

    calls: also follow calls; otherwise only the changed files and those that include a changed header.
    """
    files = Files(change.pairs)
    pairs = [pair for pair in change.pairs if is_source(pair.head or pair.base)]
    old = base(change.base_files)
    changed = {pair.head for pair in pairs}
    new = {**old, **head(file for file in change.head_files if file in changed or file not in old)}
    new = {file: one for file, one in new.items() if file in set(change.head_files)}
    if not calls:
        return _by_files(pairs, old, new, files)
    sides = Reach(old), Reach(new)
    at_base = sides[0].affected(_touched([(pair.base, pair.head) for pair in pairs], old, new))
    at_head = sides[1].affected(_touched([(pair.head, pair.base) for pair in pairs], new, old))
    at_base, at_head = (
        at_base | {Node(files.to_base(file), sort, name) for file, sort, name in at_head},
        at_head | {Node(files.to_head(file), sort, name) for file, sort, name in at_base},
    )
    need_base = sides[0].needed(at_base | sides[0].parts(pair.base for pair in pairs))
    need_head = sides[1].needed(at_head | sides[1].parts(changed))
    need_base, need_head = (
        need_base | {Node(files.to_base(file), sort, name) for file, sort, name in need_head},
        need_head | {Node(files.to_head(file), sort, name) for file, sort, name in need_base},
    )
    paths = _paths(sides[0], need_base, {pair.base for pair in pairs}), _paths(sides[1], need_head, changed)
    both = (
        paths[0] | {files.to_base(file) for file in paths[1]},
        paths[1] | {files.to_head(file) for file in paths[0]},
    )
    return (
        _scope(sides[0], both[0] & old.keys(), need_base, at_base),
        _scope(sides[1], both[1] & new.keys(), need_head, at_head),
    )


def _touched(names: Iterable[tuple[str, str]], here: Outlines, there: Outlines) -> Touched:
    """What all files of a change have that is different. names: of each file here and there."""
    found = []
    for mine, other in names:
        if mine == other and mine in here and other in there:
            found.append(touched(mine, here[mine], there[other]))
            continue
        # A file that came, went or moved: all of it is new or gone, and so is what an include of it leads to.
        if mine in here:
            found.append(touched(mine, here[mine], None))
        if other in there:
            one = there[other]
            gone = {part.name for part in (*one.functions, *one.macros, *one.data)}
            found.append(Touched(frozenset(), frozenset((other,)), frozenset(gone)))
    return Touched(
        frozenset().union(*(one.nodes for one in found)),
        frozenset().union(*(one.files for one in found)),
        frozenset().union(*(one.names for one in found)),
    )


def _paths(side: Reach, nodes: frozenset[Node], changed: Iterable[str]) -> set[str]:
    """The C files that hold these parts, or write the variables among them; of a header, one that includes it."""
    found = {node.file for node in nodes if node.sort != "macro"} | set(changed) | side.writers(nodes)
    paths = set(filter(is_c, found))
    for header in sorted(found - paths):
        includers = sorted(filter(is_c, side.includers((header,))))
        if includers and paths.isdisjoint(includers):
            paths.add(includers[0])
    return paths


def _scope(side: Reach, paths: Iterable[str], nodes: frozenset[Node], asked: frozenset[Node]) -> Scope:
    paths = sorted(paths)
    return Scope(paths, side.unneeded(paths, nodes, asked))


def _by_files(pairs: Iterable[Pair], old: Outlines, new: Outlines, files: Files) -> tuple[Scope, Scope]:
    """The changed files and those that include one of them."""
    at_base = Reach(old).includers(pair.base for pair in pairs if pair.base) & old.keys()
    at_head = Reach(new).includers(pair.head for pair in pairs if pair.head) & new.keys()
    at_base, at_head = (
        (at_base | {files.to_base(file) for file in at_head}) & old.keys(),
        (at_head | {files.to_head(file) for file in at_base}) & new.keys(),
    )
    return Scope(sorted(filter(is_c, at_base)), None), Scope(sorted(filter(is_c, at_head)), None)
