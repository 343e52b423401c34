"""One entry of a compile database taken apart: which compiler, for which machine and language, with which flags.

The compiler stands behind wrappers (ccache, libtool, `env A=b`, `sh -c "..."`), and flags may stand in files (`@file`).
Everything is read as text; nothing is executed.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

ReadFlags = Callable[[str], str | None]
"""The text of a response file by absolute path; None when it may not be read, or cannot."""

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"))
_WRAPPERS = frozenset(("ccache", "distcc", "sccache", "icecc", "nice", "time", "libtool", "env", "exec", "command"))
_WITH_VALUE = frozenset(("-n", "-u", "-C"))  # of `env` and `nice`
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_SEPARATORS = frozenset(("&&", ";", "||", "|", "&"))
_COMPILER = re.compile(
    r"(?:(?P<target>[a-z0-9_]+(?:-[a-z0-9_.]+)+)-)?(?P<name>gcc|cc|clang|icc|tcc|c99|c89|[gc]\+\+|clang\+\+|icpc)"
    r"(?:-\d+(?:\.\d+)*)?(?:\.exe)?"
)
_ARCHITECTURE = re.compile(
    r"aarch64(_be)?|arm(eb|v\d\w*)?|i[3-7]86|x86_64|mips(64)?(el|r6|r6el|isa\w*)?|powerpc(64)?(le)?|ppc(64)?(le)?"
    r"|riscv(32|64)|s390x?|sparc(64|v9)?|loongarch(32|64)|m68k|hppa|alpha|xtensa|avr|msp430"
)
_DEEPEST = 8  # response files inside of response files


@final
@dataclass(frozen=True, slots=True)
class TakenApart:
    """An entry's arguments. flags: everything behind the compiler, response files expanded.

    directory: where relative names count from, after a `cd` of the command. target: the machine that the compiler's
    name tells, "" for this one. cpp: it compiles C++. unread: response files that were not read.
    """

    flags: tuple[str, ...]
    directory: str
    target: str = ""
    cpp: bool = False
    unread: tuple[str, ...] = ()


def take_apart(arguments: Sequence[str], directory: str, read: ReadFlags) -> TakenApart:
    """The compiler's part of a command. directory: absolute. ValueError: quotes that do not end, inside `sh -c`."""
    words, directory = _without_shell(list(arguments), directory, _DEEPEST)
    compiler, rest = _split(words)
    match = _compiler(compiler)
    target = (match["target"] or "") if match else ""
    if not _ARCHITECTURE.fullmatch(target.partition("-")[0]):
        target = ""
    unread: list[str] = []
    flags = _expanded(rest, directory, read, unread, _DEEPEST)
    language = language_of(flags)
    cpp = language.startswith("c++") if language else bool(match and match["name"].endswith(("++", "icpc")))
    return TakenApart(tuple(flags), directory, target, cpp, tuple(unread))


def _compiler(word: str) -> re.Match[str] | None:
    return _COMPILER.fullmatch(_base(word))


def _base(word: str) -> str:
    """The last part of a file name of any system."""
    return word.replace("\\", "/").rpartition("/")[2]


def _without_shell(words: list[str], directory: str, depth: int) -> tuple[list[str], str]:
    """Of a shell's line the command that compiles, and the folder it runs in."""
    found: list[tuple[list[str], str]] = []
    for command in _commands(words):
        if command[0] == "cd" and len(command) == 2:
            directory = os.path.normpath(os.path.join(directory, command[1]))  # noqa: PTH118 - no links resolved
        elif (line := _line_of_shell(command)) is not None and depth:
            lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
            lexer.whitespace_split = True
            lexer.commenters = ""
            found.append(_without_shell(list(lexer), directory, depth - 1))
        else:
            found.append((command, directory))
    compiling = [one for one in found if one[0] and _compiler(_split(one[0])[0])]
    return next(iter((*compiling, *found)), ([], directory))


def _line_of_shell(command: Sequence[str]) -> str | None:
    """What `sh -c LINE` (or `sh -ec LINE`) runs; None for any other command."""
    if _base(command[0]) not in _SHELLS:
        return None
    for position, word in enumerate(command[1:-1], 1):
        if not word.startswith("-"):
            return None
        if word.endswith("c") and not word.startswith("--"):
            return command[position + 1]
    return None


def _commands(words: Sequence[str]) -> list[list[str]]:
    """A shell's line as its simple commands."""
    found: list[list[str]] = [[]]
    for word in words:
        if word in _SEPARATORS:
            found.append([])
        else:
            found[-1].append(word)
    return [command for command in found if command]


def _split(words: list[str]) -> tuple[str, list[str]]:
    """The compiler and its arguments: behind wrappers, with their options and the variables that they set."""
    position = 0
    while position < len(words) - 1:
        word = _base(words[position])
        if word in _WRAPPERS or word in _SHELLS or words[position].endswith("/libtool"):
            position += 1
            while position < len(words) - 1 and words[position].startswith("-"):
                position += 2 if words[position] in _WITH_VALUE and word in ("env", "nice") else 1
        elif _ASSIGNMENT.fullmatch(words[position]):
            position += 1
        else:
            break
    first = next((i for i, word in enumerate(words) if i >= position and word.startswith("-")), len(words))
    named = next((i for i in range(position, first) if _compiler(words[i])), position)
    if named >= len(words) or words[named].startswith("-"):
        return "", words[named:]
    return words[named], words[named + 1 :]


def _expanded(words: Sequence[str], directory: str, read: ReadFlags, unread: list[str], depth: int) -> list[str]:
    """The words with the contents of response files in their places."""
    found: list[str] = []
    for word in words:
        if not word.startswith("@") or len(word) == 1:
            found.append(word)
            continue
        text = read(os.path.normpath(os.path.join(directory, word[1:]))) if depth else None  # noqa: PTH118
        try:
            inside = None if text is None else shlex.split(text)
        except ValueError:
            inside = None
        if inside is None:
            unread.append(word)
        else:
            found += _expanded(inside, directory, read, unread, depth - 1)
    return found


def language_of(flags: Sequence[str]) -> str:
    """What `-x` says, "" without it."""
    said = ""
    for position, flag in enumerate(flags):
        if flag == "-x" and position + 1 < len(flags):
            said = flags[position + 1]
        elif flag.startswith("-x") and len(flag) > 2:
            said = flag[2:]
    return said if said != "none" else ""


def reader(folders: Sequence[str], most: int = 1 << 20) -> ReadFlags:
    """Reads response files inside of these folders, and no others."""
    roots = [Path(os.path.realpath(folder)) for folder in folders]

    def read(path: str) -> str | None:
        real = Path(os.path.realpath(path))
        if not any(real.is_relative_to(root) for root in roots):
            return None
        try:
            if not real.is_file() or real.stat().st_size > most:
                return None
            return real.read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            return None

    return read
