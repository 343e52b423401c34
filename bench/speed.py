"""Cost of a check beside a bare parse and other analyzers, on the same files with the same flags.

    python bench/speed.py [--every N] [--tools ours,parse,...] PATH...

"warm" is a check after another one, with its cache and nothing changed; "changed" one after a function was added to
a file in the middle, "filling" the check before both, which pays for the cache.

A PATH is a source tree; its compile_commands.json gives the flags. Every tool runs once, one after the
other, at low priority. CPU is that of all processes of a tool; memory is the highest sum over them.
"done" counts the files without a fatal error: compilers end at a missing header.
Needs gcc, cppcheck and clang-tidy on PATH, or --clang-tidy FILE; a tool that is absent is left out, and
the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import ROOT, Corpus, Cost, check_command, load_corpus, markdown, measure, write_database

PARSE = """
import json, sys
from clang.cindex import Index
index = Index.create()
done = 0
for file, folder, flags in json.load(open(sys.argv[1])):
    try:
        unit = index.parse(file, ["-working-directory=" + folder, *flags], options=0)
        done += not any(message.severity >= 4 for message in unit.diagnostics)
    except Exception as error:
        print(file, error)
print("done", done)
"""


def builtin_headers() -> list[str]:
    """The headers that the compiler itself supplies, as the analyzer ships them: the wheel has none."""
    folders = sorted({path.parent for path in (ROOT / "analyzer").rglob("stddef.h")})
    return [f"-isystem{folder}" for folder in folders[:1]]


def parse_flags(flags: list[str]) -> list[str]:
    """Flags that reach the parse, in all tools alike: what changes the text, nothing that changes code.

    Optimisation is left out, as the analyzer leaves it out: it makes the C library's headers define
    inline functions.
    """
    keep = ("-I", "-D", "-U", "-std", "-include", "-isystem", "-iquote", "-idirafter", "-f", "-m", "-pthread")
    paired = {"-I", "-D", "-U", "-include", "-isystem", "-iquote", "-idirafter"}
    kept: list[str] = []
    items = iter(flags)
    for flag in items:
        if flag in paired:
            kept += [flag, next(items, "")]
        elif flag.startswith(keep):
            kept.append(flag)
    return kept


class Bench:
    """All tools on one corpus."""

    def __init__(self, corpus: Corpus, folder: Path, tidy: str | None, timeout: float) -> None:
        self.corpus = corpus
        self.folder = folder
        self.tidy = tidy
        self.timeout = timeout
        corpus.flags = {file: (where, parse_flags(flags)) for file, (where, flags) in corpus.flags.items()}
        self.database = write_database(corpus, folder)

    def of(self, file: Path) -> tuple[str, list[str]]:
        """Folder and flags of a file."""
        return self.corpus.flags.get(file, (str(self.corpus.path), []))

    def ours(self) -> tuple[Cost, int] | None:
        """`python -m analyzer check`, without a cache, otherwise default options."""
        return self._check(self.corpus, self.database, None)

    def filling(self) -> tuple[Cost, int] | None:
        """The same with an empty cache."""
        return self._check(self.corpus, self.database, self._cache("filling"))

    def warm(self) -> tuple[Cost, int] | None:
        """The same with a full one."""
        cache = self._cache("warm")
        self._check(self.corpus, self.database, cache)
        return self._check(self.corpus, self.database, cache)

    def changed(self) -> tuple[Cost, int] | None:
        """The same after a file of a copy of the corpus was changed."""
        old, new = str(self.corpus.path), str(self.folder / "tree")
        shutil.copytree(old, new, symlinks=True)
        flags = {
            Path(str(file).replace(old, new, 1)): (where.replace(old, new), [flag.replace(old, new) for flag in given])
            for file, (where, given) in self.corpus.flags.items()
        }
        files = [Path(str(file).replace(old, new, 1)) for file in self.corpus.files]
        copy = Corpus(Path(new), files, flags)
        place = self.folder / "changed"
        place.mkdir()
        database, cache = write_database(copy, place), self._cache("changed")
        self._check(copy, database, cache)
        with files[len(files) // 2].open("a", encoding="utf-8") as file:
            file.write("\nint added_by_the_bench(void)\n{\n\treturn 0;\n}\n")
        return self._check(copy, database, cache)

    def _cache(self, name: str) -> Path:
        return self.folder / f"cache-{name}"

    def _check(self, corpus: Corpus, database: Path, cache: Path | None) -> tuple[Cost, int]:
        report = self.folder / "ours.json"
        report.unlink(missing_ok=True)
        command = check_command(
            corpus.files, database=database if corpus.flags else None, options=["--json", str(report)], cache=cache
        )
        cost = measure(["nice", "-n", "10", *command], cwd=corpus.path, timeout=self.timeout)
        if not report.exists():
            print(cost.output[-500:], file=sys.stderr)
            return cost, 0
        data = json.loads(report.read_text(encoding="utf-8"))
        return cost, int(data["summary"]["files"])

    def parse(self) -> tuple[Cost, int] | None:
        """libclang's parse, in one process, nothing looked at."""
        tasks = self.folder / "tasks.json"
        extra = builtin_headers()
        tasks.write_text(json.dumps([(str(f), self.of(f)[0], [*self.of(f)[1], *extra]) for f in self.corpus.files]))
        cost = self._run([sys.executable, "-c", PARSE, str(tasks)])
        return cost, int(cost.output.rsplit("done", 1)[-1]) if "done" in cost.output else 0

    def gcc(self) -> tuple[Cost, int] | None:
        """`gcc -fanalyzer -O0 -c`, one process a file."""
        tool = shutil.which("gcc")
        if tool is None:
            return None
        total, done = Cost(0, 0, 0), 0
        for file in self.corpus.files:
            where, flags = self.of(file)
            command = [tool, "-fanalyzer", "-O0", "-w", *flags, "-c", str(file), "-o", os.devnull]
            cost = measure(["nice", "-n", "10", *command], cwd=where, timeout=self.timeout)
            done += cost.status == 0
            total = total.plus(cost)
        return total, done

    def cppcheck(self) -> tuple[Cost, int] | None:
        """cppcheck with the flags of the database, or on the bare files."""
        tool = shutil.which("cppcheck")
        if tool is None:
            return None
        command = [tool, "-q", "--enable=warning", "--library=posix", "--language=c"]
        if self.corpus.flags:
            cost = self._run([tool, "--enable=warning", "--library=posix", f"--project={self.database}"])
        else:
            cost = self._run([*command, *map(str, self.corpus.files)])
        failed = cost.output.count("syntaxError") + cost.output.count("internalError")
        return cost, len(self.corpus.files) - failed

    def clang_tidy(self) -> tuple[Cost, int] | None:
        """clang-tidy with the one check clang-analyzer-unix.Malloc."""
        if self.tidy is None:
            return None
        checks = "--checks=-*,clang-analyzer-unix.Malloc"
        command = [self.tidy, "--quiet", checks, "-p", str(self.folder), *map(str, self.corpus.files)]
        cost = self._run(command)
        failed = {line.partition(" ")[2] for line in cost.output.splitlines() if "while processing" in line}
        failed |= {line.split(":", 1)[0] for line in cost.output.splitlines() if "[clang-diagnostic-error]" in line}
        return cost, len(self.corpus.files) - len(failed)

    def _run(self, command: list[str]) -> Cost:
        return measure(["nice", "-n", "10", *command], cwd=self.corpus.path, timeout=self.timeout)


TOOLS: dict[str, tuple[str, Callable[[Bench], tuple[Cost, int] | None]]] = {
    "ours": ("mustfree check", Bench.ours),
    "filling": ("mustfree check, filling the cache", Bench.filling),
    "warm": ("mustfree check, nothing changed", Bench.warm),
    "changed": ("mustfree check, one file changed", Bench.changed),
    "parse": ("libclang parse only", Bench.parse),
    "gcc": ("gcc -fanalyzer", Bench.gcc),
    "cppcheck": ("cppcheck", Bench.cppcheck),
    "tidy": ("clang-tidy unix.Malloc", Bench.clang_tidy),
}


def rows_of(bench: Bench, names: list[str]) -> list[list[object]]:
    """Run the tools; one row each."""
    results: dict[str, tuple[Cost, int] | None] = {}
    for name in names:
        print(f"{bench.corpus.name}: {TOOLS[name][0]} ...", file=sys.stderr)
        results[name] = TOOLS[name][1](bench)
    base = results.get("parse")
    rows: list[list[object]] = []
    kloc = bench.corpus.lines() / 1000
    for name in names:
        result = results[name]
        if result is None:
            rows.append([bench.corpus.name, TOOLS[name][0], "absent", "", "", "", "", ""])
            continue
        cost, done = result
        times = f"{cost.cpu / base[0].cpu:.1f}" if base and base[0].cpu else ""
        wall = f"{cost.wall:.1f}" + (" (stopped)" if cost.status == 124 else "")
        row: list[object] = [bench.corpus.name, TOOLS[name][0], f"{cost.cpu:.1f}", wall, f"{cost.peak:.0f}"]
        rows.append([*row, f"{1000 * cost.cpu / kloc:.0f}", times, f"{done} of {len(bench.corpus.files)}"])
    return rows


def main() -> int:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--every", type=int, default=1, help="every n-th file only")
    parser.add_argument("--flagged", action="store_true", help="only files that the database names")
    parser.add_argument("--tools", default=",".join(TOOLS), help="which, comma separated")
    parser.add_argument("--clang-tidy", default=shutil.which("clang-tidy"), metavar="FILE")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds for one tool on one corpus")
    options = parser.parse_args()
    names = options.tools.split(",")
    if unknown := [name for name in names if name not in TOOLS]:
        parser.error(f"unknown tool: {', '.join(unknown)}; known: {', '.join(TOOLS)}")
    rows: list[list[object]] = []
    notes = []
    for path in options.paths:
        corpus = load_corpus(path, every=options.every, flagged=options.flagged)
        if not corpus.files:
            parser.error(f"{path}: no C files")
        notes.append(
            f"{corpus.name}: {len(corpus.files)} files, {corpus.lines():,} lines, flags known for {len(corpus.flags)}."
        )
        with tempfile.TemporaryDirectory() as folder:
            rows += rows_of(Bench(corpus, Path(folder), options.clang_tidy, options.timeout), names)
    head = ["corpus", "tool", "CPU s", "wall s", "peak MiB", "CPU ms/KLOC", "x parse", "done"]
    print(markdown(head, rows))
    print("\n" + "\n".join(f"* {note}" for note in notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
