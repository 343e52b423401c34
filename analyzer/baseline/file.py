"""Baseline files: the loss points that a team knows of, one on each line, without line numbers.

A SARIF log of ours serves as a baseline, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final
from urllib.parse import unquote

from analyzer.errors import MustfreeError

_FORMAT = "mustfree-baseline"
_VERSION = 1


@final
@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One known loss point. file: as reports name it. message: what the finding said, for the reader."""

    file: str
    function: str
    check: str
    fingerprint: str
    message: str = ""


@final
@dataclass(frozen=True, slots=True)
class Baseline:
    """What a file holds. versions: of mustfree, libclang and the packs that wrote it."""

    entries: tuple[Entry, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()


def baseline_text(baseline: Baseline) -> str:
    """The file's contents: JSON with one loss point on each line, sorted, so that changes of it can be read."""
    tool = json.dumps(dict(baseline.versions))
    lines = [
        json.dumps(
            {
                "file": entry.file,
                "function": entry.function,
                "check": entry.check,
                "message": entry.message,
                "fingerprint": entry.fingerprint,
            }
        )
        for entry in sorted(baseline.entries)
    ]
    points = "[\n  " + ",\n  ".join(lines) + "\n ]" if lines else "[]"
    head = f' "format": "{_FORMAT}",\n "version": {_VERSION},\n "tool": {tool},\n'
    return f'{{\n{head} "loss_points": {points}\n}}\n'


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file of ours, or in a SARIF log of ours. MustfreeError: it is neither."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise MustfreeError(f"{path}: no such file; `mustfree baseline update {path} PATH...` writes it") from None
    except OSError as error:
        raise MustfreeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MustfreeError(f"{path}: is no baseline: not JSON: {error}") from error
    try:
        if content.get("format") == _FORMAT:
            return _own(content, path)
        if "runs" in content:
            return _sarif(content, path)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise MustfreeError(f"{path}: is a damaged baseline: {type(error).__name__} {error}") from error
    raise MustfreeError(f"{path}: is no baseline: neither a file of `mustfree baseline update` nor a SARIF log")


def _own(content: dict[str, Any], path: Path) -> Baseline:
    if content["version"] != _VERSION:
        raise MustfreeError(f"{path}: is a baseline of version {content['version']}; this mustfree reads {_VERSION}")
    entries = (
        Entry(_text(e["file"]), _text(e["function"]), _text(e["check"]), _text(e["fingerprint"]), _text(e["message"]))
        for e in content["loss_points"]
    )
    return Baseline(tuple(entries), _versions(content["tool"].items()))


def _sarif(content: dict[str, Any], path: Path) -> Baseline:
    (run,) = content["runs"]
    driver = run["tool"]["driver"]
    if driver["name"] != "mustfree":
        raise MustfreeError(f"{path}: is a SARIF log of {driver['name']}; a baseline is one of mustfree")
    entries: list[Entry] = []
    for result in run["results"]:
        if result.get("suppressions") or result.get("baselineState") == "absent":
            continue
        place = result["locations"][0]
        file = unquote(place["physicalLocation"]["artifactLocation"]["uri"].removeprefix("file://"))
        function = place["logicalLocations"][0]["name"]
        message = result["message"]["text"].partition(". ")[0].removesuffix(".")
        entries += [
            Entry(file, _text(function), _text(result["ruleId"]), _text(point), message)
            for point in result["properties"]["lossPoints"]
        ]
    versions = [("mustfree", driver.get("version", "")), *driver.get("properties", {}).get("versions", {}).items()]
    return Baseline(tuple(entries), _versions(versions))


def _versions(pairs: Iterable[tuple[object, object]]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(version)) for name, version in pairs)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    return value
