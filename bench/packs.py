"""The table of docs/packs.md: what each shipped pack says, and about how many functions it says nothing.

    python bench/packs.py            compare docs/packs.md with the packs; status 1 when it is out of date
    python bench/packs.py --write    write it again
    python bench/packs.py --try [LIBRARY...]
                                     try the packs on their fixtures, two minutes for all; the counts stand in
                                     bench/noticed.csv
    python bench/packs.py --compare LIBRARY --release TEXT --sources DIR... [--flags FLAG...]
                                     hold a pack against the sources of its library, which are not part of the project;
                                     the counts stand in bench/compared.csv. TEXT: which sources these are
    python bench/packs.py --count HEADER... [--flags FLAG...] [--below PART...]
                                     list the public functions of installed headers; their number stands in
                                     bench/public.csv

A function counts in each column that fits it. Those that no pack mentions are undecided: the analyzer knows
nothing of them, which is not the same as "borrows only".
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.contracts.loader import load_pack
from analyzer.contracts.model import EffectKind, FunctionContract, Pack
from analyzer.contracts.packs import shipped_files
from analyzer.libclang import kinds
from analyzer.libclang.parse import parsed
from analyzer.trials.explained import read_explained
from analyzer.trials.library import Result, compare_pack
from analyzer.trials.trial import try_pack

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "packs.md"
PUBLIC = ROOT / "bench" / "public.csv"
NOTICED = ROOT / "bench" / "noticed.csv"
COMPARED = ROOT / "bench" / "compared.csv"
RESULTS = tuple(Result)
COLUMNS: tuple[tuple[str, frozenset[EffectKind]], ...] = (
    ("hands out", frozenset({EffectKind.FRESH, EffectKind.SHARE})),
    ("releases", frozenset({EffectKind.RELEASE})),
    ("takes over", frozenset({EffectKind.TAKE})),
    ("keeps", frozenset({EffectKind.KEEP, EffectKind.ESCAPE})),
    ("points into", frozenset({EffectKind.RETURN, EffectKind.INTERIOR, EffectKind.BORROWED})),
)
TEXT = """\
# The packs

<!-- Written by `python bench/packs.py --write`; a test compares. -->

What the shipped packs say about how many functions. A function counts in each column that fits it: *hands out* a
resource or a share of one, *releases*, *takes over*, *keeps* a pointer (or puts it where nobody sees it), *points into*
what another pointer leads to, *borrows only* (neither takes nor gives). What is peculiar to a library stands at the
head of its file in `rules/`.

*Undecided* are the public functions of that version which the pack does not mention. The analyzer knows nothing of
them, and what is given to them is out of sight. `-`: not counted.

*Noticed*: `mustfree rules test` weakens each contract, one effect or condition at a time; so many of these weaker
contracts make a mark of the pack's fixture fail. For the others the fixture lacks a use that shows the difference;
the command lists them. (Some hardly have one: after `borrowed *out` the pointer owns nothing, as before.)

{table}
`mustfree rules list --library NAME` lists the functions of a pack, `mustfree rules explain FUNCTION` says what is
known of one.

## Against the sources

`mustfree rules compare PACK --sources DIR` infers contracts from the sources of a library as from any program, without
the library's own pack, and holds each written contract against what came out: case by case, for the result, each
argument, what arguments point to, and members that the contract names. What lies inside of the library's objects is its
own affair, and a null pointer of which the contract does not speak is no case of it.

- *Agrees*: the body shows what the contract says: handed out and released in the same cases, with the same release
  where that is not the library's own; kept, lent, or only borrowed. A share that is given back is a release.
- *Tells less*: the body does not contradict the contract, and does not show all of it: a pointer goes to code that is
  not seen (a table of functions, a callback), or is stored, where nobody sees whether it is owned; references are
  counted, and a count is a number as any other; the result may be anything.
- *Says less*: the body shows something of which the contract does not speak: that a pointer is kept, or that the result
  points into an argument. Or the contract says that something goes out of sight of which the body shows what becomes.
- *Contradicts*: the contract says that something is handed out (released, taken, kept, shared) in a case in which the
  body shows that it is not, or the reverse; or another release, another argument that the result points into; or that
  a function returns which does not. *Explained* ones were read in the source, and the contract is right: the reasons
  stand in `fixtures/contracts/*.explained.yaml`. Any other is a mistake of the pack.
- *Not compared*: the sources do not define the function, or nothing was inferred (its body could not be followed to its
  end).

What the body tells less of was judged by people alone, as everything was before.

{compared}
`mustfree rules compare -v` lists all but the plain agreements.
"""


@dataclass(frozen=True, slots=True)
class Public:
    """How many functions the headers of one version of a library declare."""

    version: str
    functions: int


def effects_of(function: FunctionContract) -> set[EffectKind]:
    """All kinds of effects that any outcome has."""
    return {effect.kind for outcome in function.outcomes for effect in outcome.effects}


def row(pack: Pack, public: Public | None, noticed: str = "-") -> list[str]:
    """One line of the table."""
    effects = [effects_of(function) for function in pack.functions]
    counts = [sum(1 for kinds in effects if kinds & members) for _, members in COLUMNS]
    borrows = sum(1 for kinds in effects if not kinds)
    undecided = "-" if public is None else str(public.functions - len(effects))
    judged = [pack.library, public.version if public else "-", str(len(effects))]
    return [*judged, *map(str, counts), str(borrows), undecided, noticed]


def table(packs: Iterable[Pack], public: dict[str, Public], noticed: dict[str, tuple[int, int]]) -> str:
    """The whole table, in Markdown."""
    head = ["library", "version", "functions", *(name for name, _ in COLUMNS), "borrows only", "undecided", "noticed"]
    lines = [head, ["---", "---", *["--:"] * (len(head) - 2)]]
    lines += [row(pack, public.get(pack.library), share(noticed.get(pack.library, (0, 0)))) for pack in packs]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def share(noticed: tuple[int, int]) -> str:
    """``27 of 30 (90 %)``; "-" where nothing was weakened."""
    found, weakened = noticed
    return f"{found} of {weakened} ({100 * found // weakened} %)" if weakened else "-"


def read_noticed(file: Path = NOTICED) -> dict[str, tuple[int, int]]:
    """bench/noticed.csv by library."""
    with file.open(newline="") as stream:
        return {r["library"]: (int(r["noticed"]), int(r["weakened"])) for r in csv.DictReader(stream)}


def try_packs(libraries: Sequence[str], known: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The counts of all packs, those of the named ones (none: of all) found out anew."""
    found = {}
    for file in shipped_files():
        library = load_pack(file).library
        found[library] = known.get(library, (0, 0))
        if not libraries or library in libraries:
            trial = try_pack(file, ROOT / "fixtures" / "contracts" / f"{file.stem}.c", shipped=True)
            found[library] = (trial.mutants - len(trial.survivors), trial.mutants)
    return found


def write_noticed(counts: dict[str, tuple[int, int]], file: Path = NOTICED) -> None:
    """Writes bench/noticed.csv."""
    lines = [f"{library},{noticed},{weakened}\n" for library, (noticed, weakened) in counts.items()]
    file.write_text("library,noticed,weakened\n" + "".join(lines))


def compare(library: str, release: str, sources: Sequence[str], flags: Sequence[str]) -> dict[str, str]:
    """One row of bench/compared.csv: the pack against sources that lie here."""
    file = next(file for file in shipped_files() if load_pack(file).library == library)
    reasons = ROOT / "fixtures" / "contracts" / f"{file.stem}.explained.yaml"
    found = compare_pack(file, True, sources, flags, read_explained(reasons) if reasons.is_file() else {})
    for function, term in found.stale:
        raise SystemExit(f"{reasons}: {function}: `{term}` contradicts nothing")
    return {"library": library, "sources": release, **{r.name.lower(): str(found.counts[r]) for r in RESULTS}}


def read_compared(file: Path = COMPARED) -> dict[str, dict[str, str]]:
    """bench/compared.csv by library."""
    with file.open(newline="") as stream:
        return {row["library"]: row for row in csv.DictReader(stream)}


def write_compared(rows: dict[str, dict[str, str]], file: Path = COMPARED) -> None:
    """Writes bench/compared.csv."""
    with file.open("w", newline="") as stream:
        names = ["library", "sources", *(result.name.lower() for result in RESULTS)]
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[library] for library in sorted(rows))


def compared_table(rows: dict[str, dict[str, str]]) -> str:
    """The second table, in Markdown."""
    head = ["library", "sources", *(result.value for result in RESULTS)]
    lines = [head, ["---", "---", *["--:"] * len(RESULTS)]]
    lines += [[row["library"], row["sources"], *(row[r.name.lower()] for r in RESULTS)] for row in rows.values()]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def read_public(file: Path = PUBLIC) -> dict[str, Public]:
    """bench/public.csv by library."""
    with file.open(newline="") as stream:
        return {r["library"]: Public(r["version"], int(r["functions"])) for r in csv.DictReader(stream)}


def page() -> str:
    """The text of docs/packs.md as the packs are now."""
    packs = table(map(load_pack, shipped_files()), read_public(), read_noticed())
    return TEXT.format(table=packs, compared=compared_table(read_compared()))


def public_functions(headers: Sequence[str], flags: Sequence[str], below: Sequence[str]) -> list[str]:
    """Names of all functions that the headers declare in files whose path contains one of `below`."""
    basics = ("sys/types.h", "stdbool.h", "stdint.h", "stdio.h", "sys/socket.h", "sys/uio.h")
    text = "".join(f"#include <{name}>\n" for name in (*basics, *headers))
    found: set[str] = set()
    with parsed("/all.c", ["-D_GNU_SOURCE", *flags], {"/all.c": text.encode()}) as unit:
        for message in unit.errors():
            raise SystemExit(f"{message.file}:{message.line}: {message.text}")

        def visit(cursor, _parent):
            if cursor.kind == kinds.FUNCTION_DECL:
                file = unit.file_name(unit.place(unit.lib.getCursorLocation(cursor))[0])
                if any(part in file for part in below):
                    found.add(unit.lib.text(unit.lib.getCursorSpelling(cursor)))
            return kinds.CONTINUE

        unit.visit(unit.root(), visit)
    return sorted(found)


def main(arguments: Sequence[str]) -> int:
    """See the top of the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--count", nargs="*", metavar="HEADER", help="headers, as one writes them after #include")
    parser.add_argument("--flags", nargs="*", default=[], metavar="FLAG", help="such as I/usr/include/libnl3, no dash")
    parser.add_argument("--below", nargs="*", default=[], metavar="PART", help="part of the path of public headers")
    parser.add_argument("--try", dest="libraries", nargs="*", metavar="LIBRARY", help="see above")
    parser.add_argument("--compare", metavar="LIBRARY", help="see above")
    parser.add_argument("--release", default="", metavar="TEXT", help="see above")
    parser.add_argument("--sources", nargs="*", default=[], metavar="DIR", help="see above")
    given = parser.parse_args(arguments)
    flags = [f"-{flag}" for flag in given.flags]
    if given.compare:
        rows = read_compared() if COMPARED.is_file() else {}
        write_compared({**rows, given.compare: compare(given.compare, given.release, given.sources, flags)})
        return main(["--write"])
    if given.libraries is not None:
        write_noticed(try_packs(given.libraries, read_noticed() if NOTICED.is_file() else {}))
        return main(["--write"])
    if given.count:
        names = public_functions(given.count, flags, given.below or given.count)
        print("\n".join(names))
        print(len(names), file=sys.stderr)
        return 0
    if given.write:
        PAGE.write_text(page())
        return 0
    if PAGE.read_text() == page():
        return 0
    print("docs/packs.md is out of date; run: python bench/packs.py --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
