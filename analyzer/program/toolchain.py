"""What a cross compiler told of itself: its target, where its headers lie, its predefined macros.

A person records it with `mustfree toolchain record`; an analysis only reads the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import final

from analyzer.errors import MustfreeError
from analyzer.libclang.parse import VIRTUAL_DIR

ARGUMENTS = ("-E", "-dM", "-v", "-x", "c", "/dev/null")
HEADER = str(VIRTUAL_DIR / "mustfree-toolchain.h")
_FORMAT = "mustfree-toolchain"
_DEFINE = re.compile(r"^#define (\w+(?:\([^)]*\))?) ?(.*)$", re.MULTILINE)
_TARGET = re.compile(r"^Target: (\S+)$", re.MULTILINE)
_FOLDERS = re.compile(r"^#include <\.\.\.> search starts here:\n(.*?)^End of search list\.", re.MULTILINE | re.DOTALL)
# What a compiler says of itself, and not of the machine: our parser is another compiler.
_OWN = re.compile(
    r"_STDC_PREDEF_H|__(GNUC|GCC|GXX|VERSION|OPTIMIZE|clang|llvm|INTEL|has_|STDC|cplusplus|REGISTER_PREFIX|pi[ce]|PI[CE])"
)


@final
@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler's answers. include: folders in the order of the search. macros: name (with parameters) -> text."""

    target: str
    include: tuple[str, ...] = ()
    macros: dict[str, str] = field(default_factory=dict)

    def flags(self) -> tuple[str, ...]:
        """Compiler flags that stand before those of a file."""
        folders = [flag for folder in self.include if not _holds_builtins(folder) for flag in ("-isystem", folder)]
        return (f"--target={self.target}", "-nostdlibinc", *folders, "-include", HEADER)

    def header(self) -> str:
        """C text that defines those macros that our parser does not define for this target itself."""
        lines = []
        for name, text in self.macros.items():
            word = name.partition("(")[0]
            if not _OWN.match(word):
                lines += [f"#ifndef {word}", f"#define {name} {text}", "#endif"]
        return "\n".join(lines) + "\n"


def _is_macro(name: str, text: object) -> bool:
    match = _DEFINE.fullmatch(f"#define {name} {text}")
    return isinstance(text, str) and match is not None and match.groups() == (name, text)


def _holds_builtins(folder: str) -> bool:
    """Whether a folder holds the compiler's own headers, such as stddef.h: our parser has its own."""
    parts = PurePosixPath(folder.replace("\\", "/")).parts
    return any(part in ("gcc", "gcc-cross", "clang") for part in parts[:-1]) and parts[-1].startswith("include")


def recorded(macros: str, log: str) -> Toolchain:
    """What a compiler printed: the macros on standard output, the rest on standard error.

    MustfreeError: that is not what gcc or clang prints for `ARGUMENTS`.
    """
    target, folders = _TARGET.search(log), _FOLDERS.search(log)
    found = dict(_DEFINE.findall(macros))
    if target is None or folders is None or not found:
        raise MustfreeError(f"the compiler did not say what gcc and clang say for {' '.join(ARGUMENTS)}")
    names = [line.strip().removesuffix(" (framework directory)") for line in folders[1].splitlines()]
    return Toolchain(target[1], tuple(str(Path(name)) for name in names if name), dict(sorted(found.items())))


def toolchain_text(toolchain: Toolchain) -> str:
    """The file for it."""
    content = {
        "format": _FORMAT,
        "version": 1,
        "target": toolchain.target,
        "include": list(toolchain.include),
        "macros": toolchain.macros,
    }
    return json.dumps(content, indent=1) + "\n"


def read_toolchain(path: Path, data: bytes | None = None) -> Toolchain:
    """Reads a file that `mustfree toolchain record` wrote. data: its contents, if known.

    MustfreeError: it cannot be read, or is another file.
    """
    try:
        content = json.loads(path.read_bytes() if data is None else data)
    except OSError as error:
        raise MustfreeError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise MustfreeError(f"{path}: is not JSON: {error}") from error
    remedy = "write it with `mustfree toolchain record COMPILER`"
    if not isinstance(content, dict) or content.get("format") != _FORMAT or content.get("version") != 1:
        raise MustfreeError(f"{path}: is no toolchain file of version 1; {remedy}")
    target, include, macros = content.get("target"), content.get("include"), content.get("macros")
    if not isinstance(target, str) or not re.fullmatch(r"[\w.-]+", target):
        raise MustfreeError(f"{path}: `target` must be a text such as arm-linux-gnueabihf; {remedy}")
    if not isinstance(include, list) or not all(isinstance(folder, str) for folder in include):
        raise MustfreeError(f"{path}: `include` must be a list of folders; {remedy}")
    if not isinstance(macros, dict) or not all(_is_macro(name, text) for name, text in macros.items()):
        raise MustfreeError(f"{path}: `macros` must give a text for each name; {remedy}")
    return Toolchain(target, tuple(include), macros)
