"""Recall on real code: a release is spoiled in one of ten ways; is the loss reported, at that resource?

    python bench/mutation.py [--count 1000] [--seed 1] [--list FILE] TREE...

A TREE is a source tree, analysed as one program with default options. A site is a statement that is just a call of a
function which releases its argument, by a pack or by what was inferred of the program (`free(p);`, `ctx_put(ctx);`), or
a variable with a cleanup attribute. Sites are drawn uniformly from all of them, at most 3 for each function. Kept is a
site that is compiled, in a function that has no leak of that resource before. Each gets one mutation (operators.py),
drawn from those that have a place there; one site in six gets one that loses nothing (N1 to N4).

found         there is a leak that was not there before: in the function, of what the site releases, by its name or by
              the acquisition; or elsewhere, and its path leads through the function, or nothing else was changed
escaped       else, and that is the verdict on what was held there
outside       else, and nothing that is known as acquired was held there: it belongs to a parameter, or to a function of
              which nothing is known
still held    else, and the verdict is that a global variable or the caller holds it: nothing is lost here
missed        else
equivalent    else, and every path still ends released, moved or unreachable, or the process ends before something is
              lost, or only a descriptor that is 0, which is a standard stream to the tool: left out, another site is
              drawn. This is the verdict of the tool itself; --list writes them down, too, to be read by hand

In scope are the mutants found and missed. For N1 to N4 every new finding in the function is an alarm.

One run of a tree takes mutations of many files, one in each; those of a parameter's resource take part in one
run each, as they show in callers. The sources are not touched.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import ROOT, VERDICTS, holder_key, markdown, share

sys.path.insert(0, str(ROOT))

from c_source import Source, read_source
from mutants import Site, concerns_text, read, release_positions, sites_of
from operators import LOSING, SILENT, Edit, Operator, Spot, cleanups_of

from analyzer.contracts.model import EffectKind, FunctionContract, Root
from analyzer.findings.model import Acquisition, Finding, NoticeKind, Report, StepKind
from analyzer.ir.ops import Call
from analyzer.report.summary import shown_findings
from analyzer.workspace import Settings, Workspace

_PER_FUNCTION = 3
_NEVER_LOST = ("released", "moved", "unreachable")


@dataclass
class Tree:
    """A source tree and what is known of it unchanged. points: fingerprints of the loss points there are."""

    root: Path
    space: Workspace
    report: Report
    points: frozenset[str]
    releases: Mapping[str, int]
    numbers: frozenset[str]
    shares: frozenset[str]
    sources: dict[str, Source] = field(default_factory=dict)
    compiled: dict[str, dict[str, frozenset[int]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.name


@dataclass(frozen=True)
class Mutation:
    """One site, and what becomes of it."""

    tree: Tree
    site: Site
    operator: str
    edits: tuple[Edit, ...]

    @property
    def file(self) -> str:
        """As reports name it."""
        return str(self.site.file)


@dataclass(frozen=True)
class Outcome:
    """state: see above, or "silent" and "alarm" for N1 to N4."""

    mutation: Mutation
    state: str
    reason: str


def prepare(path: Path, cache: str) -> Tree:
    """Analyses an unchanged tree."""
    space = Workspace(settings(path, cache))
    program = space.link([str(path)])
    report = space.analyse([str(path)])
    releases = {**_releasing(program.inferred()), **release_positions()}
    kinds = space.table.kinds.values()
    numbers = {name for kind in kinds if kind.integer for name in kind.releases}
    shares = {name for kind in kinds if kind.share for name in kind.releases}
    return Tree(path, space, report, _points(report), releases, frozenset(numbers), frozenset(shares))


def settings(path: Path, cache: str) -> Settings:
    """Those of `mustfree check`."""
    return Settings(root=str(path), find_database=True, cache=cache)


def _releasing(contracts: Mapping[str, FunctionContract]) -> dict[str, int]:
    """The program's own functions that release an argument, all of it."""
    return {
        name: effect.term.index
        for name, contract in sorted(contracts.items())
        for outcome in contract.outcomes
        for effect in outcome.effects
        if effect.kind is EffectKind.RELEASE
        and effect.term is not None
        and effect.term.root is Root.PARAM
        and not effect.term.selectors
        and not effect.maybe
    }


def _points(report: Report) -> frozenset[str]:
    return frozenset(point.point for finding in shown_findings(report, False) for point in finding.points or (finding,))


def drawn(trees: Sequence[Tree], chance: random.Random) -> Iterator[tuple[Tree, Site]]:
    """All sites, in the order in which they are tried."""
    found: list[tuple[Tree, Site]] = []
    for tree in trees:
        for file in sorted(file for file in tree.report.seen if file.endswith(".c")):
            text = read(tree.root / file)
            source = tree.sources[file] = read_source(file, text, plain_only=False)
            sites = sites_of(text, 0, Path(file), tree.releases)
            found += [(tree, site) for site in (*sites, *cleanups_of(source))]
    print(f"{len(found)} releases", file=sys.stderr)
    chance.shuffle(found)
    return iter(found)


def spot(tree: Tree, site: Site) -> Spot | None:
    """The site with what operators ask for; None where it is not compiled, or something is lost there already."""
    file = str(site.file)
    source = tree.sources[file]
    function = next((one for one in source.functions if one.start <= site.start <= one.end), None)
    if function is None or not _is_compiled(tree, site):
        return None
    if any(concerned(finding, site, set()) for finding in _leaks(tree.report, file, site.function)):
        return None
    others = [one for one in sites_of(source.text, 0, site.file, tree.releases) if one.function == site.function]
    return Spot(source, function, site, others, site.release in tree.numbers, site.release in tree.shares)


def _is_compiled(tree: Tree, site: Site) -> bool:
    file = str(site.file)
    if file not in tree.compiled:
        try:
            unit = tree.space.lower(str(tree.root / file))
        except Exception:
            tree.compiled[file] = {}
            return False
        tree.compiled[file] = {
            function.name: frozenset(op.at for block in function.blocks for op in block.ops if isinstance(op, Call))
            for function in unit.functions
        }
    calls = tree.compiled[file].get(site.function, frozenset())
    if not site.release:
        return site.function in tree.compiled[file]
    encoded = len(tree.sources[file].text[: site.start].encode("utf-8", "surrogateescape"))
    return any(encoded <= at <= encoded + site.end - site.start for at in calls)


def mutate(text: str, edits: Iterable[Edit]) -> bytes:
    """The changed text."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text.encode("utf-8", "surrogateescape")


def run(mutations: Sequence[Mutation], cache: str) -> Report:
    """Analyses one tree with these mutations, one for each file at most."""
    tree = mutations[0].tree
    overlay = {str(tree.root / one.file): mutate(tree.sources[one.file].text, one.edits) for one in mutations}
    return Workspace(settings(tree.root, cache), overlay, beside=tree.space).analyse([str(tree.root)])


def _leaks(report: Report, file: str, function: str) -> list[Finding]:
    return [
        point
        for finding in shown_findings(report, False)
        if finding.check == "leak" and finding.at.file == file and finding.function == function
        for point in finding.points or (finding,)
    ]


def concerned(finding: Finding, site: Site, held: set[tuple[int, str]]) -> bool:
    """Whether a finding is about what a site releases."""
    if concerns_text(site.argument, finding.resource, finding.message):
        return True
    return any(step.kind is StepKind.ACQUIRE and (step.at.line, finding.callee) in held for step in finding.steps)


def acquisitions(report: Report, site: Site) -> list[Acquisition]:
    """What the site's holder may hold, by its name or by that of what was assigned to it."""
    names = {name.lstrip("*&") for name in (site.argument, *site.sources)}
    return [
        one
        for one in report.acquisitions
        if one.at.file == str(site.file)
        and one.function == site.function
        and holder_key(one.holder).lstrip("*&") in names
    ]


def judge(mutation: Mutation, report: Report) -> Outcome | None:
    """What became of a mutation; None: the file can no longer be read as before."""
    site, tree = mutation.site, mutation.tree
    if _spoiled(mutation, report):
        return None
    before, after = acquisitions(tree.report, site), acquisitions(report, site)
    new = [one for one in _leaks(report, mutation.file, site.function) if one.point not in tree.points]
    if mutation.operator in SILENT:
        others = [
            one
            for one in shown_findings(report, False)
            if one.at.file == mutation.file and one.function == site.function and one.point not in tree.points
        ]
        return Outcome(mutation, "alarm" if others else "silent", others[0].message if others else "")
    held = {(one.at.line, one.callee) for one in (*before, *after)}
    for one in new:
        if concerned(one, site, held):
            return Outcome(mutation, "found", f"{one.kind}")
    if _elsewhere(mutation, report):
        return Outcome(mutation, "found", "elsewhere")
    known = [one for one in after if one.at.line <= site.line or one not in before] or before
    if not known:
        base = re.match(r"[&*(]*(\w+)", site.argument)
        of = base is not None and re.search(rf"\b{base[1]}\b", site.parameters)
        return Outcome(mutation, "outside", "belongs to a parameter" if of else "no known acquisition is held there")
    worst = min(known, key=lambda one: VERDICTS.index(one.verdict.value))
    verdict = worst.verdict.value
    reason = f"{verdict}: {worst.reason}" if worst.reason else verdict
    if verdict in _NEVER_LOST:
        return Outcome(mutation, "equivalent", reason)
    if verdict.startswith("held by a global"):
        ends = worst.reason in ("end of main", "a standard stream") or worst.reason.startswith("noreturn")
        return Outcome(mutation, "equivalent" if ends else "still held", reason)
    states = {"escaped": "escaped", "handed to the caller": "still held"}
    return Outcome(mutation, states.get(verdict, "missed"), reason)


def _spoiled(mutation: Mutation, report: Report) -> bool:
    def bad(one: Report) -> set[str]:
        kinds = (NoticeKind.DEGRADED, NoticeKind.BAD_INPUT)
        return {n.function for n in one.notices if n.file == mutation.file and n.kind in kinds}

    return bool(bad(report) - bad(mutation.tree.report))


def _elsewhere(mutation: Mutation, report: Report) -> bool:
    """Whether another function is told of a new loss that this one makes."""
    called = f"{mutation.site.function}()"
    return any(
        point.point not in mutation.tree.points
        and (point.at.file, point.function) != (mutation.file, mutation.site.function)
        and (_alone(mutation.site) or any(called in step.message for step in point.steps))
        for finding in shown_findings(report, False)
        if finding.check == "leak"
        for point in finding.points or (finding,)
    )


def _alone(site: Site) -> bool:
    base = re.match(r"[&*(]*(\w+)", site.argument)
    return base is not None and re.search(rf"\b{base[1]}\b", site.parameters) is not None


class Trial:
    """Draws mutations and judges them until there are enough."""

    def __init__(self, trees: Sequence[Tree], count: int, seed: int, cache: str) -> None:
        self.count, self.cache = count, cache
        self.chance = random.Random(seed)
        self.queue = drawn(trees, self.chance)
        self.used: Counter[tuple[str, str, str]] = Counter()
        self.turns: Counter[str] = Counter()
        self.outcomes: list[Outcome] = []

    def all(self) -> list[Outcome]:
        """Outcomes, those that do not count among them."""
        while self._counted() < self.count:
            batch = self._batch(self.count - self._counted())
            if not batch:
                break
            for group in self._groups(batch):
                self._judged(group)
                print(f"{self._counted()}/{self.count}", file=sys.stderr, flush=True)
        return self.outcomes

    def _counted(self) -> int:
        return sum(one.state not in ("equivalent", "silent", "alarm") for one in self.outcomes)

    def _batch(self, wanted: int) -> list[Mutation]:
        batch: list[Mutation] = []
        for tree, site in self.queue:
            key = (tree.name, str(site.file), site.function)
            if self.used[key] >= _PER_FUNCTION:
                continue
            place = spot(tree, site)
            if place is None:
                continue
            silent = self.chance.randrange(6) == 0
            mutation = self._mutation(tree, place, SILENT if silent else LOSING)
            if mutation is not None:
                self.used[key] += 1
                batch.append(mutation)
            if len(batch) >= wanted + wanted // 4 + 1:
                break
        return batch

    def _mutation(self, tree: Tree, place: Spot, operators: Mapping[str, Operator]) -> Mutation | None:
        """With the operator that has had the fewest turns, of those that have a place here."""
        fitting = {name: edits for name in operators if (edits := operators[name](place, self.chance))}
        if not place.site.release:
            fitting = {name: edits for name, edits in fitting.items() if name.startswith("M8")}
        if not fitting:
            return None
        name = min(fitting, key=lambda one: (self.turns[one], self.chance.random()))
        self.turns[name] += 1
        return Mutation(tree, place.site, name, tuple(fitting[name]))

    def _groups(self, batch: Sequence[Mutation]) -> Iterator[list[Mutation]]:
        """What can be analysed in one run."""
        waiting: dict[str, list[Mutation]] = defaultdict(list)
        for one in batch:
            if _alone(one.site):
                yield [one]
            else:
                waiting[one.tree.name].append(one)
        for many in waiting.values():
            while many:
                files: set[str] = set()
                group = [one for one in many if one.file not in files and not files.add(one.file)]
                yield group
                many = [one for one in many if one not in group]

    def _judged(self, group: list[Mutation]) -> None:
        report = run(group, self.cache)
        for one in group:
            outcome = judge(one, report)
            if outcome is not None:
                self.outcomes.append(outcome)


def tables(outcomes: Sequence[Outcome]) -> str:
    """By operator, by tree, the silent ones, and the reasons."""
    losing = [one for one in outcomes if one.mutation.operator in LOSING]
    by_operator = [(name, [one for one in losing if one.mutation.operator == name]) for name in LOSING]
    names = sorted({one.mutation.tree.name for one in losing})
    by_tree = [(name, [one for one in losing if one.mutation.tree.name == name]) for name in names]
    head = ["", "equivalent", "mutants", "found", "missed", "escaped", "still held", "outside",
            "in scope", "found in scope", "found of all"]  # fmt: skip
    text = markdown(head, [_row(name, group) for name, group in [*by_operator, ("all", losing)]])
    text += "\n\n" + markdown(head, [_row(name, group) for name, group in by_tree])
    quiet = [(name, [one for one in outcomes if one.mutation.operator == name]) for name in SILENT]
    rows = [[name, len(group), sum(one.state == "alarm" for one in group)] for name, group in quiet]
    text += "\n\n" + markdown(["", "changes", "alarms"], rows)
    reasons = Counter((one.state, one.reason) for one in losing if one.state != "found")
    rows = [[state, number, reason] for (state, reason), number in sorted(reasons.items(), key=lambda it: -it[1])]
    return text + "\n\n" + markdown(["state", "number", "reason"], rows[:40])


def _row(name: str, group: Sequence[Outcome]) -> list[object]:
    states = Counter(one.state for one in group)
    number = len(group) - states["equivalent"]
    inside = states["found"] + states["missed"]
    return [
        name, states["equivalent"], number, states["found"], states["missed"], states["escaped"],
        states["still held"], states["outside"], share(inside, number), share(states["found"], inside),
        share(states["found"], number),
    ]  # fmt: skip


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="TREE")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--list", type=Path, metavar="FILE", help="write every mutation and its outcome there, a JSON line each"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        trees = [prepare(path.resolve(), cache) for path in options.paths]
        outcomes = Trial(trees, options.count, options.seed, cache).all()
    print(tables(outcomes))
    if options.list:
        with options.list.open("w", encoding="utf-8") as file:
            for one in outcomes:
                site = one.mutation.site
                row = {
                    "tree": one.mutation.tree.name, "file": str(site.file), "line": site.line,
                    "function": site.function, "release": site.release, "argument": site.argument,
                    "operator": one.mutation.operator, "state": one.state, "reason": one.reason,
                    "edits": one.mutation.edits,
                }  # fmt: skip
                file.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
