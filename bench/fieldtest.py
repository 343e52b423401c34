"""Precision on real code: all findings of the default options as a sheet to judge, and the table.

    python bench/fieldtest.py [--sheet FILE] [--sample 60] [--seed 1] [--report] PATH...

A PATH is a source tree; its compile_commands.json gives the flags. The sheet (tab separated) has one line
per finding: package, fingerprint, file, line, function, check, confidence, resource, message, path and the
source around the loss. More findings than --sample in a package: that many are drawn with the seed.
Judgements are in judgements.tsv beside this script: package, fingerprint, judge, verdict (true or false),
reason. A finding is true when every judge says so, false when one says false, and open without two
judges. --report prints the Markdown for docs/field-test.md.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import UNDECIDED, VERDICTS, Checked, Corpus, check, load_corpus, markdown

HERE = Path(__file__).resolve().parent
SHEET = (
    "package", "fingerprint", "file", "line", "function", "check", "kind", "confidence", "resource",
    "message", "path", "source",
)  # fmt: skip
JUDGEMENT = ("package", "fingerprint", "judge", "verdict", "reason")


@dataclass(frozen=True)
class Judgement:
    """What one reader said of one finding."""

    judge: str
    true: bool
    reason: str


@dataclass(frozen=True)
class Package:
    """One corpus, what the check said of it, and which findings are to be judged."""

    corpus: Corpus
    seen: Checked
    drawn: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The package's name."""
        return self.corpus.name


Judgements = Mapping[tuple[str, str], Sequence[Judgement]]


def read_judgements(file: Path) -> dict[tuple[str, str], list[Judgement]]:
    """(package, fingerprint) -> judgements. Raises SystemExit naming the line that is not understood."""
    found: dict[tuple[str, str], list[Judgement]] = {}
    if not file.is_file():
        return found
    with file.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            if set(row) != set(JUDGEMENT) or row["verdict"] not in ("true", "false"):
                raise SystemExit(f"{file}: not a judgement: {row}")
            one = Judgement(row["judge"], row["verdict"] == "true", row["reason"])
            found.setdefault((row["package"], row["fingerprint"]), []).append(one)
    return found


def analyse(path: Path, sample: int, seed: int, timeout: float) -> Package:
    """Run the check on a tree and draw the findings to judge."""
    corpus = load_corpus(path)
    start = time.monotonic()
    seen = check(["."], cwd=corpus.path, database=corpus.database, timeout=timeout)
    print(f"{corpus.name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    drawn = list(seen.findings)
    if len(drawn) > sample:
        chosen = set(random.Random(seed).sample(range(len(drawn)), sample))
        drawn = [finding for number, finding in enumerate(drawn) if number in chosen]
    return Package(corpus, seen, drawn)


def excerpt(corpus: Corpus, finding: Mapping[str, Any], around: int = 3) -> str:
    """The source lines near every step, numbered."""
    file = corpus.path / finding["at"]["file"]
    try:
        text = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    wanted: set[int] = set()
    for at in [finding["at"], *(step["at"] for step in finding["steps"])]:
        if at["file"] == finding["at"]["file"]:
            wanted |= set(range(max(1, at["line"] - around), min(len(text), at["line"] + around) + 1))
    lines: list[str] = []
    last = 0
    for number in sorted(wanted):
        if last and number > last + 1:
            lines.append("...")
        lines.append(f"{number}: {text[number - 1].rstrip()}")
        last = number
    return "\n".join(lines)


def path_of(finding: Mapping[str, Any]) -> str:
    """The steps in one line."""
    return " > ".join(f"{step['at']['line']} {step['message']}" for step in finding["steps"])


def write_sheet(file: Path, packages: Iterable[Package]) -> None:
    """All drawn findings, tab separated; line feeds and tabs inside a field are written as \\n and \\t."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        writer.writerow(SHEET)
        for package in packages:
            for finding in package.drawn:
                fields = [
                    package.name,
                    finding["fingerprint"],
                    finding["at"]["file"],
                    str(finding["at"]["line"]),
                    finding["function"],
                    finding["check"],
                    finding["kind"],
                    finding["confidence"],
                    finding["resource"],
                    finding["message"],
                    path_of(finding),
                    excerpt(package.corpus, finding),
                ]
                writer.writerow([_one_line(text) for text in fields])


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "")


def outcome(judged: Sequence[Judgement]) -> str:
    """ "true", "false" or "open" (fewer than two readers, none of whom says false)."""
    if any(not one.true for one in judged):
        return "false"
    return "true" if len({one.judge for one in judged}) >= 2 else "open"


def overview(packages: Sequence[Package], judgements: Judgements) -> str:
    """Files, functions, acquisitions, decided share, findings and precision; a line per package."""
    rows = []
    totals: Counter[str] = Counter()
    for package in packages:
        counts = _counts(package, judgements)
        totals.update(counts)
        rows.append(_overview_row(package.name, counts))
    if len(packages) > 1:
        rows.append(_overview_row("all", totals))
    head = [
        "package", "files", "with flags", "functions", "degraded", "not analysed", "acquisitions", "decided",
        "findings", "judged", "true", "false", "precision", "low confidence, not shown",
    ]  # fmt: skip
    return markdown(head, rows)


def _counts(package: Package, judgements: Judgements) -> Counter[str]:
    counts: Counter[str] = Counter()
    seen = package.seen
    counts["files"], counts["functions"], counts["hidden"] = seen.files, seen.functions, seen.hidden
    counts["flags"] = len(package.corpus.flags)
    counts["acquisitions"] = len(seen.acquisitions)
    counts["decided"] = sum(a["verdict"] not in UNDECIDED for a in seen.acquisitions)
    counts["findings"] = len(seen.findings)
    for notice in seen.notices:
        counts[notice["kind"]] += 1
    for finding in package.drawn:
        counts[outcome(judgements.get((package.name, finding["fingerprint"]), ()))] += 1
    return counts


def _overview_row(name: str, counts: Counter[str]) -> list[object]:
    judged = counts["true"] + counts["false"]
    return [
        name,
        counts["files"],
        counts["flags"],
        counts["functions"],
        counts["degraded"],
        counts["not-analysed"],
        counts["acquisitions"],
        _share(counts["decided"], counts["acquisitions"]),
        counts["findings"],
        judged,
        counts["true"],
        counts["false"],
        _share(counts["true"], judged),
        counts["hidden"],
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def verdict_table(packages: Sequence[Package]) -> str:
    """Acquisitions by verdict."""
    rows = []
    for verdict in VERDICTS:
        numbers = [sum(a["verdict"] == verdict for a in p.seen.acquisitions) for p in packages]
        rows.append([verdict, *numbers, sum(numbers)])
    return markdown(["verdict", *(p.name for p in packages), "all"], rows)


def finding_table(packages: Sequence[Package], judgements: Judgements) -> str:
    """Every finding to judge, with what was said of it."""
    rows = []
    for package in packages:
        for finding in package.drawn:
            judged = judgements.get((package.name, finding["fingerprint"]), ())
            said = "; ".join(f"{one.judge}: {str(one.true).lower()}: {one.reason}" for one in judged)
            place = f"{package.name}/{finding['at']['file']}:{finding['at']['line']}"
            rows.append([place, finding["check"], finding["message"], outcome(judged), said])
    return markdown(["place", "check", "message", "outcome", "judged"], rows)


def stale(packages: Sequence[Package], judgements: Judgements) -> list[str]:
    """Judgements of findings that are no longer there, in the packages that were run."""
    now = {(package.name, finding["fingerprint"]) for package in packages for finding in package.drawn}
    names = {package.name for package in packages}
    return [f"{package} {mark}" for package, mark in judgements if package in names and (package, mark) not in now]


def reasons(packages: Sequence[Package], top: int = 15) -> str:
    """What keeps acquisitions undecided, the most frequent first."""
    counts = Counter(
        (a["verdict"], a["reason"])
        for package in packages
        for a in package.seen.acquisitions
        if a["verdict"] in UNDECIDED
    )
    rows = [[number, verdict, reason] for (verdict, reason), number in counts.most_common(top)]
    return markdown(["number", "verdict", "reason"], rows)


def main() -> int:
    """Run, write the sheet, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--sheet", type=Path, help="write the findings to judge here")
    parser.add_argument("--judgements", type=Path, default=HERE / "judgements.tsv")
    parser.add_argument("--sample", type=int, default=60, help="findings to judge per package at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="list every judged finding too")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for one package")
    options = parser.parse_args()
    judgements = read_judgements(options.judgements)
    packages = [analyse(path, options.sample, options.seed, options.timeout) for path in options.paths]
    if options.sheet:
        write_sheet(options.sheet, packages)
    print(overview(packages, judgements))
    print("\n" + verdict_table(packages))
    print("\n" + reasons(packages))
    if options.report:
        print("\n" + finding_table(packages, judgements))
    for line in stale(packages, judgements):
        print(f"judged, but not reported any more: {line}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
