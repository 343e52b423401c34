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
# A variable with a first value; that ends with the next `;` in a line that closes it.
_VARIABLE: Final = re.compile(
    rb"^(?!extern\b|typedef\b)((?:[A-Za-z_]\w*[\s*]+)+?\**|\}[\s*]*)(\w+)\s*((?:\[[^\]]*\])*)\s*=(?!=)([^;]*);",
    re.MULTILINE,
)
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
    variables: list[Part] = []

    def taken(match: re.Match[bytes]) -> bytes:
        static = b"static" in match[1].split()
        variables.append(_part(match[2], static, match[0]))
        return b""

    rest = _VARIABLE.sub(taken, between)
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
