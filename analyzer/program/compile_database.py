"""Reads `compile_commands.json`. Nothing that is named in it is ever executed.

Which flags count is decided by the front end's allow-list; here they are only taken apart.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from analyzer.errors import MustfreeError
from analyzer.program.discovery import CPP_SUFFIXES

NAME = "compile_commands.json"


@final
@dataclass(frozen=True, slots=True)
class CompileCommand:
    """How one file is compiled. flags: without compiler, file name and output. directory: absolute."""

    file: str
    flags: tuple[str, ...]
    directory: str


@final
@dataclass(frozen=True, slots=True)
class CompileDatabase:
    """A compile database. commands: resolved absolute path -> command; the first entry of a file counts."""

    path: str
    commands: Mapping[str, CompileCommand]

    def files(self) -> tuple[str, ...]:
        """Its C files."""
        return tuple(sorted(file for file in self.commands if Path(file).suffix not in CPP_SUFFIXES))


def read_database(path: Path) -> CompileDatabase:
    """Reads FILE, or compile_commands.json in a folder.

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
    commands: dict[str, CompileCommand] = {}
    for number, entry in enumerate(entries, 1):
        command = _command(entry, f"{file}: entry {number}", file.resolve().parent)
        commands.setdefault(command.file, command)
    return CompileDatabase(str(file), commands)


def _command(entry: object, where: str, base: Path) -> CompileCommand:
    if not isinstance(entry, dict):
        raise MustfreeError(f"{where} is not an object")
    name, directory = entry.get("file"), entry.get("directory", ".")
    if not isinstance(name, str) or not isinstance(directory, str):
        raise MustfreeError(f"{where} must have `directory` and `file`, both texts")
    folder = os.path.normpath(base / directory)
    arguments = _arguments(entry, where)
    file = os.path.realpath(Path(folder) / name)
    return CompileCommand(file, _flags(arguments, name, file, folder), folder)


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


def _flags(arguments: list[str], name: str, file: str, folder: str) -> tuple[str, ...]:
    """Everything after the compiler (and a wrapper before it), without the input and -c and -o."""
    start = next((index for index, argument in enumerate(arguments) if argument.startswith("-")), len(arguments))
    flags: list[str] = []
    base = Path(file).name
    skip = False
    for argument in arguments[start:]:
        if skip:
            skip = False
        elif argument == "-o":
            skip = True
        elif argument not in ("-c", "--") and not (
            argument == name or (argument.endswith(base) and os.path.realpath(Path(folder) / argument) == file)
        ):
            flags.append(argument)
    return tuple(flags)
