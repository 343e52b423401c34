"""Reads `compile_commands.json`. Nothing that is named in it is ever executed.

Which flags count is decided by the front end's allow-list; here they are only taken apart.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from analyzer.errors import MustfreeError
from analyzer.program.compile_command import ReadFlags, language_of, reader, take_apart
from analyzer.program.discovery import CPP_SUFFIXES

NAME = "compile_commands.json"
C_SUFFIXES = frozenset((".c", ".i"))
_REPOSITORY = (".git", ".hg", ".svn")


@final
@dataclass(frozen=True, slots=True)
class CompileCommand:
    """How one file is compiled. flags: without compiler, file name and output. directory: absolute.

    cpp: as C++. unread: response files that were not read.
    """

    file: str
    flags: tuple[str, ...]
    directory: str
    cpp: bool = False
    unread: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class CompileDatabase:
    """A compile database.

    commands: resolved absolute path -> the ways in which it is compiled as C, each once, in the order of the entries.
    cpp: files that are compiled as C++ only, sorted.
    """

    path: str
    commands: Mapping[str, tuple[CompileCommand, ...]]
    cpp: tuple[str, ...] = ()

    def files(self) -> tuple[str, ...]:
        """Its C files."""
        return tuple(sorted(self.commands))


def read_database(path: Path, root: str = "") -> CompileDatabase:
    """Reads FILE, or compile_commands.json in a folder.

    root: the project's folder: response files below it, or below the database's folder, are read.
    MustfreeError: the file is missing, unreadable, or not a compile database.
    """
    file = path / NAME if path.is_dir() else path
    try:
        entries = json.loads(file.read_bytes().decode("utf-8", "surrogateescape"))
    except OSError as error:
        raise MustfreeError(f"{file}: cannot be read: {error.strerror}; -p needs {NAME}") from error
    except ValueError as error:
        raise MustfreeError(f"{file}: is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise MustfreeError(f"{file}: is not a compile database: it must be a list of entries")
    base = file.resolve().parent
    read = reader([str(base), *([root] if root else [])])
    commands: dict[str, tuple[CompileCommand, ...]] = {}
    cpp: set[str] = set()
    for number, entry in enumerate(entries, 1):
        command = _command(entry, f"{file}: entry {number}", base, read)
        if command.cpp:
            cpp.add(command.file)
        elif (language_of(command.flags) or "c") == "c" and Path(command.file).suffix in C_SUFFIXES:
            known = commands.get(command.file, ())
            if all((one.flags, one.directory) != (command.flags, command.directory) for one in known):
                commands[command.file] = (*known, command)
    return CompileDatabase(str(file), commands, tuple(sorted(cpp - commands.keys())))


def find_databases(paths: Iterable[str]) -> tuple[Path, ...]:
    """The compile databases nearest above the paths (absolute), each once: in the folder, or in `build` in it.

    The search ends at the folder of a repository.
    """
    found: dict[Path, None] = {}
    for path in paths:
        start = Path(path)
        for folder in (start, *start.parents):
            for candidate in (folder / NAME, folder / "build" / NAME):
                if candidate.is_file():
                    found[candidate] = None
                    break
            else:
                if not any((folder / mark).exists() for mark in _REPOSITORY):
                    continue
            break
    return tuple(found)


def joined(databases: Sequence[CompileDatabase]) -> CompileDatabase | None:
    """Several databases as one; where two speak of a file, the first counts. None without any."""
    if len(databases) < 2:
        return databases[0] if databases else None
    commands: dict[str, tuple[CompileCommand, ...]] = {}
    for database in databases:
        for file, ways in database.commands.items():
            commands.setdefault(file, ways)
    cpp = {file for database in databases for file in database.cpp} - commands.keys()
    return CompileDatabase(", ".join(database.path for database in databases), commands, tuple(sorted(cpp)))


def _command(entry: object, where: str, base: Path, read: ReadFlags) -> CompileCommand:
    if not isinstance(entry, dict):
        raise MustfreeError(f"{where} is not an object")
    name, directory = entry.get("file"), entry.get("directory", ".")
    if not isinstance(name, str) or not isinstance(directory, str):
        raise MustfreeError(f"{where} must have `directory` and `file`, both texts")
    folder = os.path.normpath(base / directory)
    try:
        apart = take_apart(_arguments(entry, where), folder, read)
    except ValueError as error:
        raise MustfreeError(f"{where}: `command` cannot be taken apart: {error}") from error
    file = os.path.realpath(Path(folder) / name)
    flags = _flags(apart.flags, name, file, apart.directory)
    if apart.target and not any(flag.startswith(("--target", "-target")) for flag in flags):
        flags = (f"--target={apart.target}", *flags)
    suffix = Path(file).suffix
    cpp = apart.cpp or (suffix in CPP_SUFFIXES and not any(flag.startswith("-x") for flag in flags))
    return CompileCommand(file, flags, apart.directory, cpp, apart.unread)


def _arguments(entry: Mapping[str, object], where: str) -> list[str]:
    arguments, command = entry.get("arguments"), entry.get("command")
    if isinstance(arguments, list) and all(isinstance(argument, str) for argument in arguments):
        return [str(argument) for argument in arguments]
    if isinstance(command, str):
        try:
            return shlex.split(command)
        except ValueError as error:
            raise MustfreeError(f"{where}: `command` cannot be taken apart: {error}") from error
    raise MustfreeError(f"{where} must have `arguments` (a list) or `command` (a text)")


def _flags(arguments: Sequence[str], name: str, file: str, folder: str) -> tuple[str, ...]:
    """The compiler's arguments without the input and -c and -o."""
    flags: list[str] = []
    base = Path(file).name
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "-o":
            skip = True
        elif argument not in ("-c", "--") and not (
            argument == name or (argument.endswith(base) and os.path.realpath(Path(folder) / argument) == file)
        ):
            flags.append(argument)
    return tuple(flags)
