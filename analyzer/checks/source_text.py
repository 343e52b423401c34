"""Looks at the source text around an offset: regions, the text of a condition, the word that stands there.

Reads C by tokens, one function at a time and only for functions with something to report. It is for the
reader's eyes alone: no finding depends on it.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from analyzer.findings.model import Region
from analyzer.ir.function import Function
from analyzer.sources import LineIndex, display_bytes

_TOKEN = re.compile(
    rb"""(?P<skip>/\*.*?\*/|//[^\n]*|(?m:^[ \t]*\#(?:\\\r?\n|[^\n])*))
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
    |[A-Za-z_]\w*|\d[\w.]*
    |->|\+\+|--|&&|\|\||<<=?|>>=?|[<>=!+\-*/%&|^]=|\.\.\.|[^\s]""",
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(rb"\w+")
_OPENING = {b"(": b")", b"[": b"]", b"{": b"}"}
_ASSIGNING = frozenset({b"=", b"+=", b"-=", b"*=", b"/=", b"%=", b"&=", b"|=", b"^=", b"<<=", b">>="})
_CLOSING = frozenset(_OPENING.values())
_CONDITION_ENDS = frozenset((b"&&", b"||", b";", b"{", b"}", b"?", b":", b","))
_CONDITION_STARTS_AFTER = _CONDITION_ENDS | {b"!", b"return"}
_LONGEST = 72


class SourceText:
    """The text of one function.

    file: path to show in regions. Offsets are bytes into the file, as in the IR.
    """

    def __init__(self, file: str, lines: LineIndex, function: Function) -> None:
        self.file = file
        self._data = lines.data
        self._lines = lines
        self.function = function
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._tokens: list[bytes] = []
        self._ready = False

    def _scan(self) -> None:
        self._ready = True
        begin = self._data.rfind(b"\n", 0, self.function.at) + 1
        for match in _TOKEN.finditer(self._data, begin, self.function.end + 1):
            if match.lastgroup != "skip":
                self._starts.append(match.start())
                self._ends.append(match.end())
                self._tokens.append(match.group())

    def _index(self, at: int) -> int:
        """Number of the token that covers `at`, -1 for none."""
        if not self._ready:
            self._scan()
        index = bisect_right(self._starts, at) - 1
        return index if index >= 0 and at < self._ends[index] else -1

    def word(self, at: int) -> str:
        """The token at `at`, "" between tokens."""
        index = self._index(at)
        return "" if index < 0 else self._tokens[index].decode("ascii", "replace")

    def is_call(self, at: int) -> bool:
        """Whether a name stands at `at`, and an opening parenthesis behind it."""
        index, word = self._index(at), self.word(at)
        named = word.isidentifier() and word not in ("if", "for", "while", "switch", "return", "sizeof")
        return named and index + 1 < len(self._tokens) and self._tokens[index + 1] == b"("

    def _match(self, index: int) -> int:
        """Index of the bracket that closes the one at `index`, or the last token when none does."""
        depth = 0
        for position in range(index, len(self._tokens)):
            token = self._tokens[position]
            if token in _OPENING:
                depth += 1
            elif token in _CLOSING:
                depth -= 1
                if depth == 0:
                    return position
        return len(self._tokens) - 1

    def _forward(self, index: int) -> int:
        """Last token of the expression that goes on at `index`."""
        position = index
        while position < len(self._tokens):
            token = self._tokens[position]
            if token in _CLOSING or token in _CONDITION_ENDS:
                return max(index, position - 1)
            position = self._match(position) + 1 if token in _OPENING else position + 1
        return len(self._tokens) - 1

    def _backward(self, index: int) -> int:
        """First token of the condition around `index`."""
        depth = 0
        for position in range(index - 1, -1, -1):
            token = self._tokens[position]
            if token in _CLOSING and token != b"}":
                depth += 1
            elif token in _OPENING and depth:
                depth -= 1
            elif depth == 0 and (token in _OPENING or token in _CONDITION_STARTS_AFTER):
                return position + 1
        return index

    def _condition(self, at: int) -> tuple[int, int]:
        index = self._index(at)
        if index < 0:
            return at, at
        first = self._backward(index)
        last = self._forward(first)
        if self._tokens[last + 1 : last + 2] in ([b"?"], [b"&&"], [b"||"]):  # q = k ? p : NULL: `k` decides
            assigned = (n for n in range(index - 1, first - 1, -1) if self._tokens[n] in _ASSIGNING)
            first = next(assigned, first - 1) + 1
        return self._starts[first - self._negations(first)], self._ends[max(last, index)]

    def _negations(self, index: int) -> int:
        """How many ``!`` stand directly before a token."""
        count = 0
        while count < index and self._tokens[index - count - 1] == b"!":
            count += 1
        return count

    def condition(self, at: int) -> str:
        """The condition around `at` on one line, as the programmer wrote it; "" when there is none.

        With the ``!`` before it: see `negated`.
        """
        start, end = self._condition(at)
        return shorten(display_bytes(b" ".join(self._data[start:end].split())))

    def negated(self, at: int) -> bool:
        """Whether the quoted condition is true when the IR's is false: the IR has no ``!`` in conditions."""
        index = self._index(at)
        return index >= 0 and self._negations(self._backward(index)) % 2 == 1

    def statement_macro(self, at: int) -> str:
        """Name of the macro when what stands at `at` is a macro used as a statement, "" otherwise.

        A branch or return inside such a macro has no text of its own here. A macro inside a condition has.
        """
        name = self.function.macros.get(at, "")
        index = self._index(at)
        if not name or index < 0:
            return ""
        depth = 0
        for position in range(index - 1, -1, -1):
            token = self._tokens[position]
            if token in _CLOSING:
                depth += 1
            elif token in _OPENING:
                depth -= 1
                if depth < 0:
                    return name if token == b"{" else ""
        return ""

    def is_switch(self, at: int) -> bool:
        """Whether the condition around `at` is what a `switch` looks at."""
        index = self._index(at)
        if index < 0:
            return False
        first = self._backward(index)
        return first >= 2 and self._tokens[first - 2 : first] == [b"switch", b"("]

    def condition_region(self, at: int) -> Region:
        """The region of that condition."""
        return self._region(*self._condition(at))

    def region(self, at: int) -> Region:
        """What stands at `at`: a return statement, a call with its arguments, or one token."""
        return self._region(at, self._lines.extent(at))

    def function_lines(self) -> tuple[int, int]:
        """First and last line of the function, from its name to its closing brace."""
        return self._lines.position(self.function.at)[0], self._lines.position(self.function.end)[0]

    def code(self, at: int) -> str:
        """The code of `region` at an offset."""
        return display_bytes(self._data[at : self._lines.extent(at)])

    def argument(self, at: int, function: str, position: int) -> str:
        """An argument of the call of `function` at an offset, on one line; "" where none is to be seen there."""
        index = self._index(at)
        if index < 0 or position < 0 or self.word(at) != function or self._tokens[index + 1 : index + 2] != [b"("]:
            return ""
        end, first = self._match(index + 1), index + 2
        for _ in range(position):
            comma = self._comma(first, end)
            if comma == end:
                return ""
            first = comma + 1
        last = self._comma(first, end)
        if last == first:
            return ""
        text = self._data[self._starts[first] : self._ends[last - 1]]
        return shorten(display_bytes(b" ".join(text.split())))

    def _comma(self, index: int, end: int) -> int:
        """The next comma from `index` on that is in no brackets; `end` without one."""
        while index < end and self._tokens[index] != b",":
            index = self._match(index) + 1 if self._tokens[index] in _OPENING else index + 1
        return index

    def word_region(self, at: int) -> Region:
        """The identifier at `at`, or one character. Cheap: needs no tokens."""
        match = _WORD.match(self._data, at)
        return self._region(at, match.end() if match else min(at + 1, len(self._data)))

    def _region(self, start: int, end: int) -> Region:
        """On one line: GitHub shows an alert in a change only when all its lines are new."""
        line, column = self._lines.position(start)
        end_line, end_column = self._lines.position(end)
        text = self._lines.line_text(line)
        if end_line != line:
            last = self._data.find(b"\n", start)
            end_column = self._lines.position(start + len(self._data[start:last].rstrip()))[1]
        return Region(self.file, line, column, line, max(end_column, column + 1), text)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Long texts lose their end."""
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."
