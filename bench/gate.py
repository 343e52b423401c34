"""Cost of the gate: how long does `mustfree diff` take on a change of one file of a large project?

    python bench/gate.py [--rounds 5] [--database DIR] TREE FILE[=WHAT] ...

TREE is a source tree; a copy of it becomes a git repository. Each FILE below it is changed once a round, another change
each time: a C file gets a loss in its first function, a header another macro. Measured is `mustfree diff HEAD`:

warm          after a run on the unchanged tree has filled the cache (`mustfree check` of it all)
cold          with an empty cache
files         how many files were analysed, of all C files of the tree
git           the time of git alone: the same commands as the gate runs, each by itself
wall, CPU     medians over the rounds, in seconds, with the git's own time in them; CPU is that of all processes

Whoever measures on a busy machine should look at the CPU time. Python's compiled files are kept in a temporary folder
and made before the first round, as an installed package has them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import harness
from harness import markdown, measure

GIT = (
    ("rev-parse", "--show-toplevel"),
    ("rev-parse", "--verify", "HEAD^{commit}"),
    ("ls-tree", "-r", "-z", "--full-tree", "HEAD"),
    ("ls-files", "-z", "--unmerged"),
    ("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
    ("cat-file", "--batch"),
)
"""What the gate asks git for a comparison with the work tree."""


@dataclass(frozen=True)
class Round:
    """One run. wall, cpu: seconds. files: analysed. introduced: findings."""

    wall: float
    cpu: float
    files: int
    introduced: int


def changed(text: str, header: bool, number: int) -> str:
    """The text after the change of a round: a function that loses something, or a macro, with the round in it.

    In a C file it stands in the first function, which callers may reach, not at the end.
    """
    if header:
        at = text.rfind("#endif")
        at = at if at >= 0 else len(text)
        return f"{text[:at]}#define GATE_ROUND_{number} {number}\n{text[at:]}"
    opening = re.search(r"^\{[^\n]*\n", text, re.MULTILINE)
    if opening is None:
        raise SystemExit("a file without a function cannot be changed")
    loss = (
        f"\tchar *round_{number} = malloc({number});\n\tif (!round_{number})\n\t\tabort();\n\tround_{number}[0] = 0;\n"
    )
    declared = "void *malloc(unsigned long);\nvoid abort(void);\n"
    needed = "" if "<stdlib.h>" in text else declared
    return needed + text[: opening.end()] + loss + text[opening.end() :]


def environment(folder: Path) -> dict[str, str]:
    """Of git and of the tool: nothing of the user's configuration, compiled Python kept below `folder`."""
    kept = {name: value for name, value in harness.environment().items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        **{f"GIT_{who}_{what}": "x@y.invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }


class Gate:
    """A repository in a temporary folder, and its gate."""

    def __init__(self, tree: Path, folder: Path, database: str) -> None:
        self.folder = folder
        self.root = folder / "tree"
        self.flags = ["-p", database] if database else []
        self.environment = environment(folder)
        shutil.copytree(tree, self.root, symlinks=True, ignore=shutil.ignore_patterns(".git", ".pc"))
        for command in (("init", "-q"), ("add", "-A", "-f"), ("commit", "-q", "-m", "x")):
            self._git(*command)
        self.files = sum(1 for _ in self.root.rglob("*.c"))
        self.lines = sum(file.read_bytes().count(b"\n") for file in self.root.rglob("*.[ch]"))

    def _git(self, *arguments: str) -> None:
        command = ["git", *arguments]
        subprocess.run(command, cwd=self.root, env=self.environment, check=True, capture_output=True)

    def git_seconds(self) -> float:
        """Wall time of the git commands alone."""
        started = time.monotonic()
        for command in GIT:
            subprocess.run(
                ["git", *command], cwd=self.root, env=self.environment, input=b"", check=True, capture_output=True
            )
        return time.monotonic() - started

    def fill(self, cache: Path) -> None:
        """Analyses the unchanged tree."""
        self._run(["check", "."], cache)

    def round(self, file: str, number: int, cache: Path) -> Round:
        """Changes a file, asks the gate, and undoes the change."""
        place = self.root / file
        text = place.read_bytes()
        new = changed(text.decode("utf-8", "surrogateescape"), file.endswith(".h"), number)
        place.write_bytes(new.encode("utf-8", "surrogateescape"))
        time.sleep(1.1)  # what has just been written is not kept in the cache
        try:
            return self._run(["diff", "HEAD"], cache)
        finally:
            place.write_bytes(text)

    def _run(self, command: Sequence[str], cache: Path) -> Round:
        out = self.folder / "report.json"
        out.unlink(missing_ok=True)
        tool = [sys.executable, "-m", "analyzer", *command, *self.flags, "-q", "--cache-dir", str(cache)]
        cost = measure([*tool, "--json", str(out)], cwd=self.root, around=self.environment)
        if not out.exists():
            raise SystemExit(f"{' '.join(command)}: no report: {cost.output[-500:]}")
        report = json.loads(out.read_text(encoding="utf-8"))
        new = sum(finding["state"] == "new" for finding in report["findings"])
        return Round(cost.wall, cost.cpu, report["summary"]["files"], new)


def row(name: str, state: str, rounds: Sequence[Round], git: float, files: int) -> list[object]:
    """A row of the table: medians over the rounds."""
    wall = statistics.median(one.wall for one in rounds)
    cpu = statistics.median(one.cpu for one in rounds)
    analysed = statistics.median_high(one.files for one in rounds)
    found = statistics.median_high(one.introduced for one in rounds)
    return [name, state, f"{analysed} of {files}", f"{wall:.2f}", f"{git:.2f}", f"{cpu:.2f}", found]


HEAD = ("changed file", "cache", "files analysed", "wall s", "of it git s", "CPU s", "introduced")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path)
    parser.add_argument("files", nargs="+", metavar="FILE[=WHAT]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", default="", help="a compile database, as for mustfree -p")
    parser.add_argument("--no-cold", action="store_true", help="leave out the runs with an empty cache")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        gate = Gate(options.tree.resolve(), Path(folder), options.database)
        print(f"{gate.lines:,} lines, {gate.files} C files", file=sys.stderr)
        warm = Path(folder) / "warm"
        gate.fill(warm)
        git = statistics.median(gate.git_seconds() for _ in range(options.rounds))
        for given in options.files:
            file, _, what = given.partition("=")
            name = f"`{file}`" + (f", {what}" if what else "")
            gate.round(file, 0, warm)  # the outlines of the files, which a check does not make
            done = [gate.round(file, number + 1, warm) for number in range(options.rounds)]
            rows.append(row(name, "warm", done, git, gate.files))
            print(rows[-1], file=sys.stderr, flush=True)
            if not options.no_cold:
                rows.append(
                    row(
                        name,
                        "cold",
                        [gate.round(file, 99, Path(folder) / f"cold {file}".replace("/", " "))],
                        git,
                        gate.files,
                    )
                )
                print(rows[-1], file=sys.stderr, flush=True)
    print(f"{gate.lines:,} lines, {gate.files} C files\n")
    print(markdown(HEAD, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
