"""Do losses keep their fingerprints while the code around them changes?

    python bench/fingerprints.py --work DIR [--commits 200] [--until REV] [--breaks FILE] REPOSITORY...

A REPOSITORY is a git repository, also a bare one; it is cloned below --work, where the cache lies, too. Its last
commits up to --until that touch C files or headers are followed along the first parents, so that each is the successor
of the one before it. At each the whole tree is checked, findings of low confidence included.

Whether a loss is the same as one of the commit before is decided without fingerprints, by what `git diff -w` says of
the lines of its acquisition and of its end. Both only moved: it is *in place*. One or both were rewritten, and the
lines that took their place hold a loss by the same check: *rewritten*. Both are gone, and the same two texts are lost
on other lines, where nothing was lost before: *moved*. All three persist. A *life* is a loss from the first commit in
which it is seen to the last.

Prints the tables in Markdown, and every break: a loss that persists with another fingerprint. What is known of a break
stands in breaks.tsv beside this script: project, commit, file, function, reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import environment, markdown, share
from history import History, Moves, mustfree, version

HERE = Path(__file__).resolve().parent
BREAK = ("project", "commit", "file", "function", "reason")
SHORT = 10


@dataclass(frozen=True)
class Place:
    """A line, and what it says without white space."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Loss:
    """One loss point of one commit. acquired is the place of the loss where nothing was acquired."""

    check: str
    function: str
    message: str
    acquired: Place
    lost: Place
    fingerprint: str


@dataclass(frozen=True)
class Tie:
    """A loss and what it is in the next commit. how: in place, rewritten or moved."""

    before: Loss
    after: Loss
    how: str

    @property
    def holds(self) -> bool:
        """Whether the fingerprint is still the same."""
        return self.before.fingerprint == self.after.fingerprint


@dataclass
class Life:
    """A loss over the commits. marks: its fingerprints, in order, without repetition."""

    marks: list[str]
    steps: int = 0


@dataclass
class Followed:
    """What was seen of one history."""

    name: str
    commits: int = 0
    steps: int = 0
    losses: int = 0
    ties: Counter[tuple[str, bool]] = field(default_factory=Counter)
    breaks: list[tuple[str, Tie]] = field(default_factory=list)
    gone: list[tuple[str, Loss]] = field(default_factory=list)
    come: list[tuple[str, Loss]] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)


def losses(data: Mapping[str, Any]) -> list[Loss]:
    """The loss points of a JSON report."""
    found = []
    for finding in data["findings"]:
        acquired = next((step["at"] for step in finding["steps"] if step["kind"] == "acquire"), None)
        for point in finding["loss_points"]:
            lost = _place(point["at"])
            start = _place(acquired) if acquired else lost
            found.append(
                Loss(finding["check"], finding["function"], finding["message"], start, lost, point["fingerprint"])
            )
    return found


def _place(at: Mapping[str, Any]) -> Place:
    return Place(at["file"], at["line"], "".join(at["text"].split()))


def tie(before: Sequence[Loss], after: Sequence[Loss], moves: Moves) -> list[Tie]:
    """Which loss of the one commit is which of the next.

    That one persists is decided by lines and texts. Where several losses by the same check stand in the same lines,
    those with the same fingerprint are the same.
    """
    ties: list[Tie] = []
    left = list(after)
    rest = list(before)
    for how, fits in (("in place", _in_place), ("rewritten", _rewritten), ("moved", _moved)):
        for same in (True, False):
            for loss in list(rest):
                fitting = [one for one in left if fits(loss, one, moves)]
                fitting = [one for one in fitting if not same or one.fingerprint == loss.fingerprint]
                if fitting:
                    chosen = min(fitting, key=lambda one: one.function != loss.function)
                    ties.append(Tie(loss, chosen, how))
                    rest.remove(loss)
                    left.remove(chosen)
    return ties


def _in_place(old: Loss, new: Loss, moves: Moves) -> bool:
    return old.check == new.check and all(_stands(*places, moves) for places in _both(old, new))


def _rewritten(old: Loss, new: Loss, moves: Moves) -> bool:
    return old.check == new.check and all(_takes_the_place(*places, moves) for places in _both(old, new))


def _moved(old: Loss, new: Loss, moves: Moves) -> bool:
    same = old.check == new.check and all(a.text == b.text for a, b in _both(old, new))
    return same and not any(_stays(place, moves) for place in (old.acquired, old.lost))


def _both(old: Loss, new: Loss) -> tuple[tuple[Place, Place], tuple[Place, Place]]:
    return (old.acquired, new.acquired), (old.lost, new.lost)


def _stays(place: Place, moves: Moves) -> bool:
    return bool(moves.file(place.file)) and bool(moves.line(place.file, place.line))


def _stands(old: Place, new: Place, moves: Moves) -> bool:
    return new.file == moves.file(old.file) and new.line == moves.line(old.file, old.line)


def _takes_the_place(old: Place, new: Place, moves: Moves) -> bool:
    if new.file != moves.file(old.file):
        return False
    return _stands(old, new, moves) or new.line in moves.rewritten(old.file, old.line)


def check(history: History, cache: Path, timeout: float) -> list[Loss]:
    """The losses in the work tree."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = mustfree("check", "-q", "--all", "--json", str(out), "--cache-dir", str(cache), ".")
        done = subprocess.run(
            command, cwd=history.root, env=environment(), capture_output=True, text=True, errors="replace",
            timeout=timeout, check=False,
        )  # fmt: skip
        if not out.exists():
            raise SystemExit(f"check ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return losses(json.loads(out.read_text(encoding="utf-8")))


def follow(history: History, commits: Sequence[str], cache: Path, timeout: float) -> Followed:
    """All losses of a history from commit to commit."""
    seen = Followed(history.name, len(commits))
    before: list[Loss] = []
    alive: dict[int, Life] = {}
    for number, commit in enumerate(commits):
        history.check_out(commit)
        after = check(history, cache, timeout)
        ties = tie(before, after, history.moves(commits[number - 1], commit)) if number else []
        alive = _step(seen, commit[:SHORT], before, after, ties, alive, first=not number)
        said = f"{len(after)} losses, {len(ties)} persist, {sum(not one.holds for one in ties)} break"
        print(f"{history.name} {number + 1}/{len(commits)} {commit[:SHORT]}: {said}", file=sys.stderr, flush=True)
        before = after
    return seen


def _step(
    seen: Followed,
    commit: str,
    before: Sequence[Loss],
    after: Sequence[Loss],
    ties: Sequence[Tie],
    alive: Mapping[int, Life],
    *,
    first: bool,
) -> dict[int, Life]:
    """Counts one commit. alive: identity of a loss -> its life; the same for the next commit is returned."""
    seen.steps += not first
    seen.losses += len(before)
    following: dict[int, Life] = {}
    for one in ties:
        seen.ties[one.how, one.holds] += 1
        life = following[id(one.after)] = alive[id(one.before)]
        life.steps += 1
        if not one.holds:
            life.marks.append(one.after.fingerprint)
            seen.breaks.append((commit, one))
    tied = {id(one.before) for one in ties}
    seen.gone += [(commit, loss) for loss in before if id(loss) not in tied]
    for loss in after:
        if id(loss) not in following:
            following[id(loss)] = Life([loss.fingerprint])
            seen.lives.append(following[id(loss)])
            seen.come += [] if first else [(commit, loss)]
    return following


def read_breaks(file: Path) -> dict[tuple[str, str, str, str], str]:
    """(project, commit, file, function) -> reason. Raises SystemExit naming the line that is not understood."""
    if not file.is_file():
        return {}
    found = {}
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if set(row) != set(BREAK) or not row["reason"]:
                raise SystemExit(f"{file}: not an explained break: {row}")
            found[row["project"], row["commit"], row["file"], row["function"]] = row["reason"]
    return found


def overview(histories: Iterable[Followed]) -> str:
    """A line for each history: what persists from commit to commit, and over its life."""
    head = [
        "project", "commits", "persisting, from commit to commit", "of these in place", "rewritten", "moved",
        "keep the fingerprint", "share", "losses that persist at all", "keep it all their life", "share of these",
    ]  # fmt: skip
    rows = []
    for seen in histories:
        total = sum(seen.ties.values())
        kept = sum(number for (_, holds), number in seen.ties.items() if holds)
        lasting = [life for life in seen.lives if life.steps]
        whole = sum(len(life.marks) == 1 for life in lasting)
        by_sort = [sum(seen.ties[how, holds] for holds in (True, False)) for how in ("in place", "rewritten", "moved")]
        rows.append(
            [
                seen.name,
                seen.steps,
                total,
                *by_sort,
                kept,
                share(kept, total),
                len(lasting),
                whole,
                share(whole, len(lasting)),
            ]
        )
    return markdown(head, rows)


def break_table(histories: Iterable[Followed], reasons: Mapping[tuple[str, str, str, str], str]) -> str:
    """Every break with what is known of it."""
    rows = []
    for seen in histories:
        for commit, one in seen.breaks:
            place = one.after.lost
            reason = reasons.get((seen.name, commit, place.file, one.after.function), "not explained")
            rows.append(
                [
                    seen.name,
                    commit,
                    f"{place.file}:{place.line}",
                    one.after.function,
                    one.how,
                    one.after.message,
                    reason,
                ]
            )
    return markdown(["project", "commit", "place", "function", "how it persists", "finding", "why"], rows)


def turnover(histories: Iterable[Followed]) -> str:
    """What came and went: to be read, for a loss that persists unseen would be in both."""
    rows = []
    for seen in histories:
        for what, events in (("gone", seen.gone), ("come", seen.come)):
            rows += [
                [
                    seen.name,
                    commit,
                    what,
                    f"{loss.lost.file}:{loss.lost.line}",
                    loss.function,
                    loss.fingerprint[:8],
                    loss.message,
                ]
                for commit, loss in events
            ]
    rows.sort(key=lambda row: (row[0], row[1], row[2] == "come"))
    return markdown(["project", "commit", "", "place", "function", "fingerprint", "finding"], rows)


def main() -> int:
    """Follow the histories and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--work", type=Path, required=True, help="folder for the clones and the cache")
    parser.add_argument("--commits", type=int, default=200, help="of each repository")
    parser.add_argument("--until", default="HEAD", help="the last commit")
    parser.add_argument("--breaks", type=Path, default=HERE / "breaks.tsv", help="what is known of the breaks")
    parser.add_argument("--turnover", action="store_true", help="also list the losses that came and went")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds for one check")
    options = parser.parse_args()
    reasons = read_breaks(options.breaks)
    work = options.work.resolve()
    histories = []
    for repository in options.repositories:
        history = History(repository, work)
        # one more than there are steps: the state before the first
        commits = history.commits(options.commits + 1, options.until, "--first-parent")
        histories.append(follow(history, commits, work / "cache", options.timeout))
    print(f"Commit {version()}\n")
    print(overview(histories))
    print("\n" + break_table(histories, reasons))
    if options.turnover:
        print("\n" + turnover(histories))
    return 0


if __name__ == "__main__":
    sys.exit(main())
