"""Replay of a history through the gate: what would `mustfree diff` have said of each commit?

    python bench/replay.py --work DIR [--commits 300] [--until REV] [--sheet FILE] [--report] REPOSITORY...

A REPOSITORY is a git repository, also a bare one; it is cloned below --work, where the cache lies, too. Of its last
commits up to --until that touch C files or headers and are no merges each is checked out, as a build server does, and
`mustfree diff C^ C` runs with its default options. The time is that of the command, from its start to its end.

The sheet (tab separated) has one line for each introduced finding; with --texts DIR the text report of each commit that
says anything is kept. Judgements are in replayed.tsv beside this script: project, commit, fingerprint, judge, verdict
(true or false: is it a mistake of the program?), cause (yes or no: can this commit have made it?), reason.
--report prints the Markdown for docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import Cost, markdown, measure
from history import History, mustfree, version

HERE = Path(__file__).resolve().parent
SHEET = (
    "project", "commit", "subject", "fingerprint", "check", "confidence", "file", "line", "function", "message",
    "change", "path",
)  # fmt: skip
JUDGEMENT = ("project", "commit", "fingerprint", "judge", "verdict", "cause", "reason")
SHORT = 10


@dataclass(frozen=True)
class Judgement:
    """What a reader said of an introduced finding. caused: whether the commit can have made it."""

    judge: str
    true: bool
    caused: bool
    reason: str


@dataclass(frozen=True)
class Replayed:
    """One commit. status: exit status; seconds: of the command; introduced: findings; fixed: number of losses;
    lost: what makes the status 3 or 2."""

    project: str
    commit: str
    subject: str
    status: int
    seconds: float
    introduced: list[dict[str, Any]] = field(default_factory=list)
    fixed: int = 0
    lost: list[str] = field(default_factory=list)
    text: str = ""


Judgements = Mapping[tuple[str, str, str], Sequence[Judgement]]


def read_judgements(file: Path) -> dict[tuple[str, str, str], list[Judgement]]:
    """(project, commit, fingerprint) -> judgements. Raises SystemExit naming the line that is not understood."""
    found: dict[tuple[str, str, str], list[Judgement]] = {}
    if not file.is_file():
        return found
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            fits = set(row) == set(JUDGEMENT) and row["verdict"] in ("true", "false") and row["cause"] in ("yes", "no")
            if not fits:
                raise SystemExit(f"{file}: not a judgement: {row}")
            one = Judgement(row["judge"], row["verdict"] == "true", row["cause"] == "yes", row["reason"])
            found.setdefault((row["project"], row["commit"], row["fingerprint"]), []).append(one)
    return found


def replay(history: History, commit: str, cache: Path, timeout: float) -> Replayed:
    """The gate on one commit."""
    history.check_out(commit)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        command = mustfree("diff", "--json", str(out), "--cache-dir", str(cache), f"{commit}^", commit)
        cost = measure(command, cwd=history.root, timeout=timeout)
        data = json.loads(out.read_text(encoding="utf-8")) if out.exists() else None
    return summed_up(history.name, commit, history.subject(commit), cost, data)


def summed_up(project: str, commit: str, subject: str, cost: Cost, data: dict[str, Any] | None) -> Replayed:
    """What one run said. data: its JSON report, None when it wrote none."""
    commit = commit[:SHORT]
    if data is None:
        return Replayed(
            project, commit, subject, cost.status, cost.wall, lost=[cost.output.strip()[-300:]], text=cost.output
        )
    gaps = [note for note in data["notices"] if note["kind"] in ("not-analysed", "internal", "bad-input")]
    return Replayed(
        project,
        commit,
        subject,
        cost.status,
        cost.wall,
        data["findings"],
        sum(len(one["loss_points"]) for one in data["gone"]),
        [f"{note['file']}: {note['function'] or '-'}: {note['message']}" for note in gaps],
        cost.output,
    )


def path_of(finding: Mapping[str, Any]) -> str:
    """The steps in one line."""
    return " > ".join(f"{step['at']['line']} {step['message']}" for step in finding["steps"])


def write_sheet(file: Path, commits: Iterable[Replayed]) -> None:
    """All introduced findings, tab separated."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(SHEET)
        for one in commits:
            for finding in one.introduced:
                at = finding["at"]
                writer.writerow(
                    [
                        one.project, one.commit, one.subject, finding["fingerprint"], finding["check"],
                        finding["confidence"], at["file"], at["line"], finding["function"], finding["message"],
                        finding["change"], path_of(finding),
                    ]
                )  # fmt: skip


def outcome(judged: Sequence[Judgement]) -> tuple[str, str]:
    """(true, false or open; yes, no or open): the finding, and whether the commit made it. Who doubts wins."""
    if not judged:
        return "open", "open"
    return (
        "true" if all(one.true for one in judged) else "false",
        "yes" if all(one.caused for one in judged) else "no",
    )


def overview(projects: Mapping[str, Sequence[Replayed]], judgements: Judgements) -> str:
    """A line for each project: exit statuses, findings and what was judged."""
    head = [
        "project", "commits", "first", "last", "status 0", "1", "2", "3", "introduced", "true", "false", "open",
        "of these not caused by the commit", "losses fixed",
    ]  # fmt: skip
    rows = []
    for name, commits in projects.items():
        outcomes = [
            outcome(judgements.get((name, one.commit, finding["fingerprint"]), ()))
            for one in commits
            for finding in one.introduced
        ]
        rows.append(
            [
                name,
                len(commits),
                commits[0].commit,
                commits[-1].commit,
                *(sum(one.status == status for one in commits) for status in (0, 1, 2, 3)),
                len(outcomes),
                *(sum(true == wanted for true, _ in outcomes) for wanted in ("true", "false", "open")),
                sum(caused == "no" for _, caused in outcomes),
                sum(one.fixed for one in commits),
            ]
        )
    return markdown(head, rows)


def times(projects: Mapping[str, Sequence[Replayed]]) -> str:
    """Seconds for each commit, a line for each project."""
    rows = []
    for name, commits in projects.items():
        seconds = sorted(one.seconds for one in commits)
        tenths = statistics.quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
        rows.append([name, len(seconds), seconds[0], tenths[9], tenths[17], seconds[-1], sum(seconds)])
    return markdown(["project", "commits", "least, s", "half, s", "nine of ten, s", "most, s", "all, s"], rows)


def finding_table(projects: Mapping[str, Sequence[Replayed]], judgements: Judgements) -> str:
    """Every introduced finding, and what was said of it."""
    rows = []
    for name, commits in projects.items():
        for one in commits:
            for finding in one.introduced:
                judged = judgements.get((name, one.commit, finding["fingerprint"]), ())
                said = "; ".join(each.reason for each in judged)
                place = f"{finding['at']['file']}:{finding['at']['line']}"
                rows.append([name, one.commit, place, finding["message"], *outcome(judged), said])
    return markdown(["project", "commit", "place", "finding", "true", "caused", "reason"], rows)


def gap_table(projects: Mapping[str, Sequence[Replayed]]) -> str:
    """The commits that end with 2 or 3, or say something about gaps, and why."""
    rows = [
        [
            name,
            one.commit,
            one.status,
            "; ".join(one.lost[:3]) + (f" and {len(one.lost) - 3} more" if one.lost[3:] else ""),
        ]
        for name, commits in projects.items()
        for one in commits
        if one.status not in (0, 1) or one.lost
    ]
    return markdown(["project", "commit", "status", "why"], rows)


def stale(projects: Mapping[str, Sequence[Replayed]], judgements: Judgements) -> list[str]:
    """Judgements of findings that are no longer introduced, in the commits that were replayed."""
    ran = {(name, one.commit) for name, commits in projects.items() for one in commits}
    now = {
        (name, one.commit, finding["fingerprint"])
        for name, commits in projects.items()
        for one in commits
        for finding in one.introduced
    }
    return [" ".join(key) for key in judgements if key[:2] in ran and key not in now]


def main() -> int:
    """Replay, write the sheet, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--work", type=Path, required=True, help="folder for the clones and the cache")
    parser.add_argument("--commits", type=int, default=300, help="of each repository")
    parser.add_argument("--until", default="HEAD", help="the last commit")
    parser.add_argument("--commit", action="append", default=[], help="only this one of them (repeatable)")
    parser.add_argument("--sheet", type=Path, help="write the introduced findings here")
    parser.add_argument("--texts", type=Path, help="keep the text reports in this folder")
    parser.add_argument("--judgements", type=Path, default=HERE / "replayed.tsv")
    parser.add_argument("--report", action="store_true", help="list every introduced finding, too")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one commit")
    options = parser.parse_args()
    judgements = read_judgements(options.judgements)
    work = options.work.resolve()
    projects: dict[str, list[Replayed]] = {}
    for repository in options.repositories:
        history = History(repository, work)
        chosen = history.commits(options.commits, options.until, "--no-merges", "--min-parents=1")
        chosen = [commit for commit in chosen if not options.commit or commit.startswith(tuple(options.commit))]
        if not chosen:
            parser.error(f"{history.name}: no commit is left")
        done = projects.setdefault(history.name, [])
        for number, commit in enumerate(chosen, 1):
            done.append(replay(history, commit, work / "cache", options.timeout))
            _tell(done[-1], number, len(chosen), options.texts)
    if options.sheet:
        write_sheet(options.sheet, (one for commits in projects.values() for one in commits))
    print(f"Commit {version()}\n")
    print(overview(projects, judgements))
    print("\n" + times(projects))
    print("\n" + gap_table(projects))
    if options.report:
        print("\n" + finding_table(projects, judgements))
    for line in stale(projects, judgements):
        print(f"judged, but not introduced any more: {line}", file=sys.stderr)
    return 0


def _tell(one: Replayed, number: int, count: int, texts: Path | None) -> None:
    said = f"status {one.status}, {len(one.introduced)} introduced, {one.fixed} fixed, {one.seconds:.1f} s"
    print(f"{one.project} {number}/{count} {one.commit}: {said}", file=sys.stderr, flush=True)
    if texts and (one.status or one.fixed or one.introduced):
        texts.mkdir(parents=True, exist_ok=True)
        (texts / f"{one.project}-{number:03}-{one.commit}.txt").write_text(
            f"{one.subject}\n\n{one.text}", encoding="utf-8"
        )


if __name__ == "__main__":
    sys.exit(main())
