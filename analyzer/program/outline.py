"""What a text defines and mentions, part by part, before anything is parsed: wide rather than exact."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, final

from analyzer.cache import Codec, CodecError, Store, codec, digest, fingerprint
from analyzer.program.prepass import FUNCTION_HEAD, INCLUDE, KEYWORDS, MACRO

_LITERAL_OR_COMMENT: Final = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_IDENTIFIER: Final = re.compile(rb"[A-Za-z_]\w*")
_END: Final = re.compile(rb"^\}", re.MULTILINE)
_DIRECTIVE: Final = re.compile(rb"^[ \t]*#[^\n]*$", re.MULTILINE)
_TOKEN: Final = re.compile(rb"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{}()\[\];]|=+", re.DOTALL)
_NO_VARIABLE: Final = re.compile(rb"\s*(?:extern|typedef)\b")
_POINTER_TO: Final = re.compile(rb"\(\s*\*[\s*]*(?:const\s+)?(\w+)")  # `int (*table[])(int)`
_DECLARED: Final = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*(?:__attribute__\s*\(\(.*\)\)\s*)?$", re.DOTALL)
_WRITE: Final = re.compile(
    rb"(?<![\w.>])(\w+)\s*(?:=(?!=)|\+\+|--|[-+*/|&^%]=|<<=|>>=)|(?:\+\+|--|&)\s*\(?(\w+)", re.MULTILINE
)


@final
@dataclass(frozen=True, slots=True)
class Part:
    """A function, macro or variable. words: what its text mentions. text: digest of that.

    static: other files do not see it.
    """

    name: str
    static: bool
    words: str
    text: str

    @property
    def mentions(self) -> frozenset[str]:
        """The words one by one."""
        return frozenset(self.words.split())


@final
@dataclass(frozen=True, slots=True)
class Outline:
    """A file. data: variables with a first value. rest: what stands outside of all parts; rest_text: digest of that.

    writes: names that may be given another value somewhere, or whose address is taken.
    """

    functions: tuple[Part, ...] = ()
    macros: tuple[Part, ...] = ()
    data: tuple[Part, ...] = ()
    includes: tuple[str, ...] = ()
    rest: str = ""
    rest_text: str = ""
    writes: str = ""


def outline(data: bytes) -> Outline:
    """The outline of a text, by regular expressions."""
    plain = _LITERAL_OR_COMMENT.sub(_without_comment, data)  # literals stay: they may be what has changed
    bare = _LITERAL_OR_COMMENT.sub(b"0", data)
    macros: dict[bytes, list[bytes]] = {}
    for name, body in MACRO.findall(plain):
        macros.setdefault(name, []).append(body)
    functions, between = _functions(MACRO.sub(b"", plain))
    variables, rest = _variables(between)
    return Outline(
        tuple(functions),
        tuple(_part(name, False, b"\n".join(bodies)) for name, bodies in sorted(macros.items())),
        tuple(variables),
        tuple(dict.fromkeys(name.decode("utf-8", "replace") for name in INCLUDE.findall(data))),
        _words(rest),
        _text(rest),
        b" ".join(sorted({one or other for one, other in _WRITE.findall(bare)})).decode("latin-1"),
    )


def _without_comment(match: re.Match[bytes]) -> bytes:
    return b" " if match[0].startswith(b"/") else match[0]


def _functions(plain: bytes) -> tuple[list[Part], bytes]:
    """The functions of a text, and what stands between them. Directives belong to what stands between."""
    found: list[Part] = []
    between: list[bytes] = []
    at = 0
    while (match := FUNCTION_HEAD.search(plain, at)) is not None:
        if match[1] in KEYWORDS:
            between.append(plain[at : match.end()])
            at = match.end()
            continue
        close = _END.search(plain, match.end())
        end = close.end() if close else len(plain)
        text = plain[match.start() : end]
        static = b"static" in plain[match.start() : match.start(1)].split()
        found.append(_part(match[1], static, text))
        between += (plain[at : match.start()], *_DIRECTIVE.findall(text))
        at = end
    return found, b"\n".join((*between, plain[at:]))


def _variables(text: bytes) -> tuple[list[Part], bytes]:
    """The variables with a first value of what stands between functions, and what else is there."""
    found: list[Part] = []
    rest: list[bytes] = []
    depth, start = 0, 0
    names: list[bytes] = []
    since = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][:1]
        if mark in b"{([":
            depth += 1
        elif mark in b"})]":
            depth = max(0, depth - 1)
        elif mark == b"=" and depth == 0 and token[0] == b"=":
            names += _declared(text[since : token.start()])
            since = token.end()
        elif mark == b";" and depth == 0:
            chunk = text[start : token.end()]
            if names and not _NO_VARIABLE.match(chunk):
                static = b"static" in chunk.partition(b"=")[0].split()
                found += (_part(name, static, chunk) for name in names)
                rest += _DIRECTIVE.findall(chunk)
            else:
                rest.append(chunk)
            start = since = token.end()
            names = []
    return found, b"".join((*rest, text[start:]))


def _declared(text: bytes) -> list[bytes]:
    """The name that stands before a `=`."""
    text = text.rpartition(b"}")[2]
    match = _POINTER_TO.search(text) or _DECLARED.search(text)
    return [match[1]] if match else []


def _part(name: bytes, static: bool, text: bytes) -> Part:
    return Part(name.decode("latin-1"), static, _words(text), _text(text))


def _words(text: bytes) -> str:
    bare = _LITERAL_OR_COMMENT.sub(b" ", text)
    return b" ".join(sorted(set(_IDENTIFIER.findall(bare)))).decode("latin-1")


def _text(text: bytes) -> str:
    return digest((b" ".join(text.split()),))


_OUTLINE: Final[Codec[Outline]] = codec(Outline)


def outlines(files: Iterable[tuple[str, bytes]], store: Store | None) -> Mapping[str, Outline]:
    """The outlines of files by name, out of the cache where it has them."""
    found: dict[str, Outline] = {}
    rows: list[tuple[str, str]] = []
    for file, data in files:
        found[file] = outline(data) if store is None else _remembered(data, store, rows.append)
    if store is not None:
        store.put(rows)
    return found


def _remembered(data: bytes, store: Store, keep: Callable[[tuple[str, str]], None]) -> Outline:
    key = "o" + digest((fingerprint(), data))
    text = store.get(key)
    if text is not None:
        try:
            return _OUTLINE.parse(text)
        except CodecError:
            pass
    made = outline(data)
    keep((key, _OUTLINE.text(made)))
    return made
