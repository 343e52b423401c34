"""Which compiler flags reach the parser: an allow-list. Everything else is dropped, the surprising with a reason.

Flags come from compile databases, which are input and not to be trusted: some make libclang write files
(``-MF``), load code (``-fplugin``) or read other files as text (``@file``).
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_PATHS: Final = ("-I", "-isystem", "-iquote", "-idirafter", "-isysroot", "--sysroot", "-include", "-imacros")
_TEXTS: Final = ("-D", "-U", "-x", "-target", "--target")
_SWITCHES: Final = frozenset(
    {
        "-nostdlibinc",
        "-undef",
        "-ansi",
        "-m32",
        "-m64",
        "-mx32",
        "-pthread",
        "-trigraphs",
        "-fshort-enums",
        "-fno-short-enums",
        "-fsigned-char",
        "-funsigned-char",
        "-fno-signed-char",
        "-fno-unsigned-char",
        "-fms-extensions",
        "-fgnu89-inline",
        "-fblocks",
        "-fshort-wchar",
        "-ffreestanding",
        "-fno-builtin",
    }
)
_WITH_VALUE: Final = frozenset(
    {"-o", "-MF", "-MT", "-MQ", "-Xclang", "-Xlinker", "-Xassembler", "-Xpreprocessor", "-mllvm", "-aux-info"}
    | {"-arch", "-L", "-l", "-T", "-u", "-z", "--param", "-specs", "-wrapper", "-dumpbase", "-framework"}
)
_STANDARD: Final = re.compile(r"(c|gnu)(89|90|9x|99|1x|11|17|18|2x|23)|iso9899:(1990|199409|1999|199x|2011|2017)")
_MACHINE: Final = re.compile(
    r"native|x86-64(-v[234])?|i[3-6]86|pentium.*|prescott|nocona|core.*|nehalem|westmere|(sandy|ivy)bridge|haswell"
    r"|broadwell|(sky|ice|cannon|cascade|cooper|tiger|alder|rocket|meteor)lake.*|sapphirerapids|goldmont.*|tremont"
    r"|bonnell|silvermont|atom|k8.*|amdfam10|barcelona|[bz]n?t?d?ver\d|znver\d|armv[4-9].*|rv(32|64).*|mips.*|loongarch.*"
    r"|z\d+|r\d+|power.*|geode|lujiazui|generic"
)
_YEARS: Final = {89: "89", 99: "99", 111: "11", 117: "17", 123: "2x"}  # years from 1900 -> as we pass them
_X86: Final = frozenset(("x86_64", "amd64", "i386", "i486", "i586", "i686", "i786"))
_ARM64: Final = frozenset(("aarch64", "arm64"))
_LOADING: Final = ("-fplugin", "-fpass-plugin", "-load", "-B", "-specs")


def choose_flags(flags: Sequence[str], directory: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The flags to pass on, with paths made absolute, and those dropped that a user should know of, with reasons.

    directory: where relative paths count from; "" is the working directory.
    """
    passed: list[str] = []
    dropped: list[tuple[str, str]] = []
    rest = iter(flags)
    for flag in rest:
        chosen = _with_argument(flag, rest, directory)
        if chosen is not None:
            passed += chosen
        elif flag == "-nostdinc":
            passed.append("-nostdlibinc")  # the system's headers are off limits; the compiler's own are ours
        elif flag in _SWITCHES:
            passed.append(flag)
        elif flag.startswith(("-std=", "--std=")):
            _standard(flag, passed, dropped)
        else:
            if flag in _WITH_VALUE:
                next(rest, None)
            reason = _reason(flag)
            if reason:
                dropped.append((flag, reason))
    if is_foreign(_target(passed)) and not any(flag.startswith(("--sysroot", "-isysroot")) for flag in passed):
        passed.append("-nostdlibinc")  # the headers of this machine say nothing about another one
    return tuple(passed), tuple(dropped)


def _target(passed: Sequence[str]) -> str:
    """The machine that the flags are for, "" for this one; the last flag counts."""
    found = ""
    for position, flag in enumerate(passed):
        if flag.startswith("--target="):
            found = flag.removeprefix("--target=")
        elif flag in ("-target", "--target"):
            found = passed[position + 1]
    return found


def is_foreign(target: str) -> bool:
    """Whether a target ("arm-linux-gnueabihf") is another machine or system than this one; "" is this one."""
    if not target:
        return False
    machine, _, system = target.partition("-")
    here = platform.machine().lower()
    families = (_X86, _ARM64)
    same = machine == here or any(machine in family and here in family for family in families)
    return not same or not (sys.platform in system or (sys.platform == "darwin" and "apple" in system))


def _standard(flag: str, passed: list[str], dropped: list[tuple[str, str]]) -> None:
    value = flag.split("=", 1)[1]
    if _STANDARD.fullmatch(value):
        passed.append(f"-std={value}")
        return
    nearest = nearest_standard(value)
    passed.append(f"-std={nearest}")
    dropped.append((flag, f"unknown language standard; the file is read as {nearest}"))


def nearest_standard(value: str) -> str:
    """The standard of C that we know next to one that we do not: gnu2y is read as gnu2x, c94 as c89."""
    match = re.fullmatch(r"(c|gnu|iso9899:)(\d{2,4}|\d[a-z])", value)
    if match is None:
        return "gnu17"
    dialect = "gnu" if match[1] == "gnu" else "c"
    digits = match[2][-2:]
    wanted = int(digits) if digits.isdigit() else int(digits[0]) * 10 + 9
    wanted += 100 if wanted < 70 else 0  # in years from 1900
    year = min(_YEARS, key=lambda known: (abs(known - wanted), known))
    return f"{dialect}{_YEARS[year]}"


def _with_argument(flag: str, rest: Iterator[str], directory: str) -> list[str] | None:
    """The flag with its argument, from the same or the next word; None when it is no flag of that sort."""
    for name in (*_PATHS, *_TEXTS):
        if flag == name:
            value = next(rest, "")
        elif flag.startswith(name + "=") and name.startswith("--"):
            value = flag[len(name) + 1 :]
        elif flag.startswith(name) and name in ("-I", "-D", "-U", "-x", "-isystem", "-iquote", "-idirafter"):
            value = flag[len(name) :]
        else:
            continue
        if name == "-D" and value.startswith("_FORTIFY_SOURCE"):
            return []  # it makes the C library define its functions inline
        if name in _PATHS:
            value = _absolute(value, directory)
        return [f"{name}={value}"] if name.startswith("--") else [name, value]
    return None


def _absolute(path: str, directory: str) -> str:
    if path.startswith("="):
        return path  # below the system root
    return os.path.normpath(os.path.join(directory or os.getcwd(), path))  # noqa: PTH109, PTH118 - no links resolved


def _reason(flag: str) -> str:
    """Why a dropped flag deserves a word; "" for the many that do not matter to an analysis."""
    if flag.startswith("@"):
        return "response files are not read; name the flags themselves"
    if flag.startswith(_LOADING) or flag in ("-Xclang", "-mllvm"):
        return "flags that load code or change the parser are never passed on"
    if flag.startswith("-march=") and not _MACHINE.fullmatch(flag.removeprefix("-march=")):
        return "unknown machine; predefined macros are those of this machine"
    return ""


def include_folders(flags: Iterable[str]) -> tuple[str, ...]:
    """The folders that `-I` and its kin name, from flags as `choose_flags` returns them."""
    found = []
    rest = iter(flags)
    for flag in rest:
        if flag in ("-I", "-isystem", "-iquote", "-idirafter"):
            found.append(next(rest, ""))
    return tuple(found)
