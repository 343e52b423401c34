"""The statements of one function as its text shows them, for those who want to edit that text.

Knows C's statements and nothing of its macros: what it takes for a statement may be something else. Whatever is built
on it is proved by analysing the result (`proof`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, final

_TOKEN: Final = re.compile(
    rb"""(?P<skip>/\*.*?\*/|//[^\n]*|(?m:^[ \t]*\#(?:\\\r?\n|[^\n])*))
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
    |[A-Za-z_]\w*|\d[\w.]*
    |->|\+\+|--|&&|\|\||<<=?|>>=?|[<>=!+\-*/%&|^]=|\.\.\.|[^\s]""",
    re.DOTALL | re.VERBOSE,
)
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_HEADS: Final = {"if": "if", "while": "loop", "for": "loop", "switch": "switch"}
_JUMPS: Final = frozenset(("return", "goto", "break", "continue"))


@final
@dataclass(frozen=True, slots=True)
class Token:
    """A token. start, end: bytes in the file."""

    text: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Whether it is an identifier or a keyword."""
        return _WORD.fullmatch(self.text) is not None


class Kind(Enum):
    """What a statement is."""

    BLOCK = "block"
    SIMPLE = "simple"  # up to its semicolon
    IF = "if"
    LOOP = "loop"  # while, for, or a macro with a statement behind it
    DO = "do"
    SWITCH = "switch"
    LABEL = "label"  # `name:` or `case x:`, without the statement behind it


class Role(Enum):
    """Where a statement stands."""

    ITEM = "item"  # in a block
    BODY = "body"  # what an if, a loop or a switch governs
    ELSE = "else"  # what an else governs


@final
@dataclass(eq=False, slots=True)
class Statement:
    """A statement. start, end: bytes in the file. first, last: numbers of its tokens, both included.

    head: number of the last token before what it governs, or before the `else` branch: the brace goes behind it.
    """

    kind: Kind
    role: Role
    first: int
    parent: Statement | None
    last: int = -1
    head: int = -1
    otherwise: int = -1
    children: list[Statement] = field(default_factory=list)

    def ancestors(self) -> Iterator[Statement]:
        """The statements around it, the innermost first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def walk(self) -> Iterator[Statement]:
        """It and all statements in it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


class NoStructureError(Exception):
    """The text is not what this module takes for a function."""


@final
class FunctionText:
    """The text of one function. Raises NoStructureError where brackets do not match, as with #if around half of them.

    data: the whole file. start, end: bytes from the beginning of the line with the function's name to its last brace.
    """

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.tokens = [
            Token(match.group().decode("latin-1"), match.start(), match.end())
            for match in _TOKEN.finditer(data, start, end)
            if match.lastgroup != "skip"
        ]
        self._starts = [token.start for token in self.tokens]
        self._match = self._brackets()
        opening = next((i for i, token in enumerate(self.tokens) if token.text == "{" and self._depth(i) == 0), -1)
        if opening < 0 or self._match.get(opening) != len(self.tokens) - 1:
            raise NoStructureError
        self._opening = opening
        self.body = self._block(opening, Role.ITEM, None)[0]

    def _brackets(self) -> dict[int, int]:
        open_: list[int] = []
        found: dict[int, int] = {}
        for index, token in enumerate(self.tokens):
            if token.text in _CLOSING:
                open_.append(index)
            elif token.text in (")", "]", "}"):
                if not open_ or _CLOSING[self.tokens[open_[-1]].text] != token.text:
                    raise NoStructureError
                found[open_.pop()] = index
        if open_:
            raise NoStructureError
        return found

    def _depth(self, index: int) -> int:
        return sum(opening < index < closing for opening, closing in self._match.items())

    # The grammar

    def _block(self, index: int, role: Role, parent: Statement | None) -> tuple[Statement, int]:
        block = Statement(Kind.BLOCK, role, index, parent, self._match[index])
        at = index + 1
        while at < block.last:
            child, at = self._statement(at, Role.ITEM, block, block.last)
            block.children.append(child)
        return block, block.last + 1

    def _statement(self, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        if at >= limit:
            raise NoStructureError
        text = self._text(at)
        if text == "{":
            return self._block(at, role, parent)
        if text in _HEADS and self._text(at + 1) == "(":
            return self._governing(Kind(_HEADS[text]), at, role, parent, limit)
        if text == "do":
            return self._do(at, role, parent, limit)
        if text in ("case", "default") or (self._text(at + 1) == ":" and self.tokens[at].is_word):
            return self._label(at, role, parent, limit)
        if self.tokens[at].is_word and self._text(at + 1) == "(" and self._heads_like_a_loop(at, limit):
            return self._governing(Kind.LOOP, at, role, parent, limit)
        return self._simple(at, role, parent, limit)

    def _text(self, index: int) -> str:
        return self.tokens[index].text if index < len(self.tokens) else ""

    def _heads_like_a_loop(self, at: int, limit: int) -> bool:
        """``list_for_each(p, list)`` with a statement behind it."""
        after = self._match[at + 1] + 1
        if after >= limit or (at and self._text(at) in _JUMPS | {"sizeof"}):
            return False
        return self._text(after) == "{" or (
            self.tokens[after].is_word and b"\n" in self.data[self.tokens[after - 1].end : self.tokens[after].start]
        )

    def _governing(self, kind: Kind, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        found = Statement(kind, role, at, parent, head=self._match[at + 1])
        body, after = self._governed(found.head + 1, Role.BODY, found, limit)
        found.children.append(body)
        if kind is Kind.IF and after < limit and self._text(after) == "else":
            found.otherwise = after
            other, after = self._governed(after + 1, Role.ELSE, found, limit)
            found.children.append(other)
        found.last = after - 1
        return found, after

    def _governed(self, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        return self._statement(at, role, parent, limit)

    def _do(self, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        found = Statement(Kind.DO, role, at, parent, head=at)
        body, after = self._statement(at + 1, Role.BODY, found, limit)
        found.children.append(body)
        if self._text(after) != "while" or self._text(after + 1) != "(":
            raise NoStructureError
        after = self._match[after + 1] + 1
        if self._text(after) != ";":
            raise NoStructureError
        found.last = after
        return found, after + 1

    def _label(self, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        after = at
        while after < limit and self._text(after) != ":":
            after = self._match[after] + 1 if after in self._match else after + 1
        if after >= limit or role is not Role.ITEM:
            raise NoStructureError
        return Statement(Kind.LABEL, role, at, parent, after), after + 1

    def _simple(self, at: int, role: Role, parent: Statement, limit: int) -> tuple[Statement, int]:
        after = at
        while after < limit and self._text(after) != ";":
            after = self._match[after] + 1 if after in self._match else after + 1
        last = after if after < limit else limit - 1
        return Statement(Kind.SIMPLE, role, at, parent, last), last + 1

    # Questions

    def statements(self) -> Iterator[Statement]:
        """All statements, in order."""
        return self.body.walk()

    def at(self, offset: int) -> Statement | None:
        """The innermost statement that covers an offset; a block for one of its braces. None outside of the body."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self.tokens[index].end:
            return None
        found = None
        for statement in self.statements():
            if statement.first <= index <= statement.last:
                found = statement
        return found

    def token_at(self, offset: int) -> int:
        """The number of the token that covers an offset, -1 for none."""
        index = bisect_right(self._starts, offset) - 1
        return index if index >= 0 and offset < self.tokens[index].end else -1

    def token_before(self, offset: int) -> Token | None:
        """The last token that begins before an offset."""
        index = bisect_right(self._starts, offset - 1) - 1
        return self.tokens[index] if index >= 0 else None

    def start(self, statement: Statement) -> int:
        """Its first byte."""
        return self.tokens[statement.first].start

    def end(self, statement: Statement) -> int:
        """The byte behind it."""
        return self.tokens[statement.last].end

    def word(self, statement: Statement) -> str:
        """Its first token."""
        return self.tokens[statement.first].text

    def text(self, first: int, last: int) -> str:
        """The source from one token to another, both included, on one line and without comments."""
        found = ""
        for index in range(first, last + 1):
            gap = index > first and self.tokens[index].start > self.tokens[index - 1].end
            found += (" " if gap else "") + self.tokens[index].text
        return found

    def words(self, first: int, last: int) -> frozenset[str]:
        """The identifiers among these tokens, without the names of members."""
        return frozenset(
            token.text
            for index, token in enumerate(self.tokens[first : last + 1], first)
            if token.is_word and self._text(index - 1) not in ("->", ".")
        )

    def all_words(self) -> frozenset[str]:
        """Every identifier of the function."""
        return frozenset(token.text for token in self.tokens if token.is_word)

    def closing(self, index: int) -> int:
        """The token that closes the bracket at a token."""
        return self._match[index]

    def signature(self) -> list[Token]:
        """The tokens before the body."""
        return self.tokens[: self._opening]

    def is_jump(self, statement: Statement) -> bool:
        """Whether nothing behind it runs after it."""
        return statement.kind is Kind.SIMPLE and self.word(statement) in _JUMPS

    def loop_of(self, statement: Statement) -> Statement | None:
        """The innermost loop around it."""
        return next((one for one in statement.ancestors() if one.kind in (Kind.LOOP, Kind.DO)), None)

    def arguments(self, index: int) -> list[tuple[int, int]]:
        """First and last token of each argument of the call whose name is at a token."""
        end = self._match[index + 1]
        found: list[tuple[int, int]] = []
        first = at = index + 2
        while at < end:
            if self._text(at) == ",":
                found.append((first, at - 1))
                first = at + 1
            at = self._match[at] + 1 if at in self._match else at + 1
        if first < end:
            found.append((first, end - 1))
        return found

    def calls(self, first: int, last: int) -> Iterator[int]:
        """The tokens in a range that name a called function."""
        for index in range(first, min(last, len(self.tokens) - 2) + 1):
            if self.tokens[index].is_word and self._text(index + 1) == "(" and self._text(index) not in _HEADS:
                yield index
