"""Recall on mutants: one release is deleted from real code; is the loss reported at that resource?

    python bench/mutants.py [--count 100] [--seed 1] [--list] PATH...

A PATH is a source tree; its compile_commands.json gives the flags. A site is a statement that is just a
call of a function which a contract says releases its argument: `free(p);`, `close(fd);`. Sites are drawn
uniformly over all trees, at most 3 per file. Kept is a site that is compiled (not left out by the
preprocessor) and where the unchanged function has no leak finding for that resource. The statement is
replaced by `;`, lines stay. Both versions are analysed alone with default options.

found         the function has a leak finding that was not there before, and it names the expression or
              belongs to an acquisition that the expression held
escaped       else, and that is the verdict on what the expression held
not in scope  else, and nothing that a contract knows as acquired in this function was held in it
still held    else, and the verdict on the mutant is that a global or the caller holds it: nothing is lost here
missed        else

Equivalent mutants are left out and another site is drawn: without the release every path still ends released,
moved or unreachable (the deleted statement was not reached with the resource owned), or the process ends
before anything is lost (the end of main, a function that does not return). This is the verdict of the tool
itself, so --list shows them too, with the verdicts, to be read by hand.

In scope are the mutants found and missed: the resource is acquired in this function by a function with a
contract, does not escape to unknown code, and nobody holds it after the function without the release.

The sources are not touched: mutants live in a temporary folder of links.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness import ROOT, VERDICTS, Checked, Corpus, check, holder_key, load_corpus, lowered, markdown, share

sys.path.insert(0, str(ROOT))

from analyzer.contracts.model import EffectKind, Root
from analyzer.contracts.packs import load_packs

_BLANKED = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:[^\\\n]|\\.|\\\n)*",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Site:
    """One release statement. start, end: offsets in the text; argument: what is released.

    sources: what was assigned to it before (`buf = bigger;`), which may be where the resource was put first.
    """

    corpus: int
    file: Path
    start: int
    end: int
    line: int
    function: str
    parameters: str
    release: str
    argument: str
    sources: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant. state: found, escaped, outside, held, missed, equivalent.

    before: verdict on the resource in the unchanged function.
    """

    site: Site
    state: str
    reason: str
    before: str = ""


def release_positions() -> dict[str, int]:
    """Releasing functions of the shipped contracts -> position of the argument they release.

    Without those that give something back for it, such as realloc().
    """
    table = load_packs()
    found: dict[str, int] = {}
    for name in table.releasing_names - table.acquiring_names:
        for contract in table.all_named(name):
            for outcome in contract.outcomes:
                for effect in outcome.effects:
                    term = effect.term
                    if effect.kind is EffectKind.RELEASE and term and term.root is Root.PARAM:
                        found.setdefault(name, term.index)
    return found


def blank(text: str) -> str:
    """The text with comments, literals and directives blanked; offsets stay."""
    return _BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def functions(code: str) -> Iterator[tuple[str, str, int, int]]:
    """(name, parameters, start of body, end of body) of each definition in blanked text.

    A brace in the first column ends a function in any case, so that conditional compilation
    with unbalanced braces spoils one function only.
    """
    depth = 0
    start = -1
    for match in re.finditer(r"^}|[{}]", code, re.MULTILINE):
        place = match.start()
        if match.group() == "{":
            if depth == 0:
                start = place
            depth += 1
            continue
        first_column = place == 0 or code[place - 1] == "\n"
        depth = 0 if first_column else max(0, depth - 1)
        if depth == 0 and start >= 0:
            head = _head(code, start)
            if head:
                yield (*head, start, place)
            start = -1


def _head(code: str, brace: int) -> tuple[str, str] | None:
    before = code[max(0, brace - 2000) : brace].rstrip()
    if not before.endswith(")"):
        return None
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(before[place], 0)
        if depth == 0:
            name = re.search(r"(\w+)\s*$", before[:place])
            return (name.group(1), before[place + 1 : -1]) if name else None
    return None


def sites_of(text: str, corpus: int, file: Path, releases: Mapping[str, int]) -> Iterator[Site]:
    """All release statements of one file."""
    code = blank(text)
    call = re.compile(r"(?:^|[;{}:)]|\belse\b)\s*((?:\(\s*void\s*\)\s*)?(\w+)\s*\()")
    for name, parameters, start, end in functions(code):
        if name in releases:
            continue
        for match in call.finditer(code, start, end):
            release = match.group(2)
            if release not in releases:
                continue
            close = matching(code, match.end() - 1, end)
            stop = re.compile(r"\s*;").match(code, close + 1, end)
            if close < 0 or stop is None:
                continue
            given = arguments(text[match.end() : close])
            position = releases[release]
            if position < len(given) and re.search(r"[A-Za-z_]", given[position]):
                line = text.count("\n", 0, match.start(1)) + 1
                argument = holder_key(given[position])
                sources = _sources(code[start : match.start(1)], argument)
                yield Site(corpus, file, match.start(1), stop.end(), line, name, parameters, release, argument, sources)


def _sources(body: str, argument: str) -> frozenset[str]:
    """Variables that are assigned to the argument in this part of the body."""
    squeezed = re.sub(r"\s+", "", body)
    given = re.findall(rf"(?<![\w.>]){re.escape(argument)}=(?:\([\w*]+\))?([A-Za-z_][\w.>-]*);", squeezed)
    return frozenset(given)


def matching(code: str, opening: int, end: int) -> int:
    """Where the bracket at `opening` is closed; -1: not before `end`."""
    depth = 0
    for place in range(opening, end):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place
    return -1


def arguments(text: str) -> list[str]:
    """What stands between the commas of a list."""
    parts, depth, current = [], 0, ""
    for char in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def mutate(text: str, site: Site) -> str:
    """The text without the site's statement: an empty statement takes its place, lines stay."""
    lines = re.sub(r"[^\n]", "", text[site.start : site.end])
    return text[: site.start] + ";" + lines + text[site.end :]


MARKER = "deleted_release_"


class Shadow:
    """A corpus as a folder of links, in which single files are replaced for a moment."""

    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.corpus = corpus
        self.top = folder / corpus.name
        for current, folders, names in os.walk(corpus.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            here = self.top / Path(current).relative_to(corpus.path)
            here.mkdir(parents=True)
            for name in names:
                if name.endswith((".c", ".h", ".inc", ".def")):
                    (here / name).symlink_to(Path(current) / name)
        self.database = self._database()

    def _database(self) -> Path | None:
        if self.corpus.database is None:
            return None
        entries = [
            {"directory": where, "file": str(self.of(file)), "arguments": ["cc", *flags, str(self.of(file))]}
            for file, (where, flags) in self.corpus.flags.items()
        ]
        out = self.top / "compile_commands.json"
        out.write_text(json.dumps(entries), encoding="utf-8")
        return out

    def of(self, file: Path) -> Path:
        """Where the file is in the shadow."""
        return self.top / file.relative_to(self.corpus.path)

    @contextlib.contextmanager
    def holding(self, file: Path, text: str) -> Iterator[Path]:
        """The file's place, with this text in it as long as the context lasts."""
        place = self.of(file)
        place.unlink()
        place.write_bytes(text.encode("utf-8", "surrogateescape"))
        try:
            yield place
        finally:
            place.unlink()
            place.symlink_to(file)

    def check(self, file: Path, text: str, timeout: float) -> Checked:
        """Analyse the file alone, with this text."""
        with self.holding(file, text) as place:
            return check([place], cwd=self.top, database=self.database, timeout=timeout)

    def compiles(self, site: Site, text: str, timeout: float) -> bool:
        """Whether the site's statement is compiled: a call in its place is seen in the function."""
        marked = text[: site.start] + f"{MARKER}();" + text[site.end :]
        with self.holding(site.file, marked) as place:
            return MARKER in lowered(place, site.function, cwd=self.top, database=self.database, timeout=timeout)


def read(file: Path) -> str:
    """The file's text; any byte survives, line ends stay."""
    return file.read_bytes().decode("utf-8", "surrogateescape")


def leaks(seen: Checked, function: str) -> dict[str, dict[str, Any]]:
    """Leak findings of a function by fingerprint."""
    return {f["fingerprint"]: f for f in seen.findings if f["check"] == "leak" and f["function"] == function}


def concerns(finding: Mapping[str, Any], site: Site, held: set[tuple[int, str]]) -> bool:
    """Whether a finding is about the mutated resource: by its name, or by an acquisition held in it."""
    if concerns_text(site.argument, finding["resource"], finding["message"]):
        return True
    return any(
        step["kind"] == "acquire" and (step["at"]["line"], finding["callee"]) in held for step in finding["steps"]
    )


def concerns_text(argument: str, resource: str, message: str) -> bool:
    """Whether a finding names what is released, as its resource or in its message."""
    return holder_key(resource) == argument or _named(argument, message)


def _named(argument: str, message: str) -> bool:
    squeezed = "".join(message.split()) if re.search(r"\W", argument) else message
    return re.search(rf"(?<![\w>.]){re.escape(argument)}(?!\w)", squeezed) is not None


def acquisitions(seen: Checked, site: Site) -> list[dict[str, Any]]:
    """Acquisitions of the function whose holder is what the site releases, or was assigned to it."""
    names = {name.lstrip("*&") for name in (site.argument, *site.sources)}
    return [
        a for a in seen.acquisitions if a["function"] == site.function and holder_key(a["holder"]).lstrip("*&") in names
    ]


def judge(site: Site, before: Checked, after: Checked) -> Outcome:
    """What became of a mutant."""
    held = {(a["line"], a["callee"]) for a in (*acquisitions(before, site), *acquisitions(after, site))}
    old = leaks(before, site.function)
    for fingerprint, finding in leaks(after, site.function).items():
        if fingerprint not in old and concerns(finding, site, held):
            return Outcome(site, "found", f"line {finding['at']['line']}: {finding['kind']}")
    known = _held_at(site, before, after)
    if not known:
        return Outcome(site, *_outside(site, after))
    worst = min(known, key=lambda a: VERDICTS.index(a["verdict"]))
    reason = worst["verdict"] + (f": {worst['reason']}" if worst["reason"] else "")
    if worst["verdict"] == "leaked":
        reason += " (finding not shown by default)"
    return Outcome(site, _state(worst["verdict"], worst["reason"]), reason)


def _worst(known: Sequence[Mapping[str, Any]]) -> str:
    return min((a["verdict"] for a in known), key=VERDICTS.index, default="")


def _state(verdict: str, reason: str) -> str:
    """The state of a mutant without a new finding, from the worst verdict on what was to be released."""
    if verdict in ("released", "moved", "unreachable"):
        return "equivalent"
    if verdict.startswith("held by a global"):
        return "equivalent" if reason == "end of main" or reason.startswith("noreturn") else "held"
    return {"escaped": "escaped", "handed to the caller": "held"}.get(verdict, "missed")


def _held_at(site: Site, before: Checked, after: Checked) -> list[dict[str, Any]]:
    """The mutant's acquisitions that the released expression may hold at the site.

    One further down only counts when the deletion changed its verdict (a loop); otherwise the release is of
    what a parameter brought along, as in a setter: `free(p->name); p->name = strdup(name);`.
    """
    old = Counter((a["line"], a["callee"], a["slot"], a["verdict"]) for a in acquisitions(before, site))
    return [
        a
        for a in acquisitions(after, site) or acquisitions(before, site)
        if a["line"] <= site.line or (a["line"], a["callee"], a["slot"], a["verdict"]) not in old
    ]


def _outside(site: Site, seen: Checked) -> tuple[str, str]:
    notes = [n for n in seen.notices if n["kind"] == "not-analysed" and n["function"] in ("", site.function)]
    if notes:
        return "missed", f"not analysed: {notes[0]['message'][:100]}"
    base = re.match(r"[&*(]*(\w+)", site.argument)
    name = base.group(1) if base else ""
    if re.search(rf"\b{name}\b", blank(site.parameters)):
        return "outside", "belongs to a parameter"
    return "outside", "no acquisition with a contract is held there in this function"


def silent(site: Site, before: Checked) -> bool:
    """Whether the unchanged function has no leak finding for the resource."""
    held = {(a["line"], a["callee"]) for a in acquisitions(before, site)}
    return not any(concerns(finding, site, held) for finding in leaks(before, site.function).values())


class Judge:
    """Judges sites, several at a time, each in a shadow of its own."""

    def __init__(self, corpora: Sequence[Corpus], folder: Path, jobs: int, timeout: float) -> None:
        self.timeout = timeout
        self.free: queue.SimpleQueue[list[Shadow]] = queue.SimpleQueue()
        for job in range(jobs):
            self.free.put([Shadow(corpus, folder / str(job) / str(n)) for n, corpus in enumerate(corpora)])
        self.originals: dict[Path, Checked] = {}
        self.locks: dict[Path, threading.Lock] = defaultdict(threading.Lock)

    def judge(self, site: Site) -> Outcome | None:
        """What became of the site's mutant; None where it is no site: not compiled, or not silent before."""
        shadows = self.free.get()
        try:
            return self._judge(site, shadows[site.corpus], read(site.file))
        finally:
            self.free.put(shadows)

    def _judge(self, site: Site, shadow: Shadow, text: str) -> Outcome | None:
        try:
            with self.locks[site.file]:
                if site.file not in self.originals:
                    self.originals[site.file] = shadow.check(site.file, text, self.timeout)
            before = self.originals[site.file]
            if not silent(site, before) or not shadow.compiles(site, text, self.timeout):
                return None
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"left out, no result for the unchanged file: {site.file}: {type(error).__name__}", file=sys.stderr)
            return None
        was = _worst(acquisitions(before, site))
        try:
            after = shadow.check(site.file, mutate(text, site), self.timeout)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return Outcome(site, "missed", f"no result: {type(error).__name__}", was)
        return replace(judge(site, before, after), before=was)


def run(corpora: Sequence[Corpus], count: int, seed: int, per_file: int, timeout: float, jobs: int) -> list[Outcome]:
    """Draw and judge the mutants. The result does not depend on the number of jobs."""
    releases = release_positions()
    sites = [
        site
        for index, corpus in enumerate(corpora)
        for file in corpus.files
        for site in sites_of(read(file), index, file, releases)
    ]
    print(f"{len(sites)} release statements", file=sys.stderr)
    random.Random(seed).shuffle(sites)
    used: Counter[Path] = Counter()
    outcomes: list[Outcome] = []
    number = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        judging = Judge(corpora, Path(folder), jobs, timeout)
        while sites and number < count:
            window = [site for site in sites[: 2 * jobs] if used[site.file] < per_file]
            sites = sites[2 * jobs :]
            for site, outcome in zip(window, pool.map(judging.judge, window), strict=True):
                if outcome is None or used[site.file] >= per_file or number >= count:
                    continue
                outcomes.append(outcome)
                if outcome.state != "equivalent":
                    used[site.file] += 1
                    number += 1
                place = f"{site.file}:{site.line} {site.function}: {site.release}({site.argument})"
                print(f"{number}/{count} {outcome.state}: {place}: {outcome.reason}", file=sys.stderr, flush=True)
    return outcomes


def tables(outcomes: Sequence[Outcome], corpora: Sequence[Corpus]) -> str:
    """Totals by corpus, then the reasons."""
    rows: list[list[object]] = []
    groups = [(corpus.name, [o for o in outcomes if o.site.corpus == n]) for n, corpus in enumerate(corpora)]
    for name, group in [*groups, ("all", list(outcomes))]:
        states = Counter(outcome.state for outcome in group)
        number = len(group) - states["equivalent"]
        inside = states["found"] + states["missed"]
        rows.append(
            [
                name,
                states["equivalent"],
                number,
                states["found"],
                states["missed"],
                states["escaped"],
                states["held"],
                states["outside"],
                share(inside, number),
                share(states["found"], number),
                share(states["found"], number - states["escaped"]),
                share(states["found"], inside),
            ]
        )
    head = [
        "corpus", "equivalent", "mutants", "found", "missed", "escaped", "still held", "not in scope", "in scope",
        "found of all", "found of not escaped", "found in scope",
    ]  # fmt: skip
    reasons = Counter((o.state, re.sub(r"line \d+: ", "", o.reason)) for o in outcomes)
    why = [[state, number, reason] for (state, reason), number in sorted(reasons.items())]
    return markdown(head, rows) + "\n\n" + markdown(["state", "number", "reason"], why)


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-file", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one file")
    parser.add_argument("--jobs", type=int, default=2, help="mutants judged at a time")
    parser.add_argument("--list", action="store_true", help="list every mutant")
    options = parser.parse_args()
    corpora = [load_corpus(path) for path in options.paths]
    outcomes = run(corpora, options.count, options.seed, options.per_file, options.timeout, options.jobs)
    print(tables(outcomes, corpora))
    if options.list:
        rows = []
        for outcome in outcomes:
            site = outcome.site
            place = f"{corpora[site.corpus].name}/{site.file.relative_to(corpora[site.corpus].path)}"
            deleted = f"{site.release}({site.argument})"
            rows.append([f"{place}:{site.line}", site.function, deleted, outcome.before, outcome.state, outcome.reason])
        print("\n" + markdown(["place", "function", "deleted", "before", "state", "reason"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
