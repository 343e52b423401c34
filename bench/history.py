"""What the measurements on git histories share: a clone to work in, commits, and how lines move between them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT

PATTERNS = ("*.c", "*.h")
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class History:
    """A clone of a repository, below `work`, whose work tree goes from commit to commit; the original is left alone."""

    def __init__(self, repository: Path, work: Path) -> None:
        self.name = _name_of(repository)
        self.root = work / self.name
        if not self.root.exists():
            work.mkdir(parents=True, exist_ok=True)
            clone = ["git", "clone", "-q", "--no-hardlinks", "--no-checkout", str(repository.resolve()), str(self.root)]
            subprocess.run(clone, check=True)

    def git(self, *arguments: str) -> str:
        """What a git command says. Names are not quoted; settings of the user take no part."""
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *arguments],
            cwd=self.root,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            check=True,
        )
        return done.stdout.decode("utf-8", "replace")

    def commits(self, count: int, until: str, *choice: str) -> list[str]:
        """The last commits up to `until` that touch C files or headers, the oldest first. choice: further options of
        `git rev-list`."""
        found = self.git("rev-list", f"--max-count={count}", *choice, until, "--", *PATTERNS).split()
        return found[::-1]

    def check_out(self, commit: str) -> None:
        """Makes the work tree that of the commit."""
        self.git("checkout", "-q", "--force", "--detach", commit)

    def subject(self, commit: str) -> str:
        """The title of a commit."""
        return self.git("log", "-1", "--format=%s", commit).strip()

    def moves(self, base: str, head: str) -> Moves:
        """How lines moved from one commit to the other, as git sees it; white space does not count."""
        return parse_moves(self.git("diff", "-w", "-U0", "-M", "--no-color", base, head, "--", *PATTERNS))


def _name_of(repository: Path) -> str:
    """The project of a clone, also of `OWNER+NAME/repo` and `NAME.git`."""
    path = repository.resolve()
    name = path.parent.name if path.name in ("repo", ".git") else path.name
    return name.rpartition("+")[2].removesuffix(".git")


@dataclass(frozen=True)
class Hunk:
    """Lines of the base that gave way to lines of the head; from 1. A length of 0: nothing, after the line `start`."""

    base: int
    base_length: int
    head: int
    head_length: int


class Moves:
    """How lines moved between two trees."""

    def __init__(self, renamed: dict[str, str], hunks: dict[str, list[Hunk]]) -> None:
        self._renamed = renamed
        self._hunks = hunks

    def file(self, base: str) -> str:
        """The name of the file at the head, "" when it is gone."""
        return self._renamed.get(base, base)

    def line(self, base_file: str, line: int) -> int:
        """The line at the head, 0 when it was deleted or rewritten."""
        hunk = self._before(base_file, line)
        if hunk is None:
            return line
        if line < hunk.base + hunk.base_length:
            return 0
        # of a side without lines the hunk names the line before it
        behind_base = hunk.base + hunk.base_length + (hunk.base_length == 0)
        behind_head = hunk.head + hunk.head_length + (hunk.head_length == 0)
        return line - behind_base + behind_head

    def rewritten(self, base_file: str, line: int) -> range:
        """The lines of the head that took the place of a line; empty when it only moved, or is gone for good."""
        hunk = self._before(base_file, line)
        if hunk is None or line >= hunk.base + hunk.base_length:
            return range(0)
        return range(hunk.head, hunk.head + hunk.head_length)

    def _before(self, file: str, line: int) -> Hunk | None:
        """The last hunk that begins at or before a line."""
        hunks = self._hunks.get(file, [])
        index = bisect_right([_first(hunk) for hunk in hunks], line) - 1
        return hunks[index] if index >= 0 else None


def _first(hunk: Hunk) -> int:
    """The first base line that a hunk changes or moves."""
    return hunk.base if hunk.base_length else hunk.base + 1


def parse_moves(text: str) -> Moves:
    """Moves from the output of `git diff -U0`."""
    renamed: dict[str, str] = {}
    hunks: dict[str, list[Hunk]] = {}
    base = ""
    in_head = False
    for line in text.splitlines():
        if line.startswith("diff --git "):
            base, in_head = "", True
        elif line.startswith("rename from "):
            base = line.removeprefix("rename from ")
        elif line.startswith("rename to "):
            renamed[base] = line.removeprefix("rename to ")
        elif in_head and line.startswith("--- "):
            base = line.removeprefix("--- ").removeprefix("a/").rstrip("\t")
        elif in_head and line == "+++ /dev/null":
            renamed[base] = ""
        elif match := _HUNK.match(line):
            in_head = False
            a, n, b, m = (1 if group is None else int(group) for group in match.groups())
            hunks.setdefault(base, []).append(Hunk(a, n, b, m))
    return Moves(renamed, hunks)


def mustfree(*arguments: str) -> list[str]:
    """The command line of mustfree as it stands in this tree."""
    return [sys.executable, "-m", "analyzer", *arguments]


def version() -> str:
    """The commit of this tree, for tables."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "?"
