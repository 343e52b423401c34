"""A library file of cppcheck as a rule file.

What it cannot say for us stands there as a comment: under which condition an out-parameter is filled, and, without a
header, what the functions look like.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from analyzer.contracts import ContractTable
from analyzer.drafts.cppcheck import Group, LibraryFile
from analyzer.drafts.prototypes import Prototype
from analyzer.ir.types import TypeKind

_INTEGERS: Final = (TypeKind.INT, TypeKind.BOOL)


@final
@dataclass(slots=True)
class _Entry:
    """What the file says of one function. fresh, released: (kind, position); -1 is the result."""

    fresh: list[tuple[str, int]] = field(default_factory=list)
    released: list[tuple[str, int]] = field(default_factory=list)
    renewed: list[tuple[str, int]] = field(default_factory=list)
    ends: bool = False
    borrows: bool = False


@final
@dataclass(frozen=True, slots=True)
class Imported:
    """A rule file. described: functions in it. known: those that a pack describes already. open: those that stand in
    comments, as something is missing."""

    text: str
    described: int
    known: int
    open: int


def imported(
    library: LibraryFile, name: str, prototypes: Mapping[str, Prototype], headers: tuple[str, ...], table: ContractTable
) -> Imported:
    """The rule file for a library of that name. headers: as programs include them. table: what is known already."""
    return _Import(library, prototypes, table).file(name, headers)


@final
class _Import:
    def __init__(self, library: LibraryFile, prototypes: Mapping[str, Prototype], table: ContractTable) -> None:
        self._library = library
        self._prototypes = prototypes
        self._table = table
        self._kinds: dict[str, list[Group]] = {}
        self._entries: dict[str, _Entry] = {}
        for group in library.groups:
            self._add(group)
        for function in library.ending:
            self._entry(function).ends = True
        for function in library.borrowers:
            self._entry(function).borrows = True

    def _entry(self, function: str) -> _Entry:
        return self._entries.setdefault(function, _Entry())

    def _add(self, group: Group) -> None:
        names = [member.function for member in group.deallocs]
        if not names:
            return
        # Groups that share a releasing function are one.
        usual = f"of{names[0]}" if names[0].startswith("_") else names[0]
        kind = next((k for k, groups in self._kinds.items() if set(names) & set(_releases(groups))), usual)
        self._kinds.setdefault(kind, []).append(group)
        for member in group.allocs:
            self._entry(member.function).fresh.append((kind, member.argument))
        for member in group.deallocs:
            if (kind, member.argument) not in self._entry(member.function).released:
                self._entry(member.function).released.append((kind, member.argument))
        for member in group.reallocs:
            self._entry(member.function).renewed.append((kind, member.old))

    # -- text -------------------------------------------------------------------------------------------

    def file(self, name: str, headers: tuple[str, ...]) -> Imported:
        """See `imported`."""
        functions: list[str] = []
        borrows: list[str] = []
        notes: list[str] = []
        open_: list[str] = []
        types: dict[str, None] = {}
        known = []
        described = 0
        for function, entry in sorted(self._entries.items()):
            if self._table.all_named(function):
                known.append(function)
                continue
            prototype = self._prototypes.get(function)
            if prototype is None:
                open_ += _without_prototype(function, entry)
                notes.append(function)
                continue
            lines, why = _lines(prototype, entry, self._integers())
            if why:
                open_ += [f"  # {function}: {why}", *(f"  # {line}" for line in lines)]
                notes.append(function)
                continue
            described += 1
            types.update(dict.fromkeys(prototype.types))
            if entry.borrows and lines == [f"- {prototype.text}"]:
                borrows += [f"  {line}" for line in lines]
            else:
                functions += [f"  {line}" for line in lines]
        text = [
            *_head(name, headers, self._library, known),
            *self._kind_lines(),
            *(["declare: |", *(f"  {line}" for line in types)] if types else []),
            *(["functions:", *functions] if functions else []),
            *(["borrows:", *borrows] if borrows else []),
            *(["", "# Not said, or not known:", *open_] if open_ else []),
        ]
        return Imported("".join(line.rstrip() + "\n" for line in text), described, len(known), len(notes))

    def _integers(self) -> frozenset[str]:
        """Kinds that are numbers: something that is handed out as a result is one."""
        found = set()
        for function, entry in self._entries.items():
            prototype = self._prototypes.get(function)
            if prototype is not None and prototype.declared.result.kind in _INTEGERS:
                found |= {kind for kind, position in entry.fresh if position < 0}
        return frozenset(found)

    def _kind_lines(self) -> Iterator[str]:
        usable = self._usable_kinds()
        if usable:
            yield "kinds:"
        for kind, releases in usable.items():
            resource = any(group.resource for group in self._kinds[kind])
            words = [f"release: [{', '.join(releases)}]", f"noun: {'resource' if resource else 'block of memory'}"]
            words += ["integer: true"] if kind in self._integers() else []
            words += ["cwe: 772"] if resource else []
            yield f"  {kind}: {{{', '.join(words)}}}"

    def _usable_kinds(self) -> dict[str, list[str]]:
        """Kinds of which some release is described, here or in a pack."""
        found = {}
        for kind, groups in self._kinds.items():
            releases = [f for f in _releases(groups) if f in self._prototypes or self._table.all_named(f)]
            if releases:
                found[kind] = releases
        return found


def _releases(groups: list[Group]) -> list[str]:
    return list(dict.fromkeys(member.function for group in groups for member in group.deallocs))


def _head(name: str, headers: tuple[str, ...], library: LibraryFile, known: list[str]) -> Iterator[str]:
    yield from _remark(
        "Imported from a library file of cppcheck. Read it before you use it: such a file does not say when something "
        "is handed out, what failure leaves behind, what is counted, kept or taken only on success."
    )
    uses = sorted({function for group in library.groups for function in group.uses})
    if uses:
        yield from _remark(f"<use>: {', '.join(uses)}. What these take over is not said; it goes out of sight.")
    if known:
        yield from _remark(f"Left out, as a pack of mustfree describes them: {', '.join(known)}.")
    if library.others:
        yield from _remark(f"Of {library.others} functions nothing about ownership is said.")
    if library.unsaid:
        counts = ", ".join(f"<{one}> {number}" for one, number in library.unsaid.items())
        yield from _remark(f"Without a meaning here: {counts}.")
    yield f"library: {json.dumps(name)}"
    yield 'version: "1"'
    if headers:
        yield f"headers: [{', '.join(map(json.dumps, headers))}]"


def _remark(text: str) -> list[str]:
    return textwrap.wrap(text, 118, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)


def _without_prototype(function: str, entry: _Entry) -> Iterator[str]:
    roles = [f"hands out {kind!r} ({_place(position)})" for kind, position in entry.fresh]
    roles += [f"renews {kind!r} ({_place(position)})" for kind, position in entry.renewed]
    roles += [f"releases {kind!r} ({_place(position)})" for kind, position in entry.released]
    roles += ["does not return"] if entry.ends else []
    roles += ["only borrows"] if entry.borrows else []
    yield f"  # {function}: {', '.join(roles)}; no header that was named declares it"


def _place(position: int) -> str:
    return "result" if position < 0 else f"argument {position + 1}"


def _lines(prototype: Prototype, entry: _Entry, integers: frozenset[str]) -> tuple[list[str], str]:
    """The item for a function, and why it is not certain, "" when it is."""
    head = f"- c: {prototype.text}"
    if entry.ends:
        return [head, "  then: [noreturn]"], ""
    positions = [p for _, p in (*entry.fresh, *entry.released, *entry.renewed)]
    if any(position >= len(prototype.names) for position in positions):
        return [head, "  then: []"], f"it has {len(prototype.names)} parameters, and the file names another"
    released = [f"release {prototype.names[position]} {kind}" for kind, position in entry.released if position >= 0]
    out = [(kind, position) for kind, position in entry.fresh if position >= 0]
    if out:
        return [head, *_out_outcomes(prototype, out, released)], _WHEN
    given = [kind for kind, position in entry.fresh if position < 0]
    renewed = [f"release {prototype.names[position]} {kind}" for kind, position in entry.renewed]
    given += [kind for kind, _ in entry.renewed]
    if given:
        return _result_outcomes(head, prototype, given[0], integers, released, renewed)
    if released:
        return [head, f"  then: [{', '.join(released)}]"], ""
    return [f"- {prototype.text}"], ""


_WHEN: Final = "fills an argument, and for which results is not said; correct `when:`, and take the comment away"


def _out_outcomes(prototype: Prototype, out: list[tuple[str, int]], released: list[str]) -> Iterator[str]:
    fresh = [f"fresh *{prototype.names[position]} {kind}" for kind, position in out]
    left = [f"unchanged *{prototype.names[position]}" for _, position in out]
    yield "  outcomes:"
    yield f"    - {{when: ret == 0, then: [{', '.join((*released, *fresh))}]}}"
    yield f"    - {{when: ret != 0, then: [{', '.join((*released, *left))}]}}"


def _result_outcomes(
    head: str, prototype: Prototype, kind: str, integers: frozenset[str], released: list[str], renewed: list[str]
) -> tuple[list[str], str]:
    result = prototype.declared.result.kind
    if result is TypeKind.VOID:
        return [head, "  then: []"], "it returns nothing, and the file says that its result is to be released"
    yes, no = ("ret >= 0", "ret < 0") if kind in integers else ("ret != null", "ret == null")
    return [
        head,
        "  outcomes:",
        f"    - {{when: {yes}, then: [{', '.join((*released, *renewed, f'fresh ret {kind}'))}]}}",
        f"    - {{when: {no}, then: [{', '.join(released)}]}}",
    ], ""
