"""For how many findings a proved fix is offered, and what the search costs.

    python bench/offered.py [--patches FOLDER] [--each] PATH...

A PATH is a source tree, analysed as one program without build flags; with --each, every C file below it is a program of
its own (`fixtures/leak`). The patches are written to be read: whether somebody would take them is not measured here.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness import markdown

from analyzer.fixes import find_fixes
from analyzer.fixes.patch import unified_diff
from analyzer.project.apply import apply
from analyzer.report.summary import shown_findings
from analyzer.workspace import Settings, Workspace


def programs(paths: Sequence[str], each: bool) -> Iterator[tuple[str, Path, str]]:
    """Name of the row, folder, what to analyse in it."""
    for path in paths:
        root = Path(path).resolve()
        for file in sorted(root.rglob("*.c")) if each else (None,):
            yield root.name, root, str(file or root)


def measure(root: Path, path: str, patches: Path | None, name: str, jobs: int) -> dict[str, float]:
    """One program."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(replace(Settings(root=str(root), find_database=True, jobs=jobs), cache=folder))
        report = apply(space.analyse([path]), space.root, everything=False, generated=False)
        plain = time.monotonic() - started
        wanted = {id(finding) for finding in shown_findings(report, everything=True)}
        found = find_fixes(space, [path], report, lambda finding: id(finding) in wanted)
    if patches is not None and found.texts:
        with (patches / f"{name}.diff").open("ab") as file:
            file.write(unified_diff(found.before, found.texts))
    return {
        "findings": len(wanted),
        "fixed": found.fixed,
        "another run": found.left_findings,
        "analyses": found.analyses,
        "check": plain,
        "search": time.monotonic() - started - plain,
    }


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--patches", type=Path)
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    for name, root, path in programs(options.paths, options.each):
        row = rows.setdefault(name, {})
        for key, value in measure(root, path, options.patches, name, int(options.each)).items():
            row[key] = row.get(key, 0) + value
    columns = ["findings", "fixed", "another run", "analyses", "check", "search"]
    table = [[name, *(f"{row[column]:.0f}" for column in columns)] for name, row in rows.items()]
    print(markdown(["", *columns[:4], "check, s", "search, s"], table))


if __name__ == "__main__":
    main()
