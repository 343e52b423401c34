"""How a place in a settings file is named."""

from __future__ import annotations

from pathlib import Path

from analyzer.program.discovery import display_path
from analyzer.project.read import Entry


def place(entry: Entry) -> str:
    """`file:line`, relative to the current folder where the file lies below it."""
    return f"{display_path(entry.file, str(Path.cwd()))}:{entry.line}"
