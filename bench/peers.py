"""Side by side with other analyzers: gcc -fanalyzer, cppcheck, clang-tidy, each as it comes and told of libnl.

    python bench/peers.py [--include DIR ...] [--gcc PROGRAM] [--cppcheck PROGRAM] [--clang-tidy PROGRAM]
        [--corpus DIR --mirror DIR --work DIR] [--mutants N --seed 1 TREE...]

Prints Markdown. What a peer is told of libnl stands in bench/models/; --include is a folder of headers (libnl's,
say) for everybody. A peer that is not there is named and left out.

fixtures   unless --no-fixtures: every file below fixtures/ but those that are about one library each. Each file
           alone, for us as for them. A mark asks for a finding (known misses of ours included, known false alarms of
           ours not); it is found when the function has a report of a fitting kind that serves no other mark. A function
           without marks is correct; it is alarmed when it has a report of a leak, a double, a wrong or a late release.
incident   with the fixtures: the three states of the daemon, in the same way.
fixes      with --corpus: real fixes, scored as bench/fixes.py does it.
mutants    with --mutants and TREEs with a compile_commands.json: one release deleted, drawn as bench/mutants.py does
           it. Found is a mutant when the function then has a report of a leak that it did not have before. Which
           mutants are equivalent, and so left out, is the verdict of mustfree itself.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutants
from analyzers import MAKERS, Analyzer, Ours, Report, Result, present
from fixes import load_script
from harness import ROOT, Corpus, load_corpus, markdown, share

sys.path.insert(0, str(ROOT))

from analyzer.trials.marks import CHECKS, Span, functions, read

FITS = {
    "leak": ("leak",),
    "double-release": ("double", "uaf"),
    "use-after-release": ("uaf", "double"),
    "wrong-release": ("mismatch", "leak"),
    "uninitialized-release": ("uninit",),
}
"""Check that a mark asks for -> kinds of reports that will do."""

ALARMS = ("leak", "double", "uaf", "mismatch")
_LIBRARY = re.compile(r"\b(?:nl|nla|nlmsg|nlh|rtnl|genl|genlmsg|nfnl)_\w+\s*\(")
GROUPS = ("nl_recv", "other libnl", "libc and own functions")


@dataclass(frozen=True)
class Case:
    """A function of a fixture. wanted: (check, resource) for each mark; group: one of `GROUPS`."""

    span: Span
    wanted: tuple[tuple[str, str], ...]
    group: str


@dataclass
class Score:
    """Counts over cases: marks and those found, correct functions and those alarmed."""

    wanted: int = 0
    found: int = 0
    correct: int = 0
    alarmed: int = 0

    def add(self, other: Score) -> None:
        """Add another one."""
        self.wanted += other.wanted
        self.found += other.found
        self.correct += other.correct
        self.alarmed += other.alarmed


def cases(source: str) -> Iterator[Case]:
    """The functions of a fixture with what their marks ask for."""
    lines = source.splitlines()
    marks = [mark for mark in read(source) if mark.word in CHECKS and mark.known != "FP"]
    for span in functions(source):
        text = "\n".join(lines[span.first - 1 : span.last])
        wanted = tuple((mark.word, mark.subject) for mark in marks if span.first <= mark.line <= span.last)
        group = GROUPS[0] if re.search(r"\bnl_recv\s*\(", text) else GROUPS[1] if _LIBRARY.search(text) else GROUPS[2]
        yield Case(span, wanted, group)


def score(case: Case, reports: Iterable[Report]) -> Score:
    """One function: each report serves one mark, first one that it names."""
    inside = [one for one in reports if case.span.first <= one.line <= case.span.last]
    if not case.wanted:
        return Score(correct=1, alarmed=int(any(one.kind in ALARMS for one in inside)))
    found = 0
    left = list(case.wanted)
    for named in (True, False):
        for wanted in list(left):
            fitting = [one for one in inside if one.kind in FITS[wanted[0]] and (not named or names(wanted[1], one))]
            if fitting:
                inside.remove(fitting[0])
                left.remove(wanted)
                found += 1
    return Score(len(case.wanted), found)


def names(resource: str, report: Report) -> bool:
    """Whether the report speaks of the resource: by the last part of its name."""
    last = re.split(r"->|\.", re.sub(r"[*&()\s]", "", resource))[-1]
    return bool(last) and re.search(rf"(?<!\w){re.escape(last)}(?!\w)", report.message) is not None


def fixture_files() -> list[Path]:
    """The files that are looked at, the incident's left out."""
    skipped = ("frontend", "contracts", "incident", "include")
    top = ROOT / "fixtures"
    return [file for file in sorted(top.rglob("*.c")) if file.relative_to(top).parts[0] not in skipped]


def judged(
    analyzers: Sequence[Analyzer], files: Sequence[Path], timeout: float
) -> tuple[dict[str, dict[str, Score]], dict[str, list[str]]]:
    """Scores by analyzer and group, and the files that an analyzer could not read."""
    scores = {one.label: {group: Score() for group in GROUPS} for one in analyzers}
    trouble: dict[str, list[str]] = {one.label: [] for one in analyzers}
    for file in files:
        source = file.read_text()
        flags = [flag for mark in read(source) if mark.word == "args" for flag in mark.subject.split()]
        known = list(cases(source))
        for one in analyzers:
            result = one.analyse(file, flags, file.parent, "", timeout)
            if result.trouble:
                trouble[one.label].append(f"{file.relative_to(ROOT)}: {result.trouble}")
            mine = [report for report in result.reports if report.file == file.name]
            for case in known:
                scores[one.label][case.group].add(score(case, mine))
        print(f"{file.relative_to(ROOT)}", file=sys.stderr, flush=True)
    return scores, trouble


def fixtures_table(analyzers: Sequence[Analyzer], timeout: float) -> str:
    """Fixtures, then the incident."""
    scores, trouble = judged(analyzers, fixture_files(), timeout)
    head = ["analyzer"]
    for group in GROUPS:
        head += [f"{group}: found", "alarmed"]
    rows = []
    for one in analyzers:
        row: list[object] = [one.label]
        for group in GROUPS:
            mine = scores[one.label][group]
            row += [f"{mine.found} of {mine.wanted}", f"{mine.alarmed} of {mine.correct}"]
        rows.append([*row, len(trouble[one.label])])
    text = "## Fixtures\n\n" + markdown([*head, "files not analysed"], rows)
    text += "\n\n## The incident\n\n"
    top = ROOT / "fixtures" / "incident"
    states = [(name, sorted((top / name).glob("*.c"))) for name in ("before", "leaking", "fixed")]
    found = {name: judged(analyzers, files, timeout)[0] for name, files in states}
    rows = []
    for one in analyzers:
        row = [one.label]
        for name, _ in states:
            total = Score()
            for mine in found[name][one.label].values():
                total.add(mine)
            row.append(f"{total.found} of {total.wanted}, {total.alarmed} alarmed")
        rows.append(row)
    text += markdown(["analyzer", *(name for name, _ in states)], rows)
    return text + listed("Fixtures that were not analysed", trouble)


def listed(title: str, trouble: dict[str, list[str]]) -> str:
    """What an analyzer could not read, as a list."""
    lines = [f"- {label}: {item}" for label, items in trouble.items() for item in items[:5]]
    return f"\n\n{title}, at most five of each:\n\n" + "\n".join(lines) if lines else ""


# -- real fixes


def fixes_table(analyzers: Sequence[Analyzer], corpus: Path, mirror: Path, work: Path, timeout: float) -> str:
    """Both sides of each record, as the records' own script judges them."""
    script = load_script(corpus)
    records = script.load_records(str(corpus / "leakfixes.yaml"))
    count: dict[str, Counter[str]] = {one.label: Counter() for one in analyzers}
    trouble: dict[str, list[str]] = {one.label: [] for one in analyzers}
    for number, record in enumerate(records, 1):
        sides = {side: script.prepare(record, side, str(mirror), str(work)) for side in ("before", "after")}
        for one in analyzers:
            seen = {side: _side(script, one, record, side, info, timeout) for side, info in sides.items()}
            (before, result), (after, later) = seen["before"], seen["after"]
            problem = result.trouble or later.trouble
            if problem:
                trouble[one.label].append(f"{record['id']}: {problem}")
            count[one.label].update(
                {
                    "records": 1,
                    "analysed": not problem,
                    "in function": before["func"],
                    "found": before["strict"],
                    "won": before["strict"] and not after["strict"],
                    "after": after["strict"],
                    "won A": before["strict"] and not after["strict"] and record["quality"] == "A",
                    "A": record["quality"] == "A",
                }
            )
        print(f"{number}/{len(records)} {record['id']}", file=sys.stderr, flush=True)
    rows = []
    for one in analyzers:
        mine = count[one.label]
        won = share(mine["won"], mine["records"])
        rows.append([one.label, mine["records"], mine["analysed"], mine["in function"], mine["found"], mine["after"],
                     mine["won"], won, f"{mine['won A']} of {mine['A']}"])  # fmt: skip
    head = ["analyzer", "fixes", "analysed", "report in the function", "found", "still reported after", "won",
            "share won", "won of quality A"]  # fmt: skip
    return "## Real fixes\n\n" + markdown(head, rows) + listed("Fixes not analysed on both sides", trouble)


def _side(
    script: Any, one: Analyzer, record: dict[str, Any], side: str, info: dict[str, Any], timeout: float
) -> tuple[dict[str, Any], Result]:
    source = Path(info["file"]).resolve()
    flags = ["-I" + str(Path(flag[2:]).resolve()) if flag.startswith("-I") else flag for flag in info["flags"]]
    result = one.analyse(source, flags, Path(info["root"]), record["function"], timeout)
    span = script.find_function(source.read_text(encoding="utf-8", errors="replace"), record["function"])
    reports = [
        {"rule": item.rule, "line": item.line, "file": item.file, "msg": item.message,
         "kind": "other" if item.kind == "uninit" else item.kind}
        for item in result.reports
    ]  # fmt: skip
    return script.judge(record, side, reports, span), result


# -- mutants


def new_leaks(before: Sequence[Report], after: Sequence[Report], first: int, last: int) -> list[Report]:
    """Reports of leaks in these lines that were not there before; a mutation moves no line."""

    def inside(reports: Sequence[Report]) -> Counter[tuple[int, str]]:
        return Counter((one.line, one.message) for one in reports if one.kind == "leak" and first <= one.line <= last)

    more = inside(after) - inside(before)
    return [one for one in after if more[one.line, one.message]]


def mutants_table(analyzers: Sequence[Analyzer], trees: Sequence[Path], count: int, seed: int, timeout: float) -> str:
    """The same mutants for all."""
    corpora = [load_corpus(tree, flagged=True) for tree in trees]
    outcomes = [
        one for one in mutants.run(corpora, count, seed, 3, timeout, 1) if one.state != "equivalent"
    ]  # fmt: skip
    peers = [one for one in analyzers if not isinstance(one, Ours)]
    found: dict[str, Counter[str]] = {one.label: Counter() for one in peers}
    trouble: dict[str, list[str]] = {one.label: [] for one in peers}
    with tempfile.TemporaryDirectory() as folder:
        shadows = [mutants.Shadow(corpus, Path(folder) / str(n)) for n, corpus in enumerate(corpora)]
        for number, outcome in enumerate(outcomes, 1):
            site = outcome.site
            for one in peers:
                seen, problem = _mutant(one, shadows[site.corpus], corpora[site.corpus], site, timeout)
                found[one.label][outcome.state] += bool(seen)
                if problem:
                    trouble[one.label].append(f"{site.file.name}:{site.line}: {problem}")
            print(f"mutant {number}/{len(outcomes)}", file=sys.stderr, flush=True)
    states = Counter(outcome.state for outcome in outcomes)
    order = ("found", "missed", "escaped", "held", "outside")
    rows: list[list[object]] = [["mustfree", states["found"], share(states["found"], len(outcomes))]]
    rows[0] += [f"{states[state] if state == 'found' else 0} of {states[state]}" for state in order] + [0]
    for one in peers:
        mine = found[one.label]
        total = sum(mine.values())
        rows.append([one.label, total, share(total, len(outcomes))])
        rows[-1] += [f"{mine[state]} of {states[state]}" for state in order] + [len(trouble[one.label])]
    head = ["analyzer", "found", "share", "of those we found", "of those we missed", "of those that escape us",
            "of those still held", "of those out of our scope", "not analysed"]  # fmt: skip
    names_of = ", ".join(corpus.name for corpus in corpora)
    return (
        f"## Mutants\n\n{len(outcomes)} mutants of {names_of}.\n\n"
        + markdown(head, rows)
        + listed("Mutants not analysed", trouble)
    )


def _mutant(
    one: Analyzer, shadow: mutants.Shadow, corpus: Corpus, site: mutants.Site, timeout: float
) -> tuple[list[Report], str]:
    text = mutants.read(site.file)
    code = mutants.blank(text)
    start, end = next((a, b) for _, _, a, b in mutants.functions(code) if a <= site.start <= b)
    first, last = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    where, flags = corpus.flags[site.file]
    results = []
    for version in (text, mutants.mutate(text, site)):
        with shadow.holding(site.file, version) as place:
            results.append(one.analyse(place, flags, Path(where), site.function, timeout))
    mine = [[report for report in result.reports if report.file == site.file.name] for result in results]
    return new_leaks(mine[0], mine[1], first, last), results[0].trouble or results[1].trouble


def main() -> int:
    """Run what is asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trees", nargs="*", type=Path, metavar="TREE")
    parser.add_argument("--include", action="append", default=[], metavar="DIR")
    for name in MAKERS:
        parser.add_argument(f"--{name}", default=name, metavar="PROGRAM")
    parser.add_argument("--peer", action="append", default=[], choices=list(MAKERS), help="only this one (repeatable)")
    parser.add_argument("--no-fixtures", action="store_true", help="leave out the fixtures and the incident")
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--mutants", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one file")
    options = parser.parse_args()
    if options.corpus and not (options.mirror and options.work):
        parser.error("--corpus needs --mirror and --work")
    if options.mutants and not options.trees:
        parser.error("--mutants needs trees with a compile_commands.json")
    includes = ["-I" + str(Path(folder).resolve()) for folder in options.include]
    analyzers, absent = present({name: getattr(options, name.replace("-", "_")) for name in MAKERS}, includes)
    print(
        "## Who\n\n" + markdown(["analyzer", "version", "options"], [[a.label, a.version, a.told] for a in analyzers])
    )
    if options.peer:
        analyzers = [one for one in analyzers if isinstance(one, Ours) or one.label.split()[0] in options.peer]
    if absent:
        print(f"\nNot there, so left out: {', '.join(absent)}.")
    if not options.no_fixtures:
        print("\n" + fixtures_table(analyzers, options.timeout), flush=True)
    if options.corpus:
        paths = [path.resolve() for path in (options.corpus, options.mirror, options.work)]
        print("\n" + fixes_table(analyzers, *paths, options.timeout), flush=True)
    if options.mutants:
        print("\n" + mutants_table(analyzers, options.trees, options.mutants, options.seed, options.timeout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
