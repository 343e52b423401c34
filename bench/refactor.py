"""Harmless changes: does the gate stay quiet when code is only rewritten?

    python bench/refactor.py [--count 100] [--seed 1] [--rewriting WORD ...] [--keep DIR] PATH...

A PATH is a source tree; a C file is a tree by itself. Each change rewrites one function of one file (rewrites.py),
and `mustfree diff --all` compares the two trees, without build flags. The rewritings take turns. For each one, two
functions in three are drawn from those with a finding, the rest from those that acquire something; trees take turns,
too, at most three changes of one sort for each function's file. A change after which a function parses less well than
before is spoiled: it is thrown away and another one is drawn.

introduced    it reports an introduced finding: a mistake of the tool
lost          none of these, but a finding is called fixed: no false alarm, yet not quite the same code to the tool
quiet         neither

The sources are not touched: both sides are copies in a temporary folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from c_source import Files, Function, Source, read_source
from harness import environment, markdown, share
from mutants import read
from rewrites import REWRITINGS

Place = tuple[str, str]
"""File and function."""


@dataclass
class Tree:
    """Copies of a source tree before and after a change. findings, acquiring: functions that have some.

    worse: (file, function) that do not parse completely before the change.
    """

    name: str
    before: Path
    after: Path
    cache: Path
    findings: list[Place] = field(default_factory=list)
    acquiring: list[Place] = field(default_factory=list)
    worse: set[Place] = field(default_factory=set)


@dataclass(frozen=True)
class Outcome:
    """What was said of one change. state: quiet, lost, introduced. said: the first such finding."""

    rewriting: str
    tree: str
    place: Place
    state: str
    said: str = ""


def copies(path: Path, folder: Path) -> Tree:
    """The tree twice below `folder`."""
    tree = Tree(path.name, folder / "before", folder / "after", folder / "cache")
    for side in (tree.before, tree.after):
        if path.is_file():
            side.mkdir(parents=True)
            shutil.copy(path, side)
        else:
            shutil.copytree(path, side, symlinks=True, ignore=shutil.ignore_patterns(".*"))
    return tree


def run(tree: Tree, *arguments: str) -> dict[str, Any]:
    """The JSON report of a command, run in the tree after the change. RuntimeError: there is none."""
    report = tree.cache.with_name("report.json")
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "analyzer", *arguments, "-q", "--all", "--json", str(report)]
    done = subprocess.run(
        [*command, "--cache-dir", str(tree.cache)],
        cwd=tree.after, env=environment(), capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if not report.exists():
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found


def look(tree: Tree) -> None:
    """Fills in what the tree has before any change."""
    report = run(tree, "check", ".")
    tree.worse = gaps(report)
    tree.findings = sorted({(f["at"]["file"], f["function"]) for f in report["findings"]})
    acquiring = {(a["file"], a["function"]) for a in report["acquisitions"]}
    tree.acquiring = sorted(acquiring - set(tree.findings))


def gaps(report: dict[str, Any]) -> set[Place]:
    """Functions, or files without a function, that were not analysed completely."""
    kinds = ("degraded", "not-analysed", "internal", "gap")
    return {(n["file"], n["function"]) for n in report["notices"] if n["kind"] in kinds}


def change(tree: Tree, files: Files, old: str) -> dict[str, Any]:
    """The report on a change, which is undone again."""
    for name, text in files.items():
        (tree.after / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    if old not in files:
        (tree.after / old).unlink()
    try:
        return run(tree, "diff", str(tree.before), str(tree.after))
    finally:
        for name in files:
            (tree.after / name).unlink()
        shutil.copy(tree.before / old, tree.after / old)


def outcome(rewriting: str, tree: Tree, place: Place, report: dict[str, Any]) -> Outcome | None:
    """What came of it; None where the change is spoiled."""
    before = {function for _, function in tree.worse}
    if any(function not in before for _, function in gaps(report)):
        return None
    for state, name in (("introduced", "new"), ("lost", "absent")):
        for finding in report["findings"]:
            if finding["state"] == name:
                at = finding["at"]
                said = f"{at['file']}:{at['line']}: {finding['message']}; {finding['change']}"
                return Outcome(rewriting, tree.name, place, state, said)
    return Outcome(rewriting, tree.name, place, "quiet")


def drawn(trees: Sequence[Tree], chance: random.Random) -> Iterator[tuple[Tree, Place]]:
    """Places for one rewriting: two with a finding, one that acquires; the trees take turns."""
    queues = []
    for tree in chance.sample(list(trees), len(trees)):
        with_finding = chance.sample(tree.findings, len(tree.findings))
        others = chance.sample(tree.acquiring, len(tree.acquiring))
        order = [p for i, first in enumerate(with_finding) for p in (first, *others[i // 2 : i // 2 + i % 2])]
        order += others[len(with_finding) // 2 :]
        queues.append([(tree, place) for place in order])
    for row in itertools.zip_longest(*queues):
        yield from (one for one in row if one is not None)


class Refactorings:
    """Draws and judges changes."""

    def __init__(self, trees: Sequence[Tree], seed: int, keep: Path | None) -> None:
        self.trees = trees
        self.seed = seed
        self.keep = keep
        self.sources: dict[Path, Source] = {}

    def of(self, rewriting: str) -> Iterator[Outcome]:
        """Outcomes of changes of one sort."""
        chance = random.Random(f"{self.seed} {rewriting}")
        used: Counter[tuple[str, str]] = Counter()
        for tree, place in drawn(self.trees, chance):
            found = self._function(tree, place)
            if found is None or used[tree.name, place[0]] >= 3:
                continue
            files = REWRITINGS[rewriting](*found, chance)
            if files is None:
                continue
            try:
                result = outcome(rewriting, tree, place, change(tree, files, place[0]))
            except RuntimeError as error:
                result = Outcome(rewriting, tree.name, place, "introduced", f"no result: {error}")
            if result is not None:
                used[tree.name, place[0]] += 1
                self._keep(result, tree, files)
                yield result

    def _function(self, tree: Tree, place: Place) -> tuple[Source, Function] | None:
        path = tree.before / place[0]
        if path not in self.sources:
            self.sources[path] = read_source(place[0], read(path))
        source = self.sources[path]
        function = next((one for one in source.functions if one.title == place[1]), None)
        return (source, function) if function else None

    def _keep(self, result: Outcome, tree: Tree, files: Files) -> None:
        if self.keep is None or result.state == "quiet":
            return
        folder = self.keep / f"{result.state} {result.rewriting} {result.tree} {result.place[1]}".replace(" ", "-")
        for name, text in files.items():
            place = folder / "after" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode("utf-8", "surrogateescape"))
        old = folder / "before" / result.place[0]
        old.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree.before / result.place[0], old)
        (folder / "said").write_text(result.said + "\n", encoding="utf-8")


def table(outcomes: Sequence[Outcome]) -> str:
    """Counts by rewriting, then what was not quiet."""
    rows: list[list[object]] = []
    for name in [*REWRITINGS, ""]:
        group = [one for one in outcomes if name in ("", one.rewriting)]
        if group:
            states = Counter(one.state for one in group)
            rows.append([name or "together", len(group), states["introduced"], states["lost"], states["quiet"]])
    trees = Counter(one.tree for one in outcomes)
    text = markdown(["rewriting", "changes", "introduced", "lost", "quiet"], rows)
    text += (
        f"\n\nquiet about introduced findings: {share(sum(o.state != 'introduced' for o in outcomes), len(outcomes))}"
    )
    text += "\n" + ", ".join(f"{name}: {number}" for name, number in sorted(trees.items()))
    rest = [
        [o.state, o.rewriting, f"{o.tree}: {o.place[0]}: {o.place[1]}", o.said] for o in outcomes if o.state != "quiet"
    ]
    return text + ("\n\n" + markdown(["state", "rewriting", "place", "said"], rest) if rest else "")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rewriting", action="append", default=[], help="only those with this word (repeatable)")
    parser.add_argument("--keep", type=Path, help="keep changes that were not quiet in this folder")
    options = parser.parse_args()
    names = [name for name in REWRITINGS if not options.rewriting or any(word in name for word in options.rewriting)]
    with tempfile.TemporaryDirectory() as folder:
        trees = [copies(path.resolve(), Path(folder) / str(n)) for n, path in enumerate(options.paths)]
        for tree in trees:
            look(tree)
            print(f"{tree.name}: {len(tree.findings)} functions with findings", file=sys.stderr)
        refactorings = Refactorings(trees, options.seed, options.keep)
        outcomes: list[Outcome] = []
        for row in itertools.zip_longest(*(refactorings.of(name) for name in names)):
            for one in filter(None, row):
                outcomes.append(one)
                print(
                    f"{len(outcomes)} {one.state}: {one.rewriting}: {one.tree}: {one.place}: {one.said}",
                    file=sys.stderr,
                    flush=True,
                )
            if len(outcomes) >= options.count:
                break
    print(table(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
