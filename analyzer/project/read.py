"""Finds and reads settings files. All mistakes of a file are told at once, each with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from analyzer.contracts.beliefs import pattern_mistake
from analyzer.errors import MustfreeError
from analyzer.program.variants import Variant
from analyzer.project.files import DISK, Files
from analyzer.project.keys import KEYS, mistake
from analyzer.project.rules import rule_files
from analyzer.project.variants import variant_lines, variant_mistakes, variants
from analyzer.project.version import version_mistake

_OURS = re.compile(rb"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*mustfree\b", re.MULTILINE)
NAMES = ("mustfree.toml", "pyproject.toml")


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """One value that is set. file, line: where. Names of files in it are absolute."""

    value: Any
    file: str
    line: int


@final
@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What one settings file says, with what it extends. file: "" when there is none."""

    file: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any value TOML has
        """The value of a key, or `default`."""
        entry = self.entries.get(name)
        return default if entry is None else entry.value


def nearest(folder: Path, files: Files = DISK) -> Path | None:
    """The settings file for what lies in `folder`: upwards, but not out of a git work tree.

    MustfreeError: what has its name is no file.
    """
    for place in (folder, *folder.parents):
        for name in NAMES:
            if files.exists(place / name) and (name == NAMES[0] or _is_ours(place / name, files)):
                return place / name
        odd = files.no_file(place / NAMES[0])
        if odd:
            raise MustfreeError(f"{place / NAMES[0]}: {odd}; settings are read from a file: mend or remove it")
        if (place / ".git").exists():
            return None
    return None


def read_settings(file: Path | None, files: Files = DISK) -> ProjectSettings:
    """What a settings file says. MustfreeError: all that is wrong with it, a line each."""
    return ProjectSettings() if file is None else _read(file, (), files)


def _read(file: Path, above: tuple[Path, ...], files: Files) -> ProjectSettings:
    text = _text(file, files)
    try:
        table = _parse(file, text)
    except tomllib.TOMLDecodeError as error:
        raise MustfreeError(_broken(file, text, error)) from None
    if table is None:
        raise MustfreeError(f"{file}: no table [tool.mustfree]; add it, or name a mustfree.toml")
    problems: list[str] = []
    entries: dict[str, Entry] = {}
    for name, value in table.items():
        line = _line_of(text, name, file.name == NAMES[1])
        if name == "variants":
            wrongs, value = _variants(value, file, text, line)
            problems += wrongs
            entries[name] = Entry(value, str(file), line)
            continue
        wrong = _wrong(name, value)
        if wrong:
            problems.append(f"{file}:{line}: {wrong}")
            continue
        try:
            entries[name] = Entry(_resolved(name, value, file.parent, files), str(file), line)
        except MustfreeError as error:
            problems.append(f"{file}:{line}: {error}")
    if problems:
        raise MustfreeError("\n".join(problems))
    return ProjectSettings(str(file), {**_inherited(entries.pop("extends", None), (*above, file), files), **entries})


def _inherited(extends: Entry | None, above: tuple[Path, ...], files: Files) -> dict[str, Entry]:
    if extends is None:
        return {}
    base = Path(extends.value)
    if base.resolve() in [file.resolve() for file in above]:
        raise MustfreeError(f"{extends.file}:{extends.line}: `extends` comes back to {base}; break the circle")
    if not files.exists(base):
        raise MustfreeError(f"{extends.file}:{extends.line}: `extends`: no such file: {base}")
    return _read(base, above, files).entries


def _text(file: Path, files: Files) -> str:
    try:
        return files.read(file).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise MustfreeError(f"{file}: cannot be read as UTF-8 text: {error}") from None


def _parse(file: Path, text: str) -> dict[str, Any] | None:
    data = tomllib.loads(text)
    if file.name != NAMES[1]:
        return data
    tool = data.get("tool")
    table = tool.get("mustfree") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _is_ours(file: Path, files: Files) -> bool:
    """Whether a pyproject.toml has our table. One that is broken is ours to judge if it seems to have it."""
    try:
        data = files.read(file)
    except OSError:
        return False
    try:
        return _parse(file, data.decode()) is not None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return _OURS.search(data) is not None


def _broken(file: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    place = f"{found[1]}:{found[2]}" if found else str(text.count("\n") + 1)
    return f"{file}:{place}: not TOML: {str(error).partition(' (at ')[0]}"


def _wrong(name: str, value: Any) -> str:  # noqa: ANN401 - any value TOML has
    if name not in KEYS:
        near = difflib.get_close_matches(name, KEYS, 1)
        remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(KEYS)}"
        return f"unknown key `{name}`; {remedy}"
    wrong = mistake(name, value)
    if not wrong and name == "required-version":
        wrong = version_mistake(str(value))
    if not wrong and name == "noreturn":
        wrong = next(filter(None, map(pattern_mistake, value)), "")
    return f"`{name}` {wrong}" if wrong else ""


def _resolved(name: str, value: Any, folder: Path, files: Files) -> Any:  # noqa: ANN401 - any value TOML has
    if name == "rules":
        return rule_files(value, folder, files)
    if not KEYS[name].paths:
        return value
    return [str(folder / item) for item in value] if isinstance(value, list) else str(folder / value)


def _variants(value: Any, file: Path, text: str, line: int) -> tuple[list[str], tuple[Variant, ...]]:  # noqa: ANN401
    """The mistakes in `[[variants]]`, each with its line; and what is described, when there are none."""
    count = len(value) if isinstance(value, list) else 0
    lines = variant_lines(text, "tool.mustfree.variants" if file.name == NAMES[1] else "variants", count)
    lines = lines or [{"": line}] * count
    problems = []
    for number, key, what in variant_mistakes(value):
        places = lines[number] if lines else {"": line}
        problems.append(f"{file}:{places.get(key, places[''])}: `variants`: {what}")
    return problems, () if problems else variants(value, [places[""] for places in lines], file)


def _line_of(text: str, name: str, inside: bool) -> int:
    """The line that sets a key; inside: of [tool.mustfree], where its tables are called tool.mustfree.NAME."""
    here = not inside
    quoted = re.escape(name)
    setting = re.compile(rf"""\s*(?:"{quoted}"|'{quoted}'|{quoted})\s*[.=]""")
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"\s*\[+\s*([^\]]*?)\s*\]", line)
        if heading:
            title = heading[1].removeprefix("tool.mustfree.") if inside else heading[1]
            if title.strip("\"'") == name:
                return number
            here = inside and heading[1] == "tool.mustfree"
        elif here and setting.match(line):
            return number
    return 1
