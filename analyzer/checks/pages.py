"""Finds the documentation page of a check: one text for the web, `mustfree explain` and SARIF help."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


@cache
def page(check: str) -> str:
    """The page docs/checks/CHECK.md.

    In an installed package the pages lie inside it; in a checkout beside it.
    """
    for folder in (PACKAGE / "docs" / "checks", PACKAGE.parent / "docs" / "checks"):
        path = folder / f"{check}.md"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise AssertionError(f"docs/checks/{check}.md is missing from this installation")
