"""Expectations written in C files, and their comparison with what an analysis says.

    return -1;			//~ leak: buf "nl_recv"

``//~`` starts a mark, ``//~^`` one for the line above (one caret for each line); several may stand on a line.
fixtures/README.md lists the marks. Knows nothing of the analyzer: what was found comes in as `Found`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

CHECKS = ("leak", "double-release", "use-after-release", "wrong-release", "uninitialized-release")
VERDICTS = (
    "leaked", "gave up", "unproven", "escaped", "maybe released", "held", "moved", "handed over",
    "released", "unreachable",
)  # fmt: skip
GROWTHS = ("per message", "per call", "per error", "once")

MARK = re.compile(r"//~(?P<up>\^*)(?!\^)\s*(?P<body>.*?)\s*(?=//~|$)")
WORD = re.compile(r"(?:(?P<known>FN|FP)\s+)?(?P<word>[\w-]+)\s*(?::\s*(?P<rest>.*))?$")
TEXT = re.compile(r'(?:^|\s+)"(?P<text>(?:[^"\\]|\\.)*)"$')
STEP = re.compile(r"(?P<resource>.+?)\s+(?P<number>\d+)$")
FUNCTION = re.compile(r"^[A-Za-z_][^;={}]*?\b(?P<name>\w+)\s*\([^;{}]*\)[^;(){}]*\{", re.MULTILINE)


@final
class MarkError(ValueError):
    """A mark that is not understood; the text names the line."""


@final
@dataclass(frozen=True, slots=True)
class Expectation:
    """One mark: what it says about which line.

    word: check id, "step", "state", "verdict", "growth", "gave-up", "summary", "clean", "degraded", "args".
    known: "", "FN", "FP". subject: the resource, the arguments, the reason or an outcome. number: of a step.
    detail: states, verdict, growth class. text: must occur in the message.
    """

    line: int
    word: str
    subject: str = ""
    known: str = ""
    number: int = 0
    detail: str = ""
    text: str = ""

    def __str__(self) -> str:
        parts = [f"{self.known} {self.word}".strip()]
        if self.subject:
            parts[0] += ":"
            parts.append(self.subject)
        parts += [str(self.number)] if self.number else []
        parts += [self.detail] if self.detail else []
        parts += [f'"{self.text}"'] if self.text else []
        return " ".join(parts)


@final
@dataclass(frozen=True, slots=True)
class Found:
    """The same for something the analysis said; message: searched for the expectation's text."""

    line: int
    word: str
    subject: str
    message: str = ""
    number: int = 0
    detail: str = ""

    def __str__(self) -> str:
        return str(Expectation(self.line, self.word, self.subject, "", self.number, self.detail, self.message))


@final
@dataclass(frozen=True, slots=True)
class Span:
    """A function definition: its name and its lines."""

    name: str
    first: int
    last: int


def read(source: str) -> list[Expectation]:
    """All marks of a C file, in order; raises MarkError for one that is not understood."""
    return [
        _mark(number - len(found["up"]), found["body"])
        for number, line in enumerate(source.splitlines(), 1)
        for found in MARK.finditer(line)
    ]


def _mark(line: int, body: str) -> Expectation:
    found = WORD.match(body)
    if found is None:
        raise MarkError(f"line {line}: '//~ {body}' is no mark")
    word, rest, known = found["word"], found["rest"] or "", found["known"] or ""
    if known and word not in CHECKS:
        raise MarkError(f"line {line}: {known} stands before a check, not before '{word}'")
    if word in ("clean", "degraded"):
        if rest:
            raise MarkError(f"line {line}: '{word}' takes nothing")
        return Expectation(line, word)
    if not rest:
        raise MarkError(f"line {line}: '//~ {body}' is no mark; did you mean '{body}: ...'?")
    if word in ("args", "summary"):
        return Expectation(line, word, rest)
    return _checked(line, word, rest, known)


def _checked(line: int, word: str, rest: str, known: str) -> Expectation:
    """A mark whose subject must occur in what was found."""
    subject, text = _split_text(rest)
    if word in CHECKS or word == "gave-up":
        return Expectation(line, word, subject, known, text=text)
    if word == "step":
        step = STEP.match(subject)
        if step is None:
            raise MarkError(f"line {line}: a step needs its number: 'step: buf 2'")
        return Expectation(line, word, step["resource"], number=int(step["number"]), text=text)
    if word == "state":
        resource, _, states = subject.partition(" ")
        return Expectation(line, word, resource, detail=_states(line, states))
    for one, details in (("verdict", VERDICTS), ("growth", GROWTHS)):
        if word == one:
            for detail in details:
                if subject.endswith(" " + detail):
                    return Expectation(line, word, subject.removesuffix(detail).strip(), detail=detail, text=text)
            raise MarkError(f"line {line}: a {word} is one of {', '.join(details)}")
    raise MarkError(f"line {line}: unknown word '{word}'")


def _split_text(rest: str) -> tuple[str, str]:
    text = TEXT.search(rest)
    if text is None:
        return rest, ""
    return rest[: text.start()].strip(), text["text"].replace('\\"', '"')


def _states(line: int, written: str) -> str:
    states = sorted(state.strip() for state in written.split("|"))
    if not all(re.fullmatch(r"[A-Z_]+", state) for state in states):
        raise MarkError(f"line {line}: '{written}' are no states; write 'OWNED | RELEASED'")
    return " | ".join(states)


def difference(expected: Iterable[Expectation], found: Iterable[Found]) -> list[str]:
    """What is missing and what is unexpected, one line each, ready to paste; empty when all is as said.

    Compares two multisets: a mark stands for one finding. A mark FN expects nothing, so its finding is
    unexpected once it comes; FP expects the finding, which is missing once it is gone. Marks with a text are
    served first, so that the plain ones take what is left.
    """
    wanted = sorted((e for e in expected if e.known != "FN"), key=lambda e: (e.line, not e.text))
    left = sorted(found, key=lambda f: (f.line, f.word, f.subject, f.number))
    problems: list[tuple[int, str]] = []
    for expectation in wanted:
        match = next((one for one in left if _fits(expectation, one)), None)
        if match is None:
            problems.append((expectation.line, f"line {expectation.line}: missing    //~ {expectation}"))
        else:
            left.remove(match)
    problems += [(one.line, f"line {one.line}: unexpected //~ {one}") for one in left]
    return [text for _, text in sorted(problems)]


def _fits(expectation: Expectation, found: Found) -> bool:
    mine = (expectation.line, expectation.word, expectation.subject, expectation.number, expectation.detail)
    theirs = (found.line, found.word, found.subject, found.number, found.detail)
    return mine == theirs and expectation.text in found.message


def functions(source: str) -> Iterator[Span]:
    """The function definitions whose header starts in column 0 and whose last brace does too."""
    blank = re.sub(r"//[^\n]*|/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), source, flags=re.DOTALL)
    for found in FUNCTION.finditer(blank):
        end = re.compile(r"^\}", re.MULTILINE).search(blank, found.end())
        if end is not None:
            first = blank.count("\n", 0, found.start()) + 1
            yield Span(found["name"], first, blank.count("\n", 0, end.start()) + 1)
