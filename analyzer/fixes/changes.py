"""What is to be changed in a function, and the edits of its file that amount to it.

Several changes around one statement are put together here: an unbraced body gets its braces once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, final

from analyzer.fixes.conditionals import joints, level, straddles
from analyzer.fixes.layout import Layout, columns
from analyzer.fixes.syntax import FunctionText, Kind, Role, Statement


@final
@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Bytes of a file to be replaced. start == end: an insertion."""

    start: int
    end: int
    text: bytes


@final
@dataclass(frozen=True, slots=True)
class Line:
    """A statement to be written. guard: the condition under which it runs, "" for always."""

    text: str
    guard: str = ""


@final
@dataclass(frozen=True, slots=True)
class Before:
    """Run these first. rank: where several stand before one statement, the smallest comes first."""

    statement: Statement
    lines: tuple[Line, ...]
    rank: int = 0


@final
@dataclass(frozen=True, slots=True)
class After:
    """Run these next."""

    statement: Statement
    lines: tuple[Line, ...]


@final
@dataclass(frozen=True, slots=True)
class AtEnd:
    """Run these where a block ends, or what a loop governs, without braces."""

    statement: Statement
    lines: tuple[Line, ...]
    rank: int = 0


@final
@dataclass(frozen=True, slots=True)
class Instead:
    """Statements that take the place of one."""

    statement: Statement
    lines: tuple[Line, ...]


@final
@dataclass(frozen=True, slots=True)
class Otherwise:
    """An else for an if that has none, with a body without braces."""

    condition: Statement
    line: Line


@final
@dataclass(frozen=True, slots=True)
class Declare:
    """A declaration behind those at the start of a block."""

    block: Statement
    text: str


@final
@dataclass(frozen=True, slots=True)
class Swap:
    """Other text for some bytes inside of a statement. start == end: an insertion."""

    start: int
    end: int
    text: str


_ENDS: Final = frozenset((";", "{", "}", ":"))  # what a statement in a block can follow

Change = Before | After | AtEnd | Instead | Otherwise | Declare | Swap


class ConflictError(Exception):
    """Changes that cannot be made together, or not in this text."""


def applied(data: bytes, edits: Iterable[Edit]) -> bytes:
    """The text with the edits made."""
    for edit in sorted(edits, reverse=True):
        data = data[: edit.start] + edit.text + data[edit.end :]
    return data


def edits_of(function: FunctionText, layout: Layout, changes: Sequence[Change]) -> tuple[Edit, ...]:
    """The edits, in order. Raises ConflictError."""
    return _Writer(function, layout, changes).edits()


@final
class _Writer:
    def __init__(self, function: FunctionText, layout: Layout, changes: Sequence[Change]) -> None:
        self._function = function
        self._layout = layout
        self._changes = tuple(dict.fromkeys(changes))
        self._edits: set[Edit] = set()

    def edits(self) -> tuple[Edit, ...]:
        """See `edits_of`."""
        touched: dict[Statement, None] = {}
        for change in self._changes:
            if isinstance(change, Swap):
                self._edits.add(Edit(change.start, change.end, change.text.encode("latin-1")))
            elif isinstance(change, Declare):
                self._declare(change)
            elif isinstance(change, Otherwise):
                self._otherwise(change)
            elif isinstance(change, AtEnd) and change.statement.kind is Kind.BLOCK:
                self._at_end(change)
            else:
                touched[change.statement] = None
        for statement in touched:
            self._around(statement)
        return self._checked()

    def _checked(self) -> tuple[Edit, ...]:
        found = sorted(self._edits)
        for one, other in pairwise(found):
            if one.end > other.start or (one.start == other.start):
                raise ConflictError
        if any(self._in_directive(edit) for edit in found):
            raise ConflictError
        return tuple(found)

    def _level(self, at: int) -> list[int]:
        """The branches of the preprocessor that a place is in."""
        return level(self._layout.data, self._function.tokens[0].start, at)

    def _stays_whole(self, statement: Statement) -> None:
        """Raises ConflictError where a statement is another one, or ends elsewhere, in another configuration."""
        function, data = self._function, self._layout.data
        start, end = function.start(statement), function.end(statement)
        parent = statement.parent
        if statement.role is not Role.ITEM and parent is not None:
            if straddles(data, function.start(parent), end):
                raise ConflictError
            return
        if self._level(start) != self._level(end):
            raise ConflictError
        first = statement.first
        before = function.tokens[first - 1].end if first else 0
        for joint in joints(data, function.tokens[0].start, before, start):
            token = function.token_before(joint)
            if token is None or token.text not in _ENDS:
                raise ConflictError

    def _in_directive(self, edit: Edit) -> bool:
        """Whether a line of the preprocessor would be changed."""
        first = self._layout.line_start(edit.start)
        text = self._layout.data[first : self._layout.line_end(max(edit.start, edit.end - 1))]
        return any(line.lstrip().startswith(b"#") for line in text.split(b"\n")) and edit.start != edit.end

    def _declare(self, change: Declare) -> None:
        """Behind the last statement at the block's start that looks like a declaration, else behind its brace."""
        function, layout = self._function, self._layout
        children = change.block.children
        if not children:
            raise ConflictError
        declared = [child for child in children if is_declaration(function, child)]
        leading = 0
        while leading < len(declared) and children[leading] is declared[leading]:
            leading += 1
        if leading:
            last = children[leading - 1]
            at = layout.line_end(function.end(last))
            if not layout.ends_line(function.end(last)):
                raise ConflictError
            line = layout.newline + layout.indent(function.start(last)) + change.text.encode()
        else:
            at = function.start(children[0])
            if not layout.starts_line(at):
                raise ConflictError
            at = layout.line_start(at)
            line = layout.indent(function.start(children[0])) + change.text.encode() + layout.newline + layout.newline
        if self._level(at) != self._level(function.start(change.block)):
            raise ConflictError
        self._edits.add(Edit(at, at, line))

    def _otherwise(self, change: Otherwise) -> None:
        function, layout = self._function, self._layout
        start, end = function.start(change.condition), function.end(change.condition)
        self._stays_whole(change.condition.children[0])
        body = change.condition.children[0]
        if not (layout.starts_line(start) and layout.starts_line(function.start(body)) and layout.ends_line(end)):
            raise ConflictError
        inner = layout.indent(function.start(body))
        text = layout.newline + layout.indent(start) + b"else" + layout.newline + inner + change.line.text.encode()
        at = layout.line_end(end)
        self._edits.add(Edit(at, at, text))

    def _at_end(self, change: AtEnd) -> None:
        """Before the closing brace of a block."""
        function, layout = self._function, self._layout
        brace = function.tokens[change.statement.last].start
        if self._level(brace) != self._level(function.start(change.statement)):
            raise ConflictError
        together = [one for one in self._changes if isinstance(one, AtEnd) and one.statement is change.statement]
        lines = _in_order(together)
        children = change.statement.children
        if not layout.starts_line(brace):
            text = " ".join(self._flat(line) for line in lines).encode() + b" "
            self._edits.add(Edit(brace, brace, text))
            return
        if children and layout.starts_line(function.start(children[-1])) and children[-1].kind is not Kind.LABEL:
            indent = layout.indent(function.start(children[-1]))
        else:
            indent = layout.space(columns(layout.indent(brace)) + layout.unit)
        at = layout.line_start(brace)
        self._edits.add(Edit(at, at, self._block(lines, indent)))

    def _around(self, statement: Statement) -> None:
        """All that is said of one statement."""
        self._stays_whole(statement)
        mine = [change for change in self._changes if getattr(change, "statement", None) is statement]
        lines = _in_order([one for one in mine if isinstance(one, Before)])
        after = [line for one in mine if isinstance(one, After | AtEnd) for line in one.lines]
        instead = [one for one in mine if isinstance(one, Instead)]
        if len(instead) > 1:
            raise ConflictError
        if statement.role is not Role.ITEM:
            self._governed(statement, lines, after, instead[0].lines if instead else None)
            return
        start, end = self._function.start(statement), self._function.end(statement)
        if not self._layout.starts_line(start):
            self._inline(statement, lines, after, instead[0].lines if instead else None)
            return
        indent = self._layout.indent(start)
        if lines:
            at = self._layout.line_start(start)
            self._edits.add(Edit(at, at, self._block(lines, indent)))
        if instead:
            text = self._block(instead[0].lines, indent).removeprefix(indent).removesuffix(self._layout.newline)
            self._edits.add(Edit(start, end, text))
        if after:
            self._after(end, after, indent)

    def _after(self, end: int, lines: Sequence[Line], indent: bytes) -> None:
        layout = self._layout
        if layout.ends_line(end):
            at = layout.line_end(end)
            self._edits.add(Edit(at, at, layout.newline + self._block(lines, indent).removesuffix(layout.newline)))
        else:
            self._edits.add(Edit(end, end, (" " + " ".join(self._flat(line) for line in lines)).encode()))

    def _inline(
        self, statement: Statement, lines: Sequence[Line], after: Sequence[Line], instead: Sequence[Line] | None
    ) -> None:
        """On the statement's own line."""
        start, end = self._function.start(statement), self._function.end(statement)
        if lines:
            self._edits.add(Edit(start, start, "".join(self._flat(line) + " " for line in lines).encode()))
        if instead is not None:
            self._edits.add(Edit(start, end, " ".join(self._flat(line) for line in instead).encode()))
        if after:
            self._edits.add(Edit(end, end, "".join(" " + self._flat(line) for line in after).encode()))

    def _governed(
        self, statement: Statement, lines: Sequence[Line], after: Sequence[Line], instead: Sequence[Line] | None
    ) -> None:
        """A body without braces, which gets some."""
        function, layout = self._function, self._layout
        parent = statement.parent
        if parent is None or statement.kind is Kind.BLOCK:
            raise ConflictError
        start, end = function.start(statement), function.end(statement)
        if statement.kind is Kind.IF and statement.role is Role.ELSE:
            raise ConflictError
        if instead is not None and not lines and not after and len(instead) == 1 and not instead[0].guard:
            self._edits.add(Edit(start, end, instead[0].text.encode()))
            return
        if not layout.ends_line(end) or statement.kind is not Kind.SIMPLE or parent.kind is Kind.DO:
            self._braced_inline(statement, lines, after, instead)
            return
        place = columns(layout.indent(function.tokens[parent.first].start)) + max(layout.brace, 0)
        indent = layout.space(place + layout.unit)
        if layout.starts_line(start) and layout.brace <= 0:
            indent = layout.indent(start)
        body = self._block(lines, indent)
        if instead is None:
            text = self._shifted(layout.data[start:end], start, indent)
            body += indent + text + layout.data[end : layout.line_end(end)] + layout.newline
        else:
            body += self._block(instead, indent)
        self._enclose(statement, parent, layout.space(place), body + self._block(after, indent))

    def _enclose(self, statement: Statement, parent: Statement, brace: bytes, body: bytes) -> None:
        """Puts braces and a body in the place of a statement. brace: the white space before them."""
        function, layout = self._function, self._layout
        start, until = function.start(statement), layout.line_end(function.end(statement))
        head = function.tokens[parent.otherwise if statement.role is Role.ELSE else parent.head].end
        behind_head = layout.brace < 0
        opening = b"" if behind_head else brace + b"{" + layout.newline
        if layout.starts_line(start):
            first = layout.line_start(start)
            if behind_head:
                self._edits.add(Edit(head, head, b" {"))
        elif layout.data[head:start].strip():
            raise ConflictError
        else:  # `if (x) return;` on one line: the gap goes with the statement
            first = head
            opening = (b" {" if behind_head else b"") + layout.newline + opening
        text = opening + body + brace + b"}"
        if statement.role is Role.BODY and parent.otherwise >= 0 and behind_head:
            other = function.tokens[parent.otherwise].start
            if layout.data[until:other].strip():
                raise ConflictError
            self._edits.add(Edit(first, other, text + b" "))
        else:
            self._edits.add(Edit(first, until, text))

    def _shifted(self, text: bytes, start: int, indent: bytes) -> bytes:
        """The lines of a statement, moved in as far as its first one."""
        by = columns(indent) - columns(self._layout.indent(start))
        first, *rest = text.split(b"\n")
        if by <= 0:
            return text
        moved = [
            self._layout.space(columns(line[: len(line) - len(line.lstrip())]) + by) + line.lstrip() for line in rest
        ]
        return b"\n".join([first, *moved])

    def _braced_inline(
        self, statement: Statement, lines: Sequence[Line], after: Sequence[Line], instead: Sequence[Line] | None
    ) -> None:
        start, end = self._function.start(statement), self._function.end(statement)
        if statement.kind is not Kind.SIMPLE:
            raise ConflictError
        before = "{ " + "".join(self._flat(line) + " " for line in lines)
        behind = "".join(" " + self._flat(line) for line in after) + " }"
        if instead is None:
            self._edits.add(Edit(start, start, before.encode()))
            self._edits.add(Edit(end, end, behind.encode()))
        else:
            text = before + " ".join(self._flat(line) for line in instead) + behind
            self._edits.add(Edit(start, end, text.encode()))

    def _block(self, lines: Sequence[Line], indent: bytes) -> bytes:
        layout = self._layout
        found = b""
        for line in lines:
            if line.guard:
                inner = layout.space(columns(indent) + layout.unit)
                found += indent + f"if ({line.guard})".encode() + layout.newline
                found += inner + line.text.encode() + layout.newline
            else:
                found += indent + line.text.encode() + layout.newline
        return found

    def _flat(self, line: Line) -> str:
        return f"if ({line.guard}) {line.text}" if line.guard else line.text


def _in_order(changes: Sequence[Before | AtEnd]) -> list[Line]:
    """The lines by rank; what two fixes want alike stands there once."""
    wanted = dict.fromkeys(change.lines for change in sorted(changes, key=lambda one: one.rank))
    return [line for lines in wanted for line in lines]


_NOT_TYPES = frozenset(("return", "goto", "break", "continue", "sizeof", "else", "case", "default"))


def is_declaration(function: FunctionText, statement: Statement) -> bool:
    """Whether a statement looks like a declaration: it starts with two words, or a word, stars and a word."""
    if statement.kind is not Kind.SIMPLE:
        return False
    tokens = function.tokens[statement.first : statement.last + 1]
    if not tokens or not tokens[0].is_word or tokens[0].text in _NOT_TYPES:
        return False
    at = 1
    while at < len(tokens) and tokens[at].text == "*":
        at += 1
    return at < len(tokens) and tokens[at].is_word
